/**
 * `npm run bench`: the rows of the performance table as ratios within one run (alternating, median, warm-up excluded).
 * Prints a table, and one line of JSON with all figures; rows that another command prints are named with it.
 *
 *     npm run bench -- [--rows 1-9,12-14] [--rounds N] [--loads A,B,C] [--seconds S] [--connections N]
 */
import { cpus, loadavg, release } from 'node:os';
import { parseArgs } from 'node:util';
import { benchAssign } from './assign.js';
import { measureDecode, median, type DecodeFigures } from './decode.js';
import { benchIdle } from './idle.js';
import { runLoad, type Measured, type ServerKind } from './ingest.js';
import { loads } from './ingest-load.js';
import { benchDrain, benchGrowth, benchLatency } from './paced.js';
import type { Row } from './processes.js';

const { values: flags } = parseArgs({
  options: {
    rows: { type: 'string', default: '1-15' },
    rounds: { type: 'string', default: '3' },
    loads: { type: 'string', default: 'A,B,C' },
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string' },
  },
});
const rounds = Number(flags.rounds);
const forMs = Number(flags.seconds) * 1000;
const connections = flags.connections === undefined ? undefined : Number(flags.connections);
const asked = rowsAsked(flags.rows);
/** Rows with a command of their own: they need programs or a time that this run does not have. */
const elsewhere: Record<number, string> = {
  10: 'node --import tsx test/bench/mqtt.ts (Mosquitto installed)',
  11: 'node --import tsx test/bench/store-redis.ts (Redis installed)',
  15: 'npm run kill',
};
const wanted = loads.filter(({ name }) => flags.loads.split(',').includes(name));
const kinds: readonly ServerKind[] = ['raw', 'rawack', 'durable', 'off'];

type Medians = Record<ServerKind, Measured>;

const byLoad: Record<string, Medians> = {};
const rows: Row[] = [];
const figures: Record<string, unknown> = {};
const decode = [1, 2].some((row) => asked.has(row)) ? measureDecode(Math.max(3, rounds)) : undefined;
for (const load of [2, 3, 4, 5, 6].some((row) => asked.has(row)) ? wanted : []) {
  const runs: Record<ServerKind, Measured[]> = { raw: [], rawack: [], durable: [], off: [] };
  for (let round = 0; round < rounds; round++) {
    for (const kind of kinds) {
      const measured = await runLoad(kind, load, { forMs: Number(flags.seconds) * 1000 });
      runs[kind].push(measured);
      process.stderr.write(
        `${load.name} ${round + 1}/${rounds} ${kind}: ${Math.round(measured.framesPerS)} frames/s\n`,
      );
    }
  }
  byLoad[load.name] = Object.fromEntries(kinds.map((kind) => [kind, mediansOf(runs[kind])])) as Medians;
}
rows.push(...rowsOf(decode, byLoad).filter(({ row }) => asked.has(Number(row))));
await measure('drain', [7], () => benchDrain(rounds));
await measure('idle', [8, 9], () => benchIdle(rounds, connections));
await measure('latency', [12], () => benchLatency(rounds, forMs));
await measure('growth', [13], () => benchGrowth(rounds, forMs, connections));
await measure('assign', [14], () => benchAssign(rounds, connections));
report(rows);

async function measure(
  name: string,
  of: readonly number[],
  run: () => Promise<{ rows: Row[]; figures: unknown }>,
): Promise<void> {
  if (!of.some((row) => asked.has(row))) return;
  const result = await run();
  rows.push(...result.rows);
  figures[name] = result.figures;
}

/** `8,9` or `1-9,12`. */
function rowsAsked(text: string): Set<number> {
  const rows = new Set<number>();
  for (const part of text.split(',')) {
    const found = /^(\d+)(?:-(\d+))?$/.exec(part.trim());
    if (found === null) throw new Error(`--rows: expected numbers such as 8,9 or 1-9, found "${part}"`);
    for (let row = Number(found[1]); row <= Number(found[2] ?? found[1]); row++) rows.add(row);
  }
  return rows;
}

function mediansOf(runs: readonly Measured[]): Measured {
  const of = (key: keyof Measured): number => median(runs.map((run) => run[key]));
  return {
    framesPerS: of('framesPerS'),
    serverCpuUsPerFrame: of('serverCpuUsPerFrame'),
    clientCpuUsPerFrame: of('clientCpuUsPerFrame'),
    framesPerGroup: of('framesPerGroup'),
    appliedPerS: of('appliedPerS'),
  };
}

function rowsOf(decoded: DecodeFigures | undefined, medians: Record<string, Medians>): Row[] {
  const rows: Row[] = [];
  const add = (row: number, what: string, load: string, value: number, goal: number, atLeast: boolean): void => {
    const reached = atLeast ? value >= goal : value <= goal;
    rows.push({ row, what, load, value, goal: `${atLeast ? '≥' : '≤'} ${goal}`, reached });
  };
  if (decoded !== undefined)
    add(1, '0x0200 decode, frames/s: ours / ordinary style', '', decoded.oursPerS / decoded.ordinaryPerS, 8, true);
  const goals: Record<string, [number, number, number, number]> = {
    A: [0.28, 0.8, 1.4, 0.8],
    B: [0.8, 0.95, 1.2, 0.85],
    C: [0.25, 0.28, 4, 0.55],
  };
  for (const [load, { raw, rawack, durable, off }] of Object.entries(medians)) {
    const [vsRaw, vsAck, cpu, onOff] = goals[load]!;
    if (load === 'A' && decoded !== undefined)
      add(2, 'decode CPU / RAW CPU per frame', load, decoded.oursUsPerFrame / raw.serverCpuUsPerFrame, 0.12, false);
    add(3, 'durable end to end / RAW, frames/s', load, durable.framesPerS / raw.framesPerS, vsRaw, true);
    add(4, 'durable end to end / RAWACK, frames/s', load, durable.framesPerS / rawack.framesPerS, vsAck, true);
    add(
      5,
      'the same, server CPU per frame',
      load,
      durable.serverCpuUsPerFrame / rawack.serverCpuUsPerFrame,
      cpu,
      false,
    );
    add(6, 'durability on / off, frames/s', load, durable.framesPerS / off.framesPerS, onOff, true);
  }
  return rows.sort((a, b) => Number(a.row) - Number(b.row));
}

function report(rows: readonly Row[]): void {
  const machine = {
    node: process.version,
    kernel: release(),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    loadAverage: loadavg().map((value) => Math.round(value * 100) / 100),
  };
  for (const { row, what, load, value, goal, reached } of rows) {
    const name = `${what}${load === '' ? '' : `, load ${load}`}`;
    console.log(
      `${String(row).padStart(2)}  ${name.padEnd(52)} ${value.toFixed(3).padStart(8)}   ${goal.padEnd(7)} ${reached ? 'reached' : 'missed'}`,
    );
  }
  for (const [row, command] of Object.entries(elsewhere)) {
    if (asked.has(Number(row))) console.log(`${row.padStart(2)}  ${command}`);
  }
  console.log(JSON.stringify({ machine, rounds, decode, loads: byLoad, ...figures, rows }));
}
