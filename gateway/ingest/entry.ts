/**
 * The format of the ingest log. A group is what one append makes durable: a head and entries in order of arrival.
 *
 *     group: version u8 = 1, flags u8 (bit 0: holds parts of sub-packaged messages), base time f64 (ms UTC), entries
 *     entry: length u32 (of what follows), kind and edition u8, time i32 (ms since base), vehicle (u8 + UTF-8),
 *            (bit 7 of kind and edition: header of the vendor framing),
 *            context (u16 + UTF-8, only for kinds that have one), content
 *
 * The content of a JT/T 808 entry is header and body as received, unescaped, without checksum; it names the terminal
 * itself. Numbers are big-endian.
 */

/** What an entry is; the number is stored. */
export const entryKinds = {
  /** A JT/T 808 frame. */
  frame: 1,
  /** One part of a sub-packaged JT/T 808 message. */
  part: 2,
  /** A frame that ends the item of a delivery; context: `deliveryId \n result`. */
  receipt: 3,
  /** A frame that answers a part of an item only: evidence, reports nothing. */
  partReceipt: 4,
  /** A frame whose body is wrong: goes to quarantine; context: `code \n message`. */
  unusable: 5,
  /** Payload of an MQTT terminal's `up` topic, as it came; context: terminal number. */
  mqtt: 6,
} as const;
export type EntryKind = keyof typeof entryKinds;

type KindNumber = (typeof entryKinds)[EntryKind];
const kindNames: Record<number, EntryKind> = Object.fromEntries(
  Object.entries(entryKinds).map(([name, number]) => [number, name as EntryKind]),
);

const version = 1;
const headBytes = 10;
const flagParts = 1;
/** In the byte of kind and edition. */
const vendorBit = 0x80;
const editions = [2013, 2011, 2019] as const;
type Edition = (typeof editions)[number];

/** Below this many bytes a plain loop copies faster than `set` with a view. */
const loopBytes = 96;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A vehicle id as entries hold it; made once for a session. */
export function vehiclePrefix(vehicleId: string): Uint8Array {
  const id = encoder.encode(vehicleId);
  if (id.length > 255) throw new RangeError(`a vehicle id has at most 255 bytes, this one ${id.length}`);
  const prefix = new Uint8Array(1 + id.length);
  prefix[0] = id.length;
  prefix.set(id, 1);
  return prefix;
}

