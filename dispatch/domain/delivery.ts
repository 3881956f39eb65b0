/**
 * The rules of delivery: what a vehicle's terminal is sent, and what its answers mean (domain.md, "The vehicle's
 * queue"). Deliveries follow from changes of legs and queues through the hooks; the plan does the comparing.
 */
import { LINK_ENDED, NO_ANSWER } from './command-expiry.js';
import type { DeliveryInFlight, DeliveryNumbered, DeliveryProgressed, DeliveryWaits } from './delivery-fold.js';
import { emitEnd, outboxOf, queueItem, refs } from './delivery-items.js';
import { CANCELLED, plan, viewOf, wasWritten, type View } from './delivery-plan.js';
import type { DomainEvent } from './events.js';
import { legRemovalConfirmed, legSent } from './leg.js';
import { isEffective } from './leg-states.js';
import { remindText, urgeText } from './menu.js';
import type { Delivery } from './model.js';
import {
  isList, isOpen, isOrder, isOrderClass, nextInLane, OPEN_ITEMS_LIMIT, pauseAfter, retriesOf,
} from './outbox.js'; // prettier-ignore
import type { QueueChanged } from './queue.js';
import type { CommandOf, Deciders, Hook, Hooks, Result } from './tables.js';
import { Refusal, type Tx } from './tx.js';
import type { Urged } from './urge.js';

// ---------------------------------------------------------------------------------------------------------------
// What the delivery loop and people say

export const deliveryDeciders: Deciders = {
  'delivery.written': written,
  'delivery.unanswered': (tx, { vehicleId, deliveryId }) => {
    const item = itemOf(tx, vehicleId, deliveryId);
    if (item.state !== 'inFlight') throw new Refusal('notInFlight', `item ${deliveryId} is ${item.state}`);
    if (item.superseded) emitEnd(tx, 'delivery.voided', item, item.superseded);
    else if (item.expiresAt !== undefined) emitEnd(tx, 'delivery.expired', item, NO_ANSWER);
    else {
      const data: DeliveryWaits = { deliveryId, nextAt: tx.now + tx.settings.delivery.unansweredEveryMs };
      tx.emit({ type: 'delivery.unanswered', ...refs(vehicleId, item), data });
    }
    plan(tx, vehicleId);
    return { deliveryId };
  },
  'delivery.failed': (tx, { vehicleId, deliveryId, result }) => {
    const item = itemOf(tx, vehicleId, deliveryId);
    if (isOpen(item)) emitEnd(tx, 'delivery.refused', item, result);
    plan(tx, vehicleId);
    return { deliveryId };
  },
  'delivery.cancel': (tx, { vehicleId, deliveryId }) => {
    const item = itemOf(tx, vehicleId, deliveryId);
    if (item.state !== 'queued' || item.attempts.length > 0) {
      throw new Refusal('alreadySent', 'it was sent already, or has ended: it cannot be cancelled any more');
    }
    if (isList(item) || item.kind === 'recall') {
      throw new Refusal('notCancellable', 'lists and recalls keep terminal and queue in step: they are not cancelled');
    }
    emitEnd(tx, 'delivery.voided', item, CANCELLED);
    return { deliveryId };
  },
  'delivery.command': (tx, { vehicleId, name, arguments: args, once, awaits, expiresAt }) => {
    roomFor(tx, vehicleId);
    const command = { name, arguments: args, ...(once ? { once } : {}), ...(awaits ? { awaits } : {}) };
    return { vehicleId, deliveryId: queueItem(tx, vehicleId, 'command', { command, expiresAt }) };
  },
  'delivery.serials': (tx, { vehicleId, deliveryId, serials }) => {
    itemOf(tx, vehicleId, deliveryId);
    tx.emit({ type: 'delivery.numbered', vehicleId, data: { deliveryId, serials } satisfies DeliveryNumbered });
    return { deliveryId };
  },
  'delivery.progress': (tx, { vehicleId, deliveryId, done, of }) => {
    const item = itemOf(tx, vehicleId, deliveryId);
    if (item.state !== 'inFlight') throw new Refusal('notInFlight', `item ${deliveryId} is ${item.state}`);
    const data: DeliveryProgressed = { deliveryId, done, of };
    tx.emit({ type: 'delivery.progressed', ...refs(vehicleId, item), data });
    return { deliveryId };
  },
  'vehicle.message': (tx, { vehicleId, text, urgent }) => {
    const view = roomFor(tx, vehicleId);
    if (view.terminal?.profile === 'tracker') {
      throw new Refusal('noScreen', `the terminal of vehicle ${view.vehicle.plate} shows no texts`);
    }
    return { vehicleId, deliveryId: queueItem(tx, vehicleId, 'notice', { text, ...(urgent ? { urgent } : {}) }) };
  },
  'vehicle.resend': (tx, { vehicleId }) => {
    existing(tx, vehicleId);
    tx.emit({ type: 'outbox.forgotten', vehicleId, data: {} });
    plan(tx, vehicleId, { list: true, again: true, resend: true });
    return { vehicleId };
  },
};

