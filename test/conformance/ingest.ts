import { beforeEach, describe, expect, test } from 'vitest';
import type { DispatchStore } from '../../dispatch/store/store.js';
import { put, event, ok, type StoreUnderTest } from './support.js';

export function ingestTests(opened: () => StoreUnderTest): void {
  let store: DispatchStore;

  beforeEach(() => {
    ({ store } = opened());
  });

  describe('ingest log', () => {
    test('sequences follow the order of the calls, also when they overlap', async () => {
      const groups = Array.from({ length: 50 }, (_, i) => Uint8Array.of(i, 0, 255));
      const sequences = await Promise.all(groups.map((group) => store.appendIngest('n1', group)));
      expect(sequences).toEqual(groups.map((_, i) => i + 1));
      const read = await store.readIngest('n1', 0, 1_000);
      expect(read.map(({ sequence, group }) => [sequence, [...group]])).toEqual(
        groups.map((group, i) => [i + 1, [...group]]),
      );
      expect(await store.ingestState('n1')).toEqual({ appended: 50, applied: 0 });
    });

    test('logs of different nodes are apart', async () => {
      await store.appendIngest('n1', Uint8Array.of(1));
      await store.appendIngest('n10', Uint8Array.of(2));
      expect(await store.appendIngest('n1', Uint8Array.of(3))).toBe(2);
      expect((await store.readIngest('n1', 0, 10)).map(({ group }) => group[0])).toEqual([1, 3]);
      expect(await store.readIngest('n2', 0, 10)).toEqual([]);
      expect(await store.ingestNodes()).toEqual(['n1', 'n10']);
      expect(await store.ingestState('n2')).toEqual({ appended: 0, applied: 0 });
    });

    test('reading pages from a sequence', async () => {
      for (let i = 1; i <= 5; i++) await store.appendIngest('n', Uint8Array.of(i));
      expect((await store.readIngest('n', 2, 2)).map(({ sequence }) => sequence)).toEqual([3, 4]);
      expect((await store.readIngest('n', 4, 100)).map(({ sequence }) => sequence)).toEqual([5]);
      expect(await store.readIngest('n', 5, 100)).toEqual([]);
    });

    test('a large group and an empty one come back as they were', async () => {
      const large = Uint8Array.from({ length: 1_500_000 }, (_, i) => i % 251);
      await store.appendIngest('n', large);
      await store.appendIngest('n', new Uint8Array(0));
      const [first, second] = await store.readIngest('n', 0, 10);
      expect(Buffer.compare(first!.group, large)).toBe(0);
      expect(second!.group).toHaveLength(0);
    });

    test('the applied position moves with the commit, only forward, only from where the reader was', async () => {
      for (let i = 1; i <= 4; i++) await store.appendIngest('n', Uint8Array.of(i));
      await ok(store.commit({ applied: { node: 'n', sequence: 2, after: 0 }, puts: [put('k', '1', 0, 1)] }));
      expect(await store.ingestState('n')).toEqual({ appended: 4, applied: 2 });
      const refused = { ok: false, conflict: { kind: 'ingest', id: 'n' } };
      expect(await store.commit({ applied: { node: 'n', sequence: 2 }, events: [event('x')] })).toEqual(refused);
      expect(await store.commit({ applied: { node: 'n', sequence: 4, after: 1 } })).toEqual(refused);
      expect(await store.lastPosition()).toBe(0);
      await ok(store.commit({ applied: { node: 'n', sequence: 4, after: 2 } }));
      expect(await store.ingestState('n')).toEqual({ appended: 4, applied: 4 });
    });

    test('a node is forgotten when its log holds nothing; one that comes back goes on counting', async () => {
      for (const node of ['gone', 'here']) await store.appendIngest(node, Uint8Array.of(1));
      expect(await store.appendIngest('gone', Uint8Array.of(2))).toBe(2);
      expect(await store.forgetIngest('gone')).toBe(false);
      await ok(store.commit({ applied: { node: 'gone', sequence: 2 } }));
      expect(await store.forgetIngest('gone')).toBe(false);
      expect(await store.ingestNodes()).toEqual(['gone', 'here']);
      await store.trimIngest('gone', 2);
      expect(await store.forgetIngest('gone')).toBe(true);
      expect(await store.forgetIngest('gone')).toBe(true);
      expect(await store.ingestNodes()).toEqual(['here']);
      expect(await store.ingestState('gone')).toEqual({ appended: 2, applied: 2 });
      expect(await store.appendIngest('gone', Uint8Array.of(3))).toBe(3);
      expect(await store.ingestNodes()).toEqual(['gone', 'here']);
      expect((await store.readIngest('gone', 2, 10)).map(({ sequence }) => sequence)).toEqual([3]);
      expect(await store.forgetIngest('nobody')).toBe(true);
      expect(await store.ingestNodes()).toEqual(['gone', 'here']);
    });

    test('trimming drops what was applied and nothing else; sequences go on', async () => {
      for (let i = 1; i <= 4; i++) await store.appendIngest('n', Uint8Array.of(i));
      await ok(store.commit({ applied: { node: 'n', sequence: 3 } }));
      await store.trimIngest('n', 2);
      expect((await store.readIngest('n', 0, 10)).map(({ sequence }) => sequence)).toEqual([3, 4]);
      await store.trimIngest('n', 100);
      expect((await store.readIngest('n', 0, 10)).map(({ sequence }) => sequence)).toEqual([4]);
      expect(await store.appendIngest('n', Uint8Array.of(5))).toBe(5);
      await ok(store.commit({ applied: { node: 'n', sequence: 5 } }));
      await store.trimIngest('n', 5);
      expect(await store.ingestState('n')).toEqual({ appended: 5, applied: 5 });
      expect(await store.appendIngest('n', Uint8Array.of(6))).toBe(6);
      await store.trimIngest('nobody', 5);
    });
  });
}
