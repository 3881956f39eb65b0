import { Heap } from '../heap.js';
import type { FleetClock } from './clock.js';

/** Wakes closer together than this are done in one go; ms of the machine. */
const shortestSleepMs = 2;

/** Wakes many at times of their own with one timer. */
export class WakeSchedule {
  readonly #heap = new Heap();
  readonly #wakeAt: Float64Array;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;

  /**
   * @param count how many are woken, by index from 0
   * @param wake called at the time that was wanted last, or a little later
   */
  constructor(
    private readonly clock: FleetClock,
    count: number,
    private readonly wake: (index: number) => void,
  ) {
    this.#wakeAt = new Float64Array(count).fill(Infinity);
  }

  /** One is to be woken at `at` (gateway time) and not when it was wanted before; Infinity: not at all. */
  wakeAt(index: number, at: number): void {
    if (at === this.#wakeAt[index]) return;
    this.#wakeAt[index] = at;
    if (at === Infinity) return;
    this.#heap.push(at, index);
    if (at < this.#timerAt) this.#arm(at);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #arm(at: number): void {
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(() => this.#run(), Math.max(shortestSleepMs, this.clock.realMsUntil(at)));
  }

  #run(): void {
    const now = this.clock.now();
    this.#timerAt = Infinity;
    while (this.#heap.size > 0 && this.#heap.firstKey <= now) {
      const at = this.#heap.firstKey;
      const index = this.#heap.pop()!;
      // Entries of wakes that were moved since are stale.
      if (this.#wakeAt[index] !== at) continue;
      this.#wakeAt[index] = Infinity;
      this.wake(index);
    }
    if (this.#heap.size > 0) this.#arm(this.#heap.firstKey);
  }
}
