import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { memoryStore } from '../../../dispatch/store/memory.js';
import { openStore } from '../../../dispatch/store/open.js';
import { PositionBatch, type Position } from '../../../dispatch/store/position-batch.js';
import { RedisKeys, shardOf } from '../../../dispatch/store/redis-keys.js';
import type { DispatchStore } from '../../../dispatch/store/store.js';
import { RedisServer } from '../../support/redis.js';

const NOW = Date.UTC(2024, 5, 1, 8, 0, 0);
let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(() => server.stop());

async function report(store: DispatchStore, at: number): Promise<void> {
  const batch = new PositionBatch(1);
  batch.add('v', NOW + at, NOW + at + 300, at, -at, 10, 300, 90, 0, 3, at);
  expect(await store.commit({ positions: batch })).toMatchObject({ ok: true });
}

async function places(store: DispatchStore): Promise<number[]> {
  const found: number[] = [];
  for await (const { latE6 } of store.track('v', 0, NOW * 2)) found.push(latE6);
  return found;
}

async function bytesOfTracks(prefix: string): Promise<number[]> {
  const keys = (await server.command('KEYS', `{${prefix}:*:track:v:*`)) as string[];
  return Promise.all(keys.sort().map(async (key) => Number(await server.command('STRLEN', key))));
}

test('single reports are put together after a while, and when their hour is over', async () => {
  const store = await openStore(server.url, { prefix: 'single' });
  for (let i = 0; i < 140; i++) await report(store, i * 1_000);
  for (let i = 0; i < 3; i++) await report(store, 3_600_000 + i);
  // Put together a position takes less than 30 bytes; alone, with the head of its frame, more than 60.
  await expect.poll(async () => (await bytesOfTracks('single'))[0]! / 140).toBeLessThan(30);
  expect((await bytesOfTracks('single'))[1]! / 3).toBeGreaterThan(30);
  expect(await places(store)).toEqual([
    ...Array.from({ length: 140 }, (_, i) => i * 1_000),
    ...[3_600_000, 3_600_001, 3_600_002],
  ]);
  await store.close();
});

test('two nodes that write the same track at once lose nothing while it is put together', async () => {
  const nodes = [await openStore(server.url, { prefix: 'two' }), await openStore(server.url, { prefix: 'two' })];
  await Promise.all(
    nodes.map(async (node, n) => {
      for (let i = 0; i < 200; i++) await report(node, i * 2 + n);
    }),
  );
  expect(await places(nodes[0]!)).toEqual(Array.from({ length: 400 }, (_, i) => i));
  await Promise.all(nodes.map((node) => node.close()));
});

test('some thousand vehicles of one shard in one batch: each has its latest position and its whole track', async () => {
  const store = await openStore(server.url, { prefix: 'shard' });
  const vehicles: string[] = [];
  for (let i = 0; vehicles.length < 2_500; i++) if (shardOf(`v${i}`) === 7) vehicles.push(`v${i}`);
  const first = new PositionBatch();
  const second = new PositionBatch();
  vehicles.forEach((id, i) => {
    first.add(id, NOW, NOW, i, 0, 0, 0, 0, 0, 3, -1);
    // Every other one comes late: it belongs to the track and not to the map.
    second.add(id, NOW + (i % 2 === 0 ? 1_000 : -1_000), NOW + 2_000, i, 1, 0, 0, 0, 0, 3, -1);
  });
  for (const positions of [first, second]) expect(await store.commit({ positions })).toMatchObject({ ok: true });
  const last = await store.lastPositions();
  expect(last.size).toBe(vehicles.length);
  expect(vehicles.map((id) => last.get(id)!.lonE6)).toEqual(vehicles.map((_, i) => (i % 2 === 0 ? 1 : 0)));
  for (const [i, id] of [0, 999, 1_000, 1_001, 2_499].map((i) => [i, vehicles[i]!] as const)) {
    const track: number[] = [];
    for await (const { deviceAt, latE6 } of store.track(id, 0, NOW * 2)) {
      expect(latE6).toBe(i);
      track.push(deviceAt - NOW);
    }
    expect(track).toEqual(i % 2 === 0 ? [0, 1_000] : [-1_000, 0]);
  }
  await store.close();
});

