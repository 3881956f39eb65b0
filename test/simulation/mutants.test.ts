import { describe, expect, it } from 'vitest';
import { mutants, type Mutant } from './mutants.js';
import { runMutant } from './mutate.js';

/** Tried where the known seed misses: any change of the product moves what happens at a seed. */
const MORE_SEEDS = '1-80';

async function seedsThatCatch(mutant: Mutant, seeds: string): Promise<number[]> {
  const found = await runMutant(mutant, seeds);
  return found.filter(({ faults }) => faults.some((fault) => mutant.caughtBy.test(fault))).map(({ seed }) => seed);
}

describe('the simulation catches', () => {
  it.each(mutants.map((mutant) => [mutant.name, mutant] as const))(
    '%s',
    { timeout: 180_000 },
    async (_name, mutant) => {
      const known = await seedsThatCatch(mutant, String(mutant.seed));
      expect(known.length > 0 ? known : await seedsThatCatch(mutant, MORE_SEEDS)).not.toEqual([]);
    },
  );
});
