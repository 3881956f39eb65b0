/**
 * The dispatch store in memory: for tests, and for the simulation that runs the product under a simulated clock and
 * network. It keeps the whole contract except that nothing outlives the process, and it can be made to fail.
 */
import type { StoredEvent } from '../domain/events.js';
import { DueClaims } from './due-claims.js';
import { invalid, StoreError } from './errors.js';
import {
  checkLimit,
  checkName,
  docKey,
  docKeyOfEntry,
  encodeCursor,
  indexEntry,
  scanBounds,
  splitDocKey,
} from './keys.js';
import { isLater, latestRows, rowNumbers } from './last-position.js';
import { LocallyPresent } from './local-presence.js';
import type { Position } from './position-batch.js';
import { noSuchEvent, prepareBatch, rewritten, type PreparedBatch, type PreparedPut } from './prepare.js';
import { SortedKeys } from './sorted-keys.js';
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
import { BLOCK_MS, groupByBlock, hourOf, mergeBlock, positionAt, positionsOf, type BlockRows } from './track-block.js';
import { Watchers } from './watchers.js';

/** What goes wrong with one write: it is not done, or it is done and the caller is told that it failed. */
export type Fault = 'fail' | 'loseAnswer';

/**
 * Asked before each write; undefined lets it be. A promise delays the write, and all behind it, until it settles.
 */
export type Faults = (write: 'commit' | 'appendIngest' | 'other') => Fault | undefined | Promise<Fault | undefined>;

export interface MemoryOptions {
  now?: () => number;
  faults?: Faults;
  /**
   * What readers are given: a copy each, or one frozen value for all of them: much cheaper where much is read, and who
   * changes what was given gets a `TypeError`. Copied by default.
   */
  values?: 'copied' | 'frozen';
}

interface Doc {
  version: number;
  json: string;
  indexes: PreparedPut['indexes'];
  dueAt: number | undefined;
  /** As all readers are given it, once one of them asked. */
  read?: StoredDoc;
}

interface Event {
  json: string;
  refs: string[];
  /** As all readers are given it, once one of them asked. */
  read?: StoredEvent;
}

interface Log {
  groups: Map<number, Uint8Array>;
  /** Not listed; its sequences stay used. */
  forgotten?: boolean;
  appended: number;
  applied: number;
}

export function memoryStore(options: MemoryOptions = {}): DispatchStore {
  return new MemoryStore(options.now ?? Date.now, options.faults, options.values ?? 'copied');
}

