/** Lists for people: pages through the most selective index, filtered by the rest. */
import type { Alert, Card, Order, Stage, Vehicle } from './domain/model.js';
import { timeKey } from './indexes.js';
import type { DispatchPort, Versioned } from './ports.js';
import type { Scan, StoredDoc } from './store/store.js';

export interface PageOptions {
  /** Cursor from an earlier page. */
  after?: string;
  /** 1 to 1,000; 100 by default. */
  limit?: number;
}
export interface PageOf<T> {
  items: T[];
  /** Cursor for the next page; absent at the end. */
  next?: string;
}

export interface OrderFilter extends PageOptions {
  stage?: Stage;
  centre?: string;
  /** Repair centres that the reader is limited to; undefined means all. */
  centres?: readonly string[];
  /** Vehicle that has or had a leg of it. */
  vehicle?: string;
  /** Customer's phone. */
  phone?: string;
  /** Order number. */
  number?: string;
  /** Created at or after, and before (ms UTC). */
  from?: number;
  to?: number;
}

type Reader = Pick<DispatchPort, 'scan'>;

const DEFAULT_LIMIT = 100;
/** Documents looked at for one page; a page that found fewer says where to go on. */
const LOOKED_AT = 2_000;
const SCAN_LIMIT = 500;

/** Orders, newest first. */
export function listOrders(reader: Reader, filter: OrderFilter = {}): Promise<PageOf<Versioned<'order'>>> {
  const [index, prefix] = orderIndex(filter);
  const range = {
    from: prefix + (filter.from === undefined ? '' : timeKey(filter.from)),
    to: filter.to === undefined ? endOf(prefix) : prefix + timeKey(filter.to),
  };
  if (index === 'orders.number') Object.assign(range, { from: prefix, to: endOf(prefix) });
  return filtered(reader, { index, ...range, reverse: true }, filter, (order: Order) => matches(order, filter));
}

/** What fixes most comes first: a number names one order, a phone few, a vehicle some, a centre many. */
function orderIndex({ number, phone, vehicle, centre, stage }: OrderFilter): [index: string, prefix: string] {
  if (number !== undefined) return ['orders.number', number];
  if (phone !== undefined) return ['orders.phone', `${phone}/`];
  if (vehicle !== undefined) return ['orders.vehicle', `${vehicle}/`];
  if (centre !== undefined && stage !== undefined) return ['orders.centreStage', `${centre}/${stage}/`];
  if (stage !== undefined) return ['orders.stage', `${stage}/`];
  if (centre !== undefined) return ['orders.centre', `${centre}/`];
  return ['orders', ''];
}

function matches(order: Order, filter: OrderFilter): boolean {
  const { number, phone, vehicle, centre, centres, stage, from, to } = filter;
  return (
    (number === undefined || order.number === number) &&
    (phone === undefined || order.customer.phone === phone) &&
    (vehicle === undefined || order.legs.some((leg) => leg.vehicleId === vehicle)) &&
    (centre === undefined || order.repairCentreId === centre) &&
    (centres === undefined || (order.repairCentreId !== undefined && centres.includes(order.repairCentreId))) &&
    (stage === undefined || order.stage === stage) &&
    (from === undefined || order.createdAt >= from) &&
    (to === undefined || order.createdAt < to)
  );
}

export interface VehicleFilter extends PageOptions {
  centre?: string;
  centres?: readonly string[];
}

/** Vehicles, by id. */
export function listVehicles(reader: Reader, filter: VehicleFilter = {}): Promise<PageOf<Versioned<'vehicle'>>> {
  const { centre, centres } = filter;
  const scan = centre === undefined ? range('vehicles', '') : range('vehicles.centre', `${centre}/`);
  return filtered(
    reader,
    scan,
    filter,
    (vehicle: Vehicle) => centres === undefined || centres.includes(vehicle.repairCentreId),
  );
}

export interface AlertFilter extends PageOptions {
  /** Only those that have not ended (the default), or all. */
  open?: boolean;
  centres?: readonly string[];
  order?: string;
}

/** Alerts, newest first. */
export function listAlerts(reader: Reader, filter: AlertFilter = {}): Promise<PageOf<Versioned<'alert'>>> {
  const { open = true, centres, order } = filter;
  const scan = order !== undefined ? range('alerts.order', `${order}/`) : range(open ? 'alerts.open' : 'alerts', '');
  return filtered(
    reader,
    { ...scan, reverse: true },
    filter,
    (alert: Alert) => (!open || alert.endedAt === undefined) && inCentres(alert.centreId, centres),
  );
}

export interface CardFilter extends PageOptions {
  kind: Card['kind'];
  open?: boolean;
  centres?: readonly string[];
}

/** Cards of a kind (conflicts, attention list, proposals, quarantine), newest first. */
export function listCards(reader: Reader, filter: CardFilter): Promise<PageOf<Versioned<'card'>>> {
  const { kind, open = true, centres } = filter;
  const scan = range(open ? 'cards.open' : 'cards', `${kind}/`);
  return filtered(reader, { ...scan, reverse: true }, filter, (card: Card) => inCentres(card.centreId, centres));
}

/** What belongs to no centre concerns everybody. */
function inCentres(centreId: string | undefined, centres: readonly string[] | undefined): boolean {
  return centres === undefined || centreId === undefined || centres.includes(centreId);
}

function range(index: string, prefix: string): Pick<Scan, 'index' | 'from' | 'to'> {
  return { index, from: prefix, to: endOf(prefix) };
}

/** First key behind all that begin so. */
function endOf(prefix: string): string | undefined {
  if (prefix === '') return undefined;
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

/**
 * One page of what passes the filter. The scan is made in steps of `limit`, so that its cursor always stands behind the
 * last item that was looked at.
 */
async function filtered<K extends 'order' | 'vehicle' | 'alert' | 'card', T>(
  reader: Reader,
  scan: Omit<Scan, 'limit'>,
  { after, limit = DEFAULT_LIMIT }: PageOptions,
  passes: (value: T) => boolean,
): Promise<PageOf<Versioned<K>>> {
  const items: Versioned<K>[] = [];
  let cursor = after;
  for (let looked = 0; looked < LOOKED_AT;) {
    const step = Math.min(limit - items.length, SCAN_LIMIT);
    const page = await reader.scan({ ...scan, limit: step, ...(cursor === undefined ? {} : { after: cursor }) });
    for (const doc of page.items) if (passes(doc.value as T)) items.push(versioned<K>(doc));
    looked += page.items.length;
    cursor = page.next;
    if (cursor === undefined) return { items };
    if (items.length >= limit) break;
  }
  return { items, next: cursor! };
}

function versioned<K extends 'order' | 'vehicle' | 'alert' | 'card'>(doc: StoredDoc): Versioned<K> {
  return { value: doc.value, version: doc.version } as Versioned<K>;
}
