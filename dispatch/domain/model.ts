/**
 * The documents that events fold into (domain.md, "Four small state machines"). Times are ms UTC (`At`), lengths are
 * metres or ms as their names say, coordinates are WGS-84 degrees.
 */
import type { IngestRef, Role, Source } from './events.js';

export const STAGES = [
  'received',
  'issued',
  'atCentre',
  'dispatched',
  'waiting',
  'returned',
  'merged',
  'repaired',
  'recorded',
  'closed',
  'withdrawn',
] as const;
export type Stage = (typeof STAGES)[number];

export const LEG_STATES = [
  'queued',
  'sent',
  'delivered',
  'read',
  'accepted',
  'enRoute',
  'onSite',
  'working',
  'workDone',
  'completed',
  'suspended',
  'recalling',
  'recalled',
  'rejected',
  'expired',
] as const;
export type LegState = (typeof LEG_STATES)[number];

export const POINTS = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J'] as const;
export type Point = (typeof POINTS)[number];

/**
 * Rank of evidence, lower is stronger (domain.md, "What time a point gets", 3). `rule` is the platform's own act
 * (A–D, which nobody has to prove).
 */
export const RANKS = ['rule', 'key', 'terminalFence', 'serverFence', 'keyWithoutTime', 'entry', 'implied'] as const;
export type Rank = (typeof RANKS)[number];

export type StampFlag =
  | 'received' // received time taken, no valid device time
  | 'corrected' // device time corrected by the measured clock offset
  | 'late' // device time over 60 s before received
  | 'disputed' // key "arrived" from farther than the arrival radius
  | 'implied'
  | 'clamped'
  | 'created' // A: time of creation, the call's end was not given
  | 'byPhone'
  | 'alreadyMoving' // G = F
  | 'entered'; // written afterwards by a person

/** One statement about one point; all are kept, one is the stamp. */
export interface Claim {
  point: Point;
  /** The time that the rules give it. */
  at: number;
  rank: Rank;
  source: Source;
  by: string;
  deviceAt?: number;
  receivedAt: number;
  committedAt: number;
  flags: StampFlag[];
  frame?: IngestRef;
  /** Where the vehicle was, where that is known. */
  place?: { lat: number; lon: number };
  /** H by a fence: end of the standing run that began at `at`, once the vehicle has left. */
  until?: number;
}
/** The claim that counts. `rawAt` is the claim's own time where monotony moved it (`clamped`). */
export interface Stamp extends Claim {
  rawAt?: number;
}
export type Stamps = Partial<Record<Point, Stamp>>;

export type SiteClass = 'town' | 'country' | 'remote';
export type Voltage = 'low' | '10kV' | 'other';
export type Priority = 'normal' | 'urgent';
export type ArrivalMode = 'manual' | 'timed' | 'automatic';

export interface Site {
  lat: number;
  lon: number;
  address: string;
  siteClass: SiteClass;
  arrivalMode: ArrivalMode;
}

export interface Leg {
  /** 1, 2, 3 … per order; fences out answers that belong to an earlier attempt. */
  leg: number;
  vehicleId: string;
  /** Order cycle and issue (number of B within the cycle, from 1) that led to it. */
  cycle: number;
  issue: number;
  state: LegState;
  /** What it was before `suspended` or `recalling`. */
  before?: LegState;
  /** Version of the order's content that this leg must show; raised when the content changes. */
  contentVersion: number;
  /** D to J of this leg. */
  points: Stamps;
  claims: Claim[];
  createdAt: number;
  endedAt?: number;
  /** Reason of the refusal, recall, suspension or expiry. */
  reason?: string;
  recall?: {
    at: number;
    by: string;
    reason: string;
    confirmedAt?: number;
    how?: 'terminal' | 'neverGotIt' | 'byPhone';
  };
  toldByPhone?: boolean;
  /** The centre's delivery deadline: a leg that is not delivered by then expires (ms UTC). */
  expiresAt?: number;
  /** Crew and repair centre shared an office when the leg was made: the limit of DE. */
  sharesOffice?: boolean;
}

export interface FaultRecord {
  cause: string;
  done: string;
  equipment?: string;
  materials?: string;
  powerRestoredAt?: number;
  photos: string[];
  extra: Record<string, string>;
  by: string;
  at: number;
}

