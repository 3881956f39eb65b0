/** The dispatch store on Redis: what several gateway nodes share. Keys: redis-keys.ts; functions: scripts/. */
import { randomUUID } from 'node:crypto';
import type { StoredEvent } from '../domain/events.js';
import { invalid, StoreError } from './errors.js';
import { checkLimit, checkName, decodeSortKey, docKey, docKeyOfEntry, encodeCursor, scanBounds } from './keys.js';
import type { Position } from './position-batch.js';
import { prepareBatch } from './prepare.js';
import { RedisCommits } from './redis-commits.js';
import { RedisConnection, type Arg, type RedisUrl } from './redis-connection.js';
import { redisError } from './redis-errors.js';
import { RedisEvents } from './redis-events.js';
import { RedisIngest } from './redis-ingest.js';
import { BLOB_MARK, RedisKeys } from './redis-keys.js';
import { redisSettings, type RedisSettings, type RedisStoreOptions } from './redis-options.js';
import { RedisPositions } from './redis-positions.js';
import { RedisPresence } from './redis-presence.js';
import { pairs, splitHead, toDoc } from './redis-replies.js';
import { scripts } from './redis-scripts.js';
import { RedisWatch } from './redis-watch.js';
import type {
  Batch,
  CommitResult,
  DispatchStore,
  Durability,
  Lease,
  Page,
  Scan,
  StoredDoc,
  StoredEntry,
  StoreListener,
} from './store.js';
import { groupByBlock } from './track-block.js';

/** Version of the layout of the keys. A newer one on the server is refused. */
const FORMAT = 1;
const PROBE_AFTER_MS = 5_000;

/**
 * Opens the store on a Redis server, Sentinel group or Cluster. Rejects with `StoreError`: `unavailable` where it cannot
 * be reached or may lose what it has confirmed (see {@link RedisStoreOptions}), `format` where a newer version wrote it.
 */
export async function openRedis(where: RedisUrl, options: RedisStoreOptions = {}): Promise<DispatchStore> {
  const settings = redisSettings(options);
  const keys = new RedisKeys(settings.prefix);
  const redis = new RedisConnection(where, settings);
  const log = new RedisConnection(where, settings);
  try {
    await redis.open();
    await log.open();
    await checkFormat(redis, keys);
  } catch (error) {
    await Promise.all([redis.close(), log.close()]);
    throw redisError(error);
  }
  return new RedisStore(redis, log, keys, settings);
}

async function checkFormat(redis: RedisConnection, keys: RedisKeys): Promise<void> {
  const stored = (await redis.call('hget', keys.meta, 'store.format')) as Buffer | null;
  if (stored === null) await redis.call('hset', keys.meta, 'store.format', FORMAT);
  else if (Number(stored) > FORMAT) {
    throw new StoreError(
      'format',
      `the store on Redis has format ${stored.toString()}; this version of Linecrew reads up to ${FORMAT}: use a newer one`,
    );
  }
}

class RedisStore implements DispatchStore {
  readonly kind = 'redis';
  readonly #events: RedisEvents;
  readonly #ingest: RedisIngest;
  readonly #positions: RedisPositions;
  readonly #presence: RedisPresence;
  readonly #watch: RedisWatch;
  readonly #commits: RedisCommits;
  #failed = false;
  #committedAt = 0;
  #begun = new Set<Promise<unknown>>();
  #closed = false;

