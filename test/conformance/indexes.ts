import { beforeEach, describe, expect, test } from 'vitest';
import type { DispatchStore, Page } from '../../dispatch/store/store.js';
import { put, ok, ids, values, type StoreUnderTest } from './support.js';

export function indexTests(opened: () => StoreUnderTest): void {
  let store: DispatchStore;

  beforeEach(() => {
    ({ store } = opened());
  });

  describe('indexes', () => {
    const SORT_KEYS = ['', '\0', 'a', 'a\0', 'a\0b', 'a\u0001', 'aa', 'b', 'é', '抢修', '\uffff', '\u{1f69a}'];

    test('scan order is the bytewise order of the sort key, both ways', async () => {
      const shuffled = [...SORT_KEYS].sort((a, b) => a.length - b.length || (a < b ? 1 : -1));
      await ok(store.commit({ puts: shuffled.map((key, i) => put('k', `${i}`, 0, key, { indexes: [['i', key]] })) }));
      const bytewise = [...SORT_KEYS].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect(await values(store, { index: 'i', limit: 100 })).toEqual(bytewise);
      expect(await values(store, { index: 'i', limit: 100, reverse: true })).toEqual([...bytewise].reverse());
      for (const from of SORT_KEYS) {
        for (const to of SORT_KEYS) {
          const inside = bytewise.slice(bytewise.indexOf(from), Math.max(bytewise.indexOf(from), bytewise.indexOf(to)));
          expect(await values(store, { index: 'i', from, to, limit: 100 })).toEqual(inside);
        }
      }
    });

    test('documents with the same sort key stand side by side, by kind and id', async () => {
      const puts = ['3', '1', '2'].map((id) => put('k', id, 0, id, { indexes: [['i', 'same']] }));
      await ok(store.commit({ puts }));
      expect(await values(store, { index: 'i', from: 'same', to: 'same\0', limit: 10 })).toEqual(['1', '2', '3']);
    });

    test('an index never shows what belongs to another', async () => {
      const puts = ['i', 'i2', 'j'].map((index) => put('k', index, 0, index, { indexes: [[index, 'x']] }));
      await ok(store.commit({ puts }));
      expect(await values(store, { index: 'i', limit: 10 })).toEqual(['i']);
      expect(await values(store, { index: 'none', limit: 10 })).toEqual([]);
    });

    test('a put replaces all entries of its document; a deletion removes them', async () => {
      const first = {
        indexes: [
          ['i', 'a'],
          ['i', 'b'],
          ['j', 'a'],
        ] as const,
      };
      await ok(store.commit({ puts: [put('k', '1', 0, 1, first)] }));
      expect(await ids(store, { index: 'i', limit: 10 })).toEqual(['1', '1']);
      await ok(store.commit({ puts: [put('k', '1', 1, 2, { indexes: [['i', 'c']] })] }));
      expect(await ids(store, { index: 'i', limit: 10 })).toEqual(['1']);
      expect(await ids(store, { index: 'i', from: 'c', limit: 10 })).toEqual(['1']);
      expect(await ids(store, { index: 'j', limit: 10 })).toEqual([]);
      await ok(store.commit({ puts: [put('k', '1', 2, undefined)] }));
      expect(await ids(store, { index: 'i', limit: 10 })).toEqual([]);
    });

    test.each([false, true])('cursors visit each document once (reverse: %s)', async (reverse) => {
      const all = Array.from({ length: 23 }, (_, i) => `${i}`.padStart(2, '0'));
      await ok(store.commit({ puts: all.map((id) => put('k', id, 0, id, { indexes: [['i', id.slice(0, 1)]] })) }));
      const seen: unknown[] = [];
      let page: Page = { items: [] };
      let pages = 0;
      do {
        page = await store.scan({ index: 'i', from: '0', to: '3', limit: 5, reverse, after: page.next });
        seen.push(...page.items.map((doc) => doc.value));
        pages++;
      } while (page.next !== undefined);
      expect(seen).toEqual(reverse ? [...all].reverse() : all);
      expect(pages).toBe(5);
    });

    test('a page that ends exactly at the end has no cursor', async () => {
      await ok(store.commit({ puts: ['1', '2'].map((id) => put('k', id, 0, id, { indexes: [['i', id]] })) }));
      expect((await store.scan({ index: 'i', limit: 2 })).next).toBeUndefined();
      expect((await store.scan({ index: 'i', limit: 1 })).next).toBeDefined();
    });

    test.each([0, -1, 1.5, 1_001])('a limit of %s is refused', async (limit) => {
      await expect(store.scan({ index: 'i', limit })).rejects.toMatchObject({ code: 'invalid' });
      await expect(store.eventsAfter(0, limit)).rejects.toMatchObject({ code: 'invalid' });
    });

    test.each(['', 'nonsense', '!!'])('a made-up cursor %j is refused', async (after) => {
      await expect(store.scan({ index: 'i', limit: 1, after })).rejects.toMatchObject({ code: 'invalid' });
    });
  });
}
