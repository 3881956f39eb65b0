/**
 * Row 14 and the fan-out: an order assigned over the API until its bytes are on the terminal's socket, beside a bare HTTP
 * request with a socket write at as many connections; and one change until the last of 50 consoles' event streams has it.
 */
import { Agent, request } from 'node:http';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { median } from './decode.js';
import { benchToken, heard, quantiles, rowOf, start, stop, type Quantiles, type Row } from './processes.js';
import { login, open, openAll } from './terminal-client.js';

const agent = new Agent({ keepAlive: true, maxSockets: 4 });
const warmUp = 30;

async function post(url: string, body: unknown): Promise<Record<string, unknown>> {
  const json = JSON.stringify(body);
  const headers = {
    authorization: `Bearer ${benchToken}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(json),
  };
  const asked = request(url, { method: 'POST', agent, headers }).end(json);
  const [answer] = (await once(asked, 'response')) as [NodeJS.ReadableStream & { statusCode: number }];
  let text = '';
  for await (const chunk of answer) text += String(chunk);
  if (answer.statusCode >= 300) throw new Error(`${url}: ${answer.statusCode} ${text}`);
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}

/** From the request until the first bytes on the socket, ms, for each of `count` terminals. */
async function times(
  sockets: readonly Socket[],
  count: number,
  say: (index: number) => Promise<() => Promise<unknown>>,
) {
  const spent: number[] = [];
  for (let n = 0; n < count + warmUp; n++) {
    // All over the fleet, none twice.
    const index = Math.floor((n * sockets.length) / (count + warmUp));
    const act = await say(index);
    const bytes = once(sockets[index]!, 'data').then(() => performance.now());
    const from = performance.now();
    const [at] = await Promise.all([bytes, act()]);
    if (n >= warmUp) spent.push(at - from);
  }
  return quantiles(spent);
}

async function bare(connections: number, count: number): Promise<Quantiles> {
  const server = start('./whole-server.ts', ['bare']);
  let sockets: Socket[] = [];
  try {
    const { tcp, http } = await heard<{ tcp: number; http: string }>(server);
    sockets = await openAll(connections, async (index) => {
      const socket = await open(tcp);
      socket.write(Buffer.from([0, 0, index >> 8, index & 255]));
      return socket;
    });
    return await times(
      sockets,
      count,
      async (index) => () => post(`${http}/${index}`, { vehicleId: `truck-${index}` }),
    );
  } finally {
    for (const socket of sockets) socket.destroy();
    await stop(server);
  }
}

const call = {
  customer: { name: '王女士', phone: '13900000000' },
  site: { lat: 36.6, lon: 101.3, address: '建设路1号' },
  fault: { category: 'lowVoltage', voltage: 'low', description: '停电' },
};

async function whole(connections: number, count: number, consoles: number) {
  const server = start('./whole-server.ts', ['gateway', connections]);
  let sockets: Socket[] = [];
  const streams = new Streams();
  try {
    const { tcp, http } = await heard<{ tcp: number; http: string }>(server);
    sockets = await openAll(connections, (index) => login(tcp, index));
    const api = `${http}/api/v1`;
    const assign = await times(sockets, count, async (index) => {
      const { id } = await post(`${api}/orders`, call);
      await post(`${api}/orders/${String(id)}/issue`, { repairCentreId: 'centre-1' });
      return () => post(`${api}/orders/${String(id)}/assign`, { vehicleId: `truck-${index}` });
    });
    await streams.open(`${api}/stream`, consoles);
    const fanOut: number[] = [];
    for (let n = 0; n < count + warmUp; n++) {
      const from = performance.now();
      const { id } = await post(`${api}/orders`, call);
      const at = await streams.all(String(id));
      if (n >= warmUp) fanOut.push(at - from);
    }
    return { assign, fanOut: quantiles(fanOut) };
  } finally {
    streams.close();
    for (const socket of sockets) socket.destroy();
    await stop(server);
  }
}

/** Consoles that listen to everything. */
class Streams {
  readonly #requests: ReturnType<typeof request>[] = [];
  readonly #texts: string[] = [];
  #changed = (): void => undefined;

  async open(url: string, count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const headers = { authorization: `Bearer ${benchToken}`, accept: 'text/event-stream' };
      const asked = request(url, { agent: false, headers }).end();
      this.#requests.push(asked);
      const [answer] = (await once(asked, 'response')) as [NodeJS.ReadableStream & { statusCode: number }];
      if (answer.statusCode !== 200) throw new Error(`${url}: ${answer.statusCode}`);
      this.#texts[i] = '';
      answer.on('error', () => {});
      answer.on('data', (chunk) => {
        this.#texts[i] = (this.#texts[i]! + String(chunk)).slice(-20_000);
        this.#changed();
      });
    }
  }

  /** When the last of them has been told of it. */
  all(word: string): Promise<number> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.#texts.every((text) => text.includes(word))) resolve(performance.now());
      };
      this.#changed = look;
      look();
    });
  }

  close(): void {
    for (const one of this.#requests) one.on('error', () => {}).destroy();
  }
}

export async function benchAssign(rounds: number, connections = 10_000): Promise<{ rows: Row[]; figures: unknown }> {
  // Each terminal gets one order: none answers, so a second would wait for the retries of the first.
  const count = Math.min(300, connections - warmUp);
  if (count <= 0) throw new Error(`--connections: row 14 needs more than ${warmUp}, got ${connections}`);
  const consoles = 50;
  const runs: { bare: Quantiles; assign: Quantiles; fanOut: Quantiles }[] = [];
  for (let round = 0; round < rounds; round++) {
    const plain = await bare(connections, count);
    const run = { bare: plain, ...(await whole(connections, count, consoles)) };
    runs.push(run);
    process.stderr.write(`assign ${round + 1}/${rounds}: ${JSON.stringify(run)}\n`);
  }
  const load = `${connections} connections`;
  const ratio = (of: (run: (typeof runs)[number]) => number): number => median(runs.map(of));
  return {
    rows: [
      rowOf(
        14,
        'assign over the API → bytes on the socket, p99 / bare',
        load,
        ratio((run) => run.assign.p99 / run.bare.p99),
        5,
      ),
      {
        row: '–', what: `a change → all of ${consoles} consoles, p99, ms`, load, value: ratio((run) => run.fanOut.p99), goal: '–', reached: true,
      }, // prettier-ignore
    ],
    figures: runs,
  };
}
