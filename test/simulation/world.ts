import type { StoredEvent } from '../../dispatch/domain/events.js';
import { Random } from '../../simulator/index.js';
import { Account } from './account.js';
import { BadStore } from './bad-store.js';
import { enrol } from './fleet.js';
import { Judge } from './judge.js';
import { misfortune } from './misfortune.js';
import { Office } from './office.js';
import { Platform } from './platform.js';
import { SimTime } from './time.js';
import type { SimTruck } from './truck.js';

export interface Outcome {
  seed: number;
  /** What was found wrong; empty when everything held. */
  faults: string[];
  /** Readable account of the run, one line each. */
  trace: string[];
  /** The event log at the end. */
  events: readonly StoredEvent[];
  /** Figures of the run: how much happened in it. */
  counts: Record<string, number>;
}

/** 2026-03-14 16:00 at the depot. */
const startAt = Date.UTC(2026, 2, 14, 8);
/**
 * The storm lasts so long, by seed: most worlds are short, for what goes wrong soon goes wrong in many of them; some are
 * long enough for what needs a history.
 */
const stormsMs = { short: [30_000, 90_000], long: [2 * 60_000, 6 * 60_000] } as const;
const longPart = 0.25;
export type Storm = keyof typeof stormsMs;
/** After the faults: long enough for the pause of what was set aside (5 min) to pass twice. */
const patienceMs = 16 * 60_000;
/** The judges look this often. */
const lookMs = 5_000;
/** So long it must stay in order. */
const calmMs = 10_000;
const centre = 'centre-1';

/**
 * One world from one seed: the product's sessions, gate, reader, deliveries and rules over a store that fails on
 * purpose, simulated terminals behind a bad radio, dispatchers who do things at random, power cuts. First nothing bad
 * may happen; then the faults stop and everything must arrive.
 * @param storm how long it lasts; by seed where it is not said
 */
export async function simulate(seed: number, storm?: Storm): Promise<Outcome> {
  const time = new SimTime(startAt);
  time.take();
  const { stackTraceLimit } = Error;
  // Rules that want a document which is not loaded throw: thousands of times a second, here without looking where.
  Error.stackTraceLimit = 0;
  try {
    return await new World(seed, time, storm).run();
  } finally {
    time.restore();
    Error.stackTraceLimit = stackTraceLimit;
  }
}

class World {
  readonly #random: Random;
  readonly #account: Account;
  readonly #trucks: SimTruck[] = [];
  readonly #bad: BadStore;
  readonly #platform: Platform;
  readonly #office: Office;
  readonly #judge: Judge;
  #storms = true;

  constructor(
    readonly seed: number,
    private readonly time: SimTime,
    private readonly storm: Storm | undefined,
  ) {
    const random = (this.#random = new Random(seed));
    const account = (this.#account = new Account(time));
    const trucks = this.#trucks;
    this.#bad = new BadStore(time, random.stream('store'), account);
    const { store } = this.#bad;
    this.#platform = new Platform(time, random, this.#bad, trucks, account);
    this.#office = new Office(time, random, centre, store, this.#platform, trucks, account);
    this.#judge = new Judge(store, this.#office, trucks);
  }

  async run(): Promise<Outcome> {
    await this.#rage();
    await this.#calm();
    const { faults } = this.#account;
    faults.push(...(await this.#judge.unfinished()));
    await this.#look('after the storm');
    faults.push(...(await this.#judge.kept()));
    this.#platform.end();
    return this.#outcome();
  }

  /** Everything goes wrong, and nothing bad may happen. */
  async #rage(): Promise<void> {
    const { time } = this;
    const untilAt = startAt + (await this.#begin());
    while (time.now() < untilAt && this.#account.faults.length === 0) {
      await time.run(Math.min(untilAt, time.now() + lookMs));
      await this.#look('in the storm');
    }
  }

  /** Gateways start, vehicles are put on file, and the storm breaks. @returns how long it lasts, ms */
  async #begin(): Promise<number> {
    const { time } = this;
    const length = this.#random.stream('length');
    const [shortest, longest] = stormsMs[this.storm ?? (length.chance(longPart) ? 'long' : 'short')];
    const lengthMs = length.between(shortest, longest);
    const storms = (): boolean => this.#storms;
    const nodes = this.#random.stream('nodes');
    const [platform, office, account] = [this.#platform, this.#office, this.#account];
    platform.start('node-1');
    if (nodes.chance(0.4)) {
      platform.start('node-2');
      if (nodes.chance(0.6)) time.after(nodes.between(20_000, lengthMs / 2), () => platform.lose(nodes, storms));
    }
    account.faults.push(...(await platform.someNodeUp()));
    const around = {
      time,
      account,
      centre,
      door: platform.any.bind(platform),
      siteOf: (number: string) => office.siteOf(number),
      command: office.command.bind(office),
    };
    await enrol(this.#random, around, this.#trucks);
    misfortune(this.#random, { time, platform, bad: this.#bad, trucks: this.#trucks, account, storms });
    office.work(storms);
    return lengthMs;
  }

  /** The faults stop, and everything must arrive. */
  async #calm(): Promise<void> {
    const { time } = this;
    const { faults } = this.#account;
    this.#storms = false;
    this.#bad.heal();
    this.#account.note('world', 'the faults stop');
    for (const node of this.#platform.nodes) this.#platform.start(node);
    faults.push(...(await this.#platform.someNodeUp()));
    for (const truck of this.#trucks) {
      truck.heal();
      truck.working = false;
    }
    const until = time.now() + patienceMs;
    while (time.now() < until && faults.length === 0) {
      await time.run(time.now() + lookMs);
      if ((await this.#judge.unfinished()).length > 0) continue;
      // What is in order must stay so: something may still be on its way.
      await time.run(time.now() + calmMs);
      if ((await this.#judge.unfinished()).length === 0) break;
    }
  }

  async #look(when: string): Promise<void> {
    for (const fault of await this.#judge.always()) this.#account.faults.push(`${when}: ${fault}`);
  }

  #outcome(): Outcome {
    const { trace, faults, counts } = this.#account;
    const { events } = this.#judge;
    const sum = (of: (truck: SimTruck) => number): number => this.#trucks.reduce((all, truck) => all + of(truck), 0);
    this.#account.count('timers', this.time.fired);
    this.#account.count('events', events.length);
    this.#account.count(
      'positions',
      sum((truck) => truck.positions.length),
    );
    this.#account.count(
      'keys',
      sum((truck) => truck.keys.length),
    );
    return { seed: this.seed, faults: [...new Set(faults)], trace, events, counts };
  }
}
