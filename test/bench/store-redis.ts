/**
 * The dispatch store on Redis against plain commands on the same server in the same run: one command per position, and
 * pipelined writes of the same bytes. Starts a private server (`appendfsync always`) unless a URL is given:
 * `npx tsx test/bench/store-redis.ts [redis URL]`.
 */
import { pathToFileURL } from 'node:url';
import { Redis } from 'ioredis';
import { openStore } from '../../dispatch/store/open.js';
import { PositionBatch } from '../../dispatch/store/position-batch.js';
import type { DispatchStore } from '../../dispatch/store/store.js';
import { RedisServer } from '../support/redis.js';

const FRAME = Buffer.alloc(55, 7);
const FRAMES_PER_GROUP = 1_000;
const GROUPS = 100;
const VEHICLES = 1_000;
const ROWS = 50_000;
/** Commands under way at once in the plain runs: as many terminals with one frame in flight. */
const IN_FLIGHT = 1_000;
const COMMITS = 3_000;
const START = Date.UTC(2024, 5, 1);

export interface RedisBench {
  /** Per second. */
  oneCommandPerPosition: number;
  appended: number;
  drained: number;
  commits: number;
  plainWrites: number;
}

/** Median of `rounds`, all kinds of a round one after the other. */
export async function benchRedis(url: string, rounds = 3): Promise<RedisBench> {
  const plain = new Redis(url);
  const store = await openStore(url, { prefix: `bench-${process.pid}` });
  try {
    const results: RedisBench[] = [];
    // The first round warms up.
    for (let i = 0; i <= rounds; i++) {
      results.push({
        oneCommandPerPosition: await perSecond(ROWS, () => oneCommandEach(plain)),
        appended: await perSecond(GROUPS * FRAMES_PER_GROUP, () => append(store)),
        drained: await perSecond(ROWS, () => drain(store, i)),
        commits: await perSecond(COMMITS, () => commit(store, i)),
        plainWrites: await perSecond(COMMITS, () => plainWrites(plain)),
      });
    }
    const median = (of: keyof RedisBench) =>
      results.slice(1).map((result) => result[of]).sort((a, b) => a - b)[Math.floor(rounds / 2)]!; // prettier-ignore
    return {
      oneCommandPerPosition: median('oneCommandPerPosition'),
      appended: median('appended'),
      drained: median('drained'),
      commits: median('commits'),
      plainWrites: median('plainWrites'),
    };
  } finally {
    await store.close();
    plain.disconnect();
  }
}

function oneCommandEach(plain: Redis): Promise<void> {
  return inFlight(ROWS, IN_FLIGHT, (i) => plain.xadd(`plain:${i % VEHICLES}`, '*', 'f', FRAME));
}

function append(store: DispatchStore): Promise<void> {
  const group = Buffer.alloc(FRAME.length * FRAMES_PER_GROUP, 7);
  return inFlight(GROUPS, 2, () => store.appendIngest('bench', group));
}

async function drain(store: DispatchStore, round: number): Promise<void> {
  const batch = new PositionBatch(ROWS);
  const from = START + round * 1_000_000;
  for (let i = 0; i < ROWS; i++) {
    const s = Math.floor(i / VEHICLES);
    const at = from + s * 1_000;
    batch.add(`truck-${i % VEHICLES}`, at, at + 250, 31e6 + s * 80, 121e6 - s * 60, 12, 300 + s, s, 0, 3, s);
  }
  const result = await store.commit({ applied: { node: 'bench', sequence: round + 1 }, positions: batch });
  if (!result.ok) throw new Error(`refused: ${JSON.stringify(result)}`);
}

/** A leg changes: its document, three index entries, a due time, two events. */
function commit(store: DispatchStore, round: number): Promise<void> {
  return inFlight(COMMITS, 100, async (i) => {
    const id = `${round}-${i}`;
    const event = { type: 'leg.sent', source: 'api', by: 'b', receivedAt: 0, committedAt: 0, data: {} } as const;
    const result = await store.commit({
      puts: [
        {
          kind: 'leg',
          id,
          expect: 0,
          value: { text: 'x'.repeat(400) },
          indexes: [['stage', id], ['centre', id], ['vehicle', id]], // prettier-ignore
          dueAt: START + i,
        },
      ],
      events: [
        { ...event, orderId: id },
        { ...event, orderId: id, vehicleId: `truck-${i % VEHICLES}` },
      ],
    });
    if (!result.ok) throw new Error(`refused: ${JSON.stringify(result)}`);
  });
}

/** About the bytes of such a commit, as one plain write. */
function plainWrites(plain: Redis): Promise<void> {
  const value = 'x'.repeat(1_000);
  return inFlight(COMMITS, 100, (i) => plain.hset('plain', `${i}`, value));
}

async function inFlight(count: number, width: number, work: (i: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: width }, async () => {
      while (next < count) await work(next++);
    }),
  );
}

async function perSecond(count: number, work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return (count / (performance.now() - began)) * 1_000;
}

async function main(given: string | undefined): Promise<void> {
  const server = given ? undefined : await RedisServer.start();
  try {
    const bench = await benchRedis(given ?? server!.url);
    const k = (value: number) => `${(value / 1_000).toFixed(1)}k/s`;
    const base = bench.oneCommandPerPosition;
    console.log(`one command per position          ${k(base)}`);
    console.log(`appended to the ingest log        ${k(bench.appended)}  ${(bench.appended / base).toFixed(1)} times`);
    console.log(`positions into tracks             ${k(bench.drained)}  ${(bench.drained / base).toFixed(1)} times`);
    console.log(`plain writes of a commit's bytes  ${k(bench.plainWrites)}`);
    const share = bench.commits / bench.plainWrites;
    console.log(`commits                           ${k(bench.commits)}  ${share.toFixed(2)} of plain writes`);
  } finally {
    await server?.stop();
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await main(process.argv[2]);
