import type { Docs, Order } from '../../dispatch/domain/model.js';
import type { StoredEvent } from '../../dispatch/domain/events.js';
import type { DispatchStore } from '../../dispatch/store/store.js';
import type { Profile } from '../../simulator/index.js';
import type { SimTruck } from './truck.js';

/**
 * What must hold, said without the product's own code: these functions read documents, events and what terminals saw,
 * and know the rules from domain.md alone.
 */

const openStates = new Set([
  'queued',
  'sent',
  'delivered',
  'read',
  'accepted',
  'enRoute',
  'onSite',
  'working',
  'suspended',
]);
const pointsOfLeg = ['D', 'E', 'F', 'G', 'H', 'I', 'J'] as const;

/** Open items of an outbox, and all of them: 20 legs with a few items each, and the last 200 ended ones. */
const mostOpenItems = 120;
const mostItems = mostOpenItems + 200;

/** One order at any moment. */
export function checkOrder(order: Order): string[] {
  const faults: string[] = [];
  const effective = order.legs.filter((leg) => openStates.has(leg.state));
  if (effective.length > 1) {
    faults.push(
      `${order.number} has ${effective.length} effective legs: ${effective.map((leg) => leg.leg).join(', ')}`,
    );
  }
  order.legs.forEach((leg, i) => {
    if (leg.leg !== i + 1) faults.push(`${order.number} leg ${leg.leg} stands at place ${i + 1}`);
    let before: { point: string; at: number } | undefined;
    for (const point of pointsOfLeg) {
      const stamp = leg.points[point];
      if (stamp === undefined) continue;
      if (before !== undefined && stamp.at < before.at) {
        faults.push(`${order.number} leg ${leg.leg}: ${point} is before ${before.point}`);
      }
      before = { point, at: stamp.at };
    }
  });
  if (
    order.stage === 'dispatched' &&
    !order.legs.some((leg) => openStates.has(leg.state) || leg.state === 'recalling')
  ) {
    faults.push(`${order.number} is dispatched without an open leg`);
  }
  return faults;
}

export function checkOutbox(outbox: Docs['outbox']): string[] {
  const open = outbox.items.filter((item) => ['queued', 'inFlight', 'unanswered'].includes(item.state));
  const faults: string[] = [];
  if (open.length > mostOpenItems) faults.push(`${outbox.vehicleId} has ${open.length} open items`);
  if (outbox.items.length > mostItems) faults.push(`${outbox.vehicleId} keeps ${outbox.items.length} items`);
  const orderClass = new Set(['recall', 'urgentOrder', 'order', 'revision', 'reorder']);
  const flying = open.filter((item) => item.state === 'inFlight' && orderClass.has(item.kind));
  if (flying.length > 1) faults.push(`${outbox.vehicleId} has ${flying.length} order-class items in flight`);
  return faults;
}

/** The event log as it grows. */
export class LogChecker {
  readonly faults: string[] = [];
  #last = 0;
  readonly #told = new Map<string, number>();
  readonly #numbers = new Map<string, string>();

  take(events: readonly StoredEvent[]): void {
    for (const event of events) {
      if (event.position !== this.#last + 1) this.faults.push(`event ${event.position} follows event ${this.#last}`);
      this.#last = event.position;
      if (event.type === 'alert.raised') this.#once('alert', (event.data as { alert: { id: string } }).alert.id);
      if (event.type === 'order.reminded') this.#once('reminder', (event.data as { step: string }).step);
      if (event.type === 'order.received') this.#number(event);
    }
  }

  /** Each step of the ladder fires once for what it is about: its id says what that is. */
  #once(what: 'alert' | 'reminder', id: string): void {
    const count = (this.#told.get(id) ?? 0) + 1;
    this.#told.set(id, count);
    if (count > 1) this.faults.push(`${what} ${id} was raised ${count} times`);
  }

  /** Orders in the log. */
  get orders(): number {
    return this.#numbers.size;
  }

  #number(event: StoredEvent): void {
    const number = (event.data as { order?: { number?: string } }).order?.number;
    if (number === undefined || event.orderId === undefined) return;
    const other = this.#numbers.get(number);
    if (other !== undefined && other !== event.orderId) this.faults.push(`number ${number} was given twice`);
    this.#numbers.set(number, event.orderId);
  }
}

/** A gateway takes connections again, however often it had to start. */
export function checkStarts(isUp: boolean): string[] {
  return isUp ? [] : ['the gateway does not start any more'];
}

/** An order is in the log for each that was placed, and at most for those of which nobody knows. */
export function checkPlaced(
  inLog: number,
  { orderIds, givenUp, placing }: { orderIds: readonly string[]; givenUp: number; placing: number },
): string[] {
  if (inLog <= orderIds.length + givenUp + placing) return [];
  return [`${inLog} orders are in the log, ${orderIds.length} were placed`];
}

/** What was logged is applied. */
export function checkReader(node: string, { appended, applied }: { appended: number; applied: number }): string[] {
  return applied < appended ? [`the reader of ${node} stands at group ${applied} of ${appended}`] : [];
}

