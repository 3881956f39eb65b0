import type { City, RoutePart } from './city.js';
import { headingDeg, type Place, type Point } from './geo.js';
import type { Random } from './random.js';
import { partsOfLine } from './routes.js';

/** One reading of the truck's satellite receiver and sensors. Without `fix` the place is the last one known. */
export interface Reading {
  /** Gateway time, ms UTC. */
  at: number;
  fix: boolean;
  lat: number;
  lon: number;
  altitudeM: number;
  speedKmh: number;
  headingDeg: number;
  ignition: boolean;
  odometerKm: number;
  fuelL: number;
  satellites: number;
}

/** A way on real roads. */
export interface Way {
  line: readonly Place[];
  /** Mean speed on it. */
  limitKmh: number;
}

/** Asks somebody for the way between two places; undefined where none is known. Never rejects. */
export type Ways = (from: Place, to: Place) => Promise<Way | undefined>;

export interface TruckOptions {
  city: City;
  random: Random;
  /** Where it stands at the start. Default: somewhere on a street. */
  start?: Point;
  now: number;
  /** Standard deviation of the satellite error, metres. Default 4. */
  gpsErrorM?: number;
  /** Where ways come from instead of the city's streets. */
  ways?: Ways;
}

const accelerationMs2 = 1.4;
const brakingMs2 = 2.2;
/** Speed at which a truck turns into another street. */
const turnKmh = 18;
const stepMs = 1000;
/** A truck that was not looked at for longer is moved to where it would be without every step in between. */
const longestCatchUpMs = 6 * 3_600_000;

/**
 * A truck on the streets: accelerates, keeps the limit, brakes for turns, waits at some junctions, loses its fix in
 * tunnels. Moves in whole seconds, so what it does never depends on how often somebody looks.
 */
export class Truck {
  position: Point;
  speedKmh = 0;
  heading = 0;
  ignition = false;
  odometerKm: number;
  fuelL: number;

  readonly #city: City;
  readonly #random: Random;
  readonly #gpsErrorM: number;
  readonly #ways: Ways | undefined;
  /** Counts destinations: a way that was asked for an earlier one is not taken. */
  #wish = 0;
  #asking = false;
  #now: number;
  #route: RoutePart[] = [];
  #part = 0;
  /** Metres driven on the current part. */
  #along = 0;
  /** Waits (traffic light, loading) until then. */
  #waitUntil = 0;
  /** Light of the part that lies ahead: decided once per part. */
  #redAhead = false;
  #errorX = 0;
  #errorY = 0;
  #lastFix: Place;

  constructor(options: TruckOptions) {
    this.#city = options.city;
    this.#random = options.random;
    this.#gpsErrorM = options.gpsErrorM ?? 4;
    this.#ways = options.ways;
    this.#now = Math.floor(options.now / stepMs) * stepMs;
    this.position = options.start ?? this.#city.randomAddress(this.#random).point;
    this.odometerKm = Math.round(this.#random.between(3_000, 180_000));
    this.fuelL = this.#random.between(25, 70);
    this.#lastFix = this.#city.projection.toPlace(this.position);
  }

  /** True while it has a destination that it has not reached. */
  get driving(): boolean {
    return this.#asking || this.#moving;
  }

  /** Neither satellites nor, as a rule, a network. */
  get inTunnel(): boolean {
    return this.#moving && this.#route[this.#part]!.tunnel;
  }

  get #moving(): boolean {
    return this.#part < this.#route.length;
  }

