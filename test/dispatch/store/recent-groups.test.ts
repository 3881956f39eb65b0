import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RecentGroups } from '../../../dispatch/store/recent-groups.js';

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ add: fc.uint8Array({ maxLength: 12 }), skip: fc.constantFrom(0, 0, 0, 0, 1, 5) }),
  },
  { weight: 1, arbitrary: fc.record({ trim: fc.nat(40) }) },
  { weight: 4, arbitrary: fc.record({ after: fc.nat(40), limit: fc.integer({ min: 1, max: 10 }) }) },
);

test('gives nothing, or the next groups of the log without a gap, and never what was trimmed', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const log = new Map<number, Uint8Array>();
      const recent = new RecentGroups(40);
      let last = 0;
      let trimmed = 0;
      for (const one of steps) {
        if ('add' in one) {
          last += 1 + one.skip;
          const given = Uint8Array.from(one.add);
          recent.add(last, given);
          log.set(last, Uint8Array.from(given));
          // What was given may be filled again by its owner.
          given.fill(0xff);
        } else if ('trim' in one) {
          recent.trim(one.trim);
          trimmed = Math.max(trimmed, Math.min(one.trim, last));
        } else {
          const found = recent.after(one.after, one.limit);
          expect(found.length).toBeLessThanOrEqual(one.limit);
          found.forEach(({ sequence, group }, i) => {
            expect(sequence).toBe(one.after + 1 + i);
            expect(group).toEqual(log.get(sequence));
            expect(sequence).toBeGreaterThan(trimmed);
          });
          // The newest is always there, unless it was trimmed or is larger than all that is kept.
          if (one.after === last - 1 && last > trimmed) expect(found).toHaveLength(1);
        }
      }
    }),
  );
});

test('keeps so many bytes of the newest', () => {
  const recent = new RecentGroups(10);
  for (let sequence = 1; sequence <= 5; sequence++) recent.add(sequence, new Uint8Array(4));
  expect(recent.after(2, 10)).toEqual([]);
  expect(recent.after(3, 10).map(({ sequence }) => sequence)).toEqual([4, 5]);
  recent.add(6, new Uint8Array(11));
  expect(recent.after(5, 10)).toEqual([]);
  recent.add(7, new Uint8Array(10));
  expect(recent.after(6, 10).map(({ sequence }) => sequence)).toEqual([7]);
});
