/** Legs: one attempt to have one vehicle do one order. Transitions and what each changes. */
import {
  isEffective,
  isOpen,
  isOnSite,
  legOf,
  openLegs,
  PROGRESS,
  progressOf,
  isAtLeast,
  type Progress,
} from './leg-states.js';
import type { Cycle, Leg, LegState, Order, Vehicle } from './model.js';
import { changeCycle, withOrder } from './order-fold.js';
import { deriveStage } from './order-stages.js';
import { insertIntoQueue, markRecalling, removeFromQueue } from './queue.js';
import { folding, type Documents, type Reducer, type Reducers } from './tables.js';
import { claimForLeg, completed } from './time-points.js';
import type { Tx } from './tx.js';

interface LegQueued {
  leg: Leg;
}
interface LegMoved {
  from: LegState;
  reason?: string;
  recall?: Leg['recall'];
  /** How a removal was confirmed. */
  how?: NonNullable<Leg['recall']>['how'];
  /** The recall was taken back, or the dispatcher made this leg the effective one again. */
  restored?: boolean;
}

const MOVES: readonly LegState[] = [
  'sent',
  'delivered',
  'read',
  'accepted',
  'enRoute',
  'onSite',
  'working',
  'workDone',
  'completed',
  'suspended',
  'recalling',
  'recalled',
  'rejected',
  'expired',
];

export const legReducers: Reducers = {
  'leg.queued': folding<LegQueued | LegMoved>((docs, event) => {
    if ('leg' in event.data) addLeg(docs, event.orderId!, event.data.leg);
    else foldMove(docs, event.orderId!, event.leg!, 'queued', event.data, event.committedAt);
  }),
  'leg.toldByPhone': folding<unknown>((docs, { orderId, leg }) => {
    withOrder(docs, orderId!, (order) => changeLeg(order, leg!, (one) => ({ ...one, toldByPhone: true })));
  }),
  ...Object.fromEntries(MOVES.map((state) => [`leg.${state}`, moveTo(state)])),
  /** An action of the crew on a leg that no longer is: nothing changes, the crew is told. */
  'leg.notValid': () => {},
};

function moveTo(state: LegState): Reducer {
  return folding<LegMoved>((docs, { orderId, leg, data, committedAt }) => {
    foldMove(docs, orderId!, leg!, state, data, committedAt);
  });
}

function addLeg(docs: Documents, orderId: string, leg: Leg): void {
  withOrder(docs, orderId, (order) =>
    changeCycle({ ...order, legs: [...order.legs, leg] }, (cycle) => ({
      ...cycle,
      effectiveLeg: leg.leg,
      issues: cycle.issues.map((issue, i) =>
        i === leg.issue - 1 ? { ...issue, firstD: issue.firstD ?? leg.createdAt } : issue,
      ),
    })),
  );
}

function foldMove(docs: Documents, orderId: string, number: number, state: LegState, data: LegMoved, at: number): void {
  const order = docs.get('order', orderId)!;
  const leg = movedLeg(legOf(order, number)!, state, data, at);
  const moved = changeLeg(order, number, () => leg);
  docs.put(
    'order',
    orderId,
    changeCycleOf(moved, leg, (cycle) => effectiveAfter(cycle, leg, data)),
  );
  const vehicle = docs.get('vehicle', leg.vehicleId);
  if (vehicle) foldActive(docs, vehicle, orderId, leg);
}

function movedLeg(leg: Leg, state: LegState, data: LegMoved, at: number): Leg {
  const { before: _before, endedAt: _endedAt, ...rest } = leg;
  const moved: Leg = { ...rest, state };
  if (state === 'suspended' || state === 'recalling') moved.before = progressOf(leg);
  if (data.reason !== undefined) moved.reason = data.reason;
  if (state === 'recalling') moved.recall = data.recall!;
  if (state === 'recalled') {
    moved.before = progressOf(leg);
    moved.recall = { ...leg.recall!, confirmedAt: at, how: data.how! };
  }
  if (data.restored) delete moved.recall;
  if (!isOpen(moved)) moved.endedAt = leg.endedAt ?? at;
  return moved;
}

/** An order has one effective leg at most: the one that is worked on, or the one that did the work. */
function effectiveAfter(cycle: Cycle, leg: Leg, data: LegMoved): Cycle {
  if (data.restored || leg.state === 'workDone') return { ...cycle, effectiveLeg: leg.leg };
  const lost = ['recalling', 'recalled', 'rejected', 'expired'].includes(leg.state);
  if (!lost || cycle.effectiveLeg !== leg.leg) return cycle;
  const { effectiveLeg: _lost, ...rest } = cycle;
  return rest;
}

function changeCycleOf(order: Order, leg: Leg, change: (cycle: Cycle) => Cycle): Order {
  return { ...order, cycles: order.cycles.map((cycle) => (cycle.cycle === leg.cycle ? change(cycle) : cycle)) };
}

function changeLeg(order: Readonly<Order>, number: number, change: (leg: Leg) => Leg): Order {
  return { ...order, legs: order.legs.map((leg) => (leg.leg === number ? change(leg) : leg)) };
}

function foldActive(docs: Documents, vehicle: Readonly<Vehicle>, orderId: string, leg: Leg): void {
  const state = leg.state === 'enRoute' ? 'enRoute' : isOnSite(leg) ? 'onSite' : undefined;
  const { active, ...rest } = vehicle;
  if (state) docs.put('vehicle', vehicle.id, { ...rest, active: { orderId, leg: leg.leg, state } });
  else if (active?.orderId === orderId && active.leg === leg.leg) docs.put('vehicle', vehicle.id, rest);
}

// ---------------------------------------------------------------------------------------------------------------

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
