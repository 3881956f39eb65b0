/**
 * The dispatch store on Redis against plain commands on the same server in the same run: one command per position, and
 * pipelined writes of the same bytes. Positions are as many under way at once as with the loads A and B of
 * ingest-load.ts, on both sides; the store gets them in groups, as the gate makes them: what arrives while one group is
 * written goes into the next. Starts a private server (`appendfsync always`) unless a URL is given:
 * `npx tsx test/bench/store-redis.ts [redis URL]`.
 */
import { pathToFileURL } from 'node:url';
import { Redis } from 'ioredis';
import { openStore } from '../../dispatch/store/open.js';
import { PositionBatch } from '../../dispatch/store/position-batch.js';
import type { DispatchStore } from '../../dispatch/store/store.js';
import { DURABLE, RedisServer } from '../support/redis.js';

const FRAME = Buffer.alloc(55, 7);
const VEHICLES = 1_000;
const ROWS = 50_000;
/** Batches of a measurement: what each kind does takes a good part of a second. */
const BATCHES = 8;
/** Positions under way at once. */
const IN_FLIGHT = { A: 1_000, B: 8_000 };
/** Groups under way at once, and frames of each, with load A; with load B one group is written while the next fills. */
const GROUPS = { A: { atOnce: 2, frames: 1_000 }, B: { atOnce: 1, frames: IN_FLIGHT.B / 2 } };
type Load = keyof typeof GROUPS;
/** A page of the reader's, bytes. */
const PAGE_BYTES = 512 * 1024;
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
  'oneCommandA',
  'oneCommandB',
  'appendedA',
  'appendedB',
  'drained',
  'bothA',
  'bothB',
  'roadB',
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
        oneCommandA: await measure(ROWS, () => oneCommandEach(plain, 'A')),
        oneCommandB: await measure(ROWS, () => oneCommandEach(plain, 'B')),
        appendedA: await measure(ROWS * BATCHES, () => append(store, 'A')),
        appendedB: await measure(ROWS * BATCHES, () => append(store, 'B')),
        drained: await measured(VEHICLES, (batches) => drain(store, batches)),
        bothA: await measured(VEHICLES, (batches) => both(append(store, 'A'), drain(store, batches))),
        bothB: await measured(VEHICLES, (batches) => both(append(store, 'B'), drain(store, batches))),
        roadB: await measured(VEHICLES, (batches) => road(store, batches)),
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

function oneCommandEach(plain: Redis, load: Load): Promise<void> {
  return inFlight(ROWS, IN_FLIGHT[load], (i) => plain.xadd(`plain:${i % VEHICLES}`, '*', 'f', FRAME));
}

/** As many reports into the ingest log as a measurement has positions. */
function append(store: DispatchStore, load: Load): Promise<void> {
  const { atOnce, frames } = GROUPS[load];
  const group = Buffer.alloc(FRAME.length * frames, 7);
  return inFlight((ROWS * BATCHES) / frames, atOnce, () => store.appendIngest('bench', group));
}

async function both(append: Promise<void>, drain: Promise<void>): Promise<void> {
  await Promise.all([append, drain]);
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

/** The whole road: what is appended is read from the log, as much as a batch holds, before the batch is applied. */
async function road(store: DispatchStore, batches: readonly PositionBatch[]): Promise<void> {
  const group = Buffer.alloc(FRAME.length * GROUPS.B.frames, 7);
  const page = Math.max(1, Math.floor(PAGE_BYTES / group.length));
  let { appended } = await store.ingestState('bench');
  let read = appended;
  let wake = () => {};
  const appending = inFlight((ROWS * BATCHES) / GROUPS.B.frames, GROUPS.B.atOnce, async () => {
    appended = await store.appendIngest('bench', group);
    wake();
  });
  let bytes = 0;
  for (const [i, batch] of batches.entries()) {
    while (bytes < (i + 1) * ROWS * FRAME.length) {
      if (read >= appended) await new Promise<void>((resolve) => (wake = resolve));
      for (const { sequence, group } of await store.readIngest('bench', read, page)) {
        read = sequence;
        bytes += group.length;
      }
    }
    await drain(store, [batch]);
  }
  await appending;
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
      console.log(`${name.padEnd(40)}${absolute.padEnd(26)}${rate.toFixed(2)} times, ${cpu.toFixed(2)} times by CPU`);
    };
    const { oneCommandA, oneCommandB, plainWrites } = bench;
    line('A: one command per position', oneCommandA, oneCommandA);
    line('A: appended to the ingest log', bench.appendedA, oneCommandA);
    line('A: positions into tracks', bench.drained, oneCommandA);
    line('A: both at once', bench.bothA, oneCommandA);
    line('A: both, one after the other', inTurn(bench.appendedA, bench.drained), oneCommandA);
    line('A: into tracks, one for each of 50,000', bench.drainedSingly, oneCommandA);
    line('B: one command per position', oneCommandB, oneCommandB);
    line('B: appended to the ingest log', bench.appendedB, oneCommandB);
    line('B: positions into tracks', bench.drained, oneCommandB);
    line('B: both at once', bench.bothB, oneCommandB);
    line('B: the whole road, with reading the log', bench.roadB, oneCommandB);
    line("plain writes of a commit's bytes", plainWrites, plainWrites);
    line('commits', bench.commits, plainWrites);
  } finally {
    await server?.stop();
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await main(process.argv[2]);
