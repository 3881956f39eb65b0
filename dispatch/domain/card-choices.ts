/** What each choice on a card does. Cards and their choices are raised where their subject is. */
import { changeDuty } from './duty.js';
import { advanceLeg, beginRecall, finishWork, furthest, moveLeg, restoreLeg } from './leg.js';
import { isEffective, legOf } from './leg-states.js';
import { resolveLinkCard } from './link.js';
import { unmergeSub } from './merge.js';
import type { Card, Leg, Order } from './model.js';
import { reassignToNext } from './next-crew.js';
import { settleCards } from './cards.js';
import type { Deciders, Hooks } from './tables.js';
import { claimForLeg } from './time-points.js';
import { Refusal, type Tx } from './tx.js';

type Choice = (tx: Tx, card: Readonly<Card>) => void;
const nothing: Choice = () => {};

/** Card code → choice → what it does. A choice that only says "seen" changes nothing else. */
const CHOICES: Record<string, Record<string, Choice>> = {
  crossedRecall: {
    keep: (tx, card) => {
      const { order, leg } = legOfCard(tx, card);
      if (leg.state !== 'recalling' && leg.state !== 'recalled') throw stale(card);
      if (order.stage === 'repaired' || order.stage === 'recorded' || order.stage === 'closed') throw stale(card);
      restoreLeg(tx, order.id, leg.leg);
      reviveOrder(tx, order.id);
    },
    insist: nothing,
  },
  doneAfterRecall: {
    makeEffective: (tx, card) => {
      const { order, leg } = legOfCard(tx, card);
      if (leg.cycle !== order.cycles.at(-1)!.cycle || leg.state === 'workDone' || leg.state === 'completed')
        throw stale(card);
      if (order.stage === 'recorded' || order.stage === 'closed') throw stale(card);
      if (order.stage === 'merged') unmergeSub(tx, order);
      finishWork(tx, order.id, leg.leg, true);
    },
    keepAsEvidence: nothing,
  },
  otherOnSite: {
    suspendOther: (tx, card) => {
      const { order, leg } = legOfCard(tx, card);
      const active = tx.get('vehicle', leg.vehicleId)?.active;
      if (active) moveLeg(tx, active.orderId, active.leg, 'suspended', { reason: 'crewLeft' });
      if (isEffective(leg)) advanceLeg(tx, order.id, leg.leg, furthest(leg));
    },
    ignore: nothing,
  },
  stoodAtOther: {
    arrived: (tx, card) => {
      const { order, leg } = legOfCard(tx, card);
      const at = Math.max(leg.createdAt, Number(card.data['at'] ?? tx.now));
      claimForLeg(tx, order.id, leg.leg, { point: 'H', at, rank: 'serverFence', flags: [] });
      if (advanceLeg(tx, order.id, leg.leg, 'onSite'))
        throw new Refusal('otherOnSite', `${leg.vehicleId} is on site of another order`);
    },
    ignore: nothing,
  },
  refusedUnderWay: {
    recall: (tx, card) => {
      const { order, leg } = legOfCard(tx, card);
      beginRecall(tx, order.id, leg.leg, textOf(card.data['reason']) ?? 'refused');
    },
    ignore: nothing,
  },
  nextCrew: { reassign: reassignToNext, ignore: nothing },
  breakMoved: {
    endBreak: (tx, card) => {
      const vehicle = tx.get('vehicle', card.vehicleId!);
      if (vehicle?.duty.state === 'onBreak') changeDuty(tx, vehicle, { to: 'standby', reason: 'moved' });
    },
    ignore: nothing,
  },
  breakNeedsConfirmation: {
    grant: (tx, card) => {
      const vehicle = tx.get('vehicle', card.vehicleId!);
      if (vehicle) changeDuty(tx, vehicle, { to: 'onBreak', confirm: true });
    },
    refuse: (tx, card) => {
      const data = { to: 'onBreak', code: 'refused', message: 'the dispatcher refused', details: {} };
      tx.emit({ type: 'duty.refused', vehicleId: card.vehicleId!, data });
    },
  },
};

export const cardDeciders: Deciders = {
  'card.resolve': (tx, { cardId, choice, note }) => {
    const card = tx.get('card', cardId);
    if (!card) throw new Refusal('unknownCard', `there is no card ${cardId}`, 404);
    if (card.resolved) {
      throw new Refusal('alreadyResolved', `${card.resolved.by} chose ${card.resolved.choice}`, 409, {
        ...card.resolved,
      });
    }
    if (!card.choices.includes(choice)) {
      throw new Refusal('unknownChoice', `choice is ${choice}; expected one of ${card.choices.join(', ')}`, 422, {
        choices: card.choices,
      });
    }
    CHOICES[card.code]?.[choice]?.(tx, card);
    if (card.kind === 'swapped' || card.kind === 'contested')
      resolveLinkCard(tx, card.code, choice, String(card.data['phone']));
    settleCards(tx, cardId, choice, note);
    return { cardId, choice, ...(card.orderId === undefined ? {} : { orderId: card.orderId }) };
  },
};

/** A question that has answered itself waits for nobody. */
export const cardHooks: Hooks = {
  'leg.enRoute': settleOnRoad,
  'leg.onSite': settleOnRoad,
  'leg.workDone': (tx, { orderId, leg }) => settleCards(tx, `conflict:${orderId}:${leg}`, 'workDone'),
};

function settleOnRoad(tx: Tx, { type, orderId, leg }: { type: string; orderId?: string; leg?: number }): void {
  settleCards(tx, `proposal:${orderId}:${leg}:otherOnSite`, type);
  settleCards(tx, `proposal:${orderId}:${leg}:stoodAtOther`, type);
}

function legOfCard(tx: Tx, card: Readonly<Card>): { order: Readonly<Order>; leg: Leg } {
  const order = card.orderId === undefined ? undefined : tx.get('order', card.orderId);
  const leg = order && card.leg !== undefined ? legOf(order, card.leg) : undefined;
  if (!order || !leg) throw stale(card);
  return { order, leg };
}

/** Keeping a recalled leg brings its order back from where the recall had sent it. */
function reviveOrder(tx: Tx, orderId: string): void {
  const order = tx.get('order', orderId)!;
  if (order.stage === 'merged') unmergeSub(tx, order);
  else if (order.stage === 'returned' || order.stage === 'withdrawn' || order.stage === 'waiting') {
    const centre = order.repairCentreId === undefined ? {} : { centreId: order.repairCentreId };
    tx.emit({ type: 'order.dispatched', orderId, ...centre, data: { from: order.stage } });
  }
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

function stale(card: Readonly<Card>): Refusal {
  return new Refusal('overtaken', `what card ${card.id} asks is overtaken by events`);
}
