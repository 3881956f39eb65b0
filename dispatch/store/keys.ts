import { invalid } from './errors.js';

/**
 * Longest key in bytes that every store takes: LMDB's limit is 1,978 at a page of 4 KB, less what a store puts before.
 */
export const MAX_KEY_BYTES = 1_500;

const NUL = '\u0000';

/** Refuses a name (kind, id, index, node, terminal, …) that is empty, too long or holds a NUL. */
export function checkName(what: string, name: string): string {
  if (typeof name !== 'string' || name === '' || name.includes(NUL)) {
    throw invalid(`${what} must be a string of at least one character without NUL, got ${JSON.stringify(name)}`);
  }
  if (isTooLong(name)) {
    throw invalid(`${what} must have at most ${MAX_KEY_BYTES} bytes, got ${Buffer.byteLength(name)}`);
  }
  return name;
}

/** True where no store can hold an entry under this key, so that nothing is there either. */
export function isTooLong(key: string): boolean {
  return key.length > MAX_KEY_BYTES / 3 && Buffer.byteLength(key) > MAX_KEY_BYTES;
}

/** Key of a document: kind, NUL, id. */
export function docKey(kind: string, id: string): string {
  return `${kind}${NUL}${id}`;
}

export function splitDocKey(key: string): { kind: string; id: string } {
  const at = key.indexOf(NUL);
  return { kind: key.slice(0, at), id: key.slice(at + 1) };
}

/**
 * Sort key in a form whose bytewise order stays right when something follows: NUL becomes `00 FF`, the end is `00 01`
 * (as in FoundationDB's tuples).
 */
export function encodeSortKey(sortKey: string): Buffer {
  const plain = Buffer.from(sortKey);
  let nuls = 0;
  for (const byte of plain) if (byte === 0) nuls++;
  const out = Buffer.allocUnsafe(plain.length + nuls + 2);
  let at = 0;
  for (const byte of plain) {
    out[at++] = byte;
    if (byte === 0) out[at++] = 0xff;
  }
  out[at++] = 0;
  out[at] = 1;
  return out;
}

/** The sort key at the beginning of an {@link indexEntry}. */
export function decodeSortKey(entry: Uint8Array): string {
  const plain: number[] = [];
  for (let i = 0; i + 1 < entry.length; i++) {
    if (entry[i] === 0 && entry[i + 1] === 1) return Buffer.from(plain).toString();
    plain.push(entry[i]!);
    if (entry[i] === 0) i++;
  }
  throw invalid('an index entry without the end of its sort key');
}

/** Lower end of all entries with exactly this sort key or a higher one: {@link encodeSortKey} without its end mark. */
export function sortKeyBound(sortKey: string): Buffer {
  const encoded = encodeSortKey(sortKey);
  return encoded.subarray(0, encoded.length - 1);
}

/** Index entry behind the index name: encoded sort key, then the document's key. Bytewise order is the scan's order. */
export function indexEntry(sortKey: string, key: string): Buffer {
  return Buffer.concat([encodeSortKey(sortKey), Buffer.from(key)]);
}

/** The document's key inside an {@link indexEntry}. */
export function docKeyOfEntry(entry: Uint8Array): string {
  for (let i = 0; i + 1 < entry.length; i++) {
    if (entry[i] !== 0) continue;
    if (entry[i + 1] === 1) return Buffer.from(entry.buffer, entry.byteOffset + i + 2, entry.length - i - 2).toString();
    i++;
  }
  throw invalid('an index entry without the end of its sort key');
}

export function encodeCursor(entry: Uint8Array): string {
  return Buffer.from(entry.buffer, entry.byteOffset, entry.length).toString('base64url');
}

/** The entry that a cursor names; rejects what {@link encodeCursor} did not make. */
export function decodeCursor(cursor: string): Buffer {
  const entry = Buffer.from(cursor, 'base64url');
  if (entry.length === 0 || entry.toString('base64url') !== cursor) {
    throw invalid(`cursor ${JSON.stringify(cursor)} is not one that an earlier page gave`);
  }
  docKeyOfEntry(entry);
  return entry;
}

/** Bounds of a scan as entries of its index: `lower` inclusive, `upper` exclusive; undefined means open. */
export function scanBounds(scan: { from?: string; to?: string; after?: string; reverse?: boolean; limit: number }): {
  lower: Buffer | undefined;
  upper: Buffer | undefined;
} {
  checkLimit(scan.limit);
  let lower = scan.from === undefined ? undefined : sortKeyBound(scan.from);
  let upper = scan.to === undefined ? undefined : sortKeyBound(scan.to);
  if (scan.after !== undefined) {
    const entry = decodeCursor(scan.after);
    if (scan.reverse) upper = upper && Buffer.compare(upper, entry) < 0 ? upper : entry;
    else {
      const behind = Buffer.concat([entry, Buffer.of(0)]);
      lower = lower && Buffer.compare(lower, behind) > 0 ? lower : behind;
    }
  }
  return { lower, upper };
}

/** Refuses a page size outside 1 to 1,000. */
export function checkLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > 1_000) {
    throw invalid(`limit must be an integer from 1 to 1000, got ${limit}`);
  }
}

/** References under which an event can be read: the order and the vehicle that it names. */
export function refsOf(event: { orderId?: string; vehicleId?: string }): string[] {
  const refs: string[] = [];
  if (event.orderId !== undefined) refs.push(`order:${checkName("an event's orderId", event.orderId)}`);
  if (event.vehicleId !== undefined) refs.push(`vehicle:${checkName("an event's vehicleId", event.vehicleId)}`);
  return refs;
}
