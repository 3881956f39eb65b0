import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openLmdb } from '../../../dispatch/store/lmdb.js';
import { numberedKey } from '../../../dispatch/store/lmdb-env.js';
import { PositionBatch } from '../../../dispatch/store/position-batch.js';
import type { DispatchStore } from '../../../dispatch/store/store.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'linecrew-lmdb-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

const HOUR = 3_600_000;
const sequencesOf = async (store: DispatchStore, node: string) =>
  (await store.readIngest(node, 0, 1_000)).map(({ sequence }) => sequence);

/** One position of each of many vehicles: a commit of many turns of the event loop. */
function manyVehicles(count: number): PositionBatch {
  const batch = new PositionBatch(count);
  for (let i = 0; i < count; i++) batch.add(`truck-${i}`, HOUR + i, HOUR + i, 31e6, 121e6, 0, 300, 90, 0, 2, 1);
  return batch;
}

describe('a store that an earlier version wrote', () => {
  /** What format 1 held: groups among the tables of the state. */
  async function writeFormat1(groups: Record<string, number[]>, applied: Record<string, number>): Promise<void> {
    await (await openLmdb(directory)).close();
    const binary = { encoding: 'binary', keyEncoding: 'binary' } as const;
    const root = open<Buffer, Buffer>({ path: join(directory, 'data.mdb'), maxDbs: 13, ...binary });
    const table = (name: string) => root.openDB<Buffer, Buffer>({ name, ...binary });
    for (const [node, sequences] of Object.entries(groups)) {
      const old = table('ingest');
      await Promise.all(sequences.map((sequence) => old.put(numberedKey(node, sequence), Buffer.of(sequence & 255))));
      await table('nodes').put(Buffer.from(node), Buffer.from(JSON.stringify({ applied: applied[node] ?? 0 })));
    }
    await table('meta').put(Buffer.from('store.format'), Buffer.from('1'));
    await root.close();
  }

  test('keeps its ingest logs: what was not applied is still there, under its sequence', async () => {
    await writeFormat1({ a: [3, 4, 5], b: [1] }, { a: 3 });
    for (let opening = 0; opening < 2; opening++) {
      const store = await openLmdb(directory);
      expect(await store.ingestNodes()).toEqual(['a', 'b']);
      expect(await store.ingestState('a')).toEqual({ appended: 5 + opening, applied: 3 });
      expect(await store.ingestState('b')).toEqual({ appended: 1, applied: 0 });
      expect((await store.readIngest('a', 3, 2)).map(({ group }) => [...group])).toEqual([[4], [5]]);
      expect(await store.appendIngest('a', Buffer.of(6 + opening))).toBe(6 + opening);
      await store.close();
    }
  });

  test('more groups than one transaction takes', async () => {
    const sequences = Array.from({ length: 2_500 }, (_, i) => i + 1);
    await writeFormat1({ a: sequences }, {});
    const store = await openLmdb(directory);
    expect(await store.ingestState('a')).toEqual({ appended: 2_500, applied: 0 });
    const page = await store.readIngest('a', 1_500, 1_000);
    expect(page.map(({ sequence }) => sequence)).toEqual(sequences.slice(1_500));
    await store.close();
  });
});

test('a backup holds what its state has not applied, also where it is trimmed meanwhile', async () => {
  const store = await openLmdb(directory);
  for (let i = 1; i <= 6; i++) await store.appendIngest('n', Buffer.of(i));
  await store.commit({ applied: { node: 'n', sequence: 2 } });
  const copy = join(directory, 'backup');
  const backup = store.backup(copy);
  await store.commit({ applied: { node: 'n', sequence: 6 } });
  await Promise.all([backup, store.trimIngest('n', 6)]);
  expect(await sequencesOf(store, 'n')).toEqual([]);
  await store.close();
  const restored = await openLmdb(copy);
  const { appended, applied } = await restored.ingestState('n');
  expect(appended).toBe(6);
  const left = await restored.readIngest('n', applied, 10);
  expect(left.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 6 - applied }, (_, i) => applied + 1 + i));
  await restored.close();
});

describe('a commit of the positions of many vehicles', () => {
  test('holds up neither other work of the thread nor a confirmation', async () => {
    const store = await openLmdb(directory);
    let committed = false;
    const commit = store.commit({ positions: manyVehicles(20_000) }).then(() => (committed = true));
    let turns = 0;
    let confirmed = 0;
    const count = (): void => {
      turns++;
      if (!committed) setImmediate(count);
    };
    setImmediate(count);
    while (!committed) {
      await store.appendIngest('n', Buffer.alloc(100));
      if (!committed) confirmed++;
    }
    await commit;
    expect(turns).toBeGreaterThan(5);
    expect(confirmed).toBeGreaterThan(0);
    expect((await store.lastPositions()).size).toBe(20_000);
    await store.close();
  });

  test('is written as a whole or, where it is refused, not at all; commits around it keep their order', async () => {
    const store = await openLmdb(directory);
    const put = (expect_: number, value: string) => [{ kind: 'k', id: '1', expect: expect_, value, indexes: [] }];
    const results = await Promise.all([
      store.commit({ puts: put(0, 'before') }),
      store.commit({ puts: put(1, 'with'), positions: manyVehicles(3_000), applied: { node: 'n', sequence: 1 } }),
      store.commit({ puts: put(2, 'after') }),
      store.commit({ puts: put(2, 'late'), positions: manyVehicles(4_000), applied: { node: 'n', sequence: 2 } }),
    ]);
    expect(results.map(({ ok }) => ok)).toEqual([true, true, true, false]);
    expect(await store.get('k', '1')).toMatchObject({ version: 3, value: 'after' });
    expect((await store.lastPositions()).size).toBe(3_000);
    for await (const position of store.track('truck-3500', 0, 2 * HOUR)) expect(position).toBeUndefined();
    expect(await store.ingestState('n')).toEqual({ appended: 1, applied: 1 });
    await store.close();
  });

  test('shows nothing of what it puts before all of it is there', async () => {
    const store = await openLmdb(directory);
    const event = { type: 'x', source: 'api', by: 't', receivedAt: 0, committedAt: 0, data: {} } as const;
    let done = false;
    const commit = store
      .commit({
        puts: [{ kind: 'k', id: '1', expect: 0, value: 1, indexes: [['i', 'a']] }],
        events: [event],
        positions: manyVehicles(5_000),
        applied: { node: 'n', sequence: 1 },
      })
      .then(() => (done = true));
    const seen = new Set<string>();
    while (!done) {
      const [doc, events, last, log] = [
        await store.get('k', '1'),
        await store.eventsAfter(0, 10),
        await store.lastPositions(),
        await store.ingestState('n'),
      ];
      if (!done) seen.add(`${doc === undefined} ${events.length} ${last.size} ${log.applied}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await commit;
    expect([...seen]).toEqual(['true 0 0 0']);
    expect(await store.get('k', '1')).toMatchObject({ value: 1 });
    await store.close();
  });
});
