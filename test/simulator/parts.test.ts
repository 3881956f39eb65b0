import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Histogram } from '../../simulator/histogram.js';
import { radioByName, Random } from '../../simulator/index.js';
import { Radio } from '../../simulator/radio.js';
import { makeRoster } from '../../simulator/roster.js';
import { City } from '../../simulator/city.js';
import { parseScenario, ScenarioError } from '../../simulator/scenario.js';

describe('the histogram', () => {
  it('gives quantiles within 1.1 % of the sorted values', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.002, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 300 }),
        (values) => {
          const histogram = new Histogram();
          for (const value of values) histogram.record(value);
          const sorted = [...values].sort((a, b) => a - b);
          for (const part of [0.5, 0.9, 0.99, 1]) {
            const exact = sorted[Math.max(1, Math.ceil(part * sorted.length)) - 1]!;
            const got = histogram.quantile(part);
            if (got < exact * 0.989 || got > exact * 1.0111) return false;
          }
          return histogram.max === sorted.at(-1);
        },
      ),
    );
  });

  it('adds up, also after a way through JSON', () => {
    const one = new Histogram();
    const other = new Histogram();
    const both = new Histogram();
    for (let i = 1; i <= 100; i++) {
      (i % 2 === 0 ? one : other).record(i);
      both.record(i);
    }
    one.add(Histogram.fromJSON(JSON.parse(JSON.stringify(other))));
    expect(one.summary()).toEqual(both.summary());
    expect(new Histogram().summary()).toMatchObject({ count: 0, p50: 0, max: 0 });
  });
});

describe('the radio', () => {
  it('delivers everything at once when it is perfect', () => {
    const radio = new Radio(radioByName.perfect, new Random(1), 0);
    const bytes = new Uint8Array([1]);
    expect(radio.up(bytes, 5)).toEqual([{ at: 5, bytes }]);
    expect(radio.down(bytes, 6)).toEqual({ at: 6, bytes });
    expect(radio.nextAt()).toBe(Infinity);
  });

  it('never lets one piece of a stream overtake another, however late it is', () => {
    const radio = new Radio({ ...radioByName.awful, disorderChance: 0, duplicateChance: 0 }, new Random(1), 0);
    let lastUp = 0;
    let lastDown = 0;
    for (let now = 0; now < 60_000; now += 100) {
      const up = radio.up(new Uint8Array(20), now);
      if (up === 'dead') throw new Error('not idle');
      expect(up[0]!.at).toBeGreaterThanOrEqual(Math.max(now, lastUp));
      if (up[0]!.then === undefined) lastUp = up[0]!.at;
      const { at } = radio.down(new Uint8Array(20), now);
      expect(at).toBeGreaterThanOrEqual(Math.max(now, lastDown));
      lastDown = at;
    }
  });

  it('forgets an idle connection as a NAT does', () => {
    const radio = new Radio({ ...radioByName.perfect, natTimeoutMs: 1000 }, new Random(1), 0);
    radio.connected(0);
    expect(radio.up(new Uint8Array(1), 900)).not.toBe('dead');
    expect(radio.up(new Uint8Array(1), 2000)).toBe('dead');
  });

  it('cuts inside the frame, never behind it', () => {
    const radio = new Radio({ ...radioByName.perfect, cutChance: 1 }, new Random(1), 0);
    for (let i = 0; i < 50; i++) {
      const fate = radio.up(new Uint8Array(10), i);
      expect(fate).toMatchObject([{ then: 'cut' }]);
      expect((fate as { bytes: Uint8Array }[])[0]!.bytes.length).toBeLessThan(10);
    }
  });

  it('has holes of the wanted length', () => {
    const radio = new Radio({ ...radioByName.perfect, outagesPerHour: 60, outageS: [10, 10] }, new Random(1), 0);
    const at = radio.nextAt();
    expect(radio.tick(at - 1)).toBe(false);
    expect(radio.tick(at)).toBe(true);
    expect(radio.available(at + 9_000)).toBe(false);
    radio.tick(at + 10_000);
    expect(radio.available(at + 10_000)).toBe(true);
  });
});

describe('a roster', () => {
  const make = (seed: number, profile: 'mixed' | 'menu' = 'mixed'): ReturnType<typeof makeRoster> =>
    makeRoster({
      seed,
      count: 50,
      profile,
      edition: 'mixed',
      trades: ['a', 'b'],
      mqtt: false,
      city: new City({ seed }),
    });

  it('is the same for the same seed; phones are phones and differ', () => {
    expect(make(1)).toEqual(make(1));
    const phones = make(1).map((entry) => entry.phone);
    expect(new Set(phones).size).toBe(50);
    for (const phone of phones) expect(phone).toMatch(/^13\d{9}$/);
    expect(phones).not.toContain(make(2)[0]!.phone);
  });

  it('gives each profile only editions that have what it needs', () => {
    for (const entry of make(1)) {
      if (entry.profile === 'menu') expect([2011, 2013]).toContain(entry.edition);
      expect(entry.profile).not.toBe('mqtt');
    }
  });
});

describe('scenario files', () => {
  const folder = new URL('../../simulator/scenarios/', import.meta.url);

  it.each(readdirSync(folder))('%s is one', (file) => {
    const scenario = parseScenario(parse(readFileSync(new URL(file, folder), 'utf8')), file);
    expect(`${scenario.name}.yaml`).toBe(file);
  });

  it('says every mistake with its place', () => {
    const wrong = {
      name: 'x',
      vehicles: 0,
      radio: { like: 'none' },
      calls: [{ perHour: 5, urgentPart: 2 }],
      colour: 1,
    };
    let message = '';
    try {
      parseScenario(wrong, 'x.yaml');
    } catch (error) {
      expect(error).toBeInstanceOf(ScenarioError);
      message = (error as Error).message;
    }
    expect(message).toContain('x.yaml');
    for (const place of ['vehicles', 'radio', 'calls.0.urgentPart', 'colour']) expect(message).toContain(place);
  });
});
