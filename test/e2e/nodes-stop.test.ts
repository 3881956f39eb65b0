/** A gateway is stopped while a master of its cluster hangs: neither crashed nor answering, as with a disk that stalls. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { startFleet, type Fleet } from '../../simulator/index.js';
import { isSound } from '../../simulator/report.js';
import { RedisCluster, type RedisServer } from '../support/redis.js';
import { Nodes, TOKEN, until } from './nodes-support.js';

const VEHICLES = 4;
let cluster: RedisCluster;
let nodes: Nodes | undefined;
let fleet: Fleet | undefined;
let hanging: RedisServer | undefined;

beforeAll(async () => {
  cluster = await RedisCluster.start(3);
}, 60_000);
afterEach(async () => {
  hanging?.signal('SIGCONT');
  await fleet?.stop().catch(() => {});
  await nodes?.stop();
  await cluster.settled();
}, 60_000);
afterAll(() => cluster?.stop());

/** The master that has the slot of a key. */
async function masterOf(key: string): Promise<RedisServer> {
  const [asked] = cluster.servers;
  const slot = Number(await asked!.command('CLUSTER', 'KEYSLOT', key));
  const slots = (await asked!.command('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
  const port = slots.find(([from, to]) => from <= slot && slot <= to)![2][1];
  return cluster.servers.find((server) => server.port === port)!;
}

it.each([
  ['the business state', '{linecrew}'],
  ['its ingest log', '{linecrew:log:n}'],
])('stops in time although the master of %s hangs', { timeout: 120_000 }, async (_what, key) => {
  nodes = await Nodes.start(['n'], { LINECREW_STORE: cluster.url, LINECREW_RETRY_S: '2' });
  fleet = await startFleet({
    host: '127.0.0.1', port: nodes.terminals.port, http: nodes.url, token: TOKEN, vehicles: VEHICLES, profile: 'smart',
    crews: 'none', reportS: 1, retryS: 2, reconnectS: [0.2, 1],
  }); // prettier-ignore
  await until(() => fleet!.totals().confirmed >= VEHICLES, 'positions are confirmed', 40_000);
  hanging = await masterOf(key);
  hanging.signal('SIGSTOP');
  const unready = async (): Promise<boolean> => (await fetch(`${nodes!.urlOf('n')}/readyz`)).status === 503;
  await until(unready, '/readyz tells of it', 40_000);
  expect(await nodes.drain('n'), nodes.complaints()).toBe(0);

  // What was not finished was not confirmed: the terminals say it again, and nothing is lost or there twice.
  hanging.signal('SIGCONT');
  await cluster.settled();
  await nodes.run('n');
  const report = await fleet.stop();
  expect(report).toMatchObject({ notes: [], missing: [] });
  expect(isSound(report)).toBe(true);
});
