import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { promisify } from 'node:util';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MqttTruck, SECRET } from '../../e2e/mqtt-terminal.js';
import { Service } from '../../e2e/support.js';
import { positionUplink } from '../support/uplinks.js';
import { findProgram } from '../../support/system.js';

const phone = '13800000001';
const other = '13800000002';
let service: Service;
let clients: MqttClient[];

beforeEach(async () => {
  clients = [];
  service = await new Service({ mqttPort: '0', mqttWsPort: '0', mqttHost: '127.0.0.1' }).start();
  await service.vehicle(phone, { secret: SECRET });
});
afterEach(async () => {
  await Promise.all(clients.map((client) => client.endAsync(true)));
  await service.stop();
});

const port = (): number => service.gateway.ports.mqtt!;
const url = (): string => `mqtt://127.0.0.1:${port()}`;
const topic = (what: string, of = phone): string => `linecrew/v1/t/${of}/${what}`;

async function open(options: IClientOptions, at = url()): Promise<MqttClient> {
  const client = await connectAsync(at, { reconnectPeriod: 0, ...options });
  clients.push(client);
  // Who is cut off hears it as an error; the tests look at the end of the connection.
  client.on('error', () => {});
  return client;
}
const terminal = (options: IClientOptions = {}, at?: string): Promise<MqttClient> =>
  open({ clientId: phone, username: phone, password: SECRET, ...options }, at);
const closed = (client: MqttClient): Promise<void> =>
  client.disconnected ? Promise.resolve() : new Promise((resolve) => client.once('close', () => resolve()));

const position = (): Buffer => positionUplink(1, Date.now(), { altitudeM: 50, speedKmh: 30, headingDeg: 90 });
const lastPosition = () => service.gateway.dispatch.lastPositions([`v-${phone}`]);

describe('who may connect', () => {
  it.each([
    ['a wrong password', { password: 'wrong' }],
    ['no password', { password: undefined }],
    ['an unknown number', { username: other, clientId: other }],
    ['another client id', { clientId: other }],
  ])('not with %s', async (_what, options) => {
    await expect(terminal(options)).rejects.toThrow(/refused|authorized/i);
  });

  it('not a blocked terminal', async () => {
    await service.do({ type: 'terminal.block', phone, reason: 'stolen' });
    await expect(terminal()).rejects.toThrow(/authorized/i);
  });

  it('also over WebSocket', async () => {
    const client = await terminal({}, `ws://127.0.0.1:${service.gateway.ports.mqttWs}`);
    await client.publishAsync(topic('up'), position(), { qos: 1 });
    await service.until(async () => (await lastPosition()).size === 1, 'the position');
  });

  it('not MQTT 5: it is told so', async () => {
    await expect(terminal({ protocolVersion: 5 })).rejects.toThrow(/protocol version/i);
  });
});

describe('what it may say and hear', () => {
  it('its own topics and nothing else; foreign publishes are acknowledged and dropped', async () => {
    await service.vehicle(other, { secret: SECRET });
    const victim = await terminal({ clientId: other, username: other });
    const heard: string[] = [];
    victim.on('message', (_name, payload) => heard.push(payload.toString()));
    await victim.subscribeAsync(topic('down', other), { qos: 1 });
    const client = await terminal();
    await client.publishAsync(topic('down', other), 'hello', { qos: 1 });
    await client.publishAsync(topic('up', other), position(), { qos: 1 });
    await client.publishAsync(topic('up'), position(), { qos: 1 });
    await service.until(async () => (await lastPosition()).size === 1, 'its own position');
    expect((await service.gateway.dispatch.lastPositions([`v-${other}`])).size).toBe(0);
    expect(heard).not.toContain('hello');
  });

  it.each([
    '#',
    '+/#',
    'linecrew/v1/t/+/up',
    topic('down', other),
    'linecrew/v1/events/#',
    '$share/g/linecrew/v1/t/+/up',
    '$SYS/#',
  ])('may not subscribe to %s', async (filter) => {
    const client = await terminal();
    await expect(client.subscribeAsync(filter, { qos: 1 })).rejects.toThrow(/Unspecified|denied|refused|128/i);
  });

  it('who goes on with foreign topics is cut off, and others are not', async () => {
    await service.vehicle(other, { secret: SECRET });
    const quiet = await terminal({ clientId: other, username: other });
    const client = await terminal();
    const end = closed(client);
    for (let i = 0; i < 25 && client.connected; i++) client.publish(topic('up', other), 'x', { qos: 0 });
    await end;
    expect(quiet.connected).toBe(true);
  });

  it('a packet that is too long ends the connection', async () => {
    const client = await terminal();
    const end = closed(client);
    client.publish(topic('up'), Buffer.alloc(80_000), { qos: 1 });
    await end;
    const again = await terminal();
    await again.publishAsync(topic('up'), position(), { qos: 1 });
  });

  it('a flood ends the connection', async () => {
    const client = await terminal();
    const end = closed(client);
    const ping = Buffer.from([0xc0, 0x00]);
    for (let i = 0; i < 12; i++) client.stream.write(Buffer.concat(Array.from({ length: 500 }, () => ping)));
    await end;
  });

  it('bytes that are no MQTT end the connection', async () => {
    const socket = connectSocket(port(), '127.0.0.1');
    await once(socket, 'connect');
    socket.on('error', () => {});
    socket.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    await once(socket, 'close');
    await terminal();
  });
});

