/** What is on its way to a terminal. */
import type { ProfileName } from './terminal.js';

/** Rank of an item in a terminal's outbox, sent first to last. */
export const DELIVERY_KINDS = [
  'recall',
  'urgentOrder',
  'order',
  'revision',
  'reorder',
  'urge',
  'notice',
  'command',
] as const;
export type DeliveryKind = (typeof DELIVERY_KINDS)[number];
export type DeliveryState = 'queued' | 'inFlight' | 'unanswered' | 'receipted' | 'refused' | 'expired' | 'voided';

export interface DeliveryAttempt {
  at: number;
  /** JT/T 808 serials of the frames written, first to last. */
  serials?: [number, number];
  messageId?: number;
  node: string;
  /** Number of this transmission in its round: 0 first, then the retries; a new round starts with every link. */
  retry: number;
}

/** `command`: a function of the terminal by its name, with plain arguments; the gateway knows how it goes on the wire. */
export interface TerminalCommandItem {
  name: string;
  arguments: unknown;
  /** Written once and never again: a terminal that restarts does not answer, and must not restart for ever. */
  once?: boolean;
  /** Name of the message that brings the answer later, after the receipt (the driver answers a question). */
  awaits?: string;
}

/** One item for one terminal. */
export interface Delivery {
  id: string;
  kind: DeliveryKind;
  vehicleId: string;
  state: DeliveryState;
  orderId?: string;
  leg?: number;
  contentVersion?: number;
  /** For `revision`: the queue revision that it shows. */
  revision?: number;
  /** For `notice`, `urge`: the text; for `command`: what to ask of the terminal. */
  text?: string;
  urgent?: boolean;
  /** Reminds the crew to accept: of no use any more when it has. */
  asksToAccept?: true;
  command?: TerminalCommandItem;
  /** `menu`: the event ids of the list that it shows, in order. */
  list?: number[];
  createdAt: number;
  createdBy: string;
  /** 0x0001 came: no more retransmission, the receipt of the terminal's application is awaited (`smart`). */
  acknowledgedAt?: number;
  /** In flight, but senseless meanwhile: not transmitted again, voided when its answer stays out. */
  superseded?: string;
  attempts: DeliveryAttempt[];
  /** Parts of a long message (an upgrade): so many of so many have gone out, or arrived where each is confirmed. */
  progress?: { done: number; of: number };
  /** When the next attempt is due. */
  nextAt?: number;
  /** When it is of no use any more, ms UTC: it ends as `expired` whatever became of it. */
  expiresAt?: number;
  endedAt?: number;
  /** 0x0001 result, protobuf result, or a reason in words. */
  result?: string;
  answer?: unknown;
}

/** An area or route that a person has set in a terminal. */
export interface TerminalArea {
  /** With `id` what it is known by. */
  shape: 'circle' | 'rectangle' | 'polygon' | 'route';
  id: number;
  name?: string;
  /** Centre, the four corners, the corners, or the way; degrees WGS-84 as they were entered. */
  points: { lat: number; lon: number }[];
  /** Of a circle. */
  radiusM?: number;
  /** Of a route: its widest segment. */
  widthM?: number;
  /** When the terminal confirmed it, ms UTC. */
  setAt: number;
}
export interface TerminalAreas {
  vehicleId: string;
  /** `{phone}/{terminalId}` of the terminal that holds them. */
  device: string;
  items: TerminalArea[];
}

/** Area ids up to this one are for what people set in terminals; the circles of orders have higher ones. */
export const PEOPLES_AREA_IDS = 0xffff;

/** A circle in a terminal around the site of a leg. */
export interface Fence {
  /** Area id on the wire, above `PEOPLES_AREA_IDS`. */
  id: number;
  lat: number;
  lon: number;
  radiusM: number;
  /** `{phone}/{terminalId}` of the device that it was made for. */
  device: string;
  /** Since it was to be removed (ms UTC); late crossings still find it. */
  removedAt?: number;
}

/** What is on its way to a vehicle's terminal and what the terminal is known to hold. One per vehicle. */
export interface Outbox {
  vehicleId: string;
  /** Open items first come, and the last 200 ended ones. */
  items: Delivery[];
  /** Legs whose content the terminal has receipted (leg key → content version). */
  held: Record<string, number>;
  /** Removed legs that the terminal may still show: tombstones until their removal is confirmed. */
  tombstones: Record<string, { removedAt: number; revision: number }>;
  /** `menu`: event ids and what each means. */
  menu: MenuEvent[];
  /** Circles by leg key. */
  fences?: Record<string, Fence>;
  /** Since the link came up (ms UTC), while the lists were not compared yet: the list goes before everything else. */
  comparingSince?: number;
  /** Which terminal, shown how, the rest is about: another one holds nothing yet. */
  terminal?: { phone: string; profile: ProfileName; terminalId?: string };
  /** `menu`: the event ids of the list that the terminal confirmed last, in order. */
  confirmedList?: number[];
}

export interface MenuEvent {
  /** 1–255. */
  id: number;
  /** A step of a leg, or a duty step of the crew (no order). */
  orderId?: string;
  leg?: number;
  step: 'accept' | 'depart' | 'arrive' | 'done' | 'refuse' | 'break' | 'standby';
  /** In a list that was sent; the revision that first carried it. */
  firstRevision: number;
  /** Since a list without it was confirmed (ms UTC); it keeps its meaning for 24 h more. */
  retiredAt?: number;
}