export interface CallBack {
  at: number;
  by: string;
  result: 'satisfied' | 'unsatisfied' | 'stillDark' | 'noAnswer' | 'notWanted';
  words?: string;
}

/** What belongs to one cycle: from B (or re-opening) to the end. */
export interface Cycle {
  cycle: number;
  /** A is the first call's in every cycle; B, C are this cycle's. */
  points: Stamps;
  /** Every issue to a centre: its B, C and first D. */
  issues: {
    centreId: string;
    at: number;
    atCentreAt?: number;
    firstD?: number;
    by: string;
    causedBy?: 'callCentre' | 'repairCentre' | 'crew';
    /** Stamps of B and C of this issue. */
    b?: Stamp;
    c?: Stamp;
    /** Limits in force when it was issued, minutes by segment and AH (a later change of them rewrites no verdict). */
    limitsMin?: Record<string, number>;
  }[];
  effectiveLeg?: number;
  startedAt: number;
  endedAt?: number;
  record?: FaultRecord;
  callBacks: CallBack[];
}

export interface Order {
  id: string;
  /** `YYYYMMDD-NNNN` by local day. */
  number: string;
  stage: Stage;
  customer: { name: string; phone: string };
  site: Site;
  fault: { category: string; voltage: Voltage; description: string };
  area?: string;
  priority: Priority;
  createdAt: number;
  createdBy: string;
  repairCentreId?: string;
  unitKind?: string;
  receivedBy?: { name: string; at: number };
  /** Content version of what crews are shown. */
  contentVersion: number;
  legs: Leg[];
  /** Current cycle last. */
  cycles: Cycle[];
  /** A–C of the order (kept claims for A–C). */
  claims: Claim[];
  reason?: { code: string; note?: string; at: number; by: string };
  mergedInto?: string;
  mergedFrom?: Stage;
  subs: string[];
  /** `sounded`: the cab was told aloud. */
  urges: { at: number; by: string; note?: string; sounded?: boolean }[];
  /** Escalation steps and segment alerts that have fired: `{step}:{cycle}:{leg|issue}` → alert id. */
  fired: Record<string, string>;
  /** Forecast of arrival for the effective or first leg, with what it was made from. */
  eta?: { at: number; madeAt: number; vehicleId: string; basis: 'estimate' | 'route' };
  /** Cycle → when it found no crew of its trade on standby (ms UTC), and when that was over. */
  capacityCounted?: Record<string, number>;
  capacityMet?: Record<string, number>;
  /** SHA-256 hex of the token of the customer's link. */
  statusToken?: string;
  /** When the customer's data was deleted (ms UTC). */
  erasedAt?: number;
}

export type DutyState = 'offDuty' | 'standby' | 'onBreak';
/** As shown: the last four are derived from legs and link. */
export type ShownDuty = DutyState | 'tasked' | 'enRoute' | 'onSite' | 'unreachable';

export interface Person {
  name: string;
  phone?: string;
}

export interface QueueEntry {
  orderId: string;
  leg: number;
  /** Recalled, removal not confirmed yet: not in what the terminal shall show. */
  recalling?: boolean;
}

export interface Vehicle {
  id: string;
  plate: string;
  terminal: { phone: string };
  repairCentreId: string;
  unitId?: string;
  trade: string;
  crew: { name: string; members: Person[]; managers: Person[] };
  sharesOffice: boolean;
  language: 'zh-CN' | 'en';
  /** Where the terminal came by itself under open enrolment and nobody has confirmed it. */
  toBeConfirmed?: boolean;
  duty: { state: DutyState; since: number; until?: number; reason?: string };
  /** The queue in the dispatcher's order; open legs only (a recalling leg stays until its removal is confirmed). */
  queue: { revision: number; confirmedRevision: number; confirmedAt?: number; entries: QueueEntry[] };
  link: {
    state: 'up' | 'down' | 'never';
    since: number;
    node?: string;
    address?: string;
    fence?: number;
    toldAt?: number;
  };
  /** The one leg that is en route or on site. */
  active?: { orderId: string; leg: number; state: 'enRoute' | 'onSite' };
  createdAt: number;
}

export type ProfileName = 'smart' | 'menu' | 'text' | 'tracker' | 'mqtt';

export interface TerminalIdentity {
  maker: string;
  model: string;
  terminalId: string;
}