describe('PUBACK', () => {
  it('does not come while the store cannot write, and comes when it can again', async () => {
    const { store } = service.gateway.dispatch;
    const append = store.appendIngest.bind(store);
    let broken = true;
    let tried = (): void => {};
    const failed = new Promise<void>((resolve) => (tried = resolve));
    store.appendIngest = (node, group) => {
      if (!broken) return append(node, group);
      tried();
      return Promise.reject(new Error('no space left on device'));
    };
    const client = await terminal();
    let acknowledged = false;
    const sent = client.publishAsync(topic('up'), position(), { qos: 1 }).then(() => (acknowledged = true));
    await failed;
    expect(acknowledged).toBe(false);
    expect((await lastPosition()).size).toBe(0);
    broken = false;
    await sent;
    await service.until(async () => (await lastPosition()).size === 1, 'the position');
  });

  it('is counted where an operator sees it', async () => {
    const client = await terminal();
    await client.publishAsync(topic('up'), position(), { qos: 1 });
    await client.publishAsync(topic('up', other), 'x', { qos: 1 });
    const text = await (await fetch(`http://127.0.0.1:${service.gateway.ports.http}/metrics`)).text();
    expect(text).toMatch(/^linecrew_mqtt_uplinks_total 1$/m);
    expect(text).toMatch(/^linecrew_mqtt_publishes_denied_total 1$/m);
  });
});

describe('with the clients of Mosquitto', () => {
  const run = promisify(execFile);
  const login = (): string[] => ['-h', '127.0.0.1', '-p', String(port()), '-V', 'mqttv311'];

  it('takes what mosquitto_pub sends', async () => {
    const file = ['-u', phone, '-P', SECRET, '-i', phone, '-t', topic('up'), '-q', '1', '-s'];
    const child = spawn(findProgram('mosquitto_pub')!, [...login(), ...file]);
    child.stdin.end(position());
    expect((await once(child, 'exit'))[0]).toBe(0);
    await service.until(async () => (await lastPosition()).size === 1, 'the position');
  });

  it('tells mosquitto_sub of an order, and the restarted one what it missed', async () => {
    const { secret } = await service.gateway.accounts.createToken(
      { name: 'billing', roles: ['integrator'], scopes: ['mqtt:read'] }, 'test',
    ); // prettier-ignore
    const args = [
      ...login(),
      '-u',
      'billing',
      '-P',
      secret,
      '-i',
      'one',
      '-c',
      '-q',
      '1',
      '-t',
      'linecrew/v1/events/#',
    ];
    const sub = findProgram('mosquitto_sub')!;
    const first = spawn(sub, args);
    let seen = '';
    first.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
    await service.until(async () => {
      await service.assigned(`v-${phone}`);
      return seen.includes('leg.queued');
    }, 'the first event'); // prettier-ignore
    const exit = once(first, 'exit');
    first.kill('SIGTERM');
    await exit;
    const missed = await service.assigned(`v-${phone}`);
    const { stdout } = await run(sub, [...args, '-C', '60', '-W', '5']).catch((error: { stdout: string }) => error);
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: string; type: string; subject: string; specversion: string });
    const ofMissed = events.filter(({ subject }) => subject === `orders/${missed.id}`).map(({ type }) => type);
    expect(ofMissed).toEqual(
      expect.arrayContaining(['linecrew.order.received', 'linecrew.order.issued', 'linecrew.leg.queued']),
    );
    expect(events.every(({ specversion }) => specversion === '1.0')).toBe(true);
    const positions = events.map(({ id }) => Number(id.slice(4)));
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
  });
});

describe('integrators', () => {
  it('need the scope, cannot publish, and see nothing of terminals', async () => {
    const { accounts } = service.gateway;
    const plain = await accounts.createToken({ name: 'plain', roles: ['integrator'], scopes: ['order.read'] }, 'test');
    await expect(open({ username: 'plain', password: plain.secret })).rejects.toThrow(/authorized/i);
    const good = await accounts.createToken({ name: 'good', roles: ['integrator'], scopes: ['mqtt:read'] }, 'test');
    const client = await open({ username: 'good', password: good.secret, clientId: phone });
    const truck = new MqttTruck(phone);
    await truck.connect(url());
    await expect(client.subscribeAsync(topic('up'))).rejects.toThrow();
    await client.publishAsync(topic('up'), position(), { qos: 1 });
    expect(client.connected).toBe(true);
    expect((await lastPosition()).size).toBe(0);
    await truck.disconnect();
  });

  it('follow positions', async () => {
    const good = await service.gateway.accounts.createToken(
      { name: 'good', roles: ['integrator'], scopes: ['mqtt:read'] },
      'test',
    );
    const client = await open({ username: 'good', password: good.secret });
    const message = new Promise<string>((resolve) =>
      client.once('message', (_name, payload) => resolve(payload.toString())),
    );
    await client.subscribeAsync('linecrew/v1/positions/+');
    const truck = await terminal();
    await truck.publishAsync(topic('up'), position(), { qos: 1 });
    expect(JSON.parse(await message)).toMatchObject({
      type: 'linecrew.position',
      data: { lat: 39.9, lon: 116.4, speedKmh: 30 },
    });
  });
});
