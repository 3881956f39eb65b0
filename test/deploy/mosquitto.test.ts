/** The broker as deploy/ configures it: who may say and hear what. Mosquitto grants a SUBSCRIBE and filters what is delivered. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync, type MqttClient } from 'mqtt';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { freePort } from '../support/redis.js';
import { findProgram, mosquittoPath } from '../support/system.js';

const deploy = (name: string): string => new URL(`../../deploy/${name}`, import.meta.url).pathname;
const [OWN, OTHER] = ['13800000001', '13800000002'];
const PASSWORD = 'a secret of sixteen';

let directory: string;
let broker: ChildProcess;
let url: string;
const clients: MqttClient[] = [];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'linecrew-broker-'));
  const passwords = join(directory, 'passwords');
  writeFileSync(passwords, ['gateway', OWN, OTHER].map((user) => `${user}:${PASSWORD}\n`).join(''), { mode: 0o600 });
  execFileSync(findProgram('mosquitto_passwd')!, ['-U', passwords]);
  writeFileSync(join(directory, 'acl'), readFileSync(deploy('mosquitto.acl')), { mode: 0o600 });
  const port = await freePort();
  url = `mqtt://127.0.0.1:${port}`;
  const shipped = readFileSync(deploy('mosquitto.conf'), 'utf8');
  const here = shipped
    .replace('listener 1883', `listener ${port} 127.0.0.1`)
    .replaceAll('/mosquitto/data/', `${directory}/`)
    .replaceAll('/mosquitto/config/', `${directory}/`);
  const file = join(directory, 'mosquitto.conf');
  writeFileSync(file, here + (process.getuid?.() === 0 ? 'user root\n' : ''));
  broker = spawn(mosquittoPath(), ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  const said: string[] = [];
  for await (const chunk of broker.stderr!) {
    said.push(String(chunk));
    if (said.join('').includes('running')) break;
  }
  expect(said.join('')).toContain('running');
  broker.stderr!.resume();
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.endAsync(true)));
});
afterAll(async () => {
  const exited = once(broker, 'exit');
  broker.kill('SIGTERM');
  await exited;
  rmSync(directory, { recursive: true, force: true });
});

interface Heard {
  topic: string;
  text: string;
}

async function client(username: string, password = PASSWORD): Promise<{ client: MqttClient; heard: Heard[] }> {
  const one = await connectAsync(url, { clientId: `${username}-${clients.length}`, username, password, reconnectPeriod: 0 }); // prettier-ignore
  clients.push(one);
  const heard: Heard[] = [];
  one.on('message', (topic, payload) => heard.push({ topic, text: payload.toString() }));
  return { client: one, heard };
}

const topic = (phone: string, what: string): string => `linecrew/v1/t/${phone}/${what}`;

/** Resolves when the client has heard a message: what was published before it would have come before. */
async function until(heard: Heard[], one: MqttClient, text: string): Promise<void> {
  while (!heard.some((message) => message.text === text)) {
    await new Promise<void>((resolve) => one.once('message', () => resolve()));
  }
}

it('lets nobody in without an account', async () => {
  await expect(client('13800000003')).rejects.toMatchObject({ code: 5 });
  await expect(client(OWN, 'a wrong password')).rejects.toMatchObject({ code: 5 });
});

it('never gives a terminal what is meant for another one', async () => {
  const gateway = await client('gateway');
  const terminal = await client(OWN);
  const filters = [topic(OTHER, 'down'), topic('+', 'down'), topic('+', 'up'), topic(OTHER, '#'), 'linecrew/v1/events/#', '#', `$share/x/${topic('+', 'down')}`]; // prettier-ignore
  for (const filter of [...filters, topic(OWN, 'down')]) await terminal.client.subscribeAsync(filter, { qos: 1 });
  await gateway.client.publishAsync(topic(OTHER, 'down'), 'for the other', { qos: 1 });
  await gateway.client.publishAsync('linecrew/v1/events/o-1', 'for integrators', { qos: 1 });
  await gateway.client.publishAsync(topic(OWN, 'down'), 'for this one', { qos: 1 });
  await until(terminal.heard, terminal.client, 'for this one');
  // The first may come more than once: several of its filters cover it.
  expect(new Set(terminal.heard.map((message) => `${message.topic} ${message.text}`))).toEqual(
    new Set([`${topic(OWN, 'down')} for this one`]),
  );
});

it('keeps what a terminal says in the name of another, or of the gateways, from them', async () => {
  const gateway = await client('gateway');
  const terminal = await client(OWN);
  const other = await client(OTHER);
  for (const filter of [topic('+', 'up'), topic('+', 'online')]) {
    await gateway.client.subscribeAsync(filter, { qos: 1 });
  }
  await other.client.subscribeAsync(topic(OTHER, 'down'), { qos: 1 });
  for (const foreign of [topic(OTHER, 'up'), topic(OTHER, 'online'), topic(OTHER, 'down'), topic(OWN, 'down')]) {
    await terminal.client.publishAsync(foreign, 'forged', { qos: 1 });
  }
  await terminal.client.publishAsync(topic(OWN, 'online'), '1', { qos: 1 });
  await terminal.client.publishAsync(topic(OWN, 'up'), 'true', { qos: 1 });
  await until(gateway.heard, gateway.client, 'true');
  await gateway.client.publishAsync(topic(OTHER, 'down'), 'true', { qos: 1 });
  await until(other.heard, other.client, 'true');
  expect(gateway.heard).toEqual([
    { topic: topic(OWN, 'online'), text: '1' },
    { topic: topic(OWN, 'up'), text: 'true' },
  ]);
  expect(other.heard).toEqual([{ topic: topic(OTHER, 'down'), text: 'true' }]);
});
