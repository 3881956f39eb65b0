import { drawCall, nextCallMs, type CallPattern } from '../calls.js';
import type { City } from '../city.js';
import type { Random } from '../random.js';
import type { ScreenStep } from '../terminal/types.js';
import type { Api } from './api.js';
import type { FleetClock } from './clock.js';
import { Dispatcher, type OpenOrder } from './dispatcher.js';

export interface CallCentreOptions {
  api: Api;
  clock: FleetClock;
  city: City;
  random: Random;
  patterns: readonly CallPattern[];
  repairCentreId: string;
  /** Issues every order at once, as a shift supervisor would. */
  issues: boolean;
  /** Assigns orders that nobody has assigned after this time (ms of gateway time); undefined: never. */
  assignsAfterMs?: number;
  /** Calls the customer back after the repair and closes the order. */
  callsBack: boolean;
  /** Phones the crew of a vehicle whose terminal has no screen: an order, or that it is off. */
  phone: (vehicleId: string, order: OpenOrder, off: boolean) => void;
  /** Open orders at which no more calls are made, so that a slow fleet is not buried. Default 400. */
  mostOpen?: number;
}

/** A call that could not be taken when it came is taken at most so much late, ms of gateway time. */
const mostLateMs = 60_000;
/** A timer sleeps no longer, ms of the machine: the next call of a quiet day may be weeks away. */
const longestSleepMs = 60_000;

/** Customers and the agents who take their calls: makes orders over the API by rate and place, and issues them. */
export class CallCentre {
  readonly #dispatcher: Dispatcher;
  readonly #counts = { made: 0, issued: 0, failed: 0 };
  #lastError: string | undefined;
  readonly #startedAt: number;
  readonly #next: number[];
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #stopped = false;

  constructor(private readonly options: CallCentreOptions) {
    const { api, clock, patterns, random, assignsAfterMs, callsBack, phone } = options;
    this.#startedAt = clock.now();
    this.#next = patterns.map((pattern) => {
      const start = this.#startedAt + (pattern.fromMin ?? 0) * 60_000;
      return start + nextCallMs(pattern, random);
    });
    this.#dispatcher = new Dispatcher({ api, clock, assigns: assignsAfterMs !== undefined, callsBack, phone });
  }

  get counts(): { made: number; issued: number; assigned: number; closed: number; failed: number } {
    const { assigned, closed, failed } = this.#dispatcher.counts;
    return { ...this.#counts, assigned, closed, failed: failed + this.#counts.failed };
  }

  /** Anything that a person should read. */
  notes(): string[] {
    const error = this.#lastError ?? this.#dispatcher.lastError;
    return [...(error === undefined ? [] : [`call centre: ${error}`]), ...this.#dispatcher.notes()];
  }

  start(): void {
    this.#dispatcher.start();
    this.#arm();
  }

  /** No more calls; resolves when what is being asked of the API is answered. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await Promise.all([this.#round, this.#dispatcher.stop()]);
  }

  /** A crew without keys has said something over the radio: the dispatcher enters it, where this is the dispatcher. */
  heard(number: string, step: ScreenStep): void {
    this.#dispatcher.heard(number, step);
  }

  #arm(): void {
    const at = Math.min(...this.#next);
    if (this.#stopped || at === Infinity) return;
    this.#timer = setTimeout(
      () => {
        this.#round = this.#dueCalls().then(() => this.#arm());
      },
      Math.min(longestSleepMs, this.options.clock.realMsUntil(at)),
    );
  }

  async #dueCalls(): Promise<void> {
    const { patterns, random, clock, mostOpen = 400 } = this.options;
    const now = clock.now();
    for (const [i, pattern] of patterns.entries()) {
      if (now < this.#next[i]!) continue;
      const over = pattern.toMin !== undefined && now >= this.#startedAt + pattern.toMin * 60_000;
      this.#next[i] = over ? Infinity : Math.max(this.#next[i]! + nextCallMs(pattern, random), now - mostLateMs);
      if (over || this.#dispatcher.open >= mostOpen) continue;
      try {
        await this.#call(pattern, now);
      } catch (error) {
        this.#counts.failed += 1;
        this.#lastError = (error as Error).message;
      }
    }
  }

  async #call(pattern: CallPattern, now: number): Promise<void> {
    const { api, city, random, repairCentreId, issues, assignsAfterMs } = this.options;
    const call = drawCall(city, pattern, random);
    const { id, number } = await api.post<{ id: string; number: string }>('/orders', call);
    this.#counts.made += 1;
    const assignAt = assignsAfterMs === undefined ? Infinity : now + assignsAfterMs;
    const { address, lat, lon } = call.site;
    this.#dispatcher.take({ id, number, address, place: { lat, lon }, assignAt });
    if (!issues) return;
    await api.post(`/orders/${id}/issue`, { repairCentreId });
    this.#counts.issued += 1;
  }
}
