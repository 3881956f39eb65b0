/**
 * Files of vehicles, crews and rules: CSV (one of `vehicles`, `crews`, `rules`, told by its columns) or YAML with
 * `vehicles:` and `rules:` in the shape of the API. Everything wrong in a file is told at once, each with its line.
 */
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Document } from 'yaml';
import { z } from 'zod';
import { rulesSchema } from '../../dispatch/api/schemas/rules.js';
import { vehicleCreate } from '../../dispatch/api/schemas/vehicle.js';
import type { DispatchSettings } from '../../dispatch/domain/settings.js';
import { CsvError, readCsv, type CsvRow } from './csv-read.js';

export interface LineError {
  line: number;
  /** Column or path. */
  field?: string;
  message: string;
}
export type VehicleBody = z.output<typeof vehicleCreate> & { id: string };
export type CrewBody = Pick<VehicleBody, 'id' | 'crew'>;
export type RulesBody = z.output<ReturnType<typeof rulesSchema>>;

/** What a file holds, each piece with its line. */
export interface Parsed {
  vehicles: { line: number; body: VehicleBody }[];
  crews: { line: number; body: CrewBody }[];
  rules?: { line: number; body: RulesBody };
  errors: LineError[];
}

export type FileFormat = 'csv' | 'yaml';

const vehicleIn = vehicleCreate.required({ id: true });
const crewIn = z.strictObject({ id: vehicleIn.shape.id, crew: vehicleIn.shape.crew });

export function parseFile(text: string, format: FileFormat, settings: DispatchSettings): Parsed {
  const parsed: Parsed = { vehicles: [], crews: [], errors: [] };
  if (format === 'csv') parseCsv(text, settings, parsed);
  else parseYaml(text, settings, parsed);
  return parsed;
}

// ---------------------------------------------------------------------------------------------------------------
// CSV

/** Column of a CSV file → where it goes in the body, and how its text is read. */
interface Column {
  path: string[];
  read?: (text: string) => unknown;
}
const list = (text: string): string[] => text.split(';').map((one) => one.trim()).filter(Boolean); // prettier-ignore
/** `Li 13900000001; Wang`: the last word is the phone number where it is one. */
const people = (text: string): { name: string; phone?: string }[] =>
  list(text).map((one) => {
    const found = /^(.*\S)\s+([+\d][\d-]{2,})$/.exec(one);
    return found ? { name: found[1]!, phone: found[2]! } : { name: one };
  });
const yesNo = (text: string): unknown =>
  ({ yes: true, no: false, true: true, false: false })[text.toLowerCase()] ?? text;

const CREW_COLUMNS: Record<string, Column> = {
  id: { path: ['id'] },
  crew: { path: ['crew', 'name'] },
  members: { path: ['crew', 'members'], read: people },
  managers: { path: ['crew', 'managers'], read: people },
};
const VEHICLE_COLUMNS: Record<string, Column> = {
  ...CREW_COLUMNS,
  plate: { path: ['plate'] },
  phone: { path: ['terminal', 'phone'] },
  profile: { path: ['terminal', 'profile'] },
  repairCentreId: { path: ['repairCentreId'] },
  trade: { path: ['trade'] },
  unitId: { path: ['unitId'] },
  sharesOffice: { path: ['sharesOffice'], read: yesNo },
  language: { path: ['language'] },
};
const ROUTING_COLUMNS: Record<string, Column> = {
  name: { path: ['name'] },
  categories: { path: ['categories'], read: list },
  voltages: { path: ['voltages'], read: list },
  areas: { path: ['areas'], read: (text) => list(text).map((area) => (area === NOT_GIVEN ? '' : area)) },
  unitKind: { path: ['unitKind'] },
  repairCentreId: { path: ['repairCentreId'] },
};
/** Stands for an order without an area, in a cell where nothing would mean any. */
export const NOT_GIVEN = '(none)';
/** Columns of each kind of CSV file, in the order in which `export` writes them. */
export const CSV_COLUMNS = {
  vehicles: Object.keys(VEHICLE_COLUMNS),
  crews: Object.keys(CREW_COLUMNS),
  rules: Object.keys(ROUTING_COLUMNS),
};

