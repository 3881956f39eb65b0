import type { DomainEvent } from '../domain/events.js';
import { invalid, type StoreError } from './errors.js';
import { checkName, docKey, encodeSortKey, isTooLong, MAX_KEY_BYTES, refsOf } from './keys.js';
import type { PositionBatch } from './position-batch.js';
import type { Batch, IngestPosition } from './store.js';

/** Times stand in keys as 48 bits; this leaves room for sums. */
const MAX_TIME = 2 ** 47;
/** A thousand years, nearly. */
const MAX_KEEP_MS = 2 ** 45;

/** A batch that was checked and turned into text before it queues: a mistake in it harms no other commit. */
export interface PreparedBatch {
  puts: PreparedPut[];
  checks: { key: string; kind: string; id: string; version: number }[];
  events: { json: string; refs: string[] }[];
  idempotency?: { key: string; json: string; keepMs: number };
  applied?: IngestPosition;
  positions?: PositionBatch;
}

export interface PreparedPut {
  key: string;
  kind: string;
  id: string;
  expect: number;
  /** Value as JSON; undefined deletes. */
  json: string | undefined;
  indexes: readonly (readonly [string, string])[];
  dueAt: number | undefined;
}

/** Checks a batch against the contract. Throws `StoreError` `invalid` that names the field. */
export function prepareBatch(batch: Batch): PreparedBatch {
  const prepared: PreparedBatch = {
    puts: (batch.puts ?? []).map(preparePut),
    checks: (batch.checks ?? []).map((check) => {
      const where = `check of ${check.kind}/${check.id}`;
      checkVersion(`${where}: version`, check.version);
      const key = docKey(checkName(`${where}: kind`, check.kind), checkName(`${where}: id`, check.id));
      if (isTooLong(key)) throw invalid(`${where}: kind and id may have ${MAX_KEY_BYTES} bytes together`);
      return { ...check, key };
    }),
    events: (batch.events ?? []).map((event) => ({ json: eventJson(event), refs: refsOf(event) })),
  };
  const keys = new Set(prepared.puts.map((put) => put.key));
  if (keys.size < prepared.puts.length) throw invalid('puts must name each document once');
  if (batch.idempotency) {
    const { key, result, keepMs } = batch.idempotency;
    checkName('idempotency.key', key);
    if (!(keepMs > 0 && keepMs < MAX_KEEP_MS)) {
      throw invalid(`idempotency.keepMs must be above 0 and below ${MAX_KEEP_MS}, got ${keepMs}`);
    }
    prepared.idempotency = { key, json: toJson('idempotency.result', result ?? null), keepMs };
  }
  if (batch.applied) {
    checkName('applied.node', batch.applied.node);
    checkVersion('applied.sequence', batch.applied.sequence);
    prepared.applied = batch.applied;
  }
  if (batch.positions) {
    for (const vehicleId of batch.positions.vehicles) checkName('positions: vehicleId', vehicleId);
    prepared.positions = batch.positions;
  }
  return prepared;
}

function preparePut(put: NonNullable<Batch['puts']>[number]): PreparedPut {
  const where = `put of ${put.kind}/${put.id}`;
  const key = docKey(checkName(`${where}: kind`, put.kind), checkName(`${where}: id`, put.id));
  if (isTooLong(key)) throw invalid(`${where}: kind and id may have ${MAX_KEY_BYTES} bytes together`);
  checkVersion(`${where}: expect`, put.expect);
  if (put.dueAt !== undefined && !(Number.isInteger(put.dueAt) && put.dueAt >= 0 && put.dueAt < MAX_TIME)) {
    throw invalid(`${where}: dueAt must be whole milliseconds since 1970, got ${put.dueAt}`);
  }
  const seen = new Set<string>();
  const indexes = put.indexes.filter(([index, sortKey]) => {
    checkName(`${where}: index`, index);
    const bytes = index.length * 3 + encodeSortKey(sortKey).length + Buffer.byteLength(key);
    if (bytes > MAX_KEY_BYTES) {
      throw invalid(`${where}: entry of index ${index} has ${bytes} bytes, at most ${MAX_KEY_BYTES} are allowed`);
    }
    const entry = docKey(index, sortKey);
    return !seen.has(entry) && seen.add(entry);
  });
  const json = put.value === undefined ? undefined : toJson(`${where}: value`, put.value);
  return { key, kind: put.kind, id: put.id, expect: put.expect, json, indexes, dueAt: put.dueAt };
}

export function eventJson(event: DomainEvent): string {
  return toJson(`event ${event.type}`, event);
}

/** The event with other data. */
export function rewritten(json: string, data: unknown): string {
  return eventJson({ ...(JSON.parse(json) as DomainEvent), data });
}

export const noSuchEvent = (position: number): StoreError => invalid(`the event log has no position ${position}`);

function toJson(what: string, value: unknown): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (error) {
    throw invalid(`${what} must be a JSON value: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (json === undefined) throw invalid(`${what} must be a JSON value, got ${typeof value}`);
  return json;
}

function checkVersion(what: string, version: number): void {
  if (!Number.isSafeInteger(version) || version < 0) throw invalid(`${what} must be an integer from 0, got ${version}`);
}
