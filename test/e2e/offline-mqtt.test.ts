import { connectAsync } from 'mqtt';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Docs } from '../../dispatch/domain/model.js';
import { MqttTruck, SECRET } from './mqtt-terminal.js';
import { Service } from './support.js';

/** The five orders of offline.test.ts, over the embedded MQTT broker. */
const phone = '13800005678';
let service: Service;

beforeEach(async () => {
  service = await new Service({ mqttPort: '0', mqttHost: '127.0.0.1' }).start();
});
afterEach(() => service.stop());

const url = (): string => `mqtt://127.0.0.1:${service.gateway.ports.mqtt}`;
const leg = async (orderId: string): Promise<Docs['order']['legs'][number]> =>
  (await service.get('order', orderId)).legs[0]!;
const confirmed = (vehicleId: string) => async (): Promise<boolean> => {
  const { queue } = await service.get('vehicle', vehicleId);
  return (
    queue.revision > 0 && queue.confirmedRevision === queue.revision && queue.entries.every((entry) => !entry.recalling)
  );
};

it('five orders over a lost link and a restart, each once and in order; the third is recalled', async () => {
  const vehicleId = await service.vehicle(phone, { secret: SECRET });
  const orders: Docs['order'][] = [];
  for (let i = 0; i < 4; i++) orders.push(await service.assigned(vehicleId));
  orders.unshift(await service.assigned(vehicleId, 1));
  const truck = new MqttTruck(phone);
  await truck.connect(url(), 2);
  await truck.gone();
  expect(truck.app.contents.size).toBe(2);

  await service.restart();
  const acceptedAt = Date.now();
  await truck.connect(url());
  await service.until(confirmed(vehicleId), 'the terminal confirms the queue');
  expect(truck.app.shown()).toEqual(orders.map(({ id }) => id));
  expect([...truck.app.arrived.values()]).toEqual([1, 1, 1, 1, 1]);

  const third = orders[2]!.id;
  await service.do({ type: 'order.recall', orderId: third, reason: 'wrong vehicle' });
  await service.until(async () => (await leg(third)).state === 'recalled', 'the recall is confirmed');
  await service.until(confirmed(vehicleId), 'the terminal confirms the shorter queue');
  expect(truck.app.shown()).toEqual(orders.filter(({ id }) => id !== third).map(({ id }) => id));

  await truck.disconnect();
  await service.until(async () => (await service.get('vehicle', vehicleId)).link.state === 'down', 'the link is down');
  await truck.connect(url());
  const first = orders[0]!.id;
  await truck.say({ type: 'report.action', orderId: first, leg: 1, action: 'accept', deviceAt: acceptedAt });
  await service.until(async () => (await leg(first)).state === 'accepted', 'the crew accepts');
  expect((await leg(first)).points.F).toMatchObject({ at: acceptedAt, rank: 'key' });
  await truck.disconnect();
});

it('a second connection with the same number takes over; its last will says nothing about the newer one', async () => {
  const vehicleId = await service.vehicle(phone, { secret: SECRET });
  const older = new MqttTruck(phone);
  await older.connect(url());
  const up = async (): Promise<boolean> => (await service.get('vehicle', vehicleId)).link.state === 'up';
  await service.until(up, 'the link is up');
  const newer = new MqttTruck(phone);
  const gone = older.gone();
  await newer.connect(url());
  await gone;
  await service.assigned(vehicleId);
  await service.until(async () => newer.app.contents.size === 1, 'the order reaches the newer connection');
  expect(older.app.contents.size).toBe(0);
  expect(await up()).toBe(true);
  await newer.disconnect();
  await service.until(async () => !(await up()), 'the link is down');
});

it('what is no protobuf is acknowledged, quarantined with its bytes, and told once', async () => {
  const vehicleId = await service.vehicle(phone, { secret: SECRET });
  const client = await connectAsync(url(), { clientId: phone, username: phone, password: SECRET });
  const junk = Buffer.from('ff00ff00', 'hex');
  for (let i = 0; i < 3; i++) await client.publishAsync(`linecrew/v1/t/${phone}/up`, junk, { qos: 1 });
  const cards = async (): Promise<Docs['card'][]> => {
    const page = await service.gateway.dispatch.scan({
      index: 'cards',
      from: 'quarantine/',
      to: 'quarantine0',
      limit: 10,
    });
    return page.items.map(({ value }) => value as Docs['card']);
  };
  await service.until(async () => (await cards()).length > 0, 'a card');
  const [card, ...others] = await cards();
  expect(others).toEqual([]);
  expect(card).toMatchObject({ vehicleId, bytesHex: 'ff00ff00' });
  await client.endAsync();
});
