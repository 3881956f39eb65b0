import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  describeStream,
  editions,
  encodeFrame,
  explainFrame,
  fromHex,
  messages,
  phoneToRaw,
  toHex,
} from '../../protocol/index.js';
import { bytesOf } from './arbitraries.js';

const identity = { versionFlag: false, protocolVersion: 0, phoneRaw: phoneToRaw('13900000017', 6) };
const valueOf = (rows: ReturnType<typeof explainFrame>, field: string): string | undefined =>
  rows.find((row) => row.field === field)?.value;

const xorOf = (bytes: Uint8Array): number => bytes.reduce((xor, byte) => xor ^ byte, 0);

describe('an explanation', () => {
  const ids = Object.values(messages).map(({ id }) => id);
  const frames = fc
    .record({ messageId: fc.constantFrom(...ids, 0x0304), body: bytesOf(0, 80), parts: fc.boolean() })
    .map(({ messageId, body, parts }) =>
      encodeFrame({ ...identity, messageId, body, serial: 0x7d7e, ...(parts ? { total: 3, index: 1 } : {}) }),
    );

  it('covers every byte once, whatever the bytes are', () => {
    const streams = fc.array(fc.oneof(frames, bytesOf(0, 20)), { maxLength: 4 });
    fc.assert(
      fc.property(streams, fc.constantFrom(...editions), (parts, edition) => {
        const bytes = new Uint8Array(Buffer.concat(parts));
        const rows = explainFrame(bytes, edition);
        expect(rows.map(({ hex }) => hex).join('')).toBe(toHex(bytes));
        let at = 0;
        for (const { offset, length } of rows) {
          expect(offset).toBe(at);
          expect(length).toBeGreaterThan(0);
          at += length;
        }
      }),
      { numRuns: 800 },
    );
  });

  it('says what a location holds', () => {
    const rows = explainFrame(
      fromHex(
        '7e02000032013900000017007d0100000000000c000301c87d027d01073d9a100026020b0057260314093045' +
          '01040001e2400202018125040000001430011831010b237e',
      ),
    );
    expect(valueOf(rows, 'header.phone')).toBe('13900000017');
    expect(valueOf(rows, 'body.status')).toBe('0x000c0003: accOn, fix, gps, beidou');
    expect(valueOf(rows, 'body.time')).toBe('2026-03-14 09:30:45');
    expect(valueOf(rows, 'body.extras[0].value')).toBe('mileageKm 12345.6');
    expect(rows.find(({ field }) => field === 'body.latitudeE6')).toMatchObject({ offset: 22, hex: '01c87d027d01' });
  });

  const frame = (messageId: number, hex: string) =>
    explainFrame(encodeFrame({ ...identity, messageId, serial: 1, body: fromHex(hex) }));

  it('writes ids as hex, numbers in their unit, and says what is wrong with an item', () => {
    const place = '0000000000000003' + '01e7e63e' + '073d9a10' + '0032' + '025b' + '005a' + '260314093045';
    const rows = frame(0x0200, `${place}0104000012343001`);
    expect(valueOf(rows, 'body.latitudeE6')).toBe('31974974 × 1e-6 degree = 31.974974 degree');
    expect(valueOf(rows, 'body.speedDeciKmh')).toBe('603 × 0.1 km/h = 60.3 km/h');
    expect(valueOf(rows, 'body.altitudeM')).toBe('50 m');
    expect(valueOf(rows, 'body.extras[0].id')).toBe('0x01');
    expect(valueOf(rows, 'body.trailing')).toBe('item 0x30 says 1 bytes, 0 are left: 3001');
    expect(valueOf(frame(0x0200, `${place}ff`), 'body.trailing')).toBe('item 0xff ends before its length');
    expect(valueOf(frame(0x0500, `0001${place}ff64aabb`), 'body.location.trailing')).toBe(
      'item 0xff says 100 bytes, 2 are left: ff64aabb',
    );
    expect(valueOf(frame(0x8001, '0002010204'), 'body.replyId')).toBe('0x0102 = authentication');
    expect(valueOf(frame(0x8001, '000201c804'), 'body.replyId')).toBe('0x01c8');
    expect(valueOf(frame(0x8103, '0100000001040000003c'), 'body.parameters[0].id')).toBe('0x0001');
    const can = frame(0x0705, '0001' + '0930451234' + '58fef100' + '0102030405060708');
    expect(valueOf(can, 'body.items[0].canId')).toBe('0x58fef100 = CAN 1, extended frame, id 0x18fef100');
  });

  it('names results, parameters and what does not fit', () => {
    expect(valueOf(frame(0x8001, '0002010204'), 'body.result')).toBe('4 = alarm handled');
    const parameters = frame(0x8103, '0100000001040000003c');
    expect(valueOf(parameters, 'body.parameters[0].value')).toBe('60 s');
    expect(frame(0x8001, '000201').at(-3)).toMatchObject({ meaning: expect.stringContaining('truncated') as string });
    expect(frame(0x0304, '010203')[5]).toMatchObject({ field: 'body', meaning: 'body of an undeclared message' });
  });

  it('explains frames with 0xe7 flags as their first byte tells, escapes and number of 7 bytes included', () => {
    const vendor = { versionFlag: false, protocolVersion: 0, phoneRaw: phoneToRaw('93900000000061', 7) };
    const latitude = '01e7e63e';
    const location = encodeFrame({
      ...vendor,
      messageId: 0x0200,
      serial: 0x3e3d,
      body: fromHex(`0000000000000003${latitude}073d9a100026020b0057260314093045`),
    });
    expect(location[0]).toBe(0xe7);
    for (const rows of [explainFrame(location), explainFrame(location, 2013, 'e7')]) {
      expect(rows.map(({ hex }) => hex).join('')).toBe(toHex(location));
      expect(valueOf(rows, 'header.phone')).toBe('93900000000061');
      expect(valueOf(rows, 'header.serial')).toBe(String(0x3e3d));
      expect(valueOf(rows, 'body.latitudeE6')).toBe('31974974 × 1e-6 degree = 31.974974 degree');
      expect(rows.find(({ field }) => field === 'body.latitudeE6')).toMatchObject({
        hex: '01e602e6013e01',
        meaning: expect.stringContaining('escaped on the wire') as string,
      });
      expect(valueOf(rows, 'body.time')).toBe('2026-03-14 09:30:45');
      expect(rows.at(-2)).toMatchObject({ field: 'checksum' });
    }
    expect(describeStream(location)).toMatchObject([
      { phone: '93900000000061', locations: [{ lat: 0x01e7e63e / 1e6 }] },
    ]);
    expect(explainFrame(location, 2013, 'standard')).toMatchObject([{ field: 'unterminated' }]);
  });

  it('covers every byte of the 0xe7 framing too', () => {
    const e7 = bytesOf(0, 60).map((body) =>
      encodeFrame({
        ...{ versionFlag: false, protocolVersion: 0, phoneRaw: phoneToRaw('93900000000061', 7) },
        messageId: 0x0200,
        serial: 0xe6e7,
        body,
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(e7, bytesOf(0, 20)), { maxLength: 4 }), (parts) => {
        const bytes = new Uint8Array(Buffer.concat([Buffer.of(0xe7), ...parts]));
        expect(
          explainFrame(bytes)
            .map(({ hex }) => hex)
            .join(''),
        ).toBe(toHex(bytes));
      }),
      { numRuns: 300 },
    );
  });

  it('says why a piece is no frame', () => {
    expect(explainFrame(fromHex('7e010203'))).toMatchObject([
      { field: 'flag' },
      { field: 'unterminated', hex: '010203' },
    ]);
    expect(explainFrame(fromHex('7e0102037e'))[1]).toMatchObject({
      field: 'refused',
      meaning: 'no frame: too_short',
      value: '3 bytes; header and checksum alone have 13',
    });
    // Says that it is a part, and has no room for total and index.
    const part = fromHex('000220000139000000170053');
    expect(explainFrame(new Uint8Array([0x7e, ...part, xorOf(part), 0x7e]))[1]).toMatchObject({
      meaning: 'no frame: header',
      value: '13 bytes; its header and checksum alone have 17',
    });
  });

  it('reads a frame whose checksum is wrong, and says which one was expected', () => {
    const sound = encodeFrame({ ...identity, messageId: 0x8001, serial: 0x7e7d, body: fromHex('0002010204') });
    const checksum = sound.at(-2)!;
    const wrong = Uint8Array.from(sound);
    wrong[wrong.length - 2] = checksum ^ 0x55;
    const [rows, expected] = [explainFrame(wrong), explainFrame(sound)];
    expect(rows.slice(0, -2)).toEqual(expected.slice(0, -2));
    const hex = (value: number) => `0x${value.toString(16).padStart(2, '0')}`;
    expect(rows.at(-2)).toMatchObject({
      field: 'refused',
      length: 1,
      meaning: 'no frame: checksum',
      value: `found ${hex(checksum ^ 0x55)}, expected ${hex(checksum)}: the XOR over header and body`,
    });
  });

  it('says how much body a frame lacks', () => {
    const content = fromHex('8001000601390000001700530002010204');
    expect(explainFrame(new Uint8Array([0x7e, ...content, xorOf(content), 0x7e]))[1]).toMatchObject({
      field: 'refused',
      meaning: 'no frame: length',
      value: 'the header says 6 bytes of body, 5 are there',
    });
  });
});
