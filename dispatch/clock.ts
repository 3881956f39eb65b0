/** Gateway time. Everything in dispatch and gateway that knows a time has it from one of these. */
import type { Clock } from './ports.js';
import type { DispatchStore } from './store/store.js';

/** Where gateway time and the machine's time met: gateway = gatewayAt + (machine - machineAt) × rate. */
export interface ClockOrigin {
  machineAt: number;
  gatewayAt: number;
}

export interface ClockOptions {
  /** Gateway seconds in a second of the machine, 1 to 60. */
  rate: number;
  origin: ClockOrigin;
  /** Gateway time never starts before this (the last event of the log). */
  notBefore?: number;
  /** The machine's wall clock and its steady clock, ms; given by tests. */
  wall?: () => number;
  steady?: () => number;
}

/** A store was used at one rate and is opened at another: its limits and stamps would contradict each other. */
export class ClockRateError extends Error {}

/** Gateway time approaches a wall clock that was set back by at most this part of the time that passes. */
const SLEW = 0.05;
/** A wall clock ahead by more than this (ms of the machine) was set, or the machine slept: followed at once. */
const STEP_MS = 1_000;

/**
 * Gateway time on the machine's clocks. It never goes back: between looks it follows the steady clock; where the wall
 * clock was set back it drifts towards it, by 3 s a minute at most, so no order ever ends before it began.
 */
export function createClock(options: ClockOptions): Clock {
  const { rate, origin } = options;
  if (!(rate >= 1 && rate <= 60)) throw new RangeError(`the clock rate is ${rate}; expected 1 to 60`);
  const wall = options.wall ?? Date.now;
  const steady = options.steady ?? (() => performance.now());
  const target = (): number => origin.gatewayAt + (wall() - origin.machineAt) * rate;
  let current = Math.max(target(), options.notBefore ?? -Infinity);
  let seenAt = steady();

  const now = (): number => {
    const steadyNow = steady();
    const passed = Math.max(0, steadyNow - seenAt) * rate;
    seenAt = steadyNow;
    current += passed;
    const off = target() - current;
    if (off > STEP_MS * rate) current += off;
    else current += Math.max(-passed * SLEW, Math.min(passed * SLEW, off));
    return Math.floor(current);
  };
  return {
    rate,
    now,
    after: (ms, call) => {
      const timer = setTimeout(call, Math.min(Math.max(0, ms / rate), MAX_TIMER_MS));
      return { cancel: () => clearTimeout(timer) };
    },
    every: (ms, call) => {
      const timer = setInterval(call, Math.min(Math.max(1, ms / rate), MAX_TIMER_MS));
      return { cancel: () => clearInterval(timer) };
    },
  };
}

/** Longest delay of a Node timer; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * The clock of a store: its origin is made at the first start and kept, so that gateway time goes on where the machine
 * says it is after a restart, and never before the newest event. Another rate than the store's is a {@link ClockRateError}.
 */
export async function openClock(store: DispatchStore, rate: number): Promise<Clock> {
  const kept = (await store.meta('clock')) as (ClockOrigin & { rate: number }) | undefined;
  if (kept && kept.rate !== rate) {
    throw new ClockRateError(
      `this store runs at clock rate ${kept.rate}, but rate ${rate} was asked for; ` +
        `set LINECREW_CLOCK_RATE=${kept.rate} or use another store`,
    );
  }
  const at = Date.now();
  const origin = kept ?? { rate, machineAt: at, gatewayAt: at };
  if (!kept) await store.setMeta('clock', origin);
  const last = await store.lastPosition();
  const [newest] = last > 0 ? await store.eventsAfter(last - 1, 1) : [];
  return createClock({ rate, origin, ...(newest ? { notBefore: newest.committedAt } : {}) });
}

/** A clock that stands until it is told to go on: for tests and the deterministic simulation. */
export interface ManualClock extends Clock {
  /** Goes on by `ms`, calling what becomes due on the way, in order. */
  advance(ms: number): void;
  /** When the next timer is due, if any. */
  nextAt(): number | undefined;
}

export function manualClock(startAt: number, rate = 1): ManualClock {
  let current = startAt;
  let serial = 0;
  const timers = new Map<number, { at: number; call: () => void; everyMs?: number }>();
  const add = (at: number, call: () => void, everyMs?: number): { cancel(): void } => {
    const id = serial++;
    timers.set(id, { at, call, ...(everyMs === undefined ? {} : { everyMs }) });
    return { cancel: () => void timers.delete(id) };
  };
  const next = (): [number, { at: number; call: () => void; everyMs?: number }] | undefined => {
    let found: [number, { at: number; call: () => void; everyMs?: number }] | undefined;
    for (const entry of timers) if (!found || entry[1].at < found[1].at) found = entry;
    return found;
  };
  return {
    rate,
    now: () => current,
    after: (ms, call) => add(current + Math.max(0, ms), call),
    every: (ms, call) => add(current + Math.max(1, ms), call, Math.max(1, ms)),
    nextAt: () => next()?.[1].at,
    advance(ms) {
      const until = current + ms;
      for (let due = next(); due && due[1].at <= until; due = next()) {
        const [id, timer] = due;
        current = Math.max(current, timer.at);
        if (timer.everyMs === undefined) timers.delete(id);
        else timer.at += timer.everyMs;
        timer.call();
      }
      current = until;
    },
  };
}
