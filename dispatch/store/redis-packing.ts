/** Positions as bytes for Redis: many rows in few arguments, since each argument of a command costs as much as a row. */
import { lastPositionRank } from './last-position.js';
import { POSITION_WIDTH } from './position-batch.js';

/** Rank and numbers of a last position, in doubles. */
const RANKED_WIDTH = 1 + POSITION_WIDTH;
const RANKED_BYTES = RANKED_WIDTH * Float64Array.BYTES_PER_ELEMENT;
const FIRST_BYTES = 4_096;

/** What `positions.lua` is told of one shard: a list in MessagePack, which Lua takes apart in one call. */
export class ShardPart {
  readonly #rows = new PackedList();

  /** @param lastKey last positions of the shard */
  constructor(readonly lastKey: string) {}

  get bytes(): number {
    return this.#rows.length;
  }

  /**
   * A block of a vehicle's track of an hour.
   * @param lastAt start in `numbers` of the vehicle's last row in its batch; undefined where it is told already
   */
  add(vehicleId: string, numbers: Float64Array, lastAt: number | undefined, hour: number, block: Uint8Array): void {
    this.#rows.addText(vehicleId);
    this.#rows.addBytes(lastAt === undefined ? NOTHING : rankedRow(numbers, lastAt));
    this.#rows.addNumber(hour);
    this.#rows.addFrame(block);
  }

  arg(): Buffer {
    return this.#rows.bytes();
  }
}

const NOTHING = new Uint8Array(0);
const ranked = new Float64Array(RANKED_WIDTH);
const rankedBytes = new Uint8Array(ranked.buffer, 0, RANKED_BYTES);

/** Valid until the next. */
function rankedRow(numbers: Float64Array, at: number): Uint8Array {
  ranked[0] = lastPositionRank(numbers, at);
  for (let column = 0; column < POSITION_WIDTH; column++) ranked[1 + column] = numbers[at + column]!;
  return rankedBytes;
}

/** Bytes that grow; numbers are little-endian. */
export class Packed {
  #buffer = Buffer.allocUnsafe(FIRST_BYTES);
  length = 0;

  u8(value: number): void {
    this.#reserve(1);
    this.#buffer[this.length++] = value;
  }

  u32(value: number): void {
    this.#reserve(4);
    this.length = this.#buffer.writeUInt32LE(value, this.length);
  }

  u32BigEndian(value: number): void {
    this.#reserve(4);
    this.length = this.#buffer.writeUInt32BE(value, this.length);
  }

  /** Length in bytes (u16) and UTF-8. */
  name(text: string): void {
    const bytes = Buffer.byteLength(text);
    this.#reserve(2);
    this.length = this.#buffer.writeUInt16LE(bytes, this.length);
    this.text(text);
  }

  /** UTF-8 alone. */
  text(text: string): void {
    this.#reserve(3 * text.length);
    this.length += this.#buffer.write(text, this.length);
  }

  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** What was written; valid until more is. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.length);
  }

  /** Writes over four bytes that are there already. */
  setU32BigEndian(value: number, at: number): void {
    this.#buffer.writeUInt32BE(value, at);
  }

  #reserve(more: number): void {
    if (this.length + more <= this.#buffer.length) return;
    const buffer = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.length + more));
    buffer.set(this.bytes());
    this.#buffer = buffer;
  }
}

const LIST = 0xdd;
const BYTES = 0xdb;
const NUMBER = 0xce;

/** A list in MessagePack: `array 32` of `uint 32` and `str 32`, in the old form in which those are any bytes. */
class PackedList {
  #packed = new Packed();
  #items = 0;

  constructor() {
    this.#packed.u8(LIST);
    this.#packed.u32BigEndian(0);
  }

  get length(): number {
    return this.#packed.length;
  }

  addNumber(value: number): void {
    this.#add(NUMBER, value);
  }

  addText(text: string): void {
    this.#add(BYTES, Buffer.byteLength(text));
    this.#packed.text(text);
  }

  addBytes(bytes: Uint8Array): void {
    this.#add(BYTES, bytes.length);
    this.#packed.append(bytes);
  }

  /** A block as {@link frame} gives it. */
  addFrame(block: Uint8Array): void {
    this.#add(BYTES, 4 + block.length);
    this.#packed.u32(block.length);
    this.#packed.append(block);
  }

  bytes(): Buffer {
    this.#packed.setU32BigEndian(this.#items, 1);
    return this.#packed.bytes();
  }

  #add(kind: number, value: number): void {
    this.#packed.u8(kind);
    this.#packed.u32BigEndian(value);
    this.#items++;
  }
}

/** A block in a track: its length (u32) and itself. */
export function frame(block: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(4 + block.length);
  bytes.writeUInt32LE(block.length, 0);
  bytes.set(block, 4);
  return bytes;
}

/** The blocks of a track. */
export function framesOf(bytes: Buffer): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  for (let at = 0; at + 4 <= bytes.length;) {
    const length = bytes.readUInt32LE(at);
    blocks.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return blocks;
}
