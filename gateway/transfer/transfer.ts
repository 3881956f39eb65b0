/** Import and export of vehicles, crews and rules, behind the control socket and on an idle store. */
import { stringify } from 'yaml';
import { csv } from '../../dispatch/csv.js';
import type { Actor } from '../../dispatch/domain/events.js';
import type { ProfileName, Vehicle } from '../../dispatch/domain/model.js';
import { FIRST_CENTRE, phoneKey, RULES_ID } from '../../dispatch/domain/organisation.js';
import { rulesInForce } from '../../dispatch/domain/rules.js';
import type { AnyCommand } from '../../dispatch/domain/tables.js';
import { Refusal } from '../../dispatch/domain/tx.js';
import type { DispatchPort } from '../../dispatch/ports.js';
import type { ControlHandlers } from '../control.js';
import { CSV_COLUMNS, NOT_GIVEN, parseFile, type FileFormat, type LineError, type Parsed, type VehicleBody, type CrewBody } from './file.js'; // prettier-ignore

export interface ImportResult {
  /** Nothing was changed: a dry run, or something was wrong. */
  applied: boolean;
  errors: LineError[];
  created: string[];
  changed: string[];
  unchanged: string[];
  rules: 'absent' | 'changed' | 'unchanged';
}

const LINES_PER_COMMIT = 100;
const ACTOR: Actor = { source: 'api', name: 'import', roles: ['administrator'] };

export function transferHandlers(dispatch: DispatchPort): ControlHandlers {
  return {
    import: ({ text, format, dryRun }) => importFile(dispatch, String(text), formatOf(format), dryRun === true),
    export: async ({ what, format }) => ({ text: await exportText(dispatch, String(what), formatOf(format)) }),
  };
}

function formatOf(format: unknown): FileFormat {
  if (format === 'csv' || format === 'yaml') return format;
  throw new Refusal('unknownFormat', `format is ${String(format)}; expected csv or yaml`, 422);
}

/** Checks the whole file against its schema and the store first; changes something only where nothing is wrong. */
export async function importFile(
  dispatch: DispatchPort,
  text: string,
  format: FileFormat,
  dryRun: boolean,
): Promise<ImportResult> {
  const parsed = parseFile(text, format, dispatch.settings);
  const before = await vehiclesById(dispatch);
  await checkAgainstStore(dispatch, parsed, before);
  const result: ImportResult = { applied: false, errors: parsed.errors, created: [], changed: [], unchanged: [], rules: 'absent' }; // prettier-ignore
  result.errors.sort((a, b) => a.line - b.line);
  const profiles = await statedProfiles(dispatch, before);
  for (const { body } of parsed.vehicles)
    sortOut(result, body.id, before.get(body.id), (was) => sameVehicle(was, profiles.get(was.terminal.phone), body));
  for (const { body } of parsed.crews) sortOut(result, body.id, before.get(body.id), (was) => sameCrew(was, body.crew));
  const rules = (await dispatch.get('rules', RULES_ID))?.value.value ?? {};
  const merged = parsed.rules && { ...(format === 'csv' ? rules : {}), ...parsed.rules.body };
  if (merged) result.rules = same(rulesInForce(merged), rulesInForce(rules)) ? 'unchanged' : 'changed';
  if (dryRun || result.errors.length > 0) return result;
  const unchanged = new Set(result.unchanged);
  const vehicles = parsed.vehicles.map(({ line, body }) => ({ line, id: body.id, command: vehiclePut(body, before) }));
  const crews = parsed.crews.map(({ line, body }) => ({ line, id: body.id, command: crewPut(body, before) }));
  await executeLines(
    dispatch,
    [...vehicles, ...crews].filter(({ id }) => !unchanged.has(id)),
  );
  if (merged && result.rules === 'changed') {
    await told(parsed.rules!.line, () => dispatch.execute({ type: 'rules.put', value: merged }, ACTOR));
  }
  return { ...result, applied: true };
}

function sortOut(result: ImportResult, id: string, was: Vehicle | undefined, isSame: (was: Vehicle) => boolean): void {
  (was === undefined ? result.created : isSame(was) ? result.unchanged : result.changed).push(id);
}

