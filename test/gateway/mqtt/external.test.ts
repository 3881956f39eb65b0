import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Docs } from '../../../dispatch/domain/model.js';
import { encodeUplink } from '../../../protocol/index.js';
import { MqttTruck, SECRET } from '../../e2e/mqtt-terminal.js';
import { Service } from '../../e2e/support.js';
import { mosquittoPath } from '../../support/system.js';

/** The external broker is Mosquitto as Debian ships it. */
const phone = '13800000001';
let directory: string;
let broker: ChildProcess;
let port: number;
let service: Service;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const found = (server.address() as AddressInfo).port;
  server.close();
  await once(server, 'close');
  return found;
}

async function startBroker(): Promise<void> {
  const file = join(directory, 'mosquitto.conf');
  const lines = [
    'allow_anonymous true',
    `listener ${port} 127.0.0.1`,
    'persistence true',
    `persistence_location ${directory}/`,
  ];
  writeFileSync(file, `${lines.join('\n')}\n${process.getuid?.() === 0 ? 'user root\n' : ''}`);
  broker = spawn(mosquittoPath(), ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  for await (const chunk of broker.stderr!) if (String(chunk).includes('running')) break;
  broker.stderr!.resume();
}
async function stopBroker(): Promise<void> {
  const exit = once(broker, 'exit');
  broker.kill('SIGTERM');
  await exit;
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'linecrew-mosquitto-'));
  port = await freePort();
  await startBroker();
  service = await new Service({ mqttUrl: `mqtt://127.0.0.1:${port}`, mqttConnections: '4' }).start();
  await service.vehicle(phone, { secret: SECRET });
});
afterEach(async () => {
  await service.stop();
  if (broker.exitCode === null) await stopBroker();
  rmSync(directory, { recursive: true, force: true });
});

const url = (): string => `mqtt://127.0.0.1:${port}`;
const vehicleId = `v-${phone}`;
const queueConfirmed = async (): Promise<boolean> => {
  const { queue } = await service.get('vehicle', vehicleId);
  return queue.revision > 0 && queue.confirmedRevision === queue.revision;
};

it('orders reach a terminal behind Mosquitto, and its actions come back', async () => {
  const orders: Docs['order'][] = [];
  for (let i = 0; i < 3; i++) orders.push(await service.assigned(vehicleId));
  const truck = new MqttTruck(phone);
  await truck.connect(url());
  await service.until(queueConfirmed, 'the terminal confirms the queue');
  expect(truck.app.shown()).toEqual(orders.map(({ id }) => id));
  const at = Date.now();
  await truck.say({ type: 'report.action', orderId: orders[0]!.id, leg: 1, action: 'accept', deviceAt: at });
  const leg = async () => (await service.get('order', orders[0]!.id)).legs[0]!;
  await service.until(async () => (await leg()).state === 'accepted', 'the crew accepts');
  expect((await leg()).points.F).toMatchObject({ at });
  truck.client.stream.destroy();
  await service.until(async () => (await service.get('vehicle', vehicleId)).link.state === 'down', 'the last will');
});

it('what came while the gateway was away is taken when it is back', async () => {
  const heard = async (): Promise<boolean> => (await service.gateway.dispatch.lastPositions([vehicleId])).size === 1;
  const client = await connectAsync(url(), { clientId: phone });
  const position = (n: number): Buffer => {
    const at = {
      atMs: Date.now() + n,
      lat: 39.9,
      lon: 116.4,
      altitudeM: 0,
      speedKmh: 0,
      headingDeg: 0,
      alarm: 0,
      status: 3,
    };
    return Buffer.from(encodeUplink({ sequence: n, sentAtMs: at.atMs, body: { kind: 'positions', positions: [at] } }));
  };
  const send = (n: number) => client.publishAsync(`linecrew/v1/t/${phone}/up`, position(n), { qos: 1 });
  // The subscription stands once something arrives.
  let n = 1;
  await service.until(async () => {
    await send(n++);
    return heard();
  }, 'the first position'); // prettier-ignore
  await service.gateway.stop();
  const before = n;
  for (let i = 0; i < 20; i++) await send(n++);
  await service.start();
  const count = async (): Promise<number> => {
    let found = 0;
    const from = Date.now() - 600_000;
    for await (const _one of service.gateway.dispatch.store.track(vehicleId, from, from + 1_200_000)) found++;
    return found;
  };
  await service.until(async () => (await count()) >= before - 1 + 20, 'all positions');
  await client.endAsync();
});

it('goes on when the broker was away', async () => {
  await stopBroker();
  const order = await service.assigned(vehicleId);
  await startBroker();
  const truck = new MqttTruck(phone);
  await truck.connect(url());
  await service.until(queueConfirmed, 'the terminal confirms the queue', 30_000);
  expect(truck.app.shown()).toEqual([order.id]);
  await truck.disconnect();
}, 40_000);

it('tells integrators of events through the broker', async () => {
  const client = await connectAsync(url(), { clientId: 'integrator' });
  const types: string[] = [];
  client.on('message', (_topic, payload) => types.push((JSON.parse(payload.toString()) as { type: string }).type));
  await client.subscribeAsync('linecrew/v1/events/#', { qos: 1 });
  await service.until(async () => {
    await service.assigned(vehicleId);
    return types.includes('linecrew.leg.queued');
  }, 'an event'); // prettier-ignore
  await client.endAsync();
});
