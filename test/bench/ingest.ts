/** Rows 2 to 6 of the benchmark: frames from sockets to durable confirmation, beside two bare servers. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Load, Mark } from './ingest-load.js';

export type ServerKind = 'raw' | 'rawack' | 'durable' | 'off';

export interface Measured {
  framesPerS: number;
  serverCpuUsPerFrame: number;
  clientCpuUsPerFrame: number;
  /** Frames in one append. */
  framesPerGroup: number;
  /** Positions applied behind the gate in the same time, per s. */
  appliedPerS: number;
}

const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const execArgv = ['--import', 'tsx'];

async function message<T>(child: ChildProcess): Promise<T> {
  const [value] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`${child.spawnfile} ended with ${String(code)}`);
    }),
  ])) as [T];
  return value;
}

async function mark(child: ChildProcess): Promise<Mark> {
  child.send('mark');
  return (await message<{ mark: Mark }>(child)).mark;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = once(child, 'exit');
  child.send('stop');
  await exited;
}

/** One run: warm up, then measure for `forMs`. */
export async function runLoad(
  kind: ServerKind,
  load: Load,
  { warmMs = 4_000, forMs = 3_000, profile = '' } = {},
): Promise<Measured> {
  const profiling = profile === '' ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const server = fork(script('./ingest-server.ts'), [kind, String(load.connections)], {
    execArgv: [...execArgv, ...profiling],
  });
  let client: ChildProcess | undefined;
  try {
    const { port } = await message<{ port: number }>(server);
    const mode = kind === 'raw' || kind === 'rawack' ? kind : 'product';
    client = fork(script('./ingest-client.ts'), [String(port), load.name, mode], { execArgv });
    await message(client);
    client.send('go');
    await new Promise((resolve) => setTimeout(resolve, warmMs));
    const before = [await mark(server), await mark(client)] as const;
    await new Promise((resolve) => setTimeout(resolve, forMs));
    const after = [await mark(server), await mark(client)] as const;
    return difference(before, after, kind);
  } finally {
    if (client !== undefined) await stop(client);
    await stop(server);
  }
}

function difference(before: readonly [Mark, Mark], after: readonly [Mark, Mark], kind: ServerKind): Measured {
  const [server, client] = [0, 1].map((i) => ({
    frames: after[i]!.frames - before[i]!.frames,
    cpuMs: after[i]!.cpuMs - before[i]!.cpuMs,
    ms: after[i]!.atMs - before[i]!.atMs,
    applied: (after[i]!.applied ?? 0) - (before[i]!.applied ?? 0),
    groups: (after[i]!.groups ?? 0) - (before[i]!.groups ?? 0),
  })) as [
    { frames: number; cpuMs: number; ms: number; applied: number; groups: number },
    { frames: number; cpuMs: number; ms: number },
  ];
  // What is confirmed counts; where nothing is confirmed, what was taken in.
  const framesPerS = kind === 'raw' ? (server.frames / server.ms) * 1000 : (client.frames / client.ms) * 1000;
  return {
    framesPerS,
    serverCpuUsPerFrame: (server.cpuMs * 1000) / server.frames,
    clientCpuUsPerFrame: (client.cpuMs * 1000) / client.frames,
    framesPerGroup: server.groups === 0 ? 0 : server.frames / server.groups,
    appliedPerS: (server.applied / server.ms) * 1000,
  };
}
