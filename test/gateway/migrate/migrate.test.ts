import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../../../dispatch/store/open.js';
import { PositionBatch } from '../../../dispatch/store/position-batch.js';
import type { DispatchStore } from '../../../dispatch/store/store.js';
import { registerMigrate } from '../../../gateway/commands/migrate.js';
import { migrate } from '../../../gateway/migrate/migrate.js';
import { summarise } from '../../../gateway/migrate/summary.js';
import { Service } from '../../e2e/support.js';
import { RedisCluster, RedisServer } from '../../support/redis.js';

const progress = (): void => {};
const NODE = 'node-1';
let redis: RedisServer;
let directory: string;
let service: Service;
let source: DispatchStore;
let orderId: string;
const opened: DispatchStore[] = [];

async function open(url: string): Promise<DispatchStore> {
  const store = await openStore(url);
  opened.push(store);
  return store;
}

/** A store that a gateway has used: orders, events, a log of which a part was trimmed and a part is not applied. */
beforeEach(async () => {
  [redis, directory] = [await RedisServer.start(), mkdtempSync(join(tmpdir(), 'linecrew-migrate-'))];
  service = await new Service().start();
  const vehicleId = await service.vehicle('13800001234', { profile: 'smart' });
  orderId = (await service.assigned(vehicleId)).id;
  await service.gateway.stop();
  source = await open(`lmdb:${service.directory}`);
  for (let i = 1; i <= 5; i++) await source.appendIngest(NODE, Uint8Array.of(i));
  const positions = new PositionBatch();
  for (let i = 0; i < 6_000; i++) {
    positions.add(vehicleId, i * 60_000, i * 60_000 + 1, 39_000_000 + i, 116_000_000, 0, 300, 90, 0, 3, -1);
  }
  await source.commit({ applied: { node: NODE, sequence: 3 }, positions });
  await source.trimIngest(NODE, 2);
  await source.trimPositions(3_600_000 * 10);
  await source.putBlob('photo/1', new Uint8Array(300_000).fill(7));
});
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  await redis.stop();
  for (const one of [directory, service.directory]) rmSync(one, { recursive: true, force: true });
});

