import { expect } from 'vitest';
import type { TerminalReport } from '../../dispatch/domain/commands.js';
import type { Actor, StoredEvent } from '../../dispatch/domain/events.js';
import type { Delivery, Docs, DocKind, Leg, LegState, Order, Vehicle } from '../../dispatch/domain/model.js';
import { nextStep } from '../../dispatch/domain/outbox.js';
import { replay } from '../../dispatch/domain/reduce.js';
import { DEFAULT_SETTINGS, type DispatchSettings } from '../../dispatch/domain/settings.js';
import type { AnyCommand, Result } from '../../dispatch/domain/tables.js';
import { Refusal } from '../../dispatch/domain/tx.js';
import { manualClock, type ManualClock } from '../../dispatch/clock.js';
import { createDispatch, type Dispatch, type DispatchOptions } from '../../dispatch/service.js';
import { memoryStore } from '../../dispatch/store/memory.js';
import { PositionBatch } from '../../dispatch/store/position-batch.js';
import type { DispatchStore } from '../../dispatch/store/store.js';

/** 2026-03-02 09:00 in Shanghai, a Monday. */
export const NINE = Date.parse('2026-03-02T01:00:00.000Z');
export const MINUTE = 60_000;

export const AGENT: Actor = { source: 'callCentre', name: 'agent', roles: ['agent', 'supervisor'] };
export const DISPATCHER: Actor = { source: 'dispatcher', name: 'wang', roles: ['dispatcher'] };
export const crewOf = (vehicleId: string): Actor => ({
  source: 'crew',
  name: `crew-${vehicleId}`,
  roles: ['crew'],
  vehicleId,
});

const SITE = { lat: 39.9, lon: 116.4, address: 'Road 1' };

/** A dispatch service over the memory store with a clock that stands until told. */
export class World {
  readonly store: DispatchStore;
  readonly clock: ManualClock;
  readonly dispatch: Dispatch;
  readonly #settings: DispatchSettings;
  #seed = 1;
  #sequence = 0;

  constructor(settings: Partial<DispatchSettings> = {}, startAt = NINE, guard?: DispatchOptions['guard']) {
    this.store = memoryStore();
    this.clock = manualClock(startAt);
    this.#settings = { ...DEFAULT_SETTINGS, ...settings };
    this.dispatch = this.gateway('node', guard);
  }

