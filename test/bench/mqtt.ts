/**
 * Row 10: QoS 1 with durable PUBACK through the embedded broker, beside bare aedes and beside Mosquitto with its
 * persistence on, in one run (alternating, median, warm-up excluded).
 *
 *     node --import tsx test/bench/mqtt.ts [--rounds N] [--seconds S] [--connections N] [--in-flight N]
 */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
  stop(): Promise<void>;
}

async function forked(kind: 'bare' | 'product'): Promise<Server> {
  const script = fileURLToPath(new URL('./mqtt-server.ts', import.meta.url));
  const child: ChildProcess = fork(script, [kind, flags.connections], { execArgv: ['--import', 'tsx'] });
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return {
    port,
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
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function messagesPerS(start: () => Promise<Server>): Promise<number> {
  const server = await start();
  const load = new MqttLoad();
  try {
    await load.connect(server.port, Number(flags.connections));
    load.start(Number(flags['in-flight']));
    await new Promise((resolve) => setTimeout(resolve, WARM_MS));
    const before = load.acknowledged;
    const startedAt = performance.now();
    await new Promise((resolve) => setTimeout(resolve, Number(flags.seconds) * 1000));
    return ((load.acknowledged - before) / (performance.now() - startedAt)) * 1000;
  } finally {
    load.stop();
    await server.stop();
  }
}

const kinds = { product: () => forked('product'), bare: () => forked('bare'), mosquitto };
const runs: Record<string, number[]> = { product: [], bare: [], mosquitto: [] };
for (let round = 0; round < Number(flags.rounds); round++) {
  for (const [kind, start] of Object.entries(kinds)) {
    const rate = await messagesPerS(start);
    runs[kind]!.push(rate);
    process.stderr.write(`${round + 1}/${flags.rounds} ${kind}: ${Math.round(rate)} messages/s\n`);
  }
}
const median = (of: number[]): number => of.sort((a, b) => a - b)[of.length >> 1]!;
const [product, bare, other] = [median(runs['product']!), median(runs['bare']!), median(runs['mosquitto']!)];
const ratio = product / bare;
console.log(
  `row 10  durable PUBACK / bare aedes: ${ratio.toFixed(2)} (goal >= 0.70: ${ratio >= 0.7 ? 'reached' : 'missed'})`,
);
console.log(`        durable PUBACK / Mosquitto with persistence: ${(product / other).toFixed(2)}`);
console.log(JSON.stringify({ row: 10, ratio, messagesPerS: { product, bare, mosquitto: other }, ...flags }));