describe('migration', () => {
  it('brings everything to Redis and back, and a gateway goes on there', async () => {
    const target = await open(redis.url);
    const before = await summarise(source);
    expect(await migrate(source, target, { fromUrl: 'a', progress })).toEqual({ resumed: false, summary: before });
    expect(before.positions.count).toBe(6_000 - 600);
    expect(before.blobs.count).toBe(1);

    // Sequences, positions and what is left to do are as they were.
    expect(await target.ingestState(NODE)).toEqual({ appended: 5, applied: 3 });
    expect((await target.readIngest(NODE, 0, 10)).map(({ sequence, group }) => [sequence, group[0]])).toEqual([
      [3, 3],
      [4, 4],
      [5, 5],
    ]);
    expect(await target.lastPosition()).toBe(await source.lastPosition());
    expect(await target.eventsAfter(0, 1_000, `order:${orderId}`)).toEqual(
      await source.eventsAfter(0, 1_000, `order:${orderId}`),
    );
    expect(await target.nextDueAt()).toBe(await source.nextDueAt());

    const back = await open(`lmdb:${directory}`);
    expect((await migrate(target, back, { fromUrl: 'b', progress })).summary).toEqual(before);

    const moved = await new Service({ store: redis.url }).start();
    try {
      await moved.do({ type: 'order.recall', orderId, reason: 'moved' });
      expect((await moved.get('order', orderId)).legs[0]!.state).toBe('recalled');
    } finally {
      await moved.stop();
    }
  });

  it('goes on where it was cut off, and a gateway refuses what is half there', async () => {
    const target = await open(redis.url);
    for (let cut = 0; ; cut++) {
      let left = 1 + cut;
      const failing = new Proxy(target, {
        get(of, name) {
          const member = Reflect.get(of, name, of) as unknown;
          if (typeof member !== 'function') return member;
          return (...args: unknown[]) => {
            if (['commit', 'appendIngest', 'putBlob'].includes(String(name)) && left-- === 0)
              throw new Error('cut off');
            return Reflect.apply(member as (...all: unknown[]) => unknown, of, args);
          };
        },
      });
      const run = await migrate(source, failing, { fromUrl: 'a', progress }).catch((error: Error) => error.message);
      if (typeof run !== 'string') {
        expect(run.resumed).toBe(true);
        expect(cut).toBeGreaterThan(1);
        break;
      }
      expect(run).toBe('cut off');
      if (cut > 0) continue;
      await expect(new Service({ store: redis.url }).start()).rejects.toThrow(
        /not finished: run linecrew migrate again/,
      );
      await expect(migrate(source, target, { fromUrl: 'other', progress })).rejects.toThrow(/being filled from a/);
    }
    expect(await summarise(target)).toEqual(await summarise(source));
  });

  it('takes along what a node whose log holds nothing had counted to; on a cluster it is forgotten and counts on', async () => {
    for (const node of ['gone', 'quiet']) {
      for (let i = 1; i <= 3; i++) await source.appendIngest(node, Uint8Array.of(i));
      await source.commit({ applied: { node, sequence: 3 } });
    }
    await source.trimIngest('gone', 3);
    await source.trimIngest('quiet', 2);
    const cluster = await RedisCluster.start(3);
    try {
      const target = await open(cluster.url);
      const { summary } = await migrate(source, target, { fromUrl: 'a', progress });
      expect(summary).toEqual(await summarise(source));
      expect(await target.ingestNodes()).toEqual([NODE, 'quiet']);
      expect(await target.ingestState('gone')).toEqual({ appended: 3, applied: 3 });
      expect(await target.forgetIngest('quiet')).toBe(false);
      expect(await target.forgetIngest(NODE)).toBe(false);
      await target.trimIngest('quiet', 3);
      expect(await target.forgetIngest('quiet')).toBe(true);
      // Another process does not know what this one remembers.
      const other = await open(cluster.url);
      for (const node of ['gone', 'quiet']) expect(await other.appendIngest(node, Uint8Array.of(4))).toBe(4);
      expect(await target.ingestNodes()).toEqual(['gone', NODE, 'quiet']);
      expect((await target.readIngest('gone', 3, 10)).map(({ sequence }) => sequence)).toEqual([4]);
    } finally {
      for (const store of opened.splice(1)) await store.close();
      await cluster.stop();
    }
  });

  it('refuses a target that holds data, and stores that a gateway runs on', async () => {
    const target = await open(redis.url);
    await target.setMeta('x', 1);
    await expect(migrate(source, target, { fromUrl: 'a', progress })).rejects.toThrow(/holds data already/);
    await redis.command('FLUSHALL');
    await migrate(source, target, { fromUrl: 'a', progress });
    await expect(migrate(source, target, { fromUrl: 'a', progress })).rejects.toThrow(/filled from a already/);
    await expect(migrate(source, target, { fromUrl: 'b', progress })).rejects.toThrow(/holds data already/);
    await target.claimTerminal(`ingest:${NODE}`, NODE, 'c', Date.now(), 10_000);
    const back = await open(`lmdb:${directory}`);
    await expect(migrate(target, back, { fromUrl: 'b', progress })).rejects.toThrow(
      /gateway node-1 runs on the source: stop it first/,
    );
    expect(await back.metaKeys()).toEqual([]);
  });

  it('says what differs', async () => {
    const target = await open(redis.url);
    const lossy = new Proxy(target, {
      get(of, name) {
        if (name === 'putBlob') return () => Promise.resolve();
        const member = Reflect.get(of, name, of) as unknown;
        return typeof member === 'function' ? (member as () => unknown).bind(of) : member;
      },
    });
    await expect(migrate(source, lossy, { fromUrl: 'a', progress })).rejects.toThrow(
      'the target differs from the source in blobs (1 in the source, 0 in the target)',
    );
  });

  it('is a command', async () => {
    await opened.pop()!.close();
    const program = new Command().exitOverride();
    registerMigrate(program);
    const run = (...args: string[]) => program.parseAsync(['migrate', ...args, '--json'], { from: 'user' });
    await run('--from', `lmdb:${service.directory}`, '--to', redis.url);
    await expect(run('--from', `lmdb:${directory}/none`, '--to', redis.url)).rejects.toThrow(/there is no store/);
    for (const [from, to] of [
      [`lmdb:${directory}/none`, `lmdb:${directory}/x/../none/`],
      [redis.url, `${redis.url}/0`],
      ['redis-cluster://a:1,b:2', 'redis-cluster://u:p@b:2,a:1'],
    ] as const) {
      await expect(run('--from', from, '--to', to)).rejects.toThrow('--from and --to are the same store');
    }
    const target = await open(redis.url);
    expect(await target.meta('migration')).toEqual({ from: `lmdb:${service.directory}`, finished: true });
  });
});
