/**
 * Three gateways on a real three-master cluster with `appendfsync always`, simulated terminals behind a load balancer,
 * people at any node's API. Under load one node is killed, then the master of the business state (and started again),
 * then the other nodes are restarted one by one.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { StoredEvent } from '../../dispatch/domain/events.js';
import type { Order, Outbox, Vehicle } from '../../dispatch/domain/model.js';
import { isOpen } from '../../dispatch/domain/outbox.js';
import { DEFAULT_SETTINGS } from '../../dispatch/domain/settings.js';
import { openStore } from '../../dispatch/store/open.js';
import type { DispatchStore } from '../../dispatch/store/store.js';
import { isSound } from '../../simulator/report.js';
import { diligent, startFleet, type Fleet } from '../../simulator/index.js';
import { RedisCluster, type RedisServer } from '../support/redis.js';
import { Nodes, TOKEN, until } from './nodes-support.js';

const VEHICLES = 12;
/** Orders that are under way at the same time. */
const CALLERS = 3;
/** The promise of a site in town ends this long after an order is taken. */
const BREACH_AFTER_MS = 3_000;
const PROMISE_MS = DEFAULT_SETTINGS.promiseMin.town * 60_000;

let cluster: RedisCluster;
let nodes: Nodes;
let store: DispatchStore;
let fleet: Fleet;

beforeAll(async () => {
  cluster = await RedisCluster.start(3);
  nodes = await Nodes.start(['a', 'b', 'c'], { LINECREW_STORE: cluster.url, LINECREW_RETRY_S: '2' });
  store = await openStore(cluster.url);
}, 120_000);
afterAll(async () => {
  await fleet?.stop().catch(() => {});
  await nodes?.stop();
  await store?.close();
  await cluster?.stop();
}, 60_000);

/** Customers call and dispatchers assign, each time at another node. */
class Dispatchers {
  readonly orders: string[] = [];
  #going = true;
  #begun = 0;
  /** Orders that may be taken by now: what a slow machine does between two steps must not fill the trucks' screens. */
  #allowed = 0;
  readonly #callers: Promise<void>[];

