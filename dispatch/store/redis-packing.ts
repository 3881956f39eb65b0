/** Positions as bytes for Redis: many rows in few arguments, since each argument of a command costs as much as a row. */
import { lastPositionRank } from './last-position.js';
import { POSITION_WIDTH } from './position-batch.js';

/** Rank and numbers of a last position, in doubles. */
const RANKED_WIDTH = 1 + POSITION_WIDTH;
const RANKED_BYTES = RANKED_WIDTH * Float64Array.BYTES_PER_ELEMENT;
const FIRST_BYTES = 4_096;

/** What `positions.lua` is told of one shard. */
export class ShardPart {
  readonly keys: string[];
  #vehicles = new Packed();
  #frames = new Packed();
  #pairs = 0;

  constructor(lastKey: string) {
    this.keys = [lastKey];
  }

  get bytes(): number {
    return this.#vehicles.length + this.#frames.length;
  }

  /** The row that starts at `at` is the last one of a vehicle in its batch. */
  addLast(vehicleId: string, numbers: Float64Array, at: number): void {
    ranked[0] = lastPositionRank(numbers, at);
    for (let column = 0; column < POSITION_WIDTH; column++) ranked[1 + column] = numbers[at + column]!;
    this.#vehicles.name(vehicleId);
    this.#vehicles.append(rankedBytes);
  }

  /** @param keys hours of the vehicle, its track of this hour */
  addBlock(keys: readonly [hours: string, track: string], hour: number, block: Uint8Array): void {
    this.keys.push(...keys);
    this.#pairs++;
    this.#frames.u32(hour);
    this.#frames.u32(block.length);
    this.#frames.append(block);
  }

  args(): [pairs: number, vehicles: Buffer, frames: Buffer] {
    return [this.#pairs, this.#vehicles.bytes(), this.#frames.bytes()];
  }
}

const ranked = new Float64Array(RANKED_WIDTH);
const rankedBytes = new Uint8Array(ranked.buffer, 0, RANKED_BYTES);

/** Bytes that grow; numbers are little-endian. */
export class Packed {
  #buffer = Buffer.allocUnsafe(FIRST_BYTES);
  length = 0;

  u32(value: number): void {
    this.#reserve(4);
    this.length = this.#buffer.writeUInt32LE(value, this.length);
  }

  /** Length in bytes (u16) and UTF-8. */
  name(text: string): void {
    const bytes = Buffer.byteLength(text);
    this.#reserve(2 + bytes);
    this.length = this.#buffer.writeUInt16LE(bytes, this.length);
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

  #reserve(more: number): void {
    if (this.length + more <= this.#buffer.length) return;
    const buffer = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.length + more));
    buffer.set(this.bytes());
    this.#buffer = buffer;
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
