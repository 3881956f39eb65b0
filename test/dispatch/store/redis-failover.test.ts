import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import type { DomainEvent } from '../../../dispatch/domain/events.js';
import { openStore, type OpenOptions } from '../../../dispatch/store/open.js';
import type { DispatchStore } from '../../../dispatch/store/store.js';
import { DURABLE, freePort, RedisCluster, RedisServer, tick } from '../../support/redis.js';

const cleanup: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const undo of cleanup.splice(0).reverse()) await undo();
});

async function open(url: string, options: OpenOptions = {}): Promise<DispatchStore> {
  const store = await openStore(url, { commandTimeoutMs: 1_000, commitTimeoutMs: 20_000, ...options });
  cleanup.push(() => store.close());
  return store;
}

/** Commits and appends from several callers until `stop`; what was confirmed. */
function load(store: DispatchStore) {
  const confirmed = { docs: [] as string[], groups: [] as number[] };
  let going = true;
  const event: DomainEvent = { type: 'x', source: 'api', by: 't', receivedAt: 0, committedAt: 0, data: {} };
  const commits = [1, 2, 3].map(async (worker) => {
    for (let i = 0; going; i++) {
      const id = `${worker}-${i}`;
      const puts = [{ kind: 'k', id, expect: 0, value: id, indexes: [] }];
      await store.commit({ puts, events: [{ ...event, orderId: id }] }).then(
        ({ ok }) => ok && confirmed.docs.push(id),
        // Not confirmed; it may be there all the same.
        () => tick(),
      );
    }
  });
  const appends = (async () => {
    while (going) {
      await store.appendIngest('n', Buffer.alloc(500, 1)).then(
        (sequence) => confirmed.groups.push(sequence),
        // Not confirmed: a terminal would send it again.
        () => tick(),
      );
    }
  })();
  return {
    confirmed,
    async more(count: number): Promise<void> {
      const docs = confirmed.docs.length + count;
      const groups = confirmed.groups.length + count;
      while (confirmed.docs.length < docs || confirmed.groups.length < groups) await tick();
    },
    async stop(): Promise<void> {
      going = false;
      await Promise.all([...commits, appends]);
    },
  };
}

/** What was confirmed and is not there, and what is there more than once. */
async function missingAndDoubled(store: DispatchStore, confirmed: { docs: string[]; groups: number[] }) {
  const docs = await store.getMany(confirmed.docs.map((id) => ({ kind: 'k', id })));
  const logged: string[] = [];
  for (let after = 0; after < (await store.lastPosition()); after += 1_000) {
    logged.push(...(await store.eventsAfter(after, 1_000)).map(({ orderId }) => orderId!));
  }
  const sequences = new Set<number>();
  for (let after = 0; ;) {
    const groups = await store.readIngest('n', after, 1_000);
    for (const { sequence } of groups) sequences.add((after = sequence));
    if (groups.length === 0) break;
  }
  return {
    missing: [
      ...confirmed.docs.filter((id, i) => !docs[i] || !logged.includes(id)),
      ...confirmed.groups.filter((sequence) => !sequences.has(sequence)),
    ],
    doubled: logged.filter((id, i) => logged.indexOf(id) !== i),
  };
}

describe('a cluster of three masters', () => {
  test('a master that is killed and started again under load loses nothing that was confirmed', async () => {
    const cluster = await RedisCluster.start(3);
    cleanup.push(() => cluster.stop());
    const store = await open(cluster.url);
    const running = load(store);
    await running.more(30);
    for (const master of cluster.servers) {
      await master.kill();
      await master.run();
      await running.more(10);
    }
    await running.stop();
    expect(await missingAndDoubled(store, running.confirmed)).toEqual({ missing: [], doubled: [] });
  }, 60_000);

  test('a replica is promoted: with WAIT 1 nothing that was confirmed is lost or done twice', async () => {
    const cluster = await RedisCluster.start(3, 1);
    cleanup.push(() => cluster.stop());
    const store = await open(cluster.url, { durability: 'replica' });
    expect(await store.durability()).toMatchObject({ level: 'failover', warnings: [] });
    const running = load(store);
    await running.more(20);
    // The master of the business state: where all commits go.
    const asked = cluster.servers[0]!;
    const slot = Number(await asked.command('CLUSTER', 'KEYSLOT', '{linecrew}'));
    const masterPort = async (server: RedisServer) => {
      const slots = (await server.command('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
      return slots.find(([from, to]) => from <= slot && slot <= to)?.[2][1];
    };
    const port = await masterPort(asked);
    const master = cluster.servers.find((server) => server.port === port)!;
    const witness = cluster.servers.find((server) => server !== master)!;
    await master.kill();
    while ((await masterPort(witness)) === port) await tick();
    // Alone, the promoted replica confirms nothing; the old master comes back as its replica.
    await master.run();
    await running.more(20);
    await running.stop();
    const { missing, doubled } = await missingAndDoubled(store, running.confirmed);
    expect(doubled).toEqual([]);
    // WAIT 1 had each confirmed write on the only replica, which is the one that was promoted.
    expect(missing).toEqual([]);
  }, 60_000);
});

test('Sentinel: the store follows to the promoted replica and refuses to confirm there without a replica', async () => {
  const master = await RedisServer.start();
  cleanup.push(() => master.stop());
  const replica = await RedisServer.start({ ...DURABLE, replicaof: `127.0.0.1 ${master.port}` });
  cleanup.push(() => replica.stop());
  const port = await freePort();
  const config = join(master.directory, 'sentinel.conf');
  await writeFile(
    config,
    [
      `sentinel monitor main 127.0.0.1 ${master.port} 1`,
      'sentinel down-after-milliseconds main 500',
      'sentinel failover-timeout main 3000',
    ].join('\n'),
  );
  const sentinel = await RedisServer.startSentinel(port, config);
  cleanup.push(() => sentinel.stop());
  // Sentinel learns of replicas from the master, every ten seconds.
  while (((await sentinel.command('SENTINEL', 'REPLICAS', 'main')) as unknown[]).length === 0) await tick();

  const store = await open(`redis-sentinel://127.0.0.1:${port}/main`);
  const running = load(store);
  await running.more(20);
  await master.kill();
  await running.more(20);
  await running.stop();
  expect((await missingAndDoubled(store, running.confirmed)).doubled).toEqual([]);
  const strict = await openStore(`redis-sentinel://127.0.0.1:${port}/main`, {
    durability: 'replica',
    commitTimeoutMs: 100,
  });
  cleanup.push(() => strict.close());
  await expect(strict.commit({})).rejects.toThrow(/no replica had it in time/);
}, 60_000);

test('TLS: a certificate of a private authority, and none without it', async () => {
  const plain = await RedisServer.start();
  cleanup.push(() => plain.stop());
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(plain.directory, name));
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...[
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=DNS:localhost,IP:127.0.0.1',
      '-keyout',
      key!,
      '-out',
      cert!,
    ],
  ]);
  const port = await freePort();
  const secured = await RedisServer.start({
    ...DURABLE,
    'tls-port': port,
    'tls-cert-file': cert!,
    'tls-key-file': key!,
    'tls-ca-cert-file': cert!,
    'tls-auth-clients': 'no',
  });
  cleanup.push(() => secured.stop());
  const store = await open(`rediss://localhost:${port}`, { tls: { ca: await readFile(cert!) } });
  await store.setMeta('secret', true);
  expect(await store.meta('secret')).toBe(true);
  await expect(openStore(`rediss://localhost:${port}`, { commandTimeoutMs: 500 })).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(/self-signed|certificate/),
  });
});
