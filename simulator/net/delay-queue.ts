import type { FleetClock } from './clock.js';

interface Item {
  at: number;
  serial: number;
  act: () => void;
}

/** Runs things at their gateway times, those of the same time in the order of `add`: one timer for all of them. */
export class DelayQueue {
  #items: Item[] = [];
  #serial = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly clock: FleetClock) {}

  /** At once when it is due and nothing is before it. */
  add(at: number, act: () => void): void {
    if (this.#items.length === 0 && at <= this.clock.now()) {
      act();
      return;
    }
    const item = { at, serial: this.#serial++, act };
    let index = this.#items.length;
    while (index > 0 && this.#items[index - 1]!.at > at) index -= 1;
    this.#items.splice(index, 0, item);
    if (index === 0) this.#arm();
  }

  clear(): void {
    this.#items = [];
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const first = this.#items[0];
    this.#timer = first === undefined ? undefined : setTimeout(() => this.#run(), this.clock.realMsUntil(first.at));
  }

  #run(): void {
    const now = this.clock.now();
    while (this.#items.length > 0 && this.#items[0]!.at <= now) this.#items.shift()!.act();
    this.#arm();
  }
}
