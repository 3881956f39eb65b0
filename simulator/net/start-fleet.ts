import { City } from '../city.js';
import { Random } from '../random.js';
import { makeRoster, type RosterEntry } from '../roster.js';
import { middleOf } from '../routes.js';
import { Api } from './api.js';
import { CallCentre } from './call-centre.js';
import { ClockRateMismatch, FleetClock } from './clock.js';
import { enrol } from './enrol.js';
import { Fleet } from './fleet.js';
import type { FleetOptions } from './fleet-options.js';
import { OsrmWays } from './osrm.js';

/**
 * Starts a fleet against a platform's public ports: asks the gateway for its clock, puts the vehicles on file when a
 * token is given, connects.
 * @throws Error when the gateway cannot be reached over HTTP, or its clock runs at another rate than `options.rate`
 */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const api = options.http === undefined ? undefined : new Api(options.http, options.token);
  const health = await api?.health();
  if (health !== undefined && options.rate !== undefined && health.rate !== options.rate) {
    throw new ClockRateMismatch(options.rate, health.rate);
  }
  const clock = new FleetClock(health?.rate ?? options.rate ?? 1, health?.now ?? Date.now());
  const centre = options.centre ?? (options.routes === undefined ? undefined : middleOf(options.routes));
  const city = new City({ seed: options.seed ?? 1, ...(centre === undefined ? {} : { centre }) });
  const roster = rosterOf(options, city);
  if (api?.authorised === true) await enrol(api, roster, centreIdOf(options));
  const made: { fleet?: Fleet } = {};
  const callCentre = callCentreOf(options, api, clock, city, made);
  const osrm = options.osrmUrl === undefined ? undefined : new OsrmWays(options.osrmUrl);
  made.fleet = new Fleet(options, city, clock, api, roster, callCentre, osrm);
  return made.fleet;
}

function rosterOf(options: FleetOptions, city: City): RosterEntry[] {
  return (
    options.roster?.map((entry) => ({ ...entry })) ??
    makeRoster({
      seed: options.seed ?? 1,
      count: options.vehicles,
      profile: options.profile ?? 'smart',
      edition: options.edition,
      trades: options.trades ?? ['lowVoltage'],
      mqtt: options.mqttUrl !== undefined,
      city,
    })
  );
}

function callCentreOf(
  options: FleetOptions,
  api: Api | undefined,
  clock: FleetClock,
  city: City,
  made: { fleet?: Fleet },
): CallCentre | undefined {
  if (options.calls === undefined) return undefined;
  if (api?.authorised !== true) throw new Error('calls need the HTTP address of the gateway and an API token');
  const { patterns, issues, assignAfterS, callsBack } = options.calls;
  return new CallCentre({
    api,
    clock,
    city,
    random: new Random(options.seed ?? 1).stream('calls'),
    patterns,
    repairCentreId: centreIdOf(options),
    issues: issues ?? true,
    callsBack: callsBack ?? true,
    phone: (vehicleId, order, off) => made.fleet?.tellByPhone(vehicleId, order, off),
    ...(assignAfterS === undefined ? {} : { assignsAfterMs: assignAfterS * 1000 }),
  });
}

function centreIdOf(options: FleetOptions): string {
  return options.repairCentreId ?? 'centre-1';
}
