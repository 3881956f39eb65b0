import { connectAsync } from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Docs } from '../../../dispatch/domain/model.js';
import { MqttTruck, SECRET } from '../../e2e/mqtt-terminal.js';
import { Service } from '../../e2e/support.js';
import { positionUplink } from '../support/uplinks.js';
import { Mosquitto } from './mosquitto.js';

const phone = '13800000001';
const vehicleId = `v-${phone}`;
const queueConfirmed = async (): Promise<boolean> => {
  const { queue } = await service.get('vehicle', vehicleId);
  return queue.revision > 0 && queue.confirmedRevision === queue.revision;
};
let broker: Mosquitto;
let service: Service;

describe.each(['3.1.1', '5'])('an external broker, spoken to in MQTT %s', (version) => {
  beforeEach(async () => {
    broker = await Mosquitto.start();
    service = await new Service({ mqttUrl: broker.url, mqttConnections: '4', mqttVersion: version }).start();
    await service.vehicle(phone, { secret: SECRET });
  });
  afterEach(async () => {
    await service.stop();
    await broker.stop();
  });

  it('orders reach a terminal behind Mosquitto, and its actions come back', async () => {
    const orders: Docs['order'][] = [];
    for (let i = 0; i < 3; i++) orders.push(await service.assigned(vehicleId));
    const truck = new MqttTruck(phone);
    await truck.connect(broker.url);
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
    const client = await connectAsync(broker.url, { clientId: phone });
    const send = (n: number) =>
      client.publishAsync(`linecrew/v1/t/${phone}/up`, positionUplink(n, Date.now() + n), { qos: 1 });
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
    await broker.halt();
    const order = await service.assigned(vehicleId);
    await broker.run();
    const truck = new MqttTruck(phone);
    await truck.connect(broker.url);
    await service.until(queueConfirmed, 'the terminal confirms the queue', 30_000);
    expect(truck.app.shown()).toEqual([order.id]);
    await truck.disconnect();
  }, 40_000);

  it('tells integrators of events through the broker', async () => {
    const client = await connectAsync(broker.url, { clientId: 'integrator' });
    const types: string[] = [];
    client.on('message', (_topic, payload) => types.push((JSON.parse(payload.toString()) as { type: string }).type));
    await client.subscribeAsync('linecrew/v1/events/#', { qos: 1 });
    await service.until(async () => {
    await service.assigned(vehicleId);
    return types.includes('linecrew.leg.queued');
  }, 'an event'); // prettier-ignore
    await client.endAsync();
  });
});
