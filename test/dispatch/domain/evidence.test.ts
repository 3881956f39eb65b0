import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deviceTime, stampsOf } from '../../../dispatch/domain/evidence.js';
import { POINTS, RANKS, type Claim, type Point, type Rank } from '../../../dispatch/domain/model.js';

const D = 1_000_000_000;
const S = 1_000;
const M = 60_000;
const lateMs = 60_000;

function claim(point: Point, at: number, rank: Rank, more: Partial<Claim> = {}): Claim {
  return { point, at, rank, source: 'terminal', by: 't', receivedAt: at, committedAt: at, flags: [], ...more };
}
const d = claim('D', D, 'rule');

describe('1. device time, corrected by the offset, if it lies between D and received + 5 s', () => {
  const received = D + 10 * M;
  it.each([
    ['inside', D + 9.5 * M, 0, { at: D + 9.5 * M, valid: true, flags: [] }],
    ['at D', D, 0, { at: D, valid: true, flags: ['late'] }],
    ['5 s ahead', received + 5 * S, 0, { at: received + 5 * S, valid: true, flags: [] }],
    ['more than 5 s ahead', received + 5 * S + 1, 0, { at: received, valid: false, flags: ['received'] }],
    ['before D', D - 1, 0, { at: received, valid: false, flags: ['received'] }],
    ['a clock two minutes ahead', received + 2 * M, 2 * M, { at: received, valid: true, flags: ['corrected'] }],
    ['61 s old', received - 61 * S, 0, { at: received - 61 * S, valid: true, flags: ['late'] }],
    ['60 s old', received - 60 * S, 0, { at: received - 60 * S, valid: true, flags: [] }],
  ] as const)('%s', (_name, deviceAt, offsetMs, expected) => {
    expect(deviceTime(deviceAt, received, D, { offsetMs, lateMs })).toEqual(expected);
  });
  it('none: received time, flagged', () => {
    expect(deviceTime(undefined, received, D, { lateMs })).toEqual({ at: received, valid: false, flags: ['received'] });
  });
});

describe('2. H by rule is the first instant of the run; a key is a second claim', () => {
  const fence = claim('H', D + 20 * M, 'serverFence');
  it('takes the key within the standing run', () => {
    expect(stampsOf([d, fence, claim('H', D + 25 * M, 'key')]).H?.at).toBe(D + 25 * M);
  });
  it('takes the key up to two minutes before the run', () => {
    expect(stampsOf([d, fence, claim('H', D + 18 * M, 'key')]).H?.at).toBe(D + 18 * M);
  });
  it('takes the instant of the rule where the key was pressed earlier than that', () => {
    expect(stampsOf([d, fence, claim('H', D + 18 * M - 1, 'key')]).H?.at).toBe(D + 20 * M);
  });
  it('takes the instant of the rule where the key was pressed long after the run ended', () => {
    const ended = { ...fence, until: D + 22 * M };
    expect(stampsOf([d, ended, claim('H', D + 24 * M, 'key')]).H?.at).toBe(D + 24 * M);
    expect(stampsOf([d, ended, claim('H', D + 24 * M + 1, 'key')]).H?.at).toBe(D + 20 * M);
  });
  it('takes the instant of the rule over a key without device time', () => {
    expect(stampsOf([d, fence, claim('H', D + 21 * M, 'keyWithoutTime')]).H).toMatchObject({
      at: D + 20 * M,
      rank: 'serverFence',
    });
  });
  it('prefers the fence in the terminal to the one on the server', () => {
    expect(stampsOf([d, fence, claim('H', D + 21 * M, 'terminalFence')]).H?.rank).toBe('terminalFence');
  });
});

describe('3. rank of evidence', () => {
  const order: Rank[] = ['key', 'terminalFence', 'serverFence', 'keyWithoutTime', 'entry'];
  it.each(order.slice(1).map((weaker, i) => [order[i]!, weaker]))('%s is stronger than %s', (stronger, weaker) => {
    const claims = [d, claim('G', D + 5 * M, weaker), claim('G', D + 9 * M, stronger)];
    expect(stampsOf(claims).G).toMatchObject({ rank: stronger, at: D + 9 * M });
    expect(stampsOf(claims.toReversed()).G).toMatchObject({ rank: stronger, at: D + 9 * M });
  });
  it('the same rank with an earlier time of its own replaces', () => {
    expect(stampsOf([d, claim('F', D + 5 * M, 'key'), claim('F', D + 3 * M, 'key')]).F?.at).toBe(D + 3 * M);
  });
  it("an earlier time outside the leg's window does not", () => {
    expect(stampsOf([d, claim('G', D + 5 * M, 'serverFence'), claim('G', D - 3 * M, 'serverFence')]).G?.at).toBe(
      D + 5 * M,
    );
  });
});

