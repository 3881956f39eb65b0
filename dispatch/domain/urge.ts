/** Urges (催办): the customer calls again. Changes no stage; counted, noted, told, sounded in the cab. */
import { endAlertsOf, raiseAlert } from './alerts.js';
import { SAY } from './escalation-words.js';
import { effectiveOpenLeg } from './leg-states.js';
import type { Alert, Order, Stage } from './model.js';
import { withOrder } from './order-fold.js';
import { centreOf, orderNamed } from './order.js';
import { folding, type Deciders, type Hook, type Hooks, type Reducers } from './tables.js';
import { Refusal, type Tx } from './tx.js';

/** The cab is not sounded more often than this: ten calls about one fuse must not drown the next order. */
export const SOUND_EVERY_MS = 3 * 60_000;
/** Urges kept with an order; the log has all of them. */
export const URGES_KEPT = 100;

export interface Urged {
  urge: Order['urges'][number];
  /** Whether the cab is sounded for it. */
  sound: boolean;
}

export const urgeReducers: Reducers = {
  'order.urged': folding<Urged>((docs, { orderId, data }) => {
    const urge = { ...data.urge, ...(data.sound ? { sounded: true } : {}) };
    withOrder(docs, orderId!, (order) => ({ ...order, urges: [...order.urges, urge].slice(-URGES_KEPT) }));
  }),
};

export const urgeDeciders: Deciders = {
  'order.urge': (tx, { orderId, note }) => {
    const order = orderNamed(tx, orderId);
    if (['repaired', 'recorded', 'closed', 'withdrawn'].includes(order.stage)) {
      throw new Refusal('wrongStage', `order ${order.number} is ${order.stage}; nobody is left to urge`, 409, {
        stage: order.stage,
      });
    }
    const holder = order.stage === 'merged' ? (tx.get('order', order.mergedInto!) ?? order) : order;
    const leg = effectiveOpenLeg(holder);
    const lastSound = order.urges.filter((urge) => urge.sounded).at(-1)?.at ?? Number.NEGATIVE_INFINITY;
    const data: Urged = {
      urge: { at: tx.now, by: tx.actor.name, ...(note === undefined ? {} : { note }) },
      sound: leg !== undefined && tx.now - lastSound >= SOUND_EVERY_MS,
    };
    const ref = leg ? { leg: leg.leg, vehicleId: leg.vehicleId } : {};
    tx.emit({ type: 'order.urged', orderId: order.id, ...ref, ...centreOf(order), data });
    tellHolder(tx, tx.get('order', orderId)!, holder);
    return { orderId, urges: tx.get('order', orderId)!.urges.length };
  },
};

const WITH_CALL_CENTRE: readonly Stage[] = ['received', 'returned'];

/** Whoever holds the order is told once, and again when somebody has acknowledged it and the customer calls once more. */
function tellHolder(tx: Tx, order: Readonly<Order>, holder: Readonly<Order>): void {
  const told = Object.keys(order.fired).filter((id) => id.startsWith(`${URGED}:`));
  const open = told.some((id) => {
    const alert = tx.get('alert', id);
    return alert !== undefined && alert.endedAt === undefined && alert.acknowledged.length === 0;
  });
  if (open) return;
  const level: Alert['told'][number]['level'] = WITH_CALL_CENTRE.includes(holder.stage) ? 'callCentre' : 'repairCentre';
  const leg = effectiveOpenLeg(holder);
  const words = { number: holder.number, count: order.urges.length };
  raiseAlert(tx, {
    id: `${URGED}:${order.id}:${told.length + 1}`,
    kind: URGED,
    severity: 'info',
    told: [{ level }, ...(leg ? [{ level: 'crew' as const }] : [])],
    message: SAY[tx.settings.language](URGED, words),
    values: words,
    orderId: order.id,
    ...(leg ? { leg: leg.leg, vehicleId: leg.vehicleId } : {}),
    ...centreOf(holder),
  });
}
const URGED = 'urged';

/** The crew is there, or nobody goes any more: what the customer called for has happened. */
const endUrged: Hook = (tx, { orderId }) => {
  const order = tx.get('order', orderId!);
  for (const id of order ? [order.id, ...order.subs] : []) {
    const urged = tx.get('order', id);
    if (urged) endAlertsOf(tx, urged, `${URGED}:`, 'happened');
  }
};

export const urgeHooks: Hooks = {
  'leg.onSite': endUrged,
  'order.repaired': endUrged,
  'order.withdrawn': endUrged,
};

/** Rank of orders for people: urgent first, then who called more often, then whose promise ends first. */
export function byRank(
  deadline: (order: Readonly<Order>) => number,
): (a: Readonly<Order>, b: Readonly<Order>) => number {
  return (a, b) =>
    Number(b.priority === 'urgent') - Number(a.priority === 'urgent') ||
    b.urges.length - a.urges.length ||
    deadline(a) - deadline(b);
}
