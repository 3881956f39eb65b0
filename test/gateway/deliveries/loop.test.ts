import { afterEach, beforeEach, expect, it } from 'vitest';
import { DEFAULT_TERMINAL_OPTIONS } from '../../../dispatch/domain/profiles.js';
import { Deliveries } from '../../../gateway/deliveries/loop.js';
import type { OutgoingMessage, TerminalLink } from '../../../gateway/session/link.js';
import { AppTerminal } from '../../dispatch/delivery/terminals.js';
import { DISPATCHER, World } from '../../support/dispatch.js';

/** The loop over the real service, with a link that the test can stop up. */
const phone = '13000000001';
let world: World;
let deliveries: Deliveries;
/** What links say is applied in order, as by the reader of the ingest log. */
let applied: Promise<unknown> = Promise.resolve();

class TestLink implements TerminalLink {
  readonly vehicleId = 'v1';
  readonly phone = phone;
  readonly profile = 'smart';
  readonly edition = 2013;
  readonly options = DEFAULT_TERMINAL_OPTIONS;
  readonly transport = 'tcp';
  takes = true;
  readonly app = new AppTerminal();
  readonly writes: string[] = [];
  readonly forgotten: string[] = [];

  constructor(readonly fence: number) {}

  write(deliveryId: string, messages: readonly OutgoingMessage[]): { serials: [number, number] } | undefined {
    if (!this.takes) return undefined;
    this.writes.push(deliveryId);
    for (const said of this.app.take(deliveryId, messages)) {
      applied = applied.then(() => world.report({ ...said, vehicleId: 'v1' } as never));
    }
    return { serials: [1, 1] };
  }
  forget(deliveryId: string): void {
    this.forgotten.push(deliveryId);
  }
}

beforeEach(async () => {
  world = new World();
  await world.vehicle('v1');
  const log = { warn: () => {}, error: () => {} };
  deliveries = new Deliveries({ dispatch: world.dispatch, node: 'n', log });
  await deliveries.start();
});
afterEach(async () => {
  await deliveries.stop();
  await applied;
  await world.close();
});

const linkUp = (fence: number, node = 'n') =>
  world.do({ type: 'link.up', vehicleId: 'v1', phone, address: '192.0.2.1', transport: 'tcp', node, fence });

