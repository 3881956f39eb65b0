/** Structural copies of parts of an order, for reducers. */
import type { Cycle, Leg, Order } from './model.js';
import type { Documents } from './tables.js';

export function withOrder(docs: Documents, id: string, change: (order: Order) => Order): void {
  const order = docs.get('order', id);
  if (!order) throw new Error(`an event names order ${id}, which does not exist`);
  docs.put('order', id, change(order));
}

export function withLeg(docs: Documents, orderId: string, number: number, change: (leg: Leg) => Leg): void {
  withOrder(docs, orderId, (order) => ({
    ...order,
    legs: order.legs.map((leg) => (leg.leg === number ? change(leg) : leg)),
  }));
}

/** Changes the current cycle. */
export function withCycle(docs: Documents, orderId: string, change: (cycle: Cycle) => Cycle): void {
  withOrder(docs, orderId, (order) => changeCycle(order, change));
}

export function changeCycle(order: Order, change: (cycle: Cycle) => Cycle): Order {
  return { ...order, cycles: [...order.cycles.slice(0, -1), change(order.cycles.at(-1)!)] };
}
