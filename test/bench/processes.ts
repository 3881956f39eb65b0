/** Server and client processes of a benchmark, and what they are asked. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What the whole server takes for its API. */
export const benchToken = 'bench-token-0123456789';

/** Starts a script of this folder. `--expose-gc`, so that memory can be measured without garbage. */
export function start(name: string, args: readonly (string | number)[]): ChildProcess {
  const script = fileURLToPath(new URL(name, import.meta.url));
  return fork(script, args.map(String), { execArgv: ['--expose-gc', '--import', 'tsx'] });
}

/** The next message of a process. Rejects when it ends instead. */
export async function heard<T>(child: ChildProcess): Promise<T> {
  const gone = new AbortController();
  try {
    const [value] = (await Promise.race([
      once(child, 'message', { signal: gone.signal }),
      once(child, 'exit', { signal: gone.signal }).then(([code]) => {
        throw new Error(`${child.spawnargs.slice(-3).join(' ')} ended with ${String(code)}`);
      }),
    ])) as [T];
    return value;
  } finally {
    gone.abort();
  }
}

export async function ask<T>(child: ChildProcess, question: string): Promise<T> {
  const answer = heard<T>(child);
  child.send(question);
  return answer;
}

export async function stop(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null) return;
  const exited = once(child, 'exit');
  child.send('stop');
  await exited;
}

export interface Memory {
  /** JavaScript heap after a collection, bytes. */
  heap: number;
  /** Memory that the process has, bytes. */
  rss: number;
  /** The same without pages of files (the store is mapped into memory) and free heap; NaN where the system does not say. */
  kept: number;
}

export interface Usage extends Memory {
  cpuMs: number;
  connections: number;
}

/** What a server process says of itself. */
export function usageOf(connections: number): Usage {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, heapTotal, rss } = process.memoryUsage();
  return { heap: heapUsed, rss, kept: anonymousBytes() - (heapTotal - heapUsed), cpuMs: cpuMsOf(), connections };
}

/** Processor time of this process, ms; collects no garbage before. */
export function cpuMsOf(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function anonymousBytes(): number {
  try {
    return Number(/^RssAnon:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024;
  } catch {
    return NaN;
  }
}

export interface Quantiles {
  p50: number;
  p99: number;
}

export function quantiles(values: readonly number[]): Quantiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

/** One line of the table. */
export interface Row {
  row: number | string;
  what: string;
  load: string;
  value: number;
  goal: string;
  reached: boolean;
}

export function rowOf(row: Row['row'], what: string, load: string, value: number, atMost: number): Row {
  return { row, what, load, value, goal: `≤ ${atMost}`, reached: value <= atMost };
}