  constructor(
    private readonly redis: RedisConnection,
    /**
     * For what is appended to ingest logs: a confirmation does not stand behind a batch of positions in one connection,
     * and what arrives on two of them while the server writes to its disk is written the next time together.
     */
    private readonly log: RedisConnection,
    private readonly keys: RedisKeys,
    private readonly settings: RedisSettings,
  ) {
    this.#events = new RedisEvents(redis, keys);
    this.#ingest = new RedisIngest(redis, log, keys);
    this.#positions = new RedisPositions(redis, keys);
    this.#presence = new RedisPresence(redis, keys);
    this.#watch = new RedisWatch(redis, keys, randomUUID(), {
      now: settings.now,
      lastPosition: () => this.lastPosition(),
      lastPositions: () => this.lastPositions(),
    });
    this.#commits = new RedisCommits(redis, keys, settings, this.#positions, this.#watch);
  }

  // ---- documents

  async get(kind: string, id: string): Promise<StoredDoc | undefined> {
    this.#open();
    const key = docKey(kind, id);
    return toDoc(key, (await this.redis.call('hget', this.keys.docs, key)) as Buffer | null);
  }

  async getMany(names: readonly { kind: string; id: string }[]): Promise<(StoredDoc | undefined)[]> {
    this.#open();
    if (names.length === 0) return [];
    const keys = names.map(({ kind, id }) => docKey(kind, id));
    const docs = (await this.redis.call('hmget', this.keys.docs, ...keys)) as (Buffer | null)[];
    return docs.map((doc, i) => toDoc(keys[i]!, doc));
  }

  async scan(scan: Scan): Promise<Page> {
    this.#open();
    const { lower, upper } = scanBounds(scan);
    const prefix = Buffer.from(docKey(checkName('index', scan.index), ''));
    const reply = (await this.redis.script(
      scripts.scan,
      [this.keys.index, this.keys.docs],
      [
        lexBound('[', prefix, lower),
        upper ? lexBound('(', prefix, upper) : Buffer.from(`(${scan.index}\u0001`),
        scan.limit + 1,
        scan.reverse ? '1' : '0',
        prefix.length,
      ],
    )) as Buffer[];
    const entries = pairs(reply);
    const items = entries.slice(0, scan.limit).map(([entry, doc]) => toDoc(docKeyOfEntry(entry), doc)!);
    return entries.length > scan.limit ? { items, next: encodeCursor(entries[scan.limit - 1]![0]) } : { items };
  }

  /**
   * Positions are written before the commit, outside of its transaction: they are spread over the cluster. They come
   * from the ingest log, so a crash between the two has them written again, which changes nothing.
   */
  async commit(batch: Batch): Promise<CommitResult> {
    this.#open();
    const prepared = prepareBatch(batch);
    const blocks = prepared.positions ? groupByBlock(prepared.positions) : [];
    return this.#track(this.#commits.commit(prepared, blocks));
  }

  async remembered(key: string): Promise<unknown> {
    this.#open();
    const stored = (await this.redis.call('hget', this.keys.idempotency, checkName('key', key))) as Buffer | null;
    if (!stored) return undefined;
    const [until, json] = splitHead(stored);
    return until > this.settings.now() ? JSON.parse(json) : undefined;
  }

  // ---- event log

  async eventsAfter(after: number, limit: number, ref?: string): Promise<StoredEvent[]> {
    this.#open();
    checkLimit(limit);
    if (ref !== undefined) checkName('ref', ref);
    return this.#events.after(after, limit, ref);
  }

  async eventsBefore(before: number | undefined, limit: number, ref: string): Promise<StoredEvent[]> {
    this.#open();
    checkLimit(limit);
    return this.#events.before(before, limit, checkName('ref', ref));
  }

  async rewriteEvents(events: readonly Pick<StoredEvent, 'position' | 'data'>[]): Promise<void> {
    this.#open();
    if (events.length > 0) await this.#track(this.#events.rewrite(events));
  }

  async lastPosition(): Promise<number> {
    this.#open();
    return this.#events.last();
  }

  // ---- due times

  async due(now: number, node: string, leaseMs: number, limit: number): Promise<StoredDoc[]> {
    this.#open();
    checkLimit(limit);
    checkName('node', node);
    const reply = await this.redis.script(
      scripts.due,
      [this.keys.due, this.keys.docs],
      [Math.floor(now), Math.ceil(leaseMs), limit],
    );
    return pairs(reply as Buffer[]).map(([key, doc]) => toDoc(key.toString(), doc)!);
  }

  async nextDueAt(): Promise<number | undefined> {
    this.#open();
    const [, at] = (await this.redis.call('zrange', this.keys.due, 0, 0, 'WITHSCORES')) as Buffer[];
    return at === undefined ? undefined : Number(at);
  }

  // ---- ingest log

  async appendIngest(node: string, group: Uint8Array): Promise<number> {
    this.#open();
    const bytes = Buffer.from(group.buffer, group.byteOffset, group.byteLength);
    return this.#track(this.#ingest.append(checkName('node', node), bytes));
  }

  async readIngest(node: string, after: number, limit: number): Promise<{ sequence: number; group: Uint8Array }[]> {
    this.#open();
    checkLimit(limit);
    return this.#ingest.read(checkName('node', node), after, limit);
  }

  async ingestState(node: string): Promise<{ appended: number; applied: number }> {
    this.#open();
    return this.#ingest.state(checkName('node', node));
  }

  async ingestNodes(): Promise<string[]> {
    this.#open();
    return this.#ingest.nodes();
  }

  async trimIngest(node: string, sequence: number): Promise<void> {
    this.#open();
    await this.#ingest.trim(checkName('node', node), sequence);
  }

  async forgetIngest(node: string): Promise<boolean> {
    this.#open();
    return this.#ingest.forget(checkName('node', node));
  }

  // ---- positions

  async lastPositions(vehicleIds?: readonly string[]): Promise<Map<string, Position>> {
    this.#open();
    return this.#positions.last(vehicleIds);
  }

  track(vehicleId: string, from: number, to: number): AsyncIterable<Position> {
    this.#open();
    return this.#positions.track(checkName('vehicleId', vehicleId), from, to);
  }

  async trimPositions(before: number): Promise<number> {
    this.#open();
    return this.#positions.trim(before);
  }

  // ---- presence

  async claimTerminal(terminal: string, node: string, connection: string, now: number, leaseMs: number) {
    this.#open();
    return this.#presence.claim(checkName('terminal', terminal), node, connection, now, leaseMs);
  }

  async renewTerminal(terminal: string, fence: number, now: number, leaseMs: number): Promise<boolean> {
    this.#open();
    return this.#presence.renew(checkName('terminal', terminal), fence, now, leaseMs);
  }

  async releaseTerminal(terminal: string, fence: number): Promise<void> {
    this.#open();
    await this.#presence.release(checkName('terminal', terminal), fence);
  }

  async owner(terminal: string, now: number): Promise<Lease | undefined> {
    this.#open();
    return this.#presence.owner(checkName('terminal', terminal), now);
  }

  // ---- blobs

  async putBlob(name: string, bytes: Uint8Array): Promise<void> {
    this.#open();
    // One SET: a reader sees all of it or nothing.
    await this.#track(this.redis.write('set', this.keys.blob(checkName('name', name)), Buffer.from(bytes)));
  }

  async getBlob(name: string): Promise<Uint8Array | undefined> {
    this.#open();
    const bytes = (await this.redis.call('get', this.keys.blob(checkName('name', name)))) as Buffer | null;
    return bytes ? new Uint8Array(bytes) : undefined;
  }

  async deleteBlob(name: string): Promise<void> {
    this.#open();
    await this.#track(this.redis.write('unlink', this.keys.blob(checkName('name', name))));
  }

  // ---- everything

  async *everyDoc(): AsyncIterable<StoredEntry> {
    this.#open();
    const seen = new Set<string>();
    let cursor: Arg = '0';
    do {
      const keys = [this.keys.docs, this.keys.heads, this.keys.due];
      const [next, ...found] = (await this.redis.script(scripts.everyDoc, keys, [cursor])) as EveryDocReply;
      for (const [name, doc, due, members] of found) {
        const key = name.toString();
        // HSCAN may give a field twice.
        if (seen.has(key)) continue;
        seen.add(key);
        const at = due.length > 0 ? { dueAt: Number(due) } : {};
        yield { ...toDoc(key, doc)!, indexes: members.map(splitIndexMember), ...at };
      }
      cursor = next;
    } while (cursor.toString() !== '0');
  }

  async *everyBlob(): AsyncIterable<string> {
    this.#open();
    const seen = new Set<string>();
    for (const name of await this.redis.keysMatching(this.keys.everyBlob)) {
      const at = name.indexOf(BLOB_MARK);
      const blob = name.slice(at + BLOB_MARK.length);
      // The pattern also fits a name that holds the mark further on.
      if (this.keys.blob(blob) === name && !seen.has(blob)) yield blob;
      seen.add(blob);
    }
  }

  async metaKeys(): Promise<string[]> {
    this.#open();
    const fields = ((await this.redis.call('hkeys', this.keys.meta)) as Buffer[]).map(String);
    return fields.flatMap((field) => (field.startsWith('user.') ? [field.slice('user.'.length)] : []));
  }

  // ---- life

  async meta(key: string): Promise<unknown> {
    this.#open();
    const stored = (await this.redis.call('hget', this.keys.meta, `user.${checkName('key', key)}`)) as Buffer | null;
    return stored === null ? undefined : JSON.parse(stored.toString());
  }

  async setMeta(key: string, value: unknown): Promise<void> {
    this.#open();
    checkName('key', key);
    if (value === undefined) throw invalid(`meta ${key} must be a JSON value, got undefined`);
    await this.#track(this.redis.write('hset', this.keys.meta, `user.${key}`, JSON.stringify(value)));
  }

  watch(listener: StoreListener): () => void {
    this.#open();
    return this.#watch.add(listener);
  }

  durability(): Promise<Durability> {
    return this.redis.durability;
  }

  async check(): Promise<void> {
    this.#open();
    if (!this.#failed && performance.now() - this.#committedAt < PROBE_AFTER_MS) return;
    // Where the business state is, and where this process appends.
    const now = this.settings.now();
    await Promise.all([
      this.redis.write('set', this.keys.probe, now),
      ...this.#ingest.appendsFor.map((node) => this.log.write('set', this.keys.logProbe(node), now)),
    ]);
    this.#done();
  }

  async backup(): Promise<void> {
    throw invalid('a store on Redis is backed up with the means of Redis (BGSAVE, a copy of its append-only files)');
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled(this.#begun);
    this.#watch.close();
    await this.#positions.close();
    await Promise.all([this.redis.close(), this.log.close()]);
  }

  // ---- inside

  #open(): void {
    if (this.#closed) throw new StoreError('closed', 'the store is closed');
  }

  /** A close waits for what was begun. */
  #track<T>(work: Promise<T>): Promise<T> {
    const begun = work.then(
      () => this.#done(),
      () => {
        this.#failed = true;
      },
    );
    this.#begun.add(begun);
    void begun.then(() => this.#begun.delete(begun));
    return work;
  }

  #done(): void {
    this.#failed = false;
    this.#committedAt = performance.now();
  }
}

function lexBound(bracket: '[' | '(', prefix: Buffer, bound: Buffer | undefined): Buffer {
  return Buffer.concat([Buffer.from(bracket), prefix, ...(bound ? [bound] : [])]);
}

type EveryDocReply = [Buffer, ...[key: Buffer, doc: Buffer, due: Buffer, members: Buffer[]][]];

/** Index and sort key of a member of the index. */
function splitIndexMember(member: Buffer): [index: string, sortKey: string] {
  const nul = member.indexOf(0);
  return [member.subarray(0, nul).toString(), decodeSortKey(member.subarray(nul + 1))];
}
