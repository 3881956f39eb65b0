/** Copies one store into another, part by part. Each step looks at what is there, so doing it again goes on. */
import type { Position } from '../../dispatch/store/position-batch.js';
import { PositionBatch } from '../../dispatch/store/position-batch.js';
import type { Batch, DispatchStore, StoredEntry } from '../../dispatch/store/store.js';
import { MARK } from './mark.js';
import { EVER, type Part } from './summary.js';

/** Items of one commit: large enough to be quick, small enough for one Lua call. */
const PER_COMMIT = 200;
const POSITIONS_PER_COMMIT = 5_000;

export type Progress = (part: Part, done: number) => void;

export async function copyAll(from: DispatchStore, to: DispatchStore, progress: Progress): Promise<void> {
  await copyDocuments(from, to, (done) => progress('documents', done));
  await copyEvents(from, to, (done) => progress('events', done));
  await copyLogs(from, to, (done) => progress('ingest logs', done));
  await copyPositions(from, to, (done) => progress('positions', done));
  await copyBlobs(from, to, (done) => progress('blobs', done));
  for (const key of await from.metaKeys()) if (key !== MARK) await to.setMeta(key, await from.meta(key));
}

async function copyDocuments(from: DispatchStore, to: DispatchStore, progress: (done: number) => void): Promise<void> {
  let done = 0;
  const put = async (entries: StoredEntry[]): Promise<void> => {
    const there = await to.getMany(entries);
    const missing = entries.filter((_, i) => there[i] === undefined);
    const puts = missing.map(({ kind, id, value, indexes, dueAt }) => {
      return { kind, id, expect: 0, value, indexes, ...(dueAt === undefined ? {} : { dueAt }) };
    });
    if (puts.length > 0) await commit(to, { puts });
    progress((done += entries.length));
  };
  let some: StoredEntry[] = [];
  for await (const entry of from.everyDoc()) {
    some.push(entry);
    if (some.length < PER_COMMIT) continue;
    await put(some);
    some = [];
  }
  if (some.length > 0) await put(some);
}

/** Events keep their positions: others remember them. */
async function copyEvents(from: DispatchStore, to: DispatchStore, progress: (done: number) => void): Promise<void> {
  for (let after = await to.lastPosition(); ;) {
    const page = await from.eventsAfter(after, PER_COMMIT);
    if (page.length === 0) return;
    if (page[0]!.position !== after + 1) {
      throw new Error(`the event log of the source begins at ${page[0]!.position} behind ${after}: it has a gap`);
    }
    await commit(to, { events: page.map(({ position: _position, ...event }) => event) });
    progress((after = page.at(-1)!.position));
  }
}

/** Groups keep their sequences: events name them as their proof. */
async function copyLogs(from: DispatchStore, to: DispatchStore, progress: (done: number) => void): Promise<void> {
  let done = 0;
  for (const node of await from.ingestNodes()) {
    const source = await from.ingestState(node);
    let { appended, applied } = await to.ingestState(node);
    for (let after = appended; ;) {
      const page = await from.readIngest(node, after, PER_COMMIT);
      if (page.length === 0) break;
      for (const { sequence, group } of page) {
        if (sequence !== appended + 1) {
          // The beginning was trimmed: a log counts on behind what was applied.
          if (sequence - 1 > source.applied) throw new Error(`the ingest log of ${node} lacks group ${sequence - 1}`);
          await commit(to, { applied: { node, sequence: sequence - 1 } });
          applied = sequence - 1;
        }
        appended = await to.appendIngest(node, group);
        if (appended !== sequence) throw new Error(`group ${sequence} of ${node} became ${appended} in the target`);
        done++;
      }
      after = appended;
      progress(done);
    }
    if (source.applied > applied) await commit(to, { applied: { node, sequence: source.applied } });
  }
}

async function copyPositions(from: DispatchStore, to: DispatchStore, progress: (done: number) => void): Promise<void> {
  let done = 0;
  let batch = new PositionBatch();
  const flush = async (): Promise<void> => {
    if (batch.length > 0) await commit(to, { positions: batch });
    progress((done += batch.length));
    batch = new PositionBatch();
  };
  for (const [vehicleId, last] of await from.lastPositions()) {
    add(batch, vehicleId, last);
    for await (const position of from.track(vehicleId, 0, EVER)) {
      add(batch, vehicleId, position);
      if (batch.length >= POSITIONS_PER_COMMIT) await flush();
    }
  }
  await flush();
}

function add(batch: PositionBatch, vehicleId: string, p: Position): void {
  batch.add(
    vehicleId, p.deviceAt, p.receivedAt, p.latE6, p.lonE6, p.altitudeM, p.speedDeciKmh, p.headingDeg, p.alarm, p.status,
    p.mileageDeciKm,
  ); // prettier-ignore
}

async function copyBlobs(from: DispatchStore, to: DispatchStore, progress: (done: number) => void): Promise<void> {
  let done = 0;
  for await (const name of from.everyBlob()) {
    const bytes = await from.getBlob(name);
    if (bytes && !(await to.getBlob(name))) await to.putBlob(name, bytes);
    progress(++done);
  }
}

async function commit(to: DispatchStore, batch: Batch): Promise<void> {
  const result = await to.commit(batch);
  if (!result.ok) throw new Error('somebody else writes to the target: stop it, and run linecrew migrate again');
}
