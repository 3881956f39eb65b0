/** Assigning, recalling and reassigning: which vehicle has an order. */
import { beginRecall, createLeg, legRemovalConfirmed, resumeLeg } from './leg.js';
import { effectiveOpenLeg, isEffective, isOnSite, isOpen, legOf, openLegs, progressOf } from './leg-states.js';
import type { Leg, Order, Vehicle } from './model.js';
import { acceptForCentre, centreOf, orderNamed } from './order.js';
import { checkStage, emitStage } from './order-stages.js';
import { checkRoom, vehicleNamed } from './queue.js';
import type { CommandOf, Deciders } from './tables.js';
import { Refusal, type Tx } from './tx.js';

export const assignmentDeciders: Deciders = {
  'order.assign': (tx, command) => {
    const order = orderNamed(tx, command.orderId);
    checkStage(order, 'assigning', 'issued', 'atCentre', 'dispatched', 'waiting');
    const open = effectiveOpenLeg(order);
    if (open) {
      throw new Refusal(
        'alreadyAssigned',
        `order ${order.number} is with ${open.vehicleId}; recall or reassign it`,
        409,
        {
          leg: open.leg,
          vehicleId: open.vehicleId,
        },
      );
    }
    return assign(tx, order, command);
  },
  'order.recall': (tx, command) => {
    const { order, leg } = openLegFor(tx, command);
    if (!isEffective(leg)) throw new Refusal('alreadyRecalling', `leg ${leg.leg} is being recalled already`);
    confirmOnSite(leg, command.confirm, ['complete', 'handOver', 'reallyRecall']);
    beginRecall(tx, order.id, leg.leg, command.reason ?? 'recalled');
    return { orderId: order.id, leg: leg.leg, vehicleId: leg.vehicleId };
  },
  'order.confirmRecall': (tx, { orderId, leg: number }) => {
    const order = orderNamed(tx, orderId);
    const recalling = order.legs.filter(
      (leg) => leg.state === 'recalling' && (number === undefined || leg.leg === number),
    );
    const [leg, second] = recalling;
    if (!leg) throw new Refusal('notRecalling', `no leg of ${order.number} waits for the confirmation of its recall`);
    if (second) throw legNeeded(order, recalling);
    legRemovalConfirmed(tx, { orderId, leg: leg.leg, how: 'byPhone' });
    return { orderId, leg: leg.leg, vehicleId: leg.vehicleId };
  },
  'order.reassign': (tx, command) => {
    const { order, leg } = openLegFor(tx, command);
    if (!isEffective(leg)) throw new Refusal('alreadyRecalling', `leg ${leg.leg} is being recalled; assign the order`);
    confirmOnSite(leg, command.confirm, ['complete', 'handOver', 'reallyRecall']);
    const vehicle = vehicleFor(tx, order, command);
    beginRecall(tx, order.id, leg.leg, command.reason ?? 'reassigned');
    return { orderId: order.id, leg: createLeg(tx, order.id, vehicle), vehicleId: vehicle.id };
  },
  'order.suspend': (tx, command) => {
    const { order, leg } = openLegFor(tx, command);
    suspend(tx, order.id, leg, command.reason ?? 'suspended');
    return { orderId: order.id, leg: leg.leg };
  },
  'order.resume': (tx, command) => {
    const order = orderNamed(tx, command.orderId);
    if (order.stage === 'waiting') emitStage(tx, order, openLegs(order).length > 0 ? 'dispatched' : 'atCentre');
    const suspended = order.legs.filter(
      (leg) => leg.state === 'suspended' && (command.leg === undefined || leg.leg === command.leg),
    );
    if (suspended.length === 0 && order.stage !== 'waiting') {
      throw new Refusal('notSuspended', `no leg of ${order.number} is suspended`);
    }
    for (const leg of suspended) resumeLeg(tx, order.id, leg.leg);
    return { orderId: order.id, ...(suspended[0] ? { leg: suspended[0].leg } : {}) };
  },
};

type AssignCommand = Pick<CommandOf<'order.assign'>, 'vehicleId' | 'position' | 'confirm'>;

