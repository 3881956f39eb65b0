import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Frame } from '../../protocol/index.js';
import {
  AckWriter,
  encodeFrame,
  FrameSplitter,
  parseFrame,
  phoneToRaw,
  splitBody,
  toHex,
} from '../../protocol/index.js';
import { bytesOf } from './arbitraries.js';

const identities = fc.record({
  long: fc.boolean(),
  digits: fc.array(fc.constantFrom(0x7d, 0x7e, 0x00, 0x13, 0x99), { minLength: 10, maxLength: 10 }),
  protocolVersion: fc.integer({ min: 1, max: 255 }),
});

const specs = fc
  .record({
    identity: identities,
    messageId: fc.integer({ min: 0, max: 0xffff }),
    serial: fc.integer({ min: 0, max: 0xffff }),
    body: fc.oneof(
      bytesOf(0, 1023),
      fc.array(fc.constantFrom(0x7d, 0x7e, 1, 2), { maxLength: 60 }).map((all) => Uint8Array.from(all)),
    ),
    parts: fc.option(fc.tuple(fc.integer({ min: 1, max: 0xffff }), fc.integer({ min: 1, max: 0xffff }))),
    encryption: fc.constantFrom(0, 0, 1, 4),
  })
  .map(({ identity: { long, digits, protocolVersion }, parts, ...spec }) => ({
    ...spec,
    versionFlag: long,
    protocolVersion: long ? protocolVersion : 0,
    phoneRaw: Uint8Array.from(long ? digits : digits.slice(0, 6)),
    total: parts?.[0] ?? 0,
    index: parts?.[1] ?? 0,
  }));

function readOne(wire: Uint8Array): Frame {
  const splitter = new FrameSplitter();
  let content: Uint8Array | undefined;
  splitter.push(wire, {
    frame: (frame) => (content = frame.copyContent()),
    refused: (error) => expect.unreachable(error.message),
  });
  return parseFrame(content!);
}

describe('a frame', () => {
  it('is read as it was written, also from the log, with no flag inside', () => {
    fc.assert(
      fc.property(specs, (spec) => {
        const wire = encodeFrame(spec);
        expect([wire[0], wire.at(-1), wire.subarray(1, -1).includes(0x7e)]).toEqual([0x7e, 0x7e, false]);
        const frame = readOne(wire);
        const { messageId, serial, total, index, encryption, warning } = frame;
        expect({ messageId, serial, total, index, encryption, warning }).toEqual({
          messageId: spec.messageId,
          serial: spec.serial,
          total: spec.total,
          index: spec.index,
          encryption: spec.encryption,
          warning: undefined,
        });
        expect(toHex(frame.body)).toBe(toHex(spec.body));
        expect(frame.identity()).toEqual({
          versionFlag: spec.versionFlag,
          protocolVersion: spec.protocolVersion,
          phoneRaw: spec.phoneRaw,
        });
      }),
      { numRuns: 500 },
    );
  });

  it('with a body beyond the length bits is a mistake of the caller', () => {
    const spec = { versionFlag: false, protocolVersion: 0, phoneRaw: phoneToRaw('1', 6), messageId: 1, serial: 0 };
    expect(() => encodeFrame({ ...spec, body: new Uint8Array(1024) })).toThrow(RangeError);
    expect(encodeFrame({ ...spec, body: new Uint8Array(1023) }).length).toBe(1038);
  });

  it('that is cut is no frame for the log reader', () => {
    expect(() => parseFrame(new Uint8Array(10))).toThrow(/too_short/);
    expect(() => parseFrame(new Uint8Array([1, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1]))).toThrow(/length/);
  });
});

describe('answers in one buffer', () => {
  it('are exactly the frames one behind the other, however many were taken before', () => {
    const answers = fc.array(
      fc.record({
        identity: identities,
        serial: fc.integer({ min: 0, max: 0xffff }),
        replyId: fc.integer({ min: 0, max: 0xffff }),
        replySerial: fc.integer({ min: 0, max: 0xffff }),
        result: fc.integer({ min: 0, max: 4 }),
      }),
      { maxLength: 40 },
    );
    const writer = new AckWriter();
    fc.assert(
      fc.property(answers, (all) => {
        const expected: string[] = [];
        for (const { identity, serial, replyId, replySerial, result } of all) {
          const { long, digits, protocolVersion } = identity;
          const terminal = {
            versionFlag: long,
            protocolVersion: long ? protocolVersion : 0,
            phoneRaw: Uint8Array.from(long ? digits : digits.slice(0, 6)),
          };
          writer.append(terminal, serial, replyId, replySerial, result);
          const body = Uint8Array.from([replySerial >> 8, replySerial & 255, replyId >> 8, replyId & 255, result]);
          expected.push(toHex(encodeFrame({ ...terminal, messageId: 0x8001, serial, body })));
        }
        expect(writer.size).toBe(expected.join('').length / 2);
        expect(toHex(writer.take())).toBe(expected.join(''));
        expect(writer.size).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it('that were taken do not change when the writer goes on', () => {
    const writer = new AckWriter();
    const terminal = { versionFlag: false, protocolVersion: 0, phoneRaw: phoneToRaw('13900000017', 6) };
    writer.append(terminal, 1, 0x0102, 2, 0);
    const taken = writer.take();
    writer.append(terminal, 2, 0x0200, 3, 1);
    expect(toHex(taken)).toBe('7e8001000501390000001700010002010200ab7e');
  });
});

describe('an identity', () => {
  it('is made once for frames that agree', () => {
    const wire = encodeFrame({
      versionFlag: false,
      protocolVersion: 0,
      phoneRaw: phoneToRaw('13900000017', 6),
      messageId: 2,
      serial: 0,
      body: new Uint8Array(0),
    });
    const first = readOne(wire).identity();
    expect(readOne(wire).identity(first)).toBe(first);
    expect(readOne(wire).identity({ ...first, versionFlag: true })).not.toBe(first);
  });

  it.each([
    ['013900000017', '13900000017'],
    ['000000000000', '0'],
    ['4f07788ef676', '4f07788ef676'],
    ['00000000013900000017', '13900000017'],
  ])('%s reads %s', (raw, phone) => {
    const long = raw.length === 20;
    const phoneRaw = new Uint8Array(Buffer.from(raw, 'hex'));
    const spec = { versionFlag: long, protocolVersion: long ? 1 : 0, phoneRaw, messageId: 2, serial: 0 };
    expect(readOne(encodeFrame({ ...spec, body: new Uint8Array(0) })).phone).toBe(phone);
    expect(toHex(phoneToRaw(phone, long ? 10 : 6))).toBe(raw);
  });

  it('with too many digits is refused', () => {
    expect(() => phoneToRaw('1234567890123', 6)).toThrow(/1 to 12 digits/);
    expect(() => phoneToRaw('+86139', 6)).toThrow(/1 to 12 digits/);
  });
});

describe('a long body', () => {
  it('is split into pieces that join to it', () => {
    fc.assert(
      fc.property(bytesOf(0, 300), fc.integer({ min: 1, max: 120 }), (body, size) => {
        const parts = splitBody(body, size);
        expect(toHex(new Uint8Array(Buffer.concat(parts)))).toBe(toHex(body));
        expect(parts.length).toBe(Math.max(1, Math.ceil(body.length / size)));
        expect(parts.every((part) => part.length <= size)).toBe(true);
      }),
    );
  });
});