  /** A service over the same store: another gateway. */
  gateway(node: string, guard?: DispatchOptions['guard']): Dispatch {
    return createDispatch({
      store: this.store,
      clock: this.clock,
      node,
      ...(guard ? { guard } : {}),
      settings: this.#settings,
      random: (length) =>
        Uint8Array.from({ length }, () => (this.#seed = (Math.imul(this.#seed, 1103515245) + 12345) >>> 0) >>> 16),
      log: {
        warn: () => {},
        error: ({ err }) => {
          throw err;
        },
      },
    });
  }

  /** Lets time pass, from one due work to the next, and waits until it is done: the service must have started. */
  async pass(minutes: number): Promise<void> {
    for (const until = this.clock.now() + minutes * MINUTE; this.clock.now() < until;) {
      const next = (await this.store.nextDueAt()) ?? Infinity;
      this.clock.advance(Math.max(1000, Math.min(until, next) - this.clock.now()));
      while (((await this.store.nextDueAt()) ?? Infinity) <= this.clock.now()) {
        this.clock.advance(1000);
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }

  minutes(minutes: number): void {
    this.clock.advance(minutes * MINUTE);
  }

  async do(command: AnyCommand, actor: Actor = DISPATCHER): Promise<Result> {
    return (await this.dispatch.execute(command, actor)).result;
  }

  /** The refusal of a command; a command that is not refused fails the test. */
  async refused(command: AnyCommand, actor: Actor = DISPATCHER): Promise<Refusal> {
    const error = await this.dispatch.execute(command, actor).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(Refusal);
    return error as Refusal;
  }

  async vehicle(id: string, more: object = {}): Promise<string> {
    const phone = String(13_000_000_000 + Number.parseInt(id.replace(/\D/g, '') || '0', 10));
    await this.do({
      type: 'vehicle.create',
      id,
      plate: `京A${id}`,
      terminal: { phone, profile: 'smart' },
      repairCentreId: 'centre-1',
      trade: 'lowVoltage',
      crew: { name: `crew ${id}`, members: [{ name: 'Li' }] },
      ...more,
    });
    return id;
  }

  async newOrder(more: object = {}): Promise<string> {
    const result = await this.do(
      {
        type: 'order.create',
        customer: { name: 'Zhao', phone: '13900000000' },
        site: SITE,
        fault: { category: 'outage', voltage: 'low', description: 'dark' },
        ...more,
      },
      AGENT,
    );
    return result['orderId'] as string;
  }

  /** An order that is at its repair centre. */
  async orderAtCentre(more: object = {}): Promise<string> {
    const orderId = await this.newOrder(more);
    await this.do({ type: 'order.issue', orderId }, AGENT);
    await this.do({ type: 'order.reachedCentre', orderId });
    return orderId;
  }

  /** An order that is with a vehicle, advanced by phone to the state. */
  async orderWith(vehicleId: string, state: LegState = 'queued', more: object = {}): Promise<string> {
    const orderId = await this.orderAtCentre(more);
    await this.do({ type: 'order.assign', orderId, vehicleId });
    const steps = ['accept', 'depart', 'arrive', 'work', 'complete'] as const;
    const wanted = ['accepted', 'enRoute', 'onSite', 'working', 'workDone'].indexOf(state);
    for (const step of steps.slice(0, wanted + 1)) await this.do({ type: `order.${step}`, orderId });
    return orderId;
  }

  /** Applies reports as the reader of an ingest log does, each with a frame of its own. */
  async report(
    ...reports: (Record<string, unknown> & { type: TerminalReport['type']; vehicleId: string })[]
  ): Promise<void> {
    const full = reports.map((report) => {
      const sequence = ++this.#sequence;
      const phone = String(13_000_000_000 + Number.parseInt(report.vehicleId.replace(/\D/g, '') || '0', 10));
      return {
        phone,
        receivedAt: this.clock.now(),
        frame: { node: 'n', sequence, index: 0 },
        dedupKey: `k${sequence}`,
        ...report,
      };
    });
    await this.dispatch.apply(full as unknown as TerminalReport[], new PositionBatch(0), {
      node: 'n',
      sequence: this.#sequence,
    });
  }

  /** Connects the vehicle's terminal and writes what is next, receipted, until an item passes; that one is only written. */
  async deliver(vehicleId: string, wanted: (item: Delivery) => boolean): Promise<Delivery> {
    const phone = (await this.vehicleDoc(vehicleId)).terminal.phone;
    await this.do({ type: 'link.up', vehicleId, phone, address: 'a', transport: 'tcp', node: 'n' });
    for (;;) {
      const step = nextStep(await this.get('outbox', vehicleId), this.clock.now(), this.dispatch.settings.delivery);
      if (step.do !== 'write') throw new Error(`nothing to write to ${vehicleId}`);
      await this.do({ type: 'delivery.written', vehicleId, deliveryId: step.item.id, node: 'n' });
      if (wanted(step.item)) return step.item;
      await this.report({
        type: 'report.receipt',
        vehicleId,
        deliveryId: step.item.id,
        result: 'ok',
        ofApplication: true,
      });
    }
  }

  async get<K extends DocKind>(kind: K, id: string): Promise<Docs[K]> {
    const doc = await this.dispatch.get(kind, id);
    expect(doc, `${kind}:${id}`).toBeDefined();
    return doc!.value;
  }
  order(id: string): Promise<Order> {
    return this.get('order', id);
  }
  vehicleDoc(id: string): Promise<Vehicle> {
    return this.get('vehicle', id);
  }
  async leg(orderId: string, number = 1): Promise<Leg> {
    return (await this.order(orderId)).legs.find((leg) => leg.leg === number)!;
  }
  /** Order ids that the vehicle's terminal shall show, in order. */
  async queue(vehicleId: string): Promise<string[]> {
    return (await this.vehicleDoc(vehicleId)).queue.entries.filter((e) => !e.recalling).map((e) => e.orderId);
  }
  async cards(): Promise<Docs['card'][]> {
    const pages = await Promise.all(
      ['conflict', 'attention', 'proposal', 'quarantine'].map((kind) =>
        this.store.scan({ index: 'cards', from: `${kind}/`, to: `${kind}0`, limit: 1000 }),
      ),
    );
    return pages.flatMap((page) => page.items.map((item) => item.value as Docs['card']));
  }
  async events(): Promise<StoredEvent[]> {
    const all: StoredEvent[] = [];
    for (;;) {
      const page = await this.store.eventsAfter(all.length, 1000);
      if (page.length === 0) return all;
      all.push(...page);
    }
  }

  /** State is what the events say: the log replayed gives every document as it is stored. */
  async checkReplay(): Promise<void> {
    const replayed = replay(await this.events()).all;
    for (const [key, value] of replayed) {
      const colon = key.indexOf(':');
      const stored = await this.store.get(key.slice(0, colon), key.slice(colon + 1));
      expect(asJson(stored?.value), key).toEqual(asJson(value));
    }
    for (const index of ['orders', 'vehicles', 'terminals', 'alerts', 'cards', 'centres', 'units']) {
      const page = await this.store.scan({ index, limit: 1000 });
      for (const doc of page.items) expect(replayed.has(`${doc.kind}:${doc.id}`), `${doc.kind}:${doc.id}`).toBe(true);
    }
  }

  async close(): Promise<void> {
    await this.dispatch.stop();
    await this.store.close();
  }
}

function asJson(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
