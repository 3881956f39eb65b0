import { beforeEach, describe, expect, test } from 'vitest';
import type { DispatchStore } from '../../dispatch/store/store.js';
import { NOW, type StoreUnderTest } from './support.js';

export function blobTests(opened: () => StoreUnderTest): void {
  let store: DispatchStore;

  beforeEach(() => {
    ({ store } = opened());
  });

  describe('blobs and facts', () => {
    test.each([0, 1, 262_144, 262_145, 1_000_000])('a blob of %i bytes comes back', async (size) => {
      const bytes = Uint8Array.from({ length: size }, (_, i) => (i * 7) % 256);
      await store.putBlob('photo/1', bytes);
      const back = await store.getBlob('photo/1');
      expect(back && Buffer.compare(back, bytes)).toBe(0);
    });

    test('a blob can be replaced by a shorter one and deleted', async () => {
      await store.putBlob('a', new Uint8Array(600_000));
      await store.putBlob('ab', Uint8Array.of(9));
      await store.putBlob('a', Uint8Array.of(1, 2));
      expect([...(await store.getBlob('a'))!]).toEqual([1, 2]);
      await store.deleteBlob('a');
      await store.deleteBlob('a');
      expect(await store.getBlob('a')).toBeUndefined();
      expect([...(await store.getBlob('ab'))!]).toEqual([9]);
    });

    test('facts about the store', async () => {
      expect(await store.meta('clock.rate')).toBeUndefined();
      await store.setMeta('clock.rate', { rate: 10, origin: NOW });
      expect(await store.meta('clock.rate')).toEqual({ rate: 10, origin: NOW });
      await store.setMeta('clock.rate', null);
      expect(await store.meta('clock.rate')).toBeNull();
    });

    test('durability is said in words, and a well store passes its check', async () => {
      const durability = await store.durability();
      expect(durability.words.length).toBeGreaterThan(10);
      await store.check();
    });
  });
}
