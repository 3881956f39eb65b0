/**
 * Orders are synchronised state, not sent commands: this compares what a vehicle's terminal must show with what it is
 * known to hold and what is already on its way, queues what lacks and voids what became senseless. It may be called at
 * any time; called twice it does nothing the second time.
 */
import { emitEnd, outboxOf, queueItem } from './delivery-items.js';
import { planFences } from './fences.js';
import { isAtLeast, progressOf } from './leg-states.js';
import { assignIds, legsThatFit, menuLines, recalledText, type MenuLine } from './menu.js';
import type { Delivery, DeliveryKind, Leg, MenuEvent, Order, Outbox, Terminal, Vehicle } from './model.js';
import { isList, isOpen, isOrder, isOrderClass, legKey } from './outbox.js';
import { DEFAULT_TERMINAL_OPTIONS, PROFILE_RULES, type ProfileRules } from './profiles.js';
import type { Tx } from './tx.js';

/** A leg of the queue with its order. */
export interface QueuedLeg {
  key: string;
  orderId: string;
  leg: number;
  state: Leg['state'];
  order: Readonly<Order>;
  record: Readonly<Leg>;
}

/** A vehicle as the rules of delivery see it. */
export interface View {
  vehicle: Readonly<Vehicle>;
  terminal: Readonly<Terminal> | undefined;
  rules: ProfileRules;
  /** Legs that the terminal must show as far as they fit, in queue order. */
  open: QueuedLeg[];
  /** Legs whose removal the terminal must confirm. */
  recalling: QueuedLeg[];
}

export interface PlanOptions {
  /** Send the list although the terminal confirmed it: after each link. */
  list?: boolean;
  /** Try again what the terminal refused: after a new link, a comparison, or by command. */
  again?: boolean;
  /** The queue only changed its order. */
  reorder?: boolean;
  /** By a person's command: also what a person cancelled. */
  resend?: boolean;
}

export function viewOf(tx: Tx, vehicleId: string): View | undefined {
  const vehicle = tx.get('vehicle', vehicleId);
  if (!vehicle) return undefined;
  const terminal = tx.get('terminal', vehicle.terminal.phone);
  const legs = queuedLegs(vehicle, (id) => tx.get('order', id));
  return {
    vehicle,
    terminal,
    rules: PROFILE_RULES[terminal?.profile ?? 'tracker'],
    open: legs.filter(({ state }) => state !== 'recalling'),
    recalling: legs.filter(({ state }) => state === 'recalling'),
  };
}

function queuedLegs(vehicle: Readonly<Vehicle>, orderOf: (id: string) => Readonly<Order> | undefined): QueuedLeg[] {
  const legs: QueuedLeg[] = [];
  for (const { orderId, leg } of vehicle.queue.entries) {
    const order = orderOf(orderId);
    const record = order?.legs.find((candidate) => candidate.leg === leg);
    if (order && record) legs.push({ key: legKey(orderId, leg), orderId, leg, state: record.state, order, record });
  }
  return legs;
}

/** What a snapshot of the queue holds now: legs that the terminal has room for, in queue order, with their versions. */
export function snapshotOf(
  vehicle: Readonly<Vehicle>,
  terminal: Readonly<Terminal>,
  orderOf: (id: string) => Readonly<Order> | undefined,
): { orderId: string; leg: number; contentVersion: number }[] {
  const open = queuedLegs(vehicle, orderOf).filter(({ state }) => state !== 'recalling');
  return snapshotLegs({ open, terminal }).map(({ orderId, leg, record }) => ({
    orderId,
    leg,
    contentVersion: record.contentVersion,
  }));
}

/** Brings the outbox of a vehicle in line with its queue. */
export function plan(tx: Tx, vehicleId: string, options: PlanOptions = {}): void {
  const view = viewOf(tx, vehicleId);
  if (!view) return;
  adoptTerminal(tx, view);
  const menu = view.rules.list === 'menu' ? menuOf(tx, view) : undefined;
  const shown = shownLegs(view, menu);
  voidSenseless(tx, view, shown);
  queueRecalls(tx, view, options);
  if (view.rules.orders) queueOrders(tx, view, shown, options);
  if (menu) queueMenu(tx, view, menu, options);
  else if (view.rules.list === 'snapshot') queueSnapshot(tx, view, options);
  else forgetEnded(tx, view);
  confirmWithoutList(tx, view, shown);
  planFences(tx, view);
}

