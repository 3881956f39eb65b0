/** What each event of a leg changes. The transitions that emit them are in leg.ts. */
import { isOnSite, isOpen, legOf, progressOf } from './leg-states.js';
import { LEG_STATES, type Cycle, type Leg, type LegState, type Order, type Vehicle } from './model.js';
import { changeCycle, withOrder } from './order-fold.js';
import { folding, type Documents, type Reducer, type Reducers } from './tables.js';

export interface LegQueued {
  leg: Leg;
}
export interface LegMoved {
  from: LegState;
  reason?: string;
  recall?: Leg['recall'];
  /** How a removal was confirmed. */
  how?: NonNullable<Leg['recall']>['how'];
  /** The recall was taken back, or the dispatcher made this leg the effective one again. */
  restored?: boolean;
}

/** A leg begins as `queued` and never comes back to it by a move. */
const MOVES = LEG_STATES.filter((state) => state !== 'queued');

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