/** Makes the order's next leg; also for the automatic mode. Implies the acceptance of the centre. */
export function assign(
  tx: Tx,
  order: Readonly<Order>,
  command: AssignCommand,
): { orderId: string; leg: number; vehicleId: string } {
  const vehicle = vehicleFor(tx, order, command);
  acceptForCentre(tx, order.id);
  const now = tx.get('order', order.id)!;
  if (now.stage === 'waiting') emitStage(tx, now, 'atCentre');
  return { orderId: order.id, leg: createLeg(tx, order.id, vehicle, command.position), vehicleId: vehicle.id };
}

function vehicleFor(tx: Tx, order: Readonly<Order>, { vehicleId, confirm }: AssignCommand): Readonly<Vehicle> {
  const vehicle = vehicleNamed(tx, vehicleId, 422);
  if (vehicle.repairCentreId !== order.repairCentreId && !confirm) {
    throw new Refusal(
      'otherCentre',
      `${vehicleId} belongs to ${vehicle.repairCentreId}, the order to ${order.repairCentreId}`,
      409,
      {
        choices: ['confirm'],
      },
    );
  }
  if (vehicle.duty.state === 'offDuty' && !confirm) {
    throw new Refusal('offDuty', `the crew of ${vehicleId} is off duty`, 409, { choices: ['confirm'] });
  }
  checkRoom(tx, vehicle, order);
  return vehicle;
}

/** Pulls an accepted leg out of the work; it keeps its place in the queue and what it was. */
export function suspend(tx: Tx, orderId: string, leg: Leg, reason: string): void {
  if (!isEffective(leg)) throw new Refusal('alreadyRecalling', `leg ${leg.leg} is being recalled`);
  if (leg.state === 'suspended') throw new Refusal('alreadySuspended', `leg ${leg.leg} is suspended already`);
  if (!SUSPENDABLE.includes(leg.state)) {
    throw new Refusal(
      'notAccepted',
      `leg ${leg.leg} is ${leg.state}; only an accepted one is suspended, recall it instead`,
    );
  }
  const order = tx.get('order', orderId)!;
  tx.emit({
    type: 'leg.suspended',
    orderId,
    leg: leg.leg,
    vehicleId: leg.vehicleId,
    ...centreOf(order),
    data: { from: leg.state, reason },
  });
}
const SUSPENDABLE: readonly string[] = ['accepted', 'enRoute', 'onSite', 'working'];

/** Recalling a leg that is on site needs a second confirmation. */
export function confirmOnSite(leg: Leg, confirm: boolean | undefined, choices: string[]): void {
  const atSite = isOnSite(leg) || progressOf(leg) === 'onSite' || progressOf(leg) === 'working';
  if (!atSite || confirm) return;
  throw new Refusal('alreadyOnSite', `the crew of ${leg.vehicleId} is on site; confirm expressly`, 409, {
    leg: leg.leg,
    vehicleId: leg.vehicleId,
    choices,
  });
}

/** The leg that a step means: the one named, else the only open one. */
export function openLegFor(tx: Tx, step: { orderId: string; leg?: number }): { order: Readonly<Order>; leg: Leg } {
  const order = orderNamed(tx, step.orderId);
  if (step.leg !== undefined) {
    const leg = legOf(order, step.leg);
    if (!leg) throw new Refusal('unknownLeg', `order ${order.number} has no leg ${step.leg}`, 404);
    if (!isOpen(leg)) throw new Refusal('legEnded', `leg ${leg.leg} is ${leg.state}`, 409, { state: leg.state });
    return { order, leg };
  }
  const open = openLegs(order);
  if (open.length === 0) throw new Refusal('noOpenLeg', `order ${order.number} is with no vehicle`);
  if (open.length > 1) throw legNeeded(order, open);
  return { order, leg: open[0]! };
}

function legNeeded(order: Readonly<Order>, legs: readonly Leg[]): Refusal {
  return new Refusal('legNeeded', `order ${order.number} has ${legs.length} such legs; name one`, 409, {
    legs: legs.map(({ leg, vehicleId, state }) => ({ leg, vehicleId, state })),
  });
}