test('a track that was trimmed is listed again when its hour gets a position', async () => {
  const store = await openStore(server.url, { prefix: 'trimmed' });
  await report(store, 0);
  expect(await store.trimPositions(NOW + 3_600_000)).toBe(1);
  expect(await places(store)).toEqual([]);
  await report(store, 5);
  expect(await places(store)).toEqual([5]);
  await store.close();
});

const int = (min: number, max: number) => fc.integer({ min, max });
/** Names with what could end a key's tag or stand between its parts, and of more than one byte a character. */
const name = fc.oneof(
  fc.constantFrom('v', 'v:1', 'v:', '}', '{v}', '京A12345', ' ', 'last', '%'),
  fc.string({ minLength: 1, maxLength: 200, unit: 'grapheme' }).filter((text) => !text.includes('\0')),
);
const row = fc.tuple(
  int(0, 4 * 3_600_000),
  int(-1_000, 400_000),
  int(-90_000_000, 90_000_000),
  int(-180_000_000, 180_000_000),
  fc.tuple(int(-5_000, 9_000), int(0, 3_000), int(0, 359), int(0, 0xffff_ffff), int(0, 0xffff_ffff), int(-1, 1e7)),
);

test('whatever names and numbers positions have, they are read as a store in memory gives them, from the keys of the layout', async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(name, { minLength: 1, maxLength: 6 }),
      fc.array(fc.array(fc.tuple(fc.nat(), row), { maxLength: 40 }), { minLength: 1, maxLength: 4 }),
      async (names, batches) => {
        const prefix = `packed-${run++}`;
        const store = await openStore(server.url, { prefix });
        const model = memoryStore();
        try {
          for (const rows of batches) {
            const batch = new PositionBatch();
            for (const [who, [at, lag, lat, lon, rest]] of rows) {
              batch.add(names[who % names.length]!, NOW + at, NOW + at + lag, lat, lon, ...rest);
            }
            for (const one of [store, model])
              expect(await one.commit({ positions: batch })).toMatchObject({ ok: true });
          }
          expect(await store.lastPositions()).toEqual(await model.lastPositions());
          const keys = new RedisKeys(prefix);
          for (const id of names) {
            const track = await trackOf(model, id);
            expect(await trackOf(store, id)).toEqual(track);
            const hours = new Set(track.map(({ deviceAt }) => Math.floor(deviceAt / 3_600_000)));
            expect(await server.command('ZCARD', keys.hours(id))).toBe(hours.size);
            for (const hour of hours) expect(await server.command('STRLEN', `${keys.tracks(id)}${hour}`)).not.toBe(0);
          }
        } finally {
          await store.close();
          await model.close();
        }
      },
    ),
    { numRuns: 60 },
  );
});

async function trackOf(store: DispatchStore, vehicleId: string): Promise<Position[]> {
  const found: Position[] = [];
  for await (const position of store.track(vehicleId, 0, NOW * 2)) found.push(position);
  return found;
}

test('positions are published only where another node hears them', async () => {
  const published = async (): Promise<number> => {
    const stats = String(await server.command('INFO', 'commandstats'));
    return Number(/cmdstat_publish:calls=(\d+)/.exec(stats)?.[1] ?? 0);
  };
  const node = await openStore(server.url, { prefix: 'heard' });
  const channel = new RedisKeys('heard').positionsChannel;
  const own: number[] = [];
  node.watch({ positions: (batch) => void own.push(batch.at(0).latE6) });
  // The node hears itself from the moment when it knows of its own subscription; a commit before that may be published.
  let sent = 0;
  const publishes = async (): Promise<number> => {
    const before = await published();
    await report(node, ++sent);
    return (await published()) - before;
  };
  await expect.poll(() => subscribers(channel), { timeout: 10_000 }).toBe(1);
  await expect.poll(publishes, { timeout: 10_000 }).toBe(0);
  expect(await publishes()).toBe(0);
  expect(own).toContain(sent);

  const other = await openStore(server.url, { prefix: 'heard' });
  const told: number[] = [];
  other.watch({ positions: (batch) => void told.push(batch.at(0).latE6) });
  await expect.poll(() => subscribers(channel), { timeout: 10_000 }).toBe(2);
  expect(await publishes()).toBe(1);
  await expect.poll(() => told, { timeout: 10_000 }).toContain(sent);
  await Promise.all([node.close(), other.close()]);
});

async function subscribers(channel: string): Promise<number> {
  const [, count] = (await server.command('PUBSUB', 'NUMSUB', channel)) as [string, number];
  return count;
}
