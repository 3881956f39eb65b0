import type { City } from './city.js';
import { Crew } from './crew.js';
import type { Place } from './geo.js';
import type { Habits } from './habits.js';
import type { Random } from './random.js';
import type { Terminal } from './terminal/terminal.js';
import type { ScreenOrder, ScreenStep } from './terminal/types.js';
import { Beat } from './routes.js';
import { Truck, type Ways } from './truck.js';

export interface VehicleOptions {
  city: City;
  random: Random;
  terminal: Terminal;
  /** Undefined: nobody sits in the truck; keys are pressed by the test. */
  habits: Habits | undefined;
  /** Sends positions by itself. */
  reports: boolean;
  /** Drives around while nothing is to do. */
  patrols: boolean;
  start?: Place;
  /** Drives up and down this line while nothing is to do, from `beatStart` (0 to 1) of it on. */
  beat?: readonly Place[];
  beatStart?: number;
  ways?: Ways;
  now: number;
  gpsErrorM?: number;
  /** What the crew says over voice radio because its terminal has no keys (`text`, `tracker`). */
  says?: (step: ScreenStep, number: string, now: number) => void;
}

/** A crew looks at its screen and the truck once a second. */
const lookEveryMs = 1000;

/** Terminal, truck and crew together; pure, driven by `tick`. */
export class Vehicle {
  readonly terminal: Terminal;
  readonly truck: Truck;
  crew: Crew | undefined;
  /** Positions made so far. */
  reportsMade = 0;
  readonly #random: Random;
  readonly #options: VehicleOptions;
  readonly #beat: Beat | undefined;
  /** Orders that came by phone (profile `tracker`). */
  #told: ScreenOrder[] = [];
  #nextLookAt: number;
  #nextReportAt: number;
  #nextPatrolAt: number;
  #reports: boolean;
  #patrols: boolean;

  constructor(options: VehicleOptions) {
    const { city, random, terminal, now } = options;
    this.#options = options;
    this.#reports = options.reports;
    this.#patrols = options.patrols;
    this.#random = random.stream('vehicle');
    this.terminal = terminal;
    const { projection } = city;
    if (options.beat !== undefined) {
      const points = options.beat.map((place) => projection.toPoint(place));
      this.#beat = new Beat(points, options.beatStart ?? 0);
    }
    const start = this.#beat?.start ?? (options.start && projection.toPoint(options.start));
    this.truck = new Truck({
      city,
      random: random.stream('truck'),
      now,
      ...(options.gpsErrorM === undefined ? {} : { gpsErrorM: options.gpsErrorM }),
      ...(start === undefined ? {} : { start }),
      ...(options.ways === undefined ? {} : { ways: options.ways }),
    });
    const acts = {
      press: (step: ScreenStep, order: { key: string; number: string }, at: number): void => {
        if (this.terminal.hasKeys) {
          this.terminal.press(step, this.terminal.hasApp ? order.key : order.number, at, { at: this.place() });
        } else options.says?.(step, order.number, at);
      },
      duty: (step: 'break' | 'standby', at: number): void => void this.terminal.duty(step, at),
    };
    this.crew =
      options.habits === undefined ? undefined : new Crew(options.habits, random.stream('crew'), this.truck, acts, now);
    this.#nextLookAt = now + Math.floor(this.#random.next() * lookEveryMs);
    // Trucks do not report in step.
    this.#nextReportAt = now + Math.floor(this.#random.next() * terminal.flash.reportMs);
    this.#nextPatrolAt = now + (this.#beat === undefined ? this.#random.between(10_000, 240_000) : 0);
  }

  place(): Place {
    return this.#options.city.projection.toPlace(this.truck.position);
  }

  /** Puts the truck somewhere at once. */
  standAt(place: Place): void {
    this.truck.standAt(this.#options.city.projection.toPoint(place));
  }

  /** Orders that the crew knows: the screen, then what it was told by phone. */
  orders(): ScreenOrder[] {
    const shown = this.terminal.orders();
    return this.#told.length === 0 ? shown : [...shown, ...this.#told];
  }

  /** The dispatcher phones: there is (or is no more) such an order. */
  tell(order: ScreenOrder): void {
    if (!this.#told.some((one) => one.key === order.key)) this.#told.push(order);
  }

  untell(key: string): void {
    this.#told = this.#told.filter((one) => one.key !== key);
  }

  nextAt(): number {
    const look = this.crew === undefined && !this.#patrols ? Infinity : this.#nextLookAt;
    return Math.min(look, this.#reports ? this.#nextReportAt : Infinity, this.terminal.nextAt());
  }

  tick(now: number): void {
    this.terminal.tick(now);
    if (now >= this.#nextLookAt) {
      this.#nextLookAt = now + lookEveryMs;
      this.truck.advance(now);
      this.crew?.look(this.orders(), now);
      this.#patrol(now);
    }
    if (this.#reports && now >= this.#nextReportAt) {
      this.report(now);
      this.#nextReportAt += this.terminal.flash.reportMs;
      // Device times have whole seconds: the next report after a late one is never of the same second.
      if (this.#nextReportAt < Math.floor(now / 1000) * 1000 + 1000) {
        this.#nextReportAt = now + this.terminal.flash.reportMs;
      }
    }
  }

  /** The shift is over: no more positions and keys of its own; what was made is still delivered. */
  endShift(): void {
    this.crew = undefined;
    this.#reports = false;
    this.#patrols = false;
  }

  /** Sends a position now. Device times have whole seconds on most wires, so readings are of whole seconds. */
  report(now: number): void {
    const at = Math.floor(now / 1000) * 1000;
    this.truck.advance(at);
    this.reportsMade += 1;
    this.terminal.report(this.truck.read(at), now);
  }

  /** With nothing to do a crew goes on with its beat, or drives to some place and waits there a while. */
  #patrol(now: number): void {
    if (!this.#patrols || now < this.#nextPatrolAt) return;
    this.#nextPatrolAt = now + (this.#beat === undefined ? this.#random.between(120_000, 900_000) : lookEveryMs);
    if (this.truck.driving || this.crew?.onBreak === true || (this.crew !== undefined && !this.crew.idle)) return;
    if (this.orders().length > 0) return;
    if (this.#beat !== undefined) this.truck.drive(this.#beat.next(this.truck.position));
    else this.truck.goTo(this.#options.city.randomAddress(this.#random).place);
  }
}
