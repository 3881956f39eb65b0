import { drawCall, nextCallMs, type CallPattern } from '../calls.js';
import type { City } from '../city.js';
import type { Place } from '../geo.js';
import type { Random } from '../random.js';
import type { ScreenStep } from '../terminal/types.js';
import type { Api } from './api.js';
import type { FleetClock } from './clock.js';

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
  phone?: (vehicleId: string, order: OpenOrder, off: boolean) => void;
  /** Open orders at which no more calls are made, so that a slow fleet is not buried. Default 400. */
  mostOpen?: number;
}

export interface OpenOrder {
  id: string;
  number: string;
  address: string;
  place: Place;
  assignAt: number;
  assigned: boolean;
}

/** What a crew says over the radio, and the step that the dispatcher enters for it. */
const enteredSteps: Partial<Record<ScreenStep, string>> = { accept: 'accept', done: 'complete' };

/** Orders are looked after this often, ms of gateway time. */
const roundMs = 5_000;

/**
 * Customers, call-centre agents and, where none sits there, the dispatcher: makes orders over the API by rate and place,
 * issues them, assigns them to the first recommended vehicle, records and closes them after the repair.
 */
export class CallCentre {
  readonly counts = { made: 0, issued: 0, assigned: 0, closed: 0, failed: 0 };
  /** The last thing that went wrong, for the report. */
  lastError: string | undefined;
  readonly #startedAt: number;
  readonly #open = new Map<string, OpenOrder>();
  readonly #next: number[];
  readonly #entries: { order: OpenOrder; step: string }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #busy = false;
  #stopped = false;
  #nextRoundAt: number;

  constructor(private readonly options: CallCentreOptions) {
    this.#startedAt = options.clock.now();
    this.#nextRoundAt = this.#startedAt + roundMs;
    this.#next = options.patterns.map((pattern) => {
      const start = this.#startedAt + (pattern.fromMin ?? 0) * 60_000;
      return start + nextCallMs(pattern, options.random);
    });
  }

  start(): void {
    this.#arm();
  }

  /** No more calls; resolves when what is being asked of the API is answered. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    while (this.#busy) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  /** A crew without keys has said something over the radio: the dispatcher enters it, where this is the dispatcher. */
  heard(number: string, step: ScreenStep): void {
    const entered = enteredSteps[step];
    if (entered === undefined || this.options.assignsAfterMs === undefined) return;
    for (const order of this.#open.values()) if (order.number === number) this.#entries.push({ order, step: entered });
    this.#nextRoundAt = this.options.clock.now();
    this.#arm();
  }

  #arm(): void {
    if (this.#stopped || this.#busy) return;
    clearTimeout(this.#timer);
    const at = Math.min(this.#nextRoundAt, ...this.#next);
    this.#timer = setTimeout(() => void this.#run(), this.options.clock.realMsUntil(at));
  }

  async #run(): Promise<void> {
    this.#busy = true;
    const { clock } = this.options;
    const now = clock.now();
    await this.#dueCalls(now);
    if (now >= this.#nextRoundAt) {
      this.#nextRoundAt = now + roundMs;
      for (let entry = this.#entries.shift(); entry !== undefined; entry = this.#entries.shift()) {
        const { order, step } = entry;
        await this.#attempt(async () => {
          await this.options.api.post(`/orders/${order.id}/${step}`, { note: 'radio' });
        });
      }
      for (const order of [...this.#open.values()]) {
        if (this.#stopped) break;
        // Hundreds of open orders take a while: customers do not wait for the end of the round.
        await this.#dueCalls(clock.now());
        await this.#attempt(() => this.#lookAfter(order, clock.now()));
      }
    }
    this.#busy = false;
    this.#arm();
  }

  async #dueCalls(now: number): Promise<void> {
    const { patterns, random } = this.options;
    for (const [i, pattern] of patterns.entries()) {
      if (now < this.#next[i]!) continue;
      const over = pattern.toMin !== undefined && now >= this.#startedAt + pattern.toMin * 60_000;
      this.#next[i] = over ? Infinity : Math.max(this.#next[i]! + nextCallMs(pattern, random), now - 60_000);
      if (!over && this.#open.size < (this.options.mostOpen ?? 400))
        await this.#attempt(() => this.#call(pattern, now));
    }
  }

  async #call(pattern: CallPattern, now: number): Promise<void> {
    const { api, city, random, repairCentreId, issues, assignsAfterMs } = this.options;
    const call = drawCall(city, pattern, random);
    const { id, number } = await api.post<{ id: string; number: string }>('/orders', call);
    this.counts.made += 1;
    const assignAt = assignsAfterMs === undefined ? Infinity : now + assignsAfterMs;
    const { address, lat, lon } = call.site;
    this.#open.set(id, { id, number, address, place: { lat, lon }, assignAt, assigned: false });
    if (!issues) return;
    await api.post(`/orders/${id}/issue`, { repairCentreId });
    this.counts.issued += 1;
  }

  async #lookAfter(order: OpenOrder, now: number): Promise<void> {
    const { api, callsBack, phone } = this.options;
    if (!order.assigned && now < order.assignAt) return;
    const current = await api.get<{ stage: string; legs: { vehicleId: string }[] }>(`/orders/${order.id}`);
    if (current.stage !== 'dispatched') for (const leg of current.legs) phone?.(leg.vehicleId, order, true);
    switch (current.stage) {
      case 'issued':
      case 'atCentre':
        order.assigned = false;
        await this.#assign(order, now);
        return;
      case 'repaired':
        if (!callsBack) this.#open.delete(order.id);
        else await api.post(`/orders/${order.id}/record`, { record: faultRecord(new Date(now)) });
        return;
      case 'recorded':
        if (callsBack) await api.post(`/orders/${order.id}/callback`, { result: 'satisfied' });
        this.counts.closed += 1;
        this.#open.delete(order.id);
        return;
      case 'closed':
      case 'withdrawn':
      case 'merged':
        this.#open.delete(order.id);
        return;
      default:
        order.assigned = true;
    }
  }

  async #assign(order: OpenOrder, now: number): Promise<void> {
    const { api, phone } = this.options;
    const candidates = await api.get<Candidates>(`/orders/${order.id}/candidates`);
    const list = Array.isArray(candidates) ? candidates : candidates.items;
    const best = list.find((one) => one.refused === undefined || one.refused === false);
    if (best === undefined) {
      order.assignAt = now + 60_000;
      return;
    }
    await api.post(`/orders/${order.id}/assign`, { vehicleId: best.vehicleId });
    order.assigned = true;
    this.counts.assigned += 1;
    phone?.(best.vehicleId, order, false);
  }

  /** What the API refuses is counted and shown; the show goes on. */
  async #attempt(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.counts.failed += 1;
      this.lastError = (error as Error).message;
    }
  }
}

/** A complete record, whatever the kind of fault asks for. */
function faultRecord(restoredAt: Date): Record<string, unknown> {
  return {
    cause: '设备老化',
    done: '更换后恢复供电',
    equipment: '熔断器',
    materials: '熔丝 3 根',
    powerRestoredAt: restoredAt.toISOString(),
  };
}

interface Candidate {
  vehicleId: string;
  refused?: unknown;
}
type Candidates = Candidate[] | { items: Candidate[] };
