/** Deletion of a customer's data: from the documents, from the event log, and the photos. */
import type { Card, Media, Order } from './domain/model.js';
import { hasEnded, withoutCustomer } from './domain/erase.js';
import { Refusal } from './domain/tx.js';
import type { CommandOf } from './domain/tables.js';
import type { CommandOutcome, DispatchPort } from './ports.js';
import type { DispatchStore } from './store/store.js';

export interface Erased {
  /** Numbers of the orders whose customer is not in them any more. */
  erased: string[];
  /** Orders of the customer that have not ended, which keep their data until they have. */
  open: string[];
  /** Events rewritten and photos deleted. */
  events: number;
  photos: number;
}

/** In whose name, and what of the customer's orders they may erase. */
export interface Eraser {
  execute(command: CommandOf<'order.erase'>): Promise<CommandOutcome>;
  may(order: Order): boolean;
}
const PAGE = 200;

/**
 * All orders of a phone number, or the one with this number. What was cut short is finished by asking again.
 * @throws {Refusal} `unknownOrder` where there is none
 */
export async function eraseCustomer(
  dispatch: DispatchPort,
  of: { phone: string } | { number: string },
  eraser: Eraser,
): Promise<Erased> {
  const orders = (await ordersOf(dispatch, of)).filter((order) => eraser.may(order));
  if (orders.length === 0) throw new Refusal('unknownOrder', 'there is no such order', 404);
  const result: Erased = { erased: [], open: [], events: 0, photos: 0 };
  const ended: Order[] = [];
  for (const order of orders) {
    const main = order.mergedInto === undefined ? undefined : await dispatch.get('order', order.mergedInto);
    if (hasEnded(order, main?.value)) ended.push(order);
    else result.open.push(order.number);
  }
  return { ...result, ...(await erase(dispatch, ended, eraser)) };
}

/** The log and the photos before the order: as long as it names the customer, it is found again by the same question. */
export async function erase(
  dispatch: DispatchPort,
  ended: readonly Order[],
  { execute }: Pick<Eraser, 'execute'>,
): Promise<Omit<Erased, 'open'>> {
  let photos = await deletePhotos(dispatch.store, new Set(ended.map(({ id }) => id)));
  let events = 0;
  for (const { id } of ended) {
    const cards = await cardsOf(dispatch.store, id);
    const media = await mediaOf(dispatch, id);
    events += await rewriteLog(dispatch.store, id);
    // The bytes before the document that finds them.
    for (const { blob } of media) await dispatch.store.deleteBlob(blob);
    photos += media.length;
    await execute({ type: 'order.erase', orderId: id, cards, media: media.map((one) => one.id) });
    // What the outboxes and the log said between.
    events += await rewriteLog(dispatch.store, id);
  }
  return { erased: ended.map(({ number }) => number), events, photos };
}

async function ordersOf(dispatch: DispatchPort, of: { phone: string } | { number: string }): Promise<Order[]> {
  const range =
    'phone' in of
      ? { index: 'orders.phone', from: `${of.phone}/`, to: `${of.phone}0` }
      : { index: 'orders.number', from: of.number, to: `${of.number}\u0001` };
  const orders: Order[] = [];
  let after: string | undefined;
  do {
    const page = await dispatch.scan({ ...range, limit: PAGE, ...(after === undefined ? {} : { after }) });
    const found = page.items.map(({ value }) => value as Order);
    // Nobody's number is that of all erased orders.
    orders.push(...found.filter(({ erasedAt }) => 'number' in of || erasedAt === undefined));
    after = page.next;
  } while (after !== undefined);
  return orders;
}

/** Ids of the cards that were ever raised about the order. */
async function cardsOf(store: DispatchStore, orderId: string): Promise<string[]> {
  const ids = new Set<string>();
  for (let after = 0; ;) {
    const events = await store.eventsAfter(after, PAGE, `order:${orderId}`);
    for (const { type, data } of events) {
      if (type === 'card.raised' || type === 'evidence.quarantined') ids.add((data as { card: Card }).card.id);
    }
    if (events.length < PAGE) return [...ids];
    after = events.at(-1)!.position;
  }
}

/** What terminals took on its site. */
async function mediaOf(dispatch: DispatchPort, orderId: string): Promise<Media[]> {
  const media: Media[] = [];
  for (let after: string | undefined; ;) {
    const range = { index: 'media.order', from: `${orderId}/`, to: `${orderId}0` };
    const page = await dispatch.scan({ ...range, limit: PAGE, ...(after === undefined ? {} : { after }) });
    media.push(...page.items.map(({ value }) => value as Media));
    if (page.next === undefined) return media;
    after = page.next;
  }
}

/** @returns how many events were changed */
async function rewriteLog(store: DispatchStore, orderId: string): Promise<number> {
  let changed = 0;
  for (let after = 0; ;) {
    const events = await store.eventsAfter(after, PAGE, `order:${orderId}`);
    const rewritten = events
      .map(({ position, data }) => ({ position, before: JSON.stringify(data), data: withoutCustomer(data) }))
      .filter(({ before, data }) => JSON.stringify(data) !== before);
    if (rewritten.length > 0) await store.rewriteEvents(rewritten.map(({ position, data }) => ({ position, data })));
    changed += rewritten.length;
    if (events.length < PAGE) return changed;
    after = events.at(-1)!.position;
  }
}

/** Photos of the crews' records, under `photo/ORDER/…`. */
async function deletePhotos(store: DispatchStore, orderIds: ReadonlySet<string>): Promise<number> {
  if (orderIds.size === 0) return 0;
  const names: string[] = [];
  for await (const name of store.everyBlob()) {
    const [kind, orderId] = name.split('/');
    if (kind === 'photo' && orderIds.has(orderId!)) names.push(name);
  }
  for (const name of names) await store.deleteBlob(name);
  return names.length;
}
