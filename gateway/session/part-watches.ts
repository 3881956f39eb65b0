/**
 * What sessions know of half-arrived messages outlives their connections: a photo that a radio hole broke off is asked
 * for where it stopped when its terminal comes back. One for all sessions of a node.
 */
import type { GatewayLimits } from '../limits.js';
import { PartWatch } from './part-watch.js';

export class PartWatches {
  /** By terminal number, the one used last at the end. */
  readonly #kept = new Map<string, PartWatch>();

  constructor(private readonly limits: GatewayLimits) {}

  get size(): number {
    return this.#kept.size;
  }

  /** What was left of the terminal's messages, to be asked for anew; or an empty watch. */
  of(phone: string): PartWatch {
    const watch = this.#kept.get(phone) ?? new PartWatch(this.limits);
    this.#kept.delete(phone);
    this.#kept.set(phone, watch);
    for (const [other, one] of this.#kept) {
      if (this.#kept.size <= this.limits.watchedTerminals && one.size > 0) break;
      if (other === phone) break;
      this.#kept.delete(other);
    }
    watch.askAnew();
    return watch;
  }

  /** The watch that a terminal left, or undefined: looking costs nothing. */
  left(phone: string): PartWatch | undefined {
    const watch = this.#kept.get(phone);
    return watch !== undefined && watch.size > 0 ? this.of(phone) : undefined;
  }
}
