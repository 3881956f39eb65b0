import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readPcap } from '../../simulator/capture/pcap.js';
import { formatHeader, formatPiece, parseRecording, RecordingError } from '../../simulator/capture/recording.js';
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

describe('recordings', () => {
  it('come back as they were written', () => {
    const piece = fc.record({
      ms: fc.nat(),
      connection: fc.integer({ min: 1, max: 99 }),
      kind: fc.constantFrom('up' as const, 'down' as const),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 50 }),
    });
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = [formatHeader(0), ...pieces.map(formatPiece)].join('\n');
        expect(parseRecording(text)).toEqual(pieces.map((one) => ({ ...one, bytes: new Uint8Array(one.bytes) })));
      }),
    );
  });

  it('may be bare hex lines, and name the line of a mistake', () => {
    expect(parseRecording('7e00017e\n\n# note\n7e 02 7e')).toMatchObject([
      { ms: undefined, kind: 'up', bytes: new Uint8Array([0x7e, 0, 1, 0x7e]) },
      { ms: undefined, kind: 'up', bytes: new Uint8Array([0x7e, 2, 0x7e]) },
    ]);
    expect(() => parseRecording('7e7e\nhello')).toThrow(/line 2.*hello/);
    expect(() => parseRecording('12 1 up 7')).toThrow(RecordingError);
  });
});

