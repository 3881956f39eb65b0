/**
 * What every dispatch store must do, written once against the interface. Each store's test file calls
 * {@link storeConformance} with how to open it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DomainEvent } from '../../dispatch/domain/events.js';
import { PositionBatch, type Position } from '../../dispatch/store/position-batch.js';
import type { Batch, CommitResult, DispatchStore, DocPut, Page, Scan } from '../../dispatch/store/store.js';

/** One empty store, for one test. */
export interface StoreUnderTest {
  store: DispatchStore;
  /** The clock that the store was opened with, ms UTC; a test may move it. */
  clock: { now: number };
  /** Opens the same data after `close`. Absent where nothing outlives the process. */
  reopen?(): Promise<DispatchStore>;
  /** A second process's view of the same data. Absent where the store takes one process. */
  secondNode?(): Promise<DispatchStore>;
  /** Arguments for the child process that is killed while it commits: URL and options of `openStore` as JSON. */
  child?: { url: string; options: object };
  dispose(): Promise<void>;
}

const NOW = Date.UTC(2024, 5, 1, 8, 0, 0);

/** `durable: false` leaves out what needs data that outlives the process. */
export function storeConformance(
  name: string,
  open: () => Promise<StoreUnderTest>,
  { durable }: { durable: boolean } = { durable: true },
): void {
  describe(`dispatch store: ${name}`, () => {
    let under: StoreUnderTest;
    let store: DispatchStore;

    beforeEach(async () => {
      under = await open();
      under.clock.now = NOW;
      store = under.store;
    });

    afterEach(async () => {
      await under.dispose();
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
        [
          'a device time past all calendars',
          { positions: positions([['truck', 2 ** 49, 1, 1]]) },
          /deviceAt of vehicle/,
        ],
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
            const inside = bytewise.slice(
              bytewise.indexOf(from),
              Math.max(bytewise.indexOf(from), bytewise.indexOf(to)),
            );
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

    describe('event log', () => {
      test('positions rise by one without gaps; conflicts use none', async () => {
        expect(await store.lastPosition()).toBe(0);
        const first = await store.commit({ events: [event('a'), event('b')], puts: [put('k', '1', 0, 1)] });
        expect(first).toEqual({ ok: true, lastPosition: 2 });
        await store.commit({ events: [event('lost')], puts: [put('k', '1', 0, 1)] });
        expect(await store.commit({ events: [event('c')] })).toEqual({ ok: true, lastPosition: 3 });
        expect(await store.commit({ puts: [put('k', '2', 0, 1)] })).toEqual({ ok: true, lastPosition: 3 });
        const log = await store.eventsAfter(0, 100);
        expect(log.map(({ position, type }) => [position, type])).toEqual([
          [1, 'a'],
          [2, 'b'],
          [3, 'c'],
        ]);
      });

      test('no event is read that lies beyond the last position, also while commits are being made durable', async () => {
        let committing = true;
        const commits = (async () => {
          for (let i = 0; i < 60; i++) {
            await Promise.all([1, 2, 3].map(() => store.commit({ events: [event('x', { orderId: 'o1' })] })));
          }
          committing = false;
        })();
        while (committing) {
          for (const ref of [undefined, 'order:o1']) {
            const events = await store.eventsAfter(0, 1000, ref);
            expect(events.at(-1)?.position ?? 0).toBeLessThanOrEqual(await store.lastPosition());
          }
          await new Promise((resolve) => setImmediate(resolve));
        }
        await commits;
        expect(await store.eventsAfter(0, 1000)).toHaveLength(180);
      });

      test('events that name something are read from the newest, page by page', async () => {
        const given = Array.from({ length: 40 }, (_, i) => event(`t${i}`, { vehicleId: i % 3 === 0 ? 'v1' : 'v2' }));
        await ok(store.commit({ events: [...given, event('last', { vehicleId: 'v10' })] }));
        for (const ref of ['vehicle:v1', 'vehicle:v2', 'vehicle:v10', 'vehicle:nobody']) {
          const all = await store.eventsAfter(0, 100, ref);
          expect(await store.eventsBefore(undefined, 100, ref)).toEqual(all.toReversed());
          const paged: number[] = [];
          for (let before: number | undefined; ;) {
            const page = await store.eventsBefore(before, 4, ref);
            paged.push(...page.map(({ position }) => position));
            before = page.at(-1)?.position;
            if (page.length < 4) break;
          }
          expect(paged).toEqual(all.map(({ position }) => position).toReversed());
        }
        expect(await store.eventsBefore(1, 5, 'vehicle:v1')).toEqual([]);
        expect((await store.eventsBefore(10_000, 1, 'vehicle:v1'))[0]?.position).toBe(40);
        await expect(store.eventsBefore(undefined, 0, 'vehicle:v1')).rejects.toMatchObject({ code: 'invalid' });
      });

      test('an event comes back as it was given', async () => {
        const given = event('order.issued', {
          orderId: 'o1',
          leg: 2,
          vehicleId: 'v1',
          centreId: 'c',
          deviceAt: NOW - 5,
          frame: { node: 'n', sequence: 3, index: 1 },
          data: { text: '抢修', list: [] },
        });
        await ok(store.commit({ events: [given] }));
        expect(await store.eventsAfter(0, 1)).toEqual([{ ...given, position: 1 }]);
      });

      test('events can be given other data in their place: order, positions and references stay', async () => {
        const given = ['o1', 'o2', 'o1', 'o1'].map((orderId, i) =>
          event(`t${i}`, { orderId, data: { name: 'Zhao', i } }),
        );
        await ok(store.commit({ events: given }));
        await store.rewriteEvents([
          { position: 1, data: { i: 0 } },
          { position: 4, data: { i: 3 } },
        ]);
        const expected = given.map((one, i) => ({
          ...one,
          position: i + 1,
          data: i === 0 || i === 3 ? { i } : { name: 'Zhao', i },
        }));
        expect(await store.eventsAfter(0, 100)).toEqual(expected);
        expect(await store.eventsAfter(1, 2)).toEqual(expected.slice(1, 3));
        expect(await store.eventsAfter(3, 1)).toEqual(expected.slice(3));
        expect(await store.eventsAfter(0, 2, 'order:o1')).toEqual([expected[0], expected[2]]);
        // Again, and behind it the log goes on.
        await store.rewriteEvents([{ position: 1, data: 'x' }]);
        expect(await store.commit({ events: [event('t4')] })).toEqual({ ok: true, lastPosition: 5 });
        const log = await store.eventsAfter(0, 100);
        expect(log.map(({ position, type }) => [position, type])).toEqual([1, 2, 3, 4, 5].map((n) => [n, `t${n - 1}`]));
        expect(log[0]!.data).toBe('x');
      });

      test('a position that the log does not have is not rewritten, nor is anything with it', async () => {
        await ok(store.commit({ events: [event('a', { data: 1 })] }));
        await expect(
          store.rewriteEvents([
            { position: 1, data: 2 },
            { position: 2, data: 2 },
          ]),
        ).rejects.toMatchObject({ code: 'invalid' });
        expect((await store.eventsAfter(0, 10)).map(({ data }) => data)).toEqual([1]);
        await store.rewriteEvents([]);
      });

      test('a reference finds the events that name it, from a position, up to a limit', async () => {
        const orders = ['o1', 'o2', 'o1', 'o11', 'o1'];
        await ok(store.commit({ events: orders.map((orderId) => event('x', { orderId, vehicleId: `v-${orderId}` })) }));
        const at = async (after: number, limit: number, ref: string) =>
          (await store.eventsAfter(after, limit, ref)).map(({ position }) => position);
        expect(await at(0, 10, 'order:o1')).toEqual([1, 3, 5]);
        expect(await at(1, 1, 'order:o1')).toEqual([3]);
        expect(await at(0, 10, 'vehicle:v-o11')).toEqual([4]);
        expect(await at(0, 10, 'order:none')).toEqual([]);
      });

      test('concurrent commits get distinct positions, each batch a run of its own', async () => {
        const results = await Promise.all(
          Array.from({ length: 25 }, (_, i) => store.commit({ events: [event(`${i}`), event(`${i}`), event(`${i}`)] })),
        );
        const log = await store.eventsAfter(0, 1_000);
        expect(log.map(({ position }) => position)).toEqual(Array.from({ length: 75 }, (_, i) => i + 1));
        results.forEach((result, i) => {
          const last = (result as { lastPosition: number }).lastPosition;
          expect(log.slice(last - 3, last).map(({ type }) => type)).toEqual([`${i}`, `${i}`, `${i}`]);
        });
      });
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

    describe('ingest log', () => {
      test('sequences follow the order of the calls, also when they overlap', async () => {
        const groups = Array.from({ length: 50 }, (_, i) => Uint8Array.of(i, 0, 255));
        const sequences = await Promise.all(groups.map((group) => store.appendIngest('n1', group)));
        expect(sequences).toEqual(groups.map((_, i) => i + 1));
        const read = await store.readIngest('n1', 0, 1_000);
        expect(read.map(({ sequence, group }) => [sequence, [...group]])).toEqual(
          groups.map((group, i) => [i + 1, [...group]]),
        );
        expect(await store.ingestState('n1')).toEqual({ appended: 50, applied: 0 });
      });

      test('logs of different nodes are apart', async () => {
        await store.appendIngest('n1', Uint8Array.of(1));
        await store.appendIngest('n10', Uint8Array.of(2));
        expect(await store.appendIngest('n1', Uint8Array.of(3))).toBe(2);
        expect((await store.readIngest('n1', 0, 10)).map(({ group }) => group[0])).toEqual([1, 3]);
        expect(await store.readIngest('n2', 0, 10)).toEqual([]);
        expect(await store.ingestNodes()).toEqual(['n1', 'n10']);
        expect(await store.ingestState('n2')).toEqual({ appended: 0, applied: 0 });
      });

      test('reading pages from a sequence', async () => {
        for (let i = 1; i <= 5; i++) await store.appendIngest('n', Uint8Array.of(i));
        expect((await store.readIngest('n', 2, 2)).map(({ sequence }) => sequence)).toEqual([3, 4]);
        expect((await store.readIngest('n', 4, 100)).map(({ sequence }) => sequence)).toEqual([5]);
        expect(await store.readIngest('n', 5, 100)).toEqual([]);
      });

      test('a large group and an empty one come back as they were', async () => {
        const large = Uint8Array.from({ length: 1_500_000 }, (_, i) => i % 251);
        await store.appendIngest('n', large);
        await store.appendIngest('n', new Uint8Array(0));
        const [first, second] = await store.readIngest('n', 0, 10);
        expect(Buffer.compare(first!.group, large)).toBe(0);
        expect(second!.group).toHaveLength(0);
      });

      test('the applied position moves with the commit, only forward, only from where the reader was', async () => {
        for (let i = 1; i <= 4; i++) await store.appendIngest('n', Uint8Array.of(i));
        await ok(store.commit({ applied: { node: 'n', sequence: 2, after: 0 }, puts: [put('k', '1', 0, 1)] }));
        expect(await store.ingestState('n')).toEqual({ appended: 4, applied: 2 });
        const refused = { ok: false, conflict: { kind: 'ingest', id: 'n' } };
        expect(await store.commit({ applied: { node: 'n', sequence: 2 }, events: [event('x')] })).toEqual(refused);
        expect(await store.commit({ applied: { node: 'n', sequence: 4, after: 1 } })).toEqual(refused);
        expect(await store.lastPosition()).toBe(0);
        await ok(store.commit({ applied: { node: 'n', sequence: 4, after: 2 } }));
        expect(await store.ingestState('n')).toEqual({ appended: 4, applied: 4 });
      });

      test('a node is forgotten when its log holds nothing; one that comes back goes on counting', async () => {
        for (const node of ['gone', 'here']) await store.appendIngest(node, Uint8Array.of(1));
        expect(await store.appendIngest('gone', Uint8Array.of(2))).toBe(2);
        expect(await store.forgetIngest('gone')).toBe(false);
        await ok(store.commit({ applied: { node: 'gone', sequence: 2 } }));
        expect(await store.forgetIngest('gone')).toBe(false);
        expect(await store.ingestNodes()).toEqual(['gone', 'here']);
        await store.trimIngest('gone', 2);
        expect(await store.forgetIngest('gone')).toBe(true);
        expect(await store.forgetIngest('gone')).toBe(true);
        expect(await store.ingestNodes()).toEqual(['here']);
        expect(await store.ingestState('gone')).toEqual({ appended: 2, applied: 2 });
        expect(await store.appendIngest('gone', Uint8Array.of(3))).toBe(3);
        expect(await store.ingestNodes()).toEqual(['gone', 'here']);
        expect((await store.readIngest('gone', 2, 10)).map(({ sequence }) => sequence)).toEqual([3]);
        expect(await store.forgetIngest('nobody')).toBe(true);
        expect(await store.ingestNodes()).toEqual(['gone', 'here']);
      });

      test('trimming drops what was applied and nothing else; sequences go on', async () => {
        for (let i = 1; i <= 4; i++) await store.appendIngest('n', Uint8Array.of(i));
        await ok(store.commit({ applied: { node: 'n', sequence: 3 } }));
        await store.trimIngest('n', 2);
        expect((await store.readIngest('n', 0, 10)).map(({ sequence }) => sequence)).toEqual([3, 4]);
        await store.trimIngest('n', 100);
        expect((await store.readIngest('n', 0, 10)).map(({ sequence }) => sequence)).toEqual([4]);
        expect(await store.appendIngest('n', Uint8Array.of(5))).toBe(5);
        await ok(store.commit({ applied: { node: 'n', sequence: 5 } }));
        await store.trimIngest('n', 5);
        expect(await store.ingestState('n')).toEqual({ appended: 5, applied: 5 });
        expect(await store.appendIngest('n', Uint8Array.of(6))).toBe(6);
        await store.trimIngest('nobody', 5);
      });
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

    describe('presence', () => {
      test('a later claim has a higher fence and tells who was there', async () => {
        const first = await store.claimTerminal('t', 'n1', 'c1', NOW, 1_000);
        expect(first.before).toBeUndefined();
        expect(await store.owner('t', NOW)).toEqual({
          terminal: 't',
          node: 'n1',
          connection: 'c1',
          fence: first.fence,
          until: NOW + 1_000,
        });
        const other = (await under.secondNode?.()) ?? store;
        const second = await other.claimTerminal('t', 'n2', 'c2', NOW + 10, 1_000);
        expect(second.fence).toBeGreaterThan(first.fence);
        expect(second.before).toMatchObject({ node: 'n1', connection: 'c1', fence: first.fence });
        expect(await store.renewTerminal('t', first.fence, NOW + 20, 1_000)).toBe(false);
        await store.releaseTerminal('t', first.fence);
        expect(await store.owner('t', NOW + 20)).toMatchObject({ node: 'n2', connection: 'c2' });
      });

      test('a lease ends unless it is renewed', async () => {
        const { fence } = await store.claimTerminal('t', 'n1', 'c1', NOW, 1_000);
        expect(await store.owner('t', NOW + 999)).toBeDefined();
        expect(await store.owner('t', NOW + 1_000)).toBeUndefined();
        expect(await store.renewTerminal('t', fence, NOW + 900, 1_000)).toBe(true);
        expect(await store.owner('t', NOW + 1_500)).toMatchObject({ until: NOW + 1_900 });
        expect((await store.claimTerminal('t', 'n2', 'c2', NOW + 5_000, 1_000)).before).toBeUndefined();
      });

      test('a release ends the lease; a fence is never used twice', async () => {
        const { fence } = await store.claimTerminal('t', 'n1', 'c1', NOW, 1_000);
        await store.releaseTerminal('t', fence);
        expect(await store.owner('t', NOW)).toBeUndefined();
        expect(await store.renewTerminal('t', fence, NOW, 1_000)).toBe(false);
        expect((await store.claimTerminal('t', 'n1', 'c2', NOW, 1_000)).fence).toBeGreaterThan(fence);
      });

      test('of many claims at once the highest fence owns', async () => {
        const claims = await Promise.all(
          Array.from({ length: 20 }, (_, i) => store.claimTerminal('t', `n${i}`, `c${i}`, NOW, 1_000)),
        );
        const fences = claims.map(({ fence }) => fence);
        expect(new Set(fences).size).toBe(20);
        expect((await store.owner('t', NOW))?.fence).toBe(Math.max(...fences));
      });
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

    describe('life', () => {
      test('a closed store refuses all work by name', async () => {
        await store.close();
        await store.close();
        for (const work of [
          () => store.get('k', '1'),
          () => store.scan({ index: 'i', limit: 1 }),
          () => store.commit({ events: [event('x')] }),
          () => store.appendIngest('n', Uint8Array.of(1)),
          () => store.check(),
        ]) {
          await expect(work()).rejects.toMatchObject({ name: 'StoreError', code: 'closed' });
        }
      });

      if (!durable) return;

      test('a close waits for what was begun', async () => {
        const commit = store.commit({ puts: [put('k', '1', 0, 'x')] });
        const append = store.appendIngest('n', Uint8Array.of(7));
        await store.close();
        await ok(commit);
        expect(await append).toBe(1);
        store = await under.reopen!();
        expect((await store.get('k', '1'))?.value).toBe('x');
      });

      test('everything is there again after a close', async () => {
        await ok(
          store.commit({
            puts: [put('k', '1', 0, 'x', { indexes: [['i', 's']], dueAt: 50 })],
            events: [event('a', { orderId: 'o' }), event('b')],
            idempotency: { key: 'once', result: 'r', keepMs: 60_000 },
            positions: positions([['v', NOW, 1, 2]]),
          }),
        );
        for (let i = 1; i <= 3; i++) await store.appendIngest('n', Uint8Array.of(i));
        await ok(store.commit({ applied: { node: 'n', sequence: 2 } }));
        await store.putBlob('photo', Uint8Array.of(1));
        await store.setMeta('fact', 5);
        const { fence } = await store.claimTerminal('t', 'n', 'c', NOW, 1_000);
        await store.close();

        store = await under.reopen!();
        expect(await store.get('k', '1')).toMatchObject({ version: 1, value: 'x' });
        expect(await ids(store, { index: 'i', limit: 10 })).toEqual(['1']);
        expect(await store.nextDueAt()).toBe(50);
        expect(await store.lastPosition()).toBe(2);
        expect(await store.eventsAfter(0, 10, 'order:o')).toHaveLength(1);
        expect(await store.commit({ events: [event('c')] })).toEqual({ ok: true, lastPosition: 3 });
        expect(await store.remembered('once')).toBe('r');
        expect(await store.ingestState('n')).toEqual({ appended: 3, applied: 2 });
        expect(await store.appendIngest('n', Uint8Array.of(4))).toBe(4);
        expect(await store.ingestNodes()).toEqual(['n']);
        expect(lats(await store.lastPositions())).toEqual({ v: 1 });
        expect(await track(store, 'v', NOW, NOW + 1)).toHaveLength(1);
        expect([...(await store.getBlob('photo'))!]).toEqual([1]);
        expect(await store.meta('fact')).toBe(5);
        expect((await store.claimTerminal('t', 'n', 'c', NOW, 1_000)).fence).toBeGreaterThan(fence);
      });

      test('after SIGKILL of a committing process everything that was confirmed is there, once', async () => {
        await store.close();
        const confirmed = await commitUntilKilled(under.child!, 150);
        store = await under.reopen!();
        expect(confirmed.docs.length + confirmed.groups.length + confirmed.rows.length).toBeGreaterThanOrEqual(150);
        const docs = await store.getMany(confirmed.docs.map((id) => ({ kind: 'k', id })));
        expect(docs.filter((doc) => doc === undefined)).toEqual([]);
        const log: string[] = [];
        for (let after = 0; after < (await store.lastPosition()); after += 1_000) {
          log.push(...(await store.eventsAfter(after, 1_000)).map(({ orderId }) => orderId!));
        }
        // The event and the document of a commit are there together or not at all.
        expect(new Set(log).size).toBe(log.length);
        const named = await Promise.all(log.map((id) => store.get('k', id)));
        expect(named.filter((doc) => doc === undefined)).toEqual([]);
        expect(confirmed.docs.filter((id) => !log.includes(id))).toEqual([]);
        const { appended } = await store.ingestState('n');
        expect(appended).toBeGreaterThanOrEqual(Math.max(0, ...confirmed.groups));
        const deviceTimes = new Set((await track(store, 'v', 0, NOW * 2)).map(({ deviceAt }) => deviceAt - NOW));
        expect(confirmed.rows.filter((row) => !deviceTimes.has(row))).toEqual([]);
      });
    });
  });
}

/** Runs the committing child, kills it when it has confirmed `enough` things, and gives all that it confirmed. */
async function commitUntilKilled(child: { url: string; options: object }, enough: number) {
  const confirmed = { docs: [] as string[], groups: [] as number[], rows: [] as number[] };
  const script = fileURLToPath(new URL('./committing-child.ts', import.meta.url));
  const args = ['--import', 'tsx', script, child.url, JSON.stringify(child.options), String(NOW)];
  const process_ = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(process_, 'exit');
  try {
    let count = 0;
    for await (const line of createInterface({ input: process_.stdout })) {
      const [what, value] = line.split(' ');
      if (what === 'doc') confirmed.docs.push(value!);
      else if (what === 'group') confirmed.groups.push(Number(value));
      else confirmed.rows.push(Number(value));
      // Lines that are in the pipe already are read on: they were confirmed too.
      if (++count === enough) process_.kill('SIGKILL');
    }
    await exited;
    return confirmed;
  } finally {
    process_.kill('SIGKILL');
  }
}

function put(
  kind: string,
  id: string,
  expect_: number,
  value: unknown,
  rest: { indexes?: DocPut['indexes']; dueAt?: number } = {},
): DocPut {
  return { kind, id, expect: expect_, value, indexes: [], ...rest };
}

function event(type: string, rest: Partial<DomainEvent> = {}): DomainEvent {
  return { type, source: 'api', by: 'test', receivedAt: NOW, committedAt: NOW, data: {}, ...rest };
}

function positions(
  rows: readonly (readonly [string, number, number, number])[] | (string | number)[][],
): PositionBatch {
  const batch = new PositionBatch(2);
  for (const [vehicleId, deviceAt, latE6, lonE6] of rows as [string, number, number, number][]) {
    batch.add(vehicleId, deviceAt, deviceAt + 500, latE6, lonE6, 40, 300, 90, 0, 3, 12_345);
  }
  return batch;
}

async function ok(result: Promise<CommitResult>): Promise<void> {
  expect(await result).toMatchObject({ ok: true });
}

async function ids(store: DispatchStore, scan: Scan): Promise<string[]> {
  return (await store.scan(scan)).items.map(({ id }) => id);
}

async function values(store: DispatchStore, scan: Scan): Promise<unknown[]> {
  return (await store.scan(scan)).items.map(({ value }) => value);
}

async function track(store: DispatchStore, vehicleId: string, from: number, to: number): Promise<Position[]> {
  const found: Position[] = [];
  for await (const position of store.track(vehicleId, from, to)) found.push(position);
  return found;
}

function lats(positions_: Map<string, Position>): Record<string, number> {
  return Object.fromEntries([...positions_].map(([vehicleId, { latE6 }]) => [vehicleId, latE6]));
}
