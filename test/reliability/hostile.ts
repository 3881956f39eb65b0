/**
 * `npm run hostile -- [--terminals 1000] [--seconds 10] [--only NAME,…] [--scale 1] [--json]`: how long honest terminals
 * wait for their confirmation while the gateway is attacked. Control of each row: the same terminals at the same gateway
 * while the same attack hits a bare server that only reads. Gateway and bare server run on processor 0, attackers and
 * terminals on processor 1 (`taskset`). Beside it stands what the attack costs the gateway in processor time, which other
 * work on the machine changes less than a latency: above what the honest terminals cost, and against the bare server.
 */
import { fork, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { AttackOrder } from './attack-child.js';
import { ATTACKS, type Attack, type Target } from './attacks.js';
import { GatewayProcess } from './gateway-process.js';
import { HonestFleet, type Window } from './honest.js';

const { values } = parseArgs({
  options: {
    terminals: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '10' },
    scale: { type: 'string', default: '1' },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const terminals = Number(values.terminals);
const ms = Number(values.seconds) * 1000;
const scale = Number(values.scale);
const attacks = ATTACKS.filter(({ name }) => values.only === undefined || values.only.split(',').includes(name));
if (!(terminals > 0 && ms > 0 && scale > 0) || attacks.length === 0) {
  process.stderr.write(`usage: npm run hostile -- [--terminals N] [--seconds S] [--scale F] [--only ${ATTACKS.map(({ name }) => name).join(',')}]\n`); // prettier-ignore
  process.exit(2);
}
/** One location of each terminal in this time. */
const INTERVAL_MS = 1_000;
const INSIDERS = 20;
/** An attack runs this long before latencies count, ms. */
const LEAD_MS = 1_000;
const SERVER_CPU = 0;
const CLIENT_CPU = 1;

interface Row {
  attack: string;
  control: Window;
  attacked: Window;
  ratio: number;
  /** Processor time of the gateway above that of the control, and of the bare server, ms for each second of attack. */
  cpuMsPerS: number;
  bareCpuMsPerS: number;
  /** The gateway's, for each of the attacker's connections, ms. */
  cpuMsPerConnection: number;
  /** Connections of the attacker: opened, and ended or refused by the gateway. */
  opened: number;
  ended: number;
  rssMb: number;
}

const directory = mkdtempSync(join(tmpdir(), 'linecrew-hostile-'));
pin(process.pid, CLIENT_CPU);
const gateway = await GatewayProcess.start(directory, { cpu: SERVER_CPU, env: { LINECREW_MQTT_PORT: '0', LINECREW_MQTT_HOST: '127.0.0.1' } }); // prettier-ignore
const bare = child('./bare-server.ts');
pin(bare.pid!, SERVER_CPU);
const [barePort] = (await once(bare, 'message')) as [number];
const attacker = child('./attack-child.ts');
pin(attacker.pid!, CLIENT_CPU);
await once(attacker, 'message');
const insiders = Array.from({ length: INSIDERS }, (_, i) => `136${String(i).padStart(8, '0')}`);
const victims = Array.from({ length: terminals }, (_, i) => HonestFleet.phoneOf(i));
const rows: Row[] = [];
try {
  say(`putting ${terminals} vehicles on file`);
  for (const phone of [...insiders, ...victims]) await gateway.addVehicle(phone, phone);
  const fleet = await HonestFleet.open(gateway.ports.tcp, terminals);
  fleet.start(INTERVAL_MS);
  await pause(Math.max(3_000, ms / 2));
  for (const attack of attacks) {
    const row = await measure(attack, fleet);
    rows.push(row);
    say(`${row.attack}: p99 ${row.attacked.p99Ms.toFixed(1)} ms, control ${row.control.p99Ms.toFixed(1)} ms`);
  }
  await fleet.stop();
} finally {
  attacker.disconnect();
  bare.disconnect();
  await gateway.stop();
  rmSync(directory, { recursive: true, force: true });
}
report();

/** The control comes right before the attack, so that a machine that slows down by itself changes both alike. */
async function measure(attack: Attack, fleet: HonestFleet): Promise<Row> {
  const doors = { tcp: gateway.ports.tcp, mqtt: gateway.ports.mqtt!, http: gateway.ports.http };
  const at = (port: number, isBare: boolean): Target => ({ host: '127.0.0.1', port, bare: isBare, insiders, victims });
  const controlled = await under(attack, at(barePort, true), fleet);
  const attacked = await under(attack, at(doors[attack.door], false), fleet);
  const { window: control } = controlled;
  const { window, opened, ended } = attacked;
  const rss = (await gateway.metrics()).get('linecrew_process_resident_memory_bytes') ?? NaN;
  const cpuMs = attacked.gatewayMs - controlled.gatewayMs;
  const seconds = (ms + LEAD_MS) / 1000;
  return {
    attack: attack.name,
    control,
    attacked: window,
    ratio: window.p99Ms / control.p99Ms,
    cpuMsPerS: cpuMs / seconds,
    bareCpuMsPerS: (controlled.bareMs - attacked.bareMs) / seconds,
    cpuMsPerConnection: cpuMs / opened,
    opened,
    ended,
    rssMb: Math.round(rss / 2 ** 20),
  };
}

interface Under {
  window: Window;
  opened: number;
  ended: number;
  /** Processor time from the first byte of the attack to its end, ms. */
  gatewayMs: number;
  bareMs: number;
}

async function under(attack: Attack, target: Target, fleet: HonestFleet): Promise<Under> {
  const before = await cpu();
  attacker.send({ start: attack.name, target, scale } satisfies AttackOrder);
  await pause(LEAD_MS);
  fleet.window();
  await pause(ms);
  const window = fleet.window();
  const after = await cpu();
  attacker.send({ stop: true } satisfies AttackOrder);
  const [counts] = (await once(attacker, 'message')) as [{ opened: number; ended: number }];
  // What the attack left behind ends before the next row begins.
  await pause(1_500);
  return { window, ...counts, gatewayMs: after.gatewayMs - before.gatewayMs, bareMs: after.bareMs - before.bareMs };
}

/** Processor time so far, ms. */
async function cpu(): Promise<{ gatewayMs: number; bareMs: number }> {
  const gatewayMs = ((await gateway.metrics()).get('linecrew_process_cpu_seconds_total') ?? NaN) * 1000;
  const answer = once(bare, 'message') as Promise<[number]>;
  bare.send('cpu');
  return { gatewayMs, bareMs: (await answer)[0] };
}

function child(name: string): ChildProcess {
  return fork(fileURLToPath(new URL(name, import.meta.url)), [], { execArgv: ['--import', 'tsx'] });
}

function pin(pid: number, cpu: number): void {
  const { status } = spawnSync('taskset', ['-acp', String(cpu), String(pid)], { stdio: 'ignore' });
  if (status !== 0) say(`processor ${cpu} could not be set for process ${pid}: figures are of an unpinned run`);
}

function report(): void {
  if (values.json) return void process.stdout.write(JSON.stringify({ terminals, seconds: ms / 1000, scale, load: loadavg(), rows }) + '\n'); // prettier-ignore
  const one = (window: Window): string => `${window.p50Ms.toFixed(1)} / ${window.p99Ms.toFixed(1)}`;
  const lines = rows.map(
    ({ attack, control, attacked, ratio, cpuMsPerS, bareCpuMsPerS, cpuMsPerConnection, opened, ended, rssMb }) =>
      `| ${attack} | ${one(control)} | ${one(attacked)} | ${ratio.toFixed(2)} | ${cpuMsPerS.toFixed(0)} / ${bareCpuMsPerS.toFixed(0)} | ` +
      `${cpuMsPerConnection.toFixed(2)} | ${attacked.lost} | ${opened} / ${ended} | ${rssMb} |`,
  );
  process.stdout.write(
    '| attack | control p50 / p99, ms | attacked p50 / p99, ms | ratio of p99 | CPU for the attack, gateway / bare server, ms per s | per hostile connection, ms | honest connections lost | attacker’s connections: opened / ended | gateway RSS, MiB |\n' +
      '|---|---|---|---|---|---|---|---|---|\n' +
      lines.join('\n') +
      '\n',
  );
}

function say(words: string): void {
  process.stderr.write(`${words}\n`);
}