describe('pcap files', () => {
  const ip = { terminal: [10, 0, 0, 9], platform: [10, 0, 0, 1] } as const;

  /** One TCP segment over IPv4 over Ethernet as a pcap record. */
  function record(
    up: boolean,
    sequence: number,
    flags: number,
    payload: number[],
    seconds: number,
    little = true,
  ): number[] {
    const from = up ? ip.terminal : ip.platform;
    const to = up ? ip.platform : ip.terminal;
    const u16 = (value: number): number[] => [(value >> 8) & 255, value & 255];
    const u32 = (value: number): number[] => [...u16(value >>> 16), ...u16(value & 0xffff)];
    const ports = up ? [...u16(50_000), ...u16(7808)] : [...u16(7808), ...u16(50_000)];
    const tcp = [...ports, ...u32(sequence), ...u32(0), 0x50, flags, ...u16(1000), 0, 0, 0, 0, ...payload];
    const header = [0x45, 0, ...u16(20 + tcp.length), 0, 0, 0, 0, 64, 6, 0, 0, ...from, ...to];
    const packet = [...new Array<number>(12).fill(0), 0x08, 0x00, ...header, ...tcp];
    const word = (value: number): number[] => (little ? u32(value).reverse() : u32(value));
    return [...word(seconds), ...word(500_000), ...word(packet.length), ...word(packet.length), ...packet];
  }

  function file(records: number[][], little = true): Uint8Array {
    const magic = little ? [0xd4, 0xc3, 0xb2, 0xa1] : [0xa1, 0xb2, 0xc3, 0xd4];
    const link = little ? [1, 0, 0, 0] : [0, 0, 0, 1];
    return new Uint8Array([...magic, ...new Array<number>(16).fill(0), ...link, ...records.flat()]);
  }

  it.each([true, false])('give both directions in order, each byte once (little-endian: %s)', (little) => {
    const one = (...args: [boolean, number, number, number[], number]): number[] => record(...args, little);
    const bytes = file(
      [
        one(true, 99, 0x02, [], 100),
        one(false, 499, 0x12, [], 100),
        one(true, 103, 0x18, [4, 5], 101),
        one(true, 100, 0x18, [1, 2, 3], 102),
        one(true, 100, 0x18, [1, 2, 3], 103),
        one(true, 104, 0x18, [5, 6], 103),
        one(false, 500, 0x18, [9], 104),
        one(true, 106, 0x11, [], 105),
      ],
      little,
    );
    const pieces = readPcap(bytes, 7808);
    const stream = (kind: string): number[] =>
      pieces.filter((one) => one.kind === kind).flatMap((one) => [...one.bytes]);
    expect(stream('up')).toEqual([1, 2, 3, 4, 5, 6]);
    expect(stream('down')).toEqual([9]);
    expect(pieces.map((one) => one.kind)).toEqual(['open', 'up', 'up', 'up', 'down', 'close']);
    expect(pieces[0]!.ms).toBe(0);
    expect(pieces.at(-1)!.ms).toBe(5000);
  });

  /** One TCP segment over IPv6 behind two VLAN tags, with nanoseconds. */
  function tagged(up: boolean, sequence: number, flags: number, payload: number[], nanoseconds: number): number[] {
    const address = (last: number): number[] => [0x20, 0x01, 0x0d, 0xb8, ...new Array<number>(11).fill(0), last];
    const u16 = (value: number): number[] => [(value >> 8) & 255, value & 255];
    const u32 = (value: number): number[] => [...u16(value >>> 16), ...u16(value & 0xffff)];
    const ports = up ? [...u16(50_000), ...u16(7808)] : [...u16(7808), ...u16(50_000)];
    const tcp = [...ports, ...u32(sequence), ...u32(0), 0x50, flags, ...u16(1000), 0, 0, 0, 0, ...payload];
    const ends = up ? [...address(9), ...address(1)] : [...address(1), ...address(9)];
    const header = [0x60, 0, 0, 0, ...u16(tcp.length), 6, 64, ...ends];
    const tags = [0x88, 0xa8, 0, 5, 0x81, 0x00, 0, 7, 0x86, 0xdd];
    const packet = [...new Array<number>(12).fill(0), ...tags, ...header, ...tcp];
    const word = (value: number): number[] => u32(value).reverse();
    return [...word(100), ...word(nanoseconds), ...word(packet.length), ...word(packet.length), ...packet];
  }

  it('are read behind VLAN tags, over IPv6, with nanoseconds', () => {
    const head = [0x4d, 0x3c, 0xb2, 0xa1, ...new Array<number>(16).fill(0), 1, 0, 0, 0];
    const records = [
      tagged(true, 10, 0x02, [], 0),
      tagged(true, 11, 0x18, [1, 2], 1_000_000),
      tagged(false, 70, 0x18, [3], 2_500_000),
    ];
    expect(readPcap(new Uint8Array([...head, ...records.flat()]))).toMatchObject([
      { ms: 0, kind: 'open' },
      { ms: 1, kind: 'up', bytes: new Uint8Array([1, 2]) },
      { ms: 2.5, kind: 'down', bytes: new Uint8Array([3]) },
    ]);
  });

  it('give every byte once and in order, however segments were cut, doubled and mixed', () => {
    const segments = fc
      .record({
        bytes: fc.array(fc.nat(255), { minLength: 1, maxLength: 60 }),
        cuts: fc.array(fc.tuple(fc.nat(59), fc.integer({ min: 1, max: 20 })), { maxLength: 30 }),
        // Sequence numbers wrap.
        first: fc.constantFrom(0, 1_000, 0xffff_ffe0),
      })
      .chain(({ bytes, cuts, first }) => {
        const whole = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, i): [number, number] => [i * 7, 7]);
        const all = [...whole, ...cuts.filter(([at]) => at < bytes.length)];
        return fc.record({
          bytes: fc.constant(bytes),
          first: fc.constant(first),
          order: fc.shuffledSubarray(all, { minLength: all.length }),
        });
      });
    fc.assert(
      fc.property(segments, ({ bytes, first, order }) => {
        const data = order.map(([at, length]) =>
          record(true, (first + 1 + at) >>> 0, 0x18, bytes.slice(at, at + length), 101),
        );
        const pieces = readPcap(file([record(true, first, 0x02, [], 100), ...data]), 7808);
        expect(pieces.flatMap((one) => [...one.bytes])).toEqual(bytes);
      }),
    );
  });

  it('of another link type say which', () => {
    const bytes = file([record(true, 1, 0x18, [1], 100)]);
    bytes[20] = 105;
    expect(() => readPcap(bytes)).toThrow(/link type 105 is not supported; expected Ethernet/);
  });

  it('are refused by what they start with', () => {
    expect(() => readPcap(new Uint8Array(40))).toThrow(/no pcap file/);
    expect(() => readPcap(new Uint8Array([0x0a, 0x0d, 0x0d, 0x0a, ...new Array<number>(30).fill(0)]))).toThrow(
      /pcapng/,
    );
  });
});
