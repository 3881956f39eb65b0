/** Merging: duplicate reports of one outage become one main order with subs. */
import { confirmOnSite } from './assignment.js';
import { recallOpenLegs } from './leg.js';
import { openLegs } from './leg-states.js';
import type { Order, Stage } from './model.js';
import { withOrder } from './order-fold.js';
import { centreOf, orderNamed } from './order.js';
import { checkStage, type StageData } from './order-stages.js';
import { folding, type CommandOf, type Deciders, type Reducers } from './tables.js';
import { Refusal, type Tx } from './tx.js';

interface Merged extends StageData {
  into: string;
}
interface Unmerged extends StageData {
  to: Stage;
  into: string;
}

export const mergeReducers: Reducers = {
  'order.merged': folding<Merged>((docs, { orderId, data: { from, into } }) => {
    withOrder(docs, orderId!, (sub) => ({ ...sub, stage: 'merged', mergedInto: into, mergedFrom: from! }));
    withOrder(docs, into, (main) => ({ ...main, subs: [...main.subs, orderId!] }));
  }),
  'order.unmerged': folding<Unmerged>((docs, { orderId, data: { to, into } }) => {
    withOrder(docs, orderId!, ({ mergedInto: _into, mergedFrom: _from, ...sub }) => ({ ...sub, stage: to }));
    withOrder(docs, into, (main) => ({ ...main, subs: main.subs.filter((id) => id !== orderId) }));
  }),
};

export const mergeDeciders: Deciders = {
  'order.merge': merge,
  'order.unmerge': (tx, { orderId }) => {
    const sub = orderNamed(tx, orderId);
    const notMerged = new Refusal('notMerged', `order ${sub.number} follows no main order`);
    if (sub.mergedInto === undefined) throw notMerged;
    // A sub is recorded with its main order and no longer `merged` then: this reason comes first.
    const main = orderNamed(tx, sub.mergedInto);
    if (main.stage === 'recorded' || main.stage === 'closed') {
      throw new Refusal('mainRecorded', `the main order ${main.number} is ${main.stage}; merging stands`);
    }
    if (sub.stage !== 'merged') throw notMerged;
    unmergeSub(tx, sub);
    return { orderId, from: main.id };
  },
};

const OPEN: readonly Stage[] = ['received', 'issued', 'atCentre', 'dispatched', 'waiting'];

function merge(tx: Tx, { orderId, into, confirm }: CommandOf<'order.merge'>): { orderId: string; into: string } {
  const sub = orderNamed(tx, orderId);
  const main = mainNamed(tx, into);
  checkStage(sub, 'merging', ...OPEN, 'returned');
  if (sub.id === main.id) throw new Refusal('sameOrder', 'an order cannot follow itself', 422);
  if (sub.subs.length > 0) {
    throw new Refusal('hasSubs', `${sub.subs.length} orders follow ${sub.number}; merge them one by one`, 409, {
      subs: sub.subs,
    });
  }
  for (const leg of openLegs(sub)) confirmOnSite(leg, confirm, ['confirm', 'mergeTheOther']);
  tx.emit({
    type: 'order.merged',
    orderId,
    ...centreOf(sub),
    data: { from: sub.stage, into: main.id } satisfies Merged,
  });
  recallOpenLegs(tx, orderId, 'merged');
  return { orderId, into: main.id };
}

function mainNamed(tx: Tx, id: string): Readonly<Order> {
  const main = tx.get('order', id);
  if (!main) throw new Refusal('unknownOrder', `there is no order ${id} to merge into`, 422);
  if (main.mergedInto !== undefined && main.stage === 'merged') {
    throw new Refusal('mainIsMerged', `order ${main.number} follows another one itself`, 409, {
      into: main.mergedInto,
    });
  }
  checkStage(main, 'merging into it', ...OPEN, 'returned', 'repaired');
  return main;
}

/** The sub is an order of its own again: at the stage where it was, as far as its legs still say so. */
export function unmergeSub(tx: Tx, sub: Readonly<Order>): void {
  const from = sub.mergedFrom ?? 'received';
  const onTheRoad = from === 'dispatched' || from === 'atCentre' || from === 'waiting';
  const to: Stage = !onTheRoad ? from : openLegs(sub).length > 0 ? 'dispatched' : 'atCentre';
  const data: Unmerged = { from: sub.stage, to, into: sub.mergedInto! };
  tx.emit({ type: 'order.unmerged', orderId: sub.id, ...centreOf(sub), data });
}
