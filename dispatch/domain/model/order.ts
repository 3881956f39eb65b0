/** Orders, their legs and cycles (domain.md, "Order", "Leg"). */
import type { Claim, Stamp, Stamps } from './claims.js';

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
