/**
 * Alerts (domain.md, "Escalation"): raised once, acknowledged by a named person, and ended for everybody when what they
 * wait for happens. An alert's id says what it is about, so the same thing is never raised twice.
 */
import type { Alert, Order } from './model.js';
import { folding, type Deciders, type Reducers } from './tables.js';
import { Refusal, type Tx } from './tx.js';

export const alertReducers: Reducers = {
  'alert.raised': folding<{ alert: Alert }>((docs, { data: { alert } }) => {
    docs.put('alert', alert.id, alert);
    const order = alert.orderId === undefined ? undefined : docs.get('order', alert.orderId);
    if (order) docs.put('order', order.id, { ...order, fired: { ...order.fired, [alert.id]: alert.id } });
  }),
  'alert.acknowledged': folding<{ alertId: string; by: string; at: number }>((docs, { data }) => {
    const alert = docs.get('alert', data.alertId)!;
    docs.put('alert', alert.id, { ...alert, acknowledged: [...alert.acknowledged, { by: data.by, at: data.at }] });
  }),
  'alert.ended': folding<{ alertId: string; because: string; at: number }>((docs, { data }) => {
    const alert = docs.get('alert', data.alertId)!;
    docs.put('alert', alert.id, { ...alert, endedAt: data.at, endedBecause: data.because });
  }),
};

export type NewAlert = Pick<Alert, 'id' | 'kind' | 'told' | 'message' | 'severity'> &
  Partial<Pick<Alert, 'orderId' | 'leg' | 'vehicleId' | 'centreId' | 'values'>>;

/** Raises the alert unless it was raised before, ended or not. True when it was raised now. */
export function raiseAlert(tx: Tx, alert: NewAlert): boolean {
  if (tx.get('alert', alert.id)) return false;
  const full: Alert = { ...alert, raisedAt: tx.now, acknowledged: [] };
  tx.emit({ type: 'alert.raised', ...refsOf(full), data: { alert: full } });
  return true;
}

/** Ends the alert for everybody; nothing where it never was, or ended before. `because` is stable and camelCase. */
export function endAlert(tx: Tx, alertId: string, because: string): void {
  const alert = tx.get('alert', alertId);
  if (!alert || alert.endedAt !== undefined) return;
  tx.emit({ type: 'alert.ended', ...refsOf(alert), data: { alertId, because, at: tx.now } });
}

/** Ends every alert of the order whose id begins so. */
export function endAlertsOf(tx: Tx, order: Readonly<Order>, prefix: string, because: string): void {
  for (const id of Object.keys(order.fired)) if (id.startsWith(prefix)) endAlert(tx, id, because);
}

export const alertDeciders: Deciders = {
  'alert.acknowledge': (tx, { alertId }) => {
    const alert = tx.get('alert', alertId);
    if (!alert) throw new Refusal('noSuchAlert', `there is no alert ${alertId}`, 404);
    const by = tx.actor.name;
    if (!alert.acknowledged.some((one) => one.by === by)) {
      tx.emit({ type: 'alert.acknowledged', ...refsOf(alert), data: { alertId, by, at: tx.now } });
    }
    return { alertId };
  },
};

function refsOf({ orderId, leg, vehicleId, centreId }: Partial<Alert>): Partial<Alert> {
  return {
    ...(orderId === undefined ? {} : { orderId }),
    ...(leg === undefined ? {} : { leg }),
    ...(vehicleId === undefined ? {} : { vehicleId }),
    ...(centreId === undefined ? {} : { centreId }),
  };
}
