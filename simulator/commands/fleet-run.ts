import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import type { Fleet } from '../net/fleet.js';
import type { FleetOptions } from '../net/fleet-options.js';
import { startFleet } from '../net/start-fleet.js';
import { Incidents } from '../net/incidents.js';
import type { Place } from '../geo.js';
import { Random } from '../random.js';
import { formatReport, isSound, type Report } from '../report.js';
import { parseRoutes, RouteError } from '../routes.js';
import { crewsOf, parseScenario, radioOf, ScenarioError, type Scenario } from '../scenario.js';
import { Progress } from './progress.js';
import { NothingListens, untilEndOrRefused, type Target } from './reach.js';
import type { CommonOptions } from './options.js';

/** Reads a scenario: a file, or by name one of those that come with the program. */
export function readScenario(nameOrFile: { name: string } | { file: string }): Scenario {
  const file =
    'file' in nameOrFile
      ? nameOrFile.file
      : fileURLToPath(new URL(`../scenarios/${nameOrFile.name}.yaml`, import.meta.url));
  let value: unknown;
  try {
    value = parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new ScenarioError(`${file} cannot be read as a scenario: ${(error as Error).message}`);
  }
  const scenario = parseScenario(value, file);
  if (scenario.routes !== undefined) scenario.routes = scenario.routes.map((route) => resolve(dirname(file), route));
  return scenario;
}

/** The lines of route files. @throws RouteError that names the file and the place */
export function readRoutes(files: readonly string[]): (readonly Place[])[] {
  return files.flatMap((file) => {
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      throw new RouteError(`${file} cannot be read as a route: ${(error as Error).message}`);
    }
    return parseRoutes(text, file);
  });
}

/** The scenario with what the command line says instead. */
export function withOptions(scenario: Scenario, options: CommonOptions): Scenario {
  const merged: Scenario = { ...scenario };
  if (options.vehicles !== undefined) merged.vehicles = options.vehicles;
  if (options.profile !== undefined) merged.profile = options.profile;
  if (options.edition !== undefined) merged.edition = options.edition;
  if (options.seed !== undefined) merged.seed = options.seed;
  if (options.duration !== undefined) merged.durationS = options.duration;
  if (options.route !== undefined) merged.routes = options.route;
  if (options.osrm !== undefined) merged.osrm = options.osrm;
  if (options.transport === 'mqtt') merged.profile = 'mqtt';
  return merged;
}

/** What a fleet needs for a scenario, with the platform that the command line names. */
export function fleetOptions(scenario: Scenario, options: CommonOptions): FleetOptions {
  return {
    host: options.host,
    port: options.port,
    vehicles: scenario.vehicles,
    profile: scenario.profile,
    seed: scenario.seed,
    crews: crewsOf(scenario),
    radio: radioOf(scenario),
    reportS: scenario.reportS,
    heartbeatS: scenario.heartbeatS,
    clockOffsetS: scenario.clockOffsetS,
    scenario: scenario.name,
    ...connectionOf(scenario, options),
    ...optional(scenario),
  };
}

/**
 * Runs a scenario to its end or to Ctrl-C and prints the account.
 * @returns the exit status: 1 when something that was confirmed is missing or doubled
 */
export async function runFleet(scenario: Scenario, options: CommonOptions): Promise<number> {
  const fleet = await startFleet(fleetOptions(scenario, options));
  const incidents = new Incidents(fleet, scenario.incidents ?? [], new Random(scenario.seed).stream('incidents'));
  const progress = new Progress(
    () => line(fleet),
    () => ({ at: new Date(fleet.clock.now()).toISOString(), ...fleet.totals(), calls: fleet.callCentre?.counts }),
    options.json === true,
  );
  progress.start();
  const durationMs = scenario.durationS === undefined ? undefined : (scenario.durationS * 1000) / fleet.clock.rate;
  const target = targetOf(scenario, options);
  const isRefused = await untilEndOrRefused(durationMs, target, () => fleet.connected);
  progress.stop();
  incidents.stop();
  if (isRefused) {
    await fleet.stop();
    throw new NothingListens(target);
  }
  if (options.json !== true) process.stderr.write('ending: the terminals deliver what they still hold\n');
  const report = await fleet.stop();
  for (const [what, count] of Object.entries(incidents.counts)) report.notes.push(`incidents: ${count} × ${what}`);
  if (report.links.connected === 0) report.notes.push('nothing ever connected');
  const status = finish(report, options.json === true);
  return report.links.connected === 0 ? 1 : status;
}

/** Where the terminals of a scenario connect. */
function targetOf({ profile }: Scenario, { host, port, mqtt }: CommonOptions): Target {
  if (profile !== 'mqtt') return { host, port };
  const url = new URL(mqtt ?? `mqtt://${host}`);
  return { host: url.hostname, port: Number(url.port || 1883) };
}

/** Prints the account. @returns the exit status */
export function finish(report: Report, json: boolean): number {
  process.stdout.write(json ? `${JSON.stringify({ type: 'report', ...report })}\n` : `${formatReport(report)}\n`);
  return isSound(report) ? 0 : 1;
}

function connectionOf(scenario: Scenario, options: CommonOptions): Partial<FleetOptions> {
  const { http, token, mqtt, speed, host, transport } = options;
  const usesMqtt = scenario.profile === 'mqtt' || mqtt !== undefined;
  return {
    ...(http === undefined ? {} : { http }),
    ...(token === undefined ? {} : { token }),
    ...(usesMqtt ? { mqttUrl: mqtt ?? `mqtt://${host}:1883` } : {}),
    ...(speed === undefined ? {} : { rate: speed }),
    // Simulated terminals trust whatever certificate the gateway under test shows.
    ...(transport === 'tls' ? { tls: { rejectUnauthorized: false } } : {}),
  };
}

/** What a scenario says only when it differs from what a fleet does anyway. */
function optional(scenario: Scenario): Partial<FleetOptions> {
  const { routes, osrm, calls, issues, assignAfterS, callsBack } = scenario;
  const { edition, centre, gpsErrorM, retryS, reconnectS, maxLegs, blindMemory, keepsScreen, trades } = scenario;
  const said = { edition, centre, gpsErrorM, retryS, reconnectS, maxLegs, blindMemory, keepsScreen, trades };
  return {
    ...(Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)) as typeof said),
    ...(routes === undefined ? {} : { routes: readRoutes(routes) }),
    ...(osrm === undefined ? {} : { osrmUrl: osrm }),
    ...(calls === undefined
      ? {}
      : {
          calls: {
            patterns: calls,
            ...(issues === undefined ? {} : { issues }),
            ...(assignAfterS === undefined ? {} : { assignAfterS }),
            ...(callsBack === undefined ? {} : { callsBack }),
          },
        }),
  };
}

function line(fleet: Fleet): string {
  const totals = fleet.totals();
  const { p50, p99 } = fleet.confirmation().summary();
  const clock = new Date(fleet.clock.now()).toISOString().slice(11, 19);
  const calls = fleet.callCentre?.counts;
  const order = calls === undefined ? '' : `  calls ${calls.made} assigned ${calls.assigned}`;
  return (
    `${clock}Z  online ${totals.online}/${fleet.terminals.length}  positions ${totals.confirmed}/${totals.sent}` +
    `  waiting ${totals.pending}${order}  on screens ${totals.onScreens}  done ${totals.done}` +
    `  confirm p50 ${p50.toFixed(0)} p99 ${p99.toFixed(0)} ms`
  );
}
