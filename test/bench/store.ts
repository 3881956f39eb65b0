/**
 * The dispatch store alone: durable appends, latency against a bare append + fdatasync, and how fast positions become
 * tracks. Run by itself with `npx tsx test/bench/store.ts [store URL]`; figures of one run may be compared, no others.
 */
import { fdatasync, mkdtempSync, openSync, closeSync, rmSync, write } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { openStore } from '../../dispatch/store/open.js';
import { PositionBatch } from '../../dispatch/store/position-batch.js';
import type { DispatchStore } from '../../dispatch/store/store.js';

/** A 0x0200 with the usual additional items, and what one group commit holds at load A. */
const FRAME_BYTES = 55;
const FRAMES_PER_GROUP = 200;
const VEHICLES = 1_000;
const ROWS = 100_000;
const START = Date.UTC(2024, 5, 1);

export interface StoreBench {
  /** One append + fdatasync of a file, ms. */
  file: Latency;
  /** One group appended and flushed by the store, alone, ms. */
  append: Latency;
  /** Frames per second appended with a few groups under way. */
  appendedPerS: number;
  /** Positions per second into tracks, last positions and the applied position. */
  drainedPerS: number;
  /** The same where every batch falls between what is there already (late reports). */
  drainedLatePerS: number;
}

interface Latency {
  p50: number;
  p99: number;
}

/** Runs all of it on an empty store. */
export async function benchStore(store: DispatchStore): Promise<StoreBench> {
  const group = Buffer.alloc(FRAME_BYTES * FRAMES_PER_GROUP, 7);
  const directory = mkdtempSync(join(tmpdir(), 'linecrew-bench-'));
  const fd = openSync(join(directory, 'log'), 'w');
  try {
    const writeFile = promisify(write) as (fd: number, bytes: Buffer) => Promise<unknown>;
    const appendToFile = async () => {
      await writeFile(fd, group);
      await promisify(fdatasync)(fd);
    };
    const appendToStore = () => store.appendIngest('bench', group);
    // Alternating, so that both meet the same disk.
    const file: number[] = [];
    const append: number[] = [];
    for (let i = 0; i < 1_000; i++) {
      file.push(await timed(appendToFile));
      append.push(await timed(appendToStore));
    }
    return {
      file: latency(file),
      append: latency(append),
      appendedPerS: await appendRate(store, group),
      ...(await drainRates(store)),
    };
  } finally {
    closeSync(fd);
    rmSync(directory, { recursive: true });
  }
}

async function appendRate(store: DispatchStore, group: Buffer): Promise<number> {
  const groups = 4_000;
  const began = performance.now();
  let left = groups;
  const append = async () => {
    while (left-- > 0) await store.appendIngest('bench', group);
  };
  await Promise.all([append(), append(), append(), append()]);
  return rate(groups * FRAMES_PER_GROUP, began);
}

async function drainRates(store: DispatchStore) {
  const batches = 4;
  const spentOnTime: number[] = [];
  const spentLate: number[] = [];
  for (let i = 0; i < batches; i++) {
    spentOnTime.push(await timed(() => drain(store, drive(START + i * 100_000, i * 100))));
    // Between the seconds of what was just stored: every block must be merged, not only continued.
    spentLate.push(await timed(() => drain(store, drive(START + i * 100_000 + 500, i * 100))));
  }
  return {
    drainedPerS: (ROWS / median(spentOnTime.slice(1))) * 1_000,
    drainedLatePerS: (ROWS / median(spentLate.slice(1))) * 1_000,
  };
}

let sequence = 0;

async function drain(store: DispatchStore, positions: PositionBatch): Promise<void> {
  const result = await store.commit({ applied: { node: 'bench', sequence: ++sequence }, positions });
  if (!result.ok) throw new Error(`refused: ${JSON.stringify(result)}`);
}

/** 100 reports, a second apart, of each vehicle, in order of arrival. */
function drive(from: number, step: number): PositionBatch {
  const batch = new PositionBatch(ROWS);
  for (let i = 0; i < ROWS; i++) {
    const vehicle = i % VEHICLES;
    const second = Math.floor(i / VEHICLES);
    const at = from + second * 1_000;
    const s = step + second;
    const speed = 300 + ((s * 7 + vehicle) % 100);
    batch.add(`truck-${vehicle}`, at, at + 200 + (i % 90), 31e6 + s * 80, 121e6 - s * 60, 12, speed, s % 360, 0, 3, s);
  }
  return batch;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function rate(count: number, began: number): number {
  return (count / (performance.now() - began)) * 1_000;
}

function latency(spent: number[]): Latency {
  // The first tenth warms up.
  const sorted = spent.slice(spent.length / 10).sort((a, b) => a - b);
  return { p50: sorted[Math.floor(sorted.length * 0.5)]!, p99: sorted[Math.floor(sorted.length * 0.99)]! };
}

function median(numbers: number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
}

async function main(url: string | undefined): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'linecrew-bench-'));
  const store = await openStore(url ?? `lmdb:${join(directory, 'store')}`);
  try {
    const bench = await benchStore(store);
    const ms = (value: number) => `${value.toFixed(2)} ms`;
    const perS = (value: number) => `${Math.round(value / 1_000)}k/s`;
    console.log(`append + fdatasync of a file     p50 ${ms(bench.file.p50)}  p99 ${ms(bench.file.p99)}`);
    console.log(`group appended and flushed       p50 ${ms(bench.append.p50)}  p99 ${ms(bench.append.p99)}`);
    console.log(
      `  ratio                          p50 ${(bench.append.p50 / bench.file.p50).toFixed(2)}  ` +
        `p99 ${(bench.append.p99 / bench.file.p99).toFixed(2)}`,
    );
    console.log(`frames appended (${FRAMES_PER_GROUP} a group)     ${perS(bench.appendedPerS)}`);
    console.log(`positions into tracks, on time   ${perS(bench.drainedPerS)}`);
    console.log(`positions into tracks, late      ${perS(bench.drainedLatePerS)}`);
  } finally {
    await store.close();
    rmSync(directory, { recursive: true });
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await main(process.argv[2]);