/**
 * The item is about to be written. Decided before the bytes go out, so that nothing that may have reached the terminal
 * is ever taken for never sent; an item that a crash kept from the wire goes out with the next link.
 */
function written(tx: Tx, command: CommandOf<'delivery.written'>): Result {
  const { vehicleId, deliveryId, serials, messageId, node, fence } = command;
  const view = existing(tx, vehicleId);
  const { terminal, vehicle } = view;
  if (terminal?.blocked || terminal?.contested) throw new Refusal('held', 'orders go out when a person has decided');
  if (vehicle.link.state !== 'up') throw new Refusal('linkDown', `vehicle ${vehicleId} is not connected`);
  if (vehicle.link.node !== undefined && vehicle.link.node !== node) {
    throw new Refusal('notOwner', `node ${vehicle.link.node} holds the terminal, not ${node}`);
  }
  if (fence !== undefined && vehicle.link.fence !== undefined && vehicle.link.fence !== fence) {
    throw new Refusal('notOwner', `another session holds the terminal of vehicle ${vehicleId}`);
  }
  const outbox = outboxOf(tx, vehicleId);
  const item = itemOf(tx, vehicleId, deliveryId);
  const step = nextInLane(outbox, isOrderClass(item), tx.now, tx.settings.delivery);
  if ((step.do !== 'write' && step.do !== 'retry') || step.item.id !== deliveryId) {
    throw new Refusal('notNext', `item ${deliveryId} is not the next of its outbox`);
  }
  const retry = retryNumber(tx, item);
  const attempt = { at: tx.now, node, retry, ...(serials ? { serials } : {}), ...(messageId ? { messageId } : {}) };
  const data: DeliveryInFlight = { deliveryId, attempt, nextAt: tx.now + pauseAfter(retry, tx.settings.delivery) };
  tx.emit({ type: 'delivery.inFlight', ...refs(vehicleId, item), data });
  if (isOrder(item)) legSent(tx, { orderId: item.orderId!, leg: item.leg! });
  return { deliveryId };
}

/** What was set aside is tried once every five minutes, not with a whole round of retries. */
function retryNumber(tx: Tx, item: Delivery): number {
  if (item.state === 'inFlight') return retriesOf(item) + 1;
  return item.state === 'unanswered' ? tx.settings.delivery.retries : 0;
}

function existing(tx: Tx, vehicleId: string): View {
  const view = viewOf(tx, vehicleId);
  if (!view) throw new Refusal('unknownVehicle', `there is no vehicle ${vehicleId}`, 404);
  return view;
}

function itemOf(tx: Tx, vehicleId: string, deliveryId: string): Delivery {
  const item = outboxOf(tx, vehicleId).items.find(({ id }) => id === deliveryId);
  if (!item) throw new Refusal('unknownDelivery', `vehicle ${vehicleId} has no item ${deliveryId}`, 404);
  return item;
}

function roomFor(tx: Tx, vehicleId: string): View {
  const view = existing(tx, vehicleId);
  if (outboxOf(tx, vehicleId).items.filter(isOpen).length >= OPEN_ITEMS_LIMIT) {
    throw new Refusal('outboxFull', `${OPEN_ITEMS_LIMIT} items wait for vehicle ${view.vehicle.plate} already`);
  }
  return view;
}

// ---------------------------------------------------------------------------------------------------------------
// What follows from changes elsewhere

const planVehicle: Hook = (tx, { vehicleId }) => {
  if (vehicleId !== undefined) plan(tx, vehicleId);
};

/** Vehicles that have the order in their queue. */
const planOrder: Hook = (tx, event) => {
  for (const { vehicleId } of openLegs(tx, event)) plan(tx, vehicleId);
};

export const deliveryHooks: Hooks = {
  'leg.queued': planVehicle,
  'leg.read': planVehicle,
  'leg.accepted': planVehicle,
  'leg.enRoute': planVehicle,
  'leg.onSite': planVehicle,
  'leg.working': planVehicle,
  'leg.suspended': planVehicle,
  'leg.workDone': planVehicle,
  'leg.completed': planVehicle,
  'leg.recalled': planVehicle,
  'leg.rejected': planVehicle,
  'leg.expired': planVehicle,
  'leg.recalling': recalling,
  'queue.changed': (tx, event) => {
    const { why } = event.data as QueueChanged;
    plan(tx, event.vehicleId!, { reorder: why === 'reorder' });
  },
  'order.edited': planOrder,
  'order.urged': urged,
  'order.reminded': reminded,
  'vehicle.edited': planVehicle,
  'terminal.created': planVehicle,
  'terminal.edited': planVehicle,
  'terminal.registered': planVehicle,
  'terminal.authenticated': planVehicle,
  'terminal.swapAccepted': planVehicle,
  'link.up': linkUp,
  'link.down': (tx, event) => backToQueue(tx, event.vehicleId!),
};