describe('4. implied', () => {
  it('an arrival without acceptance implies E, F and G at its own time', () => {
    const stamps = stampsOf([d, claim('H', D + 20 * M, 'key')]);
    for (const point of ['E', 'F', 'G'] as const) {
      expect(stamps[point]).toMatchObject({ at: D + 20 * M, rank: 'implied', flags: ['implied'] });
    }
    expect(stamps.I).toBeUndefined();
  });
  it('takes the latest provable bound: the next point that is known', () => {
    const stamps = stampsOf([d, claim('G', D + 4 * M, 'serverFence'), claim('H', D + 20 * M, 'key')]);
    expect(stamps.F).toMatchObject({ at: D + 4 * M, rank: 'implied' });
  });
  it('yields to the real thing when that comes', () => {
    const stamps = stampsOf([d, claim('H', D + 20 * M, 'key'), claim('F', D + M, 'entry')]);
    expect(stamps.F).toMatchObject({ at: D + M, rank: 'entry' });
  });
});

describe('5. monotone', () => {
  it('a point before its predecessor takes the predecessor’s time; the raw claim stays', () => {
    const stamps = stampsOf([d, claim('G', D + 12 * M, 'key'), claim('H', D + 10 * M, 'key')]);
    expect(stamps.H).toMatchObject({ at: D + 12 * M, rawAt: D + 10 * M, flags: ['clamped'] });
    expect(stamps.G).toMatchObject({ at: D + 12 * M, flags: [] });
  });
  it('a time of receipt yields to a later point with an earlier time of its own', () => {
    const lateReceipt = claim('E', D + 20 * M, 'key', { flags: ['received'] });
    const stamps = stampsOf([d, lateReceipt, claim('F', D + 3 * M, 'key')]);
    expect(stamps.E).toMatchObject({ at: D + 3 * M, rawAt: D + 20 * M });
    expect(stamps.F).toMatchObject({ at: D + 3 * M, flags: [] });
  });
});

describe('stamps of any set of claims', () => {
  const anyClaim = fc
    .record({
      point: fc.constantFrom<Point>('E', 'F', 'G', 'H', 'I', 'J'),
      rank: fc.constantFrom(...RANKS.filter((rank) => rank !== 'implied' && rank !== 'rule')),
      at: fc.integer({ min: -5, max: 60 }),
      until: fc.option(fc.integer({ min: 0, max: 30 }), { nil: undefined }),
    })
    .map(({ point, rank, at, until }) =>
      claim(point, D + at * M, rank, {
        ...(until === undefined ? {} : { until: D + (at + until) * M }),
        flags: rank === 'keyWithoutTime' ? ['received'] : [],
      }),
    );
  const claims = fc.array(anyClaim, { maxLength: 12 });

  it('do not depend on the order in which the claims came', () => {
    fc.assert(
      fc.property(
        claims.chain((set) => fc.tuple(fc.constant(set), fc.shuffledSubarray(set, { minLength: set.length }))),
        ([set, mixed]) => {
          const times = (all: Claim[]): unknown[] =>
            POINTS.map((point) => [stampsOf(all)[point]?.at, stampsOf(all)[point]?.rank]);
          expect(times([d, ...mixed])).toEqual(times([d, ...set]));
        },
      ),
    );
  });
  it('are in order of time, none is missing before the last, and one claim more never weakens a rank', () => {
    fc.assert(
      fc.property(claims, anyClaim, (set, more) => {
        const before = stampsOf([d, ...set]);
        const after = stampsOf([d, ...set, more]);
        const known = POINTS.slice(3).map((point) => after[point]);
        const last = known.findLastIndex((stamp) => stamp !== undefined);
        expect(known.slice(0, last + 1).every((stamp) => stamp !== undefined)).toBe(true);
        const times = known.slice(0, last + 1).map((stamp) => stamp!.at);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
        for (const point of POINTS) {
          const decidedByRun =
            point === 'H' &&
            [before.H?.rank, after.H?.rank].every((rank) => rank === 'key' || /Fence$/.test(rank ?? ''));
          if (!before[point] || decidedByRun) continue;
          expect(RANKS.indexOf(after[point]!.rank)).toBeLessThanOrEqual(RANKS.indexOf(before[point].rank));
        }
      }),
    );
  });
});
