import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeBody,
  encodeExtra,
  extrasOf,
  fromHex,
  Location,
  readBatch,
  readExtra,
  readLocation,
  timeToMs,
  toHex,
  type Body,
} from '../../protocol/index.js';
import { describeLocation } from '../../protocol/jt808/describe-location.js';
import { bytesOf } from './arbitraries.js';

const base = '00000000000c000301c87e7d073d9a100026020b0057260314093045';
const sample = fromHex(`${base}01040001e24002020181120601000012ab0025040000001430011831010b`);

/** What the fast path must say, computed from the declared message. */
function fromTable(body: Body<'location'>, start: number) {
  const sign = (bit: number): number => ((body.status >>> bit) & 1 ? -1 : 1);
  const itemBytes = body.extras.reduce((sum, { value }) => sum + 2 + value.length, 0);
  const odometers = body.extras.filter(({ id, value }) => id === 1 && value.length === 4);
  return {
    alarm: body.alarm,
    status: body.status,
    latE6: sign(2) * body.latitudeE6 + 0,
    lonE6: sign(3) * body.longitudeE6 + 0,
    altitudeRawM: body.altitudeM,
    altitudeM: (body.altitudeM << 16) >> 16,
    speedDeciKmh: body.speedDeciKmh,
    headingDeg: body.headingDeg,
    deviceAt: timeToMs(body.time),
    mileageDeciKm: odometers.length === 0 ? -1 : parseInt(toHex(odometers.at(-1)!.value), 16),
    crossingStart: crossingStart(body, start + 28),
    extrasStart: start + 28,
    extrasEnd: start + 28 + itemBytes,
  };
}

/** Where the value of the last item 0x12 of six bytes lies. */
function crossingStart(body: Body<'location'>, extrasStart: number): number {
  let at = extrasStart;
  let found = -1;
  for (const { id, value } of body.extras) {
    if (id === 0x12 && value.length === 6) found = at + 2;
    at += 2 + value.length;
  }
  return found;
}

describe('the fast path for locations', () => {
  it('agrees with the declared message on mutated reports', () => {
    const changes = fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 6 });
    const location = new Location();
    fc.assert(
      fc.property(changes, fc.nat(60), bytesOf(0, 12), bytesOf(0, 4), (edits, cut, tail, before) => {
        const body = new Uint8Array([...sample, ...tail]);
        for (const [at, value] of edits) body[at % body.length] = value;
        const cutBody = body.subarray(0, body.length - (cut % body.length));
        const bytes = new Uint8Array([...before, ...cutBody, 0x01, 0x04, 1, 2, 3, 4]);
        const end = before.length + cutBody.length;
        const read = readLocation(bytes, before.length, end, location);
        if (cutBody.length < 28) {
          expect(read).toBe(false);
          expect(() => decodeBody(0x0200, 2013, cutBody)).toThrow(/truncated/);
          return;
        }
        expect(read).toBe(true);
        const declared = decodeBody(0x0200, 2013, cutBody)!.body as Body<'location'>;
        const { times: _cache, ...numbers } = location;
        const expected = fromTable(declared, before.length);
        expect({ ...numbers, latE6: numbers.latE6 + 0, lonE6: numbers.lonE6 + 0 }).toEqual(expected);
        expect([...extrasOf(bytes, location.extrasStart, location.extrasEnd)].map(({ id }) => id)).toEqual(
          declared.extras.map(({ id }) => id),
        );
        expect(toHex(bytes, location.extrasEnd, end)).toBe(toHex(declared.trailing));
      }),
      { numRuns: 2000 },
    );
  });

  it('reads negative coordinates, altitudes and times of GMT+8', () => {
    const location = new Location();
    const body = fromHex('00000100000c000c01c87e7d073d9a10fff1000000b4260101073000');
    expect(readLocation(body, 0, body.length, location)).toBe(true);
    expect([location.latE6, location.lonE6, location.altitudeM, location.altitudeRawM]).toEqual([
      -29916797, -121477648, -15, 65521,
    ]);
    expect(new Date(location.deviceAt).toISOString()).toBe('2025-12-31T23:30:00.000Z');
    expect(location.mileageDeciKm).toBe(-1);
  });

  it.each([
    ['all zero', '000000000000'],
    ['month 0', '260014093045'],
    ['month 13', '261314093045'],
    ['day 0', '260300093045'],
    ['30 February', '260230093045'],
    ['29 February of no leap year', '250229093045'],
    ['hour 24', '260314240000'],
    ['minute 60', '260314096000'],
    ['a nibble that is no digit', '26031409304a'],
    ['a hexadecimal month', '260a14093045'],
  ])('a time with %s is unknown', (_name, digits) => {
    const body = fromHex(base.slice(0, -12) + digits);
    const location = new Location();
    readLocation(body, 0, body.length, location);
    expect(location.deviceAt).toBeNaN();
    expect(timeToMs(digits)).toBeNaN();
  });

  it('29 February of a leap year is a time', () => {
    const body = fromHex(`${base.slice(0, -12)}280229000000`);
    const location = new Location();
    readLocation(body, 0, body.length, location);
    expect(new Date(location.deviceAt).toISOString()).toBe('2028-02-28T16:00:00.000Z');
  });
});

