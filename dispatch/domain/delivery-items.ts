/** Items of a vehicle's outbox: how they begin and end. */
import type { DeliveryEnded, DeliveryQueued } from './delivery-fold.js';
import type { Delivery, DeliveryKind, MenuEvent, Outbox } from './model.js';
import { emptyOutbox } from './outbox.js';
import type { Tx } from './tx.js';

export function outboxOf(tx: Tx, vehicleId: string): Readonly<Outbox> {
  return tx.get('outbox', vehicleId) ?? emptyOutbox(vehicleId);
}

/** Ends an item: `delivery.receipted`, `.refused`, `.voided`, `.expired`. */
export function emitEnd(tx: Tx, type: string, item: Delivery, result?: string): void {
  const data: DeliveryEnded = result === undefined ? { deliveryId: item.id } : { deliveryId: item.id, result };
  tx.emit({ type, ...refs(item.vehicleId, item), data });
}

type ItemFields = Partial<
  Pick<
    Delivery,
    | 'orderId'
    | 'leg'
    | 'contentVersion'
    | 'revision'
    | 'text'
    | 'urgent'
    | 'asksToAccept'
    | 'command'
    | 'list'
    | 'expiresAt'
  >
>;

/** Queues an item and gives its id. */
export function queueItem(
  tx: Tx,
  vehicleId: string,
  kind: DeliveryKind,
  fields: ItemFields,
  allocated: MenuEvent[] = [],
): string {
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as ItemFields;
  const item: Delivery = {
    id: tx.newId(),
    kind,
    vehicleId,
    state: 'queued',
    ...given,
    createdAt: tx.now,
    createdBy: tx.actor.name,
    attempts: [],
  };
  const data: DeliveryQueued = allocated.length > 0 ? { item, allocated } : { item };
  tx.emit({ type: 'delivery.queued', ...refs(vehicleId, item), data });
  return item.id;
}

/** The references that events about an item carry. */
export function refs(vehicleId: string, item: Pick<Delivery, 'orderId' | 'leg'>): Record<string, unknown> {
  return item.orderId === undefined ? { vehicleId } : { vehicleId, orderId: item.orderId, leg: item.leg };
}
