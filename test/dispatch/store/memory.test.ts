import { describe, expect, test } from 'vitest';
import { memoryStore, type Fault } from '../../../dispatch/store/memory.js';
import { storeConformance } from '../../conformance/store.js';

storeConformance(
  'memory',
  async () => {
    const clock = { now: 0 };
    const store = memoryStore({ now: () => clock.now });
    return { store, clock, dispose: () => store.close() };
  },
  { durable: false },
);

describe('faults of the store in memory', () => {
  const puts = (expect_: number) => [{ kind: 'k', id: '1', expect: expect_, value: expect_, indexes: [] }];

  test('a write that fails is not done; the next one is', async () => {
    const faults: Fault[] = ['fail'];
    const store = memoryStore({ faults: () => faults.pop() });
    await expect(store.commit({ puts: puts(0) })).rejects.toMatchObject({ name: 'StoreError', code: 'io' });
    expect(await store.get('k', '1')).toBeUndefined();
    expect(await store.commit({ puts: puts(0) })).toMatchObject({ ok: true });
  });

  test('a write that loses its answer is done', async () => {
    const faults: Fault[] = ['loseAnswer', 'loseAnswer'];
    const store = memoryStore({ faults: () => faults.pop() });
    await expect(store.commit({ puts: puts(0) })).rejects.toMatchObject({ code: 'timeout' });
    await expect(store.appendIngest('n', Uint8Array.of(1))).rejects.toMatchObject({ code: 'timeout' });
    expect(await store.get('k', '1')).toMatchObject({ version: 1 });
    expect(await store.ingestState('n')).toEqual({ appended: 1, applied: 0 });
  });

  test('a write that stalls holds up those behind it and nothing is read of it', async () => {
    let goOn!: () => void;
    const stall = new Promise<undefined>((resolve) => (goOn = () => resolve(undefined)));
    const store = memoryStore({ faults: () => stall });
    const order: number[] = [];
    const both = [0, 1].map((version) => store.commit({ puts: puts(version) }).then(() => order.push(version)));
    expect(await store.get('k', '1')).toBeUndefined();
    goOn();
    await Promise.all(both);
    expect(order).toEqual([0, 1]);
    expect(await store.get('k', '1')).toMatchObject({ version: 2 });
  });

  test('each kind of write is named to the hook', async () => {
    const named: string[] = [];
    const store = memoryStore({ faults: (write) => void named.push(write) });
    await store.commit({});
    await store.appendIngest('n', Uint8Array.of(1));
    await store.setMeta('k', 1);
    expect(named).toEqual(['commit', 'appendIngest', 'other']);
  });
});

describe('a store in memory that gives all readers one frozen value', () => {
  const doc = (value: unknown, expect_ = 0) => ({ kind: 'k', id: '1', expect: expect_, value, indexes: [] });

  test('until it is written again', async () => {
    const store = memoryStore({ values: 'frozen' });
    await store.commit({ puts: [doc({ list: [{ n: 1 }] })] });
    const value = (await store.get('k', '1'))!.value;
    expect((await store.get('k', '1'))!.value).toBe(value);
    await store.commit({ puts: [doc({ list: [] }, 1)] });
    expect((await store.get('k', '1'))!.value).toEqual({ list: [] });
    expect(value).toEqual({ list: [{ n: 1 }] });
  });

  test('whoever changes what was read fails, at every depth', async () => {
    const store = memoryStore({ values: 'frozen' });
    await store.commit({ puts: [doc({ list: [{ n: 1 }] })] });
    const value = (await store.get('k', '1'))!.value as { list: { n: number }[]; more?: number };
    expect(() => (value.more = 1)).toThrow(TypeError);
    expect(() => value.list.push({ n: 2 })).toThrow(TypeError);
    expect(() => (value.list[0]!.n = 2)).toThrow(TypeError);
  });

  test('a rewritten event is read as it is now', async () => {
    const store = memoryStore({ values: 'frozen' });
    const event = {
      type: 't',
      source: 'rule' as const,
      by: 'x',
      receivedAt: 1,
      committedAt: 1,
      data: { name: 'Wang' },
    };
    await store.commit({ events: [event] });
    expect((await store.eventsAfter(0, 1))[0]!.data).toEqual({ name: 'Wang' });
    await store.rewriteEvents([{ position: 1, data: { name: '' } }]);
    expect((await store.eventsAfter(0, 1))[0]!.data).toEqual({ name: '' });
  });
});
