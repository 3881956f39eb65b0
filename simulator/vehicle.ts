import type { City } from './city.js';
import { Crew } from './crew.js';
import type { Place } from './geo.js';
import type { Habits } from './habits.js';
import type { Random } from './random.js';
import type { Terminal } from './terminal/terminal.js';
import type { ScreenOrder, ScreenStep } from './terminal/types.js';
import { Truck } from './truck.js';

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
    this.truck = new Truck({
      city,
      random: random.stream('truck'),
      now,
      ...(options.gpsErrorM === undefined ? {} : { gpsErrorM: options.gpsErrorM }),
      ...(options.start === undefined ? {} : { start: city.projection.toPoint(options.start) }),
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
    this.#nextPatrolAt = now + this.#random.between(10_000, 240_000);
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
      if (this.#nextReportAt <= now) this.#nextReportAt = now + this.terminal.flash.reportMs;
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

  /** With nothing to do a crew drives to some place and waits there a while. */
  #patrol(now: number): void {
    if (!this.#patrols || now < this.#nextPatrolAt) return;
    this.#nextPatrolAt = now + this.#random.between(120_000, 900_000);
    if (this.truck.driving || this.crew?.onBreak === true || (this.crew !== undefined && !this.crew.idle)) return;
    if (this.orders().length > 0) return;
    this.truck.goTo(this.#options.city.randomAddress(this.#random).place);
  }
}
