/** What one commit does inside the LMDB write transaction, where `putSync` and `removeSync` only add to it. */
import { docKey, indexEntry } from './keys.js';
import { isLater, latestRows, rowBytes, rowFromBytes, rowNumbers } from './last-position.js';
import { json, keys, numberedKey, parse, PRESENT, readU48, u48, type Env, type StoredRecord } from './lmdb-env.js';
import { putTrack, type Tails } from './lmdb-track.js';
import type { PositionBatch } from './position-batch.js';
import type { PreparedBatch, PreparedPut } from './prepare.js';
import type { CommitResult } from './store.js';
import type { BlockRows } from './track-block.js';
import { inTurns } from './give-way.js';

/** Expired idempotency keys that one commit removes: more than one commit makes, so they cannot pile up. */
const EXPIRED_PER_COMMIT = 10;

/** How far the ingest log of one node is applied. */
export interface AppliedLog {
  applied: number;
  /** Not listed while it holds nothing more; its sequences stay used. */
  forgotten?: boolean;
}

/**
 * What the transaction changes in memory; taken over only once it is flushed. Groups see their own changes through it.
 */
export class CommitScope {
  /** Vehicles whose last position changed. */
  readonly last = new Map<string, Float64Array>();
  readonly logs = new Map<string, AppliedLog>();
  /** Documents that were put or deleted: a claim on them ends. */
  readonly changed: string[] = [];
  readonly batches: PositionBatch[] = [];

  constructor(
    readonly env: Env,
    readonly now: number,
    public lastPosition: number,
    readonly knownLast: ReadonlyMap<string, Float64Array>,
    readonly knownLogs: ReadonlyMap<string, AppliedLog>,
    /** Changed at once; cleared where the transaction fails. */
    readonly tails: Tails,
  ) {}

  applied(node: string): number {
    return (this.logs.get(node) ?? this.knownLogs.get(node))?.applied ?? 0;
  }

  setLog(node: string, log: AppliedLog): void {
    this.logs.set(node, log);
    this.env.nodes.putSync(Buffer.from(node), json(log));
  }
}

/** Decides and writes one batch without positions; nothing is written unless the result is `ok`. */
export function applyBatch(scope: CommitScope, batch: PreparedBatch): CommitResult {
  const { refusal, records } = decide(scope, batch);
  return refusal ?? write(scope, batch, records);
}

/**
 * The same for a batch with positions: they are written in turns, and what others must see all at once, or not at all,
 * in the last one.
 */
export function applyPositions(
  scope: CommitScope,
  batch: PreparedBatch,
  positions: PositionBatch,
  blocks: Iterable<BlockRows>,
): CommitResult | Promise<CommitResult> {
  const { refusal, records } = decide(scope, batch);
  if (refusal) return refusal;
  const finish = (): CommitResult => write(scope, batch, records);
  const rest = inTurns(putPositions(scope, positions, blocks));
  return rest ? rest.then(finish) : finish();
}

/** What refuses a batch, or the documents that it puts, as they are. */
function decide(
  scope: CommitScope,
  batch: PreparedBatch,
): { refusal?: CommitResult; records: (StoredRecord | undefined)[] } {
  const { env } = scope;
  const records: (StoredRecord | undefined)[] = [];
  if (batch.idempotency) {
    const known = env.idempotency.get(Buffer.from(batch.idempotency.key));
    const remembered = known && parse<{ until: number; result: unknown }>(known);
    if (remembered && remembered.until > scope.now) {
      return { refusal: { ok: false, duplicate: remembered.result }, records };
    }
  }
  for (const put of batch.puts) {
    const record = readRecord(env, put.key);
    if ((record?.version ?? 0) !== put.expect) return { refusal: conflict(put.kind, put.id), records };
    records.push(record);
  }
  for (const check of batch.checks) {
    if ((readRecord(env, check.key)?.version ?? 0) !== check.version) {
      return { refusal: conflict(check.kind, check.id), records };
    }
  }
  if (batch.applied) {
    const { node, sequence, after } = batch.applied;
    const applied = scope.applied(node);
    if (sequence <= applied || (after !== undefined && after !== applied)) {
      return { refusal: conflict('ingest', node), records };
    }
  }
  return { records };
}

function write(scope: CommitScope, batch: PreparedBatch, records: readonly (StoredRecord | undefined)[]): CommitResult {
  const { env } = scope;
  batch.puts.forEach((put, i) => putDoc(scope, put, records[i]));
  for (const event of batch.events) {
    const position = ++scope.lastPosition;
    env.events.putSync(u48(position), Buffer.from(event.json));
    for (const ref of event.refs) env.refs.putSync(numberedKey(ref, position), PRESENT);
  }
  if (batch.idempotency) remember(scope, batch.idempotency);
  if (batch.applied) scope.setLog(batch.applied.node, { applied: batch.applied.sequence });
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

/** Yields where others may have the thread. */
function* putPositions(scope: CommitScope, batch: PositionBatch, blocks: Iterable<BlockRows>): Generator<void> {
  const { env } = scope;
  for (const block of blocks) {
    putTrack(env.track, scope.tails, batch, block);
    yield;
  }
  const latest = latestRows(batch);
  for (const [vehicle, vehicleId] of batch.vehicles.entries()) {
    yield;
    const row = latest[vehicle]!;
    if (row < 0) continue;
    const candidate = rowNumbers(batch, row);
    const known = scope.knownLast.get(vehicleId);
    if (known && !isLater(candidate, 0, known, 0)) continue;
    scope.last.set(vehicleId, candidate);
    env.last.putSync(Buffer.from(vehicleId), rowBytes(candidate));
  }
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
