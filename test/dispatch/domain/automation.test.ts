import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { LegWatch, type Finding, type Fix, type Watch } from '../../../dispatch/domain/automation.js';
import { DEFAULT_SETTINGS } from '../../../dispatch/domain/settings.js';

const T0 = Date.UTC(2026, 10, 21, 0, 0, 0);
const S = 1000;
const SITE = { lat: 39.9, lon: 116.4 };
/** Metres north of the site. */
const north = (metres: number): { lat: number; lon: number } => ({ lat: SITE.lat + metres / 111_195, lon: SITE.lon });
const fix = (atS: number, metres: number, speedKmh: number, ignition = true): Fix => ({
  at: T0 + atS * S,
  ...north(metres),
  speedKmh,
  ignition,
});

const watchOf = (over: Partial<Watch> = {}): Watch => ({
  orderId: 'o1',
  leg: 1,
  site: SITE,
  arrivalMode: 'timed',
  since: T0,
  acceptedAt: T0,
  others: [],
  ...over,
});
const find = (fixes: Fix[], over: Partial<Watch> = {}, before?: Fix): Finding[] => {
  const watch = new LegWatch(watchOf(over), DEFAULT_SETTINGS, before);
  return fixes.flatMap((one) => watch.step(one));
};

describe('departed', () => {
  it('is the first instant of the run that leads over 150 m away, not the instant when that is sure', () => {
    const found = find([fix(0, 5000, 0), fix(60, 5000, 0), fix(70, 4980, 12), fix(80, 4920, 30), fix(90, 4840, 35)]);
    expect(found).toEqual([{ type: 'departed', at: T0 + 70 * S, alreadyMoving: false }]);
  });

  it('does not follow from moving about in the yard', () => {
    expect(find([fix(0, 5000, 0), fix(10, 4960, 10), fix(20, 4990, 8), fix(30, 5000, 0), fix(40, 5000, 0)])).toEqual(
      [],
    );
  });

  it('starts with a later run when the first led back', () => {
    const found = find([fix(0, 5000, 0), fix(10, 4960, 10), fix(30, 5000, 0), fix(100, 4950, 20), fix(110, 4800, 30)]);
    expect(found).toEqual([{ type: 'departed', at: T0 + 100 * S, alreadyMoving: false }]);
  });

  it('is the acceptance, flagged, when the vehicle was already moving', () => {
    const found = find([fix(5, 4900, 40), fix(15, 4700, 40)], { acceptedAt: T0 + 1 }, fix(-10, 5000, 40));
    expect(found).toEqual([{ type: 'departed', at: T0 + 1, alreadyMoving: true }]);
  });

  it('needs the ignition on where the terminal reports it', () => {
    expect(find([fix(0, 5000, 0, true), fix(10, 4900, 20, false), fix(20, 4700, 20, false)])).toEqual([]);
    expect(find([fix(0, 5000, 0, false), fix(10, 4900, 20, false), fix(20, 4700, 20, false)])).toHaveLength(1);
  });
});

describe('arrived', () => {
  it('is the first instant of standing, once it has lasted 30 s', () => {
    const found = find([
      fix(0, 400, 30),
      fix(10, 90, 20),
      fix(20, 50, 4),
      fix(35, 48, 0),
      fix(50, 48, 0),
      fix(65, 48, 0),
    ]);
    expect(found.filter((one) => one.type === 'arrived')).toEqual([{ type: 'arrived', at: T0 + 20 * S }]);
  });

  it('does not follow from passing by, nor from a stop shorter than 30 s', () => {
    expect(find([fix(0, 50, 30), fix(10, 0, 30), fix(20, 60, 30)])).toEqual([]);
    expect(find([fix(0, 50, 0), fix(20, 50, 0), fix(25, 50, 20), fix(30, 50, 0), fix(50, 50, 0)])).toEqual([]);
  });

  it('does not count just outside the radius, nor at 5 km/h', () => {
    expect(find([fix(0, 101, 0), fix(60, 101, 0)])).toEqual([]);
    expect(find([fix(0, 50, 5), fix(60, 50, 5)])).toEqual([]);
  });

  it('follows at once at a site that is set to automatic, never at a manual one', () => {
    expect(find([fix(0, 50, 0)], { arrivalMode: 'automatic' })).toEqual([{ type: 'arrived', at: T0 }]);
    expect(find([fix(0, 50, 0), fix(60, 50, 0)], { arrivalMode: 'manual' })).toEqual([]);
  });

  it('says nothing from a gap of hours', () => {
    expect(find([fix(0, 50, 0), fix(7200, 50, 0)])).toEqual([]);
  });
});

describe('standing at the site of another queued leg', () => {
  it('is proposed once and changes nothing', () => {
    const others = [{ orderId: 'o2', leg: 1, site: north(3000) }];
    const found = find([fix(0, 3000, 0), fix(40, 3000, 0), fix(80, 3000, 0)], { others });
    expect(found).toEqual([{ type: 'stoodAtOther', orderId: 'o2', leg: 1, at: T0 }]);
  });
});

it('finds each of departed and arrived at most once, arrived never before the watch began, whatever the track', () => {
  const track = fc.array(
    fc.record({
      gapS: fc.integer({ min: 1, max: 90 }),
      metres: fc.integer({ min: 0, max: 900 }),
      speedKmh: fc.integer({ min: 0, max: 60 }),
    }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(track, (steps) => {
      let at = -60;
      const found = find(steps.map((step) => fix((at += step.gapS), step.metres, step.speedKmh)));
      for (const type of ['departed', 'arrived'])
        expect(found.filter((one) => one.type === type).length).toBeLessThanOrEqual(1);
      for (const one of found) expect(one.at).toBeGreaterThanOrEqual(T0);
    }),
  );
});
