import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import type { ApiPlugin } from '../../dispatch/api/server.js';
import { FIRST_CENTRE } from '../../dispatch/domain/organisation.js';
import type * as Simulator from '../../simulator/cli.js';
import type { Config } from '../config/settings.js';
import { createLog } from '../log.js';
import { startGateway, type Gateway } from '../main.js';
import { addSettingFlags, configOf, untilStopped } from './serve.js';

/** The simulator's doors that the demo needs; given by `cli.ts`, which alone may import the simulator. */
export type DemoSimulator = Pick<typeof Simulator, 'startFleet' | 'cityGeoJson' | 'formatReport'>;

interface DemoOptions {
  directory?: string;
  vehicles: string;
  seed: string;
  calls: string;
  fleet: boolean;
}

/** Ten minutes of gateway time pass in one: an order's 45 minutes can be watched in under five. */
const DEMO_RATE = '10';

/** `linecrew demo`: gateway, embedded store, simulated trucks, crews and customers, and a link that opens the console. */
export function registerDemo(program: Command, simulator: DemoSimulator): void {
  const command = program
    .command('demo')
    .description('try everything at once: gateway, embedded store, simulated fleet and customers, live map')
    .option('--directory <dir>', 'keep the store here (default: a temporary directory, removed at the end)')
    .option('--vehicles <n>', 'simulated repair trucks', '12')
    .option('--seed <text>', 'the same seed makes the same city, trucks and calls', 'linecrew')
    .option('--calls <n>', 'customers’ calls in an hour of gateway time', '10')
    .option('--no-fleet', 'without simulated trucks and customers');
  addSettingFlags(command).action((options: Record<string, string | undefined> & DemoOptions) =>
    demo(options, simulator),
  );
}

async function demo(
  options: Record<string, string | undefined> & DemoOptions,
  simulator: DemoSimulator,
): Promise<void> {
  const { directory, vehicles, seed, calls, fleet: withFleet, ...flags } = options;
  const folder = directory ?? mkdtempSync(join(tmpdir(), 'linecrew-demo-'));
  const { config } = configOf({
    clockRate: DEMO_RATE,
    enrolment: 'open',
    logLevel: 'warn',
    ...flags,
    store: `lmdb:${folder}`,
  });
  config.apiToken ??= randomBytes(24).toString('base64url');
  config.adminPassword ??= randomBytes(12).toString('base64url');
  await freePorts(config, flags);
  const log = createLog(config.logLevel);
  let gateway: Gateway | undefined;
  try {
    gateway = await startGateway(config, { log, plugins: [streets(simulator, seed)] });
    await nameCentre(gateway, config);
    if (withFleet) await runWithFleet(gateway, config, { vehicles, seed, calls }, simulator);
    else await present(gateway, config, folder);
    if (!withFleet) await untilStopped(gateway);
  } finally {
    await gateway?.stop();
    if (directory === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

/** The made-up town's repair centre, unless a store that is kept has a name of its own for it. */
async function nameCentre({ dispatch }: Gateway, { language }: Config): Promise<void> {
  const known = await dispatch.get('centre', FIRST_CENTRE);
  if (known && known.value.name !== FIRST_CENTRE && known.value.name !== '') return;
  const name = language === 'zh-CN' ? '青石区报修中心' : 'Bluestone Repair Centre';
  const by = { source: 'dispatcher', name: 'demo', roles: ['administrator'] } as const;
  await dispatch.execute({ type: 'centre.put', centre: { id: FIRST_CENTRE, name } }, by);
}

async function runWithFleet(
  gateway: Gateway,
  config: Config,
  options: { vehicles: string; seed: string; calls: string },
  simulator: DemoSimulator,
): Promise<void> {
  const fleet = await simulator.startFleet({
    host: '127.0.0.1',
    port: gateway.ports.tcp!,
    http: gateway.url,
    token: config.apiToken!,
    ...(gateway.ports.mqtt === undefined ? {} : { mqttUrl: `mqtt://127.0.0.1:${gateway.ports.mqtt}` }),
    vehicles: Number(options.vehicles),
    profile: 'mixed',
    seed: options.seed,
    crews: 'human',
    calls: {
      patterns: callsOf(Number(options.calls)),
      issues: true,
      assignAfterS: 120,
      callsBack: true,
    },
    scenario: 'demo',
  });
  await present(gateway, config);
  const stop = gateway.stop.bind(gateway);
  await untilStopped({
    log: gateway.log,
    stop: async () => {
      process.stdout.write('\nstopping: the trucks deliver what they hold …\n');
      process.stdout.write(simulator.formatReport(await fleet.stop()) + '\n');
      await stop();
    },
  });
}

/** A burst at the start, so that there is something to see within the first minute; then an ordinary day. */
function callsOf(perHour: number): { perHour: number; urgentPart: number; fromMin?: number; toMin?: number }[] {
  return [
    { perHour: perHour * 6, urgentPart: 0.2, fromMin: 0, toMin: 8 },
    { perHour, urgentPart: 0.15, fromMin: 8 },
  ];
}

/** Says where to look; the link signs in once, as the administrator of this demo. */
async function present(gateway: Gateway, config: Config, folder?: string): Promise<void> {
  const link = `${gateway.url}/sign-in/${await gateway.accounts.signInLink('admin')}`;
  const { tcp, mqtt } = gateway.ports;
  process.stdout.write(
    [
      '',
      'Linecrew demo is running.',
      `  open        ${link}   (signs in once)`,
      `  later       ${gateway.url}   name admin, password ${config.adminPassword}`,
      `  terminals   JT/T 808 on TCP port ${tcp}${mqtt === undefined ? '' : `, MQTT on port ${mqtt}`}`,
      `  API         ${gateway.url}/api/docs   Authorization: Bearer ${config.apiToken}`,
      `  time        runs ${config.clockRate} times as fast as the clock on the wall`,
      ...(folder === undefined ? [] : [`  store       ${folder}`]),
      '  Ctrl-C stops it.',
      '',
      '',
    ].join('\n'),
  );
}

/** The made-up city's streets, drawn under the trucks. */
function streets(simulator: DemoSimulator, seed: string): ApiPlugin {
  const geoJson = simulator.cityGeoJson(seed);
  return (_app, api) =>
    api.route({
      method: 'GET',
      path: '/map/streets.geojson',
      tag: 'Map',
      summary: 'Streets of the made-up city of the demo (GeoJSON)',
      right: 'signedIn',
      responses: { 200: { description: 'GeoJSON', schema: z.unknown() } },
      handler: async () => geoJson,
    });
}

/** A demo beside another program on the usual ports takes free ones; a port that was asked for is kept. */
async function freePorts(config: Config, asked: Record<string, string | undefined>): Promise<void> {
  for (const [key, host] of [
    ['httpPort', config.httpHost],
    ['tcpPort', config.tcpHost],
    ['mqttPort', config.mqttHost],
  ] as const) {
    const port = config[key];
    if (port === 'off' || port === 0 || asked[key] !== undefined) continue;
    if (!(await isFree(port, host))) config[key] = 0;
  }
}

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((done) => {
    const probe = createServer();
    probe.once('error', () => done(false));
    probe.listen(port, host, () => probe.close(() => done(true)));
  });
}
