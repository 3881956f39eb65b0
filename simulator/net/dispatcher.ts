import type { Place } from '../geo.js';
import type { ScreenStep } from '../terminal/types.js';
import type { Api } from './api.js';
import type { FleetClock } from './clock.js';

export interface OpenOrder {
  id: string;
  number: string;
  address: string;
  place: Place;
  /** Nobody assigns it before this, gateway time; Infinity: never, a trainee does. */
  assignAt: number;
}

export interface DispatcherOptions {
  api: Api;
  clock: FleetClock;
  /** Assigns orders, and enters what crews say over the radio. False: a trainee at the console does. */
  assigns: boolean;
  /** Calls the customer back after the repair and closes the order. */
  callsBack: boolean;
  /** Phones the crew of a vehicle whose terminal has no screen: an order, or that it is off. */
  phone: (vehicleId: string, order: OpenOrder, off: boolean) => void;
}

/** What a crew says over the radio, and the step that the dispatcher enters for it. */
const enteredSteps: Partial<Record<ScreenStep, string>> = { accept: 'accept', done: 'complete' };
/** Between two rounds, ms of gateway time. */
const roundMs = 5_000;
/** An order for which no vehicle was found is tried again so much later, ms of gateway time. */
const againMs = 60_000;
/** Orders that the API shows in one answer. */
const idsAtOnce = 100;
/** Entries that wait: a crew says two things about an order. */
const mostEntries = 10_000;

interface ShownOrder {
  id: string;
  stage: string;
  legs: { vehicleId: string }[];
}

interface Candidate {
  vehicleId: string;
  refused?: string;
}

/**
 * The dispatcher where none sits at the console: assigns orders to the first recommended vehicle, enters what crews say
 * over the radio, records and closes orders after the repair. One round after the other; each begins with one look at
 * all open orders.
 */
export class Dispatcher {
  readonly counts = { assigned: 0, closed: 0, failed: 0 };
  /** The last thing that went wrong, for the report. */
  lastError: string | undefined;
  readonly #open = new Map<string, OpenOrder>();
  readonly #entries: { order: OpenOrder; step: string }[] = [];
  /** Orders for which no vehicle could be found at the last look, and why not. */
  readonly #unsuited = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #stopped = false;

  constructor(private readonly options: DispatcherOptions) {}

  /** Open orders that are looked after. */
  get open(): number {
    return this.#open.size;
  }

  start(): void {
    this.#later();
  }

  /** Resolves when what is being asked of the API is answered. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#round;
  }

  /** A new order. */
  take(order: OpenOrder): void {
    this.#open.set(order.id, order);
  }

  /** A crew without keys has said something over the radio. */
  heard(number: string, step: ScreenStep): void {
    const entered = enteredSteps[step];
    if (entered === undefined || !this.options.assigns || this.#entries.length >= mostEntries) return;
    for (const order of this.#open.values()) if (order.number === number) this.#entries.push({ order, step: entered });
  }

  /** What a person should read about orders that nobody has. */
  notes(): string[] {
    const reasons = new Map<string, number>();
    for (const reason of this.#unsuited.values()) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    return [...reasons].map(([reason, count]) => `${count} orders without a vehicle: ${reason}`);
  }

  #later(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#round = this.#look().then(() => this.#later());
    }, roundMs / this.options.clock.rate);
  }

  async #look(): Promise<void> {
    for (let entry = this.#entries.shift(); entry !== undefined; entry = this.#entries.shift()) {
      const { order, step } = entry;
      await this.#attempt(() => this.options.api.post(`/orders/${order.id}/${step}`, { note: 'radio' }));
    }
    const ids = [...this.#open.keys()];
    for (let from = 0; from < ids.length && !this.#stopped; from += idsAtOnce) {
      await this.#attempt(() => this.#lookAt(ids.slice(from, from + idsAtOnce)));
    }
  }

  async #lookAt(ids: readonly string[]): Promise<void> {
    const { items } = await this.options.api.get<{ items: ShownOrder[] }>(`/orders?ids=${ids.join(',')}`);
    for (const shown of items) {
      if (this.#stopped) return;
      await this.#attempt(() => this.#lookAfter(this.#open.get(shown.id)!, shown));
    }
  }

  async #lookAfter(order: OpenOrder, { stage, legs }: ShownOrder): Promise<void> {
    const { api, clock, callsBack, phone } = this.options;
    if (stage !== 'dispatched') for (const leg of legs) phone(leg.vehicleId, order, true);
    switch (stage) {
      case 'issued':
      case 'atCentre':
        if (this.options.assigns && clock.now() >= order.assignAt) await this.#assign(order);
        return;
      case 'repaired':
        if (!callsBack) this.#forget(order.id);
        else await api.post(`/orders/${order.id}/record`, { record: faultRecord(new Date(clock.now())) });
        return;
      case 'recorded':
        if (callsBack) await api.post(`/orders/${order.id}/callback`, { result: 'satisfied' });
        this.counts.closed += 1;
        this.#forget(order.id);
        return;
      case 'closed':
      case 'withdrawn':
      case 'merged':
        this.#forget(order.id);
        return;
      default:
    }
  }

  async #assign(order: OpenOrder): Promise<void> {
    const { api, clock, phone } = this.options;
    const { items } = await api.get<{ items: Candidate[] }>(`/orders/${order.id}/candidates`);
    const best = items.find((one) => one.refused === undefined);
    if (best === undefined) {
      order.assignAt = clock.now() + againMs;
      this.#unsuited.set(order.id, items[0]?.refused ?? 'the centre has no vehicles');
      return;
    }
    this.#unsuited.delete(order.id);
    await api.post(`/orders/${order.id}/assign`, { vehicleId: best.vehicleId });
    this.counts.assigned += 1;
    phone(best.vehicleId, order, false);
  }

  #forget(orderId: string): void {
    this.#open.delete(orderId);
    this.#unsuited.delete(orderId);
  }

  /** What the API refuses is counted and shown; the show goes on. */
  async #attempt(act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
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
