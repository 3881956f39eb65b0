/** How outboxes change: one reducer for each event of deliveries. The rules that emit them are in delivery.ts. */
import { keepAreas } from './areas.js';
import type { DomainEvent } from './events.js';
import { retireAbsent } from './menu.js';
import type { Delivery, DeliveryAttempt, MenuEvent, Outbox } from './model.js';
import { ATTEMPTS_KEPT, emptyOutbox, ENDED_ITEMS_KEPT, isList, isOpen } from './outbox.js';
import { folding, type Documents, type Reducer, type Reducers } from './tables.js';

/** `delivery.queued`: a new item, or (with `deliveryId`) one that waits for the next link again. */
export interface DeliveryQueued {
  item?: Delivery;
  deliveryId?: string;
  /** `menu`: ids that got a meaning, or came back into use. */
  allocated?: MenuEvent[];
}
export interface DeliveryInFlight {
  deliveryId: string;
  attempt: DeliveryAttempt;
  nextAt: number;
}
/** `delivery.unanswered`, `delivery.acknowledged`: when it is looked at again. */
export interface DeliveryWaits {
  deliveryId: string;
  nextAt: number;
}
/** `delivery.receipted`, `.refused`, `.voided`, `.expired`: the end of an item, `delivery.superseded`: senseless. */
export interface DeliveryEnded {
  deliveryId: string;
  result?: string;
  answer?: unknown;
}
/** `delivery.numbered`: serials of the newest attempt. */
export interface DeliveryNumbered {
  deliveryId: string;
  serials: [number, number];
}
/** `delivery.progressed`: parts of a long message. */
export interface DeliveryProgressed {
  deliveryId: string;
  done: number;
  of: number;
}
/** `outbox.held`: what the terminal holds, as far as it was said; `replace`: this is all that it holds. */
export interface OutboxHeld {
  held: Record<string, number>;
  replace?: boolean;
}
export interface OutboxRemoved {
  keys: string[];
}
export interface QueueConfirmed {
  revision: number;
}

export const deliveryReducers: Reducers = {
  'delivery.queued': onOutbox<DeliveryQueued>((outbox, { data }) => {
    if (data.deliveryId !== undefined) return edit(outbox, data.deliveryId, { state: 'queued', nextAt: undefined });
    const menu = data.allocated ? merge(outbox.menu, data.allocated) : outbox.menu;
    return { ...outbox, menu, items: [...outbox.items, data.item!] };
  }),
  'delivery.inFlight': onOutbox<DeliveryInFlight>((outbox, { data: { deliveryId, attempt, nextAt } }) => {
    const before = outbox.items.find((item) => item.id === deliveryId);
    const attempts = bounded([...(before?.attempts ?? []), attempt]);
    const next = edit(outbox, deliveryId, { state: 'inFlight', attempts, nextAt, acknowledgedAt: undefined });
    return before && isList(before) ? { ...next, comparingSince: undefined } : next;
  }),
  'delivery.numbered': onOutbox<DeliveryNumbered>((outbox, { data: { deliveryId, serials } }) => {
    const attempts = outbox.items.find((item) => item.id === deliveryId)?.attempts ?? [];
    const newest = attempts.at(-1);
    if (!newest) return outbox;
    return edit(outbox, deliveryId, { attempts: [...attempts.slice(0, -1), { ...newest, serials }] });
  }),
  'delivery.progressed': onOutbox<DeliveryProgressed>((outbox, { data: { deliveryId, done, of } }) =>
    edit(outbox, deliveryId, { progress: { done, of } }),
  ),
  'delivery.acknowledged': onOutbox<DeliveryWaits>((outbox, { data, committedAt }) =>
    edit(outbox, data.deliveryId, { acknowledgedAt: committedAt, nextAt: data.nextAt }),
  ),
  'delivery.superseded': onOutbox<DeliveryEnded>((outbox, { data }) =>
    edit(outbox, data.deliveryId, { superseded: data.result }),
  ),
  'delivery.unanswered': onOutbox<DeliveryWaits>((outbox, { data }) =>
    edit(outbox, data.deliveryId, { state: 'unanswered', nextAt: data.nextAt, acknowledgedAt: undefined }),
  ),
  'delivery.receipted': folding<DeliveryEnded>((docs, event) => {
    const before = docs.get('outbox', event.vehicleId!) ?? emptyOutbox(event.vehicleId!);
    docs.put('outbox', event.vehicleId!, receipted(before, event));
    const command = before.items.find(({ id }) => id === event.data.deliveryId)?.command;
    if (command) keepAreas(docs, before, command, event.committedAt);
  }),
  'delivery.refused': ending('refused'),
  'delivery.voided': ending('voided'),
  'delivery.expired': ending('expired'),
  'outbox.comparing': onOutbox((outbox, { committedAt }) => ({ ...outbox, comparingSince: committedAt })),
  'outbox.held': onOutbox<OutboxHeld>((outbox, { data }) => ({
    ...outbox,
    held: data.replace ? data.held : { ...outbox.held, ...data.held },
    comparingSince: data.replace ? undefined : outbox.comparingSince,
  })),
  'outbox.forgotten': onOutbox((outbox) => ({ ...outbox, held: {}, confirmedList: undefined })),
  'outbox.terminal': onOutbox<NonNullable<Outbox['terminal']>>((outbox, { data }) => ({ ...outbox, terminal: data })),
  'outbox.removed': onOutbox<OutboxRemoved>((outbox, { data }) => ({
    ...outbox,
    held: without(outbox.held, data.keys),
    tombstones: without(outbox.tombstones, data.keys),
  })),
  'outbox.tombstone': onOutbox<{ key: string; revision: number }>((outbox, { data, committedAt }) => ({
    ...outbox,
    tombstones: { ...outbox.tombstones, [data.key]: { removedAt: committedAt, revision: data.revision } },
  })),
  'queue.confirmed': folding<QueueConfirmed>((docs, { vehicleId, data, committedAt }) => {
    const vehicle = docs.get('vehicle', vehicleId!);
    if (!vehicle) return;
    const queue = { ...vehicle.queue, confirmedRevision: data.revision, confirmedAt: committedAt };
    docs.put('vehicle', vehicle.id, { ...vehicle, queue });
  }),
};

