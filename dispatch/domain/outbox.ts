/**
 * What is on its way to one terminal, as data: which item goes next, when it is tried again, how it is found by what
 * an answer quotes. Pure questions about an {@link Outbox}; the rules that fill it are in delivery.ts.
 */
import { DELIVERY_KINDS } from './model.js';
import type { Delivery, DeliveryKind, Outbox } from './model.js';
import type { DispatchSettings } from './settings.js';

/** Ended items that stay visible (model.ts, Outbox). */
export const ENDED_ITEMS_KEPT = 200;
/** Open items of one vehicle; queues are far below, so this bounds texts and commands. */
export const OPEN_ITEMS_LIMIT = 300;
/** Attempts kept of one item: the first and the newest (an item may be tried every five minutes for days). */
export const ATTEMPTS_KEPT = 20;

/** Key of a leg in maps: `{orderId}/{leg}`. */
export function legKey(orderId: string, leg: number): string {
  return `${orderId}/${leg}`;
}

export function emptyOutbox(vehicleId: string): Outbox {
  return { vehicleId, items: [], held: {}, tombstones: {}, menu: [] };
}

/** Still to be sent or answered. */
export function isOpen(item: Delivery): boolean {
  return item.state === 'queued' || item.state === 'inFlight' || item.state === 'unanswered';
}

/** Items that belong to the list of orders: of these one is in flight. Texts and commands do not wait for them. */
export function isOrderClass(item: Pick<Delivery, 'kind'>): boolean {
  return item.kind !== 'notice' && item.kind !== 'command';
}

/** A list of the queue: snapshot, event list. */
export function isList(item: Pick<Delivery, 'kind' | 'list' | 'orderId'>): boolean {
  return item.kind === 'revision' || item.kind === 'reorder' || (item.kind === 'recall' && item.orderId === undefined);
}

export function isOrder(item: Pick<Delivery, 'kind'>): boolean {
  return item.kind === 'order' || item.kind === 'urgentOrder';
}

const RANK = new Map<DeliveryKind, number>(DELIVERY_KINDS.map((kind, rank) => [kind, rank]));

/** What the delivery loop does next for one terminal. */
export type NextStep =
  /** Write it for the first time in this round. */
  | { do: 'write'; item: Delivery }
  /** Write the same bytes once more. */
  | { do: 'retry'; item: Delivery }
  /** Its last wait is over without an answer: report `delivery.unanswered`. */
  | { do: 'giveUp'; item: Delivery }
  /** Nothing now; ask again at `until` (ms UTC), or when the outbox changes. */
  | { do: 'wait'; until?: number };

/**
 * The next step for a connected, authenticated terminal. Two lanes, orders and the rest, each with one item in flight;
 * in a lane strictly by rank, then by age; what was set aside comes after everything that was not tried yet. While the
 * lists are compared after a new link, only the list is sent, so that recalls and orders follow what the terminal
 * really holds.
 */
export function nextStep(outbox: Outbox, now: number, settings: DispatchSettings['delivery']): NextStep {
  let until: number | undefined;
  for (const orderClass of [true, false]) {
    const step = nextInLane(outbox, orderClass, now, settings);
    if (step.do !== 'wait') return step;
    if (step.until !== undefined) until = Math.min(until ?? Infinity, step.until);
  }
  return { do: 'wait', until };
}

/** The next step of one lane: the orders, or the rest. */
export function nextInLane(
  outbox: Outbox,
  orderClass: boolean,
  now: number,
  settings: DispatchSettings['delivery'],
): NextStep {
  const lane = outbox.items.filter((item) => isOrderClass(item) === orderClass);
  const inFlight = lane.find((item) => item.state === 'inFlight');
  if (inFlight) {
    if (inFlight.nextAt === undefined || inFlight.nextAt > now) return { do: 'wait', until: inFlight.nextAt };
    const again = !inFlight.superseded && inFlight.acknowledgedAt === undefined && !inFlight.command?.once;
    return { do: again && retriesOf(inFlight) < settings.retries ? 'retry' : 'giveUp', item: inFlight };
  }
  const list = outbox.comparingSince !== undefined ? lane.find((item) => isList(item) && isDue(item, now)) : undefined;
  if (list) return { do: 'write', item: list };
  let best: Delivery | undefined;
  let until: number | undefined;
  for (const item of lane) {
    if (isDue(item, now)) {
      if (best === undefined || goesBefore(item, best)) best = item;
    } else if (item.state === 'unanswered') until = Math.min(until ?? Infinity, item.nextAt!);
  }
  return best ? { do: 'write', item: best } : { do: 'wait', until };
}

function isDue(item: Delivery, now: number): boolean {
  return item.state === 'queued' || (item.state === 'unanswered' && (item.nextAt ?? 0) <= now);
}

/** True when `a` goes before `b`; equal rank keeps the order of creation, which is the order in the outbox. */
function goesBefore(a: Delivery, b: Delivery): boolean {
  const aside = Number(a.state === 'unanswered') - Number(b.state === 'unanswered');
  return aside !== 0 ? aside < 0 : RANK.get(a.kind)! < RANK.get(b.kind)!;
}

/** Retries already made in the current round. */
export function retriesOf(item: Delivery): number {
  return item.attempts.at(-1)?.retry ?? 0;
}

/** Pauses as multiples of T (JT/T 808, 2.8): T, 2T, 6T between transmissions, then T for the last answer. */
const PAUSES = [1, 2, 6];

/** How long to wait for an answer after transmission number `retry` (0 = the first) of a round, ms. */
export function pauseAfter(retry: number, settings: DispatchSettings['delivery']): number {
  if (retry >= settings.retries) return settings.retryMs;
  return settings.retryMs * (PAUSES[retry] ?? PAUSES.at(-1)!);
}

/** How long the receipt of the terminal's application may stay out after its transport confirmed, ms. */
export function applicationPause(settings: DispatchSettings['delivery']): number {
  return settings.retryMs * 6;
}
