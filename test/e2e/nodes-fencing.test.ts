/** Two gateways that both believe they own a terminal: only the newer session is written to. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AppTerminal } from '../dispatch/delivery/terminals.js';
import { RedisServer } from '../support/redis.js';
import { person, Service } from './support.js';
import { TcpTerminal } from './tcp-terminal.js';

const form = { phone: '13800001234', edition: 2013 } as const;
/** Leases of terminals are renewed every 20 s: two seconds of the test. */
const CLOCK_RATE = '10';
let redis: RedisServer;
let a: Service;
let b: Service;

beforeEach(async () => {
  redis = await RedisServer.start();
  const on = (nodeId: string) => new Service({ store: redis.url, nodeId, clockRate: CLOCK_RATE }).start();
  [a, b] = [await on('a'), await on('b')];
});
afterEach(async () => {
  await Promise.all([a?.stop(), b?.stop()]);
  await redis?.stop();
});

it('does not deliver twice, and the older session ends', async () => {
  const vehicleId = await a.vehicle(form.phone, { profile: 'smart' });
  const older = new TcpTerminal(form, new AppTerminal());
  await older.connect(a.gateway.ports.tcp!);
  const linkOf = (node: string) => async () => {
    const { link } = await b.get('vehicle', vehicleId);
    return link.state === 'up' && link.node === node && link;
  };
  const { fence: olderFence } = await a.until(linkOf('a'), 'the link on node a');

  // The network has moved the terminal; node a has not noticed, its connection stands.
  const app = new AppTerminal();
  const newer = new TcpTerminal(form, app, 100);
  newer.code = older.code;
  await newer.connect(b.gateway.ports.tcp!);
  const { fence: newerFence } = await b.until(linkOf('b'), 'the link on node b');
  expect(newerFence).toBeGreaterThan(olderFence!);
  expect(older.client.closed).toBe(false);

  const order = await a.assigned(vehicleId);
  const confirmed = async (): Promise<boolean> => {
    const { queue } = await a.get('vehicle', vehicleId);
    return queue.revision > 0 && queue.confirmedRevision === queue.revision;
  };
  await a.until(confirmed, 'the terminal confirms the queue');
  expect(app.shown()).toEqual([order.id]);
  expect(older.orders).toBe(0);

  // Not even a node that has looked before the terminal moved may record, and so write, anything.
  await b.do({ type: 'vehicle.message', vehicleId, text: '请注意安全' });
  const outbox = await b.get('outbox', vehicleId);
  const deliveryId = outbox.items.at(-1)!.id;
  for (const [node, fence] of [['a', olderFence], ['b', olderFence]] as const) {
    const late = a.gateway.dispatch.execute({ type: 'delivery.written', vehicleId, deliveryId, node, fence }, person);
    await expect(late).rejects.toMatchObject({ code: 'notOwner' });
  } // prettier-ignore

  // Node a learns of it when it renews its lease; what it says then does not end the newer link.
  await older.client.until(() => older.client.closed, 'node a closes the older connection');
  expect(await linkOf('b')()).toMatchObject({ fence: newerFence });
  await newer.disconnect();
  await older.gone();
});
