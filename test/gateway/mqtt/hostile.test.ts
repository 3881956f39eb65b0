/** Clients of the embedded broker that do too much, too little or the wrong thing: bounded, and others are undisturbed. */
import { once } from 'node:events';
import { connect as connectSocket, type Socket } from 'node:net';
import { connectAsync, type IClientOptions, type IConnackPacket, type MqttClient } from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeUplink } from '../../../protocol/index.js';
import { MqttTruck, SECRET } from '../../e2e/mqtt-terminal.js';
import { Service } from '../../e2e/support.js';
import { mqttPosition } from '../support/uplinks.js';

const phone = '13800000001';
const other = '13800000002';
const vehicleId = `v-${phone}`;
let service: Service;
let clients: MqttClient[];

beforeEach(async () => {
  clients = [];
  service = await new Service({ mqttPort: '0', mqttHost: '127.0.0.1', retryS: '1' }).start();
  for (const one of [phone, other]) await service.vehicle(one, { secret: SECRET });
});
afterEach(async () => {
  await Promise.all(clients.map((client) => client.endAsync(true)));
  await service.stop();
});

const url = (): string => `mqtt://127.0.0.1:${service.gateway.ports.mqtt}`;
const topic = (what: string, of = phone): string => `linecrew/v1/t/${of}/${what}`;

async function open(options: IClientOptions = {}): Promise<MqttClient> {
  const login = { clientId: phone, username: phone, password: SECRET, reconnectPeriod: 0 };
  const client = await connectAsync(url(), { ...login, ...options });
  clients.push(client);
  client.on('error', () => {});
  return client;
}
async function integrator(name: string): Promise<MqttClient> {
  const token = await service.gateway.accounts.createToken({ name, roles: ['integrator'], scopes: ['mqtt:read'] }, 'test');
  return open({ username: name, password: token.secret, clientId: name });
} // prettier-ignore
async function metric(name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${service.gateway.ports.http}/metrics`)).text();
  return Number(new RegExp(`^linecrew_mqtt_${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
}
const linkState = async (): Promise<string> => (await service.get('vehicle', vehicleId)).link.state;

/** Positions a second apart, from an hour ago. */
const start = Date.now() - 3_600_000;
function batch(count: number, sequence = 1): Buffer {
  const positions = Array.from({ length: count }, (_, n) => mqttPosition(start + n * 1000));
  return Buffer.from(encodeUplink({ sequence, sentAtMs: Date.now(), body: { kind: 'positions', positions } }));
}
async function stored(): Promise<number[]> {
  const found: number[] = [];
  const track = service.gateway.dispatch.store.track(vehicleId, start - 1000, start + 3_600_000);
  for await (const { deviceAt } of track) found.push(deviceAt);
  return found;
}

describe('integrators', () => {
  it('may subscribe to events and positions, and to nothing else', async () => {
    const client = await integrator('curious');
    const foreign = [
      '#',
      '+/#',
      '$SYS/#',
      'linecrew/#',
      topic('up'),
      topic('down'),
      'linecrew/v1/t/+/up',
      'linecrew/v1/+/x',
      '$share/g/linecrew/v1/events/#',
      'linecrew/v1/events',
      'linecrew/v1/events/a/b',
      'linecrew/v1/other/#',
    ];
    for (const filter of foreign) {
      await expect(client.subscribeAsync(filter, { qos: 1 }), filter).rejects.toThrow(
        /Unspecified|denied|refused|128/i,
      );
    }
    const own = ['linecrew/v1/events/#', 'linecrew/v1/events/+', 'linecrew/v1/positions/v1'];
    const granted = await client.subscribeAsync(own, { qos: 1 });
    expect(granted.map(({ topic: name }) => name)).toEqual(own);
    expect(await metric('subscriptions_denied_total')).toBe(foreign.length);
  });

  it('that go on with foreign topics are cut off, and others are not', async () => {
    const quiet = await integrator('quiet');
    const loud = await integrator('loud');
    const end = new Promise<void>((resolve) => loud.once('close', () => resolve()));
    for (let i = 0; i < 25; i++) loud.publish(topic('up'), 'x', { qos: 0 });
    await end;
    await quiet.subscribeAsync('linecrew/v1/events/#', { qos: 1 });
  });
});

describe('a stranger', () => {
  it('with a number or a name that no one could have is refused as any other, not with "try again later"', async () => {
    for (const username of ['9'.repeat(5_000), 'n'.repeat(60_000), '13800000099']) {
      const refused = connectAsync(url(), { username, password: SECRET, clientId: 'c', reconnectPeriod: 0 });
      await expect(refused).rejects.toMatchObject({ code: 4 });
    }
    expect(await metric('connects_refused_total')).toBe(3);
  });
});

describe('a terminal', () => {
  it('whose QoS 1 publish is refused does not repeat it for ever', async () => {
    const client = await open({ reconnectPeriod: 50 });
    let closed = 0;
    client.on('close', () => closed++);
    // Resolves with the PUBACK: the client has nothing left to send.
    await client.publishAsync(topic('up', other), 'x', { qos: 1 });
    await client.publishAsync(topic('up'), batch(1), { qos: 1 });
    expect([closed, await metric('publishes_denied_total')]).toEqual([0, 1]);
  });

  it('says with birth and will whether its app is there, beside the connection', async () => {
    const client = await open();
    await client.subscribeAsync(topic('down'), { qos: 1 });
    await service.until(async () => (await linkState()) === 'up', 'it listens');
    await client.publishAsync(topic('online'), '0', { qos: 1, retain: true });
    await service.until(async () => (await linkState()) === 'down', 'the app is gone');
    await client.publishAsync(topic('online'), '1', { qos: 1, retain: true });
    await service.until(async () => (await linkState()) === 'up', 'the app is back');
    client.stream.destroy();
    await service.until(async () => (await linkState()) === 'down', 'the connection is gone');
  });

  it('may hold back its PUBACKs: what waits is bounded, it goes on when it is back, others are undisturbed', async () => {
    const silent = await rawLogin();
    silent.write(subscribePacket(topic('down')));
    await service.until(async () => (await linkState()) === 'up', 'it listens');
    for (let i = 0; i < 40; i++) await service.do({ type: 'vehicle.message', vehicleId, text: 'x'.repeat(400) });
    const order = await service.assigned(`v-${other}`);
    const good = new MqttTruck(other);
    await good.connect(url());
    clients.push(good.client);
    await service.until(async () => good.app.shown().includes(order.id), 'the order of the other');
    // One of the orders and one of the rest may be on the way, each in a few transmissions.
    expect(await metric('downlinks_total')).toBeLessThan(30);
    silent.destroy();
    const truck = new MqttTruck(phone);
    await truck.connect(url());
    clients.push(truck.client);
    await service.until(async () => truck.app.notices.length >= 40, 'every text', 45_000);
  }, 90_000);

  it('is given no queue by the broker: a session is clean, whatever it asks for', async () => {
    const first = await open({ clean: false });
    await first.subscribeAsync(topic('down'), { qos: 1 });
    await first.endAsync();
    await service.until(async () => (await linkState()) === 'down', 'it is away');
    for (let i = 0; i < 30; i++) await service.do({ type: 'vehicle.message', vehicleId, text: `text ${i}` });
    const again = await open({ clean: false });
    const connack = (again as unknown as { _connack?: IConnackPacket })._connack;
    const heard: string[] = [];
    again.on('message', (name) => heard.push(name));
    // Answered in order: a message that the broker had kept would come before the SUBACK.
    const granted = await again.subscribeAsync(topic('up'), { qos: 1 });
    expect(granted[0]!.qos).toBe(1);
    expect([connack?.sessionPresent ?? false, heard]).toEqual([false, []]);
  });

  it('sends a batch after a radio hole, again when it is not sure, and each position is there once', async () => {
    const client = await open();
    await client.publishAsync(topic('up'), batch(500, 7), { qos: 1 });
    await client.publishAsync(topic('up'), batch(500, 7), { qos: 1 });
    await service.until(async () => (await stored()).length >= 500, 'the batch');
    const found = await stored();
    expect(found).toEqual(Array.from({ length: 500 }, (_, n) => start + n * 1000));
  });

  it('that only publishes is alive: no ping is needed within the keep-alive', async () => {
    const socket = await rawLogin(1);
    const acknowledged = new Set<number>();
    let rest = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      for (; rest.length >= 4; rest = rest.subarray(4)) if (rest[0] === 0x40) acknowledged.add(rest.readUInt16BE(2));
    });
    // 3 s are twice what the broker waits for a client that says nothing.
    for (let id = 1; id <= 30; id++) {
      socket.write(publishPacket(topic('up'), id, batch(1, id)));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await service.until(async () => acknowledged.size === 30, 'every PUBACK');
    expect(socket.destroyed).toBe(false);
    socket.destroy();
  });

  it('that floods is read no faster than the store writes, and every message gets its PUBACK in order', async () => {
    const socket = await rawLogin();
    const ids: number[] = [];
    let rest = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      for (; rest.length >= 4; rest = rest.subarray(4)) ids.push(rest.readUInt16BE(2));
    });
    const wanted = Array.from({ length: 1_000 }, (_, i) => i + 1);
    // About 5 MB: many times what may wait.
    for (const id of wanted) socket.write(publishPacket(topic('up'), id, batch(100, id)));
    await service.until(async () => ids.length === wanted.length, 'every PUBACK', 60_000);
    expect(ids).toEqual(wanted);
    socket.destroy();
  }, 90_000);
});

