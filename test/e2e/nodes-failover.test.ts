/**
 * A master dies and a replica is promoted that lacks what the master confirmed last: what `appendfsync always` without
 * WAIT leaves open. What was lost is counted, the gateways go on by themselves, and `/readyz` has said so all along.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isSound } from '../../simulator/report.js';
import { startFleet, type Fleet } from '../../simulator/index.js';
import { RedisCluster, type RedisServer } from '../support/redis.js';
import { Nodes, TOKEN, until } from './nodes-support.js';

const VEHICLES = 4;
let cluster: RedisCluster;
let nodes: Nodes | undefined;
let fleet: Fleet | undefined;

beforeAll(async () => {
  cluster = await RedisCluster.start(3, 1);
  for (const server of cluster.servers) {
    const joined = async () => /state=online|master_link_status:up/.test(String(await server.command('INFO', 'replication'))); // prettier-ignore
    await until(joined, 'the replicas follow their masters', 30_000);
  }
}, 60_000);
afterAll(async () => {
  await fleet?.stop().catch(() => {});
  await nodes?.stop();
  await cluster?.stop();
}, 60_000);

const readyz = async (node: string): Promise<{ ok: boolean; text: string }> => {
  const response = await fetch(`${nodes!.urlOf(node)}/readyz`);
  return { ok: response.ok, text: await response.text() };
};

/** Master and replica of the slot of a key. */
async function serversOf(key: string): Promise<{ master: RedisServer; replica: RedisServer }> {
  const [asked] = cluster.servers;
  const slot = Number(await asked!.command('CLUSTER', 'KEYSLOT', key));
  const slots = (await asked!.command('CLUSTER', 'SLOTS')) as [number, number, ...[string, number][]][];
  const [, , ...servers] = slots.find(([from, to]) => from <= slot && slot <= to)!;
  const [master, replica] = servers.map(([, port]) => cluster.servers.find((server) => server.port === port)!);
  return { master: master!, replica: replica! };
}

it('counts what a promotion without WAIT loses, and goes on', { timeout: 180_000 }, async ({ onTestFailed }) => {
  onTestFailed(() => void process.stderr.write(`${nodes?.complaints()}\n`));
  nodes = await Nodes.start(['strict'], { LINECREW_STORE: cluster.url, LINECREW_REDIS_DURABILITY: 'replica' });
  expect((await readyz('strict')).text).toMatch(/survives a failover, best effort/);
  expect(await nodes.drain('strict')).toBe(0);
  await nodes.stop();

  nodes = await Nodes.start(['n'], { LINECREW_STORE: cluster.url, LINECREW_RETRY_S: '2' });
  const before = await readyz('n');
  expect(before.text).toMatch(/survives a crash of the machine: .*a failover to a replica may lose/);
  fleet = await startFleet({
    host: '127.0.0.1', port: nodes.terminals.port, http: nodes.url, token: TOKEN, vehicles: VEHICLES, profile: 'smart',
    crews: 'none', reportS: 1, retryS: 2, reconnectS: [0.2, 1],
  }); // prettier-ignore
  const confirmed = (): number => fleet!.totals().confirmed;
  const more = (count: number, what: string): Promise<unknown> => {
    const wanted = confirmed() + count;
    return until(() => confirmed() >= wanted, `${count} more positions confirmed ${what}`, 40_000);
  };
  await more(8, 'at first');

  // The replica of the node's ingest log hears nothing any more, and the master dies with what it confirmed since.
  const { master, replica } = await serversOf('{linecrew:log:n}');
  replica.signal('SIGSTOP');
  await master.command('CLIENT', 'KILL', 'TYPE', 'replica');
  await more(3 * VEHICLES, 'that the replica does not get');
  await master.kill();
  replica.signal('SIGCONT');
  await until(async () => (await serversOf('{linecrew:log:n}')).master === replica, 'the replica is promoted', 30_000);
  await master.run();
  await more(3 * VEHICLES, 'after the promotion');
  await until(async () => (await readyz('n')).ok, 'the gateway is ready again', 20_000);

  // What was confirmed after the promotion is there; of what was before, at most what the reader had not applied is lost.
  const report = await fleet.stop();
  process.stderr.write(`confirmed ${report.positions.confirmed}, lost by the promotion ${report.positions.lost}\n`);
  expect(report.positions.doubled).toBe(0);
  expect(report.positions.received! + report.positions.lost).toBe(report.positions.confirmed);
  expect(isSound(report)).toBe(report.positions.lost === 0);
});
