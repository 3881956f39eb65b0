import type { Edition } from '../../protocol/index.js';
import { Histogram } from '../histogram.js';
import type { RosterEntry } from '../roster.js';
import type { FleetClock } from './clock.js';
import { LoadTerminal, type KeptPosition, type LoadEvents } from './load-terminal.js';

export interface LoadOptions {
  host: string;
  port: number;
  /** Own addresses that terminals connect from, shared out among them; empty: the system's choice. */
  from: readonly string[];
  clock: FleetClock;
  /** Terminals of this process. */
  roster: readonly RosterEntry[];
  edition: Edition;
  /** Machine seconds between the reports of one terminal. */
  everyS: number;
  /** Connections opened a second, those of terminals that try again included. */
  connectsPerSecond: number;
  /** Terminals that are logging in at the same time; the next ones wait for them. */
  loginsAtOnce: number;
  /** Terminals (from the first) whose confirmed positions are kept for the final check. */
  kept: number;
}

/** What the load generator has seen so far. */
export interface LoadCounts {
  connected: number;
  online: number;
  /** Due by the schedule. */
  due: number;
  sent: number;
  confirmed: number;
  /** Due while the terminal had no login: a slow or refusing server cannot hide here. */
  unsent: number;
  refused: number;
  closed: number;
}

const tickMs = 5;
const paceMs = 20;
/** A process that was held up does not make up for it in one go: connections of so many seconds at once at most. */
const burstS = 0.1;
/** A terminal whose connection ended tries again so much later, ms of the machine. */
const againMs = [1_000, 5_000] as const;

/**
 * Thousands of plain terminals that only report, on a fixed schedule: each report is due at its time whatever became of
 * the one before, and its delay counts from that time (open loop).
 */
export class LoadGenerator {
  readonly delays = new Histogram();
  readonly loginMs = new Histogram();
  readonly counts: LoadCounts = {
    connected: 0,
    online: 0,
    due: 0,
    sent: 0,
    confirmed: 0,
    unsent: 0,
    refused: 0,
    closed: 0,
  };
  readonly kept = new Map<string, KeptPosition[]>();
  /** What kept connections from being made, by error code (`EMFILE`, `ECONNREFUSED` …). */
  readonly errors: Record<string, number> = {};
  readonly #terminals: LoadTerminal[];
  /** Terminals that want a connection, in the order in which they get one. */
  readonly #wanting: LoadTerminal[] = [];
  readonly #pauses = new Set<NodeJS.Timeout>();
  #pace: NodeJS.Timeout | undefined;
  #schedule: NodeJS.Timeout | undefined;
  #startAt = 0;
  #loggingIn = 0;
  /** Index into the schedule: report number `#next` is that of terminal `#next % n`. */
  #next = 0;
  #allDecided = (): void => {};

  constructor(readonly options: LoadOptions) {
    const { roster, from } = options;
    this.#terminals = roster.map((entry, index) => this.#make(entry, index, from[index % from.length]));
  }

  /** Opens the connections at the wanted pace; resolves when all are logged in or refused, or after `timeoutMs`. */
  async connect(timeoutMs: number): Promise<void> {
    this.#wanting.push(...this.#terminals);
    const { connectsPerSecond, loginsAtOnce } = this.options;
    const burst = Math.max(1, connectsPerSecond * burstS);
    let credit = 0;
    let last = performance.now();
    this.#pace = setInterval(() => {
      const now = performance.now();
      credit = Math.min(burst, credit + ((now - last) / 1000) * connectsPerSecond);
      last = now;
      for (; credit >= 1 && this.#wanting.length > 0 && this.#loggingIn < loginsAtOnce; credit -= 1) {
        this.#loggingIn += 1;
        this.#wanting.shift()!.connect();
      }
    }, paceMs);
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#allDecided = resolve;
      timer = setTimeout(resolve, timeoutMs);
    });
    clearTimeout(timer);
  }

  /** Starts the schedule: every terminal once per period, evenly spread. */
  report(): void {
    this.#startAt = performance.now();
    this.#schedule = setInterval(() => this.#tick(), tickMs);
  }

  /** Ends the schedule; resolves when everything sent is confirmed, or after `drainMs`. */
  async drain(drainMs: number): Promise<void> {
    clearInterval(this.#schedule);
    const until = performance.now() + drainMs;
    while (performance.now() < until && this.counts.confirmed < this.counts.sent) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  close(): void {
    clearInterval(this.#schedule);
    clearInterval(this.#pace);
    for (const pause of this.#pauses) clearTimeout(pause);
    for (const terminal of this.#terminals) terminal.close();
  }

  #tick(): void {
    const stepMs = (this.options.everyS * 1000) / this.#terminals.length;
    const now = performance.now();
    for (;;) {
      const dueAt = this.#startAt + this.#next * stepMs;
      if (dueAt > now) return;
      const terminal = this.#terminals[this.#next % this.#terminals.length]!;
      this.#next += 1;
      this.counts.due += 1;
      if (terminal.report(dueAt)) this.counts.sent += 1;
      else this.counts.unsent += 1;
    }
  }

  #make(entry: RosterEntry, index: number, from: string | undefined): LoadTerminal {
    const { counts, delays, loginMs, errors } = this;
    const kept: KeptPosition[] = [];
    const keeps = index < this.options.kept;
    if (keeps) this.kept.set(entry.phone, kept);
    let refused = false;
    const events: LoadEvents = {
      connected: () => void (counts.connected += 1),
      online: (afterMs) => {
        this.#loggingIn -= 1;
        counts.online += 1;
        loginMs.record(afterMs);
        this.#decided();
      },
      refused: () => {
        if (refused) return;
        refused = true;
        this.#loggingIn -= 1;
        counts.refused += 1;
        this.#decided();
      },
      confirmed: (delayMs, position) => {
        counts.confirmed += 1;
        delays.record(delayMs);
        if (keeps) kept.push(position);
      },
      failed: (code) => void (errors[code] = (errors[code] ?? 0) + 1),
      closed: (wasOnline) => {
        counts.closed += 1;
        if (wasOnline) counts.online -= 1;
        else if (!refused) this.#loggingIn -= 1;
        if (!refused) this.#again(terminal);
      },
    };
    const terminal = new LoadTerminal({ ...this.options, from }, entry, events);
    return terminal;
  }

  #decided(): void {
    if (this.counts.online + this.counts.refused >= this.#terminals.length) this.#allDecided();
  }

  #again(terminal: LoadTerminal): void {
    const [from, to] = againMs;
    const pause = setTimeout(
      () => {
        this.#pauses.delete(pause);
        this.#wanting.push(terminal);
      },
      from + Math.random() * (to - from),
    );
    this.#pauses.add(pause);
  }
}
