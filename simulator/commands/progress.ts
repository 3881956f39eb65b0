/** How a run tells what it sees: one live line on a terminal, a plain line every 5 s otherwise, JSON lines on request. */
export class Progress {
  #timer: NodeJS.Timeout | undefined;
  #wrote = false;

  /**
   * @param line what to show on a line
   * @param json what to print as a JSON object a line
   * @param wantsJson the option `--json`
   */
  constructor(
    private readonly line: () => string,
    private readonly json: () => object,
    private readonly wantsJson: boolean,
  ) {}

  start(): void {
    const live = !this.wantsJson && process.stderr.isTTY;
    this.#timer = setInterval(() => this.#show(live), live ? 500 : 5_000);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    if (this.#wrote) process.stderr.write('\r\x1b[K');
    this.#wrote = false;
  }

  #show(live: boolean): void {
    if (this.wantsJson) process.stdout.write(`${JSON.stringify({ type: 'progress', ...this.json() })}\n`);
    else if (live) {
      process.stderr.write(`\r\x1b[K${this.line().slice(0, (process.stderr.columns ?? 120) - 1)}`);
      this.#wrote = true;
    } else process.stderr.write(`${this.line()}\n`);
  }
}

/**
 * Resolves after so many ms of the machine, or at the first Ctrl-C or SIGTERM; a second one ends the process.
 * @param nevermind ends the waiting without a result, when something else has happened first
 */
export function untilEnd(afterMs: number | undefined, nevermind?: AbortSignal): Promise<'time' | 'signal'> {
  return new Promise((resolve) => {
    let asked = false;
    const onSignal = (): void => {
      if (asked) process.exit(130);
      asked = true;
      clearTimeout(timer);
      resolve('signal');
    };
    const timer = setTimeout(
      () => {
        process.off('SIGINT', onSignal);
        process.off('SIGTERM', onSignal);
        resolve('time');
      },
      Math.min(afterMs ?? longestMs, longestMs),
    );
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
    nevermind?.addEventListener('abort', () => {
      clearTimeout(timer);
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    });
  });
}

/** Longest delay of a Node timer. */
const longestMs = 2 ** 31 - 1;
