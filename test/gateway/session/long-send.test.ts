import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameSplitter, limits, phoneToRaw, toHex } from '../../../protocol/index.js';
import { LongSend, LongSends, partsOf } from '../../../gateway/session/long-send.js';

const identity = { versionFlag: true, protocolVersion: 1, phoneRaw: phoneToRaw('13900000017', 10) };
const WINDOW = 10 * limits.downlinkBodyBytes;

interface Part {
  index: number;
  total: number;
  serial: number;
  body: string;
}

function partsIn(frames: readonly Uint8Array[]): Part[] {
  const found: Part[] = [];
  for (const frame of frames) {
    new FrameSplitter().push(frame, {
      frame: ({ index, total, serial, body }) => found.push({ index, total, serial, body: toHex(body) }),
      refused: (error) => expect.unreachable(error.message),
    });
  }
  return found;
}

function begin(sends: LongSends, bytes: number, firstSerial = 65_500): LongSend {
  const body = Uint8Array.from({ length: bytes }, (_, i) => (i * 7) & 255);
  const progress = sends.begin('13900000017', 'd-1', bytes, () => firstSerial);
  return new LongSend({ messageId: 0x8108, body }, identity, progress, 0);
}

/** Everything that is written until nothing is left. */
function all(long: LongSend, confirmed = false): Part[] {
  const found: Part[] = [];
  for (let round = 0; !long.written; round++) {
    expect(round).toBeLessThan(1_000);
    found.push(...partsIn(long.window(WINDOW, confirmed, 0)));
  }
  return found;
}

const sizes = fc.integer({ min: 1, max: 60 * limits.downlinkBodyBytes });

describe('a message of many parts', () => {
  it('arrives whole whatever is lost, each part the same under the same serial, however often it is sent', () => {
    const losses = fc.array(fc.nat({ max: 59 }), { maxLength: 20 });
    fc.assert(
      fc.property(sizes, losses, (bytes, lost) => {
        const long = begin(new LongSends(10), bytes);
        const got = new Map<number, Part>();
        const take = (parts: Part[], loses: readonly number[]): void => {
          for (const part of parts) {
            if (part.total > 0) expect(part.serial).toBe((65_500 + part.index - 1) & 0xffff);
            const before = got.get(part.index);
            if (before !== undefined) expect(part).toEqual(before);
            if (!loses.includes(part.index)) got.set(part.index, part);
          }
        };
        if (long.parts === 1) {
          expect(partsIn(long.window(WINDOW, false, 0))).toMatchObject([{ total: 0 }]);
          return;
        }
        take(all(long), lost);
        const missing = Array.from({ length: long.parts }, (_, i) => i + 1).filter((one) => !got.has(one));
        if (missing.length > 0) {
          long.requested(missing, 0);
          const again = all(long);
          expect(again.map(({ index }) => index)).toEqual(missing);
          take(again, []);
        }
        expect(got.size).toBe(partsOf(bytes));
        expect(long.confirmed((65_500 + long.parts - 1) & 0xffff, 0)).toBe('whole');
      }),
      { numRuns: 150 },
    );
  });

  it('keeps no more than a window unconfirmed where the terminal confirms each part, and ends with the last of them', () => {
    fc.assert(
      fc.property(fc.integer({ min: 12, max: 60 }), fc.infiniteStream(fc.nat()), (count, choices) => {
        const long = begin(new LongSends(10), count * limits.downlinkBodyBytes);
        const open = partsIn(long.window(WINDOW, false, 0));
        let confirmed = 0;
        while (open.length > 0) {
          expect(open.length).toBeLessThanOrEqual(WINDOW / limits.downlinkBodyBytes);
          // In any order.
          const choice: number = choices.next().value;
          const [part] = open.splice(choice % open.length, 1);
          confirmed += 1;
          expect(long.confirmed(part!.serial, 0)).toBe(confirmed === count ? 'whole' : 'part');
          open.push(...partsIn(long.window(WINDOW, true, 0)));
        }
        expect(confirmed).toBe(count);
      }),
      { numRuns: 100 },
    );
  });

  it('goes on behind what was confirmed, and anew where the delivery is another one', () => {
    const sends = new LongSends(2);
    const bytes = 30 * limits.downlinkBodyBytes;
    const first = begin(sends, bytes);
    const written = partsIn(first.window(WINDOW, false, 0));
    for (const { serial } of written.slice(0, 5)) first.confirmed(serial, 0);
    const second = begin(sends, bytes, 7);
    expect(second.serials).toEqual(first.serials);
    expect(all(second).map(({ index }) => index)).toEqual(Array.from({ length: 25 }, (_, i) => i + 6));
    expect(sends.begin('13900000017', 'd-2', bytes, () => 7).firstSerial).toBe(7);
    // The terminal that was used longest ago is forgotten.
    sends.begin('1', 'a', 900, () => 1);
    sends.begin('2', 'b', 900, () => 2);
    expect(sends.begin('13900000017', 'd-2', bytes, () => 8).firstSerial).toBe(8);
  });

  it('is busy while it is written and for a quiet time after', () => {
    const long = begin(new LongSends(1), 30 * limits.downlinkBodyBytes);
    expect(long.isBusy(1_000_000, 1_000)).toBe(true);
    while (!long.written) long.window(WINDOW, false, 5_000);
    expect(long.isBusy(5_999, 1_000)).toBe(true);
    expect(long.isBusy(6_000, 1_000)).toBe(false);
    long.confirmed(long.serials[0] + 3, 9_000);
    expect(long.isBusy(9_500, 1_000)).toBe(true);
  });
});