/** Confirmed positions are in the track, each once. */
export async function checkTrack(store: DispatchStore, truck: SimTruck): Promise<string[]> {
  const shown = new Map<string, number>();
  for await (const { deviceAt, latE6, lonE6 } of store.track(truck.spec.vehicleId, 0, Number.MAX_SAFE_INTEGER)) {
    const key = `${deviceAt}/${latE6}/${lonE6}`;
    shown.set(key, (shown.get(key) ?? 0) + 1);
  }
  const faults: string[] = [];
  for (const { at, latE6, lonE6 } of truck.positions) {
    const count = shown.get(`${at}/${latE6}/${lonE6}`) ?? 0;
    if (count !== 1) {
      const when = new Date(at).toISOString();
      faults.push(`${truck.spec.vehicleId}: the confirmed position of ${when} is in the track ${count} times`);
    }
  }
  return faults;
}

/** A confirmed key has left exactly one statement, or a card for a person, never nothing and never two. */
export function checkKeys(
  truck: SimTruck,
  orders: ReadonlyMap<string, Order>,
  events: readonly StoredEvent[],
): string[] {
  const faults: string[] = [];
  for (const key of truck.keys) {
    if (!key.confirmed || key.orderId === '') continue;
    const name = `${truck.spec.vehicleId}: ${key.step} of ${key.orderId}/${key.leg} pressed at ${new Date(key.at).toISOString()}`;
    const about = events.filter((event) => event.orderId === key.orderId && event.deviceAt === key.at);
    // A refusal has no time point to be a claim for: of what is over it says nothing new, nor while a person is asked about an earlier one.
    if (about.length === 0 && key.step === 'refuse' && (isOver(key, orders) || isAsked(key, events))) continue;
    if (about.length === 0) faults.push(`${name} was confirmed and left no trace`);
    const leg = orders.get(key.orderId)?.legs.find((one) => one.leg === key.leg);
    const point = { accept: 'F', depart: 'G', arrive: 'H', done: 'I' }[key.step];
    if (point === undefined) continue;
    const claims =
      leg?.claims.filter((one) => one.point === point && one.deviceAt === key.at && one.rank === 'key') ?? [];
    if (claims.length > 1) faults.push(`${name} is claimed ${claims.length} times`);
  }
  return faults;
}

function isOver(key: { orderId: string; leg: number }, orders: ReadonlyMap<string, Order>): boolean {
  const state = orders.get(key.orderId)?.legs.find((one) => one.leg === key.leg)?.state;
  return state === 'workDone' || state === 'completed' || state === 'rejected' || state === 'recalled';
}

/** Whether a card about an earlier refusal of this leg waited for a person when the key was pressed. */
function isAsked(key: { orderId: string; leg: number; at: number }, events: readonly StoredEvent[]): boolean {
  const card = events
    .filter(
      (event) => event.type === 'card.raised' && event.orderId === key.orderId && (event.deviceAt ?? Infinity) < key.at,
    )
    .map((event) => (event.data as { card: Docs['card'] }).card)
    .find((one) => one.leg === key.leg && one.code === 'refusedUnderWay');
  return (
    card !== undefined &&
    !events.some(
      ({ type, data, committedAt }) =>
        type === 'card.resolved' && (data as { cardId: string }).cardId === card.id && committedAt <= key.at,
    )
  );
}

/** After the faults: what the terminal shows is what the queue says, and nothing is on its way any more. */
export function checkConverged(
  truck: SimTruck,
  vehicle: Docs['vehicle'],
  outbox: Docs['outbox'] | undefined,
  orders: ReadonlyMap<string, Order>,
): string[] {
  const faults: string[] = [];
  const { vehicleId, profile } = truck.spec;
  const open = (outbox?.items ?? []).filter((item) => ['queued', 'inFlight', 'unanswered'].includes(item.state));
  for (const item of open) faults.push(`${vehicleId}: ${item.kind} of ${item.orderId ?? '-'} is still ${item.state}`);
  const wanted = vehicle.queue.entries.map(({ orderId }) => orders.get(orderId)?.number ?? orderId);
  const shown = truck.terminal.orders().map((order) => order.number);
  if (!shows(profile, shown, wanted, truck.terminal.texts())) {
    const seen = shown.join(' ') || 'nothing';
    faults.push(`${vehicleId} (${profile}) shows ${seen}, the queue is ${wanted.join(' ') || 'empty'}`);
  }
  if (profile !== 'text' && profile !== 'tracker' && vehicle.queue.confirmedRevision !== vehicle.queue.revision) {
    faults.push(
      `${vehicleId}: revision ${vehicle.queue.revision} is not confirmed, ${vehicle.queue.confirmedRevision} is`,
    );
  }
  if (truck.terminal.unconfirmed > 0)
    faults.push(`${vehicleId}: ${truck.terminal.unconfirmed} reports are not confirmed`);
  return [...faults, ...truck.faults.map((fault) => `${vehicleId}: ${fault}`)];
}

/**
 * Whether a screen says what the queue says. `smart`, `mqtt`: exactly that. `text`: these orders, in the order of their arrival.
 * `menu`: the list names, in queue order, the orders for which a key is possible now (accepted orders behind one that is
 * on site have none), and the text of every order is there.
 */
function shows(
  profile: Profile,
  shown: readonly string[],
  wanted: readonly string[],
  texts: readonly string[],
): boolean {
  switch (profile) {
    case 'text':
      return [...wanted].sort().join() === [...shown].sort().join();
    case 'menu':
      return (
        wanted.filter((number) => shown.includes(number)).join() === shown.join() &&
        wanted.every((number) => texts.some((text) => text.startsWith(number)))
      );
    case 'tracker':
      return true;
    default:
      return wanted.join() === shown.join();
  }
}