/** Collects entries for one append in a buffer that is used again for a later one. */
export class GroupWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = headBytes;
  #baseMs = 0;
  /** Entries so far. */
  count = 0;
  /** True when the group holds more than plain locations: something that people wait for may be in it. */
  urgent = false;

  constructor(initialBytes = 64 * 1024) {
    this.#bytes = new Uint8Array(initialBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Bytes so far, head included. */
  get size(): number {
    return this.#length;
  }

  /**
   * Adds one entry; copies `bytes[start..end)`.
   * @param vehicle from {@link vehiclePrefix}
   * @param context text for kinds that have one, or its UTF-8 where the caller keeps that; otherwise undefined
   * @param vendorHeader the frame came in the vendor framing
   */
  add(
    kind: KindNumber,
    edition: Edition,
    receivedAt: number,
    vehicle: Uint8Array,
    context: string | Uint8Array | undefined,
    bytes: Uint8Array,
    start: number,
    end: number,
    vendorHeader = false,
  ): void {
    if (this.count === 0) this.#begin(receivedAt);
    const text = typeof context === 'string' ? encoder.encode(context) : context;
    const length = 5 + vehicle.length + (text === undefined ? 0 : 2 + text.length) + (end - start);
    this.#reserve(4 + length);
    const view = this.#view;
    let at = this.#length;
    view.setUint32(at, length);
    this.#bytes[at + 4] =
      kind | (edition === 2013 ? 0 : edition === 2011 ? 0x10 : 0x20) | (vendorHeader ? vendorBit : 0);
    view.setInt32(at + 5, receivedAt - this.#baseMs);
    at = this.#copy(vehicle, 0, vehicle.length, at + 9);
    if (text !== undefined) {
      view.setUint16(at, text.length);
      at = this.#copy(text, 0, text.length, at + 2);
    }
    this.#length = this.#copy(bytes, start, end, at);
    if (kind === entryKinds.part) this.#bytes[1]! |= flagParts;
    // The first two bytes of a frame are its message id.
    if (kind !== entryKinds.frame || bytes[start] !== 0x02 || bytes[start + 1] !== 0x00) this.urgent = true;
    this.count++;
  }

  /** The group so far: a view that is valid until {@link reset}. */
  group(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Starts an empty group in the same buffer; a buffer that grew far beyond need is given back. */
  reset(keepBytes = 1024 * 1024): void {
    if (this.#bytes.length > keepBytes && this.#length < keepBytes / 4) {
      this.#bytes = new Uint8Array(keepBytes);
      this.#view = new DataView(this.#bytes.buffer);
    }
    this.#length = headBytes;
    this.count = 0;
    this.urgent = false;
  }

  #begin(nowMs: number): void {
    this.#baseMs = nowMs;
    this.#bytes[0] = version;
    this.#bytes[1] = 0;
    this.#view.setFloat64(2, nowMs);
  }

  #copy(from: Uint8Array, start: number, end: number, at: number): number {
    const bytes = this.#bytes;
    if (end - start > loopBytes) {
      bytes.set(from.subarray(start, end), at);
      return at + end - start;
    }
    for (let i = start; i < end; i++) bytes[at++] = from[i]!;
    return at;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#length + more, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** A group that cannot be read: written by a newer version, or damaged. */
export class GroupError extends Error {
  override readonly name = 'GroupError';
}

/** True when a group holds parts of sub-packaged messages. */
export function holdsParts(group: Uint8Array): boolean {
  return group.length >= headBytes && (group[1]! & flagParts) !== 0;
}

/**
 * Walks the entries of a group. One object for many groups: after `next()` its fields describe the current entry, whose
 * content is `bytes[start..end)`.
 */
export class GroupCursor {
  bytes: Uint8Array = new Uint8Array(0);
  kind: EntryKind = 'frame';
  edition: Edition = 2013;
  /** The frame came in the vendor framing: its identity has 7 bytes. */
  vendorHeader = false;
  receivedAt = 0;
  vehicleId = '';
  context = '';
  /** Index of the entry in its group, from 0. */
  index = -1;
  start = 0;
  end = 0;

  #view: DataView = new DataView(new ArrayBuffer(0));
  #next = 0;
  #baseMs = 0;
  #vehicles = new Map<number, { bytes: Uint8Array; id: string }>();

  /** @throws GroupError when this is no group of a version that is known here */
  open(group: Uint8Array): void {
    if (group.length < headBytes || group[0] !== version) {
      throw new GroupError(
        `expected a group of version ${version}, found version ${group[0]} in ${group.length} bytes`,
      );
    }
    this.bytes = group;
    this.#view = new DataView(group.buffer, group.byteOffset, group.byteLength);
    this.#baseMs = this.#view.getFloat64(2);
    this.#next = headBytes;
    this.index = -1;
  }

  /** @throws GroupError when the group ends inside an entry */
  next(): boolean {
    const { bytes } = this;
    const view = this.#view;
    if (this.#next === bytes.length) return false;
    if (this.#next + 10 > bytes.length) throw this.#damaged();
    let at = this.#next + 4;
    const end = at + view.getUint32(at - 4);
    const kind = kindNames[bytes[at]! & 0x0f];
    if (end > bytes.length || kind === undefined) throw this.#damaged();
    this.kind = kind;
    this.edition = editions[(bytes[at]! & ~vendorBit) >> 4] ?? 2013;
    this.vendorHeader = (bytes[at]! & vendorBit) !== 0;
    this.receivedAt = this.#baseMs + view.getInt32(at + 1);
    const vehicleBytes = bytes[at + 5]!;
    this.vehicleId = this.#vehicle(at + 6, vehicleBytes);
    at += 6 + vehicleBytes;
    this.context = '';
    if (kind !== 'frame' && kind !== 'part' && kind !== 'partReceipt') {
      const contextBytes = view.getUint16(at);
      this.context = decoder.decode(bytes.subarray(at + 2, at + 2 + contextBytes));
      at += 2 + contextBytes;
    }
    if (at > end) throw this.#damaged();
    this.start = at;
    this.end = end;
    this.#next = end;
    this.index++;
    return true;
  }

  /** The id at `at`, as one string for all entries that hold it: hot, and a fresh string each time would be hashed anew. */
  #vehicle(at: number, length: number): string {
    const { bytes } = this;
    let hash = length;
    for (let i = at; i < at + length; i++) hash = (Math.imul(hash, 31) + bytes[i]!) | 0;
    const known = this.#vehicles.get(hash);
    if (known !== undefined && sameBytes(known.bytes, bytes, at, length)) return known.id;
    // Not `slice`, which is a view where the group is a Buffer.
    const copy = Uint8Array.from(bytes.subarray(at, at + length));
    const id = decoder.decode(copy);
    if (this.#vehicles.size >= 100_000) this.#vehicles.clear();
    this.#vehicles.set(hash, { bytes: copy, id });
    return id;
  }

  #damaged(): GroupError {
    return new GroupError(`the group ends or is damaged in entry ${this.index + 1} at byte ${this.#next}`);
  }
}

function sameBytes(known: Uint8Array, bytes: Uint8Array, at: number, length: number): boolean {
  if (known.length !== length) return false;
  for (let i = 0; i < length; i++) if (known[i] !== bytes[at + i]) return false;
  return true;
}
