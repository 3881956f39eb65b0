import { describe, expect, it } from 'vitest';
import { simulate, type Storm } from './world.js';

/** Seeds that once found something, in the product or in the simulation itself; most of them when all storms were long. */
const caught: readonly { seed: number; storm?: Storm }[] = [
  ...[4, 9, 109, 114, 118, 122, 133, 137, 1023, 1039, 2327, 2450].map((seed) => ({ seed, storm: 'long' as const })),
  ...[11670, 20458, 22185].map((seed) => ({ seed })),
];

describe('the simulated world', () => {
  it('replays a seed exactly', async () => {
    const first = await simulate(17);
    const second = await simulate(17);
    expect(second.trace).toEqual(first.trace);
    expect(second.events).toEqual(first.events);
  });

  it('has storms worth the name', async () => {
    const { counts } = await simulate(3, 'long');
    for (const what of ['commands', 'store faults', 'power cuts', 'events', 'positions', 'keys']) {
      expect(counts[what] ?? 0, what).toBeGreaterThan(0);
    }
  });

  it.each(caught)('still holds at seed $seed', { timeout: 120_000 }, async ({ seed, storm }) => {
    expect((await simulate(seed, storm)).faults).toEqual([]);
  });
});
