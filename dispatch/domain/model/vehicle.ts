/** Vehicles with their crews and queues. */
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
