/** A broker in a process of its own: bare aedes, or the product with its durable gate. Argument: kind, connections. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Aedes } from 'aedes';
import { Accounts } from '../../dispatch/accounts.js';
import { openClock } from '../../dispatch/clock.js';
import { DEFAULT_SETTINGS } from '../../dispatch/domain/settings.js';
import { createDispatch } from '../../dispatch/service.js';
import { openLmdb } from '../../dispatch/store/lmdb.js';
import { Deliveries } from '../../gateway/deliveries/loop.js';
import { createLog, wordLog } from '../../gateway/log.js';
import { EmbeddedBroker } from '../../gateway/mqtt/embedded.js';
import { startTerminalGateway } from '../../gateway/terminal-gateway.js';
import { phoneOf, SECRET } from './mqtt-load.js';
import { putVehicles } from './vehicles.js';

const [kind = 'product', connections = '100'] = process.argv.slice(2);
const stop = kind === 'bare' ? await bare() : await product();

process.on('message', (message) => {
  if (message === 'mark') process.send!({ cpuUs: process.cpuUsage().user + process.cpuUsage().system });
  if (message === 'stop') void stop().then(() => process.exit(0));
});

// The benchmark was interrupted: nobody else would end this process.
process.on('disconnect', () => void stop().then(() => process.exit(0)));

async function bare(): Promise<() => Promise<void>> {
  const broker = await Aedes.createBroker();
  const server = createServer({ noDelay: true }, broker.handle);
  server.listen(0, '127.0.0.1', () => process.send!({ port: (server.address() as AddressInfo).port }));
  return async () => {
    broker.close();
    server.close();
  };
}

async function product(): Promise<() => Promise<void>> {
  const directory = mkdtempSync(join(tmpdir(), 'linecrew-bench-'));
  const store = await openLmdb(directory);
  const clock = await openClock(store, 1);
  const log = createLog('warn');
  const dispatch = createDispatch({ store, clock, settings: DEFAULT_SETTINGS, random: randomBytes, log: wordLog(log) });
  await putVehicles(dispatch, Number(connections), (i) => {
    return { id: `v${i}`, plate: `v${i}`, terminal: { phone: phoneOf(i), secret: SECRET } };
  });
  const deliveries = new Deliveries({ dispatch, node: 'bench', log: wordLog(log) });
  const gateway = { dispatch, node: 'bench', enrolment: 'known', deliveries, random: randomBytes, log } as const;
  const terminals = await startTerminalGateway(gateway);
  // The rate limit is checked for every packet; the load of the benchmark is above what it allows a terminal.
  const limits = { packetsPerSecond: 1e6, packetBurst: 1e6 };
  const accounts = new Accounts(dispatch);
  const broker = await EmbeddedBroker.create({ dispatch, accounts, terminals, node: 'bench', log, limits });
  process.send!({ port: await broker.listen({ port: 0, host: '127.0.0.1', kind: 'tcp' }) });
  return async () => {
    await broker.close();
    await terminals.stop();
    await dispatch.stop();
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  };
}
