/**
 * Rows 8 and 9: what a connection costs that does nothing. Row 8 is memory of the server for each authenticated connection
 * beside one of a bare server; row 9 the CPU of taking a connection that says nothing.
 */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { restAfterMs } from '../../gateway/session/working.js';
import { median } from './decode.js';
import { ask, heard, rowOf, start, stop, type Row, type Usage } from './processes.js';
import { authenticate, open, openAll, register } from './terminal-client.js';

interface Idle {
  heapBytes: number;
  rssBytes: number;
  /** Of it, without what is mapped from files and what the heap has free. */
  keptBytes: number;
  /** CPU of the server for each connection that says nothing, µs. */
  acceptUs: number;
}

/** What one address may open without authentication, less those before counting. */
const silentMax = 4_000;

async function measure(kind: 'bare' | 'gateway', connections: number): Promise<Idle> {
  const folder = mkdtempSync(join(tmpdir(), 'linecrew-bench-'));
  const codes = kind === 'gateway' ? await registered(folder, connections) : [];
  const server = start('./whole-server.ts', [kind, 0, folder]);
  const sockets: Socket[] = [];
  try {
    const { tcp } = await heard<{ tcp: number }>(server);
    const connect = async (index: number): Promise<Socket> => {
      const socket = await open(tcp);
      if (kind === 'gateway') await authenticate(socket, index, codes[index]!);
      else socket.write(Buffer.from([0, 0, index >> 8, index & 255]));
      return socket;
    };
    // What is made once is made before counting begins: compiled code, space for garbage, tables of the store.
    const warm = Math.ceil(connections / 4);
    sockets.push(...(await openAll(warm, connect)));
    const before = await settled(server);
    sockets.push(...(await openAll(connections - warm, (index) => connect(index + warm))));
    const after = await settled(server);
    const each = connections - warm;
    return {
      heapBytes: (after.heap - before.heap) / each,
      rssBytes: (after.rss - before.rss) / each,
      keptBytes: (after.kept - before.kept) / each,
      acceptUs: await acceptUs(server, sockets, Math.min(connections, silentMax), () => open(tcp)),
    };
  } finally {
    for (const socket of sockets) socket.destroy();
    await stop(server);
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Puts vehicles on file, whose terminals register: once in their life, in a process before the one that is measured.
 * @returns the codes of the terminals
 */
async function registered(folder: string, count: number): Promise<string[]> {
  const server = start('./whole-server.ts', ['gateway', count, folder]);
  try {
    const { tcp } = await heard<{ tcp: number }>(server);
    const codes: string[] = [];
    await openAll(count, async (index) => {
      const socket = await open(tcp);
      codes[index] = await register(socket, index);
      socket.destroy();
      return socket;
    });
    return codes;
  } finally {
    await stop(server);
  }
}

/** Processor time for each of so many connections that say nothing, less what the server takes without them, µs. */
async function acceptUs(
  server: ChildProcess,
  sockets: Socket[],
  count: number,
  connect: () => Promise<Socket>,
): Promise<number> {
  const timed = async (what: () => Promise<unknown>): Promise<{ cpuMs: number; ms: number }> => {
    const startedAt = performance.now();
    const before = await ask<number>(server, 'cpu');
    await what();
    return { cpuMs: (await ask<number>(server, 'cpu')) - before, ms: performance.now() - startedAt };
  };
  // The first ones pay for the code that they run.
  sockets.push(...(await openAll(count / 10, connect)));
  const idle = await timed(() => pause(3_000));
  const busy = await timed(async () => sockets.push(...(await openAll(count, connect))));
  return ((busy.cpuMs - (idle.cpuMs * busy.ms) / idle.ms) * 1000) / count;
}

/** Usage once the server rests: what the logins left to be written is written, and its sessions rest too. */
async function settled(server: ChildProcess): Promise<Usage> {
  for (let before = await ask<number>(server, 'cpu'); ;) {
    await pause(restAfterMs + 2_000);
    const now = await ask<number>(server, 'cpu');
    if (now - before < 400) return ask<Usage>(server, 'usage');
    before = now;
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** @param connections authenticated ones, and as many silent ones beside them: each needs a file in both processes */
export async function benchIdle(rounds: number, connections = 4_000): Promise<{ rows: Row[]; figures: unknown }> {
  const runs = { bare: [] as Idle[], gateway: [] as Idle[] };
  for (let round = 0; round < rounds; round++) {
    for (const kind of ['bare', 'gateway'] as const) {
      const idle = await measure(kind, connections);
      runs[kind].push(idle);
      process.stderr.write(`idle ${round + 1}/${rounds} ${kind}: ${JSON.stringify(idle)}\n`);
    }
  }
  const of = (kind: 'bare' | 'gateway', key: keyof Idle): number => median(runs[kind].map((run) => run[key]));
  const ratio = (key: keyof Idle): number => of('gateway', key) / of('bare', key);
  const load = `${connections} connections`;
  return {
    rows: [
      rowOf(8, 'idle authenticated connection, heap: ours / bare', load, ratio('heapBytes'), 2),
      rowOf(8, 'idle authenticated connection, RSS: ours / bare', load, ratio('rssBytes'), 1.6),
      rowOf(8, 'the same without pages of files and free heap: ours / bare', load, ratio('keptBytes'), 1.6),
      rowOf(9, 'accept CPU without login: ours / bare', load, ratio('acceptUs'), 1.4),
    ],
    figures: runs,
  };
}
