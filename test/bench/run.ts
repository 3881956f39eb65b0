/**
 * `npm run bench`: decoding and the road from sockets to durable confirmation, as ratios within one run (alternating,
 * median, warm-up excluded). Prints a table, and one line of JSON with all figures. Other benchmarks stand beside it.
 *
 *     npm run bench -- [--rounds N] [--loads A,B,C] [--seconds S]
 */
import { cpus, loadavg, release } from 'node:os';
import { parseArgs } from 'node:util';
import { measureDecode, median, type DecodeFigures } from './decode.js';
import { runLoad, type Measured, type ServerKind } from './ingest.js';
import { loads } from './ingest-load.js';

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    loads: { type: 'string', default: 'A,B,C' },
    seconds: { type: 'string', default: '3' },
  },
});
const rounds = Number(flags.rounds);
const wanted = loads.filter(({ name }) => flags.loads.split(',').includes(name));
const kinds: readonly ServerKind[] = ['raw', 'rawack', 'durable', 'off'];

interface Row {
  row: number;
  what: string;
  load: string;
  value: number;
  goal: string;
  reached: boolean;
}

type Medians = Record<ServerKind, Measured>;

const byLoad: Record<string, Medians> = {};
const decode = measureDecode(Math.max(3, rounds));
for (const load of wanted) {
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
report(rowsOf(decode, byLoad));

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

function rowsOf(decoded: DecodeFigures, medians: Record<string, Medians>): Row[] {
  const rows: Row[] = [];
  const add = (row: number, what: string, load: string, value: number, goal: number, atLeast: boolean): void => {
    const reached = atLeast ? value >= goal : value <= goal;
    rows.push({ row, what, load, value, goal: `${atLeast ? '≥' : '≤'} ${goal}`, reached });
  };
  add(1, '0x0200 decode, frames/s: ours / ordinary style', '', decoded.oursPerS / decoded.ordinaryPerS, 8, true);
  const goals: Record<string, [number, number, number, number]> = {
    A: [0.28, 0.8, 1.4, 0.8],
    B: [0.8, 0.95, 1.2, 0.85],
    C: [0.25, 0.28, 4, 0.55],
  };
  for (const [load, { raw, rawack, durable, off }] of Object.entries(medians)) {
    const [vsRaw, vsAck, cpu, onOff] = goals[load]!;
    if (load === 'A')
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
  return rows.sort((a, b) => a.row - b.row);
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
  console.log(JSON.stringify({ machine, rounds, decode, loads: byLoad, rows }));
}
