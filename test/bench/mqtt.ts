/**
 * Row 10: QoS 1 with durable PUBACK through the embedded broker, beside bare aedes and beside Mosquitto with its
 * persistence on, in one run (alternating, median, warm-up excluded). Messages a second depend on what else the machine
 * does; the server's CPU time per message hardly does, so both are printed.
 *
 *     node --import tsx test/bench/mqtt.ts [--rounds N] [--seconds S] [--connections N] [--in-flight N]
 */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findProgram } from '../support/system.js';
import { MqttLoad } from './mqtt-load.js';

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '100' },
    'in-flight': { type: 'string', default: '8' },
  },
});
const WARM_MS = 1_500;

interface Server {
  port: number;
  /** CPU time that the server has used so far, µs. */
  cpuUs(): Promise<number>;
  stop(): Promise<void>;
}

async function forked(kind: 'bare' | 'product'): Promise<Server> {
  const script = fileURLToPath(new URL('./mqtt-server.ts', import.meta.url));
  const child: ChildProcess = fork(script, [kind, flags.connections], { execArgv: ['--import', 'tsx'] });
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return {
    port,
    async cpuUs() {
      const answer = once(child, 'message');
      child.send('mark');
      return ((await answer) as [{ cpuUs: number }])[0].cpuUs;
    },
    async stop() {
      const exited = once(child, 'exit');
      child.send('stop');
      await exited;
    },
  };
}

async function mosquitto(): Promise<Server> {
  const directory = mkdtempSync(join(tmpdir(), 'linecrew-bench-mosquitto-'));
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  const file = join(directory, 'mosquitto.conf');
  const lines = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'persistence true',
    `persistence_location ${directory}/`,
  ];
  writeFileSync(file, `${lines.join('\n')}\nautosave_interval 1\n${process.getuid?.() === 0 ? 'user root\n' : ''}`);
  const child = spawn(findProgram('mosquitto')!, ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  for await (const chunk of child.stderr) if (String(chunk).includes('running')) break;
  child.stderr.resume();
  return {
    port,
    cpuUs: async () => cpuUsOf(child.pid!),
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** User and system time of a process, from fields 14 and 15 of proc(5) `stat`, in ticks of 10 ms. */
function cpuUsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

interface Measured {
  messagesPerS: number;
  cpuUsPerMessage: number;
}

async function measure(start: () => Promise<Server>): Promise<Measured> {
  const server = await start();
  const load = new MqttLoad();
  try {
    await load.connect(server.port, Number(flags.connections));
    load.start(Number(flags['in-flight']));
    await new Promise((resolve) => setTimeout(resolve, WARM_MS));
    const cpuBefore = await server.cpuUs();
    const before = load.acknowledged;
    const startedAt = performance.now();
    await new Promise((resolve) => setTimeout(resolve, Number(flags.seconds) * 1000));
    const messages = load.acknowledged - before;
    const elapsedMs = performance.now() - startedAt;
    const cpuUs = (await server.cpuUs()) - cpuBefore;
    return { messagesPerS: (messages / elapsedMs) * 1000, cpuUsPerMessage: cpuUs / messages };
  } finally {
    load.stop();
    await server.stop();
  }
}

const kinds = { product: () => forked('product'), bare: () => forked('bare'), mosquitto };
const runs: Record<keyof typeof kinds, Measured[]> = { product: [], bare: [], mosquitto: [] };
for (let round = 0; round < Number(flags.rounds); round++) {
  for (const [kind, start] of Object.entries(kinds) as [keyof typeof kinds, () => Promise<Server>][]) {
    const measured = await measure(start);
    runs[kind].push(measured);
    const { messagesPerS, cpuUsPerMessage } = measured;
    const what = `${Math.round(messagesPerS)} messages/s, ${cpuUsPerMessage.toFixed(2)} µs CPU each`;
    process.stderr.write(`${round + 1}/${flags.rounds} ${kind}: ${what}\n`);
  }
}
const median = (of: number[]): number => of.sort((a, b) => a - b)[of.length >> 1]!;
const rate = (kind: keyof typeof kinds): number => median(runs[kind].map(({ messagesPerS }) => messagesPerS));
const cpu = (kind: keyof typeof kinds): number => median(runs[kind].map(({ cpuUsPerMessage }) => cpuUsPerMessage));
const [product, bare, other] = [rate('product'), rate('bare'), rate('mosquitto')];
const ratio = product / bare;
const cpuRatio = cpu('product') / cpu('bare');
console.log(
  `row 10  durable PUBACK / bare aedes: ${ratio.toFixed(2)} (goal >= 0.70: ${ratio >= 0.7 ? 'reached' : 'missed'})`,
);
console.log(`        durable PUBACK / Mosquitto with persistence: ${(product / other).toFixed(2)}`);
console.log(
  `        server CPU per message: / bare aedes ${cpuRatio.toFixed(2)}, / Mosquitto ${(cpu('product') / cpu('mosquitto')).toFixed(2)}`,
);
const cpuUsPerMessage = { product: cpu('product'), bare: cpu('bare'), mosquitto: cpu('mosquitto') };
const messagesPerS = { product, bare, mosquitto: other };
console.log(JSON.stringify({ row: 10, ratio, cpuRatio, messagesPerS, cpuUsPerMessage, ...flags }));
