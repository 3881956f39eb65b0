import { beforeEach, describe, expect, test } from 'vitest';
import { type Position } from '../../dispatch/store/position-batch.js';
import type { DispatchStore } from '../../dispatch/store/store.js';
import { put, event, positions, ok, NOW, type StoreUnderTest } from './support.js';

export function watchTests(opened: () => StoreUnderTest): void {
  let under: StoreUnderTest;
  let store: DispatchStore;

  beforeEach(() => {
    under = opened();
    ({ store } = under);
  });

  describe('watching', () => {
    test('commits and positions are told, by this node and by others', async () => {
      const writer = (await under.secondNode?.()) ?? store;
      const told: number[] = [];
      // A position may be told again, never a wrong one.
      const rows = new Map<string, Position>();
      const both = new Promise<void>((resolve) => {
        const done = () => told.includes(2) && rows.size === 2 && resolve();
        store.watch({
          committed: (position) => {
            told.push(position);
            done();
          },
          positions: (batch) => {
            for (let i = 0; i < batch.length; i++) rows.set(JSON.stringify(batch.at(i)), batch.at(i));
            done();
          },
        });
      });
      await ok(writer.commit({ events: [event('a'), event('b')] }));
      const batch = positions([
        ['v', NOW, 1, 2],
        ['w', NOW, 3, 4],
      ]);
      await ok(writer.commit({ positions: batch }));
      await both;
      expect([...rows.values()].sort((a, b) => a.latE6 - b.latE6)).toEqual([batch.at(0), batch.at(1)]);
    });

    test('a refused commit tells nothing; nothing is told after the end of the watch', async () => {
      const told: number[] = [];
      const stop = store.watch({ committed: (position) => told.push(position) });
      await ok(store.commit({ puts: [put('k', 'a', 0, 1)] }));
      await store.commit({ puts: [put('k', 'a', 0, 1)], events: [event('refused')] });
      stop();
      await ok(store.commit({ events: [event('unheard')] }));
      let heard!: () => void;
      const later = new Promise<void>((resolve) => (heard = resolve));
      const stopAll = store.watch({ committed: (position) => position >= 2 && heard() });
      await ok(store.commit({ events: [event('heard')] }));
      await later;
      stopAll();
      expect(told).toEqual([]);
    });
  });
}
