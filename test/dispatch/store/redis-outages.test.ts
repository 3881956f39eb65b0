import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import type { DomainEvent } from '../../../dispatch/domain/events.js';
import { openStore, type OpenOptions } from '../../../dispatch/store/open.js';
import { PositionBatch } from '../../../dispatch/store/position-batch.js';
import type { DispatchStore } from '../../../dispatch/store/store.js';
import { CuttingProxy } from '../../support/cutting-proxy.js';
import { DURABLE, RedisServer, tick, type RedisConfig } from '../../support/redis.js';

const cleanup: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const undo of cleanup.splice(0).reverse()) await undo();
});

async function serve(config?: RedisConfig): Promise<RedisServer> {
  const server = await RedisServer.start(config);
  cleanup.push(() => server.stop());
  return server;
}

async function open(url: string, options: OpenOptions = {}): Promise<DispatchStore> {
  const store = await openStore(url, { commandTimeoutMs: 1_000, ...options });
  cleanup.push(() => store.close());
  return store;
}

const event: DomainEvent = { type: 'x', source: 'api', by: 't', receivedAt: 0, committedAt: 0, data: {} };
const put = (id: string) => ({ puts: [{ kind: 'k', id, expect: 0, value: id, indexes: [] }], events: [event] });

describe('a server that goes away', () => {
  test('killed and started again: what was confirmed is there, what waited is done once', async () => {
    const server = await serve();
    const store = await open(server.url);
    const confirmed: string[] = [];
    let going = true;
    const load = Promise.all(
      [1, 2, 3].map(async (worker) => {
        for (let i = 0; going; i++) {
          if ((await store.commit(put(`${worker}-${i}`))).ok) confirmed.push(`${worker}-${i}`);
        }
      }),
    );
    while (confirmed.length < 50) await tick();
    await server.kill();
    const before = confirmed.length;
    await server.run();
    while (confirmed.length < before + 50) await tick();
    going = false;
    await load;

    const docs = await store.getMany(confirmed.map((id) => ({ kind: 'k', id })));
    expect(docs.filter((doc) => doc?.version !== 1)).toEqual([]);
    expect(await store.lastPosition()).toBe(confirmed.length);
  });

  test('a group that was appended while it was away is not confirmed; the next one is', async () => {
    const server = await serve();
    const store = await open(server.url);
    expect(await store.appendIngest('n', Uint8Array.of(1))).toBe(1);
    await server.kill();
    await expect(store.appendIngest('n', Uint8Array.of(2))).rejects.toMatchObject({ name: 'StoreError' });
    await server.run();
    await expect
      .poll(
        () =>
          store.check().then(
            () => 'well',
            () => 'away',
          ),
        { timeout: 10_000 },
      )
      .toBe('well');
    expect(await store.appendIngest('n', Uint8Array.of(3))).toBeGreaterThan(1);
    expect((await store.readIngest('n', 0, 10)).map(({ group }) => group[0])).toEqual(expect.arrayContaining([1, 3]));
  });

  test('paused: nothing is confirmed meanwhile, then the commit is done once', async () => {
    const server = await serve();
    const store = await open(server.url, { commandTimeoutMs: 200 });
    await store.check();
    server.signal('SIGSTOP');
    const commit = store.commit(put('a'));
    await expect(store.appendIngest('n', Uint8Array.of(1))).rejects.toMatchObject({ code: 'timeout' });
    await expect(store.check()).rejects.toMatchObject({ code: 'timeout' });
    server.signal('SIGCONT');
    expect(await commit).toEqual({ ok: true, lastPosition: 1 });
    expect(await store.get('k', 'a')).toMatchObject({ version: 1 });
    expect(await store.eventsAfter(0, 10)).toHaveLength(1);
    await store.check();
  });

  test('away for longer than a commit waits: it is refused, and says why', async () => {
    const server = await serve();
    const store = await open(server.url, { commandTimeoutMs: 200, commitTimeoutMs: 500 });
    await server.kill();
    await expect(store.commit(put('a'))).rejects.toMatchObject({
      name: 'StoreError',
      message: expect.stringMatching(/^Redis: /),
    });
  });
});

