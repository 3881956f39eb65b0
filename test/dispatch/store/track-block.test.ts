import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isLater, latestRows, rowBytes, rowFromBytes, rowNumbers } from '../../../dispatch/store/last-position.js';
import { POSITION_WIDTH, PositionBatch } from '../../../dispatch/store/position-batch.js';
import {
  BLOCK_MS,
  blockEnd,
  decodeRows,
  groupByBlock,
  mergeBlock,
  mergeBlocks,
  positionsOf,
  splitBlock,
} from '../../../dispatch/store/track-block.js';

type Row = [vehicle: string, ...numbers: number[]];
const NOW = Date.UTC(2024, 5, 1, 8, 0, 0);

/** Few distinct times and places, so that the same position comes again and again, with other columns too. */
const row: fc.Arbitrary<Row> = fc.tuple(
  fc.constantFrom('v1', 'v2'),
  fc.integer({ min: 0, max: 6 }).map((i) => NOW + (i - 3) * (BLOCK_MS / 4)),
  fc.integer({ min: 0, max: 3 }).map((i) => NOW + i * 1_000),
  fc.constantFrom(31_230_416, -33_868_820),
  fc.constantFrom(121_473_701, -151_209_290),
  fc.integer({ min: -500, max: 9_000 }),
  fc.integer({ min: 0, max: 2_200 }),
  fc.integer({ min: 0, max: 359 }),
  fc.integer({ min: 0, max: 0xffff_ffff }),
  fc.integer({ min: 0, max: 0xffff_ffff }),
  fc.integer({ min: -1, max: 10_000_000 }),
);

function batchOf(rows: readonly Row[]): PositionBatch {
  const batch = new PositionBatch(1);
  for (const [vehicle, ...n] of rows) {
    batch.add(vehicle, n[0]!, n[1]!, n[2]!, n[3]!, n[4]!, n[5]!, n[6]!, n[7]!, n[8]!, n[9]!);
  }
  return batch;
}

/** All blocks after applying the batches one after the other. */
function apply(batches: readonly (readonly Row[])[]): Map<string, Uint8Array> {
  const blocks = new Map<string, Uint8Array>();
  for (const rows of batches) {
    const batch = batchOf(rows);
    for (const group of groupByBlock(batch)) {
      const key = `${group.vehicleId} ${group.hour}`;
      blocks.set(key, mergeBlock(blocks.get(key), batch, group.rows));
    }
  }
  return blocks;
}

/** Any order, any split, any repetition of rows. */
function rearranged(rows: readonly Row[]): fc.Arbitrary<Row[][]> {
  const repeated = fc.subarray([...rows]).map((again) => [...rows, ...again]);
  const order = repeated.chain((all) => fc.shuffledSubarray(all, { minLength: all.length }));
  return fc.tuple(order, fc.array(fc.nat(Math.max(1, rows.length * 2)))).map(([all, cuts]) => {
    const at = [0, ...cuts.map((cut) => Math.min(cut, all.length)).sort((a, b) => a - b), all.length];
    return at.slice(1).map((to, i) => all.slice(at[i], to));
  });
}

