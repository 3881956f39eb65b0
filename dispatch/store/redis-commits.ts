/**
 * Commits on Redis: one Lua function each, tried again while the server is away. A commit has an id by which one whose
 * answer was lost is known again.
 */
import { randomUUID } from 'node:crypto';
import { StoreError } from './errors.js';
import { docKey, indexEntry } from './keys.js';
import type { PreparedBatch } from './prepare.js';
import type { Arg, RedisConnection } from './redis-connection.js';
import { isPassing } from './redis-errors.js';
import type { RedisKeys } from './redis-keys.js';
import type { RedisSettings } from './redis-options.js';
import type { RedisPositions } from './redis-positions.js';
import { toResult } from './redis-replies.js';
import { scripts } from './redis-scripts.js';
import type { RedisWatch } from './redis-watch.js';
import type { CommitResult } from './store.js';
import type { BlockRows } from './track-block.js';

/** Far longer than a commit is tried again. */
const COMMIT_MEMORY_MS = 600_000;
const RETRY_DELAY_MS = { first: 50, most: 1_000 };

export class RedisCommits {
  constructor(
    private readonly redis: RedisConnection,
    private readonly keys: RedisKeys,
    private readonly settings: RedisSettings,
    private readonly positions: RedisPositions,
    private readonly watch: RedisWatch,
  ) {}

  /** Positions of `groups` are written first (see `RedisStore.commit`). */
  async commit(batch: PreparedBatch, groups: readonly BlockRows[]): Promise<CommitResult> {
    const id = randomUUID();
    const args = (mode: 'check' | 'commit') => this.#args(mode, id, batch);
    if (batch.positions) {
      // Most conflicts are found before positions are written; one that comes between leaves only what is true anyway.
      const check = () => this.redis.script(scripts.commit, this.keys.commit, args('check'));
      const [checked, areHeard] = await Promise.all([this.#again(check), this.watch.othersHearPositions()]);
      const refused = toResult(checked as Buffer[]);
      if (!refused.ok) return refused;
      const message = await this.#again(async () => {
        const told = areHeard ? this.watch.message() : undefined;
        await this.positions.put(batch.positions!, groups, told);
        return told;
      });
      // What is missed here is told by the next position of the vehicle; a commit does not wait for it.
      if (message) void this.redis.call('publish', this.keys.positionsChannel, message.bytes()).catch(() => undefined);
    }
    const commit = () => this.redis.writeScript(scripts.commit, this.keys.commit, args('commit'));
    const result = toResult((await this.#again(commit)) as Buffer[]);
    if (result.ok) {
      if (batch.positions) this.watch.positions(batch.positions);
      if (batch.events.length > 0) this.watch.committed(result.lastPosition);
    }
    return result;
  }

  #args(mode: string, id: string, batch: PreparedBatch): Arg[] {
    const { idempotency, applied } = batch;
    const now = this.settings.now();
    const args: Arg[] = [mode, id, COMMIT_MEMORY_MS, this.keys.committedChannel, now];
    args.push(idempotency?.key ?? '', idempotency?.json ?? '', idempotency ? Math.ceil(now + idempotency.keepMs) : 0);
    args.push(applied?.node ?? '', applied?.sequence ?? 0, applied?.after ?? '');
    args.push(batch.checks.length, ...batch.checks.flatMap(({ key, version }) => [key, version]));
    args.push(batch.puts.length);
    for (const put of batch.puts) {
      const members = put.indexes.map(([index, sortKey]) =>
        Buffer.concat([Buffer.from(docKey(index, '')), indexEntry(sortKey, put.key)]),
      );
      args.push(put.key, put.expect, put.json ?? '', put.dueAt ?? '', members.length, ...members);
    }
    args.push(batch.events.length);
    for (const { json, refs } of batch.events) args.push(json, refs.length, ...refs);
    return args;
  }

  /** Tries again while the server is away or changes its master: safe, since doing it twice changes nothing. */
  async #again<T>(work: () => Promise<T>): Promise<T> {
    const until = performance.now() + this.settings.commitTimeoutMs;
    for (let delay = RETRY_DELAY_MS.first; ; delay = Math.min(delay * 2, RETRY_DELAY_MS.most)) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof StoreError && isPassing(error)) || performance.now() + delay > until) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, delay));
    }
  }
}
