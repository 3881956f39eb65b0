import { describe, expect, it } from 'vitest';
import { simulate } from './world.js';

/**
 * Seeds that a full run takes; more with `LINECREW_SIM_SEEDS=2000`, from another start with `LINECREW_SIM_FROM`. A seed
 * that fails is replayed with `npm run sim -- --seed N` and joins `caught`.
 */
const count = Number(process.env['LINECREW_SIM_SEEDS'] ?? 40);
const from = Number(process.env['LINECREW_SIM_FROM'] ?? 1000);
/** Seeds that once found something, in the product or in the simulation itself. */
const caught = [4, 9, 109, 114, 118, 122, 133, 137, 1023, 1039, 2327, 2450];

describe('the simulated world', () => {
  it('replays a seed exactly', async () => {
    const first = await simulate(17);
    const second = await simulate(17);
    expect(second.trace).toEqual(first.trace);
    expect(second.events).toEqual(first.events);
  });

  it('has storms worth the name', async () => {
    const { counts } = await simulate(3);
    for (const what of ['commands', 'store faults', 'power cuts', 'events', 'positions', 'keys']) {
      expect(counts[what] ?? 0, what).toBeGreaterThan(0);
    }
  });

  it.each(caught)('still holds at seed %i', { timeout: 120_000 }, async (seed) => {
    expect((await simulate(seed)).faults).toEqual([]);
  });

  it(`holds at ${count} seeds from ${from}`, { timeout: count * 20_000 }, async () => {
    const failed: string[] = [];
    for (let seed = from; seed < from + count; seed++) {
      const { faults } = await simulate(seed);
      if (faults.length > 0) failed.push(`seed ${seed}: ${faults.join('; ')}`);
    }
    expect(failed).toEqual([]);
  });
});
