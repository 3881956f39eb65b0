import type { Command } from '../../dispatch/domain/commands.js';
import type { Actor } from '../../dispatch/domain/events.js';
import type { Docs, Order } from '../../dispatch/domain/model.js';
import { Refusal } from '../../dispatch/domain/tx.js';
import type { DispatchStore } from '../../dispatch/store/store.js';
import type { Random } from '../../simulator/index.js';
import type { Account } from './account.js';
import type { Platform } from './platform.js';
import type { SimTime } from './time.js';
import type { SimTruck } from './truck.js';

const everybody: Actor = {
  source: 'dispatcher',
  name: 'dispatcher',
  roles: ['administrator', 'agent', 'supervisor', 'dispatcher'],
};
/** A command is tried so often with one key. */
const mostTries = 3;

/** Somebody at a console, and customers: something every few seconds. */
export class Office {
  readonly orderIds: string[] = [];
  /** Orders that a customer tried to place and never heard of again: they may exist or not. */
  givenUp = 0;
  /** Orders that are being placed at this moment. */
  placing = 0;
  #keys = 0;
  readonly #sites = new Map<string, { lat: number; lon: number }>();
  readonly #random: Random;
  /** Which gateway a command goes to. */
  readonly #desks: Random;

  constructor(
    private readonly time: SimTime,
    world: Random,
    private readonly centre: string,
    private readonly store: DispatchStore,
    private readonly platform: Platform,
    private readonly trucks: readonly SimTruck[],
    private readonly account: Account,
  ) {
    this.#random = world.stream('dispatcher');
    this.#desks = world.stream('desks');
  }

  /** Where the order with this number is. */
  siteOf(number: string): { lat: number; lon: number } | undefined {
    return this.#sites.get(number);
  }

  /** Works as long as it storms. */
  work(storms: () => boolean): void {
    this.time.after(this.#random.exponential(6_000), () => {
      if (!storms()) return;
      void this.#act(this.#random);
      this.work(storms);
    });
  }

  async command(command: Command): Promise<void> {
    await this.#execute(command);
  }

  async #act(random: Random): Promise<void> {
    const { vehicleId } = random.pick(this.trucks).spec;
    const orderId = this.orderIds.length === 0 ? undefined : random.pick(this.orderIds);
    const draw = random.next();
    if (draw < 0.35 || orderId === undefined) return this.#newOrder(random, vehicleId);
    if (draw < 0.5) return this.command({ type: 'order.recall', orderId, reason: 'test', confirm: random.chance(0.5) });
    if (draw < 0.62) return this.command({ type: 'order.reassign', orderId, vehicleId, confirm: random.chance(0.5) });
    if (draw < 0.7) return this.command({ type: 'order.assign', orderId, vehicleId });
    if (draw < 0.8) return this.#reorder(random, vehicleId);
    if (draw < 0.84) return this.command({ type: 'order.urge', orderId });
    if (draw < 0.88) return this.command({ type: 'vehicle.message', vehicleId, text: `message ${this.#keys}` });
    if (draw < 0.92) return this.command({ type: 'order.accept', orderId });
    if (draw < 0.95) return this.command({ type: 'order.withdraw', orderId, reason: 'test' });
    return this.command({ type: 'order.edit', orderId, changes: { priority: random.pick(['normal', 'urgent']) } });
  }

  async #newOrder(random: Random, vehicleId: string): Promise<void> {
    const site = {
      lat: 36.6 + random.between(-0.01, 0.01),
      lon: 101.3 + random.between(-0.01, 0.01),
      address: '建设路1号',
    };
    this.placing += 1;
    const made = await this.#execute({
      type: 'order.create',
      customer: { name: '王女士', phone: '13900000000' },
      site,
      fault: { category: 'outage', voltage: 'low', description: '停电' },
      priority: random.chance(0.2) ? 'urgent' : 'normal',
    });
    this.placing -= 1;
    const orderId = made?.['orderId'];
    if (typeof orderId !== 'string') {
      this.givenUp += 1;
      return;
    }
    this.orderIds.push(orderId);
    const doc = (await this.store.get('order', orderId))?.value as Order | undefined;
    if (doc !== undefined) this.#sites.set(doc.number, site);
    await this.command({ type: 'order.issue', orderId, repairCentreId: this.centre });
    if (random.chance(0.85)) await this.command({ type: 'order.assign', orderId, vehicleId });
  }

  async #reorder(random: Random, vehicleId: string): Promise<void> {
    const vehicle = (await this.store.get('vehicle', vehicleId))?.value as Docs['vehicle'] | undefined;
    if (vehicle === undefined || vehicle.queue.entries.length < 2) return;
    const orderIds = vehicle.queue.entries.map((entry) => entry.orderId).reverse();
    if (random.chance(0.5)) orderIds.push(orderIds.shift()!);
    await this.command({ type: 'vehicle.reorder', vehicleId, revision: vehicle.queue.revision, orderIds });
  }

  /** As an API client does it: with a key, and once more with the same key when the answer got lost. */
  async #execute(command: Command): Promise<Record<string, unknown> | undefined> {
    const idempotencyKey = `key-${++this.#keys}`;
    for (let attempt = 1; attempt <= mostTries; attempt++) {
      const process = this.platform.any(this.#desks);
      if (process === undefined) return undefined;
      try {
        const { result } = await process.dispatch.execute(command, everybody, { idempotencyKey });
        this.account.note('dispatcher', `${command.type} ${JSON.stringify(result)}`);
        this.account.count('commands');
        return result;
      } catch (error) {
        if (error instanceof Refusal) {
          this.account.count('refusals');
          return undefined;
        }
        this.account.note('dispatcher', `${command.type} failed: ${(error as Error).message}`);
        await new Promise<void>((resolve) => this.time.after(1_000, resolve));
      }
    }
    return undefined;
  }
}
