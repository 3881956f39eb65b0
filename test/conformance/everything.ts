import { beforeEach, describe, expect, test } from 'vitest';
import type { DispatchStore } from '../../dispatch/store/store.js';
import { put, ok, NOW, type StoreUnderTest } from './support.js';

export function everythingTests(opened: () => StoreUnderTest): void {
  let store: DispatchStore;

  beforeEach(() => {
    ({ store } = opened());
  });

  describe('everything', () => {
    test('every document once, with index entries and due time, as they are now', async () => {
      const many = Array.from({ length: 450 }, (_, i) => put('many', `${i}`, 0, i, { indexes: [['i', `k${i}`]] }));
      await ok(store.commit({ puts: many }));
      const odd = {
        indexes: [
          ['a', 'x\u0000y'],
          ['b', ''],
        ] as [string, string][],
        dueAt: NOW + 5,
      };
      await ok(store.commit({ puts: [put('k', 'odd/修', 0, { text: '工单' }, odd), put('k', 'plain', 0, null)] }));
      await ok(
        store.commit({ puts: [put('many', '7', 1, 'changed', { indexes: [] }), put('many', '8', 1, undefined)] }),
      );
      const found = new Map<string, unknown>();
      for await (const { kind, id, ...rest } of store.everyDoc()) {
        expect(found.has(`${kind} ${id}`)).toBe(false);
        found.set(`${kind} ${id}`, rest);
      }
      expect(found.size).toBe(451);
      expect(found.get('many 449')).toEqual({ version: 1, value: 449, indexes: [['i', 'k449']] });
      expect(found.get('many 7')).toEqual({ version: 2, value: 'changed', indexes: [] });
      expect(found.has('many 8')).toBe(false);
      expect(found.get('k odd/修')).toEqual({ version: 1, value: { text: '工单' }, ...odd });
      expect(found.get('k plain')).toEqual({ version: 1, value: null, indexes: [] });
    });

    test('every blob and every fact by name', async () => {
      const names = ['photo/1', 'photo/1/2', '照片:blob:3', 'x'];
      for (const name of names) await store.putBlob(name, new Uint8Array(name === 'x' ? 700_000 : 1));
      await store.putBlob('gone', Uint8Array.of(1));
      await store.deleteBlob('gone');
      await store.setMeta('clock', { rate: 1 });
      await store.setMeta('b', 2);
      const found: string[] = [];
      for await (const name of store.everyBlob()) found.push(name);
      expect(found.sort()).toEqual([...names].sort());
      expect((await store.metaKeys()).sort()).toEqual(['b', 'clock']);
    });
  });
}
