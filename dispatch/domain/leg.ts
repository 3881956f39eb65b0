/** Legs: one attempt to have one vehicle do one order. The transitions; what their events change is in leg-fold.ts. */
import type { LegMoved, LegQueued } from './leg-fold.js';
import { isEffective, legOf, openLegs, PROGRESS, progressOf, isAtLeast, type Progress } from './leg-states.js';
import type { Leg, LegState, Order, Vehicle } from './model.js';
import { deriveStage } from './order-stages.js';
import { insertIntoQueue, markRecalling, removeFromQueue } from './queue.js';
import { claimForLeg, completed } from './time-points.js';
import type { Tx } from './tx.js';

/** Emits the move of a leg to another state; nothing where it is there already. */
export function moveLeg(
  tx: Tx,
  orderId: string,
  number: number,
  to: LegState,
  data: Omit<LegMoved, 'from'> = {},
): void {
  const order = tx.get('order', orderId)!;
  const leg = legOf(order, number)!;
  if (leg.state === to) return;
  const ref = { orderId, leg: number, vehicleId: leg.vehicleId };
  const centre = order.repairCentreId === undefined ? {} : { centreId: order.repairCentreId };
  tx.emit({ type: `leg.${to}`, ...ref, ...centre, data: { from: leg.state, ...data } satisfies LegMoved });
}

/** Makes the next leg of an order and puts it into the vehicle's queue: D. */
export function createLeg(tx: Tx, orderId: string, vehicle: Readonly<Vehicle>, position?: number): number {
  const order = tx.get('order', orderId)!;
  const cycle = order.cycles.at(-1)!;
  const number = Math.max(0, ...order.legs.map((leg) => leg.leg)) + 1;
  const d = completed(tx, { point: 'D', at: tx.now, rank: 'rule', flags: [] });
  const leg: Leg = {
    leg: number,
    vehicleId: vehicle.id,
    cycle: cycle.cycle,
    issue: cycle.issues.length,
    state: 'queued',
    contentVersion: order.contentVersion,
    points: { D: d },
    claims: [d],
    createdAt: tx.now,
    sharesOffice: vehicle.sharesOffice,
    ...deliveryDeadline(tx, order),
  };
  const centre = order.repairCentreId === undefined ? {} : { centreId: order.repairCentreId };
  const ref = { orderId, leg: number, vehicleId: vehicle.id, ...centre };
  tx.emit({ type: 'leg.queued', ...ref, data: { leg } satisfies LegQueued });
  tx.emit({ type: 'timePoint.set', ...ref, data: { point: 'D', stamp: d, was: null } });
  insertIntoQueue(tx, tx.get('order', orderId)!, number, vehicle.id, position);
  deriveStage(tx, orderId);
  return number;
}

/** Only where the centre sets a delivery deadline; by default the ladder alerts instead. */
function deliveryDeadline(tx: Tx, { repairCentreId }: Readonly<Order>): Pick<Leg, 'expiresAt'> {
  const minutes = repairCentreId === undefined ? undefined : tx.get('centre', repairCentreId)?.deliveryDeadlineMin;
  return minutes === undefined ? {} : { expiresAt: tx.now + minutes * 60_000 };
}

/** Why a leg could not be advanced: the vehicle is on site of another order. */
export type Blocked = { onSiteOf: string; leg: number };

/**
 * Advances an open leg to what was reached; never back. Departing or arriving suspends another leg of the vehicle that
 * is en route; one that is on site blocks it, because only the dispatcher suspends there.
 */
export function advanceLeg(tx: Tx, orderId: string, number: number, to: Progress): Blocked | undefined {
  const leg = legOf(tx.get('order', orderId)!, number)!;
  if (!isEffective(leg)) return undefined;
  const resumes = leg.state === 'suspended' && isAtLeast(to, 'enRoute');
  if (!resumes && (leg.state === 'suspended' || isAtLeast(leg.state, to))) return undefined;
  if (to === 'workDone') {
    finishWork(tx, orderId, number);
    return undefined;
  }
  if (isAtLeast(to, 'enRoute')) {
    const blocked = takeTheRoad(tx, orderId, leg);
    if (blocked) return blocked;
  }
  moveLeg(tx, orderId, number, to);
  return undefined;
}

/** At most one leg of a vehicle is en route or on site. */
function takeTheRoad(tx: Tx, orderId: string, leg: Leg): Blocked | undefined {
  const active = tx.get('vehicle', leg.vehicleId)?.active;
  if (!active || (active.orderId === orderId && active.leg === leg.leg)) return undefined;
  if (active.state === 'onSite') return { onSiteOf: active.orderId, leg: active.leg };
  moveLeg(tx, active.orderId, active.leg, 'suspended', { reason: 'departedForAnother' });
  return undefined;
}

/** The work is done: I; the order is repaired, the leg leaves the queue, whoever else had the order is called off. */
export function finishWork(tx: Tx, orderId: string, number: number, restored = false): void {
  const { vehicleId } = legOf(tx.get('order', orderId)!, number)!;
  moveLeg(tx, orderId, number, 'workDone', restored ? { restored } : {});
  removeFromQueue(tx, vehicleId, orderId, number, 'workDone');
  for (const other of openLegs(tx.get('order', orderId)!)) beginRecall(tx, orderId, other.leg, 'repairedByAnother');
  const { stage, repairCentreId } = tx.get('order', orderId)!;
  if (stage !== 'repaired' && stage !== 'recorded' && stage !== 'closed') {
    const centre = repairCentreId === undefined ? {} : { centreId: repairCentreId };
    tx.emit({ type: 'order.repaired', orderId, ...centre, data: { from: stage, leg: number } });
  }
  promotePending(tx, vehicleId);
}

