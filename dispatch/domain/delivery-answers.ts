/**
 * What the answers of a terminal mean for its outbox, its queue and the legs (domain.md; architecture.md, "Terminals").
 */
import type { DeliveryWaits, OutboxHeld, QueueConfirmed } from './delivery-fold.js';
import { emitEnd, outboxOf, queueItem, refs } from './delivery-items.js';
import { ANSWERED_BY_HOLDINGS, plan, snapshotLegs, viewOf, type View } from './delivery-plan.js';
import { deviceTime } from './evidence.js';
import { legDelivered, legRemovalConfirmed } from './leg.js';
import { legOf } from './leg-states.js';
import type { Delivery, Outbox } from './model.js';
import { applicationPause, isList, isOpen, isOrder, legKey } from './outbox.js';
import type { Appliers, ReportOf } from './tables.js';
import type { Tx } from './tx.js';

export const deliveryAppliers: Appliers = {
  'report.receipt': receipt,
  'report.holdings': holdings,
};

function receipt(tx: Tx, report: ReportOf<'report.receipt'>): void {
  const { vehicleId, result } = report;
  const view = viewOf(tx, vehicleId);
  if (!view) return;
  const item = outboxOf(tx, vehicleId).items.find(({ id }) => id === report.deliveryId);
  if (!item) return unnamedReceipt(tx, view, report);
  if (result !== 'ok') {
    if (isOpen(item)) emitEnd(tx, 'delivery.refused', item, result);
  } else if (!report.ofApplication && view.rules.receipt === 'application' && item.kind !== 'command') {
    acknowledge(tx, item);
  } else if (item.state !== 'receipted' && item.state !== 'refused') {
    // Ended without an answer, and here it comes: what it proves counts, the item stays ended.
    if (isOpen(item)) emitEnd(tx, 'delivery.receipted', item, 'ok');
    if (isOrder(item)) showed(tx, report, item.orderId!, item.leg!, item.contentVersion!);
    else if (isList(item)) listConfirmed(tx, vehicleId, item.revision!, item.list);
    else if (item.kind === 'recall' && view.rules.recall !== 'listAndText')
      removed(tx, vehicleId, item.orderId!, item.leg!);
  }
  plan(tx, vehicleId);
}

/** The transport has it; now the application must say that it understood (profile `smart`). */
function acknowledge(tx: Tx, item: Delivery): void {
  if (item.state !== 'inFlight' || item.acknowledgedAt !== undefined) return;
  const data: DeliveryWaits = { deliveryId: item.id, nextAt: tx.now + applicationPause(tx.settings.delivery) };
  tx.emit({ type: 'delivery.acknowledged', ...refs(item.vehicleId, item), data });
}

/** A receipt of the application that names no item that is known, but a leg or a revision. */
function unnamedReceipt(tx: Tx, view: View, report: ReportOf<'report.receipt'>): void {
  const { vehicleId, orderId, leg, revision, contentVersion } = report;
  if (report.result !== 'ok' || !report.ofApplication) return;
  if (orderId !== undefined && leg !== undefined) {
    const open = view.open.find(({ key }) => key === legKey(orderId, leg));
    if (open && contentVersion !== undefined && contentVersion > 0) {
      showed(tx, report, orderId, leg, Math.min(contentVersion, open.record.contentVersion));
    }
  } else if (revision !== undefined) listConfirmed(tx, vehicleId, revision, undefined);
  plan(tx, vehicleId);
}

/** The terminal holds the leg's content: point E. */
function showed(tx: Tx, report: ReportOf<'report.receipt'>, orderId: string, leg: number, version: number): void {
  const { vehicleId } = report;
  const { held } = outboxOf(tx, vehicleId);
  const key = legKey(orderId, leg);
  if ((held[key] ?? 0) < version) {
    const data: OutboxHeld = { held: { [key]: version } };
    tx.emit({ type: 'outbox.held', vehicleId, orderId, leg, data });
  }
  const order = tx.get('order', orderId);
  const record = order && legOf(order, leg);
  if (!record) return;
  const offsetMs = tx.get('terminal', report.phone)?.clockOffset?.ms ?? 0;
  const { lateMs } = tx.settings;
  const { at, flags } = deviceTime(report.deviceAt, report.receivedAt, record.createdAt, { offsetMs, lateMs });
  legDelivered(tx, { orderId, leg, at, flags });
}

function listConfirmed(tx: Tx, vehicleId: string, revision: number, list: number[] | undefined): void {
  const view = viewOf(tx, vehicleId)!;
  const { queue } = view.vehicle;
  if (revision > queue.confirmedRevision && revision <= queue.revision) {
    const data: QueueConfirmed = { revision };
    tx.emit({ type: 'queue.confirmed', vehicleId, data });
  }
  const outbox = outboxOf(tx, vehicleId);
  const onList =
    list && new Set(outbox.menu.filter(({ id }) => list.includes(id)).map((e) => legKey(e.orderId ?? '', e.leg ?? 0)));
  for (const { key, orderId, leg } of view.recalling) {
    const since = outbox.tombstones[key];
    if (onList ? !onList.has(key) : since !== undefined && revision >= since.revision)
      removed(tx, vehicleId, orderId, leg);
  }
  if (revision === queue.revision) forgetLeft(tx, view, outbox);
}

