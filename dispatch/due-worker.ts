/** Does what becomes due by time: claims due documents, so that one node only does it, and runs their rules. */
import { dueRulesOf } from './domain/due.js';
import type { DocKind } from './domain/model.js';
import type { Tx } from './domain/tx.js';
import type { Clock } from './ports.js';
import type { DispatchStore, StoredDoc } from './store/store.js';

export interface DueWorkerOptions {
  store: DispatchStore;
  clock: Clock;
  node: string;
  log: { warn(fields: Record<string, unknown>, message: string): void };
  tick(kind: DocKind, id: string, rule: (tx: Tx) => void, name: string): Promise<void>;
}

/** Another node takes over what a dead one had claimed, after this (gateway time). */
const LEASE_MS = 10_000;
/** The store is asked at least this often (gateway time): another node may have written an earlier due time. */
const LOOK_EVERY_MS = 1_000;
const AT_ONCE = 100;

export function startDueWorker({ store, clock, node, log, tick }: DueWorkerOptions): { cancel(): void } {
  let cancelled = false;
  let timer: { cancel(): void } | undefined;

  const work = async (): Promise<void> => {
    let claimed: StoredDoc[] = [];
    try {
      do {
        claimed = await store.due(clock.now(), node, LEASE_MS, AT_ONCE);
        for (const doc of claimed) {
          if (cancelled) return;
          await tickOne(doc);
        }
      } while (claimed.length === AT_ONCE && !cancelled);
    } catch (error) {
      log.warn({ err: error }, 'due work could not be claimed; trying again');
    }
    if (!cancelled) timer = clock.after(LOOK_EVERY_MS, () => void work());
  };

  const tickOne = async ({ kind, id }: StoredDoc): Promise<void> => {
    for (const rule of dueRulesOf(kind)) {
      try {
        await tick(kind as DocKind, id, (tx) => rule.tick(tx, id), rule.name);
      } catch (error) {
        // The claim runs out and the work is tried again.
        log.warn({ err: error, kind, id, rule: rule.name }, 'due work failed; trying again later');
      }
    }
  };

  void work();
  return {
    cancel() {
      cancelled = true;
      timer?.cancel();
    },
  };
}
