import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inTurns } from '../../../dispatch/store/give-way.js';

/** Keeps the thread for `ms`. */
function busy(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until;);
}

test('all steps are done in order, however long each takes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(0, 0, 0, 0.4, 1.5), { maxLength: 12 }), async (steps) => {
      const done: number[] = [];
      await inTurns(
        (function* () {
          for (const [i, ms] of steps.entries()) {
            busy(ms);
            done.push(i);
            yield;
          }
        })(),
      );
      expect(done).toEqual(steps.map((_, i) => i));
    }),
    { numRuns: 50 },
  );
});

test('short work is done at once, long work lets others have the thread between its steps', async () => {
  function* work(steps: number, ms: number): Generator<void> {
    for (let i = 0; i < steps; i++) {
      busy(ms);
      yield;
    }
  }
  expect(inTurns(work(10, 0))).toBeUndefined();
  let turns = 0;
  let done = false;
  const count = (): void => {
    turns++;
    if (!done) setImmediate(count);
  };
  setImmediate(count);
  await inTurns(work(4, 2));
  done = true;
  expect(turns).toBeGreaterThanOrEqual(3);
});

test('an error of a step ends the work, in whichever turn', async () => {
  function* failing(before: number): Generator<void> {
    busy(before);
    yield;
    throw new Error('step 2');
  }
  expect(() => inTurns(failing(0))).toThrow('step 2');
  await expect(inTurns(failing(2))).rejects.toThrow('step 2');
});
