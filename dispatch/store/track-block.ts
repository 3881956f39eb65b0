/**
 * Track blocks: the positions of one vehicle in one hour of device time, or a part of it, in device order, each once.
 * Pure; both stores share it.
 *
 * A block is: format (1), number of rows, the last row in full, then the rows. A row is a mask of the columns that
 * differ from the row before and the differences as zigzag varints. The last row stands in front so that the usual
 * case, rows later than all that is there, copies the old rows as they are.
 *
 * Two rows are the same position when device time, latitude and longitude are equal. Where the rest differs (the same
 * report received twice), the row that is lowest in receipt time, then in the other columns, stands: so any order, any
 * split and any repetition of the same rows gives the same block.
 */
import { invalid, StoreError } from './errors.js';
import { POSITION_WIDTH, type Position, type PositionBatch } from './position-batch.js';
import { ByteReader, ByteWriter } from './varint.js';

/** Length of a block in device time, ms. */
export const BLOCK_MS = 3_600_000;

const FORMAT = 1;
const DEVICE_AT = 0;
const RECEIVED_AT = 1;
const LAT = 2;
const LON = 3;
const COLUMNS = [
  'deviceAt',
  'receivedAt',
  'latE6',
  'lonE6',
  'altitudeM',
  'speedDeciKmh',
  'headingDeg',
  'alarm',
  'status',
  'mileageDeciKm',
];
/** Order of the columns in a comparison: what makes a position first, then the rest. */
const COMPARED = [DEVICE_AT, LAT, LON, RECEIVED_AT, 4, 5, 6, 7, 8, 9];
/** Larger numbers lose their exactness in differences and zigzag. */
const MAX_VALUE = 2 ** 50;
/** Device times stand in keys as 48 bits. */
const MAX_DEVICE_AT = 2 ** 47;
/** Mask and ten differences of at most 8 bytes. */
const MAX_ROW_BYTES = 2 + 8 * POSITION_WIDTH;

/** Rows of a batch that belong to one block, in device order, each position once. */
export interface BlockRows {
  vehicleId: string;
  /** Device time / {@link BLOCK_MS}, rounded down. */
  hour: number;
  /** Row numbers in the batch. */
  rows: Uint32Array;
}

export function hourOf(deviceAt: number): number {
  return Math.floor(deviceAt / BLOCK_MS);
}

/** The batch by vehicle and hour. Throws `StoreError` `invalid` where a number is not whole or out of range. */
export function groupByBlock(batch: PositionBatch): BlockRows[] {
  return [...blocksOf(batch)];
}

/** The same, made while it is walked; throws at once. */
export function blocksOf(batch: PositionBatch): Generator<BlockRows> {
  checkNumbers(batch);
  return walkBlocks(batch);
}

function* walkBlocks({ numbers, vehicleOf, vehicles, length }: PositionBatch): Generator<BlockRows> {
  const starts = new Uint32Array(vehicles.length + 1);
  for (let i = 0; i < length; i++) starts[vehicleOf[i]! + 1]!++;
  for (let v = 0; v < vehicles.length; v++) starts[v + 1]! += starts[v]!;
  const ordered = new Uint32Array(length);
  const next = starts.slice();
  for (let i = 0; i < length; i++) ordered[next[vehicleOf[i]!]!++] = i;

  for (let v = 0; v < vehicles.length; v++) {
    const rows = inDeviceOrder(numbers, ordered.subarray(starts[v], starts[v + 1]));
    let from = 0;
    for (let i = 1; i <= rows.length; i++) {
      const hour = hourOf(numbers[rows[from]! * POSITION_WIDTH]!);
      if (i < rows.length && hourOf(numbers[rows[i]! * POSITION_WIDTH]!) === hour) continue;
      yield { vehicleId: vehicles[v]!, hour, rows: rows.subarray(from, i) };
      from = i;
    }
  }
}