/** A terminal: who it is, how it proves it, what it can do. */
export interface Terminal {
  /** Number without leading zeros: the key. */
  phone: string;
  vehicleId: string;
  /** Stated by a person; otherwise `profile` follows the edition of the registration. */
  statedProfile?: ProfileName;
  profile: ProfileName;
  edition?: 2011 | 2013 | 2019;
  identity?: TerminalIdentity;
  /** Authentication codes as SHA-256 hex: current and, until the new one was used, the one before. */
  codes: { sha256: string; issuedAt: number; usedAt?: number }[];
  /** MQTT password: scrypt or SHA-256 of a random secret, never the secret. */
  secret?: { sha256: string; setAt: number };
  /** When codes and secret were last taken back (ms UTC). */
  rotatedAt?: number;
  blocked?: { at: number; by: string; reason: string };
  /** A registration with another identity that waits for a person ("swapped?"). */
  swapped?: { identity: TerminalIdentity; at: number; address?: string };
  /** When it was taken over lately (ms UTC), newest last. */
  takeOvers?: number[];
  /** Three take-overs in ten minutes: orders go to neither until a person decides. */
  contested?: { at: number; addresses: string[] };
  /** Terminal clock minus gateway clock, ms; measured. */
  clockOffset?: { ms: number; measuredAt: number };
  options: TerminalOptions;
}

/** Vendor dialects that a vehicle may be set to; the gateway holds what each reads. */
export const DIALECT_NAMES = ['common', 'standard', 'tracker', 'lock', 'obd'] as const;
export type DialectName = (typeof DIALECT_NAMES)[number];

/** What a profile may vary by (architecture.md, "Terminals"). */
export interface TerminalOptions {
  maxEvents: number;
  maxTextBytes: number;
  listUpdate: 'replace' | 'deleteAndAppend';
  /** Legs that the terminal can show at once. */
  maxLegs: number;
  /** Speaks 2019 and still has what that edition withdrew: questions, event lists, info menus. */
  withdrawn?: boolean;
  /** Takes circles (0x8600): one for every queued order, and reports when it crosses them. */
  fences?: boolean;
  /** Vendor dialect by name; otherwise by what the registration says. */
  dialect?: DialectName;
  maker?: string;
  model?: string;
}

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
  /** When the next attempt is due. */
  nextAt?: number;
  /** When it is of no use any more, ms UTC: it ends as `expired` whatever became of it. */
  expiresAt?: number;
  endedAt?: number;
  /** 0x0001 result, protobuf result, or a reason in words. */
  result?: string;
  answer?: unknown;
}

