import type { Command } from '../../dispatch/domain/commands.js';
import type { Actor, StoredEvent } from '../../dispatch/domain/events.js';
import type { Docs, DocKind, Order } from '../../dispatch/domain/model.js';
import { Refusal } from '../../dispatch/domain/tx.js';
import { memoryStore, type Fault } from '../../dispatch/store/memory.js';
import type { DispatchStore } from '../../dispatch/store/store.js';
import { Random, radioByName } from '../../simulator/index.js';
import { Radio } from '../../simulator/radio.js';
import { checkConverged, checkKeys, checkOrder, checkOutbox, checkTrack, LogChecker } from './checkers.js';
import { SimProcess } from './process.js';
import { SimTime } from './time.js';
import { SimTruck, type TruckSpec } from './truck.js';

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
/** More starts than any storm causes: past it a start fails for ever. */
const mostStarts = 300;
const centre = 'centre-1';
/** Kinds of terminals; a world has some that stand beside each other here. */
const fleet: readonly Pick<TruckSpec, 'profile' | 'edition'>[] = [
  { profile: 'smart', edition: 2013 },
  { profile: 'smart', edition: 2019 },
  { profile: 'menu', edition: 2013 },
  { profile: 'menu', edition: 2011 },
  { profile: 'text', edition: 2019 },
  { profile: 'mqtt', edition: 2019 },
  { profile: 'tracker', edition: 2013 },
];
const mostTrucks = 5;
const everybody: Actor = {
  source: 'dispatcher',
  name: 'dispatcher',
  roles: ['administrator', 'agent', 'supervisor', 'dispatcher'],
};

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
  /** Which gateway a command goes to. */
  readonly #desks: Random;
  readonly #trace: string[] = [];
  readonly #faults: string[] = [];
  readonly #counts: Record<string, number> = {};
  readonly #store: DispatchStore;
  readonly #trucks: SimTruck[] = [];
  readonly #orderIds: string[] = [];
  readonly #sites = new Map<string, { lat: number; lon: number }>();
  readonly #log = new LogChecker();
  readonly #events: StoredEvent[] = [];
  /** Gateways on the one store, by node; undefined while one is down. */
  readonly #nodes = new Map<string, SimProcess | undefined>();
  #starts = 0;
  /** The node that never comes back. */
  #gone: string | undefined;
  #chaos = true;
  #storeFails = false;
  /** What terminals send is logged, and nothing is made of it. */
  #commitsFail = false;
  #keys = 0;
  /** Orders that a customer tried to place and never heard of again: they may exist or not. */
  #givenUp = 0;
  /** Orders that are being placed at this moment. */
  #placing = 0;

  constructor(
    readonly seed: number,
    private readonly time: SimTime,
    private readonly storm: Storm | undefined,
  ) {
    this.#random = new Random(seed);
    this.#desks = this.#random.stream('desks');
    const faults = this.#random.stream('store');
    const options = { now: () => time.now(), frozen: true };
    this.#store = memoryStore({ ...options, faults: (write) => this.#storeFault(write, faults) });
  }

  async run(): Promise<Outcome> {
    const length = this.#random.stream('length');
    const [shortest, longest] = stormsMs[this.storm ?? (length.chance(longPart) ? 'long' : 'short')];
    const lengthMs = length.between(shortest, longest);
    const nodes = this.#random.stream('nodes');
    this.#start('node-1');
    if (nodes.chance(0.4)) {
      this.#start('node-2');
      if (nodes.chance(0.6)) this.time.after(nodes.between(20_000, lengthMs / 2), () => this.#lose(nodes));
    }
    await this.#someNodeUp();
    await this.#enrol();
    this.#misfortune();
    this.#dispatcher();
    while (this.time.now() < startAt + lengthMs && this.#faults.length === 0) {
      await this.time.run(Math.min(startAt + lengthMs, this.time.now() + lookMs));
      await this.#check('in the storm');
    }

    this.#chaos = false;
    this.#storeFails = false;
    this.#commitsFail = false;
    this.#note('world', 'the faults stop');
    for (const node of this.#nodes.keys()) this.#start(node);
    await this.#someNodeUp();
    for (const truck of this.#trucks) {
      truck.heal();
      truck.working = false;
    }
    const until = this.time.now() + patienceMs;
    while (this.time.now() < until && this.#faults.length === 0) {
      await this.time.run(this.time.now() + lookMs);
      if ((await this.#unfinished()).length > 0) continue;
      // What is in order must stay so: something may still be on its way.
      await this.time.run(this.time.now() + calmMs);
      if ((await this.#unfinished()).length === 0) break;
    }
    this.#faults.push(...(await this.#unfinished()));
    await this.#check('after the storm');
    for (const truck of this.#trucks) this.#faults.push(...(await checkTrack(this.#store, truck)));
    const orders = await this.#orders();
    for (const truck of this.#trucks) this.#faults.push(...checkKeys(truck, orders, this.#events));
    this.#count('timers', this.time.fired);
    this.#count('events', this.#events.length);
    this.#count(
      'positions',
      this.#trucks.reduce((sum, truck) => sum + truck.positions.length, 0),
    );
    this.#count(
      'keys',
      this.#trucks.reduce((sum, truck) => sum + truck.keys.length, 0),
    );
    for (const process of this.#nodes.values()) process?.kill();
    return {
      events: this.#events,
      seed: this.seed,
      faults: [...new Set(this.#faults)],
      trace: this.#trace,
      counts: this.#counts,
    };
  }

  // ---- the platform

  /** A start may need the store, which may fail: it is tried again, as a supervisor of processes would. */
  #start(node: string): void {
    if (this.#nodes.get(node) !== undefined || node === this.#gone) return;
    const name = `gateway ${++this.#starts}`;
    const random = this.#random.stream(name);
    const process = new SimProcess(this.time, this.#store, random, node, name, (who, what) => this.#note(who, what));
    this.#nodes.set(node, process);
    process.ready.catch(() => {
      process.kill();
      if (this.#nodes.get(node) === process) this.#nodes.set(node, undefined);
      if (this.#starts < mostStarts) this.time.after(2_000, () => this.#start(node));
    });
  }

  /** A gateway that takes connections, any of them; undefined while none does. */
  #anyNode(random: Random): SimProcess | undefined {
    const up = [...this.#nodes.values()].filter((process) => process?.up);
    return up.length === 0 ? undefined : random.pick(up);
  }

  async #someNodeUp(): Promise<void> {
    const until = this.time.now() + mostStarts * 2_000;
    while (![...this.#nodes.values()].some((process) => process?.up)) {
      await this.time.run(this.time.now() + 1_000);
      if (this.time.now() < until) continue;
      this.#faults.push('the gateway does not start any more');
      return;
    }
  }

  #kill(node: string): void {
    const process = this.#nodes.get(node);
    if (process === undefined) return;
    const silent = this.#random.chance(0.3);
    this.#note('world', `power cut of ${node}${silent ? ', nobody is told' : ''}`);
    this.#count('power cuts');
    this.#nodes.set(node, undefined);
    process.kill();
    for (const truck of this.#trucks) truck.link.platformDied(process, silent);
    this.time.after(this.#random.between(500, 20_000), () => this.#start(node));
  }

  /** Of two gateways one is gone for good, with a log that it could not apply: the other has to finish it. */
  #lose(random: Random): void {
    this.#commitsFail = true;
    this.time.after(random.between(8_000, 15_000), () => {
      this.#commitsFail = false;
      if (!this.#chaos) return;
      const node = random.pick([...this.#nodes.keys()]);
      this.#note('world', `${node} is gone for good`);
      this.#count('nodes gone for good');
      this.#gone = node;
      this.#kill(node);
      this.#nodes.delete(node);
    });
  }

  #storeFault(write: string, random: Random): Fault | undefined | Promise<Fault | undefined> {
    if (this.#commitsFail && write === 'commit') return 'fail';
    if (!this.#storeFails) return undefined;
    if (random.chance(0.25)) {
      this.#count('store faults');
      return random.chance(0.6) ? 'fail' : 'loseAnswer';
    }
    if (random.chance(0.2)) {
      return new Promise((resolve) => this.time.after(random.between(10, 1_500), () => resolve(undefined)));
    }
    return undefined;
  }

  // ---- the world

  async #enrol(): Promise<void> {
    const draw = this.#random.stream('fleet');
    const [size, first] = [draw.int(2, mostTrucks), draw.int(0, fleet.length - 1)];
    for (let i = 0; i < size; i++) {
      const kind = fleet[(first + i) % fleet.length]!;
      const phone = `1380000000${i + 1}`;
      const vehicleId = `v${i + 1}`;
      const secret = `secret-of-${phone}`;
      await this.#command({
        type: 'vehicle.create',
        id: vehicleId,
        plate: `京A000${i + 1}`,
        terminal: { phone, profile: kind.profile, ...(kind.profile === 'mqtt' ? { secret } : {}) },
        crew: { name: `crew ${i + 1}`, members: [{ name: 'A' }] },
        repairCentreId: centre,
        trade: 'lowVoltage',
      });
      const random = this.#random.stream(vehicleId);
      const doors = random.stream('doors');
      const conditions = {
        ...radioByName[random.pick(['city', 'bad', 'awful'] as const)],
        outagesPerHour: random.pick([0, 10, 40]),
        natTimeoutMs: 0,
      };
      const radio = new Radio(conditions, random.stream('radio'), this.time.now());
      const site = (number: string): { lat: number; lon: number } | undefined => this.#sites.get(number);
      this.#trucks.push(
        new SimTruck(
          { ...kind, phone, vehicleId, secret },
          this.time,
          random,
          radio,
          () => this.#anyNode(doors),
          (who, what) => this.#note(who, what),
          site,
        ),
      );
    }
  }

  /** Power cuts, spells of a failing store, reboots, holes: each by its own stream. */
  #misfortune(): void {
    const often = (name: string, meanMs: number, act: (random: Random) => void): void => {
      const random = this.#random.stream(name);
      const next = (): void => {
        this.time.after(random.exponential(meanMs), () => {
          if (!this.#chaos) return;
          act(random);
          next();
        });
      };
      next();
    };
    often('power', 150_000, (random) => this.#kill(random.pick([...this.#nodes.keys()])));
    often('disk', 100_000, (random) => {
      this.#storeFails = true;
      this.#note('world', 'the store begins to fail');
      this.time.after(random.between(500, 15_000), () => {
        this.#storeFails = false;
        this.#note('world', 'the store works again');
      });
    });
    often('reboots', 90_000, (random) => random.pick(this.#trucks).reboot());
    often('holes', 60_000, (random) => random.pick(this.#trucks).link.lose());
  }

  /** Somebody at a console, and customers: something every few seconds. */
  #dispatcher(): void {
    const random = this.#random.stream('dispatcher');
    const next = (): void => {
      this.time.after(random.exponential(6_000), () => {
        if (!this.#chaos) return;
        void this.#act(random);
        next();
      });
    };
    next();
  }

  async #act(random: Random): Promise<void> {
    const { vehicleId } = random.pick(this.#trucks).spec;
    const orderId = this.#orderIds.length === 0 ? undefined : random.pick(this.#orderIds);
    const draw = random.next();
    if (draw < 0.35 || orderId === undefined) return this.#newOrder(random, vehicleId);
    if (draw < 0.5)
      return this.#command({ type: 'order.recall', orderId, reason: 'test', confirm: random.chance(0.5) });
    if (draw < 0.62) return this.#command({ type: 'order.reassign', orderId, vehicleId, confirm: random.chance(0.5) });
    if (draw < 0.7) return this.#command({ type: 'order.assign', orderId, vehicleId });
    if (draw < 0.8) return this.#reorder(random, vehicleId);
    if (draw < 0.84) return this.#command({ type: 'order.urge', orderId });
    if (draw < 0.88) return this.#command({ type: 'vehicle.message', vehicleId, text: `message ${this.#keys}` });
    if (draw < 0.92) return this.#command({ type: 'order.accept', orderId });
    if (draw < 0.95) return this.#command({ type: 'order.withdraw', orderId, reason: 'test' });
    return this.#command({ type: 'order.edit', orderId, changes: { priority: random.pick(['normal', 'urgent']) } });
  }

  async #newOrder(random: Random, vehicleId: string): Promise<void> {
    const site = {
      lat: 36.6 + random.between(-0.01, 0.01),
      lon: 101.3 + random.between(-0.01, 0.01),
      address: '建设路1号',
    };
    this.#placing += 1;
    const made = await this.#execute({
      type: 'order.create',
      customer: { name: '王女士', phone: '13900000000' },
      site,
      fault: { category: 'outage', voltage: 'low', description: '停电' },
      priority: random.chance(0.2) ? 'urgent' : 'normal',
    });
    this.#placing -= 1;
    const orderId = made?.['orderId'];
    if (typeof orderId !== 'string') {
      this.#givenUp += 1;
      return;
    }
    this.#orderIds.push(orderId);
    const doc = (await this.#store.get('order', orderId))?.value as Order | undefined;
    if (doc !== undefined) this.#sites.set(doc.number, site);
    await this.#command({ type: 'order.issue', orderId, repairCentreId: centre });
    if (random.chance(0.85)) await this.#command({ type: 'order.assign', orderId, vehicleId });
  }

  async #reorder(random: Random, vehicleId: string): Promise<void> {
    const vehicle = (await this.#store.get('vehicle', vehicleId))?.value as Docs['vehicle'] | undefined;
    if (vehicle === undefined || vehicle.queue.entries.length < 2) return;
    const orderIds = vehicle.queue.entries.map((entry) => entry.orderId).reverse();
    if (random.chance(0.5)) orderIds.push(orderIds.shift()!);
    await this.#command({ type: 'vehicle.reorder', vehicleId, revision: vehicle.queue.revision, orderIds });
  }

  async #command(command: Command): Promise<void> {
    await this.#execute(command);
  }

  /** As an API client does it: with a key, and once more with the same key when the answer got lost. */
  async #execute(command: Command): Promise<Record<string, unknown> | undefined> {
    const idempotencyKey = `key-${++this.#keys}`;
    for (let attempt = 1; attempt <= 3; attempt++) {
      const process = this.#anyNode(this.#desks);
      if (process === undefined) return undefined;
      try {
        const { result } = await process.dispatch.execute(command, everybody, { idempotencyKey });
        this.#note('dispatcher', `${command.type} ${JSON.stringify(result)}`);
        this.#count('commands');
        return result;
      } catch (error) {
        if (error instanceof Refusal) {
          this.#count('refusals');
          return undefined;
        }
        this.#note('dispatcher', `${command.type} failed: ${(error as Error).message}`);
        await new Promise<void>((resolve) => this.time.after(1_000, resolve));
      }
    }
    return undefined;
  }

  // ---- the judges

  async #check(when: string): Promise<void> {
    await this.#readLog();
    const found = [...this.#log.faults];
    if (this.#log.orders > this.#orderIds.length + this.#givenUp + this.#placing) {
      found.push(`${this.#log.orders} orders are in the log, ${this.#orderIds.length} were placed`);
    }
    for (const order of (await this.#orders()).values()) found.push(...checkOrder(order));
    for (const { spec } of this.#trucks) {
      const outbox = await this.#doc('outbox', spec.vehicleId);
      if (outbox !== undefined) found.push(...checkOutbox(outbox));
    }
    for (const fault of found) this.#faults.push(`${when}: ${fault}`);
  }

  async #unfinished(): Promise<string[]> {
    const orders = await this.#orders();
    const found: string[] = [];
    for (const truck of this.#trucks) {
      const vehicle = await this.#doc('vehicle', truck.spec.vehicleId);
      if (vehicle === undefined) continue;
      found.push(...checkConverged(truck, vehicle, await this.#doc('outbox', truck.spec.vehicleId), orders));
    }
    for (const node of await this.#store.ingestNodes()) {
      const { appended, applied } = await this.#store.ingestState(node);
      if (applied < appended) found.push(`the reader of ${node} stands at group ${applied} of ${appended}`);
    }
    return found;
  }

  async #readLog(): Promise<void> {
    for (;;) {
      const events = await this.#store.eventsAfter(this.#events.at(-1)?.position ?? 0, 500);
      if (events.length === 0) return;
      this.#events.push(...events);
      this.#log.take(events);
    }
  }

  async #orders(): Promise<Map<string, Order>> {
    const found = await this.#store.getMany(this.#orderIds.map((id) => ({ kind: 'order', id })));
    return new Map(found.flatMap((doc) => (doc === undefined ? [] : [[doc.id, doc.value as Order] as const])));
  }

  async #doc<K extends DocKind>(kind: K, id: string): Promise<Docs[K] | undefined> {
    return (await this.#store.get(kind, id))?.value as Docs[K] | undefined;
  }

  #note(who: string, what: string): void {
    const seconds = ((this.time.now() - startAt) / 1000).toFixed(3).padStart(9);
    this.#trace.push(`${seconds}  ${who.padEnd(10)}  ${what}`);
  }

  #count(what: string, by = 1): void {
    this.#counts[what] = (this.#counts[what] ?? 0) + by;
  }
}