describe('track blocks', () => {
  test('any order, split and repetition of the same positions gives the same blocks', () => {
    fc.assert(
      fc.property(
        fc.array(row, { maxLength: 40 }).chain((rows) => fc.tuple(fc.constant(rows), rearranged(rows))),
        ([rows, batches]) => {
          expect(apply(batches)).toEqual(apply([rows]));
        },
      ),
      { numRuns: 500 },
    );
  });

  test('a block holds each position once, in device order, with the columns of one of its reports', () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 40 }), (rows) => {
        for (const [key, block] of apply([rows])) {
          const [vehicleId, hour] = key.split(' ');
          const found = positionsOf(vehicleId!, block, 0, Infinity);
          const reports = rows.filter(([v, at]) => v === vehicleId && Math.floor(at! / BLOCK_MS) === Number(hour));
          const place = (r: { deviceAt: number; latE6: number; lonE6: number }) =>
            `${r.deviceAt} ${r.latE6} ${r.lonE6}`;
          const given = reports.map((report) => batchOf([report]).at(0));
          expect(new Set(found.map(place))).toEqual(new Set(given.map(place)));
          expect(new Set(found.map(place)).size).toBe(found.length);
          expect(found.map((p) => p.deviceAt)).toEqual(found.map((p) => p.deviceAt).sort((a, b) => a - b));
          for (const position of found) expect(given).toContainEqual(position);
          expect(blockEnd(block).count).toBe(found.length);
        }
      }),
    );
  });

  test('of two reports of one position the one received first stands', () => {
    const late: Row = ['v', NOW, NOW + 90_000, 1, 2, 3, 4, 5, 6, 7, 8];
    const early: Row = ['v', NOW, NOW + 100, 1, 2, 9, 9, 9, 9, 9, 9];
    for (const batches of [[[late], [early]], [[early], [late]], [[late, early]]]) {
      const [block] = [...apply(batches).values()];
      expect(positionsOf('v', block!, 0, Infinity)).toEqual([batchOf([early]).at(0)]);
    }
  });

  test('extreme numbers come back exactly', () => {
    const extremes: Row[] = [
      ['v', 0, 0, -90_000_000, -180_000_000, -32_768, 0, 0, 0, 0, -1],
      ['v', 1, 2 ** 50 - 1, 90_000_000, 180_000_000, 65_535, 65_535, 359, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff],
      ['v', 2, -(2 ** 50) + 1, 0, 0, 0, 0, 0, 0, 0, 0],
    ];
    const [block] = [...apply([extremes]).values()];
    const batch = batchOf(extremes);
    expect(positionsOf('v', block!, 0, Infinity)).toEqual(extremes.map((_, i) => batch.at(i)));
  });

  test.each([NaN, Infinity, 0.5, 2 ** 50, -(2 ** 50)])('a longitude of %s is refused by name', (value) => {
    const rows: Row[] = [['truck', NOW, NOW, 1, value, 0, 0, 0, 0, 0, 0]];
    expect(() => groupByBlock(batchOf(rows))).toThrow(/lonE6 of vehicle truck \(row 0\)/);
  });

  test('a time before 1970 is refused', () => {
    expect(() => groupByBlock(batchOf([['v', -1, 0, 0, 0, 0, 0, 0, 0, 0, 0]]))).toThrow(/deviceAt of vehicle v/);
  });

  test('merging stored blocks is the same as merging their positions', () => {
    fc.assert(
      fc.property(
        fc.array(
          row.map(([, ...n]): Row => ['v', NOW + (n[0]! % BLOCK_MS), ...n.slice(1)]),
          { minLength: 2 },
        ),
        (rows) => {
          const cut = Math.floor(rows.length / 2);
          const parts = [rows.slice(0, cut), rows.slice(cut)].map((part) => [...apply([part]).values()][0]!);
          expect(mergeBlocks(parts)).toEqual([...apply([rows]).values()][0]);
          expect(mergeBlocks([...parts].reverse())).toEqual(mergeBlocks(parts));
        },
      ),
    );
  });

  test('a split block holds the same positions in parts that do not overlap', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 80 }),
        fc.integer({ min: 1, max: 9 }),
        (times, size) => {
          const rows = times.map((at, i): Row => ['v', NOW + at, NOW, i, 0, 0, 0, 0, 0, 0, 0]);
          const [block] = [...apply([rows]).values()];
          const parts = splitBlock(block!, 2 * size, size);
          expect(mergeBlocks(parts.map((part) => part.block))).toEqual(block);
          parts.slice(1).forEach(({ startAt }, i) => {
            expect(blockEnd(parts[i]!.block).lastAt).toBeLessThan(startAt!);
          });
          if (parts.length === 1) expect(parts[0]).toEqual({ block });
        },
      ),
    );
  });

  test('damaged bytes are an error, never wrong positions without end', () => {
    const [block] = [
      ...apply([
        [
          ['v', NOW, NOW, 1, 2, 3, 4, 5, 6, 7, 8],
          ['v', NOW + 5, NOW, 1, 2, 3, 4, 5, 6, 7, 8],
        ],
      ]).values(),
    ];
    for (let length = 1; length < block!.length; length++) {
      expect(() => decodeRows(block!.subarray(0, length))).toThrow(expect.objectContaining({ name: 'StoreError' }));
    }
    expect(() => decodeRows(Uint8Array.of(9, 0))).toThrow(/format 9/);
  });

  test('a drive of an hour at a report a second takes less than a third of its numbers', () => {
    const rows = Array.from({ length: 3_600 }, (_, i): Row => {
      const speed = 300 + Math.round(100 * Math.sin(i / 30));
      return [
        'v',
        NOW + i * 1_000,
        NOW + i * 1_000 + 300 + (i % 7) * 20,
        31_000_000 + i * 80,
        121_000_000 - i * 60,
        12,
        speed,
        (i >> 4) % 360,
        0,
        3,
        5_000 + (i >> 3),
      ];
    });
    const [block] = [...apply([rows]).values()];
    expect(block!.length / rows.length).toBeLessThan((POSITION_WIDTH * 4) / 3);
  });
});

describe('last position', () => {
  const FIX = 2;
  const at = (deviceAt: number, receivedAt: number, status: number) =>
    rowNumbers(batchOf([['v', deviceAt, receivedAt, 1, 1, 0, 0, 0, 0, status, 0]]), 0);

  test('does not depend on the order of arrival', () => {
    fc.assert(
      fc.property(
        fc
          .array(row, { minLength: 1, maxLength: 20 })
          .chain((rows) => fc.tuple(fc.constant(rows), fc.shuffledSubarray(rows, { minLength: rows.length }))),
        ([rows, shuffled]) => {
          const shown = (all: Row[]) => {
            const batch = batchOf(all);
            const latest = [...latestRows(batch)].map((i) => batch.at(i));
            return new Map(latest.map((position) => [position.vehicleId, position]));
          };
          expect(shown(shuffled)).toEqual(shown(rows));
        },
      ),
    );
  });

  test('the later device time wins', () => {
    expect(isLater(at(NOW + 1, NOW + 1, FIX), 0, at(NOW, NOW + 9, FIX), 0)).toBe(true);
    expect(isLater(at(NOW, NOW + 9, FIX), 0, at(NOW + 1, NOW + 1, FIX), 0)).toBe(false);
  });

  test('a fix stands for five minutes against positions without one', () => {
    const fix = at(NOW, NOW, FIX);
    expect(isLater(at(NOW + 299_000, NOW + 299_000, 0), 0, fix, 0)).toBe(false);
    expect(isLater(at(NOW + 301_000, NOW + 301_000, 0), 0, fix, 0)).toBe(true);
  });

  test('a date in the future does not hold the place', () => {
    const wrongDate = at(NOW + 10 * 365 * 86_400_000, NOW, FIX);
    expect(isLater(at(NOW + 1_000, NOW + 1_000, FIX), 0, wrongDate, 0)).toBe(true);
  });

  test('its stored form comes back', () => {
    const numbers = at(NOW, NOW + 1, 0xffff_ffff);
    expect(rowFromBytes(rowBytes(numbers))).toEqual(numbers);
  });
});
