/** What is kept how long (settings `retention…`): positions, photos and raw frames are trimmed once an hour of gateway time. */
import type { Actor } from '../dispatch/domain/events.js';
import type { Media } from '../dispatch/domain/model.js';
import { Refusal } from '../dispatch/domain/tx.js';
import { timeKey } from '../dispatch/indexes.js';
import type { DispatchPort } from '../dispatch/ports.js';
import type { Config } from './config/settings.js';

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
  config: Pick<Config, 'retentionPositions' | 'retentionPhotos' | 'retentionFrames'>,
  log: Log,
): Promise<void> {
  const { store, clock } = dispatch;
  const now = clock.now();
  const blocks = await store.trimPositions(now - config.retentionPositions * DAY_MS);
  if (blocks > 0) log.info({ blocks }, 'positions past their retention were deleted');
  const photos = await forgetMedia(dispatch, now - config.retentionPhotos * DAY_MS);
  if (photos > 0) log.info({ photos }, 'photos past their retention were deleted');
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

/** The log has no times of its own, so a mark a day remembers where it was. */
async function trimFrames({ store, clock }: DispatchPort, node: string, before: number, log: Log): Promise<void> {
  const key = `retention:${node}`;
  const marks = ((await store.meta(key)) as Mark[] | undefined) ?? [];
  const past = marks.filter((mark) => mark.at <= before).at(-1);
  if (past) {
    await store.trimIngest(node, past.sequence);
    log.info({ node, sequence: past.sequence }, 'raw frames past their retention were deleted');
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
