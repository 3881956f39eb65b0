/** The dispatch store on Redis: what several gateway nodes share. Keys: redis-keys.ts; functions: scripts/. */
import { randomUUID } from 'node:crypto';
import type { StoredEvent } from '../domain/events.js';
import { invalid, StoreError } from './errors.js';
import {
  checkLimit,
  checkName,
  docKey,
  decodeSortKey,
  docKeyOfEntry,
  encodeCursor,
  indexEntry,
  scanBounds,
  splitDocKey,
} from './keys.js';
import type { Position } from './position-batch.js';
import { eventJson, noSuchEvent, prepareBatch, type PreparedBatch } from './prepare.js';
import { RedisConnection, type Arg, type RedisUrl } from './redis-connection.js';
import { isPassing, redisError } from './redis-errors.js';
import { BLOB_MARK, RedisKeys } from './redis-keys.js';
import { redisSettings, type RedisSettings, type RedisStoreOptions } from './redis-options.js';
import { RedisPositions } from './redis-positions.js';
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
import { groupByBlock, type BlockRows } from './track-block.js';

/** Version of the layout of the keys. A newer one on the server is refused. */
const FORMAT = 1;
/** Far longer than a commit is tried again. */
const COMMIT_MEMORY_MS = 600_000;
const PROBE_AFTER_MS = 5_000;
const RETRY_DELAY_MS = { first: 50, most: 1_000 };

/**
 * Opens the store on a Redis server, Sentinel group or Cluster. Rejects with `StoreError`: `unavailable` where it cannot
 * be reached or may lose what it has confirmed (see {@link RedisStoreOptions}), `format` where a newer version wrote it.
 */
