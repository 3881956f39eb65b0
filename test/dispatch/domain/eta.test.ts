import { describe, expect, it } from 'vitest';
import { forecast, type EtaQuestion } from '../../../dispatch/domain/eta.js';
import { distanceM } from '../../../dispatch/domain/geo.js';
import { DEFAULT_SETTINGS } from '../../../dispatch/domain/settings.js';
import { MINUTE, NINE } from '../../support/dispatch.js';

/** A degree of latitude is 111.195 km on the sphere that the rules use. */
const north = (km: number) => ({ lat: 39 + km / 111.195, lon: 116 });
const settings = { eta: { detourFactor: 1.5, defaultSpeedKmh: 30, workMin: 40 } };
const question = (more: Partial<EtaQuestion> = {}): EtaQuestion => ({
  now: NINE,
  from: north(0),
  before: [],
  to: north(10),
  ...more,
});
const minutes = (eta: { at: number }): number => Math.round(((eta.at - NINE) / MINUTE) * 10) / 10;

describe('ETA', () => {
  it('distance × detour factor ÷ speed', () => {
    // 10 km × 1.5 at 30 km/h.
    const eta = forecast(question(), settings);
    expect(minutes(eta)).toBe(30);
    expect(eta).toMatchObject({ basis: 'estimate', distanceM: 15_000 });
  });

  it('takes the recent speed, within what a road allows', () => {
    expect(minutes(forecast(question({ recentSpeedKmh: 60 }), settings))).toBe(15);
    expect(minutes(forecast(question({ recentSpeedKmh: 3 }), settings))).toBe(75);
    expect(minutes(forecast(question({ recentSpeedKmh: 200 }), settings))).toBe(10);
  });

  it('plus the queue before it: the way there, and the work', () => {
    // 5 km north, work, 15 km back south past the start: (5 + 15) km × 1.5 at 30 km/h = 60 min, and 40 or 7 min of work.
    const way = { to: north(-10) };
    expect(minutes(forecast(question({ ...way, before: [{ site: north(5) }] }), settings))).toBe(100);
    expect(minutes(forecast(question({ ...way, before: [{ site: north(5), workMin: 7 }] }), settings))).toBe(67);
  });

  it('takes a routing server’s seconds where it gives them for every stretch, else says that it is an estimate', () => {
    const before = [{ site: north(5), workMin: 10 }];
    const route = forecast(question({ before }), settings, () => 600);
    expect(minutes(route)).toBe(30);
    expect(route.basis).toBe('route');
    const partly = forecast(question({ before }), settings, (from) => (from.lat === north(0).lat ? 600 : undefined));
    // 10 min by the server, 10 min of work, 5 km × 1.5 at 30 km/h.
    expect(minutes(partly)).toBe(35);
    expect(partly.basis).toBe('estimate');
  });

  it('the defaults: 1.4 × 35 km/h', () => {
    expect(minutes(forecast(question({ to: north(35) }), DEFAULT_SETTINGS))).toBe(84);
    expect(Math.round(distanceM(north(0), north(35)))).toBe(35_000);
  });
});
