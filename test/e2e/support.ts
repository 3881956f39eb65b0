/** A whole gateway from its configuration, and people who use it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import type { Command } from '../../dispatch/domain/commands.js';
import type { StoredEvent } from '../../dispatch/domain/events.js';
import type { Docs, DocKind } from '../../dispatch/domain/model.js';
import { replay } from '../../dispatch/domain/reduce.js';
import { loadConfig } from '../../gateway/config/load.js';
import { createLog } from '../../gateway/log.js';
import { startGateway, type Gateway } from '../../gateway/main.js';

export const person = {
  source: 'dispatcher',
  name: 'wang',
  roles: ['dispatcher', 'agent', 'supervisor', 'administrator'],
} as const;

const asJson = (value: unknown): unknown => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));

export class Service {
  gateway!: Gateway;
  readonly directory = mkdtempSync(join(tmpdir(), 'linecrew-e2e-'));
  readonly logged: string[] = [];

  /** @param flags settings by key, beside free ports and a store of its own */
  constructor(private readonly flags: Record<string, string> = {}) {}

  async start(): Promise<this> {
    const flags = {
      store: `lmdb:${this.directory}`, httpPort: '0', tcpPort: '0', tcpHost: '127.0.0.1', mqttPort: 'off',
      adminPassword: 'a long enough password', ...this.flags,
    }; // prettier-ignore
    const { config } = loadConfig({ flags, env: {} });
    const log = createLog('debug', { write: (line) => void this.logged.push(line) });
    this.gateway = await startGateway(config, { log });
    return this;
  }

  async restart(): Promise<void> {
    await this.gateway.stop();
    await this.start();
  }

  async stop(): Promise<void> {
    await this.gateway.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }

  async do(command: Command): Promise<Record<string, unknown>> {
    return (await this.gateway.dispatch.execute(command, person)).result;
  }

  async get<K extends DocKind>(kind: K, id: string): Promise<Docs[K]> {
    const found = await this.gateway.dispatch.get(kind, id);
    if (!found) throw new Error(`there is no ${kind} ${id}`);
    return found.value;
  }

  /** Waits for a state that the event log brings; looks again at every event. */
  async until<T>(look: () => Promise<T | undefined | false>, what: string, withinMs = 20_000): Promise<T> {
    const { dispatch } = this.gateway;
    let news = (): void => {};
    const follow = dispatch.follow(await dispatch.store.lastPosition(), () => news());
    try {
      for (const end = Date.now() + withinMs; ;) {
        const heard = new Promise<void>((resolve) => (news = resolve));
        const found = await look();
        if (found !== undefined && found !== false) return found;
        if (Date.now() > end) throw new Error(`it did not happen: ${what}`);
        let timer: NodeJS.Timeout | undefined;
        await Promise.race([heard, new Promise((resolve) => (timer = setTimeout(resolve, 500)))]);
        clearTimeout(timer);
      }
    } finally {
      follow.cancel();
    }
  }

  /** State is what the events say: everything that this gateway's store holds, replayed from its log. */
  async checkReplay(): Promise<void> {
    const { store } = this.gateway.dispatch;
    for (;;) {
      const last = await store.lastPosition();
      const events: StoredEvent[] = [];
      while (events.length < last) events.push(...(await store.eventsAfter(events.length, 1_000)));
      const differing: string[] = [];
      for (const [key, value] of replay(events).all) {
        const colon = key.indexOf(':');
        const stored = await store.get(key.slice(0, colon), key.slice(colon + 1));
        if (!isDeepStrictEqual(asJson(stored?.value), asJson(value))) differing.push(key);
      }
      // Rules still run: what they changed meanwhile is compared at the new end of the log.
      if ((await store.lastPosition()) !== last) continue;
      expect(last).toBeGreaterThan(0);
      expect(differing).toEqual([]);
      return;
    }
  }

  async vehicle(phone: string, terminal: object): Promise<string> {
    const id = `v-${phone}`;
    await this.do({
      type: 'vehicle.create', id, plate: '京A12345', terminal: { phone, ...terminal }, repairCentreId: 'centre-1',
      trade: 'lowVoltage', crew: { name: 'crew', members: [{ name: 'Li' }] },
    }); // prettier-ignore
    return id;
  }

  /** An order in the vehicle's queue. */
  async assigned(vehicleId: string, position?: number): Promise<Docs['order']> {
    const { orderId } = await this.do({
      type: 'order.create',
      customer: { name: 'Zhao', phone: '13900000000' },
      site: { lat: 39.9, lon: 116.4, address: '建国路 88 号' },
      fault: { category: 'outage', voltage: 'low', description: '全楼停电' },
    });
    const id = orderId as string;
    await this.do({ type: 'order.issue', orderId: id, repairCentreId: 'centre-1' });
    await this.do({ type: 'order.assign', orderId: id, vehicleId, position });
    return this.get('order', id);
  }
}