interface Line {
  line: number;
  command: AnyCommand;
}

function vehiclePut(body: VehicleBody, before: ReadonlyMap<string, Vehicle>): AnyCommand {
  const { id, ...rest } = body;
  const crew = withManagers(body.crew);
  if (!before.has(id)) return { type: 'vehicle.create', ...body, crew };
  return { type: 'vehicle.edit', vehicleId: id, changes: { ...rest, crew } };
}

function crewPut({ id, crew }: CrewBody, before: ReadonlyMap<string, Vehicle>): AnyCommand {
  const managers = crew.managers ?? before.get(id)!.crew.managers;
  return { type: 'vehicle.edit', vehicleId: id, changes: { crew: { ...crew, managers } } };
}

/** Many lines in one commit: vehicles share documents, and each commit waits for the disk. */
async function executeLines(dispatch: DispatchPort, lines: readonly Line[]): Promise<void> {
  for (let at = 0; at < lines.length; at += LINES_PER_COMMIT) {
    const some = lines.slice(at, at + LINES_PER_COMMIT);
    try {
      const commands = some.map(({ command }) => command);
      await dispatch.executeAll(commands, ACTOR);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      // Nothing of these was done: singly, up to the line that is refused, which is told.
      for (const { line, command } of some) await told(line, () => dispatch.execute(command, ACTOR));
    }
  }
}

const withManagers = (crew: VehicleBody['crew']): Vehicle['crew'] => ({ managers: [], ...crew });

/** What was checked may have changed meanwhile: the line at which it stopped is told; importing again goes on there. */
async function told(line: number, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new Refusal(error.code, `line ${line}: ${error.message}; what stands above it was imported`, error.status);
  }
}

async function vehiclesById(dispatch: DispatchPort): Promise<Map<string, Vehicle>> {
  const all = new Map<string, Vehicle>();
  for (let after: string | undefined; ;) {
    const page = await dispatch.scan({ index: 'vehicles', limit: 500, ...(after === undefined ? {} : { after }) });
    for (const { id, value } of page.items) all.set(id, value as Vehicle);
    if (page.next === undefined) return all;
    after = page.next;
  }
}

async function checkAgainstStore(
  dispatch: DispatchPort,
  parsed: Parsed,
  before: ReadonlyMap<string, Vehicle>,
): Promise<void> {
  const { errors } = parsed;
  const owners = new Map([...before.values()].map((one) => [one.terminal.phone, one.id]));
  const lines = new Map<string, number>();
  for (const { line, body } of parsed.vehicles) {
    const once = lines.get(body.id);
    if (once !== undefined) errors.push({ line, field: 'id', message: `${body.id} stands in line ${once} already` });
    lines.set(body.id, line);
    const phone = phoneKey(body.terminal.phone);
    const owner = owners.get(phone);
    if (owner !== undefined && owner !== body.id)
      errors.push({ line, field: 'phone', message: `terminal ${phone} belongs to vehicle ${owner}` });
    owners.set(phone, body.id);
    if (!dispatch.settings.trades.includes(body.trade))
      errors.push({ line, field: 'trade', message: `is ${body.trade}; expected one of ${dispatch.settings.trades.join(', ')}` }); // prettier-ignore
    await mustExist(dispatch, 'centre', body.repairCentreId, { line, field: 'repairCentreId' }, errors);
    if (body.unitId !== undefined) await mustExist(dispatch, 'unit', body.unitId, { line, field: 'unitId' }, errors);
  }
  for (const { line, body } of parsed.crews)
    if (!before.has(body.id)) errors.push({ line, field: 'id', message: `there is no vehicle ${body.id}` });
  for (const { name, repairCentreId } of parsed.rules?.body.routing ?? []) {
    const place = { line: parsed.rules!.line, field: `routing "${name}"` };
    if (repairCentreId !== undefined) await mustExist(dispatch, 'centre', repairCentreId, place, errors);
  }
}

async function mustExist(
  dispatch: DispatchPort,
  kind: 'centre' | 'unit',
  id: string,
  place: { line: number; field: string },
  errors: LineError[],
): Promise<void> {
  if ((kind === 'centre' && id === FIRST_CENTRE) || (await dispatch.get(kind, id))) return;
  errors.push({ ...place, message: `there is no ${kind === 'centre' ? 'repair centre' : 'unit'} ${id}` });
}

