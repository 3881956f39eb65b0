/** Repair centres, units, and the configuration that is kept in the store. */
import type { SiteClass } from './order.js';
import type { Person } from './vehicle.js';

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
