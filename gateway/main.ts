/** The composition root: puts store, dispatch, terminals, deliveries and HTTP together, in the order of who needs whom. */
import { randomBytes } from 'node:crypto';
import { existsSync, rmdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import { Registry } from 'prom-client';
import { Accounts } from '../dispatch/accounts.js';
import { createHttpServer, type ApiPlugin, type HttpConfig } from '../dispatch/api/server.js';
import { PositionRules } from '../dispatch/automation.js';
import { BreakWatch } from '../dispatch/break-watch.js';
import { consolePlugin } from '../dispatch/console-server.js';
import { openClock } from '../dispatch/clock.js';
import { startAutomaticMode } from '../dispatch/automatic-mode.js';
import { Forecasts } from '../dispatch/forecasts.js';
import { startProposals } from '../dispatch/proposals.js';
import { noRoad, osrmRoad, type Road } from '../dispatch/road.js';
import { Role, type RoleWork } from '../dispatch/role.js';
import { createDispatch, type Dispatch } from '../dispatch/service.js';
import type { DispatchStore } from '../dispatch/store/store.js';
import { decodePlugin } from './api/decode.js';
import { terminalFilesPlugin } from './api/terminal-files.js';
import { terminalFunctionsPlugin } from './api/terminal-functions.js';
import { copyBeside, dropLeftCopies } from './backup.js';
import { dispatchSettings } from './config/dispatch-settings.js';
import { openConfigured } from './config/open-configured.js';
import { listening } from './config/listening.js';
import type { Config } from './config/settings.js';
import { readTlsFiles, type TlsFiles } from './config/tls-files.js';
import { controlDirectory, makeControlDirectory, serveControl } from './control.js';
import { erasureHandlers } from './erasure.js';
import { evidenceHandlers, evidencePlugin } from './evidence/handlers.js';
import { Deliveries } from './deliveries/loop.js';
import { checkStore } from './doctor/checks.js';
import { wordLog, type Logger } from './log.js';
import { registerMetrics } from './metrics.js';
import { refuseUnfinished } from './migrate/mark.js';
import { startMqtt } from './mqtt/index.js';
import { registerMqttMetrics } from './mqtt/metrics.js';
import { peopleHandlers } from './people.js';
import { createReadiness } from './readiness.js';
import { startRetention } from './retention.js';
import { tail } from './tail.js';
import { TerminalFiles } from './terminal-files.js';
import { startTerminalGateway, type TerminalGateway } from './terminal-gateway.js';
import { transferHandlers } from './transfer/transfer.js';
import { Undo, type Words } from './undo.js';
import { version } from './version.js';

export interface GatewayOptions {
  log: Logger;
  /** Routes of the composition's own: the demo's streets. */
  plugins?: readonly ApiPlugin[];
}

/** Ports really taken; undefined where a listener is off. */
export interface Ports {
  http: number;
  tcp?: number;
  tls?: number;
  mqtt?: number;
  mqttTls?: number;
  mqttWs?: number;
}

export interface Gateway {
  readonly ports: Ports;
  readonly dispatch: Dispatch;
  readonly accounts: Accounts;
  readonly log: Logger;
  /** Where the console is reached from this machine. */
  readonly url: string;
  /** Takes nothing new, finishes what it has, closes the store. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts everything that the configuration asks for and logs one line `ready` with the ports taken. Rejects, with
 * whatever was started stopped again, when a part cannot start: a port in use, a store of another clock rate; with a
 * {@link ConfigError} before anything is opened where a certificate or key is wrong.
 */
export async function startGateway(config: Config, options: GatewayOptions): Promise<Gateway> {
  const undo = new Undo();
  try {
    return await compose(config, options, undo);
  } catch (error) {
    await undo.run(wordLog(options.log));
    throw error;
  }
}

async function compose(config: Config, { log, plugins = [] }: GatewayOptions, undo: Undo): Promise<Gateway> {
  const words = wordLog(log);
  const tls = readTlsFiles(config);
  const store = await openConfigured(config);
  undo.add('store', () => store.close());
  await refuseUnfinished(store);
  await sayDurability(store, log);

  const clock = await openClock(store, config.clockRate);
  const settings = dispatchSettings(config);
  const dispatch = createDispatch({ store, clock, settings, random: randomBytes, log: words, node: config.nodeId });
  undo.add('dispatch', () => dispatch.stop());
  await dispatch.start();
  const accounts = new Accounts(dispatch);

  const files = new TerminalFiles(store);
  const deliveries = new Deliveries({ dispatch, node: config.nodeId, log: words, files });
  await deliveries.start();
  undo.add('deliveries', () => deliveries.stop());
  const terminals = await startTerminalGateway({
    dispatch,
    node: config.nodeId,
    enrolment: config.enrolment,
    vendorFraming: config.vendorFraming,
    deliveries,
    random: randomBytes,
    log,
    limits: {
      idleMs: config.idleS * 1000,
      authenticateMs: config.loginS * 1000,
      connections: config.maxConnections,
      connectionsPerAddress: config.maxConnectionsPerAddress,
    },
  });
  undo.add('terminals', () => terminals.stop());
  const road = config.osrmUrl === undefined ? noRoad : osrmRoad(config.osrmUrl, words);
  await startRules(dispatch, road, config, undo, words);

  const readiness = createReadiness({ config, dispatch, terminals });
  const registry = new Registry();
  registerMetrics(registry, { dispatch, terminals });
  const ports: Ports = { http: 0 };
  const http = createHttpServer({
    dispatch, road, config: httpConfig(config, tls), log, registry, readiness: readiness.state,
    plugins: [
      ...plugins, evidencePlugin(dispatch), terminalFunctionsPlugin(dispatch, files), terminalFilesPlugin(dispatch, files),
      decodePlugin(), consoleOf(config, words),
    ],
  }); // prettier-ignore
  undo.add('http', () => http.close());
  if (config.store.startsWith('lmdb:')) await openControl(config, dispatch, accounts, terminals, undo);
  else await openNodeControl(config, dispatch, terminals, undo, words);

  // Terminals come last: what they send must find everything else at work.
  ports.http = await listenHttp(http, config);
  await listenTerminals(terminals, config, tls, ports);
  const mqtt = await startMqtt(config, { dispatch, accounts, terminals, log, tls: tls.terminals });
  if (mqtt) {
    undo.add('mqtt', () => mqtt.close());
    registerMqttMetrics(registry, mqtt.counters);
  }
  Object.assign(ports, mqtt?.ports);
  // When all has started: a password is shown once, and must not be that of a start that failed on a port.
  await firstAdministrator(accounts, config, log);
  readiness.up();
  undo.add('readiness', () => readiness.down());
  log.info({
    msg: 'ready',
    ...ports,
    version,
    node: config.nodeId,
    ...(config.clockRate === 1 ? {} : { clockRate: config.clockRate }),
  });

  const scheme = config.httpTlsCert === undefined ? 'http' : 'https';
  const host = ['0.0.0.0', '::'].includes(config.httpHost) ? 'localhost' : config.httpHost;
  const url = config.publicUrl ?? `${scheme}://${host.includes(':') ? `[${host}]` : host}:${ports.http}`;
  return { ports, dispatch, accounts, log, url, stop: () => undo.run(words) };
}

/**
 * What positions and time say by themselves. It concerns all vehicles, whichever node they are connected to, so of
 * several nodes one does it; what it finds once more changes nothing.
 */
async function startRules(dispatch: Dispatch, road: Road, config: Config, undo: Undo, words: Words): Promise<void> {
  const begin = async (): Promise<RoleWork> => {
    const work = new Undo();
    try {
      await startWork(work);
    } catch (error) {
      await work.run(words);
      throw error;
    }
    return { stop: () => work.run(words) };
  };
  const startWork = async (work: Undo): Promise<void> => {
    const rules = new PositionRules(dispatch, words);
    work.add('position rules', () => rules.stop());
    await rules.start();
    const breaks = new BreakWatch(dispatch, words);
    work.add('break watch', () => breaks.stop());
    await breaks.start();
    const forecasts = new Forecasts(dispatch, road, words);
    work.add('forecasts', () => forecasts.stop());
    forecasts.start();
    const automatic = await startAutomaticMode(dispatch, road, words);
    work.add('automatic mode', () => automatic.cancel());
    const proposals = await startProposals(dispatch, road, words);
    work.add('proposals', () => proposals.cancel());
    const retention = startRetention(dispatch, config, words);
    work.add('retention', () => retention.stop());
  };
  const role = new Role(dispatch, { name: 'rules', node: config.nodeId, begin, log: words });
  undo.add('rules', () => role.stop());
  await role.start();
}

async function sayDurability(store: DispatchStore, log: Logger): Promise<void> {
  const { level, words, warnings } = await store.durability();
  log.info({ store: store.kind, durability: level, msg: `a confirmation ${words}` });
  for (const warning of warnings) log.warn({ store: store.kind, msg: warning });
}

/** A new store gets its administrator; a password made here is shown once, on the terminal, never in the log. */
async function firstAdministrator(accounts: Accounts, config: Config, log: Logger): Promise<void> {
  const made = await accounts.ensureFirstAdministrator(config.adminPassword);
  if (made === undefined) return;
  log.info({ account: made.name, msg: 'made the first administrator' });
  if (made.weak) log.warn({ account: made.name, msg: 'the password of the first administrator is short: change it' });
  if (made.password !== undefined) {
    process.stderr.write(`\nFirst administrator (shown once): name ${made.name}, password ${made.password}\n\n`);
  }
}

function httpConfig(config: Config, { http: tls }: TlsFiles): HttpConfig {
  return {
    publicUrl: config.publicUrl,
    secureCookies: tls !== undefined || config.publicUrl?.startsWith('https:') === true,
    mapUrl: config.mapUrl,
    trustProxy: config.trustProxy,
    bootstrapToken: config.apiToken,
    tls,
    webhooks: { allowPrivate: config.webhookPrivate },
    node: config.nodeId,
    version,
  };
}

/** The built console; works from source (`gateway/`) and from the build (`dist/gateway/`). */
function consoleOf(config: Config, words: Words): ApiPlugin {
  const places = ['../dist/console', '../console'].map((path) => fileURLToPath(new URL(path, import.meta.url)));
  return consolePlugin({
    directory: places.find((path) => existsSync(path)) ?? places[0]!,
    timeZone: config.timeZone,
    language: config.language,
    log: words,
    map: { url: config.mapUrl, crs: config.mapCrs, attribution: config.mapAttribution },
  });
}

async function listenHttp(http: FastifyInstance, config: Config): Promise<number> {
  await listening(config, 'httpPort', 'httpHost', ({ port, host }) => http.listen({ port, host }));
  return (http.server.address() as AddressInfo).port;
}

async function listenTerminals(
  terminals: TerminalGateway,
  config: Config,
  files: TlsFiles,
  ports: Ports,
): Promise<void> {
  if (config.tcpPort !== 'off') ports.tcp = await listening(config, 'tcpPort', 'tcpHost', (at) => terminals.listen(at));
  if (config.tlsPort === 'off') return;
  const tls = files.terminals!;
  ports.tls = await listening(config, 'tlsPort', 'tcpHost', (at) => terminals.listen({ ...at, tls }));
}

/** The socket through which `linecrew backup`, `user` and `token` reach the store that this process has open. */
async function openControl(
  config: Config,
  dispatch: Dispatch,
  accounts: Accounts,
  { taps }: TerminalGateway,
  undo: Undo,
): Promise<void> {
  const { store, clock } = dispatch;
  const directory = controlDirectory(config);
  const now = (): number => clock.now();
  const handlers = {
    ...peopleHandlers(accounts, now),
    ...evidenceHandlers(store, now),
    ...transferHandlers(dispatch),
    ...erasureHandlers(dispatch),
    ping: async () => ({ version }),
    doctor: () => checkStore(store, now()),
    copy: () => copyBeside(store, directory),
  };
  dropLeftCopies(directory);
  const control = await serveControl(directory, handlers, {
    tail: (of, emit) => tail(dispatch, of, emit, { node: config.nodeId, taps }),
  });
  undo.add('control', () => control.close());
}

/**
 * One of several gateways on a store: commands open that themselves, only the bytes of terminals pass through here. The
 * gateway does without where it has no place for the socket.
 */
async function openNodeControl(
  config: Config,
  dispatch: Dispatch,
  { taps }: TerminalGateway,
  undo: Undo,
  words: Words,
): Promise<void> {
  const directory = controlDirectory(config);
  try {
    makeControlDirectory(directory);
    const control = await serveControl(
      directory,
      { ping: async () => ({ version }) },
      { tail: (of, emit) => tail(dispatch, of, emit, { node: config.nodeId, taps }) },
    );
    undo.add('control', async () => {
      await control.close();
      rmdirSync(directory);
    });
  } catch (error) {
    words.warn({ err: error, directory }, 'without a control socket: `linecrew tail` shows no frames');
  }
}
