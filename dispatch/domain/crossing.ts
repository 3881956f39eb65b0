/**
 * What a crew says about a leg that is being recalled or has ended, whether by its terminal or on its page (domain.md,
 * "Events from the terminal are forgiving"): nothing of another leg changes by it, and nothing of it is lost.
 */
import { raiseCard } from './cards.js';
import type { Leg, Order } from './model.js';
import { centreOf } from './order.js';
import type { CrewAction } from './terminal-actions.js';
import type { Tx } from './tx.js';

/** A crew's action on a leg that is not the effective one. */
export interface Crossing {
  action: CrewAction;
  /** When the crew acted, by its own clock; absent where that is not known. */
  at?: number;
}

/** What became of it: a card for the dispatcher by its id, "not valid any more" for the crew, or kept as evidence. */
export type Crossed = { cardId: string } | 'notValid' | 'evidence';

/** Call after the claim was kept: what is decided on the card goes by the leg's claims. */
export function crossed(tx: Tx, order: Readonly<Order>, leg: Leg, { action, at }: Crossing): Crossed {
  const endedWithWork = leg.state === 'workDone' || leg.state === 'completed';
  const saysNothing = action === 'read' || action === 'reject' || action === 'suspend' || action === 'resume';
  if (endedWithWork || saysNothing) return 'evidence';
  if (action === 'done') return { cardId: offerWork(tx, order, leg) };
  if (leg.state !== 'recalling' && leg.state !== 'recalled') return 'evidence';
  const confirmedAt = leg.recall?.how === 'byPhone' ? undefined : leg.recall?.confirmedAt;
  const beforeReceipt = leg.state === 'recalling' || (at !== undefined && at < (confirmedAt ?? leg.recall!.at));
  return beforeReceipt ? { cardId: askConflict(tx, order, leg, action) } : 'notValid';
}

/** Acted before the crew could know of the recall. */
function askConflict(tx: Tx, order: Readonly<Order>, leg: Leg, action: CrewAction): string {
  return raiseCard(tx, {
    id: `conflict:${order.id}:${leg.leg}`,
    kind: 'conflict',
    code: 'crossedRecall',
    message: `${order.number}: the crew of ${leg.vehicleId} reported ${action} while the recall was on its way`,
    orderId: order.id,
    leg: leg.leg,
    vehicleId: leg.vehicleId,
    ...centreOf(order),
    choices: ['keep', 'insist'],
    data: { action },
  });
}

/** Work is reality: "done" from a recalled crew is never discarded. */
function offerWork(tx: Tx, order: Readonly<Order>, leg: Leg): string {
  const current = leg.cycle === order.cycles.at(-1)!.cycle;
  return raiseCard(tx, {
    id: `conflict:${order.id}:${leg.leg}:done`,
    kind: 'conflict',
    code: 'doneAfterRecall',
    message: `${order.number}: the crew of ${leg.vehicleId}, which is ${leg.state}, reports the work done`,
    orderId: order.id,
    leg: leg.leg,
    vehicleId: leg.vehicleId,
    ...centreOf(order),
    choices: current ? ['makeEffective', 'keepAsEvidence'] : ['keepAsEvidence'],
    data: {},
  });
}
