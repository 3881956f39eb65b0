import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rankCandidates, type CandidateFacts, type CandidateQuestion } from '../../../dispatch/domain/candidates.js';
import { MINUTE, NINE } from '../../support/dispatch.js';

const SETTINGS = { language: 'en', queueLimit: 20 } as const;
const facts = (vehicleId: string, more: Partial<CandidateFacts> = {}): CandidateFacts => ({
  vehicleId,
  plate: vehicleId,
  crewName: `crew ${vehicleId}`,
  trade: 'lowVoltage',
  repairCentreId: 'centre-1',
  duty: 'standby',
  queueLength: 0,
  hasOrder: false,
  ...more,
});
const arriving = (minutes: number): Pick<CandidateFacts, 'eta'> => ({
  eta: { at: NINE + minutes * MINUTE, distanceM: 1000, basis: 'estimate' },
});
const QUESTION: CandidateQuestion = {
  order: { repairCentreId: 'centre-1', fault: { category: 'outage', voltage: 'low', description: '' } },
  trades: ['lowVoltage'],
  deadlineAt: NINE + 30 * MINUTE,
  now: NINE,
};
const rank = (...all: CandidateFacts[]) => rankCandidates(QUESTION, all, SETTINGS);

describe('Recommendation', () => {
  it('by trade, then reachable, then arrival after what is queued, then queue length', () => {
    const ranked = rank(
      facts('otherTrade', { trade: 'cable', ...arriving(1) }),
      facts('away', { duty: 'unreachable', ...arriving(2) }),
      facts('unknown'),
      facts('later', arriving(20)),
      facts('longer', { queueLength: 3, ...arriving(10) }),
      facts('first', { queueLength: 1, ...arriving(10) }),
    );
    expect(ranked.map((one) => [one.rank, one.vehicleId])).toEqual([
      [1, 'first'], [2, 'longer'], [3, 'later'], [4, 'unknown'], [5, 'away'], [6, 'otherTrade'],
    ]); // prettier-ignore
  });

  it('each with its reasons in words', () => {
    const [best] = rank(facts('v', { queueLength: 2, duty: 'tasked', contactAgeMs: 6 * MINUTE, ...arriving(12) }));
    expect(best!.reasons.map((reason) => reason.text)).toEqual([
      'right trade: low voltage',
      '2 orders before it',
      'no contact for 6 min',
      'there in 12 min',
      'within the promise, 18 min to spare',
    ]);
    expect(rank(facts('v', arriving(40)))[0]).toMatchObject({ inTime: false });
    expect(rank(facts('v'))[0]!.reasons.map((reason) => reason.code)).toContain('noPosition');
  });

  it('claims no right trade where no rule names one for the fault', () => {
    const asked = { ...QUESTION, trades: [] };
    const [one] = rankCandidates(asked, [facts('v', { trade: 'cable', queueLength: 1, duty: 'tasked' })], SETTINGS);
    expect(one!.reasons.map((reason) => reason.text)).toEqual([
      'trade: cable (no rule names one for this fault)',
      '1 order before it',
      'position unknown',
    ]);
    const [away] = rank(facts('v', { duty: 'unreachable' }));
    expect(away!.reasons.map((reason) => reason.text)).toContain('nothing queued');
  });

  it.each([
    ['hasOrder', { hasOrder: true }],
    ['otherCentre', { repairCentreId: 'centre-2' }],
    ['offDuty', { duty: 'offDuty' }],
    ['onBreak', { duty: 'onBreak' }],
    ['queueFull', { queueLength: 20 }],
  ] as const)('the refused ones too: %s', (code, more) => {
    const ranked = rank(facts('refused', { ...arriving(1), ...more }), facts('free'));
    expect(ranked.map((one) => one.vehicleId)).toEqual(['free', 'refused']);
    expect(ranked[1]).toMatchObject({ refused: { code } });
    expect(ranked[1]!.rank).toBeUndefined();
  });

  it('is one order, whatever the order of the vehicles', () => {
    const vehicle = fc.record({
      id: fc.integer({ min: 1, max: 99 }).map(String),
      more: fc.record({
        trade: fc.constantFrom('lowVoltage', 'cable'),
        duty: fc.constantFrom('standby', 'tasked', 'unreachable', 'onBreak'),
        queueLength: fc.integer({ min: 0, max: 20 }),
        minutes: fc.option(fc.integer({ min: 0, max: 90 }), { nil: undefined }),
      }),
    });
    fc.assert(
      fc.property(fc.uniqueArray(vehicle, { selector: (one) => one.id, maxLength: 12 }), (all) => {
        const made = all.map(({ id, more: { minutes, ...more } }) =>
          facts(id, { ...more, ...(minutes === undefined ? {} : arriving(minutes)) }),
        );
        const ranks = (list: CandidateFacts[]) => new Map(rank(...list).map((one) => [one.vehicleId, one.rank]));
        expect(ranks(made.toReversed())).toEqual(ranks(made));
        const given = [...ranks(made).values()].filter((one) => one !== undefined);
        expect(given).toEqual(given.map((_one, i) => i + 1));
      }),
    );
  });
});
