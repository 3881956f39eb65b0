/** Time points: claims are kept, stamps follow from them, each change of a stamp is an event. */
import { mergedStamps, sameStamp, stampsOf } from './evidence.js';
import { legOf } from './leg-states.js';
import type { Claim, Cycle, Leg, Order, Point, Stamp, Stamps } from './model.js';
import { withCycle, withLeg } from './order-fold.js';
import { folding, type Reducers } from './tables.js';
import type { Tx } from './tx.js';

/** Claims kept for one point of a leg; one more that decides nothing is left to the log of frames. */
export const CLAIMS_PER_POINT = 20;

interface Claimed {
  claim: Claim;
}
interface Set {
  point: Point;
  stamp: Stamp | null;
  was: Stamp | null;
}

export const timePointReducers: Reducers = {
  'timePoint.claimed': folding<Claimed>((docs, { orderId, leg, data }) => {
    if (leg === undefined) return withOrderClaims(docs, orderId!, data.claim);
    withLeg(docs, orderId!, leg, (one) => ({ ...one, claims: [...one.claims, data.claim] }));
  }),
  'timePoint.set': folding<Set>((docs, { orderId, leg, data }) => {
    const apply = <T extends { points: Stamps }>(one: T): T => ({ ...one, points: withPoint(one.points, data) });
    if (leg === undefined) withCycle(docs, orderId!, (cycle) => issueStamp(apply(cycle), data));
    else withLeg(docs, orderId!, leg, apply);
  }),
};

function withOrderClaims(docs: Parameters<typeof withLeg>[0], orderId: string, claim: Claim): void {
  const order = docs.get('order', orderId)!;
  docs.put('order', orderId, { ...order, claims: [...order.claims, claim] });
}

function withPoint(points: Stamps, { point, stamp }: Set): Stamps {
  const { [point]: _before, ...others } = points;
  return stamp ? { ...others, [point]: stamp } : others;
}

/** B and C belong to the newest issue too: an order that is issued again keeps those of each issue. */
function issueStamp(cycle: Cycle, { point, stamp }: Set): Cycle {
  const last = cycle.issues.at(-1);
  if (!last || !stamp || (point !== 'B' && point !== 'C')) return cycle;
  const issue = point === 'B' ? { ...last, b: stamp, at: stamp.at } : { ...last, c: stamp, atCentreAt: stamp.at };
  return { ...cycle, issues: [...cycle.issues.slice(0, -1), issue] };
}

/** What a claim must say; source, who and the times of receipt and commit come from the decision. */
export type NewClaim = Pick<Claim, 'point' | 'at' | 'rank' | 'flags'> &
  Partial<Pick<Claim, 'source' | 'by' | 'deviceAt' | 'receivedAt' | 'frame' | 'until' | 'place'>>;

/** Keeps a claim about a point of a leg and sets the stamps that follow from it. */
export function claimForLeg(tx: Tx, orderId: string, legNumber: number, claim: NewClaim): void {
  const leg = legIn(tx, orderId, legNumber);
  const full = completed(tx, claim);
  const stamps = stampsOf([...leg.claims, full]);
  const changed = !sameStamps(stamps, leg.points);
  if (isRepeated(leg, full)) return;
  const kept = leg.claims.filter((one) => one.point === claim.point).length;
  if (!changed && kept >= CLAIMS_PER_POINT) return;
  const ref = { orderId, leg: legNumber, vehicleId: leg.vehicleId };
  tx.emit({ type: 'timePoint.claimed', data: { claim: full } satisfies Claimed, ...ref });
  for (const point of POINTS_OF_LEG) {
    if (!sameStamp(stamps[point], leg.points[point])) {
      const data: Set = { point, stamp: stamps[point] ?? null, was: leg.points[point] ?? null };
      tx.emit({ type: 'timePoint.set', data, ...ref });
    }
  }
}

const POINTS_OF_LEG = ['D', 'E', 'F', 'G', 'H', 'I', 'J'] as const;

function sameStamps(a: Stamps, b: Stamps): boolean {
  return POINTS_OF_LEG.every((point) => sameStamp(a[point], b[point]));
}

/** The same statement about the same moment says nothing new. */
function isRepeated(leg: Leg, claim: Claim): boolean {
  return leg.claims.some(
    (one) =>
      one.point === claim.point &&
      one.rank === claim.rank &&
      one.at === claim.at &&
      one.by === claim.by &&
      one.until === claim.until &&
      one.flags.join() === claim.flags.join(),
  );
}

/** Sets A, B or C of the order's current cycle. */
export function setOrderPoint(tx: Tx, order: Readonly<Order>, claim: NewClaim): void {
  const full = completed(tx, claim);
  const cycle = order.cycles.at(-1)!;
  const data: Set = { point: claim.point, stamp: full, was: cycle.points[claim.point] ?? null };
  tx.emit({ type: 'timePoint.claimed', data: { claim: full } satisfies Claimed, orderId: order.id });
  tx.emit({ type: 'timePoint.set', data, orderId: order.id, ...centreRef(order) });
}

function centreRef(order: Readonly<Order>): { centreId?: string } {
  return order.repairCentreId === undefined ? {} : { centreId: order.repairCentreId };
}

export function completed(tx: Tx, claim: NewClaim): Claim {
  return { source: tx.actor.source, by: tx.actor.name, receivedAt: tx.now, committedAt: tx.now, ...claim };
}

function legIn(tx: Tx, orderId: string, leg: number): Leg {
  return legOf(tx.get('order', orderId)!, leg)!;
}

/**
 * The points that are shown: A of the cycle, B and C of the issue that led to the effective leg (else of the newest
 * issue), D to J of the effective leg.
 */
export function timePointsOf(order: Readonly<Order>, cycle: Readonly<Cycle> = order.cycles.at(-1)!): Stamps {
  const leg = cycle.effectiveLeg === undefined ? undefined : legOf(order, cycle.effectiveLeg);
  const issue = leg ? cycle.issues[leg.issue - 1] : cycle.issues.at(-1);
  const points: Stamps = {};
  if (cycle.points.A) points.A = cycle.points.A;
  if (issue?.b) points.B = issue.b;
  if (issue?.c) points.C = issue.c;
  return { ...points, ...leg?.points };
}

/** As {@link timePointsOf}, where the order may be merged: `main` is the order that it follows. */
export function timePointsShown(order: Readonly<Order>, cycle: Readonly<Cycle>, main?: Readonly<Order>): Stamps {
  const own = timePointsOf(order, cycle);
  return main ? mergedStamps(own, timePointsOf(main, effectiveCycle(main))) : own;
}

/** The newest cycle that has an effective leg: what those that follow the order go by. */
export function effectiveCycle(order: Readonly<Order>): Cycle {
  return order.cycles.findLast((one) => one.effectiveLeg !== undefined) ?? order.cycles.at(-1)!;
}
