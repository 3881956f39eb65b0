/** Two gateways on one external broker (Mosquitto) and one store. */
import type { MqttClient } from 'mqtt';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { MqttTruck, SECRET } from '../../e2e/mqtt-terminal.js';
import { Service } from '../../e2e/support.js';
import { RedisServer } from '../../support/redis.js';
import { positionUplink } from '../support/uplinks.js';
import { Mosquitto } from './mosquitto.js';

const phone = '13800000001';
const vehicleId = `v-${phone}`;
let redis: RedisServer;
let broker: Mosquitto;
let nodes: Service[];
let clients: MqttClient[];

beforeEach(async () => {
  clients = [];
  [redis, broker] = await Promise.all([RedisServer.start(), Mosquitto.start()]);
  const flags = { store: redis.url, mqttUrl: broker.url, mqttConnections: '2' };
  nodes = [];
  for (const nodeId of ['a', 'b']) nodes.push(await new Service({ ...flags, nodeId }).start());
  await nodes[0]!.vehicle(phone, { secret: SECRET });
});
afterEach(async () => {
  await Promise.all(clients.map((client) => client.endAsync(true)));
  for (const node of nodes) await node.stop();
  await broker.stop();
  await redis.stop();
});

const queueConfirmed = async (): Promise<boolean> => {
  const { queue } = await nodes[0]!.get('vehicle', vehicleId);
  return queue.revision > 0 && queue.confirmedRevision === queue.revision;
};
/** What each node counted, as an operator sees it. */
async function counted(what: 'uplinks' | 'downlinks'): Promise<number[]> {
  const read = async ({ gateway }: Service): Promise<number> => {
    const text = await (await fetch(`http://127.0.0.1:${gateway.ports.http}/metrics`)).text();
    return Number(new RegExp(`^linecrew_mqtt_${what}_total (\\d+)$`, 'm').exec(text)![1]);
  };
  return Promise.all(nodes.map(read));
}

it('share the uplinks, each is taken once; one of them writes to a terminal', async () => {
  const order = await nodes[0]!.assigned(vehicleId);
  const truck = new MqttTruck(phone);
  await truck.connect(broker.url);
  clients.push(truck.client);
  await nodes[0]!.until(queueConfirmed, 'the terminal confirms the queue');
  expect(truck.app.shown()).toEqual([order.id]);
  expect([...truck.app.arrived.values()]).toEqual([1]);
  const start = Date.now() - 3_600_000;
  const before = await counted('uplinks');
  for (let n = 0; n < 200; n++) {
    await truck.client.publishAsync(truck.topic('up'), positionUplink(1_000 + n, start + n * 1000), { qos: 1 });
  }
  const stored = async (): Promise<Set<number>> => {
    const found = new Set<number>();
    for await (const { deviceAt } of nodes[1]!.gateway.dispatch.store.track(vehicleId, start, start + 3_600_000)) found.add(deviceAt);
    return found;
  }; // prettier-ignore
  await nodes[1]!.until(async () => (await stored()).size === 200, 'all positions');
  const taken = (await counted('uplinks')).map((count, i) => count - before[i]!);
  expect(taken[0]! + taken[1]!).toBe(200);
  expect(Math.min(...taken)).toBeGreaterThan(0);
  expect((await counted('downlinks')).filter((count) => count > 0)).toHaveLength(1);
}, 60_000);

it('another one goes on when the one that wrote to the terminal stops', async () => {
  const truck = new MqttTruck(phone);
  await truck.connect(broker.url);
  clients.push(truck.client);
  await nodes[0]!.assigned(vehicleId);
  await nodes[0]!.until(queueConfirmed, 'the first order is confirmed');
  const wrote = (await counted('downlinks')).findIndex((count) => count > 0);
  const [writer, left] = [nodes[wrote]!, nodes[1 - wrote]!];
  await writer.stop();
  nodes = [left];
  const order = await left.assigned(vehicleId);
  await left.until(async () => truck.app.shown().includes(order.id), 'the second order', 60_000);
  await left.until(queueConfirmed, 'the second order is confirmed', 60_000);
  expect([...truck.app.arrived.values()]).toEqual([1, 1]);
}, 90_000);
