/** Keeps the forecast of every dispatched order fresh: from the vehicle's last position, its speed and its queue. */
import { forecast, stopsOf, stretchesOf, type Eta, type EtaStop } from './domain/eta.js';
import type { Actor } from './domain/events.js';
import type { Place } from './domain/geo.js';
import { effectiveOpenLeg, isOnSite } from './domain/leg-states.js';
import type { Order, Vehicle } from './domain/model.js';
import type { DispatchPort } from './ports.js';
import type { Road } from './road.js';
import type { Position } from './store/position-batch.js';

interface Log {
  error(fields: Record<string, unknown>, message: string): void;
}

/** How often all forecasts are looked at (gateway time). */
const EVERY_MS = 20_000;
/** A forecast that moves less than this is the same forecast. */
const SAME_MS = 60_000;
/** A position older than this says nothing about where the vehicle is. */
const STALE_MS = 15 * 60_000;
/** Speed is averaged over this much of the track. */
const SPEED_WINDOW_MS = 10 * 60_000;
const MOVING_DECI_KMH = 50;
const ACTOR: Actor = { source: 'rule', name: 'forecast', roles: [] };

export class Forecasts {
  #timer: { cancel(): void } | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(
    private readonly dispatch: DispatchPort,
    private readonly road: Road,
    private readonly log: Log,
  ) {}

  start(): void {
    this.#timer = this.dispatch.clock.every(EVERY_MS, () => {
      this.#running = this.#running
        .then(() => this.renew())
        .catch((error: unknown) => this.log.error({ err: error }, 'forecasts could not be made; they are tried again'));
    });
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    await this.#running;
  }

  /** Looks at every dispatched order once. */
  async renew(): Promise<void> {
    for (let after: string | undefined; ;) {
      const page = await this.dispatch.scan({
        index: 'orders.stage',
        from: 'dispatched/',
        to: 'dispatched0',
        limit: 200,
        ...(after === undefined ? {} : { after }),
      });
      for (const { value } of page.items) {
        await this.#one(value as Order).catch((error: unknown) =>
          this.log.error({ err: error, orderId: (value as Order).id }, 'a forecast could not be made'),
        );
      }
      if (page.next === undefined) return;
      after = page.next;
    }
  }

  async #one(order: Order): Promise<void> {
    const eta = await this.forecastFor(order);
    if (!eta && !order.eta) return;
    const same = eta && order.eta && eta.vehicleId === order.eta.vehicleId && Math.abs(eta.at - order.eta.at) < SAME_MS;
    if (same) return;
    await this.dispatch.execute({ type: 'order.forecast', orderId: order.id, ...(eta ? { eta } : {}) }, ACTOR);
  }

  /** When the vehicle of the order's effective leg is expected; undefined where nothing is known or it is there. */
  async forecastFor(order: Order): Promise<Order['eta']> {
    const leg = effectiveOpenLeg(order);
    if (!leg || isOnSite(leg)) return undefined;
    const vehicle = (await this.dispatch.get('vehicle', leg.vehicleId))?.value;
    if (!vehicle) return undefined;
    const ahead = await this.#ahead(vehicle, order.id);
    const eta = await this.#arrival(vehicle, order.site, ahead);
    return eta && { at: eta.at, madeAt: this.dispatch.clock.now(), vehicleId: vehicle.id, basis: eta.basis };
  }

  /** Arrival of a vehicle at a place after `before`; undefined where its position is unknown or old. */
  async #arrival(vehicle: Vehicle, to: Place, before: EtaStop[]): Promise<Eta | undefined> {
    const now = this.dispatch.clock.now();
    const last = (await this.dispatch.lastPositions([vehicle.id])).get(vehicle.id);
    if (!last || now - last.deviceAt > STALE_MS) return undefined;
    const from = placeOf(last);
    const recentSpeedKmh = await this.#recentSpeed(vehicle.id, now);
    const question = { now, from, before, to, ...(recentSpeedKmh === undefined ? {} : { recentSpeedKmh }) };
    return forecast(question, this.dispatch.settings, await this.road.between(stretchesOf(question)));
  }

  /** What the vehicle does before this order: its queue up to it. */
  async #ahead({ queue: { entries } }: Vehicle, orderId: string): Promise<EtaStop[]> {
    const place = entries.findIndex((entry) => entry.orderId === orderId);
    const before = entries.slice(0, Math.max(0, place));
    const orders = await this.dispatch.getMany('order', before.map((entry) => entry.orderId)); // prettier-ignore
    const byId = new Map(orders.flatMap((one) => (one ? [[one.value.id, one.value] as const] : [])));
    return stopsOf(before, (id) => byId.get(id), this.dispatch.clock.now(), this.dispatch.settings);
  }

  async #recentSpeed(vehicleId: string, now: number): Promise<number | undefined> {
    let sum = 0;
    let count = 0;
    for await (const { speedDeciKmh } of this.dispatch.store.track(vehicleId, now - SPEED_WINDOW_MS, now)) {
      if (speedDeciKmh <= MOVING_DECI_KMH) continue;
      sum += speedDeciKmh / 10;
      count++;
    }
    return count < 3 ? undefined : sum / count;
  }
}

const placeOf = (position: Position): Place => ({ lat: position.latE6 / 1e6, lon: position.lonE6 / 1e6 });
