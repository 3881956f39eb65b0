/** The load balancer as deploy/ configures it, before two gateways with the settings of the compose file. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { startFleet, type Fleet } from '../../simulator/index.js';
import { isSound } from '../../simulator/report.js';
import { Nodes, TOKEN, until } from '../e2e/nodes-support.js';
import { Mosquitto } from '../gateway/mqtt/mosquitto.js';
import { freePort, RedisServer } from '../support/redis.js';
import { haproxyPath } from '../support/system.js';
import { composeEnvironment, deployed } from './files.js';

const NAMES = ['gateway-1', 'gateway-2'];
const VEHICLES = 6;
let directory: string;
let redis: RedisServer;
let broker: Mosquitto;
let nodes: Nodes;
let balancer: ChildProcess | undefined;
let fleet: Fleet | undefined;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'linecrew-balancer-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));
beforeEach(async () => {
  [redis, broker] = await Promise.all([RedisServer.start(), Mosquitto.start()]);
});
afterEach(async () => {
  await fleet?.stop().catch(() => {});
  await nodes?.stop();
  if (balancer?.exitCode === null) {
    const exited = once(balancer, 'exit');
    balancer.kill('SIGKILL');
    await exited;
  }
  await broker.stop();
  await redis.stop();
}, 60_000);

/** The shipped file with the gateways and the ports of this test in it. */
async function startBalancer(): Promise<{ terminals: number; http: string }> {
  const [terminals, http] = [await freePort(), await freePort()];
  let text = deployed('haproxy.cfg')
    .replace('bind :7808', `bind 127.0.0.1:${terminals}`)
    .replace('bind :8080', `bind 127.0.0.1:${http}`);
  for (const name of NAMES) {
    const { ports } = nodes.nodes.get(name)!;
    text = text
      .replace(`${name}:7808 check port 8080`, `127.0.0.1:${ports.tcp} check port ${ports.http}`)
      .replace(`${name}:8080`, `127.0.0.1:${ports.http}`);
  }
  run(text);
  return { terminals, http: `http://127.0.0.1:${http}` };
}

function run(text: string): void {
  const file = join(directory, 'haproxy.cfg');
  writeFileSync(file, text);
  balancer = spawn(haproxyPath(), ['-db', '-f', file], { stdio: 'ignore' });
}

const statusOf = async (url: string): Promise<number | undefined> => {
  const answer = await fetch(`${url}/readyz`).catch(() => undefined);
  return answer?.status;
};

async function connectionsOf(name: string): Promise<number> {
  const metrics = await (await fetch(`${nodes.urlOf(name)}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } })).text();
  return Number(/^linecrew_gateway_connections_open (\d+)$/m.exec(metrics)?.[1]);
} // prettier-ignore

it('its file is one that HAProxy takes', () => {
  const file = join(directory, 'shipped.cfg');
  writeFileSync(file, deployed('haproxy.cfg'));
  expect(() => execFileSync(haproxyPath(), ['-c', '-q', '-f', file], { stdio: 'pipe' })).not.toThrow();
});

it('what a client says of its own address does not pass', { timeout: 30_000 }, async () => {
  const upstream = createServer((request, response) => response.end(JSON.stringify(request.headers)));
  await once(upstream.listen(0, '127.0.0.1'), 'listening');
  try {
    const http = await freePort();
    const server = `127.0.0.1:${(upstream.address() as AddressInfo).port}`;
    run(
      deployed('haproxy.cfg')
        .replace('bind :7808', `bind 127.0.0.1:${await freePort()}`)
        .replace('bind :8080', `bind 127.0.0.1:${http}`)
        .replace(/gateway-[12]:8080/g, server),
    );
    const forged = {
      'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'evil.example',
      forwarded: 'for=203.0.113.9',
    }; // prettier-ignore
    const headersSeen = async (): Promise<Record<string, string> | undefined> => {
      const answer = await fetch(`http://127.0.0.1:${http}/`, { headers: forged }).catch(() => undefined);
      return answer?.ok ? ((await answer.json()) as Record<string, string>) : undefined;
    };
    await until(async () => (await headersSeen()) !== undefined, 'the balancer passes requests on', 20_000);
    const seen = (await headersSeen())!;
    expect(Object.keys(seen).filter((name) => name.includes('forwarded'))).toEqual(['x-forwarded-for']);
    expect(seen['x-forwarded-for']).toBe('127.0.0.1');
  } finally {
    upstream.closeAllConnections();
    upstream.close();
  }
});

it('terminals and people go on through it when a gateway dies, and hear of it when the store is gone', { timeout: 150_000 }, async () => {
  const { LINECREW_NODE_ID: _, ...settings } = composeEnvironment('gateway-1');
  nodes = await Nodes.start(NAMES, { ...settings, LINECREW_STORE: redis.url, LINECREW_MQTT_URL: broker.url, LINECREW_API_TOKEN: TOKEN }); // prettier-ignore
  const through = await startBalancer();
  await until(async () => (await statusOf(through.http)) === 200, 'a gateway answers through the balancer', 20_000);
  fleet = await startFleet({
    host: '127.0.0.1', port: through.terminals, http: through.http, token: TOKEN, vehicles: VEHICLES, profile: 'smart',
    crews: 'none', reportS: 1, retryS: 2, reconnectS: [0.2, 1],
  }); // prettier-ignore
  const confirmed = (): number => fleet!.totals().confirmed;
  await until(() => confirmed() >= 2 * VEHICLES, 'positions are confirmed', 40_000);

  // By the fewest connections: both have some.
  for (const name of NAMES) expect(await connectionsOf(name), name).toBeGreaterThan(0);

  await nodes.kill('gateway-1');
  const before = confirmed();
  await until(() => confirmed() >= before + 3 * VEHICLES, 'all go on at the other one', 40_000);
  await until(async () => (await statusOf(through.http)) === 200, 'people reach the other one', 20_000);

  await redis.kill();
  await until(async () => (await statusOf(through.http)) === 503, 'nobody is sent to a gateway without its store', 40_000);
  await redis.run();
  await until(async () => (await statusOf(through.http)) === 200, 'it is back', 40_000);
  const report = await fleet.stop();
  expect(report).toMatchObject({ notes: [], missing: [] });
  expect(isSound(report)).toBe(true);
}); // prettier-ignore
