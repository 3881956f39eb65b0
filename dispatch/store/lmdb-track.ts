/**
 * Tracks in LMDB. An hour of a vehicle is one block, or several where it reports often: a block that is written again
 * with each batch must stay small. The first block of an hour stands under the beginning of the hour, each further one
 * under the device time of its first row; a row belongs to the last block that begins at or before it.
 */
import { keys, numberedKey, numberOfKey, peek, type Table } from './lmdb-env.js';
import { POSITION_WIDTH, type PositionBatch } from './position-batch.js';
import { BLOCK_MS, blockEnd, mergedView, splitBlock, type BlockRows } from './track-block.js';

/** Rows after which the next block is begun: a page or two of LMDB. */
const ROWS_PER_BLOCK = 256;

/** Where the newest block of a vehicle begins, so that the usual case needs no search. One entry per vehicle. */
export type Tails = Map<string, number>;

/** Adds rows to a track, inside a write transaction. After a transaction that failed `tails` must be cleared. */
export function putTrack(track: Table, tails: Tails, batch: PositionBatch, { vehicleId, hour, rows }: BlockRows): void {
  const hourAt = hour * BLOCK_MS;
  const tail = tails.get(vehicleId);
  const firstAt = deviceAt(batch, rows[0]!);
  const starts =
    tail !== undefined && tail >= hourAt && tail <= firstAt && tail < hourAt + BLOCK_MS
      ? [tail]
      : blocksFrom(track, vehicleId, hourAt, firstAt);
  const newest = putRows(track, vehicleId, starts, batch, rows);
  if (tail === undefined || newest > tail) tails.set(vehicleId, newest);
}

/** Beginnings of the blocks of an hour from the one that `firstAt` belongs to; the hour's own where there is none. */
function blocksFrom(track: Table, vehicleId: string, hourAt: number, firstAt: number): number[] {
  const range = { lower: numberedKey(vehicleId, hourAt), upper: numberedKey(vehicleId, hourAt + BLOCK_MS) };
  const starts = keys(track, range).map(numberOfKey);
  if (starts.length === 0) return [hourAt];
  let first = starts.length - 1;
  while (first > 0 && starts[first]! > firstAt) first--;
  return starts.slice(first);
}

/** Puts each row into its block; gives the beginning of the last block that was written. */
function putRows(
  track: Table,
  vehicleId: string,
  starts: readonly number[],
  batch: PositionBatch,
  rows: Uint32Array,
): number {
  let newest = starts[0]!;
  let from = 0;
  for (let i = 0; i < starts.length && from < rows.length; i++) {
    let to = rows.length;
    if (i + 1 < starts.length) {
      for (to = from; to < rows.length && deviceAt(batch, rows[to]!) < starts[i + 1]!;) to++;
    }
    if (to > from) newest = putBlock(track, vehicleId, starts[i]!, batch, rows.subarray(from, to));
    from = to;
  }
  return newest;
}

function putBlock(track: Table, vehicleId: string, start: number, batch: PositionBatch, rows: Uint32Array): number {
  const key = numberedKey(vehicleId, start);
  const block = peek(track, key);
  const firstAt = deviceAt(batch, rows[0]!);
  if (block) {
    const { count, lastAt } = blockEnd(block);
    // Full, and all that comes is later: the next block begins here.
    if (count >= ROWS_PER_BLOCK && firstAt > lastAt)
      return putParts(track, vehicleId, firstAt, mergedView(undefined, batch, rows));
  }
  return putParts(track, vehicleId, start, mergedView(block, batch, rows));
}

function putParts(track: Table, vehicleId: string, start: number, block: Uint8Array): number {
  let newest = start;
  for (const part of splitBlock(block, 2 * ROWS_PER_BLOCK, ROWS_PER_BLOCK)) {
    newest = part.startAt ?? start;
    const { buffer, byteOffset, byteLength } = part.block;
    track.putSync(numberedKey(vehicleId, newest), Buffer.from(buffer, byteOffset, byteLength));
  }
  return newest;
}

function deviceAt(batch: PositionBatch, row: number): number {
  return batch.numbers[row * POSITION_WIDTH]!;
}
