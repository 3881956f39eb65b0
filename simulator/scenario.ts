import { z } from 'zod';
import { habitsByName, type Habits } from './habits.js';
import { radioByName, type RadioConditions } from './radio.js';
import { profiles } from './terminal/types.js';

/** Scenario files (docs/simulator.md, "Scenario files"). Times are gateway time. */

const range = z.tuple([z.number().min(0), z.number().min(0)]).refine(([from, to]) => from <= to, {
  message: 'expected [from, to] with from not above to',
});
const chance = z.number().min(0).max(1);
const place = z.strictObject({ lat: z.number().min(-85).max(85), lon: z.number().min(-180).max(180) });

const habits = z.strictObject({
  acceptS: range.optional(),
  departS: range.optional(),
  arriveS: range.optional(),
  workMin: range.optional(),
  doneS: range.optional(),
  refuseChance: chance.optional(),
  lateChance: chance.optional(),
  lateS: range.optional(),
  forgetChance: chance.optional(),
  breakChancePerHour: chance.optional(),
  breakMin: range.optional(),
  doublePressChance: chance.optional(),
  like: z.enum(['diligent', 'human']).optional(),
});

const radio = z.strictObject({
  delayMs: range.optional(),
  lossChance: chance.optional(),
  lossDelayMs: range.optional(),
  duplicateChance: chance.optional(),
  disorderChance: chance.optional(),
  cutChance: chance.optional(),
  halfOpenChance: chance.optional(),
  natTimeoutMs: z.number().min(0).optional(),
  deadInTunnels: z.boolean().optional(),
  outagesPerHour: z.number().min(0).max(3600).optional(),
  outageS: range.optional(),
  like: z.enum(['perfect', 'city', 'bad', 'awful']).optional(),
});

const calls = z.strictObject({
  perHour: z.number().positive().max(100_000),
  urgentPart: chance.default(0.1),
  around: place.optional(),
  radiusM: z.number().positive().optional(),
  fromMin: z.number().min(0).optional(),
  toMin: z.number().positive().optional(),
});

export const incidentKinds = ['reboot', 'radioOff', 'silence', 'swap', 'hangUp', 'sos'] as const;

const incident = z.strictObject({
  what: z.enum(incidentKinds),
  /** How many of them an hour and vehicle. */
  perVehicleHour: z.number().positive().max(3600),
  /** How long a hole (`radioOff`, `silence`) or an alarm (`sos`) lasts. */
  forS: range.optional(),
});

export const scenarioSchema = z.strictObject({
  name: z.string().min(1).max(60),
  title: z.string().max(200).optional(),
  vehicles: z.int().min(1).max(100_000).default(10),
  profile: z.enum([...profiles, 'mixed']).default('smart'),
  edition: z.union([z.literal(2011), z.literal(2013), z.literal(2019), z.literal('mixed')]).optional(),
  seed: z.union([z.string(), z.number()]).default(1),
  durationS: z.number().positive().optional(),
  centre: place.optional(),
  /** GPX or GeoJSON files with lines that trucks drive up and down; relative to the scenario file. */
  routes: z.array(z.string().min(1)).min(1).max(100).optional(),
  /** Routing server (OSRM's HTTP API) for the ways of trucks. */
  osrm: z.url({ protocol: /^https?$/ }).optional(),
  crews: z.union([z.enum(['none', 'diligent', 'human']), habits]).default('diligent'),
  radio: z.union([z.enum(['perfect', 'city', 'bad', 'awful']), radio]).default('perfect'),
  reportS: z.number().min(1).max(3600).default(10),
  heartbeatS: z.number().min(5).max(3600).default(60),
  clockOffsetS: z.number().min(0).max(86_400).default(0),
  gpsErrorM: z.number().min(0).max(1000).optional(),
  /** First wait of a terminal for an answer; then twice and six times as long. */
  retryS: z.number().min(1).max(600).optional(),
  /** First and longest pause before connecting again. */
  reconnectS: range.optional(),
  maxLegs: z.int().min(0).max(100).optional(),
  /** Positions kept without a link; the oldest are dropped. */
  blindMemory: z.int().min(1).max(100_000).optional(),
  keepsScreen: z.boolean().optional(),
  trades: z.array(z.string().min(1)).min(1).optional(),
  calls: z.array(calls).optional(),
  issues: z.boolean().optional(),
  assignAfterS: z.number().min(0).optional(),
  callsBack: z.boolean().optional(),
  incidents: z.array(incident).optional(),
});

export type Scenario = z.infer<typeof scenarioSchema>;
export type Incident = NonNullable<Scenario['incidents']>[number];

/** A scenario file is wrong: every mistake with its place. */
export class ScenarioError extends Error {}

/**
 * Checks what was read from a scenario file.
 * @param source name for the error
 * @throws ScenarioError that names each key, what was found and what was expected
 */
export function parseScenario(value: unknown, source: string): Scenario {
  const result = scenarioSchema.safeParse(value);
  if (result.success) return result.data;
  const lines = result.error.issues.map((issue) => `${issue.path.join('.') || '(top)'}: ${issue.message}`);
  throw new ScenarioError(`${source} is no scenario:\n  ${lines.join('\n  ')}`);
}

/** Crews as the fleet takes them: a name, or habits completed from the ones that they are like. */
export function crewsOf(scenario: Scenario): 'none' | Habits {
  const { crews } = scenario;
  if (crews === 'none') return 'none';
  if (typeof crews === 'string') return habitsByName[crews];
  const { like, ...given } = crews;
  return { ...habitsByName[like ?? 'diligent'], ...given };
}

/** Radio conditions, completed from the ones that they are like. */
export function radioOf(scenario: Scenario): RadioConditions {
  const { radio: wanted } = scenario;
  if (typeof wanted === 'string') return radioByName[wanted];
  const { like, ...given } = wanted;
  return { ...radioByName[like ?? 'perfect'], ...given };
}