/** Adds rows (from {@link groupByBlock}) to a block. The result is new; `block` is not changed. */
export function mergeBlock(block: Uint8Array | undefined, batch: PositionBatch, rows: Uint32Array): Uint8Array {
  return mergedView(block, batch, rows).slice();
}

/** The same without an allocation: the result is valid until the next block is made. */
export function mergedView(block: Uint8Array | undefined, batch: PositionBatch, rows: Uint32Array): Uint8Array {
  if (!block) return encode(batch.numbers, rows);
  const header = readHeader(block);
  const first = rows[0]! * POSITION_WIDTH;
  if (comparePosition(batch.numbers, first, header.last, 0) > 0) return append(block, header, batch.numbers, rows);
  return encodeMerged(decodeRows(block), batch.numbers, rows);
}

/** Merges blocks of the same vehicle and hour, in any order. */
export function mergeBlocks(blocks: readonly Uint8Array[]): Uint8Array {
  if (blocks.length === 1) return blocks[0]!;
  const parts = blocks.map(decodeRows);
  const numbers = new Float64Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    numbers.set(part, at);
    at += part.length;
  }
  return encode(numbers, inDeviceOrder(numbers, allRows(numbers))).slice();
}

/** Number of rows in a block and device time of its last one, without reading the rows. */
export function blockEnd(block: Uint8Array): { count: number; lastAt: number } {
  const { count, last } = readHeader(block);
  return { count, lastAt: last[DEVICE_AT]! };
}

/**
 * A block of more than `most` rows in parts of about `rows`; rows of one device time stay together. `startAt` is the
 * device time of a part's first row, undefined for the first part.
 */
export function splitBlock(block: Uint8Array, most: number, rows: number): { startAt?: number; block: Uint8Array }[] {
  if (blockEnd(block).count <= most) return [{ block }];
  const numbers = decodeRows(block);
  const all = allRows(numbers);
  const time = (row: number) => numbers[row * POSITION_WIDTH]!;
  const parts: { startAt?: number; block: Uint8Array }[] = [];
  for (let from = 0; from < all.length;) {
    let to = Math.min(from + rows, all.length);
    while (to < all.length && time(to) === time(to - 1)) to++;
    const part = encode(numbers, all.subarray(from, to)).slice();
    parts.push(from === 0 ? { block: part } : { startAt: time(from), block: part });
    from = to;
  }
  return parts;
}

/** The rows of a block as numbers, {@link POSITION_WIDTH} each. Throws `StoreError` where the bytes are no block. */
export function decodeRows(block: Uint8Array): Float64Array {
  try {
    const header = readHeader(block);
    const reader = new ByteReader(block);
    reader.at = header.bodyAt;
    const numbers = new Float64Array(header.count * POSITION_WIDTH);
    for (let i = 0; i < header.count; i++) readRow(reader, numbers, i * POSITION_WIDTH);
    return numbers;
  } catch (error) {
    if (error instanceof RangeError) throw new StoreError('io', `a track block is damaged: ${error.message}`);
    throw error;
  }
}

/** Positions of a block with `from <= deviceAt < to`. */
export function positionsOf(vehicleId: string, block: Uint8Array, from: number, to: number): Position[] {
  const numbers = decodeRows(block);
  const positions: Position[] = [];
  for (let at = 0; at < numbers.length; at += POSITION_WIDTH) {
    if (numbers[at]! >= from && numbers[at]! < to) positions.push(positionAt(vehicleId, numbers, at));
  }
  return positions;
}

/** Numbers that start at `at` as an object. */
export function positionAt(vehicleId: string, numbers: Float64Array, at: number): Position {
  return {
    vehicleId,
    deviceAt: numbers[at]!,
    receivedAt: numbers[at + 1]!,
    latE6: numbers[at + 2]!,
    lonE6: numbers[at + 3]!,
    altitudeM: numbers[at + 4]!,
    speedDeciKmh: numbers[at + 5]!,
    headingDeg: numbers[at + 6]!,
    alarm: numbers[at + 7]!,
    status: numbers[at + 8]!,
    mileageDeciKm: numbers[at + 9]!,
  };
}

