/**
 * What is kept how long (settings `retention…`): positions, photos, customers’ data, the audit log and raw
 * frames, once an hour of gateway time.
 */
import type { Actor } from '../dispatch/domain/events.js';
import { trimSignInFailures } from '../dispatch/api/throttle.js';
import { trimAudit } from '../dispatch/audit.js';
import { hasEnded } from '../dispatch/domain/erase.js';
import type { Media, Order } from '../dispatch/domain/model.js';
import { erase } from '../dispatch/erasure.js';
import { Refusal } from '../dispatch/domain/tx.js';
import { timeKey } from '../dispatch/indexes.js';
import type { DispatchPort } from '../dispatch/ports.js';
import type { Config } from './config/settings.js';
import { leaseName } from './ingest/log-ownership.js';

interface Log {
  info(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}

/** How far a node's log had been applied at a time: what lies before it is older. */
interface Mark {
  at: number;
  sequence: number;
}

const DAY_MS = 86_400_000;
const EVERY_MS = 3_600_000;

/** One look at everything that may be past its time. Safe on several nodes at once: trimming twice trims once. */
export async function sweep(
  dispatch: DispatchPort,
  config: Pick<Config, `retention${'Positions' | 'Photos' | 'Orders' | 'Audit' | 'Frames'}`>,
  log: Log,
): Promise<void> {
  const { store, clock } = dispatch;
  const now = clock.now();
  const blocks = await store.trimPositions(now - config.retentionPositions * DAY_MS);
  if (blocks > 0) log.info({ blocks }, 'positions past their retention were deleted');
  const photosBefore = now - config.retentionPhotos * DAY_MS;
  const photos = (await forgetMedia(dispatch, photosBefore)) + (await forgetPhotos(dispatch, photosBefore));
  if (photos > 0) log.info({ photos }, 'photos past their retention were deleted');
  const orders = await eraseOld(dispatch, now - config.retentionOrders * DAY_MS);
  if (orders > 0) log.info({ orders }, 'customers’ data past its retention was deleted from closed orders');
  const entries = await trimAudit(store, now - config.retentionAudit * DAY_MS);
  if (entries > 0) log.info({ entries }, 'entries of the audit log past their retention were deleted');
  await trimSignInFailures(store, now);
  for (const node of await store.ingestNodes())
    await trimFrames(dispatch, node, now - config.retentionFrames * DAY_MS, log);
}

const actor: Actor = { source: 'rule', name: 'retention', roles: [] };

/** The document first: one without its bytes would be shown. @returns how many photos were deleted */
async function forgetMedia(dispatch: DispatchPort, before: number): Promise<number> {
  let deleted = 0;
  for (;;) {
    const page = await dispatch.scan({ index: 'media', to: timeKey(before), limit: 100 });
    for (const { value } of page.items) {
      const { id, blob } = value as Media;
      await dispatch.execute({ type: 'media.forget', mediaId: id }, actor).catch((error: unknown) => {
        // Another node was faster.
        if (!(error instanceof Refusal)) throw error;
      });
      await dispatch.store.deleteBlob(blob);
      deleted++;
    }
    if (page.items.length < 100) return deleted;
  }
}

/** @returns how many orders were erased */
async function eraseOld(dispatch: DispatchPort, before: number): Promise<number> {
  let erased = 0;
  await eachEnded(dispatch, 'retention:orders', before, async (orders) => {
    const left = orders.filter(({ erasedAt }) => erasedAt === undefined);
    await erase(dispatch, left, { execute: (command) => dispatch.execute(command, actor) });
    erased += left.length;
  });
  return erased;
}

/** Photos that the crews' records name; the names stay. @returns how many */
async function forgetPhotos(dispatch: DispatchPort, before: number): Promise<number> {
  let deleted = 0;
  await eachEnded(dispatch, 'retention:photos', before, async (orders) => {
    for (const { id, cycles } of orders) {
      for (const photo of cycles.flatMap(({ record }) => record?.photos ?? [])) {
        await dispatch.store.deleteBlob(`photo/${id}/${photo}`);
        deleted++;
      }
    }
  });
  return deleted;
}

/**
 * Orders created before a time that have ended, oldest first, from where the last sweep stopped. One that has not ended
 * holds the mark, so that it is looked at again.
 */
async function eachEnded(
  dispatch: DispatchPort,
  key: string,
  before: number,
  act: (orders: Order[]) => Promise<void>,
): Promise<void> {
  const { store } = dispatch;
  let mark = ((await store.meta(key)) as string | undefined) ?? '';
  let waiting = false;
  const from = mark;
  for (let after: string | undefined; ;) {
    const page = await dispatch.scan({
      index: 'orders',
      from,
      to: timeKey(before),
      limit: 100,
      ...(after && { after }),
    });
    const ended: Order[] = [];
    for (const { value } of page.items) {
      const order = value as Order;
      const main = order.mergedInto === undefined ? undefined : await dispatch.get('order', order.mergedInto);
      if (hasEnded(order, main?.value)) ended.push(order);
      else waiting = true;
      // Behind this order: the index goes by time of creation, then id.
      if (!waiting) mark = `${timeKey(order.createdAt)}/${order.id}\u0001`;
    }
    await act(ended);
    after = page.next;
    if (after === undefined) break;
  }
  if (mark !== from) await store.setMeta(key, mark);
}

/** The log has no times of its own, so a mark a day remembers where it was. */
async function trimFrames({ store, clock }: DispatchPort, node: string, before: number, log: Log): Promise<void> {
  const key = `retention:${node}`;
  const marks = ((await store.meta(key)) as Mark[] | undefined) ?? [];
  const past = marks.filter((mark) => mark.at <= before).at(-1);
  if (past) {
    await store.trimIngest(node, past.sequence);
    log.info({ node, sequence: past.sequence }, 'raw frames past their retention were deleted');
    // Nothing since, and nobody there: the others need not look after it any more.
    const lives = (await store.owner(leaseName(node), clock.now()))?.node === node;
    if (!lives && (await store.ingestState(node)).appended === past.sequence && (await store.forgetIngest(node))) {
      log.info({ node }, 'a node that is gone, and whose log is empty, was forgotten');
      return store.setMeta(key, []);
    }
  }
  const kept = marks.filter((mark) => mark.at > before);
  const due = clock.now() - (marks.at(-1)?.at ?? -Infinity) >= DAY_MS;
  if (due) kept.push({ at: clock.now(), sequence: (await store.ingestState(node)).applied });
  if (due || past) await store.setMeta(key, kept);
}

export function startRetention(dispatch: DispatchPort, config: Config, log: Log): { stop(): Promise<void> } {
  let running: Promise<void> = Promise.resolve();
  const timer = dispatch.clock.every(EVERY_MS, () => {
    running = running
      .then(() => sweep(dispatch, config, log))
      .catch((error: unknown) => log.error({ err: error }, 'retention failed; it is tried again'));
  });
  return {
    stop: () => {
      timer.cancel();
      return running;
    },
  };
}