/**
 * The outbox is about one terminal and one way to show orders. Another terminal, or another profile, holds nothing: what
 * was on its way is void, and everything is sent again, as the same legs.
 */
function adoptTerminal(tx: Tx, view: View): void {
  const { terminal } = view;
  if (!terminal) return;
  const before = outboxOf(tx, view.vehicle.id).terminal;
  const now = { phone: terminal.phone, profile: terminal.profile, terminalId: terminal.identity?.terminalId };
  if (before && before.phone === now.phone && before.profile === now.profile && before.terminalId === now.terminalId) {
    return;
  }
  const vehicleId = view.vehicle.id;
  tx.emit({ type: 'outbox.terminal', vehicleId, data: now });
  const firstIdentity = before?.terminalId === undefined && before?.phone === now.phone;
  if (!before || (firstIdentity && before.profile === now.profile)) return;
  for (const item of outboxOf(tx, vehicleId).items) {
    if (isOpen(item) && isOrderClass(item)) endItem(tx, item, 'for another terminal');
  }
  tx.emit({ type: 'outbox.forgotten', vehicleId, data: {} });
}

// ---- which legs ----

/** The legs whose content the terminal must have: those that it has room to show. */
function shownLegs(view: View, menu: MenuPlan | undefined): QueuedLeg[] {
  if (!view.rules.orders) return [];
  return menu ? view.open.filter(({ key }) => menu.keys.has(key)) : snapshotLegs(view);
}

/** Legs of a snapshot, in queue order: what `smart`, `mqtt` and `text` terminals have room for. */
export function snapshotLegs({ open, terminal }: Pick<View, 'open' | 'terminal'>): QueuedLeg[] {
  return legsThatFit(open, (terminal?.options ?? DEFAULT_TERMINAL_OPTIONS).maxLegs);
}

interface MenuPlan {
  ids: number[];
  allocated: MenuEvent[];
  keys: Set<string>;
}

function menuOf(tx: Tx, view: View): MenuPlan {
  const outbox = outboxOf(tx, view.vehicle.id);
  const { maxEvents } = view.terminal?.options ?? DEFAULT_TERMINAL_OPTIONS;
  const lines: MenuLine[] = menuLines(snapshotLegs(view), maxEvents);
  const { revision } = view.vehicle.queue;
  const { ids, allocated } = assignIds(outbox.menu, lines, revision, tx.now, tx.settings.menuIdRestMs);
  const meaning = new Map([...outbox.menu, ...allocated].map((event) => [event.id, event]));
  const keys = ids
    .map((id) => meaning.get(id)!)
    .filter(({ orderId }) => orderId !== undefined)
    .map(({ orderId, leg }) => legKey(orderId!, leg!));
  return { ids, allocated, keys: new Set(keys) };
}

// ---- what became senseless ----

function voidSenseless(tx: Tx, view: View, shown: QueuedLeg[]): void {
  const wanted = new Map(shown.map((leg) => [leg.key, leg]));
  const open = new Map(view.open.map((leg) => [leg.key, leg]));
  for (const item of outboxOf(tx, view.vehicle.id).items) {
    if (!isOpen(item) || item.superseded || item.orderId === undefined) continue;
    const key = legKey(item.orderId, item.leg!);
    const reason = whySenseless(item, view, wanted.get(key), open.get(key));
    if (reason !== undefined) endItem(tx, item, reason);
  }
}

function whySenseless(
  item: Delivery,
  view: View,
  leg: QueuedLeg | undefined,
  open: QueuedLeg | undefined,
): string | undefined {
  if (isOrder(item)) {
    if (!leg) return open ? 'waits for room on the terminal' : 'the order left the queue';
    if (item.contentVersion !== leg.record.contentVersion) return 'the order was changed';
    const reRanked = item.attempts.length === 0 && item.kind !== orderKind(leg);
    return reRanked ? 'the priority was changed' : undefined;
  }
  if (item.kind === 'recall') {
    if (open) return 'the recall was taken back';
    return view.rules.recall === 'none' ? 'the terminal shows no orders' : undefined;
  }
  if (item.asksToAccept && open && isAtLeast(progressOf(open.record), 'accepted')) return 'the crew has accepted';
  return open || item.kind === 'notice' ? undefined : 'the order left the queue';
}

