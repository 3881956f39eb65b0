/**
 * WAITAOF (Redis 7.2, Valkey): servers that flush later than they answer. Where the installed server is older these
 * tests are skipped, and say so.
 */
import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DomainEvent } from '../../../dispatch/domain/events.js';
import { openStore, type OpenOptions } from '../../../dispatch/store/open.js';
import { slotOf } from '../../../dispatch/store/redis-flush.js';
import type { DispatchStore } from '../../../dispatch/store/store.js';
import { redisProgram, RedisCluster, RedisServer, type RedisConfig } from '../../support/redis.js';

const EVERYSEC: RedisConfig = { appendonly: 'yes', appendfsync: 'everysec' };
const [version = '', major, minor] = /v=(\d+)\.(\d+)[\d.]*/.exec(String(execFileSync(redisProgram(), ['--version'])))!;
const hasWaitAof = Number(major) > 7 || (Number(major) === 7 && Number(minor) >= 2);

beforeEach((ctx) => {
  if (hasWaitAof) return;
  const why = `skipped: redis-server ${version.slice(2)} has no WAITAOF, these tests need 7.2 or newer`;
  process.stderr.write(`${why}\n`);
  ctx.skip(why);
});

const cleanup: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const undo of cleanup.splice(0).reverse()) await undo();
});

async function serve(config: RedisConfig = EVERYSEC): Promise<RedisServer> {
  const server = await RedisServer.start(config);
  cleanup.push(() => server.stop());
  return server;
}

async function open(url: string, options: OpenOptions = {}): Promise<DispatchStore> {
  const store = await openStore(url, options);
  cleanup.push(() => store.close());
  return store;
}

const event: DomainEvent = { type: 'x', source: 'api', by: 't', receivedAt: 0, committedAt: 0, data: {} };
const put = (id: string) => ({ puts: [{ kind: 'k', id, expect: 0, value: id, indexes: [] }], events: [event] });

/** Flushes that were waited for, as the server counts them. */
async function flushes(server: RedisServer): Promise<number> {
  const info = String(await server.command('INFO', 'commandstats'));
  return Number(/cmdstat_waitaof:calls=(\d+)/.exec(info)?.[1] ?? 0);
}

test('everysec with WAITAOF survives a crash of the machine: each confirmation waited for a flush', async () => {
  const server = await serve();
  const store = await open(server.url);
  expect(await store.durability()).toMatchObject({ level: 'crash', warnings: [] });
  const before = await flushes(server);
  expect(await store.commit(put('a'))).toMatchObject({ ok: true });
  expect(await store.appendIngest('n', Uint8Array.of(1))).toBe(1);
  expect((await flushes(server)) - before).toBeGreaterThanOrEqual(2);
});

test('many writes share a flush, and reads do not wait for it', async () => {
  const server = await serve();
  const store = await open(server.url);
  await store.commit(put('first'));
  const before = await flushes(server);
  let confirmed = 0;
  const commits = Array.from({ length: 50 }, async (_, i) => {
    await store.commit(put(`many-${i}`));
    confirmed++;
  });
  // All are answered and seen before any is confirmed: the next flush is up to a second away.
  while ((await store.get('k', 'many-49')) === undefined);
  const seen = confirmed;
  await Promise.all(commits);
  expect(seen).toBeLessThan(50);
  expect((await flushes(server)) - before).toBeLessThan(10);
});

test('a disk that does not flush: nothing is confirmed, and it goes on by itself when it does', async () => {
  const server = await serve();
  const store = await open(server.url, { commandTimeoutMs: 2_000, commitTimeoutMs: 1_000 });
  expect(await store.commit(put('a'))).toMatchObject({ ok: true });
  // As a disk that is stuck: the server still says everysec when its settings are next read.
  await server.command('CONFIG', 'SET', 'appendfsync', 'no');
  await expect(store.appendIngest('n', Uint8Array.of(1))).rejects.toThrow(/not on the disk in time \(WAITAOF\)/);
  await expect(store.commit(put('b'))).rejects.toThrow(/not on the disk in time \(WAITAOF\)/);
  await server.command('CONFIG', 'SET', 'appendfsync', 'everysec');
  expect(await store.commit(put('c'))).toMatchObject({ ok: true });
});

test('a server that leaves flushing to the system is refused: it never tells', async () => {
  const server = await serve({ appendonly: 'yes', appendfsync: 'no' });
  await expect(openStore(server.url)).rejects.toThrow(/appendfsync no/);
});

test('always, except while the file is rewritten: WAITAOF stands behind it', async () => {
  const server = await serve({ appendonly: 'yes', appendfsync: 'always', 'no-appendfsync-on-rewrite': 'yes' });
  const store = await open(server.url);
  expect(await store.durability()).toMatchObject({ level: 'crash', warnings: [] });
  expect(await store.commit(put('a'))).toMatchObject({ ok: true });
  expect(await flushes(server)).toBeGreaterThan(0);
});

test('a server that is killed before the flush: what was not flushed was not confirmed, and is done once', async () => {
  const server = await serve();
  const store = await open(server.url);
  await store.commit(put('first'));
  const commit = store.commit(put('a'));
  while ((await store.get('k', 'a')) === undefined);
  await server.kill();
  await server.run();
  expect(await commit).toEqual({ ok: true, lastPosition: 2 });
  expect(await store.eventsAfter(0, 10)).toHaveLength(2);
});

test('a cluster: each master flushes what it has', async () => {
  const cluster = await RedisCluster.start(3, 0, EVERYSEC);
  cleanup.push(() => cluster.stop());
  const store = await open(cluster.url);
  expect(await store.durability()).toMatchObject({ level: 'crash' });
  expect(await store.commit(put('a'))).toMatchObject({ ok: true });
  const names = Array.from({ length: 20 }, (_, i) => `photo-${i}`);
  await Promise.all(names.map((name) => store.putBlob(name, Uint8Array.of(1))));
  const counts = await Promise.all(cluster.servers.map(flushes));
  expect(Math.min(...counts)).toBeGreaterThan(0);
  for (const key of ['{linecrew}:docs', '{linecrew:log:n}', 'plain', '{}x', 'a{b}{c}']) {
    expect(slotOf(key)).toBe(Number(await cluster.servers[0]!.command('CLUSTER', 'KEYSLOT', key)));
  }
});