export async function openRedis(where: RedisUrl, options: RedisStoreOptions = {}): Promise<DispatchStore> {
  const settings = redisSettings(options);
  const keys = new RedisKeys(settings.prefix);
  const redis = new RedisConnection(where, settings);
  try {
    await redis.open();
    await checkFormat(redis, keys);
  } catch (error) {
    await redis.close();
    throw redisError(error);
  }
  return new RedisStore(redis, keys, settings);
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
  readonly #positions: RedisPositions;
  readonly #watch: RedisWatch;
  /** Nodes whose log is listed already, with the highest sequence known; one entry per node that this process appends for. */
  readonly #listed = new Map<string, Promise<LogEnd>>();
  #failed = false;
  #committedAt = 0;
  #begun = new Set<Promise<unknown>>();
  #closed = false;

  constructor(
    private readonly redis: RedisConnection,
    private readonly keys: RedisKeys,
    private readonly settings: RedisSettings,
  ) {
    this.#positions = new RedisPositions(redis, keys);
    this.#watch = new RedisWatch(redis, keys, randomUUID(), {
      now: settings.now,
      lastPosition: () => this.lastPosition(),
      lastPositions: () => this.lastPositions(),
    });
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
    return this.#track(this.#commit(prepared, blocks));
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
    if (ref !== undefined) {
      checkName('ref', ref);
      const from = `[${ref}\u0000${(after + 1).toString(16).padStart(16, '0')}`;
      const keys = [this.keys.refs, this.keys.events, this.keys.rewritten];
      const reply = (await this.redis.script(scripts.events, keys, [from, `(${ref}\u0001`, limit])) as Buffer[];
      return pairs(reply).map(([position, json]) => toEvent(Number(position), json));
    }
    const keys = [this.keys.events, this.keys.rewritten, this.keys.state];
    const reply = (await this.redis.script(scripts.eventsAfter, keys, [after, limit])) as Buffer[];
    return pairs(reply).map(([position, json]) => toEvent(Number(position), json));
  }

  async rewriteEvents(events: readonly Pick<StoredEvent, 'position' | 'data'>[]): Promise<void> {
    if (events.length === 0) return;
    const args: Arg[] = [];
    for (const { position, data } of events) {
      const [found] = await this.eventsAfter(position - 1, 1);
      if (found?.position !== position) throw noSuchEvent(position);
      const { position: _position, ...event } = found;
      args.push(position, eventJson({ ...event, data }));
    }
    const keys = [this.keys.events, this.keys.rewritten];
    await this.#track(this.redis.writeScript(scripts.rewriteEvents, keys, args));
  }

  async lastPosition(): Promise<number> {
    this.#open();
    return Number(await this.redis.call('hget', this.keys.state, 'position'));
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
    checkName('node', node);
    return this.#track(this.#append(node, Buffer.from(group.buffer, group.byteOffset, group.byteLength)));
  }

  async readIngest(node: string, after: number, limit: number): Promise<{ sequence: number; group: Uint8Array }[]> {
    this.#open();
    checkLimit(limit);
    const log = this.keys.log(checkName('node', node));
    const reply = await this.redis.call('xrange', log, `(0-${after}`, '+', 'COUNT', limit);
    return (reply as [Buffer, [Buffer, Buffer]][]).map(([id, [, group]]) => ({ sequence: sequenceOf(id), group }));
  }

  async ingestState(node: string): Promise<{ appended: number; applied: number }> {
    this.#open();
    return this.#stateOf(checkName('node', node));
  }

  /** Also for what was begun before a close, which waits for it. */
  async #stateOf(node: string): Promise<{ appended: number; applied: number }> {
    const [stored, appended] = await Promise.all([
      this.redis.call('hget', this.keys.applied, node),
      this.#appended(node),
    ]);
    const applied = Number(stored);
    return { appended: Math.max(appended, applied), applied };
  }

  async ingestNodes(): Promise<string[]> {
    this.#open();
    return ((await this.redis.call('smembers', this.keys.nodes)) as Buffer[]).map(String).sort();
  }

  async trimIngest(node: string, sequence: number): Promise<void> {
    this.#open();
    const applied = Number(await this.redis.call('hget', this.keys.applied, checkName('node', node)));
    await this.redis.write('xtrim', this.keys.log(node), 'MINID', `0-${Math.min(sequence, applied) + 1}`);
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
    const keys = [this.keys.leases(checkName('terminal', terminal)), this.keys.fence(terminal)];
    const [fence, before] = (await this.redis.script(scripts.claimTerminal, keys, [
      terminal,
      node,
      connection,
      now,
      Math.ceil(now + leaseMs),
    ])) as [Buffer, Buffer];
    return before.length > 0
      ? { fence: Number(fence), before: JSON.parse(before.toString()) as Lease }
      : { fence: Number(fence) };
  }

  async renewTerminal(terminal: string, fence: number, now: number, leaseMs: number): Promise<boolean> {
    this.#open();
    const args = [terminal, fence, Math.ceil(now + leaseMs)];
    const keys = [this.keys.leases(checkName('terminal', terminal))];
    return Number(await this.redis.script(scripts.renewTerminal, keys, args)) === 1;
  }

  async releaseTerminal(terminal: string, fence: number): Promise<void> {
    this.#open();
    const keys = [this.keys.leases(checkName('terminal', terminal))];
    await this.redis.script(scripts.releaseTerminal, keys, [terminal, fence]);
  }

  async owner(terminal: string, now: number): Promise<Lease | undefined> {
    this.#open();
    const leases = this.keys.leases(checkName('terminal', terminal));
    const stored = (await this.redis.call('hget', leases, terminal)) as Buffer | null;
    const lease = stored ? (JSON.parse(stored.toString()) as Lease) : undefined;
    return lease && lease.until > now ? lease : undefined;
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
    const probes = [this.keys.probe, ...[...this.#listed.keys()].map((node) => this.keys.logProbe(node))];
    await Promise.all(probes.map((key) => this.redis.write('set', key, this.settings.now())));
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
    await this.redis.close();
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

  async #commit(batch: PreparedBatch, groups: readonly BlockRows[]): Promise<CommitResult> {
    const id = randomUUID();
    const args = (mode: 'check' | 'commit') => this.#args(mode, id, batch);
    if (batch.positions) {
      // Most conflicts are found before positions are written; one that comes between leaves only what is true anyway.
      const check = () => this.redis.script(scripts.commit, this.keys.commit, args('check'));
      const refused = toResult((await this.#again(check)) as Buffer[]);
      if (!refused.ok) return refused;
      const blocks = await this.#again(() => this.#positions.put(batch.positions!, groups));
      const message = this.#watch.message(groups, blocks);
      await this.redis.call('publish', this.keys.positionsChannel, message).catch(() => undefined);
    }
    const commit = () => this.redis.writeScript(scripts.commit, this.keys.commit, args('commit'));
    const result = toResult((await this.#again(commit)) as Buffer[]);
    if (result.ok) {
      if (batch.positions) this.#watch.positions(batch.positions);
      if (batch.events.length > 0) this.#watch.committed(result.lastPosition);
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

  async #append(node: string, group: Buffer): Promise<number> {
    let listed = this.#listed.get(node);
    if (!listed) {
      listed = this.redis.write('sadd', this.keys.nodes, node).then(() => this.#endOf(node));
      this.#listed.set(node, listed);
      listed.catch(() => this.#listed.delete(node));
    }
    const end = await listed;
    // Redis counts the sequence, so it follows the order in which the groups were sent. A log that lacks its end (a
    // promoted replica, a trimmed log that was copied) would count from an older one on: what is not above all that was
    // ever applied would not be read.
    const next = (): string => `0-${end.last + 1}`;
    let sequence = await this.#xadd(node, end.isShort ? next() : '0-*', group);
    while (sequence === undefined || sequence <= end.last) {
      sequence = (await this.#xadd(node, next(), group)) ?? (await this.#xadd(node, '0-*', group));
    }
    Object.assign(end, { last: sequence, isShort: false });
    return sequence;
  }

  async #endOf(node: string): Promise<LogEnd> {
    const [{ appended: last }, inLog] = await Promise.all([this.#stateOf(node), this.#appended(node)]);
    return { last, isShort: inLog < last };
  }

  /** The sequence given; undefined where the log has one already that is not below the id asked for. */
  async #xadd(node: string, id: string, group: Buffer): Promise<number | undefined> {
    try {
      return sequenceOf((await this.redis.write('xadd', this.keys.log(node), id, 'g', group)) as Buffer);
    } catch (error) {
      if (error instanceof StoreError && error.message.includes('equal or smaller')) return undefined;
      throw error;
    }
  }

  async #appended(node: string): Promise<number> {
    try {
      const info = (await this.redis.call('xinfo', 'STREAM', this.keys.log(node))) as (Buffer | number)[];
      const at = info.findIndex((name) => String(name) === 'last-generated-id');
      return sequenceOf(info[at + 1] as Buffer);
    } catch (error) {
      if (error instanceof StoreError && error.message.includes('no such key')) return 0;
      throw error;
    }
  }
}

function lexBound(bracket: '[' | '(', prefix: Buffer, bound: Buffer | undefined): Buffer {
  return Buffer.concat([Buffer.from(bracket), prefix, ...(bound ? [bound] : [])]);
}

interface LogEnd {
  /** Highest sequence that is known. */
  last: number;
  /** The log itself ends before it. */
  isShort: boolean;
}

type EveryDocReply = [Buffer, ...[key: Buffer, doc: Buffer, due: Buffer, members: Buffer[]][]];

/** Index and sort key of a member of the index. */
function splitIndexMember(member: Buffer): [index: string, sortKey: string] {
  const nul = member.indexOf(0);
  return [member.subarray(0, nul).toString(), decodeSortKey(member.subarray(nul + 1))];
}

/** `number:rest` in two. */
function splitHead(stored: Buffer): [number, string] {
  const text = stored.toString();
  const colon = text.indexOf(':');
  return [Number(text.slice(0, colon)), text.slice(colon + 1)];
}

function toDoc(key: string, stored: Buffer | null): StoredDoc | undefined {
  if (!stored) return undefined;
  const [version, json] = splitHead(stored);
  return { ...splitDocKey(key), version, value: JSON.parse(json) };
}

function toEvent(position: number, json: Buffer): StoredEvent {
  return { ...(JSON.parse(json.toString()) as StoredEvent), position };
}

function toResult([what, detail]: Buffer[]): CommitResult {
  switch (what!.toString()) {
    case 'ok':
      return { ok: true, lastPosition: Number(detail) };
    case 'conflict':
      return { ok: false, conflict: splitDocKey(detail!.toString()) };
    case 'ingest':
      return { ok: false, conflict: { kind: 'ingest', id: detail!.toString() } };
    default:
      return { ok: false, duplicate: JSON.parse(detail!.toString()) };
  }
}

/** Sequence in an id `0-SEQUENCE` of an ingest log. */
function sequenceOf(id: Buffer): number {
  const text = id.toString();
  return Number(text.slice(text.indexOf('-') + 1));
}

function pairs<T>(flat: readonly T[]): [T, T][] {
  return flat.flatMap((item, i) => (i % 2 === 0 ? [[item, flat[i + 1]!] as [T, T]] : []));
}
