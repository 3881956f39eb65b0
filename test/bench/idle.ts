/**
 * Rows 8 and 9: what a connection costs that does nothing. Row 8 is memory of the server for each authenticated connection
 * beside one of a bare server; row 9 the CPU of taking a connection that says nothing.
 */
import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { median } from './decode.js';
import { ask, heard, rowOf, start, stop, type Row, type Usage } from './processes.js';
import { login, open, openAll } from './terminal-client.js';

interface Idle {
  heapBytes: number;
  rssBytes: number;
  /** CPU of the server for each connection that says nothing, µs. */
  acceptUs: number;
}

async function measure(kind: 'bare' | 'gateway', connections: number): Promise<Idle> {
  const server = start('./whole-server.ts', [kind, connections]);
  const sockets: Socket[] = [];
  try {
    const { tcp } = await heard<{ tcp: number }>(server);
    const connect = async (index: number): Promise<Socket> => {
      if (kind === 'gateway') return login(tcp, index);
      const socket = await open(tcp);
      socket.write(Buffer.from([0, 0, index >> 8, index & 255]));
      return socket;
    };
    // What is made once is made before counting begins.
    sockets.push(...(await openAll(100, connect)));
    const before = await ask<Usage>(server, 'usage');
    sockets.push(...(await openAll(connections - 100, (index) => connect(index + 100))));
    const after = await settled(server);
    const silent = await openAll(connections, () => open(tcp));
    sockets.push(...silent);
    const taken = await ask<Usage>(server, 'usage');
    const each = connections - 100;
    return {
      heapBytes: (after.heap - before.heap) / each,
      rssBytes: (after.rss - before.rss) / each,
      acceptUs: ((taken.cpuMs - after.cpuMs) * 1000) / connections,
    };
  } finally {
    for (const socket of sockets) socket.destroy();
    await stop(server);
  }
}

/** Usage once the server rests: what the logins left to be written is written. */
async function settled(server: ChildProcess): Promise<Usage> {
  for (let before = await ask<Usage>(server, 'usage'); ;) {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const now = await ask<Usage>(server, 'usage');
    if (now.cpuMs - before.cpuMs < 300) return now;
    before = now;
  }
}

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
      rowOf(9, 'accept CPU without login: ours / bare', load, ratio('acceptUs'), 1.4),
    ],
    figures: runs,
  };
}
