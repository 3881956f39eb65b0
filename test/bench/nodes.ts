/**
 * `tsx test/bench/nodes.ts [--rounds N] [--seconds S]`: confirmed locations a second of 1, 2 and 3 gateways on one Redis
 * with `appendfsync always`, the same number of terminals spread over them; ratios within one run, rounds alternating.
 * All of it shares one machine, so the table says how many cores there are and what each part used.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { Nodes } from '../e2e/nodes-support.js';
import { Answers, authentication, registration } from '../gateway/support/frames.js';
import { RedisServer } from '../support/redis.js';
import { median } from './decode.js';
import { locationFrame, phoneOf } from './ingest-load.js';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '2' }, seconds: { type: 'string', default: '4' } },
});
const rounds = Number(values.rounds);
const forMs = Number(values.seconds) * 1000;
const COUNTS = [1, 2, 3] as const;
const TERMINALS = 120;
/** In flight of each terminal: enough that nobody waits for the disk alone. */
const PER_WRITE = 100;
/** Of each node, before counting begins: until all is compiled, however slow the machine. */
const WARM_UP_LOCATIONS = 150_000;
const WARM_UP_MOST_MS = 60_000;

async function login(port: number, index: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => {});
  await once(socket, 'connect');
  const form = { phone: phoneOf(index), edition: 2013 } as const;
  const answers = new Answers();
  const heard = (chunk: Buffer): void => answers.push(chunk);
  socket.on('data', heard);
  socket.write(registration(form, 1));
  while (answers.of(0x8100).length === 0) await once(socket, 'data');
  socket.write(authentication(form, 2, answers.of(0x8100)[0]!.body.subarray(3).toString('latin1')));
  while (answers.of(0x8001).length === 0) await once(socket, 'data');
  socket.off('data', heard);
  return socket;
}

/** Writes the next frames whenever all of the last are answered. @returns answers so far */
function drive(socket: Socket, index: number): () => number {
  const beginning = Math.floor(Date.now() / 1000) * 1000 - 86_400_000;
  let sent = 0;
  let flags = 0;
  const next = (): void => {
    const frames = Array.from({ length: PER_WRITE }, () => locationFrame(index, sent, beginning + sent++ * 1000));
    socket.write(Buffer.concat(frames));
  };
  socket.on('data', (chunk: Buffer) => {
    for (let at = chunk.indexOf(0x7e); at >= 0; at = chunk.indexOf(0x7e, at + 1)) flags++;
    if (flags / 2 >= sent) next();
  });
  next();
  return () => Math.floor(flags / 2);
}

/** @param perNode for each node, the counters of its terminals */
async function warmUp(perNode: readonly (readonly (() => number)[])[]): Promise<void> {
  const until = performance.now() + WARM_UP_MOST_MS;
  while (perNode.some((counters) => sum(counters) < WARM_UP_LOCATIONS)) {
    if (performance.now() > until) throw new Error(`the nodes did not warm up within ${WARM_UP_MOST_MS} ms`);
    await pause(100);
  }
}

const sum = (counters: readonly (() => number)[]): number => counters.reduce((all, answers) => all + answers(), 0);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Measured {
  perS: number;
  /** CPU of all gateways, and of Redis, for one location, µs. Steadier than a rate where others use the machine too. */
  gatewayUs: number;
  redisUs: number;
}

/** CPU time of a process so far, ms (proc(5): fields 14 and 15 in ticks of 10 ms). */
function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function redisCpuMs(redis: RedisServer): Promise<number> {
  const info = String(await redis.command('INFO', 'cpu'));
  const of = (name: string): number => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)![1]) * 1000;
  return of('used_cpu_user') + of('used_cpu_sys');
}

async function measure(count: number): Promise<Measured> {
  const redis = await RedisServer.start();
  const names = Array.from({ length: count }, (_, i) => `n${i + 1}`);
  const nodes = await Nodes.start(names, {
    LINECREW_STORE: redis.url,
    LINECREW_ENROLMENT: 'open',
    LINECREW_LOG_LEVEL: 'error',
  });
  const sockets: Socket[] = [];
  try {
    for (let i = 0; i < TERMINALS; i++) {
      sockets.push(await login(nodes.nodes.get(names[i % count]!)!.ports.tcp!, i));
    }
    const counters = sockets.map(drive);
    const total = (): number => sum(counters);
    await warmUp(names.map((_, node) => counters.filter((_answers, i) => i % count === node)));
    const gatewayMs = (): number => names.reduce((all, name) => all + cpuMsOf(nodes.nodes.get(name)!.child.pid!), 0);
    const [from, at, gateway, server] = [total(), performance.now(), gatewayMs(), await redisCpuMs(redis)];
    await pause(forMs);
    const done = Math.max(1, total() - from);
    const ms = performance.now() - at;
    return {
      perS: (done * 1000) / ms,
      gatewayUs: ((gatewayMs() - gateway) * 1000) / done,
      redisUs: (((await redisCpuMs(redis)) - server) * 1000) / done,
    };
  } finally {
    for (const socket of sockets) socket.destroy();
    await nodes.stop();
    await redis.stop();
  }
}

const runs = new Map<number, Measured[]>(COUNTS.map((count) => [count, []]));
for (let round = 1; round <= rounds; round++) {
  for (const count of COUNTS) {
    const measured = await measure(count);
    runs.get(count)!.push(measured);
    process.stderr.write(`${round}/${rounds} ${count} node(s): ${Math.round(measured.perS)} confirmed locations/s\n`);
  }
}
const mid = (count: number, key: keyof Measured): number => median(runs.get(count)!.map((run) => run[key]));
process.stdout.write(`${cpus().length} cores, load ${loadavg()[0]!.toFixed(1)}, Redis appendfsync always\n`);
for (const count of COUNTS) {
  const ratio = (mid(count, 'perS') / mid(1, 'perS')).toFixed(2);
  const cpu = `CPU a location: gateways ${mid(count, 'gatewayUs').toFixed(1)} µs, Redis ${mid(count, 'redisUs').toFixed(1)} µs`;
  process.stdout.write(
    `${count} node(s)  ${Math.round(mid(count, 'perS'))} confirmed locations/s  ${ratio} of one  ${cpu}\n`,
  );
}
process.stdout.write(JSON.stringify({ cores: cpus().length, nodes: Object.fromEntries(runs) }) + '\n');
