import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeFrame,
  FrameSplitter,
  fromHex,
  limits,
  phoneToRaw,
  toHex,
  type FrameSink,
  type SplitterOptions,
} from '../../protocol/index.js';
import { bytesOf } from './arbitraries.js';

const identity = { versionFlag: false, protocolVersion: 0, phoneRaw: phoneToRaw('13900000017', 6) };
const heartbeat = encodeFrame({ ...identity, messageId: 0x0002, serial: 83, body: new Uint8Array(0) });

/** What a splitter finds when the bytes come in these portions. */
function run(portions: Uint8Array[], options: SplitterOptions = {}) {
  const splitter = new FrameSplitter(options);
  const found: string[] = [];
  for (const portion of portions) splitter.push(portion, sinkInto(found));
  return { found, splitter };
}

function sinkInto(found: string[]): FrameSink {
  return {
    frame: (frame) => {
      found.push(`${frame.messageId}/${frame.serial}/${frame.phone}/${toHex(frame.body)}/${frame.warning ?? ''}`);
    },
    refused: ({ code, offset, length }) => void found.push(`${code}@${offset}+${length}`),
    sentence: (text) => void found.push(text),
  };
}

const whole = (hex: string, options?: SplitterOptions): string[] => run([fromHex(hex)], options).found;

const body = bytesOf(0, 60);
const anyFrame = fc
  .record({
    messageId: fc.integer({ min: 0, max: 0xffff }),
    serial: fc.integer({ min: 0, max: 0xffff }),
    body,
    long: fc.boolean(),
  })
  .map(({ long, ...frame }) =>
    encodeFrame({
      ...frame,
      versionFlag: long,
      protocolVersion: long ? 1 : 0,
      phoneRaw: phoneToRaw('13900000017', long ? 10 : 6),
    }),
  );

describe('a splitter that is idle', () => {
  it('can be replaced by a new one for the following bytes', () => {
    const pieces = fc.array(fc.oneof(anyFrame, bytesOf(0, 30)), { maxLength: 6 });
    const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(pieces, cuts, (parts, sizes) => {
        const stream = new Uint8Array(Buffer.concat(parts));
        const found: string[] = [];
        let splitter = new FrameSplitter();
        for (let at = 0, i = 0; at < stream.length; i++) {
          const end = at + sizes[i % sizes.length]!;
          splitter.push(stream.subarray(at, end), sinkInto(found));
          at = end;
          if (splitter.isIdle) splitter = new FrameSplitter({ offset: splitter.totalBytes });
        }
        const kept = run([stream]);
        expect(found).toEqual(kept.found);
        expect([splitter.totalBytes, splitter.pendingBytes]).toEqual([stream.length, kept.splitter.pendingBytes]);
      }),
    );
  });

  it('has no unfinished piece and no refused one', () => {
    const idle = (hex: string) => run([fromHex(hex)]).splitter.isIdle;
    expect([
      idle(toHex(heartbeat)),
      idle('7e01'),
      idle('7e01027e'),
      idle('55'.repeat(limits.candidateBytes + 1)),
    ]).toEqual([true, false, false, false]);
  });
});

describe('a stream of frames', () => {
  it('gives the same however it is cut', () => {
    const pieces = fc.array(fc.oneof(anyFrame, bytesOf(0, 30), fc.constant(new Uint8Array([0x7e, 0x7e]))), {
      maxLength: 6,
    });
    const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(pieces, cuts, (parts, sizes) => {
        const stream = new Uint8Array(Buffer.concat(parts));
        const portions: Uint8Array[] = [];
        for (let at = 0, i = 0; at < stream.length; i++) {
          const size = sizes[i % sizes.length]!;
          portions.push(stream.subarray(at, at + size));
          at += size;
        }
        const cut = run(portions);
        const once = run([stream]);
        expect(cut.found).toEqual(once.found);
        expect(cut.splitter.pendingBytes).toBe(once.splitter.pendingBytes);
        expect(cut.splitter.badCandidates).toBe(once.splitter.badCandidates);
        expect(cut.splitter.garbageBytes).toBe(once.splitter.garbageBytes);
      }),
      { numRuns: 400 },
    );
  });

  it('survives being cut at every byte', () => {
    const photo = encodeFrame({
      ...identity,
      messageId: 0x0801,
      serial: 7,
      total: 2,
      index: 1,
      body: fromHex('7d7e7d017e02'),
    });
    const stream = new Uint8Array(Buffer.concat([heartbeat, photo, heartbeat]));
    const expected = run([stream]).found;
    expect(expected.length).toBe(3);
    for (let at = 0; at <= stream.length; at++) {
      expect(run([stream.subarray(0, at), stream.subarray(at)]).found).toEqual(expected);
    }
    expect(run([...stream].map((byte) => new Uint8Array([byte]))).found).toEqual(expected);
  });

  it('survives being cut at every byte in the 0xe7 framing', () => {
    const number = { versionFlag: false, protocolVersion: 0, phoneRaw: phoneToRaw('93900000000061', 7) };
    const location = encodeFrame({ ...number, messageId: 0x0801, serial: 0xe7e6, total: 2, index: 1, body: fromHex('e7e63e3d3e01e602') });
    const beat = encodeFrame({ ...number, messageId: 0x0002, serial: 8, body: new Uint8Array(0) });
    const stream = new Uint8Array(Buffer.concat([beat, location, beat]));
    const options = { framing: 'e7' } as const;
    const expected = run([stream], options).found;
    expect(expected.length).toBe(3);
    for (let at = 0; at <= stream.length; at++) {
      expect(run([stream.subarray(0, at), stream.subarray(at)], options).found).toEqual(expected);
    }
  }); // prettier-ignore

  it('keeps nothing of the chunk: its bytes may change after the push', () => {
    const splitter = new FrameSplitter();
    const found: string[] = [];
    const sink = { frame: (frame: { phone: string }) => found.push(frame.phone), refused: () => found.push('refused') };
    const chunk = Uint8Array.from(heartbeat.subarray(0, 8));
    splitter.push(chunk, sink);
    chunk.fill(0xff);
    splitter.push(heartbeat.subarray(8), sink);
    expect(found).toEqual(['13900000017']);
  });
});

