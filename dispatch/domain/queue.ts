/** A vehicle's queue: legs in the dispatcher's order, with a revision that the terminal confirms (domain.md). */
import { effectiveOpenLeg } from './leg-states.js';
import type { Order, QueueEntry, Vehicle } from './model.js';
import { folding, type Deciders, type Reducers } from './tables.js';
import { Refusal, type Tx } from './tx.js';

export interface QueueChanged {
  revision: number;
  entries: QueueEntry[];
  why: string;
}

export const queueReducers: Reducers = {
  'queue.changed': folding<QueueChanged>((docs, { vehicleId, data: { revision, entries } }) => {
    const vehicle = docs.get('vehicle', vehicleId!)!;
    docs.put('vehicle', vehicle.id, { ...vehicle, queue: { ...vehicle.queue, revision, entries } });
  }),
};

export const queueDeciders: Deciders = {
  'vehicle.reorder': (tx, { vehicleId, revision, orderIds }) => {
    const vehicle = vehicleNamed(tx, vehicleId);
    if (revision !== vehicle.queue.revision) {
      throw new Refusal('queueChanged', `the queue is at revision ${vehicle.queue.revision}, not ${revision}`, 409, {
        revision: vehicle.queue.revision,
        orderIds: shownEntries(vehicle).map((entry) => entry.orderId),
      });
    }
    const entries = reordered(vehicle, orderIds);
    if (!sameEntries(entries, vehicle.queue.entries)) changeQueue(tx, vehicleId, entries, 'reorder');
    return { vehicleId, revision: tx.get('vehicle', vehicleId)!.queue.revision };
  },
};

/** What the terminal shall show: all entries but those whose removal it has still to confirm. */
export function shownEntries(vehicle: Pick<Vehicle, 'queue'>): QueueEntry[] {
  return vehicle.queue.entries.filter((entry) => !entry.recalling);
}

function reordered(vehicle: Readonly<Vehicle>, orderIds: readonly string[]): QueueEntry[] {
  const shown = shownEntries(vehicle);
  const byOrder = new Map(shown.map((entry) => [entry.orderId, entry]));
  const wanted = new Set(orderIds);
  if (wanted.size !== orderIds.length || wanted.size !== byOrder.size || !shown.every((e) => wanted.has(e.orderId))) {
    throw new Refusal('notTheQueue', `the queue of ${vehicle.id} holds other orders than those given`, 409, {
      orderIds: shown.map((entry) => entry.orderId),
    });
  }
  return [...orderIds.map((id) => byOrder.get(id)!), ...vehicle.queue.entries.filter((entry) => entry.recalling)];
}

function sameEntries(a: readonly QueueEntry[], b: readonly QueueEntry[]): boolean {
  return a.length === b.length && a.every((one, i) => isEntry(one, b[i]!.orderId, b[i]!.leg));
}

export function isEntry(entry: QueueEntry, orderId: string, leg: number): boolean {
  return entry.orderId === orderId && entry.leg === leg;
}

/** Sets the queue. `raise` is false only where what the terminal shall show stays the same. */
export function changeQueue(tx: Tx, vehicleId: string, entries: QueueEntry[], why: string, raise = true): void {
  const vehicle = tx.get('vehicle', vehicleId)!;
  const data: QueueChanged = { revision: vehicle.queue.revision + (raise ? 1 : 0), entries, why };
  tx.emit({ type: 'queue.changed', vehicleId, centreId: vehicle.repairCentreId, data });
}

/**
 * Puts a leg into the queue. `position` counts from 1; without it a normal order goes to the end, an urgent one before
 * the first normal order whose crew is not yet on its way.
 */
export function insertIntoQueue(
  tx: Tx,
  order: Readonly<Order>,
  leg: number,
  vehicleId: string,
  position?: number,
): void {
  const vehicle = tx.get('vehicle', vehicleId)!;
  const entries = [...vehicle.queue.entries];
  const at = position === undefined ? placeByPriority(tx, order, vehicle) : Math.max(0, Math.trunc(position) - 1);
  entries.splice(Math.min(at, entries.length), 0, { orderId: order.id, leg });
  changeQueue(tx, vehicleId, entries, 'assign');
}

function placeByPriority(tx: Tx, order: Readonly<Order>, vehicle: Readonly<Vehicle>): number {
  const { entries } = vehicle.queue;
  if (order.priority !== 'urgent') return entries.length;
  const place = entries.findIndex(
    (entry) => entry.orderId !== vehicle.active?.orderId && tx.get('order', entry.orderId)?.priority !== 'urgent',
  );
  return place < 0 ? entries.length : place;
}

export function removeFromQueue(tx: Tx, vehicleId: string, orderId: string, leg: number, why: string): void {
  const vehicle = tx.get('vehicle', vehicleId);
  const entry = vehicle?.queue.entries.find((one) => isEntry(one, orderId, leg));
  if (!vehicle || !entry) return;
  const entries = vehicle.queue.entries.filter((one) => one !== entry);
  changeQueue(tx, vehicleId, entries, why, !entry.recalling);
}

/** Takes a leg from what the terminal shall show; the entry stays until the removal is confirmed. */
export function markRecalling(tx: Tx, vehicleId: string, orderId: string, leg: number, recalling: boolean): void {
  const vehicle = tx.get('vehicle', vehicleId);
  if (!vehicle) return;
  const others = vehicle.queue.entries.filter((one) => !isEntry(one, orderId, leg));
  const held = others.length < vehicle.queue.entries.length;
  const entries = recalling
    ? vehicle.queue.entries.map((one) => (isEntry(one, orderId, leg) ? { orderId, leg, recalling: true } : one))
    : held
      ? vehicle.queue.entries.map((one) => (isEntry(one, orderId, leg) ? { orderId, leg } : one))
      : [...others, { orderId, leg }];
  changeQueue(tx, vehicleId, entries, recalling ? 'recall' : 'restore');
}

export function vehicleNamed(tx: Tx, id: string, status: 404 | 422 = 404): Readonly<Vehicle> {
  const vehicle = tx.get('vehicle', id);
  if (!vehicle) throw new Refusal('unknownVehicle', `there is no vehicle ${id}`, status);
  return vehicle;
}

/** Refuses a vehicle whose queue is full or that already has an effective leg of the order. */
export function checkRoom(tx: Tx, vehicle: Readonly<Vehicle>, order: Readonly<Order>): void {
  const limit = tx.settings.queueLimit;
  if (vehicle.queue.entries.length >= limit) {
    throw new Refusal(
      'queueFull',
      `${vehicle.id} holds ${vehicle.queue.entries.length} orders; its limit is ${limit}`,
      409,
      {
        limit,
      },
    );
  }
  const open = effectiveOpenLeg(order);
  if (open?.vehicleId === vehicle.id) {
    throw new Refusal('alreadyAssigned', `${vehicle.id} already has order ${order.number}`, 409, { leg: open.leg });
  }
}
