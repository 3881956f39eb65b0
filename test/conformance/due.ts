import { beforeEach, describe, expect, test } from 'vitest';
import type { DispatchStore } from '../../dispatch/store/store.js';
import { put, ok, NOW, type StoreUnderTest } from './support.js';

export function dueTests(opened: () => StoreUnderTest): void {
  let under: StoreUnderTest;
  let store: DispatchStore;

  beforeEach(() => {
    under = opened();
    ({ store } = under);
  });

  describe('due times', () => {
    const due = (id: string, expect_: number, dueAt?: number) => put('timer', id, expect_, id, { dueAt });

    test('documents are due from their time on, earliest first', async () => {
      await ok(
        store.commit({ puts: [due('late', 0, 300), due('soon', 0, 100), due('never', 0), due('then', 0, 200)] }),
      );
      expect(await store.nextDueAt()).toBe(100);
      expect(await store.due(99, 'n', 1_000, 10)).toEqual([]);
      const found = await store.due(200, 'n', 1_000, 10);
      expect(found).toEqual([
        { kind: 'timer', id: 'soon', version: 1, value: 'soon' },
        { kind: 'timer', id: 'then', version: 1, value: 'then' },
      ]);
      expect(await store.nextDueAt()).toBe(300);
    });

    test('a claimed document is given to nobody else until the claim ends', async () => {
      const other = (await under.secondNode?.()) ?? store;
      await ok(store.commit({ puts: [due('a', 0, 100)] }));
      expect(await store.due(100, 'n1', 1_000, 10)).toHaveLength(1);
      expect(await other.due(1_099, 'n2', 1_000, 10)).toEqual([]);
      expect(await other.nextDueAt()).toBe(1_100);
      expect(await other.due(1_100, 'n2', 1_000, 10)).toHaveLength(1);
    });

    test('two nodes share the work without overlap', async () => {
      const other = (await under.secondNode?.()) ?? store;
      const all = Array.from({ length: 40 }, (_, i) => `${i}`.padStart(2, '0'));
      await ok(store.commit({ puts: all.map((id) => due(id, 0, 100)) }));
      const shares = await Promise.all(
        Array.from({ length: 8 }, (_, i) => (i % 2 ? store : other).due(500, `n${i % 2}`, 1_000, 5)),
      );
      expect(shares.map((share) => share.length)).toEqual(Array(8).fill(5));
      expect(
        shares
          .flat()
          .map(({ id }) => id)
          .sort(),
      ).toEqual(all);
    });

    test('a put moves the due time and ends the claim; without one nothing is due', async () => {
      await ok(store.commit({ puts: [due('a', 0, 100), due('b', 0, 100), due('c', 0, 100)] }));
      expect(await store.due(100, 'n', 1_000, 10)).toHaveLength(3);
      await ok(store.commit({ puts: [due('a', 1, 150), due('b', 1), put('timer', 'c', 1, undefined)] }));
      expect(await store.nextDueAt()).toBe(150);
      expect((await store.due(5_000, 'n', 1_000, 10)).map(({ id }) => id)).toEqual(['a']);
    });

    test('nothing is due in an empty store', async () => {
      expect(await store.nextDueAt()).toBeUndefined();
      expect(await store.due(NOW, 'n', 1_000, 10)).toEqual([]);
    });
  });
}
