import { beforeEach, describe, expect, test } from 'vitest';
import type { DispatchStore } from '../../dispatch/store/store.js';
import { put, event, ok, NOW, type StoreUnderTest } from './support.js';

export function eventTests(opened: () => StoreUnderTest): void {
  let store: DispatchStore;

  beforeEach(() => {
    ({ store } = opened());
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
}
