/**
 * The newest position of every vehicle, told to all open streams once a second. It is made into text once and not once
 * for each stream, and only in the form that a stream asks for; a stream that was not ready for a second gets the newest at the next one, so nothing piles up.
 */
import type { DispatchPort } from '../ports.js';
import type { Position } from '../store/position-batch.js';
import { positionRow, positionView } from '../views/position.js';

export class LivePosition {
  readonly vehicleId: string;
  readonly lat: number;
  readonly lon: number;
  #json: string | undefined;
  #row: string | undefined;

  /** @param tick number of the second in which it came */
  constructor(
    private readonly position: Position,
    readonly centreId: string | undefined,
    readonly tick: number,
  ) {
    this.vehicleId = position.vehicleId;
    this.lat = position.latE6 / 1e6;
    this.lon = position.lonE6 / 1e6;
  }

  /** `{"vehicleId":…,…}` */
  get json(): string {
    return (this.#json ??= JSON.stringify({ vehicleId: this.vehicleId, ...positionView(this.position) }));
  }
  /** `[vehicleId,lat,lon,headingDeg,speedKmh,deviceAt,receivedAt]` */
  get row(): string {
    return (this.#row ??= JSON.stringify(positionRow(this.position)));
  }
}

/** Real time: it is about screens, not about the gateway's clock. */
const TICK_MS = 1_000;
/** Centres of vehicles are read again after this many ticks: vehicles seldom move to another centre. */
const FORGET_TICKS = 60;

export class PositionHub {
  readonly #newest = new Map<string, LivePosition>();
  readonly #listeners = new Set<() => void>();
  readonly #centres = new Map<string, string | undefined>();
  #pending = new Map<string, Position>();
  #tick = 0;
  #running: { cancel(): void } | undefined;

  constructor(private readonly dispatch: DispatchPort) {}

  /** Number of the last tick. */
  get tick(): number {
    return this.#tick;
  }

  /** Calls `on` after each tick that brought something. The hub works only while somebody listens. */
  listen(on: () => void): { cancel(): void } {
    this.#listeners.add(on);
    this.#running ??= this.#start();
    return {
      cancel: () => {
        this.#listeners.delete(on);
        if (this.#listeners.size > 0) return;
        this.#running?.cancel();
        this.#running = undefined;
        this.#newest.clear();
      },
    };
  }

  /** What came after that tick. */
  *since(tick: number): Generator<LivePosition> {
    for (const position of this.#newest.values()) if (position.tick > tick) yield position;
  }

  /** The last position of every vehicle, for a stream that begins. */
  async all(): Promise<LivePosition[]> {
    const last = await this.dispatch.lastPositions();
    await this.#learnCentres(last.keys());
    return [...last.values()].map((position) => this.#live(position));
  }

  #start(): { cancel(): void } {
    const positions = this.dispatch.onPositions((batch) => {
      for (let i = 0; i < batch.length; i++) {
        const position = batch.at(i);
        this.#pending.set(position.vehicleId, position);
      }
    });
    let busy = false;
    const timer = setInterval(() => {
      if (busy || this.#pending.size === 0) return;
      busy = true;
      void this.#turn().finally(() => (busy = false));
    }, TICK_MS);
    timer.unref();
    return {
      cancel: () => {
        positions.cancel();
        clearInterval(timer);
        this.#pending.clear();
      },
    };
  }

  async #turn(): Promise<void> {
    const came = this.#pending;
    this.#pending = new Map();
    if (this.#tick % FORGET_TICKS === 0) this.#centres.clear();
    await this.#learnCentres(came.keys()).catch(() => undefined);
    this.#tick++;
    for (const position of came.values()) this.#newest.set(position.vehicleId, this.#live(position));
    for (const on of this.#listeners) on();
  }

  async #learnCentres(ids: Iterable<string>): Promise<void> {
    const unknown = [...ids].filter((id) => !this.#centres.has(id));
    const found = await this.dispatch.getMany('vehicle', unknown);
    unknown.forEach((id, i) => this.#centres.set(id, found[i]?.value?.repairCentreId));
  }

  #live(position: Position): LivePosition {
    return new LivePosition(position, this.#centres.get(position.vehicleId), this.#tick);
  }
}
