/** Moves everything from one store to another, and proves that it is there. */
import { createClock, type ClockOrigin } from '../../dispatch/clock.js';
import type { DispatchStore } from '../../dispatch/store/store.js';
import { copyAll, type Progress } from './copy.js';
import { MARK, refuseUnfinished, type Mark } from './mark.js';
import { PARTS, summarise, type Summary } from './summary.js';

export interface MigrationOptions {
  /** URL of the source, without a password: a migration that was cut off is taken up from the same source only. */
  fromUrl: string;
  progress: Progress;
}

export interface Migrated {
  /** The target had been filled in part by an earlier run. */
  resumed: boolean;
  summary: Summary;
}

/**
 * Copies and verifies. The source is only read. Run again after it was cut off, it goes on. Rejects when a gateway runs
 * on either store, when the target holds something else, and when counts or hashes differ in the end.
 */
export async function migrate(from: DispatchStore, to: DispatchStore, options: MigrationOptions): Promise<Migrated> {
  await refuseUnfinished(from);
  await refuseRunning(from, 'source');
  await refuseRunning(to, 'target');
  const resumed = await begin(to, options.fromUrl);
  await copyAll(from, to, options.progress);
  const nodes = await from.ingestNodes();
  const [source, target] = [await summarise(from), await summarise(to, nodes)];
  await refuseRunning(from, 'source');
  const differing = PARTS.filter((part) => source[part].hash !== target[part].hash);
  if (differing.length > 0) {
    const words = differing.map((part) => `${part} (${source[part].count} in the source, ${target[part].count} in the target)`); // prettier-ignore
    throw new Error(`the target differs from the source in ${words.join(', ')}`);
  }
  await to.setMeta(MARK, { from: options.fromUrl, finished: true } satisfies Mark);
  return { resumed, summary: source };
}

/** @returns whether an earlier run is taken up */
async function begin(to: DispatchStore, fromUrl: string): Promise<boolean> {
  const mark = (await to.meta(MARK)) as Mark | undefined;
  if (mark?.finished === false && mark.from === fromUrl) return true;
  if (mark?.finished === false)
    throw new Error(`the target is being filled from ${mark.from}: finish that, or empty it`);
  if (mark?.from === fromUrl) throw new Error(`the target was filled from ${fromUrl} already, and verified`);
  const empty =
    (await to.lastPosition()) === 0 && (await to.metaKeys()).length === 0 && (await to.ingestNodes()).length === 0;
  if (!empty) throw new Error('the target holds data already: expected an empty store');
  await to.setMeta(MARK, { from: fromUrl, finished: false } satisfies Mark);
  return false;
}

/** An embedded store cannot be opened beside its gateway; on Redis a gateway shows by the lease of its ingest log. */
async function refuseRunning(store: DispatchStore, which: string): Promise<void> {
  const kept = (await store.meta('clock')) as (ClockOrigin & { rate: number }) | undefined;
  const now = kept ? createClock({ rate: kept.rate, origin: kept }).now() : Date.now();
  for (const node of await store.ingestNodes()) {
    const lease = await store.owner(`ingest:${node}`, now);
    if (lease === undefined) continue;
    throw new Error(`gateway ${lease.node} runs on the ${which}: stop it first (after a crash, wait 10 s)`);
  }
}
