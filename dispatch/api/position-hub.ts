/**
 * The newest position of every vehicle, told to all open streams once a second. It is made into text once and not once
 * for each stream, and only in the form that a stream asks for; a stream that was not ready for a second gets the newest at the next one, so nothing piles up.
 */
import type { DispatchPort } from '../ports.js';
import type { Position } from '../store/position-batch.js';
import { positionRow, positionView } from '../views/position.js';

/** Where a vehicle was before, and since which tick. */
interface Before {
  readonly lat: number;
  readonly lon: number;
  readonly tick: number;
}

export class LivePosition implements Before {
  readonly vehicleId: string;
  readonly lat: number;
  readonly lon: number;
  #json: string | undefined;
  #row: string | undefined;

  /**
   * @param tick number of the second in which it came
   * @param before the one that it took the place of
   */
  constructor(
    private readonly position: Position,
    private readonly centres: ReadonlyMap<string, string | undefined>,
    readonly tick: number,
    readonly before?: Before,
  ) {
    this.vehicleId = position.vehicleId;
    this.lat = position.latE6 / 1e6;
    this.lon = position.lonE6 / 1e6;
  }

  get centreId(): string | undefined {
    return this.centres.get(this.vehicleId);
  }
  is({ deviceAt, receivedAt }: Position): boolean {
    return deviceAt === this.position.deviceAt && receivedAt === this.position.receivedAt;
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
const LEARN_AGAIN_TICKS = 60;

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
        this.#centres.clear();
      },
    };
  }

  /** What came after that tick, as it is now. */
  *since(tick: number): Generator<LivePosition> {
    for (const position of this.#newest.values()) if (position.tick > tick) yield position;
  }

  /** The last position of every vehicle, for a stream that begins. */
  async all(): Promise<LivePosition[]> {
    const last = await this.dispatch.lastPositions();
    await this.#learnCentres(last.keys());
    return [...last.values()].map((position) => {
      const known = this.#newest.get(position.vehicleId);
      if (known?.is(position)) return known;
      const live = new LivePosition(position, this.#centres, this.#tick);
      if (!known) this.#newest.set(position.vehicleId, live);
      return live;
    });
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
    const again = this.#tick % LEARN_AGAIN_TICKS === 0;
    // Where the store fails, those that are known stay so.
    await this.#learnCentres(again ? [...this.#newest.keys(), ...came.keys()] : came.keys(), again).catch(() => undefined); // prettier-ignore
    this.#tick++;
    for (const [vehicleId, position] of came) {
      const before = this.#newest.get(vehicleId);
      // Not the position itself: it would hold the one before it, and so on.
      const was = before && { lat: before.lat, lon: before.lon, tick: before.tick };
      this.#newest.set(vehicleId, new LivePosition(position, this.#centres, this.#tick, was));
    }
    for (const on of this.#listeners) on();
  }

  async #learnCentres(ids: Iterable<string>, again = false): Promise<void> {
    const unknown = [...ids].filter((id) => again || !this.#centres.has(id));
    const found = await this.dispatch.getMany('vehicle', unknown);
    unknown.forEach((id, i) => this.#centres.set(id, found[i]?.value?.repairCentreId));
  }
}