  /** Starts the engine and drives to a place; replaces an earlier destination. */
  goTo(place: Place): void {
    const { projection } = this.#city;
    const to = projection.toPoint(place);
    this.drive(this.#ways === undefined ? this.#city.route(this.position, to) : []);
    if (this.#ways === undefined) return;
    this.#asking = true;
    const wish = this.#wish;
    void this.#ways(projection.toPlace(this.position), place).then((way) => {
      if (wish !== this.#wish) return;
      const line = way?.line.map((one) => projection.toPoint(one));
      if (line === undefined) this.drive(this.#city.route(this.position, to));
      else this.drive(partsOfLine([this.position, ...line, to], way!.limitKmh));
    });
  }

  /** Starts the engine and drives this way, which begins where the truck is; replaces an earlier destination. */
  drive(route: RoutePart[]): void {
    this.#wish += 1;
    this.#asking = false;
    this.#route = route;
    this.#part = 0;
    this.#along = 0;
    this.#decideLight();
    if (this.#route.length > 0) this.ignition = true;
  }

  /** Stops where it is; the engine runs on until `switchOff`. */
  halt(): void {
    this.#wish += 1;
    this.#asking = false;
    this.#route = [];
    this.#part = 0;
    this.speedKmh = 0;
  }

  /** Is somewhere else at once, standing. */
  standAt(point: Point): void {
    this.halt();
    this.position = point;
  }

  switchOff(): void {
    this.halt();
    this.ignition = false;
  }

  /** Moves on to `now` (ms of gateway time). Earlier times change nothing. */
  advance(now: number): void {
    if (now - this.#now > longestCatchUpMs) this.#now = Math.floor((now - longestCatchUpMs) / stepMs) * stepMs;
    while (this.#now + stepMs <= now) {
      this.#now += stepMs;
      this.#step();
    }
  }

  /** What the receiver says at `now`; call `advance` first. */
  read(now: number): Reading {
    const { inTunnel } = this;
    // The error of a receiver wanders: each reading keeps most of the last error.
    const keep = 0.9;
    const fresh = this.#gpsErrorM * Math.sqrt(1 - keep * keep);
    this.#errorX = keep * this.#errorX + this.#random.normal(0, fresh);
    this.#errorY = keep * this.#errorY + this.#random.normal(0, fresh);
    if (!inTunnel) {
      this.#lastFix = this.#city.projection.toPlace({
        x: this.position.x + this.#errorX,
        y: this.position.y + this.#errorY,
      });
    }
    return {
      at: now,
      fix: !inTunnel,
      lat: round6(this.#lastFix.lat),
      lon: round6(this.#lastFix.lon),
      altitudeM: Math.round(1500 + this.position.x / 200 + this.position.y / 350),
      speedKmh: Math.round(this.speedKmh * 10) / 10,
      headingDeg: this.heading,
      ignition: this.ignition,
      odometerKm: Math.floor(this.odometerKm * 10) / 10,
      fuelL: Math.floor(this.fuelL * 10) / 10,
      satellites: inTunnel ? 0 : 7 + Math.floor(this.#random.next() * 8),
    };
  }

  #step(): void {
    if (this.ignition) this.fuelL = this.fuelL > 5 ? this.fuelL - 0.0004 : 60;
    if (!this.#moving || this.#now < this.#waitUntil) {
      this.speedKmh = 0;
      return;
    }
    let part = this.#route[this.#part]!;
    this.heading = headingDeg(part.from, part.to);
    const restM = part.lengthM - this.#along;
    const endKmh = this.#speedAtEnd();
    // v² = v_end² + 2·a·s: the most that still lets it brake in time.
    const brakeKmh = Math.sqrt((endKmh / 3.6) ** 2 + 2 * brakingMs2 * Math.max(0, restM - 2)) * 3.6;
    const fasterKmh = this.speedKmh + accelerationMs2 * 3.6;
    this.speedKmh = Math.max(6, Math.min(part.limitKmh, brakeKmh, fasterKmh));
    let metres = this.speedKmh / 3.6;
    this.odometerKm += metres / 1000;
    this.fuelL -= metres / 1000 / 7;
    while (metres >= part.lengthM - this.#along) {
      metres -= part.lengthM - this.#along;
      if (!this.#nextPart()) return;
      if (this.#now < this.#waitUntil) break;
      part = this.#route[this.#part]!;
    }
    if (this.#now >= this.#waitUntil) this.#along += metres;
    this.#place();
  }

  /** Speed that it may have at the end of the current part. */
  #speedAtEnd(): number {
    const next = this.#route[this.#part + 1];
    if (next === undefined || this.#redAhead) return 0;
    const part = this.#route[this.#part]!;
    const turn = Math.abs(((headingDeg(next.from, next.to) - headingDeg(part.from, part.to) + 540) % 360) - 180);
    return turn > 30 ? turnKmh : next.limitKmh;
  }

  /** False when it has arrived. */
  #nextPart(): boolean {
    if (this.#redAhead) {
      this.#waitUntil = this.#now + this.#random.int(5, 40) * 1000;
      this.speedKmh = 0;
    }
    this.#part += 1;
    this.#along = 0;
    if (this.#part >= this.#route.length) {
      this.position = this.#route.at(-1)!.to;
      this.#route = [];
      this.#part = 0;
      this.speedKmh = 0;
      return false;
    }
    this.#decideLight();
    return true;
  }

  #decideLight(): void {
    const part = this.#route[this.#part];
    this.#redAhead = part !== undefined && part.junction && this.#random.chance(0.22);
  }

  #place(): void {
    const part = this.#route[this.#part];
    if (part === undefined) return;
    const t = this.#along / part.lengthM;
    this.position = { x: part.from.x + (part.to.x - part.from.x) * t, y: part.from.y + (part.to.y - part.from.y) * t };
  }
}

function round6(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
