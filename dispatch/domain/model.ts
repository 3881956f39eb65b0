/**
 * The documents that events fold into (domain.md, "Four small state machines"), by subject in `model/`. Times are ms UTC
 * (`At`), lengths are metres or ms as their names say, coordinates are WGS-84 degrees.
 */
import type { Account, ApiToken, Session, Webhook } from './model/access.js';
import type { Automation, Counter, SeenWindow } from './model/bookkeeping.js';
import type { Order } from './model/order.js';
import type { Capacity, RepairCentre, Rules, Unit } from './model/organisation.js';
import type { Outbox, TerminalAreas } from './model/outbox.js';
import type { Alarms, Attributes, Media, Terminal } from './model/terminal.js';
import type { Vehicle } from './model/vehicle.js';
import type { Alert, Card } from './model/waiting.js';

export * from './model/access.js';
export * from './model/bookkeeping.js';
export * from './model/claims.js';
export * from './model/order.js';
export * from './model/organisation.js';
export * from './model/outbox.js';
export * from './model/terminal.js';
export * from './model/vehicle.js';
export * from './model/waiting.js';

export interface Docs {
  order: Order;
  vehicle: Vehicle;
  terminal: Terminal;
  outbox: Outbox;
  media: Media;
  alarms: Alarms;
  attributes: Attributes;
  areas: TerminalAreas;
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
  /** Vehicles of one trade in one centre (`centre/trade`), and the lock of the one-on-break rule; see trade-group.ts. */
  tradeGroup: {
    /** The first page of them. */
    vehicleIds: string[];
    /** Number of further pages, `tradePage`; absent: none. */
    pages?: number;
    /** Vehicle whose crew is on break. */
    onBreak?: string;
    /** Refused while another was on break: told in turn when it ends. */
    waiting?: string[];
  };
  /** Further vehicles of a trade (`centre/trade/number`, from 1). */
  tradePage: { vehicleIds: string[] };
}
export type DocKind = keyof Docs;
