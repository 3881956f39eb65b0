import { describe, expect, it } from 'vitest';
import { simulate } from './world.js';

/**
 * Worlds that a full run takes: {@link parts} files of as many each, so that the workers of the machine share them. A
 * seed that fails is replayed with `npm run sim -- --seed N` and joins those that were once caught (seeds.test.ts).
 */
const parts = 4;
const seedsPerPart = 600;
const firstSeed = 1000;
/** Worlds of one test: often enough said how far it is, and never one that takes minutes. */
const seedsPerTest = 50;

/** The seeds of one of the files. @param part from 1 */
export function holdsInPart(part: number): void {
  if (part < 1 || part > parts) throw new RangeError(`there are ${parts} parts, no ${part}`);
  const from = firstSeed + (part - 1) * seedsPerPart;
  const starts = Array.from({ length: seedsPerPart / seedsPerTest }, (_, i) => from + i * seedsPerTest);

  describe(`the simulated world, part ${part} of ${parts}`, () => {
    it.each(starts)(`holds at ${seedsPerTest} seeds from %i`, { timeout: seedsPerTest * 5_000 }, async (start) => {
      const failed: string[] = [];
      for (let seed = start; seed < start + seedsPerTest; seed++) {
        const { faults } = await simulate(seed);
        if (faults.length > 0) failed.push(`seed ${seed}: ${faults.join('; ')}`);
      }
      expect(failed).toEqual([]);
    });
  });
}