/** Waits for the event log to bring it about; manual time goes on a little at each look. */
async function until(look: () => boolean | Promise<boolean>, tickMs = 0): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if (await look()) return;
    world.clock.advance(tickMs);
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (i % 10 === 9) await new Promise<void>((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('it did not happen');
}
const confirmed = async (): Promise<boolean> => {
  const { queue } = await world.vehicleDoc('v1');
  return queue.revision > 0 && queue.confirmedRevision === queue.revision;
};

it('writes when the event log tells of an order, and nothing before the link is in the log', async () => {
  const link = new TestLink(1);
  deliveries.attach(link);
  const first = await world.orderWith('v1');
  expect(link.writes).toEqual([]);
  await linkUp(1);
  await until(confirmed);
  const second = await world.orderWith('v1');
  await until(confirmed);
  expect(link.app.shown()).toEqual([first, second]);
  expect(link.forgotten).toEqual(expect.arrayContaining(link.writes));
});

it('a link that takes nothing keeps the item: recorded once, written when it can be', async () => {
  const link = new TestLink(1);
  await linkUp(1);
  deliveries.attach(link);
  link.takes = false;
  const orderId = await world.orderWith('v1');
  const inFlight = async () => (await world.get('outbox', 'v1')).items.filter(({ state }) => state === 'inFlight');
  await until(async () => (await inFlight()).length === 1);
  expect(link.writes).toEqual([]);
  link.takes = true;
  await until(confirmed, 100);
  expect(link.app.shown()).toEqual([orderId]);
  expect([...link.app.arrived.values()]).toEqual([1]);
});

it('writes nothing for a terminal that another node holds, nor after it was detached', async () => {
  const link = new TestLink(1);
  deliveries.attach(link);
  await linkUp(2, 'other');
  await world.orderWith('v1');
  await world.do({ type: 'vehicle.message', vehicleId: 'v1', text: 'hello' });
  const newer = new TestLink(3);
  deliveries.detach(link);
  deliveries.attach(newer);
  await linkUp(3);
  await until(() => newer.app.notices.length === 1);
  expect(link.writes).toEqual([]);
});

it('what cannot be shown ends as refused, with the reason, and the rest goes on', async () => {
  const link = new TestLink(1);
  await linkUp(1);
  deliveries.attach(link);
  const { deliveryId } = await world.do({
    type: 'delivery.command',
    vehicleId: 'v1',
    name: 'noSuchCommand',
    arguments: {},
  });
  await world.orderWith('v1');
  await until(confirmed);
  const item = async () => (await world.get('outbox', 'v1')).items.find(({ id }) => id === deliveryId)!;
  await until(async () => (await item()).state === 'refused');
  expect((await item()).result).toMatch(/noSuchCommand/);
});

it('finds within five minutes what no event has told of', async () => {
  const nothing = () => ({ cancel: () => {} });
  const deaf = { ...world.dispatch, follow: nothing, beforeCommit: nothing };
  const loop = new Deliveries({ dispatch: deaf, node: 'n', log: { warn: () => {}, error: () => {} } });
  await loop.start();
  const link = new TestLink(1);
  await linkUp(1);
  loop.attach(link);
  // Its list is answered, and nothing has a deadline any more.
  const settledAt = world.clock.now() + 120_000;
  await until(() => link.writes.length > 0 && world.clock.now() > settledAt, 1_000);
  const orderId = await world.orderWith('v1');
  const assignedAt = world.clock.now();
  await until(() => link.app.shown().includes(orderId), 5_000);
  expect(world.clock.now() - assignedAt).toBeLessThanOrEqual(310_000);
  await loop.stop();
});

/** A loop that hears nothing of the event log: what it writes, it wrote with the decision. */
async function useJoinedLoop(link: TestLink): Promise<void> {
  await deliveries.stop();
  const dispatch = { ...world.dispatch, follow: () => ({ cancel: () => {} }) };
  deliveries = new Deliveries({ dispatch, node: 'n', log: { warn: () => {}, error: () => {} } });
  await deliveries.start();
  await linkUp(link.fence);
  // Its list after the link is answered first.
  deliveries.attach(link);
  await until(() => link.writes.length === 1);
  await until(async () => (await world.get('outbox', 'v1')).items.every(({ state }) => state === 'receipted'));
}
const itemsOf = async (orderId: string) =>
  (await world.get('outbox', 'v1')).items.filter((item) => item.orderId === orderId);

it('an order for an idle terminal is recorded as written in the commit that assigns it, and on the wire at once', async () => {
  const link = new TestLink(1);
  await useJoinedLoop(link);
  const orderId = await world.orderAtCentre();
  const assign = { type: 'order.assign', orderId, vehicleId: 'v1' } as const;
  const { events } = await world.dispatch.execute(assign, DISPATCHER);
  const [item] = await itemsOf(orderId);
  expect(events.map(({ type }) => type)).toEqual(
    expect.arrayContaining(['leg.queued', 'delivery.inFlight', 'leg.sent']),
  );
  expect(item).toMatchObject({ state: 'inFlight', attempts: [{ retry: 0, node: 'n' }] });
  expect(link.writes).toContain(item!.id);
});

it('nothing is on the wire of what could not be committed', async () => {
  const link = new TestLink(1);
  await useJoinedLoop(link);
  const orderId = await world.orderAtCentre();
  const before = [...link.writes];
  const commit = world.store.commit;
  world.store.commit = () => Promise.reject(new Error('the disk is full'));
  const assign = { type: 'order.assign', orderId, vehicleId: 'v1' } as const;
  await expect(world.dispatch.execute(assign, DISPATCHER)).rejects.toThrow('the disk is full');
  world.store.commit = commit;
  expect(link.writes).toEqual(before);
  await world.dispatch.execute(assign, DISPATCHER);
  expect(link.writes).toHaveLength(before.length + 1);
});

it('what was decided again because others were faster goes out once', async () => {
  const link = new TestLink(1);
  await linkUp(1);
  deliveries.attach(link);
  const orders = [await world.orderAtCentre(), await world.orderAtCentre(), await world.orderAtCentre()];
  const assign = (orderId: string) =>
    world.dispatch.execute({ type: 'order.assign', orderId, vehicleId: 'v1' }, DISPATCHER);
  await Promise.all(orders.map(assign));
  await until(confirmed);
  expect([...link.app.shown()].sort()).toEqual([...orders].sort());
  expect([...link.app.arrived.values()]).toEqual([1, 1, 1]);
  expect(new Set(link.writes).size).toBe(link.writes.length);
});
