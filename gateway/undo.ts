/** What was started, to be stopped in the opposite order. */
import type { wordLog } from './log.js';

export type Words = ReturnType<typeof wordLog>;

/**
 * Longest time for all parts together, ms of the machine: a part that waits for a store which hangs must not keep the
 * others from being stopped. What it had not finished is not confirmed; the terminals still have it.
 */
export const STOP_ALL_MS = 18_000;
/** What each part is given when that is over, ms of the machine. */
const STOP_LATE_MS = 500;

/** One part that fails to stop, or does not come to an end, does not keep the others running. */
export class Undo {
  readonly #steps: { name: string; stop: () => unknown }[] = [];
  #running: Promise<void> | undefined;

  /** @param allMs longest time for all parts together, ms of the machine */
  constructor(private readonly allMs = STOP_ALL_MS) {}

  add(name: string, stop: () => unknown): void {
    this.#steps.push({ name, stop });
  }

  /** Stops everything once, however often it is called. Never rejects. */
  run(log: Words): Promise<void> {
    return (this.#running ??= this.#run(log));
  }

  async #run(log: Words): Promise<void> {
    const end = performance.now() + this.allMs;
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      const { name: part, stop } = step;
      // The last one named is the one that holds up a stop.
      log.info({ part }, 'stopping a part');
      try {
        const stopped = await within(stop, Math.max(end - performance.now(), STOP_LATE_MS));
        if (!stopped) log.warn({ part }, 'a part does not come to its end: stopping the others without it');
      } catch (error) {
        log.error({ err: error, part }, 'a part did not stop cleanly');
      }
    }
  }
}

/** @returns false when it takes longer; what it says after that is nobody's business any more */
async function within(work: () => unknown, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => (timer = setTimeout(resolve, ms, false)));
  const done = (async () => {
    await work();
    return true;
  })();
  done.catch(() => {});
  try {
    return await Promise.race([done, late]);
  } finally {
    clearTimeout(timer);
  }
}
