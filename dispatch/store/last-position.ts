/**
 * Which of a vehicle's positions is shown as its last one. The rule is a total order, so the answer does not depend on
 * the order in which positions come:
 *
 * - The later device time wins. A device time more than a minute ahead of the receipt is not believed; the receipt
 *   time stands for it, so a terminal with a wrong date does not hold its place for years.
 * - A fix (status bit 1) counts as five minutes younger than it is: a truck in a garage keeps its last good place for
 *   that long, then is shown where its terminal says.
 */
import { POSITION_WIDTH, type PositionBatch } from './position-batch.js';
import { compareRows } from './track-block.js';

const FIX_BONUS_MS = 5 * 60_000;
const MAX_AHEAD_MS = 60_000;
const RECEIVED_AT = 1;
const STATUS = 8;
const STATUS_FIXED = 2;

/** Value by which positions of one vehicle are ranked; the highest is shown. */
export function lastPositionRank(numbers: Float64Array, at: number): number {
  const deviceAt = numbers[at]!;
  const receivedAt = numbers[at + RECEIVED_AT]!;
  const believedAt = deviceAt > receivedAt + MAX_AHEAD_MS ? receivedAt : deviceAt;
  // Status is unsigned with 32 bits; bit 1 survives the conversion that `&` makes.
  return believedAt + (numbers[at + STATUS]! & STATUS_FIXED ? FIX_BONUS_MS : 0);
}

/** True where the position at `i` is to be shown rather than that at `j`. */
export function isLater(a: Float64Array, i: number, b: Float64Array, j: number): boolean {
  const difference = lastPositionRank(a, i) - lastPositionRank(b, j);
  return difference > 0 || (difference === 0 && compareRows(a, i, b, j) > 0);
}

/** Row number of the position to show for each vehicle of a batch, by the vehicle's number in it. */
export function latestRows(batch: PositionBatch): Int32Array {
  const latest = new Int32Array(batch.vehicles.length).fill(-1);
  for (let i = 0; i < batch.length; i++) {
    const vehicle = batch.vehicleOf[i]!;
    const best = latest[vehicle]!;
    if (best < 0 || isLater(batch.numbers, i * POSITION_WIDTH, batch.numbers, best * POSITION_WIDTH)) {
      latest[vehicle] = i;
    }
  }
  return latest;
}

/** Row `i` of a batch as numbers of its own. */
export function rowNumbers(batch: PositionBatch, i: number): Float64Array {
  return batch.numbers.slice(i * POSITION_WIDTH, (i + 1) * POSITION_WIDTH);
}

/** Stored form: ten little-endian doubles (all platforms that Node runs on are little-endian where it matters). */
export function rowBytes(row: Float64Array): Buffer {
  return Buffer.from(row.buffer, row.byteOffset, row.byteLength);
}

export function rowFromBytes(bytes: Uint8Array): Float64Array {
  const row = new Float64Array(POSITION_WIDTH);
  new Uint8Array(row.buffer).set(bytes.subarray(0, row.byteLength));
  return row;
}
