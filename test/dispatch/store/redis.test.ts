import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe } from 'vitest';
import { openStore } from '../../../dispatch/store/open.js';
import type { DispatchStore } from '../../../dispatch/store/store.js';
import { storeConformance } from '../../conformance/store.js';
import type { StoreUnderTest } from '../../conformance/support.js';
import { RedisCluster, RedisServer } from '../../support/redis.js';

/** An empty store: a prefix of its own on a server that the tests of one file share. */
async function storeOn(url: string): Promise<StoreUnderTest> {
  const clock = { now: 0 };
  const options = { prefix: `test-${randomUUID()}` };
  const opened: DispatchStore[] = [];
  const open = async () => {
    const store = await openStore(url, { ...options, now: () => clock.now });
    opened.push(store);
    return store;
  };
  return {
    store: await open(),
    clock,
    reopen: open,
    secondNode: open,
    child: { url, options },
    dispose: async () => {
      await Promise.all(opened.map((store) => store.close()));
    },
  };
}

describe('one server', () => {
  // TEST_REDIS_URL: a server that is there already; only keys of the tests' own prefixes are touched, and they stay.
  let url = process.env['TEST_REDIS_URL'];
  let server: RedisServer | undefined;
  beforeAll(async () => {
    if (url === undefined) {
      server = await RedisServer.start();
      url = server.url;
    }
  });
  afterAll(() => server?.stop());

  storeConformance('Redis', () => storeOn(url!));
});

describe('a cluster of three masters', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await RedisCluster.start(3);
  });
  afterAll(() => cluster.stop());

  storeConformance('Redis Cluster', () => storeOn(cluster.url));
});
