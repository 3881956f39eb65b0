/**
 * A circle in the terminal for every open order (domain.md, "Rank of evidence": fence in the terminal): the terminal
 * itself notices when it arrives, also where no radio reaches. The outbox keeps which circle is which leg's, also after
 * the leg has ended: what a terminal noticed in a radio hole comes later.
 */
import { emitEnd, outboxOf, queueItem } from './delivery-items.js';
import type { View } from './delivery-plan.js';
import { emptyOutbox, isOpen, legKey } from './outbox.js';
import { PEOPLES_AREA_IDS, type Fence, type Outbox } from './model.js';
import { folding, type Appliers, type Reducers, type ReportOf } from './tables.js';
import { arrivedByFence } from './terminal-actions.js';
import type { Tx } from './tx.js';
import { candidate } from './watch.js';

/** Functions of the terminal that set and remove circles (gateway/terminal-functions/fences.ts). */
export const FENCE_SET = 'fence-set';
export const FENCE_REMOVE = 'fence-remove';
/** Circles remembered after their removal. */
const REMOVED_KEPT = 50;

interface Planned {
  key: string;
  fence: Fence;
}
interface Dropped {
  key: string;
  at: number;
}

export const fenceReducers: Reducers = {
  'fence.planned': folding<Planned>((docs, { vehicleId, data: { key, fence } }) => {
    const before = docs.get('outbox', vehicleId!) ?? emptyOutbox(vehicleId!);
    docs.put('outbox', vehicleId!, { ...before, fences: { ...before.fences, [key]: fence } });
  }),
  'fence.dropped': folding<Dropped>((docs, { vehicleId, data: { key, at } }) => {
    const before = docs.get('outbox', vehicleId!);
    const fence = before?.fences?.[key];
    if (!before || !fence) return;
    const all = Object.entries({ ...before.fences, [key]: { ...fence, removedAt: at } });
    const removed = all.filter(([, one]) => one.removedAt !== undefined);
    removed.sort(([, a], [, b]) => a.removedAt! - b.removedAt!);
    const forgotten = new Set(removed.slice(0, Math.max(0, removed.length - REMOVED_KEPT)).map(([other]) => other));
    docs.put('outbox', vehicleId!, { ...before, fences: Object.fromEntries(all.filter(([k]) => !forgotten.has(k))) });
  }),
};

/** Brings the terminal's circles in line with the vehicle's open legs. Called twice it does nothing the second time. */
export function planFences(tx: Tx, view: View): void {
  const { vehicle, terminal } = view;
  const before = outboxOf(tx, vehicle.id).fences ?? {};
  const able = terminal !== undefined && terminal.options.fences === true && terminal.profile !== 'mqtt';
  const open = able ? view.open : [];
  const wanted = new Set(open.map(({ key }) => key));
  for (const [key, fence] of Object.entries(before)) {
    if (fence.removedAt === undefined && !wanted.has(key)) drop(tx, vehicle.id, key, fence);
  }
  for (const { key, order } of open) {
    const { lat, lon } = order.site;
    const { radiusM } = tx.settings.arrival;
    const { phone, identity } = terminal!;
    const device = `${phone}/${identity?.terminalId ?? ''}`;
    const held = before[key];
    const same = held?.lat === lat && held.lon === lon && held.radiusM === radiusM && held.device === device;
    if (same && held.removedAt === undefined) continue;
    const id = held?.id ?? freeId(key, outboxOf(tx, vehicle.id));
    voidWaiting(tx, vehicle.id, id);
    const fence: Fence = { id, lat, lon, radiusM, device };
    tx.emit({ type: 'fence.planned', vehicleId: vehicle.id, data: { key, fence } satisfies Planned });
    const name = `${order.number}/${key.slice(key.lastIndexOf('/') + 1)}`;
    queueItem(tx, vehicle.id, 'command', {
      command: { name: FENCE_SET, arguments: { id, lat, lon, radiusM, name } },
    });
  }
}

function drop(tx: Tx, vehicleId: string, key: string, { id }: Fence): void {
  tx.emit({ type: 'fence.dropped', vehicleId, data: { key, at: tx.now } satisfies Dropped });
  voidWaiting(tx, vehicleId, id);
  const written = outboxOf(tx, vehicleId).items.some((item) => isSetting(item, id) && item.attempts.length > 0);
  if (written) queueItem(tx, vehicleId, 'command', { command: { name: FENCE_REMOVE, arguments: { ids: [id] } } });
}

/** What was not written yet is of no use any more: another circle, or none, takes its place. */
function voidWaiting(tx: Tx, vehicleId: string, id: number): void {
  for (const item of outboxOf(tx, vehicleId).items) {
    if (!isSetting(item, id) || !isOpen(item)) continue;
    emitEnd(tx, item.state === 'inFlight' ? 'delivery.superseded' : 'delivery.voided', item, 'the circle has changed');
  }
}

function isSetting({ command }: Outbox['items'][number], id: number): boolean {
  return command?.name === FENCE_SET && (command.arguments as { id: number }).id === id;
}

/** From order and leg, so that both sides find it again: FNV-1a, 32 bits; the next free one where two fall together. */
function freeId(key: string, { fences = {} }: Readonly<Outbox>): number {
  let id = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) id = Math.imul(id ^ key.charCodeAt(i), 0x01000193) >>> 0;
  const used = new Set(Object.values(fences).map((fence) => fence.id));
  const first = PEOPLES_AREA_IDS + 1;
  while (id < first || used.has(id)) id = id < first || id === 0xffff_ffff ? first : id + 1;
  return id;
}

export const fenceAppliers: Appliers = { 'report.crossing': crossed };

/**
 * The terminal crossed a circle. Only the leg that the crew works on arrives by it: driving past the site of another
 * queued order is no arrival. A leg that has ended since keeps it as evidence. Areas that are not ours say nothing. Nor does
 * leaving: no time point of domain.md is the departure from a site (G is the start for it, and for the next order a start
 * from where the vehicle stood), and who leaves without a key has not said that the work is done.
 */
function crossed(tx: Tx, report: ReportOf<'report.crossing'>): void {
  const { vehicleId, areaId, direction } = report;
  const fences = tx.get('outbox', vehicleId)?.fences ?? {};
  const key = Object.keys(fences).find((one) => fences[one]!.id === areaId);
  if (key === undefined || direction === 'out') return;
  const orderId = key.slice(0, key.lastIndexOf('/'));
  const leg = Number(key.slice(key.lastIndexOf('/') + 1));
  const vehicle = tx.get('vehicle', vehicleId);
  const queued = vehicle?.queue.entries.some((entry) => legKey(entry.orderId, entry.leg) === key);
  if (vehicle && queued) {
    const orders = new Map(
      vehicle.queue.entries.flatMap(({ orderId: id }) => {
        const order = tx.get('order', id);
        return order ? [[id, order] as const] : [];
      }),
    );
    const chosen = candidate(vehicle, orders, tx.get('terminal', vehicle.terminal.phone)?.profile ?? 'tracker');
    if (chosen?.orderId !== orderId || chosen.leg !== leg) return;
  }
  const { phone, receivedAt, deviceAt } = report;
  arrivedByFence(tx, { vehicleId, phone, receivedAt, orderId, leg, ...(deviceAt === undefined ? {} : { deviceAt }) });
}