describe('what is no frame', () => {
  it('empty pieces and runs of flags are no error', () => {
    const { found, splitter } = run([fromHex('7e7e7e7e7e')]);
    expect(found).toEqual([]);
    expect(splitter.badCandidates).toBe(0);
  });

  it.each([
    ['too short', '7e01027e', 'too_short@1+2'],
    ['wrong checksum', '7e00020000013900000017002d017e', 'checksum@1+13'],
    ['sub-package item cut short', '7e00022000013900000017005d507e', 'header@1+13'],
  ])('%s is refused with its place', (_name, hex, expected) => {
    expect(whole(hex)).toEqual([expected]);
  });

  it('a body shorter than declared is refused, except a whole base block of a location', () => {
    const cut = (messageId: number, declared: number, actual: number): string[] => {
      const content = new Uint8Array(13 + actual);
      content.set([messageId >> 8, messageId & 255, declared >> 8, declared & 255, ...identity.phoneRaw, 0, 1]);
      content[content.length - 1] = content.reduce((xor, byte) => xor ^ byte, 0);
      return run([new Uint8Array([0x7e, ...content, 0x7e])]).found;
    };
    expect(cut(0x0100, 40, 30)).toEqual(['length@1+43']);
    expect(cut(0x0200, 40, 27)).toEqual(['length@1+40']);
    expect(cut(0x0200, 40, 28)[0]).toMatch(/^512\/1\/13900000017\/(00){28}\/shorter_than_declared$/);
    expect(cut(0x6006, 4, 5)).toEqual(['24582/1/13900000017/0000000000/longer_than_declared']);
  });

  it('two frames whose flag between them was never sent are both read', () => {
    const other = encodeFrame({ ...identity, messageId: 0x0200, serial: 84, body: fromHex('7d'.repeat(28)) });
    const glued = new Uint8Array([...heartbeat.subarray(0, -1), ...other.subarray(1)]);
    expect(run([glued, heartbeat]).found).toEqual([
      '2/83/13900000017//',
      `512/84/13900000017/${'7d'.repeat(28)}/`,
      '2/83/13900000017//',
    ]);
  });

  it('a piece without end is discarded at the limit, and the next frame is found', () => {
    const garbage = new Uint8Array(limits.candidateBytes + 1).fill(0x55);
    const { found, splitter } = run([garbage, garbage, heartbeat, heartbeat]);
    expect(found[0]).toBe(`too_long@0+${garbage.length}`);
    expect(found.length).toBe(3);
    expect(splitter.pendingBytes).toBe(0);
    expect(splitter.badCandidates).toBe(0);
  });

  it('a piece of exactly the limit is still a candidate', () => {
    const garbage = new Uint8Array(limits.candidateBytes).fill(0x55);
    expect(run([garbage, new Uint8Array([0x7e])]).found).toEqual([`length@0+${garbage.length}`]);
    const longer = new Uint8Array(limits.candidateBytes + 1).fill(0x55);
    expect(run([new Uint8Array([...longer, 0x7e])]).found).toEqual([`too_long@0+${longer.length}`]);
  });

  it('is looked at no further once the splitter was stopped', () => {
    for (const chunks of [
      ['7e01027e03047e0506', '7e01027e'],
      ['7e0102', '7e03047e0506', '7e0102'],
    ]) {
      const splitter = new FrameSplitter();
      let refused = 0;
      for (const chunk of chunks) {
        splitter.push(fromHex(chunk), {
          frame: () => expect.unreachable(),
          refused: () => {
            refused++;
            splitter.stop();
          },
        });
      }
      expect([refused, splitter.pendingBytes]).toEqual([1, 0]);
    }
  });

  it('is counted until the next good frame', () => {
    const { splitter } = run([fromHex('7e01027e03047e050607')]);
    expect([splitter.badCandidates, splitter.garbageBytes, splitter.pendingBytes]).toEqual([2, 4, 3]);
    splitter.push(heartbeat, { frame: () => undefined, refused: () => undefined });
    expect([splitter.badCandidates, splitter.garbageBytes]).toEqual([0, 0]);
  });
});