class MemoryStore extends LocallyPresent implements DispatchStore {
  readonly kind = 'memory';
  readonly #docs = new Map<string, Doc>();
  readonly #indexes = new Map<string, SortedKeys>();
  readonly #due = new Map<string, number>();
  readonly #events: Event[] = [];
  readonly #idempotency = new Map<string, { until: number; json: string }>();
  readonly #logs = new Map<string, Log>();
  readonly #last = new Map<string, Float64Array>();
  readonly #tracks = new Map<string, Map<number, Uint8Array>>();
  readonly #blobs = new Map<string, Uint8Array>();
  readonly #meta = new Map<string, string>();
  readonly #claims = new DueClaims();
  readonly #watchers = new Watchers();
  /** Writes happen in the order of their calls, also while one is delayed. */
  #tail: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(
    private readonly now: () => number,
    private readonly faults: Faults | undefined,
    private readonly values: NonNullable<MemoryOptions['values']>,
  ) {
    super();
    this.presence.start(1);
  }

  // ---- documents

  async get(kind: string, id: string): Promise<StoredDoc | undefined> {
    return this.#doc(docKey(kind, id));
  }

  async getMany(names: readonly { kind: string; id: string }[]): Promise<(StoredDoc | undefined)[]> {
    return names.map(({ kind, id }) => this.#doc(docKey(kind, id)));
  }

  async scan(scan: Scan): Promise<Page> {
    this.#open();
    const { lower, upper } = scanBounds(scan);
    const index = this.#indexes.get(checkName('index', scan.index)) ?? new SortedKeys();
    const found = index.range(lower, upper, scan.limit + 1, scan.reverse ?? false);
    const items = found.slice(0, scan.limit).map((entry) => this.#doc(docKeyOfEntry(entry))!);
    return found.length > scan.limit ? { items, next: encodeCursor(found[scan.limit - 1]!) } : { items };
  }

  async commit(batch: Batch): Promise<CommitResult> {
    this.#open();
    const prepared = prepareBatch(batch);
    const blocks = prepared.positions ? groupByBlock(prepared.positions) : [];
    return this.#write('commit', () => this.#apply(prepared, blocks));
  }

  async remembered(key: string): Promise<unknown> {
    this.#open();
    const known = this.#idempotency.get(checkName('key', key));
    return known && known.until > this.now() ? JSON.parse(known.json) : undefined;
  }

  // ---- event log

  async eventsAfter(after: number, limit: number, ref?: string): Promise<StoredEvent[]> {
    this.#open();
    checkLimit(limit);
    if (ref !== undefined) checkName('ref', ref);
    const found: StoredEvent[] = [];
    for (let i = after; i < this.#events.length && found.length < limit; i++) {
      if (ref === undefined || this.#events[i]!.refs.includes(ref)) found.push(this.#event(i));
    }
    return found;
  }

  async eventsBefore(before: number | undefined, limit: number, ref: string): Promise<StoredEvent[]> {
    this.#open();
    checkLimit(limit);
    checkName('ref', ref);
    const found: StoredEvent[] = [];
    for (let i = Math.min(before ?? Infinity, this.#events.length + 1) - 2; i >= 0 && found.length < limit; i--) {
      if (this.#events[i]!.refs.includes(ref)) found.push(this.#event(i));
    }
    return found;
  }

  async lastPosition(): Promise<number> {
    return this.#events.length;
  }

  async rewriteEvents(events: readonly Pick<StoredEvent, 'position' | 'data'>[]): Promise<void> {
    this.#open();
    const changed = events.map(({ position, data }) => {
      const found = this.#events[position - 1];
      if (!found) throw noSuchEvent(position);
      return { position, event: { refs: found.refs, json: rewritten(found.json, data) } };
    });
    await this.#write('commit', () => {
      for (const { position, event } of changed) this.#events[position - 1] = event;
    });
  }

  // ---- due times

  async due(now: number, node: string, leaseMs: number, limit: number): Promise<StoredDoc[]> {
    this.#open();
    checkLimit(limit);
    checkName('node', node);
    const docs: StoredDoc[] = [];
    const byTime = [...this.#due].filter(([, dueAt]) => dueAt <= now).sort(([, a], [, b]) => a - b);
    for (const [key] of byTime) {
      if (docs.length < limit && this.#claims.claim(key, now, leaseMs)) docs.push(this.#doc(key)!);
    }
    return docs;
  }

  async nextDueAt(): Promise<number | undefined> {
    this.#open();
    let next: number | undefined;
    for (const [key, dueAt] of this.#due) {
      const at = Math.max(dueAt, this.#claims.until(key) ?? 0);
      if (next === undefined || at < next) next = at;
    }
    return next;
  }

  // ---- ingest log

  async appendIngest(node: string, group: Uint8Array): Promise<number> {
    this.#open();
    checkName('node', node);
    return this.#write('appendIngest', () => {
      const log = this.#log(node);
      log.groups.set(++log.appended, Uint8Array.from(group));
      log.forgotten = false;
      return log.appended;
    });
  }

  async readIngest(node: string, after: number, limit: number): Promise<{ sequence: number; group: Uint8Array }[]> {
    this.#open();
    checkLimit(limit);
    const log = this.#logs.get(checkName('node', node));
    const groups: { sequence: number; group: Uint8Array }[] = [];
    for (const [sequence, group] of log?.groups ?? []) {
      if (sequence > after && groups.length < limit) groups.push({ sequence, group });
    }
    return groups;
  }

  async ingestState(node: string): Promise<{ appended: number; applied: number }> {
    const { appended, applied } = this.#logs.get(node) ?? { appended: 0, applied: 0 };
    return { appended, applied };
  }

  async ingestNodes(): Promise<string[]> {
    return [...this.#logs].flatMap(([node, { forgotten }]) => (forgotten ? [] : [node])).sort();
  }

  async trimIngest(node: string, sequence: number): Promise<void> {
    this.#open();
    const log = this.#logs.get(checkName('node', node));
    await this.#write('other', () => {
      for (const known of [...(log?.groups.keys() ?? [])]) {
        if (known <= sequence && known <= log!.applied) log!.groups.delete(known);
      }
    });
  }

  async forgetIngest(node: string): Promise<boolean> {
    this.#open();
    const log = this.#logs.get(checkName('node', node));
    return this.#write('other', () => {
      if (!log) return true;
      log.forgotten = log.groups.size === 0 && log.applied >= log.appended;
      return log.forgotten;
    });
  }

  // ---- positions

  async lastPositions(vehicleIds?: readonly string[]): Promise<Map<string, Position>> {
    this.#open();
    const positions = new Map<string, Position>();
    for (const vehicleId of vehicleIds ?? this.#last.keys()) {
      const row = this.#last.get(vehicleId);
      if (row) positions.set(vehicleId, positionAt(vehicleId, row, 0));
    }
    return positions;
  }

  async *track(vehicleId: string, from: number, to: number): AsyncIterable<Position> {
    this.#open();
    const blocks = this.#tracks.get(checkName('vehicleId', vehicleId)) ?? new Map<number, Uint8Array>();
    for (const hour of [...blocks.keys()].sort((a, b) => a - b)) {
      const block = blocks.get(hour);
      if (block && hour >= hourOf(from) && hour * BLOCK_MS < to) yield* positionsOf(vehicleId, block, from, to);
    }
  }

  async trimPositions(before: number): Promise<number> {
    this.#open();
    return this.#write('other', () => {
      let deleted = 0;
      for (const blocks of this.#tracks.values()) {
        for (const hour of [...blocks.keys()]) {
          if ((hour + 1) * BLOCK_MS > before) continue;
          blocks.delete(hour);
          deleted++;
        }
      }
      return deleted;
    });
  }

  // ---- presence: LocallyPresent

  protected checkOpen(): void {
    this.#open();
  }

  // ---- blobs

  async putBlob(name: string, bytes: Uint8Array): Promise<void> {
    this.#open();
    checkName('name', name);
    const copy = Uint8Array.from(bytes);
    await this.#write('other', () => this.#blobs.set(name, copy));
  }

  async getBlob(name: string): Promise<Uint8Array | undefined> {
    this.#open();
    return this.#blobs.get(checkName('name', name));
  }

  async deleteBlob(name: string): Promise<void> {
    this.#open();
    checkName('name', name);
    await this.#write('other', () => this.#blobs.delete(name));
  }

  // ---- everything

  async *everyDoc(): AsyncIterable<StoredEntry> {
    for (const [key, { version, json, indexes, dueAt }] of this.#docs) {
      const due = dueAt === undefined ? {} : { dueAt };
      const copies = indexes.map(([index, sortKey]): [string, string] => [index, sortKey]);
      yield { ...splitDocKey(key), version, value: JSON.parse(json), indexes: copies, ...due };
    }
  }

  async *everyBlob(): AsyncIterable<string> {
    yield* this.#blobs.keys();
  }

  async metaKeys(): Promise<string[]> {
    return [...this.#meta.keys()];
  }

  // ---- life

  async meta(key: string): Promise<unknown> {
    this.#open();
    const json = this.#meta.get(checkName('key', key));
    return json === undefined ? undefined : JSON.parse(json);
  }

  async setMeta(key: string, value: unknown): Promise<void> {
    this.#open();
    checkName('key', key);
    if (value === undefined) throw invalid(`meta ${key} must be a JSON value, got undefined`);
    const json = JSON.stringify(value);
    await this.#write('other', () => this.#meta.set(key, json));
  }

  watch(listener: StoreListener): () => void {
    return this.#watchers.add(listener);
  }

  async durability(): Promise<Durability> {
    const words = 'lost when the process ends: the store is in memory';
    return { level: 'none', words, warnings: [words] };
  }

  async check(): Promise<void> {
    this.#open();
    await this.#write('other', () => undefined);
  }

  async backup(): Promise<void> {
    throw invalid('a store in memory cannot be backed up');
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#tail;
  }

  // ---- inside

  #open(): void {
    if (this.#closed) throw new StoreError('closed', 'the store is closed');
  }

  #write<T>(what: Parameters<Faults>[0], run: () => T): Promise<T> {
    const done = this.#tail.then(async () => {
      const fault = this.faults && (await this.faults(what));
      if (fault === 'fail') throw new StoreError('io', `made to fail: ${what}`);
      const result = run();
      if (fault === 'loseAnswer') throw new StoreError('timeout', `made to lose its answer: ${what}`);
      return result;
    });
    this.#tail = done.catch(() => undefined);
    return done;
  }

  #doc(key: string): StoredDoc | undefined {
    this.#open();
    const doc = this.#docs.get(key);
    if (doc?.read !== undefined) return doc.read;
    if (doc === undefined) return undefined;
    const read: StoredDoc = { ...splitDocKey(key), version: doc.version, value: JSON.parse(doc.json) };
    if (this.values === 'frozen') doc.read = frozenDeep(read);
    return read;
  }

  #event(at: number): StoredEvent {
    const event = this.#events[at]!;
    if (event.read !== undefined) return event.read;
    const read = JSON.parse(event.json) as StoredEvent;
    read.position = at + 1;
    if (this.values === 'frozen') event.read = frozenDeep(read);
    return read;
  }

  #log(node: string): Log {
    let log = this.#logs.get(node);
    if (!log) this.#logs.set(node, (log = { groups: new Map(), appended: 0, applied: 0 }));
    return log;
  }

  #apply(batch: PreparedBatch, blocks: readonly BlockRows[]): CommitResult {
    const refused = this.#refuse(batch);
    if (refused) return refused;
    for (const put of batch.puts) this.#put(put);
    this.#events.push(...batch.events);
    if (batch.idempotency) {
      const { key, json, keepMs } = batch.idempotency;
      for (const [old, { until }] of this.#idempotency) if (until <= this.now()) this.#idempotency.delete(old);
      this.#idempotency.set(key, { until: this.now() + keepMs, json });
    }
    if (batch.applied) {
      const log = this.#log(batch.applied.node);
      log.applied = batch.applied.sequence;
      log.appended = Math.max(log.appended, log.applied);
    }
    if (batch.positions) this.#putPositions(batch.positions, blocks);
    if (batch.events.length > 0) this.#watchers.committed(this.#events.length);
    return { ok: true, lastPosition: this.#events.length };
  }

  #refuse(batch: PreparedBatch): CommitResult | undefined {
    const remembered = batch.idempotency && this.#idempotency.get(batch.idempotency.key);
    if (remembered && remembered.until > this.now()) return { ok: false, duplicate: JSON.parse(remembered.json) };
    const versionOf = (key: string): number => this.#docs.get(key)?.version ?? 0;
    const changed =
      batch.puts.find(({ key, expect }) => versionOf(key) !== expect) ??
      batch.checks.find(({ key, version }) => versionOf(key) !== version);
    if (changed) return { ok: false, conflict: { kind: changed.kind, id: changed.id } };
    if (!batch.applied) return undefined;
    const { node, sequence, after } = batch.applied;
    const applied = this.#logs.get(node)?.applied ?? 0;
    const stale = sequence <= applied || (after !== undefined && after !== applied);
    return stale ? { ok: false, conflict: { kind: 'ingest', id: node } } : undefined;
  }

  #put(put: PreparedPut): void {
    const before = this.#docs.get(put.key);
    for (const [index, sortKey] of before?.indexes ?? []) this.#index(index).remove(indexEntry(sortKey, put.key));
    this.#due.delete(put.key);
    this.#claims.end([put.key]);
    if (put.json === undefined) {
      this.#docs.delete(put.key);
      return;
    }
    for (const [index, sortKey] of put.indexes) this.#index(index).add(indexEntry(sortKey, put.key));
    if (put.dueAt !== undefined) this.#due.set(put.key, put.dueAt);
    this.#docs.set(put.key, { version: put.expect + 1, json: put.json, indexes: put.indexes, dueAt: put.dueAt });
  }

  #index(name: string): SortedKeys {
    let index = this.#indexes.get(name);
    if (!index) this.#indexes.set(name, (index = new SortedKeys()));
    return index;
  }

  #putPositions(batch: NonNullable<Batch['positions']>, groups: readonly BlockRows[]): void {
    for (const { vehicleId, hour, rows } of groups) {
      let blocks = this.#tracks.get(vehicleId);
      if (!blocks) this.#tracks.set(vehicleId, (blocks = new Map<number, Uint8Array>()));
      blocks.set(hour, mergeBlock(blocks.get(hour), batch, rows));
    }
    latestRows(batch).forEach((row, vehicle) => {
      if (row < 0) return;
      const vehicleId = batch.vehicles[vehicle]!;
      const candidate = rowNumbers(batch, row);
      const known = this.#last.get(vehicleId);
      if (!known || isLater(candidate, 0, known, 0)) this.#last.set(vehicleId, candidate);
    });
    this.#watchers.positions(batch);
  }
}

function frozenDeep<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const part of Object.values(value)) frozenDeep(part);
  return Object.freeze(value);
}
