import { beforeEach, describe, expect, test } from 'vitest';
import type { DispatchStore } from '../../dispatch/store/store.js';
import { put, event, ok, type StoreUnderTest } from './support.js';

export function idempotencyTests(opened: () => StoreUnderTest): void {
  let under: StoreUnderTest;
  let store: DispatchStore;

  beforeEach(() => {
    under = opened();
    ({ store } = under);
  });

  describe('idempotency keys', () => {
    test('a second commit with the key writes nothing and gives the earlier result', async () => {
      const idempotency = { key: 'create-1', result: { orderId: 'o1' }, keepMs: 60_000 };
      await ok(store.commit({ idempotency, events: [event('first')], puts: [put('k', '1', 0, 1)] }));
      expect(await store.remembered('create-1')).toEqual({ orderId: 'o1' });
      // The document changed since, so this is a conflict too: the duplicate is what the caller must learn.
      const again = await store.commit({
        idempotency: { ...idempotency, result: 'other' },
        events: [event('second')],
        puts: [put('k', '1', 0, 1)],
      });
      expect(again).toEqual({ ok: false, duplicate: { orderId: 'o1' } });
      expect(await store.lastPosition()).toBe(1);
    });

    test('of many commits with one key exactly one is applied', async () => {
      const results = await Promise.all(
        Array.from({ length: 10 }, (_, i) =>
          store.commit({ idempotency: { key: 'same', result: i, keepMs: 1_000 }, events: [event('x')] }),
        ),
      );
      expect(results.filter((result) => result.ok)).toHaveLength(1);
      const duplicates = new Set(results.flatMap((r) => ('duplicate' in r ? [r.duplicate] : [])));
      expect(duplicates).toEqual(new Set([await store.remembered('same')]));
      expect(await store.lastPosition()).toBe(1);
    });

    test('a key can be used again when its time is over', async () => {
      await ok(store.commit({ idempotency: { key: 'a', result: 1, keepMs: 1_000 } }));
      under.clock.now += 999;
      expect(await store.remembered('a')).toBe(1);
      under.clock.now += 1;
      expect(await store.remembered('a')).toBeUndefined();
      await ok(store.commit({ idempotency: { key: 'a', result: 2, keepMs: 5_000 } }));
      under.clock.now += 4_000;
      await ok(store.commit({ idempotency: { key: 'b', result: 3, keepMs: 1_000 } }));
      expect(await store.remembered('a')).toBe(2);
    });

    test('a result of nothing is remembered too', async () => {
      await ok(store.commit({ idempotency: { key: 'a', result: undefined, keepMs: 1_000 } }));
      expect(await store.commit({ idempotency: { key: 'a', result: 1, keepMs: 1_000 } })).toEqual({
        ok: false,
        duplicate: null,
      });
    });
  });
}