describe('a batch', () => {
  const item = (hex: string): string => (hex.length / 2).toString(16).padStart(4, '0') + hex;
  const walk = (hex: string): number[] => {
    const bytes = fromHex(hex);
    const speeds: number[] = [];
    readBatch(bytes, 0, bytes.length, new Location(), ({ speedDeciKmh }) => speeds.push(speedDeciKmh));
    return speeds;
  };

  it('gives a thousand points in order', () => {
    const points = Array.from({ length: 1000 }, (_, i) =>
      item(base.slice(0, 36) + i.toString(16).padStart(4, '0') + base.slice(40)),
    );
    expect(walk(`03e800${points.join('')}`)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  });

  it('gives what is whole when the count is wrong or the last item is cut', () => {
    expect(walk(`000901${item(base)}${item(base)}`)).toEqual([523, 523]);
    expect(walk(`000201${item(base)}${item(base).slice(0, -2)}`)).toEqual([523]);
    expect(walk('000201')).toEqual([]);
    expect(walk('00')).toEqual([]);
  });

  it('steps over an item that is too short for a location', () => {
    expect(walk(`000301${item(base)}${item('0102')}${item(base)}`)).toEqual([523, 523]);
  });
});

describe('additional items', () => {
  const read = (hex: string, edition: 2013 | 2019 = 2019): unknown => {
    const bytes = fromHex(hex);
    return readExtra(bytes[0]!, bytes, 2, bytes.length, edition)?.value;
  };

  it.each([
    ['odometer', '01040001e240', 12345.6],
    ['fuel', '02020181', 38.5],
    ['tachograph speed', '030201f4', 50],
    ['alarm event', '04020007', 7],
    ['cargo temperature, positive', '06020019', 25],
    ['cargo temperature, sign and magnitude', '06028019', -25],
    ['cargo temperature, two-complement', '0602ffe7', -25],
    ['overspeed without area', '110100', { type: 0 }],
    ['overspeed with area', '11050100000009', { type: 1, id: 9 }],
    ['crossing', '1206020000000501', { type: 2, id: 5, direction: 1 }],
    ['segment time', '130700000003003c00', { segmentId: 3, timeS: 60, result: 0 }],
    ['signals', '250400000014', 0x14],
    ['I/O', '2a020001', 1],
    // The first word is AD1.
    ['analogue inputs', '2b0400020001', { ad1: 2, ad0: 1 }],
    ['radio signal', '300118', 24],
    ['satellites', '31010b', 11],
  ])('%s', (_name, hex, value) => expect(read(hex)).toEqual(value));

  it.each([
    ['an id that is not declared', 'e10100'],
    ['a value that is too short', '01020001'],
    ['a value that is too long', '30020018'],
  ])('%s stays bytes', (_name, hex) => expect(read(hex)).toBeUndefined());

  it('are encoded as they are read', () => {
    expect(toHex(encodeExtra(0x01, 12345.6).value)).toBe('0001e240');
    expect(toHex(encodeExtra(0x12, { type: 2, id: 5, direction: 1 }).value)).toBe('020000000501');
    expect(toHex(encodeExtra(0x06, -25).value)).toBe('ffe7');
    expect(() => encodeExtra(0xee, 1)).toThrow(RangeError);
  });

  it('a repeated id is kept twice, a broken tail as it is', () => {
    const body = fromHex(`${base}30011830011904`);
    expect(describeLocation(body, 0, body.length, 2013)).toMatchObject({
      extras: { '30': ['18', '19'] },
      trailing: '04',
    });
  });
});