describe('checksums that are flags or escapes', () => {
  it('an unescaped 0x7e as checksum closes the frame, which is read', () => {
    expect(toHex(heartbeat)).toBe('7e0002000001390000001700537d027e');
    expect(whole('7e0002000001390000001700537e7e')).toEqual(['2/83/13900000017//checksum_was_flag']);
  });

  it('an unescaped 0x7d as checksum is read', () => {
    expect(whole('7e0002000001390000001700507d7e')).toEqual(['2/80/13900000017//']);
  });

  it('an illegal escape is kept literally and the checksum decides', () => {
    const content = [...fromHex('55550003013900000017000141'), 0x7d, 0x33];
    const checksum = content.reduce((xor, byte) => xor ^ byte, 0);
    expect(run([new Uint8Array([0x7e, ...content, checksum, 0x7e])]).found).toEqual(['21845/1/13900000017/417d33/']);
  });
});

describe('headers that contradict themselves', () => {
  it('bit 14 on a short header is read as the short header', () => {
    const frame = encodeFrame({
      ...identity,
      versionFlag: true,
      messageId: 0x0002,
      serial: 1,
      body: new Uint8Array(0),
    });
    expect(run([frame]).found).toEqual(['2/1/13900000017//version_flag_on_short_header']);
  });

  it('a long header without bit 14 is read as the long header', () => {
    const phoneRaw = phoneToRaw('13900000017', 10);
    const frame = encodeFrame({
      versionFlag: false,
      protocolVersion: 1,
      phoneRaw,
      messageId: 0x0002,
      serial: 1,
      body: new Uint8Array(0),
    });
    expect(run([frame]).found).toEqual(['2/1/13900000017//long_header_without_version_flag']);
  });
});

describe('vendor framing', () => {
  const phoneRaw = phoneToRaw('12345678901234', 7);

  it('e7: other flags and escapes, a 7-byte identity', () => {
    const spec = { versionFlag: false, protocolVersion: 0, phoneRaw, messageId: 0x0900, serial: 5 };
    const frame = encodeFrame({ ...spec, body: fromHex('3d3ee6e77d7e') }, 'e7');
    expect(frame[0]).toBe(0xe7);
    expect(frame.subarray(1, -1).includes(0xe7)).toBe(false);
    expect(run([frame], { framing: 'e7' }).found).toEqual(['2304/5/12345678901234/3d3ee6e77d7e/']);
    expect(run([frame]).found.every((one) => one.includes('@'))).toBe(true);
  });

  it('a serial of one byte is read only when it is asked for', () => {
    const spec = { ...identity, messageId: 0x5501, serial: 71, shortSerial: true };
    const frame = encodeFrame({ ...spec, body: fromHex('01022106242122348476113550490700') });
    expect(run([frame], { shortSerial: true }).found).toEqual([
      '21761/71/13900000017/01022106242122348476113550490700/',
    ]);
    expect(run([frame]).found).toEqual(['length@1+28']);
  });

  it('text sentences are taken out wherever they are cut, only when asked for', () => {
    const sentence = new Uint8Array(Buffer.from('(794104004140,1,001,BASE,2,TIME)'));
    const stream = new Uint8Array(Buffer.concat([sentence, heartbeat, sentence, sentence]));
    const expected = [
      '(794104004140,1,001,BASE,2,TIME)',
      '2/83/13900000017//',
      '(794104004140,1,001,BASE,2,TIME)',
      '(794104004140,1,001,BASE,2,TIME)',
    ];
    for (let at = 0; at <= stream.length; at++) {
      const { found, splitter } = run([stream.subarray(0, at), stream.subarray(at)], { sentences: true });
      expect(found).toEqual(expected);
      expect(splitter.pendingBytes).toBe(0);
    }
    expect(run([stream]).found).toEqual([`checksum@0+${sentence.length}`, '2/83/13900000017//']);
  });

  it('a bracket inside a frame is no sentence', () => {
    const frame = encodeFrame({ ...identity, messageId: 0x0900, serial: 1, body: new Uint8Array(Buffer.from('(a)')) });
    for (let at = 0; at <= frame.length; at++) {
      const { found } = run([frame.subarray(0, at), frame.subarray(at)], { sentences: true });
      expect(found).toEqual(['2304/1/13900000017/286129/']);
    }
  });
});