/** Order of two rows by all columns, position first: 0 only where they are equal throughout. */
export function compareRows(a: Float64Array, i: number, b: Float64Array, j: number): number {
  for (const column of COMPARED) {
    const difference = a[i + column]! - b[j + column]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

function comparePosition(a: Float64Array, i: number, b: Float64Array, j: number): number {
  return a[i]! - b[j]! || a[i + LAT]! - b[j + LAT]! || a[i + LON]! - b[j + LON]!;
}

function checkNumbers(batch: PositionBatch): void {
  const { numbers } = batch;
  const end = batch.length * POSITION_WIDTH;
  for (let i = 0; i < end; i++) {
    const value = numbers[i]!;
    if (Number.isInteger(value) && value < MAX_VALUE && value > -MAX_VALUE) continue;
    throw badNumber(batch, i);
  }
  for (let i = 0; i < end; i += POSITION_WIDTH) {
    if (numbers[i]! < 0 || numbers[i]! > MAX_DEVICE_AT) throw badNumber(batch, i);
  }
}

function badNumber(batch: PositionBatch, i: number): StoreError {
  const row = Math.floor(i / POSITION_WIDTH);
  return invalid(
    `positions: ${COLUMNS[i % POSITION_WIDTH]} of vehicle ${batch.vehicles[batch.vehicleOf[row]!]} (row ${row}) must be ` +
      `a whole number of at most 50 bits (deviceAt from 0 and of at most 47), got ${batch.numbers[i]}`,
  );
}

/** Sorts rows of one vehicle and drops repeated positions; costs one pass where they are in order already. */
function inDeviceOrder(numbers: Float64Array, rows: Uint32Array): Uint32Array {
  let ordered = true;
  for (let i = 1; i < rows.length && ordered; i++) {
    ordered = comparePosition(numbers, rows[i]! * POSITION_WIDTH, numbers, rows[i - 1]! * POSITION_WIDTH) > 0;
  }
  if (ordered) return rows;
  const sorted = rows.slice().sort((a, b) => compareRows(numbers, a * POSITION_WIDTH, numbers, b * POSITION_WIDTH));
  let kept = 1;
  for (let i = 1; i < sorted.length; i++) {
    const before = sorted[kept - 1]! * POSITION_WIDTH;
    if (comparePosition(numbers, sorted[i]! * POSITION_WIDTH, numbers, before) !== 0) sorted[kept++] = sorted[i]!;
  }
  return sorted.subarray(0, kept);
}

function allRows(numbers: Float64Array): Uint32Array {
  return Uint32Array.from({ length: numbers.length / POSITION_WIDTH }, (_, i) => i);
}

// ---- bytes: what is made is a view of `whole`, valid until the next is made

const body = new ByteWriter();
const whole = new ByteWriter();
const ZERO = new Float64Array(POSITION_WIDTH);

interface Header {
  count: number;
  last: Float64Array;
  bodyAt: number;
}

/** Used again by the next call: a block's header is read for every block that is written. */
const header: Header = { count: 0, last: new Float64Array(POSITION_WIDTH), bodyAt: 0 };

function readHeader(block: Uint8Array): Header {
  if (block[0] !== FORMAT) throw new StoreError('format', `a track block has format ${block[0]}, known is ${FORMAT}`);
  const reader = new ByteReader(block);
  reader.at = 1;
  header.count = reader.unsigned();
  for (let column = 0; column < POSITION_WIDTH; column++) header.last[column] = reader.signed();
  header.bodyAt = reader.at;
  return header;
}

function withHeader(count: number, last: Float64Array, lastAt: number, oldBody?: Uint8Array): Uint8Array {
  whole.at = 0;
  whole.reserve(1 + 8 + 8 * POSITION_WIDTH);
  whole.bytes[whole.at++] = FORMAT;
  whole.unsigned(count);
  for (let column = 0; column < POSITION_WIDTH; column++) whole.signed(last[lastAt + column]!);
  if (oldBody) whole.append(oldBody);
  whole.append(body.bytes.subarray(0, body.at));
  return whole.view();
}

function encode(numbers: Float64Array, rows: Uint32Array): Uint8Array {
  body.at = 0;
  writeRow(numbers, rows[0]! * POSITION_WIDTH, ZERO, 0);
  for (let i = 1; i < rows.length; i++) {
    writeRow(numbers, rows[i]! * POSITION_WIDTH, numbers, rows[i - 1]! * POSITION_WIDTH);
  }
  return withHeader(rows.length, numbers, rows[rows.length - 1]! * POSITION_WIDTH);
}

function append(block: Uint8Array, header: Header, numbers: Float64Array, rows: Uint32Array): Uint8Array {
  body.at = 0;
  writeRow(numbers, rows[0]! * POSITION_WIDTH, header.last, 0);
  for (let i = 1; i < rows.length; i++) {
    writeRow(numbers, rows[i]! * POSITION_WIDTH, numbers, rows[i - 1]! * POSITION_WIDTH);
  }
  const lastAt = rows[rows.length - 1]! * POSITION_WIDTH;
  return withHeader(header.count + rows.length, numbers, lastAt, block.subarray(header.bodyAt));
}

/** Merges two lists that are each in device order. */
function encodeMerged(old: Float64Array, numbers: Float64Array, rows: Uint32Array): Uint8Array {
  body.at = 0;
  let count = 0;
  let before: Float64Array = ZERO;
  let beforeAt = 0;
  let i = 0;
  let j = 0;
  while (i < old.length || j < rows.length) {
    const rowAt = j < rows.length ? rows[j]! * POSITION_WIDTH : -1;
    let order = i >= old.length ? 1 : rowAt < 0 ? -1 : comparePosition(old, i, numbers, rowAt);
    if (order === 0) {
      order = compareRows(old, i, numbers, rowAt) <= 0 ? -1 : 1;
      // The other one of the pair is the same position and goes.
      if (order < 0) j++;
      else i += POSITION_WIDTH;
    }
    const from = order < 0 ? old : numbers;
    const at = order < 0 ? i : rowAt;
    if (order < 0) i += POSITION_WIDTH;
    else j++;
    writeRow(from, at, before, beforeAt);
    before = from;
    beforeAt = at;
    count++;
  }
  return withHeader(count, before, beforeAt);
}

/** The receipt time is written as its lag behind the device time, which changes little. */
function writeRow(numbers: Float64Array, at: number, before: Float64Array, beforeAt: number): void {
  body.reserve(MAX_ROW_BYTES);
  const maskAt = body.at;
  body.at += 2;
  let mask = 0;
  for (let column = 0; column < POSITION_WIDTH; column++) {
    let difference = numbers[at + column]! - before[beforeAt + column]!;
    if (column === RECEIVED_AT) difference -= numbers[at]! - before[beforeAt]!;
    if (difference === 0) continue;
    mask |= 1 << column;
    body.signed(difference);
  }
  body.bytes[maskAt] = mask & 0xff;
  body.bytes[maskAt + 1] = mask >> 8;
}

function readRow(reader: ByteReader, numbers: Float64Array, at: number): void {
  const { bytes } = reader;
  if (reader.at + 2 > bytes.length) throw new RangeError('rows are missing');
  const mask = bytes[reader.at]! | (bytes[reader.at + 1]! << 8);
  reader.at += 2;
  const beforeAt = at - POSITION_WIDTH;
  for (let column = 0; column < POSITION_WIDTH; column++) {
    let value = at === 0 ? 0 : numbers[beforeAt + column]!;
    if (mask & (1 << column)) value += reader.signed();
    if (column === RECEIVED_AT) value += numbers[at]! - (at === 0 ? 0 : numbers[beforeAt]!);
    numbers[at + column] = value;
  }
}
