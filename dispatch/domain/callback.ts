/** The call-back that closes an order, and re-opening with a new cycle. */
import type { CallBack, Cycle, Order } from './model.js';
import { changeCycle, withOrder } from './order-fold.js';
import { centreOf, orderNamed } from './order.js';
import { centreNamed, FIRST_CENTRE } from './organisation.js';
import { checkStage, emitStage, type StageData } from './order-stages.js';
import { limitsFor } from './segments.js';
import { folding, type CommandOf, type Deciders, type Reducers } from './tables.js';
import { setOrderPoint } from './time-points.js';
import type { Tx } from './tx.js';

interface Reopened extends StageData {
  cycle: Cycle;
  note?: string;
}

export const callbackReducers: Reducers = {
  'order.calledBack': folding<{ callBack: CallBack }>((docs, { orderId, data }) => {
    withOrder(docs, orderId!, (order) =>
      changeCycle(order, (cycle) => ({ ...cycle, callBacks: [...cycle.callBacks, data.callBack] })),
    );
  }),
  'order.reopened': folding<Reopened>((docs, { orderId, data, committedAt }) => {
    withOrder(docs, orderId!, ({ mergedInto: _into, mergedFrom: _from, receivedBy: _by, ...order }) => {
      const ended = changeCycle(order, (cycle) => ({ ...cycle, endedAt: cycle.endedAt ?? committedAt }));
      // Subs of a recorded order have its result and go their own ways; before that they still follow it.
      const subs = data.from === 'repaired' ? order.subs : [];
      const repairCentreId = data.cycle.issues[0]!.centreId;
      return { ...ended, stage: 'atCentre', repairCentreId, cycles: [...ended.cycles, data.cycle], subs };
    });
  }),
};

export const callbackDeciders: Deciders = {
  'order.callback': callBack,
  'order.reopen': (tx, { orderId, note, reason }) => {
    const order = orderNamed(tx, orderId);
    checkStage(order, 're-opening', 'repaired', 'recorded', 'closed');
    reopen(tx, order, note ?? reason);
    return { orderId, cycle: tx.get('order', orderId)!.cycles.length };
  },
};

/** Results after which nobody is called again. */
const CLOSES: readonly CallBack['result'][] = ['satisfied', 'unsatisfied', 'notWanted'];

function callBack(
  tx: Tx,
  { orderId, result, words }: CommandOf<'order.callback'>,
): { orderId: string; stage: string; tries: number } {
  const order = orderNamed(tx, orderId);
  checkStage(order, 'calling back', 'recorded');
  const made: CallBack = { at: tx.now, by: tx.actor.name, result, ...(words === undefined ? {} : { words }) };
  tx.emit({ type: 'order.calledBack', orderId, ...centreOf(order), data: { callBack: made } });
  const after = tx.get('order', orderId)!;
  const tries = after.cycles.at(-1)!.callBacks.filter((one) => one.result === 'noAnswer').length;
  if (result === 'stillDark') reopen(tx, after, words);
  else if (CLOSES.includes(result) || tries >= tx.settings.callBackTries) emitStage(tx, after, 'closed');
  return { orderId, stage: tx.get('order', orderId)!.stage, tries };
}

/** A new cycle with B = C = now and the first call's A; the earlier cycle's verdict stands. */
function reopen(tx: Tx, order: Readonly<Order>, note?: string): void {
  const before = order.cycles.at(-1)!;
  // An order that was merged before it was issued has its main order's repair centre.
  const main = order.mergedInto === undefined ? undefined : tx.get('order', order.mergedInto);
  const centre = centreNamed(tx, order.repairCentreId ?? main?.repairCentreId ?? FIRST_CENTRE);
  const limitsMin = limitsFor(tx.settings, centre, order.site.siteClass);
  const cycle: Cycle = {
    cycle: before.cycle + 1,
    points: before.points.A ? { A: before.points.A } : {},
    issues: [{ centreId: centre.id, at: tx.now, atCentreAt: tx.now, by: tx.actor.name, limitsMin }],
    startedAt: tx.now,
    callBacks: [],
  };
  const data: Reopened = { from: order.stage, cycle, ...(note === undefined ? {} : { note }) };
  tx.emit({ type: 'order.reopened', orderId: order.id, centreId: centre.id, data });
  for (const point of ['B', 'C'] as const) {
    setOrderPoint(tx, tx.get('order', order.id)!, { point, at: tx.now, rank: 'rule', flags: [] });
  }
}