/** A recall of what never was on the wire is confirmed at once; otherwise the terminal must say that it is gone. */
function recalling(tx: Tx, { vehicleId, orderId, leg }: DomainEvent): void {
  const view = viewOf(tx, vehicleId!);
  const recalled = view?.recalling.find((one) => one.orderId === orderId && one.leg === leg);
  if (!view || !recalled) return;
  const { record, key } = recalled;
  const told = record.toldByPhone || record.points.F !== undefined;
  if (!told && !wasWritten(outboxOf(tx, vehicleId!), orderId!, leg!)) {
    legRemovalConfirmed(tx, { orderId: orderId!, leg: leg!, how: 'neverGotIt' });
  } else {
    const { revision } = view.vehicle.queue;
    tx.emit({ type: 'outbox.tombstone', vehicleId, orderId, leg, data: { key, revision } });
  }
  plan(tx, vehicleId!);
}

/** The customer called again: the cab that has the order, or the main order of its group, hears of it. */
function urged(tx: Tx, { orderId, leg, vehicleId, data }: DomainEvent): void {
  const { urge: call, sound } = data as Urged;
  const order = tx.get('order', orderId!);
  if (!sound || !order || leg === undefined || vehicleId === undefined) return;
  const held = order.mergedInto === undefined ? order : (tx.get('order', order.mergedInto) ?? order);
  const language = tx.get('vehicle', vehicleId)?.language ?? 'zh-CN';
  urge(tx, vehicleId, held.id, leg, urgeText(held.number, call.note, language));
  plan(tx, vehicleId);
}

function reminded(tx: Tx, { orderId, leg, vehicleId }: DomainEvent): void {
  const order = tx.get('order', orderId!);
  if (!order || leg === undefined || vehicleId === undefined) return;
  const language = tx.get('vehicle', vehicleId)?.language ?? 'zh-CN';
  urge(tx, vehicleId, order.id, leg, remindText(order.number, language), { asksToAccept: true });
}

/** Sounds in the cab about one leg: the newest words replace older ones that were not sent. */
function urge(
  tx: Tx,
  vehicleId: string,
  orderId: string,
  leg: number,
  text: string,
  more: Pick<Delivery, 'asksToAccept'> = {},
): void {
  const view = viewOf(tx, vehicleId);
  if (!view?.rules.orders) return;
  for (const item of outboxOf(tx, vehicleId).items) {
    const waits = item.kind === 'urge' && item.state === 'queued' && item.orderId === orderId && item.leg === leg;
    if (waits) emitEnd(tx, 'delivery.voided', item, 'a newer reminder follows');
  }
  queueItem(tx, vehicleId, 'urge', { orderId, leg, text, ...more });
}

function openLegs(tx: Tx, { orderId }: DomainEvent): { vehicleId: string; leg: number }[] {
  const order = orderId === undefined ? undefined : tx.get('order', orderId);
  return order ? order.legs.filter(isEffective).map(({ vehicleId, leg }) => ({ vehicleId, leg })) : [];
}

/** After each link: what had no answer goes again, the list goes in any case, and is compared where the terminal can. */
function linkUp(tx: Tx, { vehicleId }: DomainEvent): void {
  const view = viewOf(tx, vehicleId!);
  if (!view) return;
  backToQueue(tx, vehicleId!);
  if (view.rules.compares) tx.emit({ type: 'outbox.comparing', vehicleId, data: {} });
  plan(tx, vehicleId!, { list: view.rules.list !== 'none', again: true });
}

/** What was on its way on a link that ended, and what was set aside, waits for the next one. */
function backToQueue(tx: Tx, vehicleId: string): void {
  for (const item of outboxOf(tx, vehicleId).items) {
    if (item.state !== 'inFlight' && item.state !== 'unanswered') continue;
    if (item.superseded) emitEnd(tx, 'delivery.voided', item, item.superseded);
    else if (item.command?.once) emitEnd(tx, 'delivery.receipted', item, LINK_ENDED);
    else tx.emit({ type: 'delivery.queued', ...refs(vehicleId, item), data: { deliveryId: item.id } });
  }
}
