import { appendFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { open } from 'lmdb';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openLmdb } from '../../../dispatch/store/lmdb.js';
import { numberedKey } from '../../../dispatch/store/lmdb-env.js';
import { recordHeader } from '../../../dispatch/store/log-records.js';
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

const recordOf = (sequence: number, group: Uint8Array): Buffer => Buffer.concat([recordHeader(sequence, group), group]);

/** One position of each of many vehicles: a commit of many turns of the event loop. */
function manyVehicles(count: number): PositionBatch {
  const batch = new PositionBatch(count);
  for (let i = 0; i < count; i++) batch.add(`truck-${i}`, HOUR + i, HOUR + i, 31e6, 121e6, 0, 300, 90, 0, 2, 1);
  return batch;
}

describe('a store that an earlier version wrote', () => {
  const binary = { encoding: 'binary', keyEncoding: 'binary' } as const;

  /** What format 2 held: groups in an environment of their own. */
  async function writeFormat2(groups: Record<string, number[]>): Promise<void> {
    await (await openLmdb(directory)).close();
    const root = open<Buffer, Buffer>({ path: join(directory, 'ingest', 'data.mdb'), maxDbs: 1, ...binary });
    const table = root.openDB<Buffer, Buffer>({ name: 'groups', ...binary });
    for (const [node, sequences] of Object.entries(groups)) {
      await Promise.all(sequences.map((sequence) => table.put(numberedKey(node, sequence), Buffer.of(sequence & 255))));
    }
    await root.close();
  }

  test('of the format that had them in LMDB beside it: the same, and the file of LMDB is gone', async () => {
    await writeFormat2({ '': [0], a: [7, 8], 'b/../c': [2, 3, 5] });
    for (let opening = 0; opening < 2; opening++) {
      const store = await openLmdb(directory);
      expect(await store.ingestNodes()).toEqual(['a', 'b/../c']);
      expect(await sequencesOf(store, 'b/../c')).toEqual([2, 3, 5]);
      expect((await store.readIngest('a', 0, 2)).map(({ group }) => [...group])).toEqual([[7], [8]]);
      await store.close();
      expect((await readdir(join(directory, 'ingest'))).filter((name) => name.includes('mdb'))).toEqual([]);
    }
  });

  test('that a crash cut short while it was moved: nothing twice', async () => {
    await writeFormat2({ a: [1, 2] });
    const before = await readFile(join(directory, 'ingest', 'data.mdb'));
    await (await openLmdb(directory)).close();
    await writeFile(join(directory, 'ingest', 'data.mdb'), before);
    const store = await openLmdb(directory);
    expect(await sequencesOf(store, 'a')).toEqual([1, 2]);
    await store.close();
  });

  /** What format 1 held: groups among the tables of the state. */
  async function writeFormat1(groups: Record<string, number[]>, applied: Record<string, number>): Promise<void> {
    await (await openLmdb(directory)).close();
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

describe('files of a log', () => {
  const filesOf = async (node: string) =>
    (await readdir(join(directory, 'ingest', `node=${node}`)))
      .sort()
      .map((name) => join(directory, 'ingest', `node=${node}`, name));
  const groupOf = (i: number, bytes = 1_000): Buffer => Buffer.alloc(bytes, i);

  async function written(groups: readonly Uint8Array[]): Promise<void> {
    const store = await openLmdb(directory);
    for (const group of groups) await store.appendIngest('n', group);
    await store.close();
  }

  test('each process begins one of its own; what was there is read with it', async () => {
    for (let opening = 0; opening < 3; opening++) await written([groupOf(2 * opening + 1), groupOf(2 * opening + 2)]);
    expect(await filesOf('n')).toHaveLength(3);
    const store = await openLmdb(directory);
    const groups = await store.readIngest('n', 1, 4);
    expect(groups.map(({ sequence, group }) => [sequence, group[0], group.length])).toEqual(
      [2, 3, 4, 5].map((i) => [i, i, 1_000]),
    );
    expect(await store.appendIngest('n', groupOf(7))).toBe(7);
    await store.close();
  });

  test('hold nothing but records when the store is closed', async () => {
    await written([groupOf(1), groupOf(2)]);
    const [file] = await filesOf('n');
    expect((await stat(file!)).size).toBe(2 * (20 + 1_000));
  });

  test('wherever the last one is cut off, what is whole before is there and the log goes on behind it', async () => {
    await written([groupOf(1), groupOf(2, 70), groupOf(3)]);
    const [file] = await filesOf('n');
    const whole = await readFile(file!);
    const ends = [1_020, 1_110, 2_130];
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: whole.length }),
        fc.uint8Array({ maxLength: 60, min: 0xf0 }),
        async (cut, torn) => {
          for (const other of await filesOf('n').catch(() => [])) await rm(other);
          await writeFile(file!, whole.subarray(0, cut), { flag: 'w' });
          await appendFile(file!, torn);
          // No byte of a record is as high, so what is torn stays torn.
          const left = ends.filter((end) => end <= cut).length;
          const store = await openLmdb(directory);
          expect(await sequencesOf(store, 'n')).toEqual(ends.slice(0, left).map((_, i) => i + 1));
          expect(await store.appendIngest('n', groupOf(9))).toBe(left + 1);
          expect((await store.readIngest('n', left, 10)).map(({ group }) => group[0])).toEqual([9]);
          await store.close();
        },
      ),
      { numRuns: 25 },
    );
  });

  test('damaged in the middle: all but what is damaged is there', async () => {
    await written([1, 2, 3, 4, 5].map((i) => groupOf(i)));
    await written([groupOf(6)]);
    const [file] = await filesOf('n');
    const bytes = await readFile(file!);
    bytes[1_020 * 2 + 500]! ^= 4;
    bytes.fill(0, 1_020, 1_030);
    await writeFile(file!, bytes);
    const store = await openLmdb(directory);
    expect(await sequencesOf(store, 'n')).toEqual([1, 4, 5, 6]);
    expect(await store.appendIngest('n', groupOf(7))).toBe(7);
    await store.close();
  });

  test('records longer than what is read at once, and pages that begin anywhere', async () => {
    const sizes = [10, 600_000, 0, 300_000, 300_000, 1_200_000, 5];
    await written(sizes.map((size, i) => groupOf(i + 1, size)));
    const store = await openLmdb(directory);
    for (let after = 0; after <= sizes.length; after++) {
      const page = await store.readIngest('n', after, 3);
      expect(
        page.map(({ sequence, group }) => [sequence, group.length, group.every((byte) => byte === sequence)]),
      ).toEqual(sizes.map((size, i) => [i + 1, size, true]).slice(after, after + 3));
    }
    await store.close();
  });

  test('go when all that they hold is trimmed, the one that is written to as well', async () => {
    await written([groupOf(1), groupOf(2)]);
    const store = await openLmdb(directory);
    for (const i of [3, 4]) await store.appendIngest('n', groupOf(i));
    await store.commit({ applied: { node: 'n', sequence: 4 } });
    await store.trimIngest('n', 1);
    expect(await filesOf('n')).toHaveLength(2);
    await store.trimIngest('n', 3);
    expect(await filesOf('n')).toHaveLength(1);
    await store.trimIngest('n', 4);
    expect(await filesOf('n')).toEqual([]);
    expect(await store.appendIngest('n', groupOf(5))).toBe(5);
    expect(await sequencesOf(store, 'n')).toEqual([5]);
    await store.close();
  });

  test('a file that cannot be written to is left behind: what it has stays, what failed is not there', async () => {
    await written([groupOf(1)]);
    const [file] = await filesOf('n');
    // As a flush that failed leaves it: with a record that nobody was told of, of a sequence that the next file has.
    await appendFile(file!, recordOf(2, groupOf(77)));
    await writeFile(file!.replace('1.log', '2.log'), recordOf(2, groupOf(2)));
    const store = await openLmdb(directory);
    expect((await store.readIngest('n', 0, 10)).map(({ sequence, group }) => [sequence, group[0]])).toEqual([
      [1, 1],
      [2, 2],
    ]);
    await store.close();
  });

  test('a node whose name no folder can have is refused', async () => {
    const store = await openLmdb(directory);
    await expect(store.appendIngest('ä'.repeat(100), groupOf(1))).rejects.toMatchObject({ code: 'invalid' });
    await store.close();
  });
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
