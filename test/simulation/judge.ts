import type { StoredEvent } from '../../dispatch/domain/events.js';
import type { Docs, DocKind, Order } from '../../dispatch/domain/model.js';
import type { DispatchStore } from '../../dispatch/store/store.js';
import {
  checkConverged,
  checkKeys,
  checkOrder,
  checkOutbox,
  checkPlaced,
  checkReader,
  checkTrack,
  LogChecker,
} from './checkers.js';
import type { Office } from './office.js';
import type { SimTruck } from './truck.js';

/** Shows the checkers what a world holds: again and again in the storm, and at its end. */
export class Judge {
  /** The event log as it was read so far. */
  readonly events: StoredEvent[] = [];
  readonly #log = new LogChecker();

  constructor(
    private readonly store: DispatchStore,
    private readonly office: Office,
    private readonly trucks: readonly SimTruck[],
  ) {}

  /** What must hold at any moment. */
  async always(): Promise<string[]> {
    await this.#readLog();
    const found = [...this.#log.faults, ...checkPlaced(this.#log.orders, this.office)];
    for (const order of (await this.#orders()).values()) found.push(...checkOrder(order));
    for (const { spec } of this.trucks) {
      const outbox = await this.#doc('outbox', spec.vehicleId);
      if (outbox !== undefined) found.push(...checkOutbox(outbox));
    }
    return found;
  }

  /** What is still on its way; after the faults it must become nothing. */
  async unfinished(): Promise<string[]> {
    const orders = await this.#orders();
    const found: string[] = [];
    for (const truck of this.trucks) {
      const vehicle = await this.#doc('vehicle', truck.spec.vehicleId);
      if (vehicle === undefined) continue;
      found.push(...checkConverged(truck, vehicle, await this.#doc('outbox', truck.spec.vehicleId), orders));
    }
    for (const node of await this.store.ingestNodes()) {
      found.push(...checkReader(node, await this.store.ingestState(node)));
    }
    return found;
  }

  /** What terminals were told is safe, once everything has arrived. */
  async kept(): Promise<string[]> {
    const found: string[] = [];
    for (const truck of this.trucks) found.push(...(await checkTrack(this.store, truck)));
    const orders = await this.#orders();
    for (const truck of this.trucks) found.push(...checkKeys(truck, orders, this.events));
    return found;
  }

  async #readLog(): Promise<void> {
    for (;;) {
      const events = await this.store.eventsAfter(this.events.at(-1)?.position ?? 0, 500);
      if (events.length === 0) return;
      this.events.push(...events);
      this.#log.take(events);
    }
  }

  async #orders(): Promise<Map<string, Order>> {
    const found = await this.store.getMany(this.office.orderIds.map((id) => ({ kind: 'order', id })));
    return new Map(found.flatMap((doc) => (doc === undefined ? [] : [[doc.id, doc.value as Order] as const])));
  }

  async #doc<K extends DocKind>(kind: K, id: string): Promise<Docs[K] | undefined> {
    return (await this.store.get(kind, id))?.value as Docs[K] | undefined;
  }
}