/** What the newest list lacks is off the terminal. */
function forgetLeft(tx: Tx, view: View, outbox: Readonly<Outbox>): void {
  const inQueue = new Set([...view.open, ...view.recalling].map(({ key }) => key));
  const keys = [...Object.keys(outbox.held), ...Object.keys(outbox.tombstones)].filter((key) => !inQueue.has(key));
  if (keys.length > 0)
    tx.emit({ type: 'outbox.removed', vehicleId: view.vehicle.id, data: { keys: [...new Set(keys)] } });
}

/** The terminal shows the leg no more. */
function removed(tx: Tx, vehicleId: string, orderId: string, leg: number): void {
  tx.emit({ type: 'outbox.removed', vehicleId, orderId, leg, data: { keys: [legKey(orderId, leg)] } });
  legRemovalConfirmed(tx, { orderId, leg, how: 'terminal' });
}

/** Upserts of one leg and version on one link; a terminal that says "held", and then not, is not asked for ever. */
const UPSERTS_PER_LINK = 3;

/**
 * The terminal says what it holds: after a new link, or because a list named what it lacks. What it lost goes out again
 * as the same leg and version; what it shows but should not is removed.
 */
function holdings(tx: Tx, report: ReportOf<'report.holdings'>): void {
  const { vehicleId, revision, entries } = report;
  const view = viewOf(tx, vehicleId);
  if (!view || !view.rules.compares) return;
  const before = outboxOf(tx, vehicleId);
  const held = Object.fromEntries(entries.map((entry) => [legKey(entry.orderId, entry.leg), entry.contentVersion]));
  for (const { key, record } of view.open) {
    const said = held[key];
    const gaveUp = upsertsOnLink(before, view, key, record.contentVersion) >= UPSERTS_PER_LINK;
    if (gaveUp && (said ?? 0) < record.contentVersion) held[key] = record.contentVersion;
    else if (said !== undefined && said > record.contentVersion) delete held[key];
  }
  const data: OutboxHeld = { held, replace: true };
  tx.emit({ type: 'outbox.held', vehicleId, data });
  const asked = before.items.find(({ id }) => id === report.deliveryId);
  if (asked && isList(asked) && isOpen(asked)) emitEnd(tx, 'delivery.receipted', asked, ANSWERED_BY_HOLDINGS);
  removeForeign(tx, view, entries);
  for (const { key, orderId, leg } of view.recalling) {
    // What was written on this link may have crossed with what the terminal says here.
    const crossed = before.items.some((item) => isOrder(item) && isAbout(item, key) && wroteOnLink(item, view));
    if (held[key] === undefined && !crossed) removed(tx, vehicleId, orderId, leg);
  }
  if (sameLegs(view, entries)) listConfirmed(tx, vehicleId, revision, undefined);
  plan(tx, vehicleId, { again: true });
}

function isAbout(item: Delivery, key: string): boolean {
  return item.orderId !== undefined && legKey(item.orderId, item.leg!) === key;
}

function wroteOnLink(item: Delivery, view: View): boolean {
  return (item.attempts.at(-1)?.at ?? -Infinity) >= view.vehicle.link.since;
}

function upsertsOnLink(outbox: Readonly<Outbox>, view: View, key: string, version: number): number {
  return outbox.items.filter(
    (item) =>
      isOrder(item) &&
      isAbout(item, key) &&
      item.contentVersion === version &&
      item.state === 'receipted' &&
      wroteOnLink(item, view),
  ).length;
}

/** Removals queued for what one list of holdings shows too much; the list itself takes the rest off. */
const REMOVALS_AT_ONCE = 50;

function removeForeign(tx: Tx, view: View, entries: ReportOf<'report.holdings'>['entries']): void {
  const vehicleId = view.vehicle.id;
  const inQueue = new Set([...view.open, ...view.recalling].map(({ key }) => key));
  const { queue } = view.vehicle;
  const listFollows = queue.confirmedRevision < queue.revision;
  for (const { orderId, leg, contentVersion } of entries.slice(0, REMOVALS_AT_ONCE)) {
    const key = legKey(orderId, leg);
    if (inQueue.has(key) || (listFollows && isDoneBy(tx, vehicleId, orderId, leg))) continue;
    const known = outboxOf(tx, vehicleId).items.some(
      (item) => item.kind === 'recall' && isAbout(item, key) && (isOpen(item) || wroteOnLink(item, view)),
    );
    if (!known) queueItem(tx, vehicleId, 'recall', { orderId, leg, contentVersion });
  }
}

/** What the crew has done itself is no order taken back: the next list takes it off the screen. */
function isDoneBy(tx: Tx, vehicleId: string, orderId: string, number: number): boolean {
  const order = tx.get('order', orderId);
  const leg = order && legOf(order, number);
  return leg?.vehicleId === vehicleId && (leg.state === 'workDone' || leg.state === 'completed');
}

/** Exactly the legs that must be shown, in their order, with their contents. */
function sameLegs(view: View, entries: ReportOf<'report.holdings'>['entries']): boolean {
  const wanted = snapshotLegs(view);
  return (
    wanted.length === entries.length &&
    wanted.every(({ key, record }, i) => {
      const entry = entries[i]!;
      return legKey(entry.orderId, entry.leg) === key && entry.contentVersion === record.contentVersion;
    })
  );
}
