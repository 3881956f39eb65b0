import type { Clock } from '../../dispatch/ports.js';

/** One entry of the queue, and what its owner holds: `Clock`'s handle and the machine's at once. */
class Timer {
  serial = 0;
  cancelled = false;

  constructor(
    public at: number,
    readonly call: () => void,
    readonly everyMs: number | undefined,
  ) {}

  cancel(): void {
    this.cancelled = true;
  }

  ref(): void {}

  unref(): void {}

  hasRef(): boolean {
    return false;
  }
}

type Globals = Pick<typeof globalThis, 'setTimeout' | 'clearTimeout' | 'setInterval' | 'clearInterval'>;

const realImmediate = globalThis.setImmediate;

/**
 * Simulated time: one queue of timers for everything that runs in the world, the product's own and those that it takes
 * from the machine. Timers fire one at a time, in the order of their times; between two of them everything that was set
 * going runs until nothing moves any more. The same calls give the same run.
 */
export class SimTime {
  #now: number;
  #serial = 0;
  #heap: Timer[] = [];
  #saved: (Globals & { now: () => number }) | undefined;
  /** Timers fired so far. */
  fired = 0;

  constructor(startAt: number) {
    this.#now = startAt;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, call: () => void): { cancel(): void } {
    return this.#add(Math.max(0, ms), call);
  }

  every(ms: number, call: () => void): { cancel(): void } {
    return this.#add(Math.max(1, ms), call, Math.max(1, ms));
  }

  /** A clock for one process: its timers fall silent when the process dies. */
  clock(alive: () => boolean): Clock {
    const guarded = (call: () => void) => (): void => {
      if (alive()) call();
    };
    return {
      rate: 1,
      now: () => this.#now,
      after: (ms, call) => this.after(ms, guarded(call)),
      every: (ms, call) => this.every(ms, guarded(call)),
    };
  }

  /** Lets simulated time pass up to `end`; stops early when `done` says so. */
  async run(end: number, done: () => boolean = () => false): Promise<void> {
    const until = Math.ceil(end);
    await settle();
    for (;;) {
      const timer = this.#heap[0];
      if (timer === undefined || timer.at > until) break;
      this.#pop();
      if (timer.cancelled) continue;
      this.#now = Math.max(this.#now, timer.at);
      if (timer.everyMs !== undefined) {
        timer.at += timer.everyMs;
        this.#push(timer);
      }
      this.fired += 1;
      timer.call();
      await settle();
      if (done()) return;
    }
    this.#now = Math.max(this.#now, until);
  }

  /** The machine's timers and steady clock become simulated ones until {@link restore}. */
  take(): void {
    const machine = globalThis as unknown as Record<string, unknown>;
    const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis;
    this.#saved = { setTimeout, clearTimeout, setInterval, clearInterval, now: performance.now };
    const cancel = (timer: { cancel(): void } | undefined): void => timer?.cancel();
    machine['setTimeout'] = (call: () => void, ms = 0) => this.after(ms, call);
    machine['setInterval'] = (call: () => void, ms = 1) => this.every(ms, call);
    machine['clearTimeout'] = cancel;
    machine['clearInterval'] = cancel;
    performance.now = () => this.#now;
  }

  restore(): void {
    if (this.#saved === undefined) return;
    const { now, ...timers } = this.#saved;
    Object.assign(globalThis, timers);
    performance.now = now;
    this.#saved = undefined;
  }

  #add(ms: number, call: () => void, everyMs?: number): Timer {
    const timer = new Timer(Math.ceil(this.#now + ms), call, everyMs);
    this.#push(timer);
    return timer;
  }

  #push(timer: Timer): void {
    timer.serial = this.#serial++;
    const heap = this.#heap;
    let at = heap.push(timer) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!earlier(timer, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      heap[parent] = timer;
      at = parent;
    }
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    heap[0] = last;
    for (let at = 0; ;) {
      const left = 2 * at + 1;
      if (left >= heap.length) return;
      const child = left + 1 < heap.length && earlier(heap[left + 1]!, heap[left]!) ? left + 1 : left;
      if (!earlier(heap[child]!, heap[at]!)) return;
      [heap[at], heap[child]] = [heap[child]!, heap[at]!];
      at = child;
    }
  }
}

function earlier(a: Timer, b: Timer): boolean {
  return a.at < b.at || (a.at === b.at && a.serial < b.serial);
}

/**
 * Resolves when all promises that can move have moved: before an immediate runs, the queues of ticks and promises are
 * empty. Nothing in the world waits for immediates of its own.
 */
export function settle(): Promise<void> {
  return new Promise<void>((resolve) => realImmediate(resolve));
}
