import { beforeEach, describe, expect, test } from 'vitest';
import type { Batch, DispatchStore } from '../../dispatch/store/store.js';
import { put, event, positions, ok, ids, NOW, type StoreUnderTest } from './support.js';

export function documentTests(opened: () => StoreUnderTest): void {
  let store: DispatchStore;

  beforeEach(() => {
    ({ store } = opened());
  });

  describe('documents', () => {
    test('a first put has version 1, each change adds one, a deletion starts again', async () => {
      expect(await store.get('order', 'a')).toBeUndefined();
      await ok(store.commit({ puts: [put('order', 'a', 0, { text: '工单' })] }));
      expect(await store.get('order', 'a')).toEqual({ kind: 'order', id: 'a', version: 1, value: { text: '工单' } });
      await ok(store.commit({ puts: [put('order', 'a', 1, [1, null, 'x'])] }));
      expect(await store.get('order', 'a')).toEqual({ kind: 'order', id: 'a', version: 2, value: [1, null, 'x'] });
      await ok(store.commit({ puts: [put('order', 'a', 2, undefined)] }));
      expect(await store.get('order', 'a')).toBeUndefined();
      await ok(store.commit({ puts: [put('order', 'a', 0, 'again')] }));
      expect(await store.get('order', 'a')).toMatchObject({ version: 1, value: 'again' });
    });

    test('kind and id together name a document; empty arrays and objects survive', async () => {
      await ok(store.commit({ puts: [put('a', 'bc', 0, { list: [], map: {} }), put('ab', 'c', 0, 2)] }));
      expect((await store.get('a', 'bc'))?.value).toEqual({ list: [], map: {} });
      expect((await store.get('ab', 'c'))?.value).toBe(2);
    });

    test('getMany answers in the order asked', async () => {
      await ok(store.commit({ puts: [put('k', '1', 0, 'one'), put('k', '3', 0, 'three')] }));
      const keys = ['3', '2', '1'].map((id) => ({ kind: 'k', id }));
      expect((await store.getMany(keys)).map((doc) => doc?.value)).toEqual(['three', undefined, 'one']);
      expect(await store.getMany([])).toEqual([]);
    });

    test('nothing is under a name that is too long', async () => {
      expect(await store.get('k', 'x'.repeat(5_000))).toBeUndefined();
      expect(await store.getMany([{ kind: 'k', id: '修'.repeat(700) }])).toEqual([undefined]);
    });

    test('what is given out is a copy', async () => {
      const value = { list: [1] };
      await ok(store.commit({ puts: [put('k', '1', 0, value)] }));
      value.list.push(2);
      ((await store.get('k', '1'))!.value as typeof value).list.push(3);
      expect((await store.get('k', '1'))!.value).toEqual({ list: [1] });
    });

    test.each<[string, Batch]>([
      ['a put of an unread version', { puts: [put('k', 'known', 0, 'x')] }],
      ['a put of an old version', { puts: [put('k', 'known', 1, 'x')] }],
      ['a put of a document that is gone', { puts: [put('k', 'gone', 1, 'x')] }],
      ['a deletion of an old version', { puts: [put('k', 'known', 1, undefined)] }],
      ['a check of an old version', { checks: [{ kind: 'k', id: 'known', version: 1 }] }],
      ['a check that a known document does not exist', { checks: [{ kind: 'k', id: 'known', version: 0 }] }],
      ['a check of a document that is gone', { checks: [{ kind: 'k', id: 'gone', version: 1 }] }],
    ])('%s is a conflict that writes nothing', async (_, stale) => {
      await ok(store.commit({ puts: [put('k', 'known', 0, 1), put('k', 'gone', 0, 1)] }));
      await ok(store.commit({ puts: [put('k', 'known', 1, 2), put('k', 'gone', 1, undefined)] }));
      const result = await store.commit({
        ...stale,
        puts: [put('k', 'bystander', 0, 'x', { indexes: [['i', 'x']], dueAt: 1 }), ...(stale.puts ?? [])],
        events: [event('order.received', { orderId: 'o' })],
        idempotency: { key: 'command', result: 1, keepMs: 1_000 },
        applied: { node: 'n', sequence: 1 },
        positions: positions([['truck', NOW, 1, 1]]),
      });
      const id = (stale.puts?.[0] ?? stale.checks![0]!).id;
      expect(result).toEqual({ ok: false, conflict: { kind: 'k', id } });
      expect(await store.get('k', 'bystander')).toBeUndefined();
      expect(await ids(store, { index: 'i', limit: 10 })).toEqual([]);
      expect(await store.nextDueAt()).toBeUndefined();
      expect(await store.lastPosition()).toBe(0);
      expect(await store.remembered('command')).toBeUndefined();
      expect(await store.ingestState('n')).toEqual({ appended: 0, applied: 0 });
      expect(await store.lastPositions()).toEqual(new Map());
      expect((await store.get('k', 'known'))?.value).toBe(2);
    });

    test('a check that holds lets the commit through', async () => {
      await ok(store.commit({ puts: [put('k', 'a', 0, 1)] }));
      const checks = [
        { kind: 'k', id: 'a', version: 1 },
        { kind: 'k', id: 'none', version: 0 },
      ];
      await ok(store.commit({ checks, puts: [put('k', 'b', 0, 2)] }));
      expect((await store.get('k', 'a'))?.version).toBe(1);
    });

    test('of many writers of one version exactly one wins', async () => {
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, i) => store.commit({ puts: [put('k', 'a', 0, i)] })),
      );
      const winners = results.flatMap((result, i) => (result.ok ? [i] : []));
      expect(winners).toHaveLength(1);
      expect((await store.get('k', 'a'))?.value).toBe(winners[0]);
    });

    test('concurrent read-change-commit loops lose no change', async () => {
      await ok(store.commit({ puts: [put('k', 'sum', 0, 0)] }));
      const add = async () => {
        for (;;) {
          const doc = (await store.get('k', 'sum'))!;
          const next = put('k', 'sum', doc.version, (doc.value as number) + 1);
          if ((await store.commit({ puts: [next] })).ok) return;
        }
      };
      await Promise.all(Array.from({ length: 10 }, add));
      expect(await store.get('k', 'sum')).toMatchObject({ version: 11, value: 10 });
    });

    test.each<[string, Batch, RegExp]>([
      ['an empty id', { puts: [put('k', '', 0, 1)] }, /id/],
      ['a NUL in a kind', { puts: [put('k\0', 'a', 0, 1)] }, /kind/],
      ['a document named twice', { puts: [put('k', 'a', 0, 1), put('k', 'a', 1, 2)] }, /once/],
      ['a name that is too long', { puts: [put('k', '修'.repeat(501), 0, 1)] }, /bytes/],
      ['a check of a name that is too long', { checks: [{ kind: 'k', id: 'x'.repeat(1_500), version: 0 }] }, /bytes/],
      ['a negative version', { puts: [put('k', 'a', -1, 1)] }, /expect/],
      ['a value that is no JSON', { puts: [put('k', 'a', 0, () => 1)] }, /JSON/],
      ['an endless sort key', { puts: [put('k', 'a', 0, 1, { indexes: [['i', 'x'.repeat(2_000)]] })] }, /index i/],
      ['a key that is kept for ever', { idempotency: { key: 'x', result: 1, keepMs: Infinity } }, /keepMs/],
      ['a device time past all calendars', { positions: positions([['truck', 2 ** 49, 1, 1]]) }, /deviceAt of vehicle/],
      ['a due time that is no number', { puts: [put('k', 'a', 0, 1, { dueAt: NaN })] }, /dueAt/],
      ['a position that is no number', { positions: positions([['truck', NOW, NaN, 1]]) }, /latE6 of vehicle truck/],
    ])('%s is refused by name and harms nothing else', async (_, batch, message) => {
      const [bad, good] = await Promise.allSettled([
        store.commit(batch),
        store.commit({ puts: [put('k', 'b', 0, 'fine')] }),
      ]);
      expect(bad).toMatchObject({ status: 'rejected', reason: { name: 'StoreError', code: 'invalid' } });
      expect((bad as PromiseRejectedResult).reason.message).toMatch(message);
      expect(good).toMatchObject({ status: 'fulfilled', value: { ok: true } });
      expect(await store.get('k', 'a')).toBeUndefined();
    });
  });
}