/** Profiles that the operator has stated, by the terminal's phone. */
async function statedProfiles(
  dispatch: DispatchPort,
  vehicles: ReadonlyMap<string, Vehicle>,
): Promise<Map<string, ProfileName | undefined>> {
  const phones = [...vehicles.values()].map((one) => one.terminal.phone);
  const terminals = await dispatch.getMany('terminal', phones);
  return new Map(phones.map((phone, i) => [phone, terminals[i]?.value.statedProfile]));
}

/** True where the vehicle already is as the file says; a secret is not on file and always sets it anew. */
function sameVehicle(was: Vehicle, statedProfile: ProfileName | undefined, body: VehicleBody): boolean {
  const { terminal, crew, id: _id, ...rest } = body;
  const { profile, secret, options, phone } = terminal;
  if (secret !== undefined || options !== undefined) return false;
  if (profile !== undefined && profile !== statedProfile) return false;
  const own = Object.entries(rest).every(([key, value]) =>
    same((was as unknown as Record<string, unknown>)[key], value),
  );
  return own && was.terminal.phone === phoneKey(phone) && sameCrew(was, { managers: [], ...crew });
}

const sameCrew = (was: Vehicle, crew: VehicleBody['crew']): boolean =>
  same(was.crew, { managers: was.crew.managers, ...crew });

const same = (a: unknown, b: unknown): boolean => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, entry]) => [key, sorted(entry)])); // prettier-ignore
}

// ---------------------------------------------------------------------------------------------------------------

export async function exportText(dispatch: DispatchPort, what: string, format: FileFormat): Promise<string> {
  if (what === 'vehicles' || what === 'crews') return exportVehicles(dispatch, what, format);
  if (what === 'rules') return exportRules(dispatch, format);
  throw new Refusal('unknownExport', `${what} cannot be exported; expected vehicles, crews or rules`, 422);
}

async function exportVehicles(dispatch: DispatchPort, what: 'vehicles' | 'crews', format: FileFormat): Promise<string> {
  const all = [...(await vehiclesById(dispatch)).values()];
  if (format === 'csv') {
    const terminals = await dispatch.getMany('terminal', all.map((one) => one.terminal.phone)); // prettier-ignore
    return csv(CSV_COLUMNS[what], all.map((one, i) => ({
      ...one, phone: one.terminal.phone, profile: terminals[i]?.value.statedProfile, crew: one.crew.name,
      members: peopleText(one.crew.members), managers: peopleText(one.crew.managers), sharesOffice: one.sharesOffice ? 'yes' : 'no',
    }))); // prettier-ignore
  }
  if (what === 'crews')
    throw new Refusal('unknownExport', 'crews are a CSV file; in YAML they are part of the vehicles', 422);
  const vehicles = all.map(({ id, plate, terminal, repairCentreId, unitId, trade, crew, sharesOffice, language }) => ({
    id, plate, terminal: { phone: terminal.phone }, repairCentreId, ...(unitId === undefined ? {} : { unitId }), trade, crew,
    sharesOffice, language,
  })); // prettier-ignore
  return stringify({ vehicles });
}

const peopleText = (people: readonly { name: string; phone?: string }[]): string =>
  people.map(({ name, phone }) => (phone === undefined ? name : `${name} ${phone}`)).join('; ');

async function exportRules(dispatch: DispatchPort, format: FileFormat): Promise<string> {
  const rules = (await dispatch.get('rules', RULES_ID))?.value.value ?? {};
  const { routing } = rulesInForce(rules);
  if (format === 'yaml') return stringify({ rules: { ...rules, routing } }, { aliasDuplicateObjects: false });
  return csv(CSV_COLUMNS.rules, routing.map(({ categories = [], voltages = [], areas = [], ...rest }) => ({
    ...rest, categories: categories.join('; '), voltages: voltages.join('; '),
    areas: areas.map((area) => (area === '' ? NOT_GIVEN : area)).join('; '),
  }))); // prettier-ignore
}
