import fc from 'fast-check';
import { expect, test } from 'vitest';
import { followPositions } from '../../../dispatch/follow.js';
import { memoryStore } from '../../../dispatch/store/memory.js';
import { PositionBatch } from '../../../dispatch/store/position-batch.js';

test('who follows positions is told the newest of each vehicle, of equal times the last', async () => {
  const rows = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 0, max: 5 })), { minLength: 1 });
  await fc.assert(
    fc.asyncProperty(rows, async (positions) => {
      const store = memoryStore();
      const batch = new PositionBatch();
      const newest: Record<string, { deviceAt: number; latE6: number }> = {};
      for (const [latE6, [vehicleId, deviceAt]] of positions.entries()) {
        batch.add(vehicleId, deviceAt, 10, latE6, 0, 0, 0, 0, 0, 2, -1);
        if (deviceAt >= (newest[vehicleId]?.deviceAt ?? 0)) newest[vehicleId] = { deviceAt, latE6 };
      }
      const told = new Promise<PositionBatch>((resolve) => followPositions(store, resolve));
      await store.commit({ positions: batch });
      const got = await told;
      const entries = Array.from({ length: got.length }, (_, i) => got.at(i));
      expect(
        Object.fromEntries(entries.map(({ vehicleId, deviceAt, latE6 }) => [vehicleId, { deviceAt, latE6 }])),
      ).toEqual(newest);
      await store.close();
    }),
    { numRuns: 15 },
  );
});