function parseCsv(text: string, settings: DispatchSettings, into: Parsed): void {
  let rows: CsvRow[];
  try {
    rows = readCsv(text);
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    into.errors.push({ line: error.line, message: error.message });
    return;
  }
  const [head, ...body] = rows;
  const names = head?.cells ?? [];
  const columns = names.includes('plate') ? VEHICLE_COLUMNS : names.includes('unitKind') ? ROUTING_COLUMNS : CREW_COLUMNS; // prettier-ignore
  for (const name of names) {
    if (!(name in columns)) into.errors.push({ line: head!.line, field: name, message: `is no column; expected some of ${Object.keys(columns).join(', ')}` }); // prettier-ignore
  }
  if (!head || (columns !== ROUTING_COLUMNS && !names.includes('id')))
    into.errors.push({ line: head?.line ?? 1, field: 'id', message: 'this column is missing in the first line' });
  if (into.errors.length > 0) return;
  const bodies = body.map((row) => ({ line: row.line, value: bodyOf(row, names, columns, into) }));
  if (columns === ROUTING_COLUMNS) return routingFrom(bodies, head!.line, settings, into);
  for (const { line, value } of bodies) {
    const place = (path: readonly PropertyKey[]): { line: number; field: string } => ({
      line,
      field: columnAt(columns, path),
    });
    if (columns === VEHICLE_COLUMNS) {
      const vehicle = check(vehicleIn, withMembers(value), place, into);
      if (vehicle) into.vehicles.push({ line, body: vehicle });
    } else {
      const crew = check(crewIn, withMembers(value), place, into);
      if (crew) into.crews.push({ line, body: crew });
    }
  }
}

function bodyOf(row: CsvRow, names: readonly string[], columns: Record<string, Column>, into: Parsed): Body {
  const body: Body = {};
  if (row.cells.length > names.length)
    into.errors.push({ line: row.line, message: `has ${row.cells.length} cells, the first line ${names.length}` });
  names.forEach((name, i) => {
    // What an export disarmed for spreadsheets is the text itself again.
    const text = (row.cells[i] ?? '').replace(/^'(?=[=+\-@])/, '');
    const { path, read } = columns[name]!;
    if (text === '') return;
    let target: Body = body;
    for (const key of path.slice(0, -1)) target = (target[key] ??= {}) as Body;
    target[path.at(-1)!] = read ? read(text) : text;
  });
  return body;
}
type Body = Record<string, unknown>;

const withMembers = (body: Body): Body => {
  const crew = body['crew'] as Body | undefined;
  return crew ? { ...body, crew: { members: [], ...crew } } : body;
};

function routingFrom(
  rows: readonly { line: number; value: Body }[],
  line: number,
  settings: DispatchSettings,
  into: Parsed,
): void {
  const place = ([, index, ...rest]: readonly PropertyKey[]): { line: number; field: string } => ({
    line: rows[Number(index)]?.line ?? line,
    field: rest.map(String).join('.'),
  });
  const body = check(rulesSchema(settings), { routing: rows.map(({ value }) => value) }, place, into);
  if (body) into.rules = { line, body };
}

function columnAt(columns: Record<string, Column>, path: readonly PropertyKey[]): string {
  const found = Object.entries(columns).find(([, column]) => column.path.every((key, i) => path[i] === key));
  return found?.[0] ?? path.map(String).join('.');
}

// ---------------------------------------------------------------------------------------------------------------
// YAML

function parseYaml(text: string, settings: DispatchSettings, into: Parsed): void {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  for (const error of document.errors)
    into.errors.push({ line: lines.linePos(error.pos[0]).line, message: error.message });
  if (into.errors.length > 0) return;
  const lineAt = (path: readonly PropertyKey[]): number => lineOf(document, lines, path);
  const value: unknown = document.toJS();
  const top = z.strictObject({ vehicles: z.array(z.unknown()).optional(), rules: z.unknown().optional() });
  const found = check(top, value, (path) => ({ line: lineAt(path), field: path.map(String).join('.') }), into);
  const within =
    (...lead: PropertyKey[]) =>
    (path: readonly PropertyKey[]) => ({ line: lineAt([...lead, ...path]), field: [...lead, ...path].map(String).join('.') }); // prettier-ignore
  found?.vehicles?.forEach((one, i) => {
    const body = check(vehicleIn, one, within('vehicles', i), into);
    if (body) into.vehicles.push({ line: lineAt(['vehicles', i]), body });
  });
  if (found?.rules === undefined || found.rules === null) return;
  const body = check(rulesSchema(settings), found.rules, within('rules'), into);
  if (body) into.rules = { line: lineAt(['rules']), body };
}

/** Line of what the path names, or of the nearest thing around it. */
function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length--) {
    const parent: unknown = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const key = path[length - 1];
    const node: unknown = isMap(parent)
      ? parent.items.find((pair) => isScalar(pair.key) && pair.key.value === key)?.key
      : isSeq(parent)
        ? parent.items[Number(key)]
        : undefined;
    const start = (node as { range?: [number, number, number] } | undefined)?.range?.[0];
    if (start !== undefined) return lines.linePos(start).line;
  }
  return 1;
}

// ---------------------------------------------------------------------------------------------------------------

function check<T>(
  schema: z.ZodType<T>,
  value: unknown,
  place: (path: readonly PropertyKey[]) => { line: number; field: string },
  into: Parsed,
): T | undefined {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    const paths = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
    for (const path of paths) into.errors.push({ ...place(path), message: issue.code === 'unrecognized_keys' ? 'is not known here' : issue.message }); // prettier-ignore
  }
  return undefined;
}
