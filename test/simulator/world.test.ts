import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { City, cityGeoJson, diligent, Random, type Habits } from '../../simulator/index.js';
import { Crew, type CrewOrder, type Step } from '../../simulator/crew.js';
import { distanceM } from '../../simulator/geo.js';
import { Truck } from '../../simulator/truck.js';

const start = Date.UTC(2026, 2, 14, 8);

describe('randomness', () => {
  it('is decided by seed and stream name alone', () => {
    const draws = (seed: string): number[] => {
      const random = new Random(seed);
      random.next();
      return Array.from({ length: 5 }, () => random.stream('a').next()).concat(random.stream('b').next());
    };
    expect(draws('x')).toEqual(draws('x'));
    expect(draws('x')).not.toEqual(draws('y'));
    expect(new Set(draws('x')).size).toBe(2);
  });

  it('keeps its ranges', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: -50, max: 50 }),
        fc.integer({ min: 0, max: 50 }),
        (seed, from, size) => {
          const value = new Random(seed).int(from, from + size);
          return Number.isInteger(value) && value >= from && value <= from + size;
        },
      ),
    );
  });

  it('is roughly normal and exponential', () => {
    const random = new Random(1);
    const normal = Array.from({ length: 20_000 }, () => random.normal(10, 2));
    const mean = normal.reduce((a, b) => a + b) / normal.length;
    const deviation = Math.sqrt(normal.reduce((a, b) => a + (b - mean) ** 2, 0) / normal.length);
    expect(Math.abs(mean - 10)).toBeLessThan(0.1);
    expect(Math.abs(deviation - 2)).toBeLessThan(0.1);
    const waits = Array.from({ length: 20_000 }, () => random.exponential(5));
    expect(Math.abs(waits.reduce((a, b) => a + b) / waits.length - 5)).toBeLessThan(0.2);
  });
});

describe('a city', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(cityGeoJson(3)).toEqual(cityGeoJson(3));
    expect(cityGeoJson(3)).not.toEqual(cityGeoJson(4));
  });

  it('names every street once', () => {
    const names = new City({ seed: 5 }).streets.map((street) => street.name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('finds its own addresses again', () => {
    const city = new City({ seed: 9 });
    const random = new Random(9);
    for (let i = 0; i < 200; i++) {
      const address = city.randomAddress(random);
      const place = city.locate(`20260314-0001 ${address.text} 停电 13900000000`);
      expect(place).toBeDefined();
      expect(distanceM(city.projection.toPoint(place!), address.point)).toBeLessThan(10);
    }
    expect(city.locate('no street of this city 12')).toBeUndefined();
  });

  it('has a way from everywhere to everywhere, without gaps, along its streets', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const city = new City({ seed, streets: 9 });
        const random = new Random(seed);
        const from = city.randomAddress(random).point;
        const to = city.randomAddress(random).point;
        const parts = city.route(from, to);
        let at = from;
        for (const part of parts) {
          if (distanceM(at, part.from) > 1) return false;
          // Streets run straight north–south or east–west.
          if (Math.abs(part.from.x - part.to.x) > 1 && Math.abs(part.from.y - part.to.y) > 1) return false;
          at = part.to;
        }
        return distanceM(at, to) < 1;
      }),
      { numRuns: 60 },
    );
  });
});

describe('a truck', () => {
  it('arrives, never faster than the streets allow, and its odometer counts the way', () => {
    const city = new City({ seed: 2 });
    const random = new Random(2);
    const from = city.randomAddress(random);
    const to = city.randomAddress(random);
    const truck = new Truck({ city, random: random.stream('t'), start: from.point, now: start });
    const wayKm = city.route(from.point, to.point).reduce((sum, part) => sum + part.lengthM, 0) / 1000;
    const odometer = truck.odometerKm;
    truck.goTo(to.place);
    let now = start;
    let fastest = 0;
    let before = truck.position;
    while (truck.driving && now < start + 3_600_000) {
      truck.advance((now += 1000));
      fastest = Math.max(fastest, distanceM(before, truck.position) * 3.6);
      before = truck.position;
    }
    expect(distanceM(truck.position, to.point)).toBeLessThan(1);
    expect(fastest).toBeLessThan(61);
    expect(truck.odometerKm - odometer).toBeGreaterThan(wayKm * 0.9);
    expect(truck.odometerKm - odometer).toBeLessThan(wayKm * 1.15 + 0.1);
    expect(truck.speedKmh).toBe(0);
  });

  it('moves the same however often it is looked at', () => {
    const city = new City({ seed: 2 });
    const drive = (stepMs: number): unknown => {
      const random = new Random('drive');
      const truck = new Truck({ city, random, now: start });
      truck.goTo(city.randomAddress(new Random('to')).place);
      for (let now = start; now <= start + 300_000; now += stepMs) truck.advance(now);
      truck.advance(start + 300_000);
      return [truck.position, truck.speedKmh, truck.odometerKm];
    };
    expect(drive(250)).toEqual(drive(7000));
  });

  it('errs by some metres, not by streets', () => {
    const city = new City({ seed: 2 });
    const truck = new Truck({ city, random: new Random(4), now: start, gpsErrorM: 4 });
    const errors = Array.from({ length: 500 }, (_, i) => {
      const { lat, lon } = truck.read(start + i * 1000);
      return distanceM(city.projection.toPoint({ lat, lon }), truck.position);
    });
    expect(Math.max(...errors)).toBeLessThan(30);
    expect(errors.reduce((a, b) => a + b) / errors.length).toBeGreaterThan(1);
  });
});