type OutboxFold<Data> = (outbox: Readonly<Outbox>, event: DomainEvent<string, Data>) => Outbox;

function onOutbox<Data = unknown>(fold: OutboxFold<Data>): Reducer {
  return folding<Data>((docs: Documents, event) => {
    const id = event.vehicleId!;
    docs.put('outbox', id, fold(docs.get('outbox', id) ?? emptyOutbox(id), event));
  });
}

function ending(state: 'refused' | 'voided' | 'expired'): Reducer {
  return onOutbox<DeliveryEnded>((outbox, { data, committedAt }) => end(outbox, data, state, committedAt));
}

function receipted(outbox: Readonly<Outbox>, { data, committedAt }: DomainEvent<string, DeliveryEnded>): Outbox {
  const item = outbox.items.find(({ id }) => id === data.deliveryId);
  const ended = end(outbox, data, 'receipted', committedAt);
  if (!item?.list) return ended;
  // Ids on a list that is still on its way are in use, although the confirmed one lacks them.
  const listed = new Set(item.list);
  for (const other of ended.items) if (isOpen(other)) other.list?.forEach((id) => listed.add(id));
  return { ...ended, confirmedList: item.list, menu: retireAbsent(ended.menu, listed, committedAt) };
}

function edit(outbox: Readonly<Outbox>, id: string, changes: Partial<Delivery>): Outbox {
  return { ...outbox, items: outbox.items.map((item) => (item.id === id ? { ...item, ...changes } : item)) };
}

function end(outbox: Readonly<Outbox>, data: DeliveryEnded, state: Delivery['state'], at: number): Outbox {
  const { result, answer } = data;
  const changes: Partial<Delivery> = { state, endedAt: at, nextAt: undefined };
  if (result !== undefined) changes.result = result;
  if (answer !== undefined) changes.answer = answer;
  return forgetOldest(edit(outbox, data.deliveryId, changes));
}

function forgetOldest(outbox: Outbox): Outbox {
  let surplus = outbox.items.reduce((count, item) => count + Number(!isOpen(item)), 0) - ENDED_ITEMS_KEPT;
  if (surplus <= 0) return outbox;
  return { ...outbox, items: outbox.items.filter((item) => isOpen(item) || surplus-- <= 0) };
}

/** The first attempt says when it all began; of the rest the newest count. */
function bounded(attempts: DeliveryAttempt[]): DeliveryAttempt[] {
  return attempts.length <= ATTEMPTS_KEPT ? attempts : [attempts[0]!, ...attempts.slice(1 - ATTEMPTS_KEPT)];
}

function merge(table: readonly MenuEvent[], changed: readonly MenuEvent[]): MenuEvent[] {
  const byId = new Map(table.map((event) => [event.id, event]));
  for (const event of changed) byId.set(event.id, event);
  return [...byId.values()].sort((a, b) => a.id - b.id);
}

function without<T>(record: Record<string, T>, keys: readonly string[]): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !keys.includes(key)));
}
