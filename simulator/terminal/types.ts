import type { CrewAction, DutyTarget, Question } from '../../protocol/index.js';
import type { Place } from '../geo.js';
import type { Reading } from '../truck.js';

/** What the terminal is, from the point of view of orders (docs/simulator.md, "Profiles"). */
export const profiles = ['smart', 'menu', 'text', 'tracker', 'mqtt'] as const;
export type Profile = (typeof profiles)[number];

/** One order as the driver sees it. */
export interface ScreenOrder {
  /** Stable for one leg on this screen. */
  key: string;
  number: string;
  address: string;
  /** The whole text, on `menu` and `text` screens. */
  text?: string;
  orderId?: string;
  leg?: number;
  contentVersion?: number;
  place?: Place;
  urgent?: boolean;
  /** Keys that the screen offers for it now; on `smart` and `mqtt` all of them. */
  steps: readonly ScreenStep[];
}

export type ScreenStep = 'accept' | 'depart' | 'arrive' | 'done' | 'refuse';
export type DutyKey = 'break' | 'standby' | 'offDuty';

/**
 * Something that the terminal must get to the platform. It is kept until the platform confirms it (0x8001 or PUBACK)
 * and sent again after a lost link.
 */
export type Report =
  | { kind: 'position'; id: number; madeAt: number; reading: Reading; alarm: number }
  /** Positions of a time without a link (0x0704 type 1, or a batch over MQTT). */
  | { kind: 'batch'; id: number; madeAt: number; items: { reading: Reading; alarm: number }[] }
  | { kind: 'menuEvent'; id: number; madeAt: number; eventId: number; step: string; number: string }
  /** One protobuf Uplink, encoded once: a repetition is the same bytes. */
  | { kind: 'app'; id: number; madeAt: number; bytes: Uint8Array; what: string }
  | { kind: 'answer'; id: number; madeAt: number; replySerial: number; answerId: number };

/** What happens at a terminal, for observers and tests. `at` is gateway time. */
export type TerminalEvent = { at: number } & (
  | { type: 'online' }
  | { type: 'offline'; reason: string }
  /** The power was off; `lostScreen` when the screen is empty now. */
  | { type: 'rebooted'; lostScreen: boolean }
  | { type: 'registered' }
  | { type: 'refused'; what: 'registration' | 'authentication'; result: number }
  /** An order appeared on the screen, or its content changed (`again`). */
  | { type: 'order'; order: ScreenOrder; again: boolean }
  /** An order left the screen. */
  | { type: 'removed'; key: string; number: string; orderId?: string; leg?: number; reason?: string }
  /** The list on the screen is that of this revision (`smart`, `mqtt`), or a new event list (`menu`, revision 0). */
  | { type: 'list'; revision: number; numbers: string[] }
  | { type: 'urge'; number: string; text?: string }
  | { type: 'notice'; text: string; urgent: boolean }
  | { type: 'question'; deliveryId: string; question: Question }
  /** The platform confirmed a report; `delayMs` from its making. */
  | { type: 'confirmed'; report: Report; delayMs: number; result: number }
  | { type: 'pressed'; step: string; number: string }
  | { type: 'command'; messageId: number; result: number }
  | { type: 'refusedFrame'; code: string }
);
export type EventType = TerminalEvent['type'];

/** A key of the application and its action on the wire. */
export const actionOf: Record<ScreenStep | 'read' | 'working' | 'suspend' | 'resume', CrewAction> = {
  accept: 'accept',
  depart: 'depart',
  arrive: 'arrive',
  done: 'done',
  refuse: 'reject',
  read: 'read',
  working: 'working',
  suspend: 'suspend',
  resume: 'resume',
};
export type AppKey = keyof typeof actionOf;

export const dutyOf: Record<DutyKey, DutyTarget> = { break: 'onBreak', standby: 'standby', offDuty: 'offDuty' };