it('a thousand connections within a second that say nothing leave room for a terminal', async () => {
  const sockets: Socket[] = [];
  try {
    const begun = Array.from({ length: 1_000 }, async () => {
      const socket = connectSocket(service.gateway.ports.mqtt!, '127.0.0.1');
      socket.on('error', () => {});
      sockets.push(socket);
      await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
    });
    await Promise.all(begun);
    const client = await open();
    await client.publishAsync(topic('up'), batch(1), { qos: 1 });
    await service.until(async () => (await stored()).length === 1, 'its position');
  } finally {
    for (const socket of sockets) socket.destroy();
  }
  await service.until(async () => (await metric('clients')) === 1, 'the others are forgotten');
}, 60_000);

// ---- packets by hand (MQTT 3.1.1), for what a client library does not do

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 255), bytes]);
};
function packet(first: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length: number[] = [];
  let left = body.length;
  do {
    length.push((left % 128) | (left >= 128 ? 0x80 : 0));
    left = Math.floor(left / 128);
  } while (left > 0);
  return Buffer.concat([Buffer.of(first, ...length), body]);
}
const publishPacket = (name: string, id: number, payload: Buffer): Buffer =>
  packet(0x32, text(name), Buffer.of(id >> 8, id & 255), payload);
const subscribePacket = (filter: string): Buffer => packet(0x82, Buffer.of(0, 1), text(filter), Buffer.of(1));

/** A socket with a terminal signed in on it. */
async function rawLogin(keepAliveS = 120): Promise<Socket> {
  const socket = connectSocket(service.gateway.ports.mqtt!, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(packet(0x10, text('MQTT'), Buffer.of(4, 0xc2, 0, keepAliveS), text(phone), text(phone), text(SECRET)));
  const [connack] = (await once(socket, 'data')) as [Buffer];
  expect([...connack]).toEqual([0x20, 2, 0, 0]);
  return socket;
}
