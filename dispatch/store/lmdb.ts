/** The dispatch store in one directory: LMDB, one process, durable against a crash at any instruction. */
import { readdirSync } from 'node:fs';
import { StoreError, invalid } from './errors.js';
import {
  checkLimit,
  checkName,
  docKey,
  docKeyOfEntry,
  encodeCursor,
  isTooLong,
  scanBounds,
  splitDocKey,
} from './keys.js';
import { lockDirectory } from './lmdb-lock.js';
import {
  applyBatch,
  applyPositions,
  CommitScope,
  readLastPositions,
  readRecord,
  splitDueKey,
  type AppliedLog,
} from './lmdb-commit.js';
import {
  behindPrefix,
  entries,
  json,
  keys,
  numberedKey,
  numberOfKey,
  openAnew,
  openEnv,
  parse,
  prefixKey,
  u48,
  type Env,
  type StoredRecord,
  type Tables,
} from './lmdb-env.js';
import { FileLog } from './file-log.js';
import type { Tails } from './lmdb-track.js';
import { LmdbWriter } from './lmdb-writer.js';
import type { Position } from './position-batch.js';
import { giveToOwner, makePrivate, makePrivateDirectory } from './private-files.js';
import { noSuchEvent, prepareBatch, rewritten } from './prepare.js';
import type {
  Batch,
  CommitResult,
  DispatchStore,
  Durability,
  Page,
  Scan,
  StoredDoc,
  StoredEntry,
  StoreListener,
} from './store.js';
import type { StoredEvent } from '../domain/events.js';
import { BLOCK_MS, blocksOf, hourOf, positionAt, positionsOf } from './track-block.js';
import { LocallyPresent } from './local-presence.js';
import { DueClaims } from './due-claims.js';
import { DiskGuard } from './lmdb-disk.js';
import { Watchers } from './watchers.js';

/** Version of the layout. A newer one in the directory is refused; 1 and 2 had the ingest logs in LMDB. */
const FORMAT = 3;
/** A page of the track or of the log that one read takes from the tables. */
const CHUNK_BYTES = 256 * 1024;
/** `check` writes a probe when the last commit is older than this, so that a silent store does not look well. */
const PROBE_AFTER_MS = 5_000;
const TRIMMED_PER_COMMIT = 1_000;
/** Entries of a page where everything is read. */
const PAGE_OF_ALL = 200;
/** A 48-bit number in a key, behind a name and a NUL. */
const NUMBER_BYTES = 6;
/** Highest 48-bit number: behind all times and sequences. */
const MAX_U48 = 2 ** 48 - 1;

export interface LmdbOptions {
  /** Wall clock, ms UTC, for the life of idempotency keys. */
  now?: () => number;
}

/**
 * Opens or makes the store in `directory`. Rejects with `StoreError`: `locked` where another process has it open,
 * `format` where a newer version wrote it, `io`, `readOnly`, `full` where the disk does not do.
 */
export async function openLmdb(directory: string, options: LmdbOptions = {}): Promise<DispatchStore> {
  const unlock = lockDirectory(directory);
  let env: Env | undefined;
  let store: LmdbStore | undefined;
  try {
    env = openEnv(directory);
    checkFormat(env, directory);
    store = new LmdbStore(directory, env, unlock, options.now ?? Date.now);
    await store.start();
    // Also when it is closed; now in case it never is.
    giveToOwner(directory);
    return store;
  } catch (error) {
    await store?.closeFiles();
    if (!store) await env?.root.close();
    unlock();
    if (error instanceof StoreError) throw error;
    throw new StoreError('io', `cannot open the store in ${directory}: ${(error as Error).message}`, { cause: error });
  }
}

function checkFormat(env: Env, directory: string): void {
  const bytes = env.meta.get(Buffer.from('store.format'));
  const format = bytes ? parse<number>(bytes) : FORMAT;
  if (format > FORMAT) {
    throw new StoreError(
      'format',
      `the store in ${directory} has format ${format}; this version of Linecrew reads up to ${FORMAT}: use a newer one`,
    );
  }
}

