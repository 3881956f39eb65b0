import type { Flash } from './options.js';

/** Close following, asked for by the platform: another report interval for a while, then the usual one again. */
export class Following {
  /** When it ends, gateway time; Infinity while nobody follows. */
  until = Infinity;
  #usualMs = 0;

  constructor(private readonly flash: Flash) {}

  /** Reports every `intervalMs` for `forMs`; 0 ends it. */
  start(intervalMs: number, forMs: number, now: number): void {
    const usualMs = this.until === Infinity ? this.flash.reportMs : this.#usualMs;
    this.#usualMs = usualMs;
    this.until = intervalMs > 0 ? now + forMs : Infinity;
    this.flash.reportMs = intervalMs > 0 ? intervalMs : usualMs;
  }

  tick(now: number): void {
    if (now >= this.until) this.start(0, 0, now);
  }
}
