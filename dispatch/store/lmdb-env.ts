/** The LMDB environment of the dispatch store: its tables, their keys, and reading by range. */
import { open, type Database, type RootDatabase } from 'lmdb';
import { join } from 'node:path';
import { PRIVATE_FILE } from './private-files.js';

/** Keys and values are bytes; what they hold is said at {@link Tables}. */
export type Table = Database<Buffer, Buffer>;

export interface Tables {
  /** kind NUL id → {@link StoredRecord} as JSON. */
  docs: Table;
  /** index NUL entry (see keys.ts) → one byte. */
  index: Table;
  /** due time (48 bits), kind NUL id → one byte. */
  due: Table;
  /** position (48 bits) → event as JSON. */
  events: Table;
  /** reference NUL position → one byte. */
  refs: Table;
  /** key → `{until, result}` as JSON. */
  idempotency: Table;
  /** end of life (48 bits), key → one byte. */
  expiry: Table;
  /** node NUL sequence → group: only in stores of format 1, from where they are moved (see file-log.ts). */
  ingest: Table;
  /** node → `{applied, forgotten}` as JSON. */
  nodes: Table;
  /** vehicle → last position, ten doubles. */
  last: Table;
  /** vehicle NUL device time (48 bits) → track block; see lmdb-track.ts. */
  track: Table;
  /** name NUL number (48 bits) → chunk. */
  blobs: Table;
  /** key → JSON. */
  meta: Table;
}

export interface Env extends Tables {
  root: RootDatabase<Buffer, Buffer>;
}

/** A document as it is stored, with what must be replaced at its next put. */
export interface StoredRecord {
  version: number;
  value: unknown;
  indexes: [index: string, sortKey: string][];
  dueAt?: number;
}

const TABLES: readonly (keyof Tables)[] = [
  'docs',
  'index',
  'due',
  'events',
  'refs',
  'idempotency',
  'expiry',
  'ingest',
  'nodes',
  'last',
  'track',
  'blobs',
  'meta',
];

/** Mode of the files that lmdb makes. (The option is missing in lmdb's types.) */
const OWNER_ONLY = { permissionsMode: PRIVATE_FILE };

/** The environment of everything but the ingest logs. */
export function openEnv(directory: string): Env {
  return openTables(directory, TABLES);
}

/**
 * Opens or makes an environment in `directory`. `overlappingSync` is off: with it a write's promise tells only that other
 * readers see the transaction. Without it the write thread ends a transaction by fdatasync of the data, then a
 * synchronous write of the meta page, and only then resolves; an error of either rejects.
 */
export function openTables<Name extends string>(
  directory: string,
  names: readonly Name[],
): Record<Name, Table> & { root: RootDatabase<Buffer, Buffer> } {
  const binary = { encoding: 'binary', keyEncoding: 'binary' } as const;
  const root = open<Buffer, Buffer>({
    path: join(directory, 'data.mdb'),
    maxDbs: names.length,
    ...OWNER_ONLY,
    overlappingSync: false,
    // Groups are formed by our own writer; there is nothing to wait for.
    eventTurnBatching: false,
    ...binary,
  });
  try {
    const tables = names.map((name) => [name, root.openDB<Buffer, Buffer>({ name, ...binary })]);
    return { root, ...(Object.fromEntries(tables) as Record<Name, Table>) };
  } catch (error) {
    void root.close();
    throw error;
  }
}

/** Closes an environment after a failure, when nobody reads it any more, and opens it again with `open`. */
export async function openAnew(root: RootDatabase<Buffer, Buffer>, open: () => void): Promise<void> {
  // Opened within the callback: lmdb would give the same, failed environment again if it were opened before it is
  // closed. (The callback is missing in lmdb's types.)
  await (root as unknown as { close(closed: () => void): Promise<void> }).close(open);
}

/** Value of entries that are only keys. */
export const PRESENT = Buffer.of(1);

/** Whole number from 0 to 2^48 − 1 so that bytewise order is numeric order. */
export function u48(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(6);
  bytes.writeUIntBE(value, 0, 6);
  return bytes;
}

export function readU48(bytes: Buffer, at: number): number {
  return bytes.readUIntBE(at, 6);
}

const NUMBER_BYTES = 6;

/** `name NUL number`: entries of one name lie together in numeric order. */
export function numberedKey(name: string, number: number): Buffer {
  // One piece: made for every block of a track.
  const length = Buffer.byteLength(name);
  const key = Buffer.allocUnsafe(length + 1 + NUMBER_BYTES);
  key.write(name);
  key[length] = 0;
  key.writeUIntBE(number, length + 1, NUMBER_BYTES);
  return key;
}

/** Lowest key that begins with `name NUL`. */
export function prefixKey(name: string): Buffer {
  return Buffer.from(`${name}\u0000`);
}

/** First key behind all that begin with `name NUL`. */
export function behindPrefix(name: string): Buffer {
  return Buffer.from(`${name}\u0001`);
}

/** The number at the end of a {@link numberedKey}. */
export function numberOfKey(key: Buffer): number {
  return readU48(key, key.length - 6);
}

/** A value as a view that is valid until the next read of the environment. */
export function peek(table: Table, key: Buffer): Uint8Array | undefined {
  const bytes = table.getBinaryFast(key);
  // lmdb sets `length` on a larger buffer that it uses again.
  return bytes && new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

export interface RangeOptions {
  lower?: Buffer;
  upper?: Buffer;
  limit?: number;
  reverse?: boolean;
}

/** Entries with `lower <= key < upper`, read at once so that no cursor outlives the call. */
export function entries(table: Table, range: RangeOptions): { key: Buffer; value: Buffer }[] {
  return Array.from(table.getRange(bounds(range)));
}

/** Keys with `lower <= key < upper`. */
export function keys(table: Table, range: RangeOptions): Buffer[] {
  return Array.from(table.getKeys(bounds(range)));
}

function bounds({ lower, upper, limit, reverse }: RangeOptions): object {
  if (!reverse) return { start: lower ?? Buffer.of(0), end: upper, limit };
  return { start: upper, exclusiveStart: true, end: lower, inclusiveEnd: true, reverse: true, limit };
}

export function parse<T>(bytes: Buffer): T {
  return JSON.parse(bytes.toString()) as T;
}

export function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
