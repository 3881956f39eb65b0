import { expect, it } from 'vitest';
import { manualClock } from '../../../dispatch/clock.js';
import type { DispatchPort } from '../../../dispatch/ports.js';
import { Role, ROLE_LEASE_MS } from '../../../dispatch/role.js';
import { StoreError } from '../../../dispatch/store/errors.js';
import { memoryStore } from '../../../dispatch/store/memory.js';
import type { DispatchStore } from '../../../dispatch/store/store.js';

const log = { info: () => {}, warn: () => {} };

/** Nodes on one store and one clock; `working` names those that do the work now. */
function world() {
  const store = memoryStore();
  const clock = manualClock(Date.UTC(2026, 10, 21));
  const working = new Set<string>();
  const node = (name: string, on: DispatchStore = store): Role =>
    new Role({ store: on, clock } as unknown as DispatchPort, {
      name: 'test',
      node: name,
      begin: async () => {
        working.add(name);
        return { stop: () => void working.delete(name) };
      },
      log,
    });
  /** Time in steps as small as the roles' rounds, with room for what each round awaits. */
  const pass = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += 1_000) {
      clock.advance(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { store, clock, working, node, pass };
}

it('is done by one node, and by another as soon as that one stops', async () => {
  const { node, working, pass } = world();
  const [a, b] = [node('a'), node('b')];
  await a.start();
  await b.start();
  await pass(60_000);
  expect([...working]).toEqual(['a']);
  await a.stop();
  expect([...working]).toEqual([]);
  await pass(ROLE_LEASE_MS);
  expect([...working]).toEqual(['b']);
  await b.stop();
});

it('is taken over from a node that died, after its lease', async () => {
  const { store, clock, node, working, pass } = world();
  await store.claimTerminal('role:test', 'dead', 'dead', clock.now(), ROLE_LEASE_MS);
  const b = node('b');
  await b.start();
  expect([...working]).toEqual([]);
  await pass(ROLE_LEASE_MS + ROLE_LEASE_MS / 3 + 1_000);
  expect([...working]).toEqual(['b']);
  await b.stop();
});

it('goes on at once on the node that was started again', async () => {
  const { store, clock, node, working } = world();
  await store.claimTerminal('role:test', 'a', 'a', clock.now(), ROLE_LEASE_MS);
  const a = node('a');
  await a.start();
  expect([...working]).toEqual(['a']);
  await a.stop();
});

it('is left by a node that another has replaced', async () => {
  const { store, clock, node, working, pass } = world();
  const a = node('a');
  await a.start();
  await store.claimTerminal('role:test', 'b', 'b', clock.now(), 10 * ROLE_LEASE_MS);
  await pass(ROLE_LEASE_MS);
  expect([...working]).toEqual([]);
  await a.stop();
  expect((await store.owner('role:test', clock.now()))?.node).toBe('b');
});

it('is left by a node that cannot reach the store when its lease ends, and taken again afterwards', async () => {
  const { store, node, working, pass } = world();
  let away = false;
  const reachable = new Proxy(store, {
    get(target, name) {
      const member = Reflect.get(target, name, target) as unknown;
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        if (away) return Promise.reject(new StoreError('unavailable', 'away'));
        return Reflect.apply(member as (...all: unknown[]) => unknown, target, args);
      };
    },
  });
  const a = node('a', reachable);
  await a.start();
  away = true;
  await pass(ROLE_LEASE_MS / 2);
  expect([...working]).toEqual(['a']);
  await pass(ROLE_LEASE_MS);
  expect([...working]).toEqual([]);
  away = false;
  await pass(ROLE_LEASE_MS);
  expect([...working]).toEqual(['a']);
  await a.stop();
});