/** Ends an item that nobody needs any more. One in flight keeps its place until its answer comes or stays out. */
function endItem(tx: Tx, item: Delivery, result: string): void {
  emitEnd(tx, item.state === 'inFlight' ? 'delivery.superseded' : 'delivery.voided', item, result);
}

// ---- recalls ----

function queueRecalls(tx: Tx, view: View, options: PlanOptions): void {
  const kind = view.rules.recall;
  if (kind === 'none') return;
  for (const { key, orderId, leg, order, record } of view.recalling) {
    const outbox = outboxOf(tx, view.vehicle.id);
    const before = outbox.items.filter(
      (item) => item.kind === 'recall' && item.orderId === orderId && item.leg === leg,
    );
    const since = record.recall?.at ?? 0;
    if (before.some((item) => isOpen(item) && !item.superseded)) continue;
    if (before.some((item) => item.createdAt >= since && isSettled(item, view, options))) continue;
    if (kind === 'listAndText' && !outbox.held[key] && !wasWritten(outbox, orderId, leg)) continue;
    const text = kind === 'remove' ? undefined : recalledText(order.number, view.vehicle.language);
    queueItem(tx, view.vehicle.id, 'recall', { orderId, leg, contentVersion: record.contentVersion, text });
  }
}

/** Answered, or refused without a reason to try again. */
function isSettled(item: Delivery, view: View, options: PlanOptions): boolean {
  return item.state === 'receipted' || (item.state === 'refused' && !triesAgain(item, view, options));
}

/** What the terminal refused on an earlier link is tried on this one, once. */
function triesAgain(item: Delivery, view: View, options: PlanOptions): boolean {
  return options.resend === true || (options.again === true && item.endedAt! < view.vehicle.link.since);
}

/** True when bytes about the leg may have reached the terminal: its content, or a list with one of its steps. */
export function wasWritten(outbox: Readonly<Outbox>, orderId: string, leg: number): boolean {
  if (outbox.held[legKey(orderId, leg)] !== undefined) return true;
  const ids = new Set(
    outbox.menu.filter((event) => event.orderId === orderId && event.leg === leg).map((event) => event.id),
  );
  return outbox.items.some(
    (item) =>
      item.attempts.length > 0 &&
      ((isOrder(item) && item.orderId === orderId && item.leg === leg) || item.list?.some((id) => ids.has(id))),
  );
}

// ---- orders ----

function queueOrders(tx: Tx, view: View, shown: QueuedLeg[], options: PlanOptions): void {
  for (const leg of shown) {
    const outbox = outboxOf(tx, view.vehicle.id);
    const version = leg.record.contentVersion;
    if ((outbox.held[leg.key] ?? 0) >= version) continue;
    const same = outbox.items.filter(
      (item) =>
        isOrder(item) && item.orderId === leg.orderId && item.leg === leg.leg && item.contentVersion === version,
    );
    if (same.some((item) => isOpen(item) && !item.superseded)) continue;
    if (same.some((item) => isDeclined(item, view, options))) continue;
    queueItem(tx, view.vehicle.id, orderKind(leg), { orderId: leg.orderId, leg: leg.leg, contentVersion: version });
  }
}

function orderKind(leg: QueuedLeg): DeliveryKind {
  return leg.order.priority === 'urgent' ? 'urgentOrder' : 'order';
}

/** What a person cancelled stays so until the content changes; what the terminal refused, until there is news of it. */
export const CANCELLED = 'cancelled';
function isDeclined(item: Delivery, view: View, options: PlanOptions): boolean {
  if (item.state === 'voided') return item.result === CANCELLED && !options.resend;
  return item.state === 'refused' && !triesAgain(item, view, options);
}

// ---- lists ----

