import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CodeMask, encodeFrame, FrameSplitter, maskCode, phoneToRaw, toHex } from '../../protocol/index.js';

const CODE = 'geheim~}code';
const latin = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
const short = { phoneRaw: phoneToRaw('13800138000', 6), versionFlag: false, protocolVersion: 0 };
const long = { phoneRaw: phoneToRaw('13800138000', 10), versionFlag: true, protocolVersion: 1 };
const device = latin('123456789012345' + '1.0'.padEnd(20, '\0'));
const of2019 = Uint8Array.of(CODE.length, ...latin(CODE), ...device);
const stars = '*'.repeat(CODE.length);

/** Frames with a code, and what may be seen of their bodies. */
const SECRET: [name: string, frame: Uint8Array, shown: Uint8Array][] = [
  ['0x0102', encodeFrame({ messageId: 0x0102, ...short, serial: 1, body: latin(CODE) }), latin(stars)],
  ['0x0102 of 2019', encodeFrame({ messageId: 0x0102, ...long, serial: 2, body: of2019 }), Uint8Array.of(CODE.length, ...latin(stars), ...device)],
  ['0x0102 of 2019, the code alone', encodeFrame({ messageId: 0x0102, ...long, serial: 3, body: latin(CODE) }), latin(stars)],
  ['0x8100', encodeFrame({ messageId: 0x8100, ...short, serial: 4, body: Uint8Array.of(0, 9, 0, ...latin(CODE)) }), Uint8Array.of(0, 9, 0, ...latin(stars))],
]; // prettier-ignore
const HEARTBEAT = encodeFrame({ messageId: 2, ...short, serial: 5, body: new Uint8Array(0) });
const TEXT = encodeFrame({ messageId: 0x0900, ...short, serial: 6, body: latin(`~}${CODE}`) });

/** Bodies of the sound frames, and how many pieces are none. */
function read(bytes: Uint8Array): { bodies: string[]; refused: number } {
  const bodies: string[] = [];
  let refused = 0;
  new FrameSplitter().push(bytes, { frame: ({ body }) => bodies.push(toHex(body)), refused: () => refused++ });
  return { bodies, refused };
}

describe('what is shown of a stream', () => {
  it.each(SECRET)('%s comes without its code, as a sound frame', (_name, frame, shown) => {
    expect(read(new CodeMask().push(frame))).toEqual({ bodies: [toHex(shown)], refused: 0 });
  });

  it('is everything else, as it came, however the bytes are cut', () => {
    const stream = Buffer.concat([TEXT, SECRET[0]![1], HEARTBEAT, SECRET[1]![1], SECRET[3]![1], TEXT, HEARTBEAT]);
    const whole = new CodeMask().push(stream);
    expect(read(whole).bodies).toEqual(
      [TEXT, SECRET[0]![2], HEARTBEAT, SECRET[1]![2], SECRET[3]![2], TEXT, HEARTBEAT].map((one) =>
        one === TEXT || one === HEARTBEAT ? read(one).bodies[0] : toHex(one),
      ),
    );
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 30 }), (cuts) => {
        const mask = new CodeMask();
        const at = [0, ...cuts.sort((a, b) => a - b), stream.length];
        const shown = at.slice(1).map((end, i) => mask.push(stream.subarray(at[i], end)));
        expect(toHex(Buffer.concat(shown))).toBe(toHex(whole));
      }),
    );
  });

  it('stays damaged where it was damaged, and begins with a flag', () => {
    const damaged = SECRET[0]![1].slice();
    damaged[damaged.length - 2]! ^= 0x11;
    const shown = new CodeMask().push(damaged);
    expect(read(shown)).toEqual({ bodies: [], refused: 1 });
    expect(Buffer.from(shown).toString('latin1')).not.toContain('geheim');
    const rest = new CodeMask().push(SECRET[0]![1].subarray(14));
    expect(toHex(rest)).toBe('7e');
  });

  it('keeps no frame without an end', () => {
    const mask = new CodeMask();
    mask.push(SECRET[0]![1].subarray(0, 10));
    for (let i = 0; i < 100; i++) expect(mask.push(new Uint8Array(1_000).fill(0x31))).toHaveLength(0);
    expect(read(mask.push(HEARTBEAT)).bodies).toEqual(['']);
  });
});

it('hides the code of a sub-packaged message in every part', () => {
  const part = encodeFrame({ messageId: 0x0102, ...long, serial: 7, total: 2, index: 1, body: of2019 });
  expect(read(new CodeMask().push(part)).bodies).toEqual(['2a'.repeat(of2019.length)]);
});

it('leaves alone what holds no code', () => {
  const content = HEARTBEAT.subarray(1, -2);
  expect(maskCode(content)).toBe(content);
});
