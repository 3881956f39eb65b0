/** What one commit does inside the LMDB write transaction, where `putSync` and `removeSync` only add to it. */
import { docKey, indexEntry } from './keys.js';
import { isLater, latestRows, rowBytes, rowFromBytes, rowNumbers } from './last-position.js';
import {
  behindPrefix,
  json,
  keys,
  numberedKey,
  parse,
  prefixKey,
  PRESENT,
  readU48,
  u48,
  type Env,
  type StoredRecord,
} from './lmdb-env.js';
import { putTracks, type Tails } from './lmdb-track.js';
import type { PositionBatch } from './position-batch.js';
import type { PreparedBatch, PreparedPut } from './prepare.js';
import type { CommitResult } from './store.js';
import type { BlockRows } from './track-block.js';

/** Expired idempotency keys that one commit removes: more than one commit makes, so they cannot pile up. */
const EXPIRED_PER_COMMIT = 10;

/** What is known of the ingest log of one node. */
export interface IngestLog {
  appended: number;
  applied: number;
  /** Not listed; its sequences stay used. */
  forgotten?: boolean;
}

/**
 * What the transaction changes in memory; taken over only once it is flushed. Groups see their own changes through it.
 */
export class CommitScope {
  /** Vehicles whose last position changed. */
  readonly last = new Map<string, Float64Array>();
  readonly logs = new Map<string, IngestLog>();
  /** Documents that were put or deleted: a claim on them ends. */
  readonly changed: string[] = [];
  readonly batches: PositionBatch[] = [];

  constructor(
    readonly env: Env,
    readonly now: number,
    public lastPosition: number,
    readonly knownLast: ReadonlyMap<string, Float64Array>,
    readonly knownLogs: ReadonlyMap<string, IngestLog>,
    /** Changed at once; cleared where the transaction fails. */
    readonly tails: Tails,
  ) {}

  log(node: string): IngestLog {
    let log = this.logs.get(node);
    if (!log) this.logs.set(node, (log = { ...(this.knownLogs.get(node) ?? { appended: 0, applied: 0 }) }));
    return log;
  }
}

/** Takes a node whose log holds nothing off the list; false where it holds groups. */
export function forgetLog(scope: CommitScope, node: string): boolean {
  const log = scope.log(node);
  const range = { lower: prefixKey(node), upper: behindPrefix(node), limit: 1 };
  if (log.appended > log.applied || keys(scope.env.ingest, range).length > 0) return false;
  if (log.appended === 0) return true;
  log.forgotten = true;
  scope.env.nodes.putSync(Buffer.from(node), json({ applied: log.applied, forgotten: true }));
  return true;
}

/** Appends a group to a node's ingest log; gives its sequence. */
export function appendGroup(scope: CommitScope, node: string, group: Uint8Array): number {
  const log = scope.log(node);
  if (log.appended === 0 || log.forgotten) scope.env.nodes.putSync(Buffer.from(node), json({ applied: log.applied }));
  log.forgotten = undefined;
  log.appended++;
  scope.env.ingest.putSync(numberedKey(node, log.appended), asBuffer(group));
  return log.appended;
}

/** Decides and writes one batch; nothing is written unless the result is `ok`. */
export function applyBatch(scope: CommitScope, batch: PreparedBatch, blocks: readonly BlockRows[]): CommitResult {
  const { env } = scope;
  if (batch.idempotency) {
    const known = env.idempotency.get(Buffer.from(batch.idempotency.key));
    const remembered = known && parse<{ until: number; result: unknown }>(known);
    if (remembered && remembered.until > scope.now) return { ok: false, duplicate: remembered.result };
  }
  const records: (StoredRecord | undefined)[] = [];
  for (const put of batch.puts) {
    const record = readRecord(env, put.key);
    if ((record?.version ?? 0) !== put.expect) return conflict(put.kind, put.id);
    records.push(record);
  }
  for (const check of batch.checks) {
    if ((readRecord(env, check.key)?.version ?? 0) !== check.version) return conflict(check.kind, check.id);
  }
  if (batch.applied) {
    const { node, sequence, after } = batch.applied;
    const { applied } = scope.log(node);
    if (sequence <= applied || (after !== undefined && after !== applied)) return conflict('ingest', node);
  }

  batch.puts.forEach((put, i) => putDoc(scope, put, records[i]));
  for (const event of batch.events) {
    const position = ++scope.lastPosition;
    env.events.putSync(u48(position), Buffer.from(event.json));
    for (const ref of event.refs) env.refs.putSync(numberedKey(ref, position), PRESENT);
  }
  if (batch.idempotency) remember(scope, batch.idempotency);
  if (batch.applied) {
    const log = scope.log(batch.applied.node);
    log.applied = batch.applied.sequence;
    log.appended = Math.max(log.appended, log.applied);
    env.nodes.putSync(Buffer.from(batch.applied.node), json({ applied: log.applied, forgotten: log.forgotten }));
  }
  if (batch.positions) putPositions(scope, batch.positions, blocks);
  return { ok: true, lastPosition: scope.lastPosition };
}