function queueSnapshot(tx: Tx, view: View, options: PlanOptions): void {
  const { revision, confirmedRevision } = view.vehicle.queue;
  const outbox = outboxOf(tx, view.vehicle.id);
  const lists = outbox.items.filter(isList);
  const waiting = lists.filter((item) => isOpen(item) && !item.superseded);
  const current = waiting.find((item) => item.revision === revision);
  voidOthers(tx, waiting, current);
  if (current || (confirmedRevision >= revision && !options.list)) return;
  if (!options.list && isFutile(view, outbox, revision)) return;
  queueItem(tx, view.vehicle.id, listKind(waiting, options), { revision });
}

/** Result of a list that the terminal answered with what it holds, because it lacks something. */
export const ANSWERED_BY_HOLDINGS = 'holdings';

/**
 * A list that was refused, or answered with holdings although nothing new had reached the terminal, would only be
 * answered the same way again: on one link it is sent once more for every order that arrived.
 */
function isFutile(view: View, outbox: Readonly<Outbox>, revision: number): boolean {
  const onLink = outbox.items.filter((item) => (item.endedAt ?? -Infinity) >= view.vehicle.link.since);
  const inVain = (item: Delivery): boolean => item.state === 'refused' || item.result === ANSWERED_BY_HOLDINGS;
  const vain = onLink.filter((item) => isList(item) && item.revision === revision && inVain(item)).length;
  return vain > onLink.filter((item) => isOrder(item) && item.state === 'receipted').length;
}

function queueMenu(tx: Tx, view: View, menu: MenuPlan, options: PlanOptions): void {
  const outbox = outboxOf(tx, view.vehicle.id);
  const { revision, confirmedRevision } = view.vehicle.queue;
  const lists = outbox.items.filter((item) => item.list !== undefined);
  const waiting = lists.filter((item) => isOpen(item) && !item.superseded);
  const removes = view.recalling.length > 0;
  const isSame = (item: Delivery): boolean => item.revision === revision && sameIds(item.list, menu.ids);
  const current = waiting.find(
    (item) => isSame(item) && (!removes || item.kind === 'recall' || item.attempts.length > 0),
  );
  voidOthers(tx, waiting, current);
  const confirmed = confirmedRevision >= revision && sameIds(outbox.confirmedList, menu.ids);
  if (current || (confirmed && !options.list)) return;
  if (lists.some((item) => item.state === 'refused' && isSame(item)) && !options.list) return;
  const kind = removes ? 'recall' : listKind(waiting, options);
  queueItem(tx, view.vehicle.id, kind, { revision, list: menu.ids }, menu.allocated);
}

function sameIds(a: readonly number[] | undefined, b: readonly number[]): boolean {
  return a !== undefined && a.length === b.length && a.every((id, i) => id === b[i]);
}

/** Only the newest list is sent. */
function voidOthers(tx: Tx, waiting: Delivery[], current: Delivery | undefined): void {
  for (const item of waiting) if (item !== current) endItem(tx, item, 'a newer list follows');
}

/** A list that only reorders is less urgent, unless it takes the place of one that was not confirmed. */
function listKind(replaced: Delivery[], options: PlanOptions): DeliveryKind {
  return options.reorder && replaced.every((item) => item.kind === 'reorder') ? 'reorder' : 'revision';
}

// ---- terminals without a list ----

function forgetEnded(tx: Tx, view: View): void {
  const inQueue = new Set([...view.open, ...view.recalling].map(({ key }) => key));
  const keys = Object.keys(outboxOf(tx, view.vehicle.id).held).filter((key) => !inQueue.has(key));
  if (keys.length > 0) tx.emit({ type: 'outbox.removed', vehicleId: view.vehicle.id, data: { keys } });
}

/** Where nothing shows the list, the queue is confirmed when every text was. */
function confirmWithoutList(tx: Tx, view: View, shown: QueuedLeg[]): void {
  const { rules, vehicle } = view;
  if (rules.list !== 'none' || !rules.orders || vehicle.queue.confirmedRevision >= vehicle.queue.revision) return;
  const { held } = outboxOf(tx, vehicle.id);
  const complete =
    shown.length === view.open.length && shown.every(({ key, record }) => held[key] === record.contentVersion);
  if (!complete || view.recalling.length > 0) return;
  tx.emit({ type: 'queue.confirmed', vehicleId: vehicle.id, data: { revision: vehicle.queue.revision } });
}

// ---- items ----