describe('a lost answer', () => {
  test.each(['commit', 'positions'])('of a %s: it is done once', async (what) => {
    const server = await serve();
    const proxy = await CuttingProxy.start(server.port);
    cleanup.push(() => proxy.stop());
    const store = await open(`redis://127.0.0.1:${proxy.port}`);
    await store.commit(put('before'));
    const batch = new PositionBatch();
    batch.add('v', 5, 6, 1, 2, 3, 4, 5, 6, 7, 8);
    let lost = 0;
    proxy.loseAnswerTo((request) => {
      const mine = request.includes(what === 'commit' ? 'k\0a' : ':last');
      if (mine) lost++;
      return mine;
    });
    const commit = what === 'commit' ? put('a') : { positions: batch, ...put('a') };
    expect(await store.commit(commit)).toEqual({ ok: true, lastPosition: 2 });
    expect(lost).toBe(1);
    expect(await store.get('k', 'a')).toMatchObject({ version: 1 });
    expect(await store.eventsAfter(0, 10)).toHaveLength(2);
    const found = [];
    for await (const position of store.track('v', 0, 10)) found.push(position);
    expect(found).toEqual(what === 'commit' ? [] : [batch.at(0)]);
  });
});

test('reads its file after a start: nothing is confirmed meanwhile, and nothing is lost', async () => {
  const config: RedisConfig = { ...DURABLE };
  const server = await serve(config);
  const store = await open(server.url, { commitTimeoutMs: 20_000 });
  for (let i = 0; i < 10; i++) await store.commit(put(`before-${i}`));
  await server.kill();
  // Each command of the file takes so long, in microseconds.
  config['key-load-delay'] = 30_000;
  let loaded = false;
  const running = server.run().then(() => (loaded = true));
  await expect(openStore(server.url, { commandTimeoutMs: 200 })).rejects.toMatchObject({ code: 'unavailable' });
  expect(loaded).toBe(false);
  const group = store.appendIngest('n', Uint8Array.of(1)).catch(() => undefined);
  const committed = store.commit(put('meanwhile')).then((result) => ({ result, loaded }));
  await running;
  expect(await committed).toMatchObject({ result: { ok: true, lastPosition: 11 } });
  const sequence = await group;
  expect(await store.ingestState('n')).toEqual({ appended: sequence ?? 0, applied: 0 });
  expect(await store.eventsAfter(0, 100)).toHaveLength(11);
});

test('out of memory: refused as full, nothing half written; it goes on when there is room', async () => {
  const server = await serve();
  const store = await open(server.url);
  await server.command('CONFIG', 'SET', 'maxmemory', '1kb');
  await expect(store.putBlob('photo', new Uint8Array(1_000))).rejects.toMatchObject({
    name: 'StoreError',
    code: 'full',
  });
  await expect(store.commit(put('a'))).rejects.toMatchObject({ code: 'full' });
  await expect(store.appendIngest('n', Uint8Array.of(1))).rejects.toMatchObject({ code: 'full' });
  await expect(store.check()).rejects.toMatchObject({ code: 'full' });
  expect(await store.get('k', 'a')).toBeUndefined();
  expect(await store.lastPosition()).toBe(0);
  await server.command('CONFIG', 'SET', 'maxmemory', '64mb');
  await store.check();
  expect(await store.commit(put('a'))).toEqual({ ok: true, lastPosition: 1 });
});