/** Starts the removal of a leg from its terminal; the leg stays visible until that is confirmed. */
export function beginRecall(tx: Tx, orderId: string, number: number, reason: string): void {
  const leg = legOf(tx.get('order', orderId)!, number)!;
  if (!isEffective(leg)) return;
  moveLeg(tx, orderId, number, 'recalling', { reason, recall: { at: tx.now, by: tx.actor.name, reason } });
  markRecalling(tx, leg.vehicleId, orderId, number, true);
  promotePending(tx, leg.vehicleId);
}

export function recallOpenLegs(tx: Tx, orderId: string, reason: string): void {
  for (const leg of openLegs(tx.get('order', orderId)!)) beginRecall(tx, orderId, leg.leg, reason);
}

/** A leg ends without work: refused by the crew, or its delivery deadline passed. */
export function endLeg(tx: Tx, orderId: string, number: number, to: 'rejected' | 'expired', reason: string): void {
  const { vehicleId } = legOf(tx.get('order', orderId)!, number)!;
  moveLeg(tx, orderId, number, to, { reason });
  removeFromQueue(tx, vehicleId, orderId, number, to);
  deriveStage(tx, orderId);
  promotePending(tx, vehicleId);
}

/** The recall is taken back: the leg is what it had reached, and the effective one again. */
export function restoreLeg(tx: Tx, orderId: string, number: number): void {
  const leg = legOf(tx.get('order', orderId)!, number)!;
  for (const other of openLegs(tx.get('order', orderId)!)) {
    if (other.leg !== number) beginRecall(tx, orderId, other.leg, 'keptWithAnother');
  }
  const reached = furthest(leg);
  const blocked = isAtLeast(reached, 'enRoute') ? takeTheRoad(tx, orderId, leg) : undefined;
  moveLeg(tx, orderId, number, blocked ? 'accepted' : reached, { restored: true });
  markRecalling(tx, leg.vehicleId, orderId, number, false);
  deriveStage(tx, orderId);
}

/** Takes a suspended leg up again where it was, as far as the vehicle is free for it. */
export function resumeLeg(tx: Tx, orderId: string, number: number): void {
  const leg = legOf(tx.get('order', orderId)!, number)!;
  const reached = furthest(leg);
  const busy = tx.get('vehicle', leg.vehicleId)?.active !== undefined;
  moveLeg(tx, orderId, number, busy && isAtLeast(reached, 'enRoute') ? 'accepted' : reached);
}

/** What was reached, by its state or by what was reported meanwhile. */
export function furthest(leg: Leg): Progress {
  const claimed =
    STATES_OF_POINTS.filter(([point]) => leg.claims.some((claim) => claim.point === point)).at(-1)?.[1] ?? 'queued';
  const was = progressOf(leg);
  return PROGRESS.indexOf(claimed) > PROGRESS.indexOf(was) ? claimed : was;
}
const STATES_OF_POINTS = [
  ['E', 'delivered'],
  ['F', 'accepted'],
  ['G', 'enRoute'],
  ['H', 'onSite'],
] as const;

/** Events may come out of order: when the vehicle is free, the leg that its crew has already set out for goes on. */
export function promotePending(tx: Tx, vehicleId: string): void {
  const vehicle = tx.get('vehicle', vehicleId);
  if (!vehicle || vehicle.active) return;
  for (const entry of vehicle.queue.entries) {
    const order = entry.recalling ? undefined : tx.get('order', entry.orderId);
    const leg = order && legOf(order, entry.leg);
    if (!leg || leg.state === 'suspended' || !isEffective(leg)) continue;
    const reached = furthest(leg);
    if (isAtLeast(reached, 'enRoute') && !isAtLeast(leg.state, reached)) {
      moveLeg(tx, entry.orderId, entry.leg, reached);
      return;
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------
// What the delivery side tells: see delivery.ts

export interface LegRef {
  orderId: string;
  leg: number;
}

/** Bytes of the order were written to the link. */
export function legSent(tx: Tx, { orderId, leg }: LegRef): void {
  if (legIn(tx, orderId, leg)) advanceLeg(tx, orderId, leg, 'sent');
}

/**
 * The terminal's own receipt of this order, result ok: E. A receipt is a machine's statement, so whether its time is
 * the device's or that of receipt the earliest stands; the same leg sent again later changes nothing.
 */
export function legDelivered(tx: Tx, ref: LegRef & { at: number; flags: Leg['claims'][number]['flags'] }): void {
  const leg = legIn(tx, ref.orderId, ref.leg);
  if (!leg) return;
  const known = leg.points.E;
  if (!known || known.rank === 'implied' || known.rank === 'entry' || ref.at < known.at) {
    claimForLeg(tx, ref.orderId, ref.leg, { point: 'E', at: ref.at, rank: 'key', flags: ref.flags });
  }
  advanceLeg(tx, ref.orderId, ref.leg, 'delivered');
}

/** The recalled order is gone from the terminal, was never there, or the crew said so by phone. */
export function legRemovalConfirmed(
  tx: Tx,
  ref: LegRef & { how: NonNullable<NonNullable<Leg['recall']>['how']> },
): void {
  const leg = legIn(tx, ref.orderId, ref.leg);
  if (leg?.state !== 'recalling') return;
  moveLeg(tx, ref.orderId, ref.leg, 'recalled', { how: ref.how });
  removeFromQueue(tx, leg.vehicleId, ref.orderId, ref.leg, 'recalled');
  deriveStage(tx, ref.orderId);
}

function legIn(tx: Tx, orderId: string, leg: number): Leg | undefined {
  const order = tx.get('order', orderId);
  return order && legOf(order, leg);
}
