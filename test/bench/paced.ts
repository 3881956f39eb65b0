/**
 * Rows 7, 12 and 13: how fast positions of the log become tracks, beside the durable rate; with the ingest server at a
 * fixed pace, the delay of confirmations at half of the largest rate, beside one append + fdatasync, and CPU for a frame
 * with 50,000 vehicles known and 10,000 connected, beside 100.
 */
import type { ChildProcess } from 'node:child_process';
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../../dispatch/store/open.js';
import { median } from './decode.js';
import { runLoad } from './ingest.js';
import { frameBytes, loads, type Mark } from './ingest-load.js';
import { benchStore } from './store.js';
import { ask, heard, quantiles, rowOf, start, stop, type Quantiles, type Row } from './processes.js';

type Figures = { rows: Row[]; figures: unknown };
const loadA = loads.find(({ name }) => name === 'A')!;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function mark(server: ChildProcess): Promise<Mark> {
  return (await ask<{ mark: Mark }>(server, 'mark')).mark;
}

/** Positions a second into tracks and last positions, in the batches of a reader that has fallen behind. */
async function drainRate(): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'linecrew-bench-'));
  const store = await openStore(`lmdb:${directory}`);
  try {
    return (await benchStore(store)).drainedPerS;
  } finally {
    await store.close();
    rmSync(directory, { recursive: true });
  }
}

/** Row 7. */
export async function benchDrain(rounds: number): Promise<Figures> {
  const runs: { drainedPerS: number; durablePerS: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    const durablePerS = (await runLoad('durable', loadA)).framesPerS;
    const run = { drainedPerS: await drainRate(), durablePerS };
    runs.push(run);
    process.stderr.write(`drain ${round + 1}/${rounds}: ${JSON.stringify(run)}\n`);
  }
  const value = median(runs.map(({ drainedPerS, durablePerS }) => drainedPerS / durablePerS));
  const what = 'positions into tracks / durable ingest rate';
  return { rows: [{ row: 7, what, load: 'A', value, goal: '≥ 1.5', reached: value >= 1.5 }], figures: runs };
}

/** One append of a group's worth and fdatasync of a file, ms. */
function appendDelays(): Quantiles {
  const directory = mkdtempSync(join(tmpdir(), 'linecrew-bench-'));
  const fd = openSync(join(directory, 'log'), 'w');
  try {
    const group = Buffer.alloc(frameBytes * 200, 7);
    const spent: number[] = [];
    for (let i = 0; i < 1_000; i++) {
      const from = performance.now();
      writeSync(fd, group);
      fdatasyncSync(fd);
      if (i >= 100) spent.push(performance.now() - from);
    }
    return quantiles(spent);
  } finally {
    closeSync(fd);
    rmSync(directory, { recursive: true });
  }
}

interface Paced {
  delays: Quantiles & { p999: number };
  serverCpuUsPerFrame: number;
}

/** @param known vehicles on file */
async function paced(known: number, connections: number, framesPerS: number, forMs: number): Promise<Paced> {
  const server = start('./ingest-server.ts', ['durable', known]);
  let client: ChildProcess | undefined;
  try {
    const { port } = await heard<{ port: number }>(server);
    client = start('./paced-client.ts', [port, connections, Math.round(framesPerS)]);
    await heard(client);
    client.send('go');
    // Until each terminal has sent a few times: the first location of a vehicle causes more than the next.
    await pause(4_000 + (3_000 * connections) / framesPerS);
    client.send('forget');
    const before = await mark(server);
    await pause(forMs);
    const after = await mark(server);
    const delays = await ask<Paced['delays']>(client, 'delays');
    return { delays, serverCpuUsPerFrame: ((after.cpuMs - before.cpuMs) * 1000) / (after.frames - before.frames) };
  } finally {
    await stop(client);
    await stop(server);
  }
}

/** Row 12. */
export async function benchLatency(rounds: number, forMs: number): Promise<Figures> {
  const runs: { append: Quantiles; confirm: Paced['delays']; framesPerS: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    const framesPerS = (await runLoad('durable', loadA)).framesPerS / 2;
    const append = appendDelays();
    const { delays } = await paced(loadA.connections, loadA.connections, framesPerS, forMs);
    const run = { append, confirm: delays, framesPerS };
    runs.push(run);
    process.stderr.write(`latency ${round + 1}/${rounds}: ${JSON.stringify(run)}\n`);
  }
  const ratio = (key: 'p50' | 'p99'): number => median(runs.map(({ confirm, append }) => confirm[key] / append[key]));
  return {
    rows: [
      rowOf(12, 'confirmation at half load, p50 / append + fdatasync', 'A', ratio('p50'), 6),
      rowOf(12, 'confirmation at half load, p99 / append + fdatasync', 'A', ratio('p99'), 40),
    ],
    figures: runs,
  };
}

/** Row 13. @param connections of the large fleet: each needs a file in both processes */
export async function benchGrowth(rounds: number, forMs: number, connections = 10_000): Promise<Figures> {
  const framesPerS = 5_000;
  const runs: { small: Paced; large: Paced }[] = [];
  for (let round = 0; round < rounds; round++) {
    const small = await paced(100, 100, framesPerS, forMs);
    const large = await paced(50_000, connections, framesPerS, forMs);
    runs.push({ small, large });
    process.stderr.write(`growth ${round + 1}/${rounds}: ${JSON.stringify(runs.at(-1))}\n`);
  }
  const value = median(runs.map(({ small, large }) => large.serverCpuUsPerFrame / small.serverCpuUsPerFrame));
  const load = `${connections} connections`;
  return { rows: [rowOf(13, 'CPU per frame, 50,000 known / 100 known', load, value, 1.3)], figures: runs };
}
