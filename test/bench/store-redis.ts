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
import { DURABLE, RedisServer } from '../support/redis.js';

const FRAME = Buffer.alloc(55, 7);
const FRAMES_PER_GROUP = 1_000;
const VEHICLES = 1_000;
const ROWS = 50_000;
/** Batches of a measurement: what each kind does takes a good part of a second. */
const BATCHES = 8;
/** Commands under way at once in the plain runs: as many terminals with one frame in flight. */
const IN_FLIGHT = 1_000;
const COMMITS = 3_000;
/** Until everything is compiled. */
const WARM_UP_ROUNDS = 3;
const START = Date.UTC(2024, 5, 1);

/** Work done per second, and this process's CPU time for one, µs: the second is steady on a busy machine. */
export interface Figure {
  perS: number;
  cpuUs: number;
}

const KINDS = [
  'oneCommandPerPosition',
  'appended',
  'drained',
  'both',
  'drainedSingly',
  'commits',
  'plainWrites',
] as const;
export type RedisBench = Record<(typeof KINDS)[number], Figure>;

/** Medians of `rounds`, all kinds of a round one after the other. */
export async function benchRedis(url: string, rounds = 3): Promise<RedisBench> {
  const plain = new Redis(url);
  const store = await openStore(url, { prefix: `bench-${process.pid}` });
  try {
    const results: RedisBench[] = [];
    for (let i = 0; i < WARM_UP_ROUNDS + rounds; i++) {
      results.push({
        oneCommandPerPosition: await measure(ROWS, () => oneCommandEach(plain)),
        appended: await measure(ROWS * BATCHES, () => append(store)),
        drained: await measured(VEHICLES, (batches) => drain(store, batches)),
        both: await measured(VEHICLES, async (batches) => {
          await Promise.all([append(store), drain(store, batches)]);
        }),
        drainedSingly: await measured(ROWS, (batches) => drain(store, batches)),
        commits: await measure(COMMITS, () => commit(store, i)),
        plainWrites: await measure(COMMITS, () => plainWrites(plain)),
      });
    }
    const median = (kind: keyof RedisBench, of: keyof Figure) => {
      const sorted = results.slice(WARM_UP_ROUNDS).map((result) => result[kind][of]);
      return sorted.sort((a, b) => a - b)[Math.floor(rounds / 2)]!;
    };
    const figures = KINDS.map((kind) => [kind, { perS: median(kind, 'perS'), cpuUs: median(kind, 'cpuUs') }]);
    return Object.fromEntries(figures) as RedisBench;
  } finally {
    await store.close();
    plain.disconnect();
  }
}

function oneCommandEach(plain: Redis): Promise<void> {
  return inFlight(ROWS, IN_FLIGHT, (i) => plain.xadd(`plain:${i % VEHICLES}`, '*', 'f', FRAME));
}

/** As many reports into the ingest log as a measurement has positions. */
function append(store: DispatchStore): Promise<void> {
  const group = Buffer.alloc(FRAME.length * FRAMES_PER_GROUP, 7);
  return inFlight((ROWS * BATCHES) / FRAMES_PER_GROUP, 2, () => store.appendIngest('bench', group));
}

/** Time of the terminals: later with each batch, so that none holds what is there already. */
let deviceAt = START;
let sequence = 0;

/** Batches of the reader; making them is not the store's work. */
function measured(vehicles: number, work: (batches: PositionBatch[]) => Promise<void>): Promise<Figure> {
  const batches = Array.from({ length: BATCHES }, () => {
    const batch = new PositionBatch(ROWS);
    for (let i = 0; i < ROWS; i++) {
      const s = Math.floor(i / vehicles);
      const at = deviceAt + s * 1_000;
      batch.add(`truck-${i % vehicles}`, at, at + 250, 31e6 + s * 80, 121e6 - s * 60, 12, 300 + s, s, 0, 3, s);
    }
    deviceAt += Math.ceil(ROWS / vehicles) * 1_000;
    return batch;
  });
  return measure(ROWS * BATCHES, () => work(batches));
}

/** Into tracks and last positions, one after the other as the reader does. */
async function drain(store: DispatchStore, batches: readonly PositionBatch[]): Promise<void> {
  for (const positions of batches) {
    const result = await store.commit({ applied: { node: 'bench', sequence: ++sequence }, positions });
    if (!result.ok) throw new Error(`refused: ${JSON.stringify(result)}`);
  }
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

async function measure(count: number, work: () => Promise<void>): Promise<Figure> {
  const cpu = process.cpuUsage();
  const began = performance.now();
  await work();
  const perS = (count / (performance.now() - began)) * 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return { perS, cpuUs: (user + system) / count };
}

function inTurn(a: Figure, b: Figure): Figure {
  return { perS: 1 / (1 / a.perS + 1 / b.perS), cpuUs: a.cpuUs + b.cpuUs };
}

async function main(given: string | undefined): Promise<void> {
  // A rewrite of the file would fall into one kind's time or another's by chance.
  const server = given ? undefined : await RedisServer.start({ ...DURABLE, 'auto-aof-rewrite-percentage': 0 });
  try {
    const bench = await benchRedis(given ?? server!.url);
    const line = (name: string, figure: Figure, base: Figure) => {
      const [rate, cpu] = [figure.perS / base.perS, base.cpuUs / figure.cpuUs];
      const absolute = `${(figure.perS / 1_000).toFixed(1)}k/s ${figure.cpuUs.toFixed(2)} µs CPU`;
      console.log(`${name.padEnd(37)}${absolute.padEnd(26)}${rate.toFixed(2)} times, ${cpu.toFixed(2)} times by CPU`);
    };
    const { oneCommandPerPosition, plainWrites } = bench;
    line('one command per position', oneCommandPerPosition, oneCommandPerPosition);
    line('appended to the ingest log', bench.appended, oneCommandPerPosition);
    line('positions into tracks', bench.drained, oneCommandPerPosition);
    line('both at once', bench.both, oneCommandPerPosition);
    line('both, one after the other', inTurn(bench.appended, bench.drained), oneCommandPerPosition);
    line('into tracks, one for each of 50,000', bench.drainedSingly, oneCommandPerPosition);
    line("plain writes of a commit's bytes", plainWrites, plainWrites);
    line('commits', bench.commits, plainWrites);
  } finally {
    await server?.stop();
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await main(process.argv[2]);
