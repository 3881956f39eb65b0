/**
 * Deletion of a customer's data from an order that has ended, and from what the log says about it. What statistics are
 * made of stays: numbers, stages, legs, time points, fault category, priority, repair centre, the neighbourhood.
 */
import type { Order, Stage } from './model.js';
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
};

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

export const eraseReducers: Reducers = {
  'order.erased': folding((docs, { orderId, committedAt }) => {
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
  'order.erase': (tx, { orderId }) => {
    const order = orderNamed(tx, orderId);
    const main = order.mergedInto === undefined ? undefined : tx.get('order', order.mergedInto);
    if (!hasEnded(order, main)) {
      throw new Refusal('orderOpen', `order ${order.number} is ${order.stage}: its crew needs the customer's data`);
    }
    if (order.erasedAt === undefined) tx.emit({ type: 'order.erased', orderId, ...centreOf(order), data: {} });
    return { orderId, number: order.number };
  },
};

/** Whether nobody needs the customer's data any more: a merged order ends with its main order. */
export function hasEnded(order: Readonly<Order>, main: Readonly<Order> | undefined): boolean {
  return ENDED.includes(order.stage === 'merged' && main ? main.stage : order.stage);
}
