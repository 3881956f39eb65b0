/** The forecast on an order, and the promise at risk (domain.md, "ETA"). */
import { endAlert, raiseAlert } from './alerts.js';
import { SAY } from './escalation-words.js';
import type { Order } from './model.js';
import { deadlineOf } from './segments.js';
import { folding, type Deciders, type Reducers } from './tables.js';
import type { Tx } from './tx.js';

const MINUTE_MS = 60_000;
/** Once told, the risk is over when the forecast is this much better than the promise: no alert that comes and goes. */
const CLEAR_MS = 2 * MINUTE_MS;

export const forecastReducers: Reducers = {
  'order.forecast': folding<{ eta: Order['eta'] | null }>((docs, { orderId, data }) => {
    const { eta: _before, ...order } = docs.get('order', orderId!)!;
    docs.put('order', order.id, data.eta ? { ...order, eta: data.eta } : order);
  }),
};

export const forecastDeciders: Deciders = {
  'order.forecast': (tx, { orderId, eta }) => {
    const order = tx.get('order', orderId);
    if (!order || (!order.eta && !eta)) return {};
    const centre = order.repairCentreId === undefined ? {} : { centreId: order.repairCentreId };
    tx.emit({ type: 'order.forecast', orderId, ...centre, data: { eta: eta ?? null } });
    judge(tx, order, eta);
    return { orderId };
  },
};

/** Arrived, or no longer dispatched: there is nothing to forecast, and nothing at risk. */
function judge(tx: Tx, order: Readonly<Order>, eta: Order['eta']): void {
  const id = `promiseAtRisk:${order.id}:${order.cycles.at(-1)!.cycle}`;
  if (!eta) return endAlert(tx, id, 'happened');
  const lateMs = eta.at - deadlineOf(order, tx.settings);
  if (lateMs <= -CLEAR_MS) return endAlert(tx, id, 'inTimeAgain');
  if (lateMs <= 0) return;
  const words = { number: order.number, minutes: Math.ceil(lateMs / MINUTE_MS) };
  raiseAlert(tx, {
    id,
    kind: 'promiseAtRisk',
    severity: 'warning',
    told: [{ level: 'repairCentre' }, { level: 'callCentre' }],
    message: SAY[tx.settings.language]('promiseAtRisk', words),
    values: words,
    orderId: order.id,
    vehicleId: eta.vehicleId,
    ...(order.repairCentreId === undefined ? {} : { centreId: order.repairCentreId }),
  });
}
