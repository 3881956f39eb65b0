/**
 * The dispatch store: the only door to state. Documents with optimistic versions, their index entries and due times,
 * one event log, ingest logs, positions, presence. Two implementations (LMDB, Redis) pass one conformance suite.
 */
import type { DomainEvent, StoredEvent } from '../domain/events.js';
import type { PositionBatch, Position } from './position-batch.js';

/** A document as stored: JSON value and version (1 for the first, +1 for each change). */
export interface StoredDoc {
  kind: string;
  id: string;
  version: number;
  value: unknown;
}

/** One document to write, with all that is derived from it; earlier index entries and due time are replaced. */
export interface DocPut {
  kind: string;
  id: string;
  /** Version that the writer read; 0 where the document must not exist yet. */
  expect: number;
  /** JSON value; undefined deletes. */
  value: unknown;
  /** Index entries: `[index, sortKey]`; bytewise order of `sortKey` is the order of a scan. */
  indexes: readonly (readonly [index: string, sortKey: string])[];
  /** When something is due for this document (ms UTC): see {@link DispatchStore.due}. */
  dueAt?: number;
}

/** A document with what is kept beside it: what {@link DispatchStore.everyDoc} gives. */
export interface StoredEntry extends StoredDoc {
  indexes: [index: string, sortKey: string][];
  /** When it is due; where it is claimed, possibly the end of the claim. */
  dueAt?: number;
}

export interface IngestPosition {
  node: string;
  /** All groups up to and including this sequence are applied. Must be above the stored one. */
  sequence: number;
  /**
   * Applied sequence that the reader went on from: another one in the store means that a second reader was here, and
   * the commit is refused as conflict `{kind: 'ingest', id: node}`, as is a `sequence` that is not above the stored one.
   */
  after?: number;
}

/** What is committed together: all of it or nothing. */
export interface Batch {
  puts?: readonly DocPut[];
  /** Documents that were only read and must not have changed (version 0: must not exist). */
  checks?: readonly { kind: string; id: string; version: number }[];
  events?: readonly DomainEvent[];
  /** Remembers the result of a command under its key for `keepMs`; a second commit with the key is refused as duplicate. */
  idempotency?: { key: string; result: unknown; keepMs: number };
  /** Advances the reader of an ingest log in the same transaction. */
  applied?: IngestPosition;
  /** Positions that belong to `applied`; merging is idempotent on (device time, latitude, longitude). */
  positions?: PositionBatch;
}

export type CommitResult =
  /** `lastPosition`: of the event log after this commit; the batch's events hold the last `events.length` positions. */
  | { ok: true; lastPosition: number }
  /** Somebody else changed this document first; nothing was written. Read again and decide again. */
  | { ok: false; conflict: { kind: string; id: string } }
  /** The idempotency key was used before; nothing was written; the earlier result is given. */
  | { ok: false; duplicate: unknown };

export interface Scan {
  index: string;
  /** Inclusive lower bound of the sort key. */
  from?: string;
  /** Exclusive upper bound of the sort key. */
  to?: string;
  /** Cursor from an earlier page: continue behind it. */
  after?: string;
  /** 1 to 1,000. */
  limit: number;
  /** Highest sort key first. */
  reverse?: boolean;
}

export interface Page {
  items: StoredDoc[];
  /** Cursor for the next page; absent at the end. */
  next?: string;
}

/** What a confirmation is worth here, in words, for the log and `/readyz` (e.g. "survives a crash of the machine"). */
export interface Durability {
  level: 'none' | 'process' | 'crash' | 'failover';
  words: string;
  warnings: string[];
}

/** Ownership of a terminal's session by one node and connection. A higher fence is a later owner. */
export interface Lease {
  terminal: string;
  node: string;
  connection: string;
  fence: number;
  until: number;
}

export interface StoreListener {
  /** Events were committed (by any node) up to this position. */
  committed?(lastPosition: number): void;
  /** Positions were applied (by any node). One may be told twice; after a lost connection only the last of each vehicle. */
  positions?(batch: PositionBatch): void;
}

export interface DispatchStore {
  readonly kind: 'lmdb' | 'redis' | 'memory';

  // documents
  get(kind: string, id: string): Promise<StoredDoc | undefined>;
  getMany(keys: readonly { kind: string; id: string }[]): Promise<(StoredDoc | undefined)[]>;
  scan(scan: Scan): Promise<Page>;
  /** Atomic and durable when it resolves. Rejects when durability could not be had; then nothing may be assumed. */
  commit(batch: Batch): Promise<CommitResult>;
  /** The remembered result of an idempotency key. */
  remembered(key: string): Promise<unknown>;

