import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canSourceOf, timeOfDayToMs } from '../../protocol/index.js';

describe('CAN frames of 0x0705', () => {
  it('name bus, form and id (reference 5.9)', () => {
    expect(canSourceOf(0x58fe_f100)).toEqual({ channel: 1, extended: true, averaged: false, id: 0x18fe_f100 });
    expect(canSourceOf(0x8000_07e8)).toEqual({ channel: 2, extended: false, averaged: false, id: 0x7e8 });
    expect(canSourceOf(0xffff_ffff)).toEqual({ channel: 2, extended: true, averaged: true, id: 0x1fff_ffff });
  });

  it('have a time of day that is of the day nearest to their receipt', () => {
    const midnight = Date.parse('2026-11-22T00:00:00+08:00');
    expect(timeOfDayToMs('2359599990', midnight + 5_000)).toBeNaN();
    expect(timeOfDayToMs('2359590900', midnight + 5_000)).toBe(midnight - 100);
    expect(timeOfDayToMs('0000010000', midnight - 2_000)).toBe(midnight + 1_000);
    for (const wrong of ['2400000000', '0060000000', '0000600000', '00000a0000', '000000', '']) {
      expect(timeOfDayToMs(wrong, midnight)).toBeNaN();
    }
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: -43_199_999, max: 43_199_999 }), (at, agoMs) => {
        const text = new Date(at + 8 * 3_600_000).toISOString();
        const digits = `${text.slice(11, 19).replaceAll(':', '')}0${text.slice(20, 23)}`;
        expect(timeOfDayToMs(digits, at + agoMs)).toBe(at);
      }),
    );
  });
});
