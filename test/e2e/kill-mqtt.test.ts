import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { connectAsync } from 'mqtt';
import { afterEach, expect, it } from 'vitest';
import { positionUplink } from '../gateway/support/uplinks.js';
import { SECRET } from './mqtt-terminal.js';

/** Whatever got its PUBACK is there after kill -9 and a restart, once, also when it is sent again. */
const program = fileURLToPath(new URL('./serve-child.ts', import.meta.url));
const token = 'bootstrap-token-of-this-test';
const phone = '13800000009';
const directory = mkdtempSync(join(tmpdir(), 'linecrew-kill-'));
let child: ChildProcess | undefined;

afterEach(async () => {
  if (child && child.exitCode === null && child.signalCode === null) {
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }
  rmSync(directory, { recursive: true, force: true });
});

async function serve(): Promise<{ http: number; mqtt: number }> {
  const env = {
    ...process.env,
    LINECREW_STORE: `lmdb:${directory}`,
    LINECREW_HTTP_PORT: '0',
    LINECREW_TCP_PORT: 'off',
    LINECREW_MQTT_PORT: '0',
    LINECREW_MQTT_HOST: '127.0.0.1',
    LINECREW_API_TOKEN: token,
    LINECREW_ADMIN_PASSWORD: 'a long enough password',
  };
  child = spawn(process.execPath, ['--import', 'tsx', program], { env, stdio: ['ignore', 'pipe', 'ignore'] });
  for await (const line of createInterface({ input: child.stdout! })) {
    const entry = JSON.parse(line) as { msg: string; http: number; mqtt: number };
    if (entry.msg === 'ready') {
      child.stdout!.resume();
      return entry;
    }
  }
  throw new Error('the gateway ended before it was ready');
}

const api = (http: number, path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`http://127.0.0.1:${http}/api/v1${path}`, {
    ...init,
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      ...init.headers,
    },
  });

it('loses nothing that was acknowledged', async () => {
  let ports = await serve();
  const made = await api(ports.http, '/vehicles', {
    method: 'POST',
    body: JSON.stringify({
      id: 'v1', plate: '京A00009', terminal: { phone, secret: SECRET }, repairCentreId: 'centre-1', trade: 'lowVoltage',
      crew: { name: 'crew', members: [] }, sharesOffice: false,
    }), // prettier-ignore
  });
  expect(made.status, await made.clone().text()).toBe(201);

  const start = Date.now() - 3_600_000;
  const acknowledged = new Set<number>();
  const login = { clientId: phone, username: phone, password: SECRET, reconnectPeriod: 0 };
  const uplink = (n: number): Buffer => positionUplink(n + 1, start + n * 1000);
  const first = await connectAsync(`mqtt://127.0.0.1:${ports.mqtt}`, login);
  first.on('error', () => {});
  const gone = new Promise<void>((resolve) => first.once('close', () => resolve()));
  let enough = (): void => {};
  const some = new Promise<void>((resolve) => (enough = resolve));
  for (let n = 0; n < 2000; n++) {
    first.publish(`linecrew/v1/t/${phone}/up`, uplink(n), { qos: 1 }, (error) => {
      if (!error) acknowledged.add(n);
      if (acknowledged.size === 300) enough();
    });
  }
  await some;
  const exit = once(child!, 'exit');
  child!.kill('SIGKILL');
  await Promise.all([exit, gone]);
  const before = [...acknowledged];
  expect(before.length).toBeGreaterThanOrEqual(300);
  await first.endAsync(true);

  ports = await serve();
  const again = await connectAsync(`mqtt://127.0.0.1:${ports.mqtt}`, login);
  for (const n of before.slice(-20)) await again.publishAsync(`linecrew/v1/t/${phone}/up`, uplink(n), { qos: 1 });
  await again.endAsync();
  const from = new Date(start - 1000).toISOString();
  const to = new Date(start + 4_000_000).toISOString();
  const found = await api(ports.http, `/vehicles/v1/track?from=${from}&to=${to}`, {
    headers: { accept: 'application/x-ndjson' },
  });
  expect(found.status).toBe(200);
  const times = (await found.text())
    .trim()
    .split('\n')
    .map((line) => Date.parse((JSON.parse(line) as { deviceAt: string }).deviceAt));
  expect(new Set(times).size).toBe(times.length);
  const stored = new Set(times.map((at) => (at - start) / 1000));
  expect(before.filter((n) => !stored.has(n))).toEqual([]);
}, 60_000);
