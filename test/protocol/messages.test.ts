import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DecodeError,
  decodeBody,
  editions,
  EncodeError,
  encodeBody,
  encodeMessage,
  FrameSplitter,
  hasMessage,
  messageName,
  messages,
  phoneToRaw,
  toHex,
  type Body,
  type Edition,
  type MessageDeclaration,
  type MessageName,
} from '../../protocol/index.js';
import type { Field } from '../../protocol/field/index.js';
import { bytesOf, valuesOf } from './arbitraries.js';

const declared = Object.entries(messages) as [MessageName, MessageDeclaration][];
const withEditions = declared.flatMap(([name, one]) =>
  editions.filter((edition) => hasMessage(one, edition)).map((edition) => [name, edition] as const),
);

describe('every declared message', () => {
  it.each(withEditions)('%s (%i) comes back as it was encoded', (name, edition) => {
    const field = messages[name].body as Field<unknown>;
    fc.assert(
      fc.property(valuesOf(field, edition), (value) => {
        const bytes = encodeBody(name, edition, value as Body<typeof name>);
        const decoded = decodeBody(messages[name].id, edition, bytes);
        expect(decoded).toEqual({ name, body: value });
      }),
      { numRuns: 60 },
    );
  });

  it('has an id and a name of its own', () => {
    const ids = declared.map(([, { id }]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [name, { id }] of declared) expect(messageName(id)).toBe(name);
  });

  it('names a declared message as its reply, sent the other way', () => {
    for (const [name, { reply, direction }] of declared) {
      if (reply === undefined) continue;
      const answer = messages[messageName(reply)!];
      expect(answer.direction, name).not.toBe(direction);
    }
  });

  it('refuses any bytes with a DecodeError or reads them, and nothing else', () => {
    const anyMessage = fc.constantFrom(...declared.map(([, { id }]) => id));
    const anyEdition = fc.constantFrom<Edition>(...editions);
    fc.assert(
      fc.property(anyMessage, anyEdition, bytesOf(0, 90), (id, edition, body) => {
        try {
          expect(decodeBody(id, edition, body)).toBeDefined();
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe('an undeclared message', () => {
  it('stays bytes', () => {
    expect(decodeBody(0x0304, 2013, new Uint8Array([1, 2, 3]))).toBeUndefined();
  });
});

describe('a message that cannot be encoded', () => {
  it('names the path of the field, and what was expected', () => {
    const body = {
      items: [
        { id: 1, content: 'a' },
        { id: 300, content: 'b' },
      ],
      setting: 1,
    };
    expect(() => encodeBody('eventList', 2013, body)).toThrow(
      new EncodeError('items[1].id', 'expected a whole number from 0 to 255, found 300'),
    );
  });

  it('refuses a text that is longer than its field', () => {
    const body = { province: 0, city: 0, maker: '浙江制造', model: '', terminalId: '', plateColour: 1, plate: '' };
    expect(() => encodeBody('register', 2013, body)).toThrow(/^maker: expected at most 5 bytes of GBK text, found 8$/);
  });

  it('refuses a missing field', () => {
    expect(() => encodeBody('eventReport', 2013, {} as Body<'eventReport'>)).toThrow(/^id: expected a whole number/);
  });
});

describe('a long message', () => {
  const identity = { versionFlag: true, protocolVersion: 1, phoneRaw: phoneToRaw('13900000017', 10) };

  it('is split into parts with consecutive serials over the wrap, and joins again', () => {
    const bodyBytes = Uint8Array.from({ length: 2500 }, (_, i) => i & 255);
    const { frames, serials } = encodeMessage({
      ...identity,
      messageId: 0x8108,
      edition: 2019,
      serial: 65534,
      bodyBytes,
      maxBodyBytes: 900,
    });
    expect(serials).toEqual([65534, 65535, 0]);
    const found: { total: number; index: number; serial: number; body: string }[] = [];
    const splitter = new FrameSplitter();
    for (const frame of frames) {
      splitter.push(frame, {
        frame: ({ total, index, serial, body }) => found.push({ total, index, serial, body: toHex(body) }),
        refused: (error) => expect.unreachable(error.message),
      });
    }
    expect(found.map(({ total, index, serial }) => [total, index, serial])).toEqual([
      [3, 1, 65534],
      [3, 2, 65535],
      [3, 3, 0],
    ]);
    expect(found.map(({ body }) => body).join('')).toBe(toHex(bodyBytes));
  });

  it('takes the framing of the connection', () => {
    const spec = { ...identity, phoneRaw: phoneToRaw('12345678901234', 7), versionFlag: false, protocolVersion: 0 };
    const body = { flags: 1, text: '~' };
    const { frames } = encodeMessage({ ...spec, name: 'text', edition: 2013, serial: 0, body, framing: 'e7' });
    expect([frames[0]!.at(0), frames[0]!.at(-1)]).toEqual([0xe7, 0xe7]);
  });

  it('is one frame without sub-package item when it fits exactly', () => {
    const bodyBytes = new Uint8Array(900);
    const { frames } = encodeMessage({ ...identity, messageId: 0x8300, edition: 2019, serial: 0, bodyBytes });
    expect(frames.length).toBe(1);
    const splitter = new FrameSplitter();
    splitter.push(frames[0]!, {
      frame: (frame) => expect([frame.total, frame.body.length]).toEqual([0, 900]),
      refused: (error) => expect.unreachable(error.message),
    });
  });
});