/** A circle in a terminal around the site of a leg. */
export interface Fence {
  /** Area id on the wire, 1 to 2^32 − 1. */
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

/** Last values that a terminal said beside its positions, by name (docs/decode-format.md, "Vendor values"). */
export interface Attributes {
  vehicleId: string;
  /** `at` is the terminal's time, ms UTC. */
  values: Record<string, { value: string | number | boolean | string[]; at: number }>;
}

/** An alarm bit that is set. */
export interface ActiveAlarm {
  bit: number;
  /** Of the standard's flags: `sos`, `overspeed`, … */
  name: string;
  /** By the terminal's clock, ms UTC. */
  since: number;
  place?: { lat: number; lon: number };
}

/** Alarms of one vehicle: only of those that ever had one. */
export interface Alarms {
  vehicleId: string;
  active: Record<string, ActiveAlarm>;
  /** The last alert for its SOS. */
  sosAlertId?: string;
}

/** Something that a terminal's camera or microphone took, as it was uploaded (JT/T 808, 0x0801). */
export interface Media {
  /** From its content: the same upload again is the same. */
  id: string;
  vehicleId: string;
  /** Name of the bytes in the store. */
  blob: string;
  bytes: number;
  kind: 'image' | 'audio' | 'video';
  /** Media type to serve it as, e.g. `image/jpeg`. */
  contentType: string;
  /** Id that the terminal gave it, its camera, and why it was taken. */
  mediaId: number;
  channel: number;
  event: string;
  /** By the terminal's clock; absent where it did not say. */
  takenAt?: number;
  receivedAt: number;
  place?: { lat: number; lon: number };
  /** The order on whose site the vehicle was when it was taken. */
  orderId?: string;
  leg?: number;
}

export interface RepairCentre {
  id: string;
  name: string;
  siteClasses: SiteClass[];
  /** Overrides of the default limits, minutes by segment. */
  limits: Record<string, number>;
  automaticMode: boolean;
  deliveryDeadlineMin?: number;
}

export interface Unit {
  id: string;
  kind: string;
  name?: string;
  repairCentreId?: string;
  managers: Person[];
}

export interface Alert {
  id: string;
  kind: string;
  orderId?: string;
  leg?: number;
  vehicleId?: string;
  centreId?: string;
  /** Levels that are told: who must do what. */
  told: { level: 'callCentre' | 'repairCentre' | 'crew' | 'manager' | 'maintenance'; name?: string; phone?: string }[];
  message: string;
  severity: 'info' | 'warning' | 'breach' | 'sos';
  raisedAt: number;
  acknowledged: { by: string; at: number }[];
  endedAt?: number;
  endedBecause?: string;
}

/** Something that waits for a person: conflict cards, attention list, proposals, quarantined evidence. */
export interface Card {
  id: string;
  kind: 'conflict' | 'attention' | 'proposal' | 'quarantine' | 'swapped' | 'contested';
  code: string;
  message: string;
  orderId?: string;
  leg?: number;
  vehicleId?: string;
  centreId?: string;
  at: number;
  choices: string[];
  data: Record<string, unknown>;
  /** Raw bytes of what was quarantined, hex. */
  bytesHex?: string;
  frame?: IngestRef;
  resolved?: { at: number; by: string; choice: string; note?: string };
}

export interface Account {
  name: string;
  fullName: string;
  roles: Role[];
  centres?: string[];
  vehicleId?: string;
  passwordHash: string;
  disabled?: boolean;
  createdAt: number;
}

export interface ApiToken {
  id: string;
  name: string;
  sha256: string;
  roles: Role[];
  scopes?: string[];
  centres?: string[];
  /** Vehicle of a token with the role crew. */
  vehicleId?: string;
  createdAt: number;
  createdBy: string;
  expiresAt?: number;
}

export interface Session {
  /** SHA-256 of the cookie's secret. */
  id: string;
  account: string;
  createdAt: number;
  expiresAt: number;
  csrf: string;
}

export interface Webhook {
  id: string;
  url: string;
  /** Symmetric signing secrets, newest first (Standard Webhooks, base64). */
  secrets: string[];
  types: string[];
  centres?: string[];
  createdAt: number;
  /** Position of the last event delivered. */
  position: number;
  failing?: { since: number; attempts: number; lastStatus?: number; lastReason?: string; nextAt: number };
  disabledAt?: number;
}

/** Numbers given out by day: `order:20261121`. */
export interface Counter {
  value: number;
}

/** Window of business uplinks already applied, per terminal: (message id, serial, body hash), the newest 256. */
export interface SeenWindow {
  seen: string[];
}

/** State of the arrival and departure rules of one vehicle, from its positions. */
export interface Automation {
  vehicleId: string;
  state: Record<string, unknown>;
}

/** Configuration kept in the store: who repairs what, required fields, the ladder. One document, `rules`. */
export interface Rules {
  value: Record<string, unknown>;
}

/** Crews missing at one repair centre. */
export interface Capacity {
  /** When orders found nobody on standby (ms UTC), the newest last. */
  shorts: number[];
  /** Orders that still wait for a standby crew of one of these trades, or for D. */
  waiting: { orderId: string; cycle: number; trades: string[] }[];
  /** When the centre was told last, and by which alert. */
  toldAt?: number;
  alertId?: string;
}

export interface Docs {
  order: Order;
  vehicle: Vehicle;
  terminal: Terminal;
  outbox: Outbox;
  media: Media;
  alarms: Alarms;
  attributes: Attributes;
  centre: RepairCentre;
  unit: Unit;
  alert: Alert;
  card: Card;
  account: Account;
  token: ApiToken;
  session: Session;
  webhook: Webhook;
  counter: Counter;
  window: SeenWindow;
  automation: Automation;
  rules: Rules;
  capacity: Capacity;
  /** Set of vehicles of one trade in one centre (`centre/trade`): the lock of the one-on-break rule. */
  tradeGroup: {
    vehicleIds: string[];
    /** Vehicle whose crew is on break. */
    onBreak?: string;
    /** Refused while another was on break: told in turn when it ends. */
    waiting?: string[];
  };
}
export type DocKind = keyof Docs;
