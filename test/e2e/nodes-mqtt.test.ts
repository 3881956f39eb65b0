/**
 * Two gateways on one external broker (Mosquitto). One of them is killed while uplinks come: what the broker had shared
 * out to its sessions, and goes on sharing out to them, is taken by the other one.
 */
import { connectAsync, type MqttClient } from 'mqtt';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openStore } from '../../dispatch/store/open.js';
import type { DispatchStore } from '../../dispatch/store/store.js';
import { Mosquitto } from '../gateway/mqtt/mosquitto.js';
import { positionUplink } from '../gateway/support/uplinks.js';
import { RedisServer } from '../support/redis.js';
import { Nodes, until } from './nodes-support.js';

const phone = '13800000001';
/** Uplinks of a step: the nodes have two sessions each, so the dead one's get hundreds. */
const UPLINKS = 400;
let redis: RedisServer;
let broker: Mosquitto;
let nodes: Nodes;
let store: DispatchStore;
let terminal: MqttClient;

beforeEach(async () => {
  [redis, broker] = await Promise.all([RedisServer.start(), Mosquitto.start()]);
});
afterEach(async () => {
  await terminal?.endAsync(true);
  await nodes?.stop();
  await store?.close();
  await broker.stop();
  await redis.stop();
}, 30_000);

const start = Date.now() - 3_600_000;
let vehicleId: string;
let sent: number;

async function startNodes(names: string[], more: Record<string, string>): Promise<void> {
  nodes = await Nodes.start(names, { LINECREW_STORE: redis.url, LINECREW_MQTT_URL: broker.url, ...more });
  store = await openStore(redis.url);
  const vehicle = await nodes.ask<{ id: string }>('POST', '/vehicles', {
    plate: '沪A12345', repairCentreId: 'centre-1', trade: 'lowVoltage', crew: { name: 'crew', members: [{ name: 'Li' }] },
    terminal: { phone, profile: 'mqtt' },
  }); // prettier-ignore
  [vehicleId, sent] = [vehicle.id, 0];
  terminal = await connectAsync(broker.url, { clientId: phone });
}

async function say(): Promise<void> {
  const atMs = start + sent * 1_000;
  await terminal.publishAsync(`linecrew/v1/t/${phone}/up`, positionUplink(++sent, atMs), { qos: 1 });
}

async function sayMany(): Promise<void> {
  for (let i = 0; i < UPLINKS; i++) await say();
}

async function stored(): Promise<number> {
  let count = 0;
  for await (const _ of store.track(vehicleId, start, start + 3_600_000)) count++;
  return count;
}

const allStored = (what: string, withinMs = 60_000): Promise<unknown> =>
  until(async () => (await stored()) === sent, what, withinMs);

it.each(['3.1.1', '5'])('no uplink stays with a node that died (MQTT %s)', { timeout: 150_000 }, async (version) => {
  await startNodes(['a', 'b'], { LINECREW_MQTT_CONNECTIONS: '2', LINECREW_MQTT_VERSION: version });
  await sayMany();
  await allStored('what came while both nodes read');
  const going = sayMany();
  await nodes.kill('a');
  await going;
  await allStored('what came when one of them died');

  // Its sessions are out of the shared subscription: nothing comes into them any more.
  await sayMany();
  await allStored('what came after that, at once', 5_000);

  // It comes back under its name and takes its share again.
  await nodes.run('a');
  await sayMany();
  await allStored('what came when it was back');
  expect(await nodes.drain('b')).toBe(0);
  await sayMany();
  await allStored('what came after the other one had stopped');
});

it.each(['3.1.1', '5'])('no uplink stays in the sessions of a node that came back with fewer connections (MQTT %s)', { timeout: 150_000 }, async (version) => {
  await startNodes(['a'], { LINECREW_MQTT_CONNECTIONS: '4', LINECREW_MQTT_VERSION: version });
  await sayMany();
  await allStored('what came over four connections');
  await nodes.kill('a');
  await sayMany();
  await nodes.run('a', { LINECREW_MQTT_CONNECTIONS: '2' });
  await allStored('what waited in all four sessions');
  await sayMany();
  await allStored('what came after that, at once', 5_000);
}); // prettier-ignore