class LmdbStore extends LocallyPresent implements DispatchStore {
  readonly kind = 'lmdb';
  readonly #writer: LmdbWriter<CommitScope>;
  readonly #log: FileLog;
  readonly #watchers = new Watchers();
  readonly #claims = new DueClaims();
  /** Grows with each opening: a second process that slipped past the lock is found by it, and fences grow with it. */
  #epoch = 0;
  #lastPosition = 0;
  /** One entry per vehicle that ever reported. */
  #last = new Map<string, Float64Array>();
  readonly #tails: Tails = new Map();
  /** One entry per node whose log was ever applied. */
  #logs = new Map<string, AppliedLog>();
  #failure: StoreError | undefined;
  readonly #disk: DiskGuard;
  #committedAt = 0;
  #envOpen = true;
  /** What is in memory is not what is on disk. */
  #stale = false;
  #closed = false;

  constructor(
    private readonly directory: string,
    private env: Env,
    private readonly unlock: () => void,
    private readonly now: () => number,
  ) {
    super();
    this.#disk = new DiskGuard(directory);
    this.#writer = new LmdbWriter({
      ready: () => this.#ready(),
      transact: async (work) => await this.env.root.childTransaction(work),
      begin: () => new CommitScope(this.env, this.now(), this.#lastPosition, this.#last, this.#logs, this.#tails),
      flushed: (scope) => this.#flushed(scope),
      refused: (error) => void (this.#failure = error),
      failed: (error) => this.#failed(error),
    });
    this.#log = new FileLog(directory, {
      checkOwned: () => this.#checkOwned(),
      applied: (node) => this.#logs.get(node)?.applied ?? 0,
    });
  }

  async start(): Promise<void> {
    this.#load();
    const bytes = this.env.meta.get(Buffer.from('store.epoch'));
    const epoch = (bytes ? parse<number>(bytes) : 0) + 1;
    this.presence.start(epoch);
    await this.#writer.write(({ env }) => {
      env.meta.putSync(Buffer.from('store.format'), json(FORMAT));
      env.meta.putSync(Buffer.from('store.epoch'), json(epoch));
    });
    this.#epoch = epoch;
    await this.#log.open();
    await this.#log.adopt(this.env.ingest, (some) =>
      this.#writer.write(({ env }) => {
        for (const key of some) env.ingest.removeSync(key);
      }),
    );
  }

  // ---- documents

  async get(kind: string, id: string): Promise<StoredDoc | undefined> {
    return this.#doc(docKey(kind, id));
  }

  async getMany(names: readonly { kind: string; id: string }[]): Promise<(StoredDoc | undefined)[]> {
    return names.map(({ kind, id }) => this.#doc(docKey(kind, id)));
  }

  async scan(scan: Scan): Promise<Page> {
    const bounds = scanBounds(scan);
    const { index } = this.#open();
    const prefix = prefixKey(checkName('index', scan.index));
    const found = keys(index, {
      lower: bounds.lower ? Buffer.concat([prefix, bounds.lower]) : prefix,
      upper: bounds.upper ? Buffer.concat([prefix, bounds.upper]) : behindPrefix(scan.index),
      reverse: scan.reverse,
      limit: scan.limit + 1,
    }).map((key) => key.subarray(prefix.length));
    const items = found.slice(0, scan.limit).map((entry) => this.#doc(docKeyOfEntry(entry))!);
    return found.length > scan.limit ? { items, next: encodeCursor(found[scan.limit - 1]!) } : { items };
  }

  async commit(batch: Batch): Promise<CommitResult> {
    this.#open();
    const prepared = prepareBatch(batch);
    const { positions } = prepared;
    if (!positions) return this.#writer.write((scope) => applyBatch(scope, prepared));
    const blocks = blocksOf(positions);
    return this.#writer.writeInTurns((scope) => applyPositions(scope, prepared, positions, blocks));
  }

  async remembered(key: string): Promise<unknown> {
    const bytes = this.#open().idempotency.get(Buffer.from(checkName('key', key)));
    const known = bytes && parse<{ until: number; result: unknown }>(bytes);
    return known && known.until > this.now() ? known.result : undefined;
  }

  // ---- event log

  async eventsAfter(after: number, limit: number, ref?: string): Promise<StoredEvent[]> {
    checkLimit(limit);
    const { events } = this.#open();
    // What a transaction has written is readable before it is flushed; an event counts from then on only.
    const behind = this.#lastPosition + 1;
    if (after + 1 >= behind) return [];
    if (ref === undefined) {
      return entries(events, { lower: u48(clampAt(after + 1)), upper: u48(behind), limit }).map(({ key, value }) =>
        toEvent(numberOfKey(key), value),
      );
    }
    return this.#named(ref, { from: after + 1, behind, limit });
  }

  async eventsBefore(before: number | undefined, limit: number, ref: string): Promise<StoredEvent[]> {
    checkLimit(limit);
    const behind = Math.min(before ?? Infinity, this.#lastPosition + 1);
    return behind <= 1 ? [] : this.#named(ref, { from: 1, behind, limit, reverse: true });
  }

  /** Events that name `ref`, from a position up to the one before `behind`. */
  #named(
    ref: string,
    { from, behind, limit, reverse }: { from: number; behind: number; limit: number; reverse?: boolean },
  ): StoredEvent[] {
    const { events, refs } = this.#open();
    const lower = numberedKey(checkName('ref', ref), clampAt(from));
    const range = { lower, upper: numberedKey(ref, behind), limit, ...(reverse ? { reverse } : {}) };
    return keys(refs, range).map((key) => toEvent(numberOfKey(key), events.get(u48(numberOfKey(key)))!));
  }

  async lastPosition(): Promise<number> {
    return this.#lastPosition;
  }

  async rewriteEvents(events: readonly Pick<StoredEvent, 'position' | 'data'>[]): Promise<void> {
    const log = this.#open().events;
    // Read before the write: a mistake in it must not end the transaction that others share.
    const changed = events.map(({ position, data }) => {
      const found = log.get(u48(clampAt(position)));
      if (!found) throw noSuchEvent(position);
      return { key: u48(position), bytes: Buffer.from(rewritten(found.toString(), data)) };
    });
    await this.#writer.write(({ env }) => {
      for (const { key, bytes } of changed) env.events.putSync(key, bytes);
    });
  }

  // ---- due times

  async due(now: number, node: string, leaseMs: number, limit: number): Promise<StoredDoc[]> {
    checkLimit(limit);
    checkName('node', node);
    const { due } = this.#open();
    const docs: StoredDoc[] = [];
    for (const key of due.getKeys({ start: Buffer.of(0), end: u48(Math.floor(now) + 1) })) {
      const name = splitDueKey(key).docKey;
      if (!this.#claims.claim(name, now, leaseMs)) continue;
      docs.push(this.#doc(name)!);
      if (docs.length === limit) break;
    }
    return docs;
  }

  async nextDueAt(): Promise<number | undefined> {
    let next: number | undefined;
    for (const key of this.#open().due.getKeys({ start: Buffer.of(0) })) {
      const { dueAt, docKey: name } = splitDueKey(key);
      const until = this.#claims.until(name);
      const at = Math.max(dueAt, until ?? 0);
      if (next === undefined || at < next) next = at;
      if (until === undefined || dueAt >= next) break;
    }
    return next;
  }

  // ---- ingest log

  async appendIngest(node: string, group: Uint8Array): Promise<number> {
    this.#open();
    return this.#log.append(checkName('node', node), group);
  }

  async readIngest(node: string, after: number, limit: number): Promise<{ sequence: number; group: Uint8Array }[]> {
    this.#open();
    checkLimit(limit);
    return this.#log.read(checkName('node', node), clampAt(after), limit);
  }

  async ingestState(node: string): Promise<{ appended: number; applied: number }> {
    const applied = this.#logs.get(node)?.applied ?? 0;
    return { appended: Math.max(this.#log.appended(node), applied), applied };
  }

  async ingestNodes(): Promise<string[]> {
    const nodes = new Set([...this.#logs.keys(), ...this.#log.nodes]);
    return [...nodes].filter((node) => !this.#isForgotten(node)).sort();
  }

  async trimIngest(node: string, sequence: number): Promise<void> {
    this.#open();
    const upTo = Math.min(sequence, this.#logs.get(checkName('node', node))?.applied ?? 0);
    await this.#log.trim(node, clampAt(upTo));
  }

  async forgetIngest(node: string): Promise<boolean> {
    this.#open();
    checkName('node', node);
    return this.#writer.write((scope) => {
      const applied = scope.applied(node);
      if (this.#log.appended(node) > applied || this.#log.holds(node)) return false;
      if (applied > 0) scope.setLog(node, { applied, forgotten: true });
      return true;
    });
  }

  // ---- positions

  async lastPositions(vehicleIds?: readonly string[]): Promise<Map<string, Position>> {
    const positions = new Map<string, Position>();
    for (const vehicleId of vehicleIds ?? this.#last.keys()) {
      const row = this.#last.get(vehicleId);
      if (row) positions.set(vehicleId, positionAt(vehicleId, row, 0));
    }
    return positions;
  }

  async *track(vehicleId: string, from: number, to: number): AsyncIterable<Position> {
    checkName('vehicleId', vehicleId);
    const end = numberedKey(vehicleId, clampAt(to));
    let lower = numberedKey(vehicleId, clampAt(hourOf(from) * BLOCK_MS));
    for (;;) {
      // One block at a time: no read transaction stays open while the caller does something else.
      const [entry] = entries(this.#open().track, { lower, upper: end, limit: 1 });
      if (!entry) return;
      yield* positionsOf(vehicleId, entry.value, from, to);
      lower = Buffer.concat([entry.key, Buffer.of(0)]);
    }
  }

  async trimPositions(before: number): Promise<number> {
    const hourAt = clampAt(hourOf(before) * BLOCK_MS);
    let deleted = 0;
    for (const vehicleId of [...this.#last.keys()]) {
      const range = { lower: prefixKey(vehicleId), upper: numberedKey(vehicleId, hourAt), limit: TRIMMED_PER_COMMIT };
      deleted += await this.#removeInSteps(() => keys(this.#open().track, range));
    }
    return deleted;
  }

  // ---- presence: LocallyPresent

  protected checkOpen(): void {
    this.#open();
  }

  // ---- blobs

  async putBlob(name: string, bytes: Uint8Array): Promise<void> {
    this.#open();
    checkName('name', name);
    // A copy: the caller may reuse its buffer while this waits. Chunks: LMDB needs free pages in a row for a value.
    const copy = Buffer.from(bytes);
    await this.#writer.write(({ env }) => {
      for (const key of keys(env.blobs, blobRange(name))) env.blobs.removeSync(key);
      let number = 0;
      do {
        const chunk = copy.subarray(number * CHUNK_BYTES, (number + 1) * CHUNK_BYTES);
        env.blobs.putSync(numberedKey(name, number++), chunk);
      } while (number * CHUNK_BYTES < copy.length);
    });
  }

  async getBlob(name: string): Promise<Uint8Array | undefined> {
    const chunks = entries(this.#open().blobs, blobRange(checkName('name', name)));
    if (chunks.length === 0) return undefined;
    return new Uint8Array(Buffer.concat(chunks.map(({ value }) => value)));
  }

  async deleteBlob(name: string): Promise<void> {
    this.#open();
    checkName('name', name);
    await this.#writer.write(({ env }) => {
      for (const key of keys(env.blobs, blobRange(name))) env.blobs.removeSync(key);
    });
  }

  // ---- everything

  async *everyDoc(): AsyncIterable<StoredEntry> {
    for await (const { key, value } of this.#every('docs', PAGE_OF_ALL)) {
      const { version, value: doc, indexes, dueAt } = parse<StoredRecord>(value);
      const due = dueAt === undefined ? {} : { dueAt };
      yield { ...splitDocKey(key.toString()), version, value: doc, indexes, ...due };
    }
  }

  async *everyBlob(): AsyncIterable<string> {
    let before: string | undefined;
    for await (const { key } of this.#every('blobs', 1)) {
      // A name is followed by the number of its chunk.
      const name = key.subarray(0, key.length - NUMBER_BYTES - 1).toString();
      if (name !== before) yield name;
      before = name;
    }
  }

  async metaKeys(): Promise<string[]> {
    const found: string[] = [];
    for await (const { key } of this.#every('meta', PAGE_OF_ALL)) {
      const name = key.toString();
      if (name.startsWith('user.')) found.push(name.slice('user.'.length));
    }
    return found;
  }

  /** A page at a time: no read transaction stays open while the caller does something else. */
  async *#every(table: keyof Tables, limit: number): AsyncIterable<{ key: Buffer; value: Buffer }> {
    for (let lower: Buffer = Buffer.of(0); ;) {
      const page = entries(this.#open()[table], { lower, limit });
      if (page.length === 0) return;
      yield* page;
      lower = Buffer.concat([page.at(-1)!.key, Buffer.of(0)]);
    }
  }

  // ---- life

  async meta(key: string): Promise<unknown> {
    const bytes = this.#open().meta.get(Buffer.from(`user.${checkName('key', key)}`));
    return bytes && parse<unknown>(bytes);
  }

  async setMeta(key: string, value: unknown): Promise<void> {
    this.#open();
    checkName('key', key);
    if (value === undefined) throw invalid(`meta ${key} must be a JSON value, got undefined`);
    const bytes = json(value);
    await this.#writer.write(({ env }) => env.meta.putSync(Buffer.from(`user.${key}`), bytes));
  }

  watch(listener: StoreListener): () => void {
    return this.#watchers.add(listener);
  }

  async durability(): Promise<Durability> {
    return {
      level: 'crash',
      words: 'survives a crash of the machine: each commit is flushed to the disk (fdatasync) before it is confirmed',
      warnings: [],
    };
  }

  async check(): Promise<void> {
    this.#open();
    await this.#log.check();
    if (!this.#failure && performance.now() - this.#committedAt < PROBE_AFTER_MS) return;
    const probe = json(this.now());
    await this.#writer.write(({ env }) => env.meta.putSync(Buffer.from('store.probe'), probe));
  }

  async backup(directory: string): Promise<void> {
    const { root } = this.#open();
    try {
      makePrivateDirectory(directory);
    } catch (error) {
      throw new StoreError('io', `cannot make the directory ${directory}: ${(error as Error).message}`, {
        cause: error,
      });
    }
    if (readdirSync(directory).length > 0) throw invalid(`a backup needs an empty directory, ${directory} holds files`);
    try {
      await this.#log.copyAfter(root.backup(`${directory}/data.mdb`, false), directory);
      makePrivate(directory);
    } catch (error) {
      throw new StoreError('io', `backup to ${directory} failed: ${(error as Error).message}`, { cause: error });
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    await this.closeFiles();
    try {
      giveToOwner(this.directory);
    } finally {
      this.unlock();
    }
  }

  /** Closes the logs and the tables, when what is being written is written. */
  async closeFiles(): Promise<void> {
    this.#closed = true;
    await this.#log.close();
    await this.#writer.idle();
    if (this.#envOpen) await this.env.root.close();
  }

  // ---- inside

  #open(): Env {
    if (this.#closed) throw new StoreError('closed', 'the store is closed');
    if (!this.#envOpen && this.#failure) throw this.#failure;
    return this.env;
  }

  #doc(key: string): StoredDoc | undefined {
    const env = this.#open();
    if (isTooLong(key)) return undefined;
    const record = readRecord(env, key);
    return record && { ...splitDocKey(key), version: record.version, value: record.value };
  }

  async #ready(): Promise<void> {
    await this.#disk.check(this.#failure !== undefined);
    if (this.#stale) await this.#reopen();
    this.#checkOwned();
  }

  #checkOwned(): void {
    // While the state is opened anew, its own writes find out.
    if (this.#epoch === 0 || !this.#envOpen) return;
    const epoch = this.env.meta.get(Buffer.from('store.epoch'));
    if (!epoch || parse<number>(epoch) !== this.#epoch) {
      throw new StoreError('locked', `another process has opened the store directory ${this.directory} since`);
    }
  }

  /**
   * After a failed commit the environment is opened anew: LMDB refuses all work after some errors (MDB_PANIC), and what
   * the failed commit left is only known by reading it again. At once, because lmdb 3.5 appends to its message at every
   * read of a panicked environment, behind the end of its buffer in the end.
   */
  async #failed(error: StoreError): Promise<void> {
    this.#failure = error;
    this.#stale = true;
    this.#tails.clear();
    // Where that fails too, it is tried again before the next commit.
    await this.#reopen().catch(() => undefined);
  }

  async #reopen(): Promise<void> {
    if (this.#envOpen) {
      // Nobody reads it any more.
      this.#envOpen = false;
      await openAnew(this.env.root, () => this.#openEnv());
    } else this.#openEnv();
    this.#load();
    this.#stale = false;
  }

  #openEnv(): void {
    this.env = openEnv(this.directory);
    this.#envOpen = true;
  }

  #load(): void {
    const { env } = this;
    const [last] = keys(env.events, { upper: u48(MAX_U48), reverse: true, limit: 1 });
    this.#lastPosition = last ? numberOfKey(last) : 0;
    this.#last = readLastPositions(env);
    this.#logs = new Map();
    for (const { key, value } of env.nodes.getRange({ start: Buffer.of(0) })) {
      this.#logs.set(key.toString(), parse<AppliedLog>(value));
    }
  }

  /** Forgotten, and nothing has come since. */
  #isForgotten(node: string): boolean {
    const { applied, forgotten } = this.#logs.get(node) ?? { applied: 0 };
    return forgotten === true && this.#log.appended(node) <= applied;
  }

  #flushed(scope: CommitScope): void {
    const before = this.#lastPosition;
    this.#failure = undefined;
    this.#committedAt = performance.now();
    this.#lastPosition = scope.lastPosition;
    for (const [vehicleId, row] of scope.last) this.#last.set(vehicleId, row);
    for (const [node, log] of scope.logs) this.#logs.set(node, log);
    this.#claims.end(scope.changed);
    for (const batch of scope.batches) this.#watchers.positions(batch);
    if (scope.lastPosition > before) this.#watchers.committed(scope.lastPosition);
  }

  /** Deletes the track blocks that `next` finds until it finds none, a bounded number per commit. */
  async #removeInSteps(next: () => Buffer[]): Promise<number> {
    let removed = 0;
    for (let found = next(); found.length > 0; found = next()) {
      await this.#writer.write(({ env }) => {
        for (const key of found) env.track.removeSync(key);
      });
      removed += found.length;
    }
    return removed;
  }
}

/** A time or position as it can stand in a key. */
function clampAt(at: number): number {
  return Math.min(MAX_U48, Math.max(0, Math.ceil(at)));
}

function blobRange(name: string) {
  return { lower: prefixKey(name), upper: behindPrefix(name) };
}

function toEvent(position: number, bytes: Buffer): StoredEvent {
  return { ...parse<StoredEvent>(bytes), position };
}
