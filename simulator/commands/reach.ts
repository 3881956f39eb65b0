import { connect } from 'node:net';
import { untilEnd } from './progress.js';

/** How long a run goes on when nothing listens, ms: a gateway that is just being started is waited for. */
const patienceMs = 5_000;
const lookMs = 500;

/** Where terminals connect. */
export interface Target {
  host: string;
  port: number;
}

/** Nothing ever connected, because nothing listens. */
export class NothingListens extends Error {
  constructor({ host, port }: Target) {
    super(`connection refused: nothing listens on ${host}:${port}`);
  }
}

/**
 * Waits as {@link untilEnd} does, or until it is clear that the run comes to nothing.
 * @param connected connections made so far
 * @returns true where nothing ever connected because the target refuses
 */
export async function untilEndOrRefused(
  afterMs: number | undefined,
  target: Target,
  connected: () => number,
  ended?: AbortSignal,
): Promise<boolean> {
  const nevermind = new AbortController();
  const watch = whileRefused(target, connected);
  const over = new Promise<void>((resolve) => ended?.addEventListener('abort', () => resolve()));
  const isRefused = await Promise.race([
    watch.refused.then(() => true),
    untilEnd(afterMs, nevermind.signal).then(() => false),
    over.then(() => false),
  ]);
  nevermind.abort();
  watch.stop();
  return isRefused;
}

/** One connection, at any time, and the run is left alone: it may then lose the platform as often as it likes. */
function whileRefused(target: Target, connected: () => number): { refused: Promise<void>; stop(): void } {
  const since = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const refused = new Promise<void>((resolve) => {
    const look = async (): Promise<void> => {
      if (connected() > 0) return;
      if (performance.now() - since >= patienceMs && (await refuses(target)) && connected() === 0) return resolve();
      timer = setTimeout(() => void look(), lookMs);
    };
    timer = setTimeout(() => void look(), lookMs);
  });
  return { refused, stop: () => clearTimeout(timer) };
}

function refuses({ host, port }: Target): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}
