import type { SimTime } from './time.js';

/** What happened in one world, for people and for the figures. */
export class Account {
  /** Readable, one line each. */
  readonly trace: string[] = [];
  /** What was found wrong. */
  readonly faults: string[] = [];
  readonly counts: Record<string, number> = {};
  readonly #startAt: number;

  constructor(private readonly time: SimTime) {
    this.#startAt = time.now();
  }

  readonly note = (who: string, what: string): void => {
    const seconds = ((this.time.now() - this.#startAt) / 1000).toFixed(3).padStart(9);
    this.trace.push(`${seconds}  ${who.padEnd(10)}  ${what}`);
  };

  count(what: string, by = 1): void {
    this.counts[what] = (this.counts[what] ?? 0) + by;
  }
}
