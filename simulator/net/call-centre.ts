import { drawCall, nextCallMs, type CallPattern } from '../calls.js';
import type { City } from '../city.js';
import type { Random } from '../random.js';
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
  /** An order was assigned to a vehicle by this call centre. */
  onAssigned?: (order: { id: string; number: string }, vehicleId: string) => void;
  /** Open orders at which no more calls are made, so that a slow fleet is not buried. Default 400. */
  mostOpen?: number;
}

interface OpenOrder {
  id: string;
  number: string;
  madeAt: number;
  assignAt: number;
  assigned: boolean;
}

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

  #arm(): void {
    if (this.#stopped) return;
    const at = Math.min(this.#nextRoundAt, ...this.#next);
    this.#timer = setTimeout(() => void this.#run(), this.options.clock.realMsUntil(at));
  }

  async #run(): Promise<void> {
    this.#busy = true;
    const { clock, patterns, random } = this.options;
    const now = clock.now();
    for (const [i, pattern] of patterns.entries()) {
      if (now < this.#next[i]!) continue;
      const over = pattern.toMin !== undefined && now >= this.#startedAt + pattern.toMin * 60_000;
      this.#next[i] = over ? Infinity : Math.max(this.#next[i]! + nextCallMs(pattern, random), now - 60_000);
      if (!over && this.#open.size < (this.options.mostOpen ?? 400)) await this.#attempt(() => this.#call(pattern, now));
    }
    if (now >= this.#nextRoundAt) {
      this.#nextRoundAt = now + roundMs;
      for (const order of [...this.#open.values()]) {
        if (this.#stopped) break;
        await this.#attempt(() => this.#lookAfter(order, clock.now()));
      }
    }
    this.#busy = false;
    this.#arm();
  }

  async #call(pattern: CallPattern, now: number): Promise<void> {
    const { api, city, random, repairCentreId, issues, assignsAfterMs } = this.options;
    const order = await api.post<{ id: string; number: string }>('/orders', drawCall(city, pattern, random));
    this.counts.made += 1;
    const assignAt = assignsAfterMs === undefined ? Infinity : now + assignsAfterMs;
    this.#open.set(order.id, { id: order.id, number: order.number, madeAt: now, assignAt, assigned: false });
    if (!issues) return;
    await api.post(`/orders/${order.id}/issue`, { repairCentreId });
    this.counts.issued += 1;
  }

  async #lookAfter(order: OpenOrder, now: number): Promise<void> {
    const { api, callsBack } = this.options;
    if (!order.assigned && now < order.assignAt) return;
    const current = await api.get<{ stage: string; legs: { state: string }[] }>(`/orders/${order.id}`);
    switch (current.stage) {
      case 'issued':
      case 'atCentre':
        order.assigned = false;
        await this.#assign(order, now);
        return;
      case 'repaired':
        if (!callsBack) this.#open.delete(order.id);
        else await api.post(`/orders/${order.id}/record`, { record: { cause: '设备老化', done: '更换后恢复供电' } });
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
    const { api, onAssigned } = this.options;
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
    onAssigned?.(order, best.vehicleId);
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

interface Candidate {
  vehicleId: string;
  refused?: unknown;
}
type Candidates = Candidate[] | { items: Candidate[] };