describe('what a confirmation is worth', () => {
  test('an append-only file that is always flushed survives a crash', async () => {
    const store = await open((await serve()).url);
    expect(await store.durability()).toMatchObject({ level: 'crash', warnings: [] });
  });

  test.each<[string, RedisConfig, RegExp]>([
    ['keeps nothing', { appendonly: 'no' }, /keeps no append-only file \(appendonly no\)/],
    ['throws data away', { ...DURABLE, maxmemory: '64mb', 'maxmemory-policy': 'allkeys-lru' }, /allkeys-lru/],
  ])('a server that %s is refused, unless that is asked for; then it is said', async (_, config, why) => {
    const server = await serve(config);
    const refused = openStore(server.url);
    await expect(refused).rejects.toMatchObject({ name: 'StoreError', code: 'unavailable' });
    await expect(refused).rejects.toThrow(why);
    await expect(refused).rejects.toThrow(server.address);
    const store = await open(server.url, { durability: 'relaxed' });
    expect((await store.durability()).warnings.join()).toMatch(why);
  });

  test('everysec is enough where it is asked for; then it is said', async () => {
    const server = await serve({ appendonly: 'yes', appendfsync: 'everysec' });
    const store = await open(server.url, { durability: 'everysec' });
    expect(await store.durability()).toMatchObject({
      level: 'process',
      warnings: [expect.stringMatching(/last seconds/)],
    });
    expect(await store.commit(put('a'))).toMatchObject({ ok: true });
    const lazy = await serve({ appendonly: 'yes', appendfsync: 'no' });
    await expect(openStore(lazy.url, { durability: 'everysec' })).rejects.toThrow(/appendfsync no/);
  });

  // Newer ones: redis-waitaof.test.ts.
  test.each<[string, RedisConfig, RegExp]>([
    ['flushes later', { appendonly: 'yes', appendfsync: 'everysec' }, /appendfsync everysec and no WAITAOF/],
    [
      'flushes nothing during a rewrite',
      { ...DURABLE, 'no-appendfsync-on-rewrite': 'yes' },
      /no-appendfsync-on-rewrite/,
    ],
  ])('a server without WAITAOF that %s is refused, unless that is asked for', async (_, config, why) => {
    const server = await serve(config);
    // As a version without WAITAOF, whichever is installed: the gateway reads it from the same line.
    const proxy = await CuttingProxy.start(server.port);
    cleanup.push(() => proxy.stop());
    proxy.alter((answer) => answer.replace(/redis_version:\d+\.\d+/, 'redis_version:7.0'));
    const url = `redis://127.0.0.1:${proxy.port}`;
    await expect(openStore(url)).rejects.toThrow(why);
    expect(await (await open(url, { durability: 'relaxed' })).commit(put('a'))).toMatchObject({ ok: true });
  });

  test('without a replica WAIT confirms nothing', async () => {
    const server = await serve();
    await (await open(server.url)).close();
    const store = await open(server.url, { durability: 'replica', commitTimeoutMs: 100 });
    expect(await store.durability()).toMatchObject({
      level: 'failover',
      warnings: [expect.stringMatching(/no replica/)],
    });
    await expect(store.commit(put('a'))).rejects.toThrow(/no replica had it in time/);
    await expect(store.check()).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('a server whose settings got worse is refused when its connection is next made', async () => {
    const server = await serve();
    const store = await open(server.url, { commitTimeoutMs: 1_000 });
    expect(await store.commit(put('a'))).toMatchObject({ ok: true });
    await server.command('CONFIG', 'SET', 'appendonly', 'no');
    await server.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await expect(store.commit(put('b'))).rejects.toThrow(/appendonly no/);
  });
});

describe('a promoted replica that lacks the end', () => {
  test('of an ingest log: what is appended from then on is read behind what was applied', async () => {
    const server = await serve();
    const store = await open(server.url);
    for (const byte of [1, 2, 3]) await store.appendIngest('n', Uint8Array.of(byte));
    expect(await store.commit({ applied: { node: 'n', sequence: 3 } })).toMatchObject({ ok: true });
    await server.command('DEL', '{linecrew:log:n}');
    const appended = await Promise.all([4, 5, 6].map((byte) => store.appendIngest('n', Uint8Array.of(byte))));
    expect(appended).toEqual([4, 5, 6]);
    const read = await store.readIngest('n', 3, 10);
    expect(read.map(({ group }) => group[0])).toEqual(expect.arrayContaining([4, 5, 6]));
    // So does a node that starts only then.
    await server.command('DEL', '{linecrew:log:n}');
    const other = await open(server.url);
    expect(await other.appendIngest('n', Uint8Array.of(7))).toBeGreaterThan(3);
  });
});

describe('opening', () => {
  test('a server that is not there is named, without the password', async () => {
    const gone = await RedisServer.start();
    await gone.stop();
    const opening = openStore(`redis://:secret@${gone.address}`, { commandTimeoutMs: 500 });
    await expect(opening).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining(gone.address),
    });
    await expect(opening).rejects.not.toThrow(/secret/);
  });

  test('a password is needed and used', async () => {
    const server = await serve({ ...DURABLE, requirepass: 'secret' });
    await expect(openStore(server.url, { commandTimeoutMs: 500 })).rejects.toMatchObject({ code: 'unavailable' });
    const store = await open(server.url, { password: 'secret' });
    expect(await store.commit(put('a'))).toMatchObject({ ok: true });
    const same = await open(server.url.replace('://', '://:secret@'));
    expect(await same.get('k', 'a')).toMatchObject({ value: 'a' });
  });

  test('data of a newer version is refused', async () => {
    const server = await serve();
    const prefix = `test-${randomUUID()}`;
    await (await openStore(server.url, { prefix })).close();
    await server.command('HSET', `{${prefix}}:meta`, 'store.format', 2);
    await expect(openStore(server.url, { prefix })).rejects.toMatchObject({
      code: 'format',
      message: expect.stringMatching(/format 2/),
    });
  });

  test('a prefix that would break the hash tags is refused', async () => {
    const server = await serve();
    await expect(openStore(server.url, { prefix: 'a}b' })).rejects.toMatchObject({ code: 'invalid' });
  });
});
