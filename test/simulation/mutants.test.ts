import { describe, expect, it } from 'vitest';
import { mutants } from './mutants.js';
import { runMutant } from './mutate.js';

describe('the simulation catches', () => {
  it.each(mutants.map((mutant) => [mutant.name, mutant] as const))(
    '%s',
    { timeout: 180_000 },
    async (_name, mutant) => {
      const found = await runMutant(mutant, String(mutant.seed));
      expect(found.flatMap(({ faults }) => faults).filter((fault) => mutant.caughtBy.test(fault))).not.toEqual([]);
    },
  );
});
