import { beforeEach, describe, expect, test } from 'vitest';
import { PositionBatch } from '../../dispatch/store/position-batch.js';
import type { DispatchStore } from '../../dispatch/store/store.js';
import { positions, ok, track, lats, NOW, type StoreUnderTest } from './support.js';

export function positionTests(opened: () => StoreUnderTest): void {
  let store: DispatchStore;

  beforeEach(() => {
    ({ store } = opened());
  });

  describe('positions', () => {
    test('a track is in device order, each position once, within its bounds', async () => {
      const hour = 3_600_000;
      const rows: [string, number, number, number][] = [
        ['truck', NOW + 2 * hour, 5, 5],
        ['truck', NOW, 1, 1],
        ['other', NOW, 9, 9],
        ['truck', NOW + 1_000, 2, 2],
        ['truck', NOW, 1, 1],
        ['truck', NOW + hour, 4, 4],
      ];
      await ok(store.commit({ positions: positions(rows.slice(0, 3)) }));
      await ok(store.commit({ positions: positions(rows.slice(2)) }));
      const all = await track(store, 'truck', 0, NOW + 10 * hour);
      expect(all.map(({ latE6 }) => latE6)).toEqual([1, 2, 4, 5]);
      expect(all.every(({ vehicleId }) => vehicleId === 'truck')).toBe(true);
      const middle = await track(store, 'truck', NOW + 1_000, NOW + 2 * hour);
      expect(middle.map(({ latE6 }) => latE6)).toEqual([2, 4]);
      expect(await track(store, 'none', 0, NOW * 2)).toEqual([]);
      expect(await track(store, 'truck', NOW + hour, NOW)).toEqual([]);
    });

    test('a position comes back with all its numbers', async () => {
      const batch = new PositionBatch();
      batch.add('truck', NOW, NOW + 700, -33_868_820, -151_209_290, -12, 655, 359, 0xffff_ffff, 0xc000_0003, -1);
      const given = batch.at(0);
      await ok(store.commit({ positions: batch }));
      expect(await track(store, 'truck', NOW, NOW + 1)).toEqual([given]);
      expect(await store.lastPositions()).toEqual(new Map([['truck', given]]));
    });

    test('last positions: the newest by device time, for those that are asked', async () => {
      await ok(
        store.commit({
          positions: positions([
            ['a', NOW + 5, 1, 1],
            ['b', NOW, 2, 2],
          ]),
        }),
      );
      await ok(
        store.commit({
          positions: positions([
            ['a', NOW, 3, 3],
            ['c', NOW, 4, 4],
          ]),
        }),
      );
      expect(lats(await store.lastPositions())).toEqual({ a: 1, b: 2, c: 4 });
      expect(lats(await store.lastPositions(['a', 'nobody']))).toEqual({ a: 1 });
      expect(lats(await store.lastPositions([]))).toEqual({});
    });

    test('positions replayed after a crash change nothing', async () => {
      const batch = () => positions(Array.from({ length: 100 }, (_, i) => [`v${i % 3}`, NOW + i * 50_000, i, -i]));
      await ok(store.commit({ applied: { node: 'n', sequence: 1 }, positions: batch() }));
      const before = await track(store, 'v1', 0, NOW * 2);
      await ok(store.commit({ applied: { node: 'n', sequence: 2 }, positions: batch() }));
      expect(await track(store, 'v1', 0, NOW * 2)).toEqual(before);
      expect(before).toHaveLength(33);
    });

    test('a busy hour that comes in any order is whole and in order', async () => {
      const rows = 3_000;
      // 7 has no common factor with 3,000: each row once, none where it belongs.
      const shuffled = Array.from({ length: rows }, (_, i) => (i * 7) % rows);
      for (const part of [shuffled.slice(0, 900), shuffled.slice(600, 2_000), shuffled.slice(2_000)]) {
        await ok(store.commit({ positions: positions(part.map((i) => ['v', NOW + i * 1_000, i, -i])) }));
      }
      for (let i = rows; i < rows + 20; i++) {
        await ok(store.commit({ positions: positions([['v', NOW + i * 1_000, i, -i]]) }));
      }
      const all = Array.from({ length: rows + 20 }, (_, i) => i);
      expect((await track(store, 'v', 0, NOW * 2)).map(({ latE6 }) => latE6)).toEqual(all);
      const some = await track(store, 'v', NOW + 1_234_500, NOW + 2_000_000);
      expect(some.map(({ latE6 }) => latE6)).toEqual(all.slice(1_235, 2_000));
    });

    test('retention deletes whole hours and leaves the last position', async () => {
      const hour = 3_600_000;
      await ok(
        store.commit({
          positions: positions(
            [0, 1, 2].flatMap((h) => [
              ['a', NOW + h * hour, h, 0],
              ['b', NOW + h * hour, h, 0],
            ]),
          ),
        }),
      );
      expect(await store.trimPositions(NOW + 2 * hour - 1)).toBe(2);
      expect((await track(store, 'a', 0, NOW * 2)).map(({ latE6 }) => latE6)).toEqual([1, 2]);
      expect(await store.trimPositions(NOW + 10 * hour)).toBe(4);
      expect(await store.trimPositions(NOW + 10 * hour)).toBe(0);
      expect(await track(store, 'b', 0, NOW * 2)).toEqual([]);
      expect(lats(await store.lastPositions())).toEqual({ a: 2, b: 2 });
    });

    test('a large batch is applied whole', async () => {
      const rows = 20_000;
      const batch = new PositionBatch(rows);
      for (let i = 0; i < rows; i++) {
        batch.add(`v${i % 200}`, NOW + i * 100, NOW + i * 100 + 250, i, -i, 50, i % 900, i % 360, 0, 3, i);
      }
      await ok(store.commit({ applied: { node: 'n', sequence: 1 }, positions: batch }));
      const found = await track(store, 'v7', 0, NOW * 2);
      expect(found.map(({ latE6 }) => latE6)).toEqual(Array.from({ length: 100 }, (_, i) => 7 + i * 200));
      expect((await store.lastPositions()).size).toBe(200);
    });
  });
}