  constructor(private readonly vehicles: readonly string[]) {
    this.#callers = Array.from({ length: CALLERS }, () => this.#call());
    // Told by `stop`; a test that failed before does not wait for them.
    for (const one of this.#callers) one.catch(() => {});
  }

  /** Resolves when so many more orders are assigned; the callers go on for as many again, so that the next step finds them at work. */
  more(count: number): Promise<unknown> {
    const wanted = this.orders.length + count;
    this.#allowed = Math.max(this.#allowed, this.#begun + 2 * count);
    return until(() => this.orders.length >= wanted, `${count} more orders`, 60_000);
  }

  async stop(): Promise<void> {
    this.#going = false;
    await Promise.all(this.#callers);
  }

  async #call(): Promise<void> {
    while (this.#going) {
      if (this.#begun < this.#allowed) await this.#order(this.#begun++);
      // A call centre, not a flood: queues have a limit.
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }

  async #order(i: number): Promise<void> {
    const { id } = await nodes.ask<{ id: string }>('POST', '/orders', {
      customer: { name: 'Zhao', phone: `139${String(i).padStart(8, '0')}` },
      site: { lat: 39.9, lon: 116.4, address: '建国路 88 号' },
      fault: { category: 'outage', voltage: 'low', description: '全楼停电' },
      callEndedAt: new Date(Date.now() - PROMISE_MS + BREACH_AFTER_MS).toISOString(),
    });
    await nodes.ask('POST', `/orders/${id}/issue`, { repairCentreId: 'centre-1' });
    await nodes.ask('POST', `/orders/${id}/assign`, { vehicleId: this.vehicles[i % this.vehicles.length] });
    this.orders.push(id);
  }
}

async function everyEvent(): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (let after = 0; ;) {
    const some = await store.eventsAfter(after, 1_000);
    if (some.length === 0) return events;
    events.push(...some);
    after = some.at(-1)!.position;
  }
}

async function isApplied(node: string): Promise<boolean> {
  const { appended, applied } = await store.ingestState(node);
  return applied === appended;
}

async function vehicles(): Promise<Vehicle[]> {
  return (await store.scan({ index: 'vehicles', limit: 1_000 })).items.map(({ value }) => value as Vehicle);
}

/** The master that has the slot of the business state. */
async function businessMaster(): Promise<RedisServer> {
  const [asked] = cluster.servers;
  const slot = Number(await asked!.command('CLUSTER', 'KEYSLOT', '{linecrew}'));
  const slots = (await asked!.command('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
  const port = slots.find(([from, to]) => from <= slot && slot <= to)![2][1];
  return cluster.servers.find((server) => server.port === port)!;
}

/** Orders that no crew has accepted and where they stand, for a failure. */
async function unaccepted(ids: readonly string[]): Promise<string> {
  const orders = (await store.getMany(ids.map((id) => ({ kind: 'order', id })))).map((doc) => doc!.value as Order);
  const open = orders.filter(({ legs }) => legs[0]!.points.F === undefined);
  const boxes = new Set(open.map(({ legs }) => legs[0]!.vehicleId));
  const lines = [`${open.length} of ${orders.length} orders, now ${Date.now()}`];
  for (const id of boxes) {
    const [box, doc] = await store.getMany([{ kind: 'outbox', id }, { kind: 'vehicle', id }]); // prettier-ignore
    const { link, queue } = doc!.value as Vehicle;
    const { items = [], ...rest } = (box?.value ?? {}) as Partial<Outbox>;
    const own = new Set(open.filter(({ legs }) => legs[0]!.vehicleId === id).map((order) => order.id));
    const states = open.filter((order) => own.has(order.id)).map(({ legs }) => [legs[0]!.state, legs[0]!.createdAt]);
    const about = items.filter((item) => isOpen(item) || own.has(item.orderId ?? '')).slice(-8);
    lines.push(JSON.stringify({ id, link, queue, states, items: items.length, about, rest }));
  }
  return lines.join('\n');
}

interface PointSet {
  stamp: unknown;
}

function times(keys: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

const repeated = (keys: readonly string[]): string[] => [...times(keys)].filter(([, count]) => count > 1).map(([key]) => key); // prettier-ignore

it(
  'loses and doubles nothing when nodes and a master die and restart under load',
  { timeout: 180_000 },
  async ({ onTestFailed }) => {
    onTestFailed(() => void process.stderr.write(`${nodes.complaints()}\n`));
    const shown: string[] = [];
    fleet = await startFleet({
    host: '127.0.0.1', port: nodes.terminals.port, http: nodes.url, token: TOKEN, vehicles: VEHICLES, profile: 'smart',
    crews: { ...diligent, acceptS: [0.2, 1] }, patrols: false, reportS: 1, retryS: 2, reconnectS: [0.2, 1],
    onEvent: ({ phone }, event) => {
      if (event.type === 'order' && !event.again) shown.push(`${phone} ${event.order.orderId}`);
    },
  }); // prettier-ignore
    const everybodyOnline = () => until(() => fleet.totals().online === VEHICLES, 'all terminals are online', 30_000);
    await everybodyOnline();
    const ids = fleet.terminals.map(({ vehicleId }) => vehicleId!);
    const dispatchers = new Dispatchers(ids);
    await dispatchers.more(6);
    const nodesOfLinks = new Set((await vehicles()).map(({ link }) => link.node));
    expect([...nodesOfLinks].sort()).toEqual(['a', 'b', 'c']);

    // kill -9 of the node that was started first: it has the roles.
    await nodes.kill('a');
    await everybodyOnline();
    const moved = async () => (await vehicles()).every(({ link }) => link.state === 'up' && link.node !== 'a');
    await until(moved, 'all links are on the other nodes', 15_000);
    await dispatchers.more(6);
    await until(() => isApplied('a'), 'the log of the dead node is applied', 20_000);

    // kill -9 of the master that has the business state, and its start.
    const master = await businessMaster();
    await master.kill();
    const down = async () => (await fetch(`${nodes.urlOf('b')}/readyz`).catch(() => undefined))?.status === 503;
    await until(down, '/readyz tells of the outage', 15_000);
    await master.run();
    await cluster.settled();
    const up = async () => (await fetch(`${nodes.urlOf('b')}/readyz`)).ok;
    await until(up, 'the gateway recovers by itself', 30_000);
    await dispatchers.more(6);

    // A rolling restart: the node that is back first, then one after the other.
    await nodes.run('a');
    for (const name of ['b', 'c']) {
      expect(await nodes.drain(name)).toBe(0);
      await until(() => isApplied(name), 'what the stopped node had confirmed is applied', 15_000);
      await nodes.run(name);
      await dispatchers.more(4);
    }
    await everybodyOnline();

    // Every order is on its terminal and accepted by its crew, once.
    await dispatchers.stop();
    const { orders } = dispatchers;
    const accepted = async () => {
      const docs = await store.getMany(orders.map((id) => ({ kind: 'order', id })));
      return docs.every((doc) => (doc!.value as Order).legs[0]!.points.F !== undefined);
    };
    await until(accepted, 'every order is accepted by its crew', 40_000).catch(async (error: unknown) => {
      throw new Error(`${String(error)}\n${await unaccepted(orders)}`);
    });
    expect(shown.filter((one) => orders.some((id) => one.endsWith(id)))).toHaveLength(orders.length);
    expect(repeated(shown)).toEqual([]);

    // Every confirmed message is there once.
    const report = await fleet.stop();
    expect(report).toMatchObject({ notes: [], missing: [], orders: { doubled: 0 }, keys: { pending: 0 } });
    expect(isSound(report)).toBe(true);
    expect(report.positions.confirmed).toBeGreaterThan(VEHICLES * 10);
    expect(report.keys.confirmed).toBeGreaterThanOrEqual(orders.length);

    // Each escalation fired once.
    const breach = async () => {
      const events = await everyEvent();
      const breached = new Set(events.filter(({ type }) => type === 'segment.breached').map(({ orderId }) => orderId));
      return orders.every((id) => breached.has(id)) && events;
    };
    const events = await until(breach, 'the promise of every order is escalated', 20_000);
    const of = (type: string) => events.filter((event) => event.type === type);
    expect(repeated(of('alert.raised').map(({ data }) => JSON.stringify(data)))).toEqual([]);
    expect(repeated(of('alert.raised').map(({ data }) => (data as { alert: { id: string } }).alert.id))).toEqual([]);
    for (const type of ['leg.delivered', 'leg.accepted']) {
      const legs = of(type).map(({ orderId, leg }) => `${orderId} ${leg}`);
      expect(repeated(legs.filter((leg) => orders.some((id) => leg.startsWith(id))))).toEqual([]);
    }
    // A receipt from the log of the dead node may come last and be the earliest: then the point is set again, to that.
    const set = of('timePoint.set').map(({ orderId, leg, data }) => [
      orderId,
      leg,
      JSON.stringify((data as PointSet).stamp),
    ]);
    expect(repeated(set.map((one) => one.join(' ')).filter((one) => orders.some((id) => one.startsWith(id))))).toEqual(
      [],
    );
    // Numbers of orders are given once, whichever node gave them.
    const docs = await store.getMany(orders.map((id) => ({ kind: 'order', id })));
    expect(repeated(docs.map((doc) => (doc!.value as Order).number))).toEqual([]);
  },
);
