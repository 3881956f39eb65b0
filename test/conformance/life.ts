import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, test } from 'vitest';
import type { DispatchStore } from '../../dispatch/store/store.js';
import { put, event, positions, ok, ids, track, lats, NOW, type StoreUnderTest } from './support.js';

/** `durable: false` leaves out what needs data that outlives the process. */
export function lifeTests(opened: () => StoreUnderTest, durable: boolean): void {
  let under: StoreUnderTest;
  let store: DispatchStore;

  beforeEach(() => {
    under = opened();
    ({ store } = under);
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
