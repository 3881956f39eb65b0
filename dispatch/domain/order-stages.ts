/** The stages of an order (domain.md, "Order"): what each event of a stage changes, and the two that are derived. */
import { openLegs } from './leg-states.js';
import type { Cycle, Order, Stage } from './model.js';
import { changeCycle, withOrder } from './order-fold.js';
import { folding, type Reducer, type Reducers } from './tables.js';
import { Refusal, type Tx } from './tx.js';

/** Common data of `order.{stage}`. */
export interface StageData {
  from: Stage | null;
  /** Why, where a person gave a reason. */
  reason?: Order['reason'];
}

export interface Issued extends StageData {
  centreId: string;
  at: number;
  by: string;
  limitsMin: Record<string, number>;
  causedBy?: Cycle['issues'][number]['causedBy'];
  unitKind?: string;
}

export const stageReducers: Reducers = {
  'order.issued': folding<Issued>((docs, { orderId, data }) => {
    const { centreId, at, by, limitsMin, causedBy, unitKind } = data;
    withOrder(docs, orderId!, ({ receivedBy: _earlier, reason: _reason, ...order }) =>
      changeCycle(
        { ...order, stage: 'issued', repairCentreId: centreId, ...(unitKind === undefined ? {} : { unitKind }) },
        (cycle) => ({
          ...withoutPoint(withoutEffective(cycle), 'C'),
          issues: [...cycle.issues, { centreId, at, by, limitsMin, ...(causedBy === undefined ? {} : { causedBy }) }],
        }),
      ),
    );
  }),
  'order.atCentre': stage('atCentre'),
  'order.dispatched': stage('dispatched'),
  'order.waiting': stage('waiting'),
  'order.returned': stage('returned'),
  'order.repaired': stage('repaired'),
  'order.closed': stage('closed'),
  'order.withdrawn': stage('withdrawn'),
  /** A person of the repair centre accepted the order. */
  'order.acceptedByCentre': folding<{ name: string; at: number }>((docs, { orderId, data }) => {
    withOrder(docs, orderId!, (order) => ({ ...order, receivedBy: { name: data.name, at: data.at } }));
  }),
};

function stage(to: Stage): Reducer {
  const ends = to === 'closed' || to === 'withdrawn';
  return folding<StageData>((docs, { orderId, data, committedAt }) => {
    withOrder(docs, orderId!, ({ reason: _earlier, ...order }) =>
      changeCycle(
        { ...order, stage: to, ...(data.reason ? { reason: data.reason } : {}) },
        ({ endedAt: _before, ...cycle }) => (ends ? { ...cycle, endedAt: committedAt } : cycle),
      ),
    );
  });
}

function withoutPoint(cycle: Cycle, point: 'C'): Cycle {
  const { [point]: _before, ...points } = cycle.points;
  return { ...cycle, points };
}
function withoutEffective({ effectiveLeg: _before, ...cycle }: Cycle): Cycle {
  return cycle;
}

// ---------------------------------------------------------------------------------------------------------------

/** `atCentre` and `dispatched` follow from the legs: dispatched while one is open, at the centre when none is. */
export function deriveStage(tx: Tx, orderId: string): void {
  const order = tx.get('order', orderId)!;
  if (order.stage !== 'atCentre' && order.stage !== 'dispatched') return;
  const derived: Stage = openLegs(order).length > 0 ? 'dispatched' : 'atCentre';
  if (derived !== order.stage) emitStage(tx, order, derived);
}

export function emitStage(tx: Tx, order: Readonly<Order>, to: Stage, data: Record<string, unknown> = {}): void {
  const centre = order.repairCentreId === undefined ? {} : { centreId: order.repairCentreId };
  tx.emit({ type: `order.${to}`, orderId: order.id, ...centre, data: { from: order.stage, ...data } });
}

export function reasonOf(tx: Tx, code: string, note?: string): NonNullable<Order['reason']> {
  return { code, at: tx.now, by: tx.actor.name, ...(note === undefined ? {} : { note }) };
}

/** Refuses a step that is not for this stage. */
export function checkStage(order: Readonly<Order>, step: string, ...allowed: Stage[]): void {
  if (allowed.includes(order.stage)) return;
  throw new Refusal('wrongStage', `order ${order.number} is ${order.stage}; ${step} needs ${allowed.join(', ')}`, 409, {
    stage: order.stage,
    allowed,
  });
}
