/**
 * Deletion of a customer's data from an order that has ended, and from what the log says about it. What statistics are
 * made of stays: numbers, stages, legs, time points, fault category, priority, repair centre, the neighbourhood.
 */
import type { Card, Order, Stage } from './model.js';
import { centreOf, orderNamed } from './order.js';
import { withOrder } from './order-fold.js';
import { folding, type Deciders, type Reducers } from './tables.js';
import { Refusal } from './tx.js';

export const ERASED = '(erased)';
/** A phone number by the rules of the API, and nobody's. */
export const ERASED_PHONE = '0';
const ENDED: readonly Stage[] = ['closed', 'withdrawn'];
/** Coordinates keep two decimals: about a kilometre, so that reports by area stay true and no house is meant. */
const COARSE = 100;

/** What becomes of a value, by the name of its field; undefined takes the field away. */
const FIELDS: Record<string, (value: unknown) => unknown> = {
  customer: () => ({ name: ERASED, phone: ERASED_PHONE }),
  address: () => ERASED,
  description: () => ERASED,
  text: () => ERASED,
  note: () => undefined,
  words: () => undefined,
  statusToken: () => undefined,
  extra: () => ({}),
  photos: () => [],
  lat: coarse,
  lon: coarse,
  reason: withoutWords,
  card: (card) => withoutCard(card as Card),
};

/** Reasons that the rules and the lists of the console give; whatever else stands there is somebody's own words. */
const REASON_CODES: ReadonlySet<unknown> = new Set([
  ...['recalled', 'reassigned', 'returned', 'withdrawn', 'merged', 'repairedByAnother', 'keptWithAnother'],
  ...['suspended', 'departedForAnother', 'nextCrew', 'crewLeft', 'crew', 'refused', 'deliveryDeadline'],
  ...['noCrew', 'parts', 'customer', 'permission', 'wrongUnit', 'dataMissing', 'duplicate', 'other'],
]);

/** A reason in words, or `{code, note?}`. */
function withoutWords(reason: unknown): unknown {
  if (typeof reason === 'object' && reason !== null && 'code' in reason)
    return { ...withoutCustomer(reason), code: withoutWords(reason.code) };
  return REASON_CODES.has(reason) ? reason : ERASED;
}

/** What a card says of an order may be anybody's words, and the bytes of a frame may hold them. */
function withoutCard({ bytesHex: _bytes, ...card }: Card): Card {
  return { ...withoutCustomer(card), message: ERASED, data: {} };
}

function coarse(value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * COARSE) / COARSE : value;
}

/** A JSON value about one order without what says who the customer is. Doing it twice changes nothing more. */
export function withoutCustomer<T>(value: T): T {
  if (Array.isArray(value)) return value.map((item: unknown) => withoutCustomer(item)) as T;
  if (typeof value !== 'object' || value === null) return value;
  const kept: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(value)) {
    const rule = Object.hasOwn(FIELDS, key) ? FIELDS[key] : undefined;
    const left = rule ? rule(field) : withoutCustomer<unknown>(field);
    if (left !== undefined) kept[key] = left;
  }
  return kept as T;
}

/** What else is about the order, by id. */
interface Erased {
  cards?: readonly string[];
  media?: readonly string[];
}

export const eraseReducers: Reducers = {
  'order.erased': folding<Erased>((docs, { orderId, committedAt, data: { cards = [], media = [] } }) => {
    for (const id of cards) {
      const card = docs.get('card', id);
      if (card) docs.put('card', id, withoutCard(card));
    }
    for (const id of media) docs.remove('media', id);
    const order = docs.get('order', orderId!);
    withOrder(docs, orderId!, (before) => ({ ...withoutCustomer(before), erasedAt: committedAt }));
    for (const vehicleId of new Set(order?.legs.map((leg) => leg.vehicleId))) {
      const outbox = docs.get('outbox', vehicleId);
      if (!outbox) continue;
      const items = outbox.items.map((item) => (item.orderId === orderId ? withoutCustomer(item) : item));
      docs.put('outbox', vehicleId, { ...outbox, items });
    }
  }),
};

export const eraseDeciders: Deciders = {
  'order.erase': (tx, { orderId, cards = [], media = [] }) => {
    const order = orderNamed(tx, orderId);
    const main = order.mergedInto === undefined ? undefined : tx.get('order', order.mergedInto);
    if (!hasEnded(order, main)) {
      throw new Refusal('orderOpen', `order ${order.number} is ${order.stage}: its crew needs the customer's data`);
    }
    const left: Erased = {
      cards: cards.filter((id) => tx.get('card', id)?.message !== ERASED),
      media: media.filter((id) => tx.get('media', id) !== undefined),
    };
    if (order.erasedAt === undefined || left.cards!.length + left.media!.length > 0) {
      tx.emit({ type: 'order.erased', orderId, ...centreOf(order), data: left });
    }
    return { orderId, number: order.number };
  },
};

/** Whether nobody needs the customer's data any more: a merged order ends with its main order. */
export function hasEnded(order: Readonly<Order>, main: Readonly<Order> | undefined): boolean {
  return ENDED.includes(order.stage === 'merged' && main ? main.stage : order.stage);
}