describe('a crew', () => {
  const city = new City({ seed: 2 });
  const random = new Random('crew');

  function work(habits: Habits, count: number, hours = 12): { step: Step; number: string; at: number }[] {
    const truck = new Truck({ city, random: random.stream('truck'), now: start });
    const orders: CrewOrder[] = Array.from({ length: count }, (_, i) => {
      const { place } = city.randomAddress(random.stream(`address-${i}`));
      return { key: `k${i}`, number: `n${i}`, place };
    });
    let shown = orders;
    const pressed: { step: Step; number: string; at: number }[] = [];
    const acts = {
      press: (step: Step, order: CrewOrder, at: number): void => {
        pressed.push({ step, number: order.number, at });
        if (step === 'done' || step === 'refuse') shown = shown.filter((one) => one.key !== order.key);
      },
      duty: (): void => undefined,
    };
    const crew = new Crew(habits, random.stream('habits'), truck, acts, start);
    for (let now = start; now < start + hours * 3_600_000 && shown.length > 0; now += 1000) {
      truck.advance(now);
      crew.look(shown, now);
    }
    return pressed;
  }

  it('does the orders one after the other, in the order of the screen, every key once', () => {
    const pressed = work(diligent, 3);
    for (const n of ['n0', 'n1', 'n2']) {
      expect(pressed.filter((one) => one.number === n).map((one) => one.step)).toEqual([
        'accept',
        'depart',
        'arrive',
        'done',
      ]);
    }
    expect(pressed.filter((one) => one.step === 'done').map((one) => one.number)).toEqual(['n0', 'n1', 'n2']);
  });

  it('refuses, forgets and presses twice as its habits say', () => {
    expect(work({ ...diligent, refuseChance: 1 }, 2).map((one) => one.step)).toEqual(['refuse', 'refuse']);
    expect(work({ ...diligent, forgetChance: 1 }, 1).map((one) => one.step)).toEqual(['accept', 'done']);
    const twice = work({ ...diligent, doublePressChance: 1 }, 1).map((one) => one.step);
    expect(twice.filter((step) => step === 'accept')).toHaveLength(2);
  });

  it('works as long as it does, then takes its time to the key, and may be late with it', () => {
    const timed = (habits: Partial<Habits>): number => {
      const pressed = work({ ...diligent, workMin: [2, 2], ...habits }, 1);
      const at = (step: Step): number => pressed.find((one) => one.step === step)!.at;
      return (at('done') - at('arrive')) / 1000;
    };
    expect(timed({ doneS: [30, 30] })).toBe(150);
    expect(timed({ doneS: [30, 30], lateChance: 1, lateS: [200, 200] })).toBeGreaterThanOrEqual(150);
    expect(timed({ doneS: [0, 0] })).toBe(120);
  });

  it('turns round when the order is taken off its screen', () => {
    const truck = new Truck({ city, random: random.stream('t2'), now: start });
    const pressed: Step[] = [];
    const acts = { press: (step: Step): void => void pressed.push(step), duty: (): void => undefined };
    const crew = new Crew(diligent, random.stream('h2'), truck, acts, start);
    const order = { key: 'k', number: 'n', place: city.randomAddress(random).place };
    let now = start;
    while (!truck.driving && now < start + 600_000) {
      truck.advance((now += 1000));
      crew.look([order], now);
    }
    expect(pressed).toEqual(['accept', 'depart']);
    crew.look([], now + 1000);
    expect(truck.driving).toBe(false);
    expect(crew.idle).toBe(true);
  });
});
