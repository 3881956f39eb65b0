import { beforeEach, describe, expect, test } from 'vitest';
import type { DispatchStore } from '../../dispatch/store/store.js';
import { NOW, type StoreUnderTest } from './support.js';

export function presenceTests(opened: () => StoreUnderTest): void {
  let under: StoreUnderTest;
  let store: DispatchStore;

  beforeEach(() => {
    under = opened();
    ({ store } = under);
  });

  describe('presence', () => {
    test('a later claim has a higher fence and tells who was there', async () => {
      const first = await store.claimTerminal('t', 'n1', 'c1', NOW, 1_000);
      expect(first.before).toBeUndefined();
      expect(await store.owner('t', NOW)).toEqual({
        terminal: 't',
        node: 'n1',
        connection: 'c1',
        fence: first.fence,
        until: NOW + 1_000,
      });
      const other = (await under.secondNode?.()) ?? store;
      const second = await other.claimTerminal('t', 'n2', 'c2', NOW + 10, 1_000);
      expect(second.fence).toBeGreaterThan(first.fence);
      expect(second.before).toMatchObject({ node: 'n1', connection: 'c1', fence: first.fence });
      expect(await store.renewTerminal('t', first.fence, NOW + 20, 1_000)).toBe(false);
      await store.releaseTerminal('t', first.fence);
      expect(await store.owner('t', NOW + 20)).toMatchObject({ node: 'n2', connection: 'c2' });
    });

    test('a lease ends unless it is renewed', async () => {
      const { fence } = await store.claimTerminal('t', 'n1', 'c1', NOW, 1_000);
      expect(await store.owner('t', NOW + 999)).toBeDefined();
      expect(await store.owner('t', NOW + 1_000)).toBeUndefined();
      expect(await store.renewTerminal('t', fence, NOW + 900, 1_000)).toBe(true);
      expect(await store.owner('t', NOW + 1_500)).toMatchObject({ until: NOW + 1_900 });
      expect((await store.claimTerminal('t', 'n2', 'c2', NOW + 5_000, 1_000)).before).toBeUndefined();
    });

    test('a release ends the lease; a fence is never used twice', async () => {
      const { fence } = await store.claimTerminal('t', 'n1', 'c1', NOW, 1_000);
      await store.releaseTerminal('t', fence);
      expect(await store.owner('t', NOW)).toBeUndefined();
      expect(await store.renewTerminal('t', fence, NOW, 1_000)).toBe(false);
      expect((await store.claimTerminal('t', 'n1', 'c2', NOW, 1_000)).fence).toBeGreaterThan(fence);
    });

    test('of many claims at once the highest fence owns', async () => {
      const claims = await Promise.all(
        Array.from({ length: 20 }, (_, i) => store.claimTerminal('t', `n${i}`, `c${i}`, NOW, 1_000)),
      );
      const fences = claims.map(({ fence }) => fence);
      expect(new Set(fences).size).toBe(20);
      expect((await store.owner('t', NOW))?.fence).toBe(Math.max(...fences));
    });
  });
}