export function readRecord(env: Env, key: string): StoredRecord | undefined {
  const bytes = env.docs.get(Buffer.from(key));
  return bytes && parse<StoredRecord>(bytes);
}

export function dueKey(dueAt: number, key: string): Buffer {
  return Buffer.concat([u48(dueAt), Buffer.from(key)]);
}

export function splitDueKey(key: Buffer): { dueAt: number; docKey: string } {
  return { dueAt: readU48(key, 0), docKey: key.subarray(6).toString() };
}

function conflict(kind: string, id: string): CommitResult {
  return { ok: false, conflict: { kind, id } };
}

function putDoc(scope: CommitScope, put: PreparedPut, before: StoredRecord | undefined): void {
  const { env } = scope;
  scope.changed.push(put.key);
  for (const [index, sortKey] of before?.indexes ?? []) env.index.removeSync(indexKey(index, sortKey, put.key));
  if (before?.dueAt !== undefined) env.due.removeSync(dueKey(before.dueAt, put.key));
  if (put.json === undefined) {
    if (before) env.docs.removeSync(Buffer.from(put.key));
    return;
  }
  for (const [index, sortKey] of put.indexes) env.index.putSync(indexKey(index, sortKey, put.key), PRESENT);
  if (put.dueAt !== undefined) env.due.putSync(dueKey(put.dueAt, put.key), PRESENT);
  const due = put.dueAt === undefined ? '' : `,"dueAt":${put.dueAt}`;
  const head = `{"version":${put.expect + 1},"indexes":${JSON.stringify(put.indexes)}${due},"value":`;
  env.docs.putSync(Buffer.from(put.key), Buffer.from(`${head}${put.json}}`));
}

function indexKey(index: string, sortKey: string, key: string): Buffer {
  return Buffer.concat([Buffer.from(docKey(index, '')), indexEntry(sortKey, key)]);
}

function remember(scope: CommitScope, { key, json: result, keepMs }: NonNullable<PreparedBatch['idempotency']>): void {
  const { env, now } = scope;
  const until = Math.ceil(now + keepMs);
  for (const expired of keys(env.expiry, { upper: u48(Math.max(0, Math.floor(now))), limit: EXPIRED_PER_COMMIT })) {
    const name = expired.subarray(6);
    const bytes = env.idempotency.get(name);
    // The key may have been used again since, with a later end.
    if (bytes && parse<{ until: number }>(bytes).until === readU48(expired, 0)) env.idempotency.removeSync(name);
    env.expiry.removeSync(expired);
  }
  env.idempotency.putSync(Buffer.from(key), Buffer.from(`{"until":${until},"result":${result}}`));
  env.expiry.putSync(Buffer.concat([u48(until), Buffer.from(key)]), PRESENT);
}

function putPositions(scope: CommitScope, batch: PositionBatch, blocks: readonly BlockRows[]): void {
  const { env } = scope;
  putTracks(env.track, scope.tails, batch, blocks);
  latestRows(batch).forEach((row, vehicle) => {
    if (row < 0) return;
    const vehicleId = batch.vehicles[vehicle]!;
    const candidate = rowNumbers(batch, row);
    const known = scope.last.get(vehicleId) ?? scope.knownLast.get(vehicleId);
    if (known && !isLater(candidate, 0, known, 0)) return;
    scope.last.set(vehicleId, candidate);
    env.last.putSync(Buffer.from(vehicleId), rowBytes(candidate));
  });
  scope.batches.push(batch);
}

/** Last positions of all vehicles, for the mirror in memory. */
export function readLastPositions(env: Env): Map<string, Float64Array> {
  const last = new Map<string, Float64Array>();
  for (const { key, value } of env.last.getRange({ start: Buffer.of(0) })) {
    last.set(key.toString(), rowFromBytes(value));
  }
  return last;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