  // event log
  /** Events with a position above `after`, in order; `ref` limits them to those that name it (`order:ID`, `vehicle:ID`). */
  eventsAfter(after: number, limit: number, ref?: string): Promise<StoredEvent[]>;
  /** Events that name `ref` with a position below `before`, newest first; absent `before`: from the end of the log. */
  eventsBefore(before: number | undefined, limit: number, ref: string): Promise<StoredEvent[]>;
  lastPosition(): Promise<number>;
  /**
   * Puts other data in the place of what the log says at these positions, all of them or none: for the deletion of
   * personal data and nothing else. Type, references and order stay as they are; a position that the log does not have
   * is refused.
   */
  rewriteEvents(events: readonly Pick<StoredEvent, 'position' | 'data'>[]): Promise<void>;

  // due times
  /**
   * Up to `limit` documents with `dueAt <= now`, earliest first, claimed by `node` for `leaseMs`: nobody is given them
   * meanwhile. A put of the document ends the claim; without one it is due again when the lease ends.
   */
  due(now: number, node: string, leaseMs: number, limit: number): Promise<StoredDoc[]>;
  /** When {@link due} will next have something: the earliest due time, or end of a claim, of any document. */
  nextDueAt(): Promise<number | undefined>;

  // ingest log of a node: opaque groups, in order of arrival
  /** Durable when it resolves; gives the group's sequence (from 1). Calls may overlap; sequences follow call order. */
  appendIngest(node: string, group: Uint8Array): Promise<number>;
  readIngest(node: string, after: number, limit: number): Promise<{ sequence: number; group: Uint8Array }[]>;
  /** Last appended and last applied sequence. */
  ingestState(node: string): Promise<{ appended: number; applied: number }>;
  /** Nodes that have an ingest log (a dead node's log is taken over by another). */
  ingestNodes(): Promise<string[]>;
  /** Drops applied groups up to `sequence` (retention). */
  trimIngest(node: string, sequence: number): Promise<void>;
  /**
   * Takes a node that is gone for good out of {@link ingestNodes}. False, and nothing done, while its log holds groups.
   * Its sequences stay used: one that comes back under the name goes on behind them, and is listed again.
   */
  forgetIngest(node: string): Promise<boolean>;

  // positions
  lastPositions(vehicleIds?: readonly string[]): Promise<Map<string, Position>>;
  /** In device order, each position once, `from <= deviceAt < to`. */
  track(vehicleId: string, from: number, to: number): AsyncIterable<Position>;
  /** Deletes the hours that end at or before `before` (retention); number of blocks deleted. */
  trimPositions(before: number): Promise<number>;

  // presence
  /** Takes the terminal for this connection; the lease ends at `now + leaseMs` unless renewed. Gives the new fence and the owner before. */
  claimTerminal(
    terminal: string,
    node: string,
    connection: string,
    now: number,
    leaseMs: number,
  ): Promise<{ fence: number; before?: Lease }>;
  /** False when another connection has taken it since. */
  renewTerminal(terminal: string, fence: number, now: number, leaseMs: number): Promise<boolean>;
  releaseTerminal(terminal: string, fence: number): Promise<void>;
  owner(terminal: string, now: number): Promise<Lease | undefined>;

  // large things (photos): immutable bytes under a name
  putBlob(name: string, bytes: Uint8Array): Promise<void>;
  getBlob(name: string): Promise<Uint8Array | undefined>;
  deleteBlob(name: string): Promise<void>;

  // everything, to be copied to another store; whole only while nobody writes
  /** Every document once, in no order that means anything. */
  everyDoc(): AsyncIterable<StoredEntry>;
  /** The name of every blob once. */
  everyBlob(): AsyncIterable<string>;
  /** The keys of all facts ({@link meta}). */
  metaKeys(): Promise<string[]>;

  // life
  /** Small facts about the store itself: format version, clock rate and origin. */
  meta(key: string): Promise<unknown>;
  setMeta(key: string, value: unknown): Promise<void>;
  watch(listener: StoreListener): () => void;
  durability(): Promise<Durability>;
  /** Rejects with the reason when the store cannot commit now. Cheap; used by `/readyz`. */
  check(): Promise<void>;
  /** Consistent copy while running (LMDB only); rejects with a clear error elsewhere. */
  backup(directory: string): Promise<void>;
  close(): Promise<void>;
}
