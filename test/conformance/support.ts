/** What the parts of the conformance suite share: the store under test, and short ways to write and read. */
import { expect } from 'vitest';
import type { DomainEvent } from '../../dispatch/domain/events.js';
import { PositionBatch, type Position } from '../../dispatch/store/position-batch.js';
import type { CommitResult, DispatchStore, DocPut, Scan } from '../../dispatch/store/store.js';

/** One empty store, for one test. */
export interface StoreUnderTest {
  store: DispatchStore;
  /** The clock that the store was opened with, ms UTC; a test may move it. */
  clock: { now: number };
  /** Opens the same data after `close`. Absent where nothing outlives the process. */
  reopen?(): Promise<DispatchStore>;
  /** A second process's view of the same data. Absent where the store takes one process. */
  secondNode?(): Promise<DispatchStore>;
  /** Arguments for the child process that is killed while it commits: URL and options of `openStore` as JSON. */
  child?: { url: string; options: object };
  dispose(): Promise<void>;
}

export const NOW = Date.UTC(2024, 5, 1, 8, 0, 0);

export function put(
  kind: string,
  id: string,
  expect_: number,
  value: unknown,
  rest: { indexes?: DocPut['indexes']; dueAt?: number } = {},
): DocPut {
  return { kind, id, expect: expect_, value, indexes: [], ...rest };
}

export function event(type: string, rest: Partial<DomainEvent> = {}): DomainEvent {
  return { type, source: 'api', by: 'test', receivedAt: NOW, committedAt: NOW, data: {}, ...rest };
}

export function positions(
  rows: readonly (readonly [string, number, number, number])[] | (string | number)[][],
): PositionBatch {
  const batch = new PositionBatch(2);
  for (const [vehicleId, deviceAt, latE6, lonE6] of rows as [string, number, number, number][]) {
    batch.add(vehicleId, deviceAt, deviceAt + 500, latE6, lonE6, 40, 300, 90, 0, 3, 12_345);
  }
  return batch;
}

export async function ok(result: Promise<CommitResult>): Promise<void> {
  expect(await result).toMatchObject({ ok: true });
}

export async function ids(store: DispatchStore, scan: Scan): Promise<string[]> {
  return (await store.scan(scan)).items.map(({ id }) => id);
}

export async function values(store: DispatchStore, scan: Scan): Promise<unknown[]> {
  return (await store.scan(scan)).items.map(({ value }) => value);
}

export async function track(store: DispatchStore, vehicleId: string, from: number, to: number): Promise<Position[]> {
  const found: Position[] = [];
  for await (const position of store.track(vehicleId, from, to)) found.push(position);
  return found;
}

export function lats(positions_: Map<string, Position>): Record<string, number> {
  return Object.fromEntries([...positions_].map(([vehicleId, { latE6 }]) => [vehicleId, latE6]));
}
