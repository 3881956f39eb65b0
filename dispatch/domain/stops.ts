/** Steps that stop the work on an order: return to the call centre, wait, withdraw. */
import { confirmOnSite } from './assignment.js';

import { isAtLeast, openLegs } from './leg-states.js';
import { beginRecall, moveLeg, recallOpenLegs } from './leg.js';
import { unmergeSub } from './merge.js';
import type { Order } from './model.js';
import { acceptForCentre, orderNamed } from './order.js';
import { checkStage, emitStage, reasonOf } from './order-stages.js';
import type { StepFields } from './commands.js';
import type { Deciders } from './tables.js';
import { Refusal, type Tx } from './tx.js';

export const stopDeciders: Deciders = {
  'order.return': (tx, command) => {
    const order = stoppable(tx, command, 'returning', 'issued', 'atCentre', 'dispatched', 'waiting');
    acceptForCentre(tx, order.id);
    emitStage(tx, tx.get('order', order.id)!, 'returned', { reason: reasonOf(tx, command.reason!, command.note) });
    recallOpenLegs(tx, order.id, 'returned');
    return { orderId: order.id };
  },
  'order.withdraw': (tx, command) => {
    const stages = ['received', 'issued', 'atCentre', 'dispatched', 'waiting', 'returned', 'merged'] as const;
    const order = stoppable(tx, command, 'withdrawing', ...stages);
    if (order.stage === 'merged') unmergeSub(tx, order);
    emitStage(tx, tx.get('order', order.id)!, 'withdrawn', { reason: reasonOf(tx, command.reason!, command.note) });
    recallOpenLegs(tx, order.id, 'withdrawn');
    // Their main order is gone: the customers who reported the same are orders of their own again.
    for (const sub of order.subs) unmergeSub(tx, orderNamed(tx, sub));
    return { orderId: order.id };
  },
  'order.wait': (tx, command) => {
    const order = stoppable(tx, command, 'waiting', 'issued', 'atCentre', 'dispatched');
    acceptForCentre(tx, order.id);
    emitStage(tx, tx.get('order', order.id)!, 'waiting', { reason: reasonOf(tx, command.reason!, command.note) });
    setAside(tx, order.id, command.reason!);
    return { orderId: order.id };
  },
};

/** Waiting suspends the accepted legs and recalls the others. */
function setAside(tx: Tx, orderId: string, reason: string): void {
  for (const leg of openLegs(tx.get('order', orderId)!)) {
    if (leg.state === 'suspended') continue;
    if (isAtLeast(leg.state, 'accepted')) moveLeg(tx, orderId, leg.leg, 'suspended', { reason });
    else beginRecall(tx, orderId, leg.leg, reason);
  }
}

/** All three need a reason, and are refused once a leg is on site unless confirmed expressly. */
function stoppable(tx: Tx, command: StepFields, step: string, ...stages: Order['stage'][]): Readonly<Order> {
  const order = orderNamed(tx, command.orderId);
  checkStage(order, step, ...stages);
  if (!command.reason) throw new Refusal('reasonNeeded', `${step} needs a reason`, 422);
  for (const leg of openLegs(order)) confirmOnSite(leg, command.confirm, ['confirm']);
  return order;
}
