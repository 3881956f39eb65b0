import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DomainEvent } from '../../../dispatch/domain/events.js';
import { memoryStore } from '../../../dispatch/store/memory.js';
import { openStore } from '../../../dispatch/store/open.js';
import { PositionBatch } from '../../../dispatch/store/position-batch.js';
import type { Batch, DispatchStore, Page } from '../../../dispatch/store/store.js';
import { RedisServer } from '../../support/redis.js';

const NOW = Date.UTC(2024, 5, 1);
const id = fc.constantFrom('a', 'b', 'c');
const index = fc.tuple(fc.constantFrom('i', 'j'), fc.constantFrom('', 'x', 'x\0', 'y', '工'));
const version = fc.integer({ min: 0, max: 3 });

const batch: fc.Arbitrary<Batch> = fc.record(
  {
    puts: fc.uniqueArray(
      fc.record({
        kind: fc.constant('k'),
        id,
        expect: version,
        value: fc.option(fc.jsonValue({ maxDepth: 2 }), { nil: undefined }),
        indexes: fc.array(index, { maxLength: 3 }),
        dueAt: fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }),
      }),
      { selector: (put) => put.id, maxLength: 3 },
    ),
    checks: fc.array(fc.record({ kind: fc.constant('k'), id, version }), { maxLength: 1 }),
    events: fc.array(
      fc.record({ orderId: id, vehicleId: id }).map((refs): DomainEvent => ({
        type: 'x',
        source: 'api',
        by: 't',
        receivedAt: 1,
        committedAt: 2,
        data: null,
        ...refs,
      })),
      { maxLength: 3 },
    ),
    idempotency: fc.record({ key: id, result: fc.integer(), keepMs: fc.integer({ min: 1, max: 50 }) }),
    applied: fc.record({ node: id, sequence: fc.integer({ min: 0, max: 20 }) }),
    positions: fc.array(fc.tuple(id, fc.integer({ min: 0, max: 5 }), fc.nat(3)), { maxLength: 5 }).map((rows) => {
      const positions = new PositionBatch();
      for (const [v, hour, lat] of rows) positions.add(v, NOW + hour * 1_800_000, NOW, lat, 0, lat, 0, 0, 0, lat, 0);
      return positions;
    }),
  },
  { requiredKeys: [] },
);

type Step = (store: DispatchStore, clock: { now: number }) => Promise<unknown>;

const step: fc.Arbitrary<[string, Step]> = fc.oneof(
  { weight: 6, arbitrary: batch.map((b): [string, Step] => [`commit ${JSON.stringify(b)}`, (s) => commit(s, b)]) },
  fc.tuple(fc.nat(120), fc.integer({ min: 1, max: 3 })).map(([now, limit]): [string, Step] => [
    `due ${now} ${limit}`,
    // Documents that are due at the same time have no order among each other.
    async (s) => (await s.due(now, 'n', 10, 1_000)).map((doc) => doc.id).sort().slice(0, 3 * limit), // prettier-ignore
  ]),
  fc.integer({ min: 1, max: 30 }).map((ms): [string, Step] => [
    `wait ${ms}`,
    async (_, clock) => {
      clock.now += ms;
    },
  ]),
  id.map((node): [string, Step] => [`append ${node}`, (s) => s.appendIngest(node, Buffer.from(node))]),
  fc.tuple(id, fc.nat(20)).map(([node, to]): [string, Step] => [`trim ${node} ${to}`, (s) => s.trimIngest(node, to)]),
  fc.nat(8).map((h): [string, Step] => [`trim positions ${h}`, (s) => s.trimPositions(NOW + h * 1_800_000)]),
);

/** A reader never applies what was not appended. */
async function commit(store: DispatchStore, { applied, ...rest }: Batch): Promise<unknown> {
  if (!applied) return store.commit(rest);
  const { appended } = await store.ingestState(applied.node);
  if (appended === 0) return store.commit(rest);
  return store.commit({ ...rest, applied: { ...applied, sequence: Math.min(appended, applied.sequence) } });
}

/** Everything that can be read. */
async function contents(store: DispatchStore): Promise<unknown> {
  const ids = ['a', 'b', 'c'];
  const pages: Page[] = [];
  for (const name of ['i', 'j']) {
    for (const reverse of [false, true]) {
      for (let after: string | undefined, more = true; more; more = after !== undefined) {
        const page = await store.scan({ index: name, limit: 2, reverse, after });
        pages.push(page);
        after = page.next;
      }
    }
  }
  const tracks = [];
  for (const v of ids) for await (const position of store.track(v, 0, NOW * 2)) tracks.push(position);
  return {
    docs: await store.getMany(ids.map((i) => ({ kind: 'k', id: i }))),
    pages,
    events: await store.eventsAfter(0, 1_000),
    refs: await Promise.all(ids.map((i) => store.eventsAfter(1, 2, `order:${i}`))),
    remembered: await Promise.all(ids.map((i) => store.remembered(i))),
    nextDueAt: await store.nextDueAt(),
    ingest: await Promise.all(ids.map(async (i) => [await store.ingestState(i), await sequences(store, i)])),
    nodes: await store.ingestNodes(),
    last: [...(await store.lastPositions())].sort(),
    tracks,
  };
}

async function sequences(store: DispatchStore, node: string): Promise<number[]> {
  return (await store.readIngest(node, 0, 1_000)).map(({ sequence }) => sequence);
}

let server: RedisServer;
let directory: string;
beforeAll(async () => {
  server = await RedisServer.start();
  directory = await mkdtemp(join(tmpdir(), 'linecrew-same-'));
});
afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true });
});

test('all stores give the same answers to the same calls', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const clock = { now: NOW };
      const now = () => clock.now;
      const stores = [
        memoryStore({ now }),
        await openStore(`lmdb:${join(directory, randomUUID())}`, { now }),
        await openStore(server.url, { now, prefix: randomUUID() }),
      ];
      try {
        for (const [name, run] of steps) {
          const before = clock.now;
          const answers: unknown[] = [];
          for (const store of stores) {
            clock.now = before;
            answers.push(await run(store, clock));
          }
          for (const answer of answers.slice(1)) expect(answer, name).toEqual(answers[0]);
        }
        const [first, ...others] = await Promise.all(stores.map(contents));
        for (const other of others) expect(other).toEqual(first);
      } finally {
        await Promise.all(stores.map((store) => store.close()));
      }
    }),
    { numRuns: 60 },
  );
}, 120_000);
