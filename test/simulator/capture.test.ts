import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { readPcap } from '../../simulator/capture/pcap.js';
import { formatHeader, formatPiece, parseRecording, RecordingError } from '../../simulator/capture/recording.js';
import { readPieces } from '../../simulator/commands/replay.js';

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

  it('leave out connections that have nothing to do with the platform', () => {
    const bytes = file([record(true, 1, 0x18, [1], 100), record(false, 1, 0x18, [2], 101)]);
    expect(readPcap(bytes, 7808).map(({ kind }) => kind)).toEqual(['open', 'up', 'down']);
    expect(readPcap(bytes, 443)).toEqual([]);
  });

  it('keep the longer of two segments that begin at the same byte', () => {
    const records = [
      record(true, 99, 0x02, [], 100),
      record(true, 103, 0x18, [4, 5, 6], 101),
      record(true, 103, 0x18, [4], 101),
      record(true, 100, 0x18, [1, 2, 3], 102),
    ];
    expect(readPcap(file(records), 7808).flatMap((one) => [...one.bytes])).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('with a packet that is not there name it and the bytes that are missing', () => {
    const records = [
      record(true, 99, 0x02, [], 100),
      record(true, 100, 0x18, [1, 2, 3], 101),
      record(true, 110, 0x18, [4], 102),
    ];
    expect(() => readPcap(file(records), 7808)).toThrow(
      /^packet 3: expected bytes from sequence number 103 of 10\.0\.0\.9:50000 to 10\.0\.0\.1:7808, .* lacks 7 bytes$/,
    );
    // What the platform said is not sent again: a gap in it harms nobody.
    const answers = [record(false, 99, 0x12, [], 100), record(false, 110, 0x18, [4], 102)];
    expect(readPcap(file(answers), 7808).map(({ kind }) => kind)).toEqual(['open']);
  });

  it('that end in a packet say in which, and what was expected', () => {
    const [one, two] = [record(true, 1, 0x18, [1], 100), record(true, 2, 0x18, [2], 101)];
    const second = 24 + one.length;
    expect(() => readPcap(file([one, two.slice(0, 5)]))).toThrow(
      `packet 2 at byte ${second}: expected a header of 16 bytes, the file ends after 5`,
    );
    expect(() => readPcap(file([one, two.slice(0, -3)]))).toThrow(
      `packet 2 at byte ${second}: expected ${two.length - 16} bytes, the file ends after ${two.length - 19}`,
    );
  });

  it('with an absurd length of a packet say so', () => {
    const bytes = file([record(true, 1, 0x18, [1], 100)]);
    new DataView(bytes.buffer).setUint32(32, 0x7fff_ffff, true);
    expect(() => readPcap(bytes)).toThrow('packet 1 at byte 24: expected a packet of at most 262144 bytes');
  });

  it('never fail in another way, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (noise, little) => {
        const bytes = new Uint8Array([...file([record(true, 1, 0x18, [1], 100, little)], little), ...noise]);
        try {
          readPcap(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(RecordingError);
        }
      }),
    );
  });
});

describe('a file to replay', () => {
  const folder = mkdtempSync(join(tmpdir(), 'linecrew-capture-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const written = (content: string | Uint8Array): string => {
    const file = join(folder, 'broken');
    writeFileSync(file, content);
    return file;
  };

  it.each([
    ['a line that is none', '0 1 open\n5 1 sideways 7e\n', /broken: line 2: expected .*<hex>.*found "5 1 sideways 7e"/],
    ['no line at all', '# linecrew recording 1\n', /broken: expected recorded lines, found none/],
    ['another kind of file', Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0), /broken: no pcap file/],
    [
      'a pcap without packets',
      Uint8Array.of(0xd4, 0xc3, 0xb2, 0xa1, ...new Array<number>(16).fill(0), 1, 0, 0, 0),
      /broken: expected packets of TCP connections, found none/,
    ],
  ])('with %s is refused by its name and the place', (_what, content, message) => {
    const file = written(content);
    expect(() => readPieces(file)).toThrow(RecordingError);
    expect(() => readPieces(file)).toThrow(message);
  });

  it('that is not there is named', () => {
    expect(() => readPieces(join(folder, 'nowhere.txt'))).toThrow(/nowhere\.txt: ENOENT/);
  });
});
