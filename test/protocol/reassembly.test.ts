import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limits, Reassembler, toHex } from '../../protocol/index.js';

const part = (index: number): Uint8Array => new Uint8Array([index, index >> 8, 0x55]);

describe('the parts of a message', () => {
  it('join in any order, with any doubles, over the wrap of the serials', () => {
    const orders = fc.integer({ min: 1, max: 12 }).chain((total) =>
      fc.record({
        total: fc.constant(total),
        first: fc.integer({ min: 0, max: 0xffff }),
        order: fc.shuffledSubarray(
          Array.from({ length: total }, (_, i) => i + 1),
          { minLength: total },
        ),
        doubles: fc.array(fc.integer({ min: 1, max: total }), { maxLength: 6 }),
      }),
    );
    fc.assert(
      fc.property(orders, ({ total, first, order, doubles }) => {
        const reassembler = new Reassembler();
        const states: string[] = [];
        let body: string | undefined;
        // Doubles go in front of the last part, when it is still open what they belong to, and behind it.
        for (const index of [...order.slice(0, -1), ...doubles, ...order.slice(-1), ...doubles]) {
          const result = reassembler.addPart(0x0801, total, index, (first + index - 1) & 0xffff, part(index), 0);
          states.push(result.state);
          if (result.state === 'complete') {
            expect(body).toBeUndefined();
            body = toHex(result.message.body);
          }
        }
        expect(body).toBe(Array.from({ length: total }, (_, i) => toHex(part(i + 1))).join(''));
        expect(states).not.toContain('refused');
        expect([reassembler.size, reassembler.heldBytes]).toEqual([0, 0]);
      }),
      { numRuns: 500 },
    );
  });

  it('of two messages at a time stay apart', () => {
    const reassembler = new Reassembler();
    reassembler.addPart(0x0801, 2, 1, 10, new Uint8Array([1]), 0);
    reassembler.addPart(0x0704, 2, 1, 20, new Uint8Array([3]), 0);
    const second = reassembler.addPart(0x0704, 2, 2, 21, new Uint8Array([4]), 0);
    const first = reassembler.addPart(0x0801, 2, 2, 11, new Uint8Array([2]), 0);
    expect(second).toMatchObject({ state: 'complete', message: { messageId: 0x0704, body: new Uint8Array([3, 4]) } });
    expect(first).toMatchObject({ state: 'complete', message: { messageId: 0x0801, body: new Uint8Array([1, 2]) } });
  });

  it('join when other frames were counted between them', () => {
    const reassembler = new Reassembler();
    reassembler.addPart(0x0104, 3, 2, 1250, new Uint8Array([2]), 0);
    reassembler.addPart(0x0104, 3, 1, 1233, new Uint8Array([1]), 0);
    expect(reassembler.addPart(0x0104, 3, 3, 1251, new Uint8Array([3]), 0)).toMatchObject({
      state: 'complete',
      message: { body: new Uint8Array([1, 2, 3]) },
    });
  });

  it('do not join loosely with what is left of an earlier message', () => {
    const reassembler = new Reassembler({ maxAgeMs: 600_000 });
    // A part of a batch that had long been complete came once more; then a new batch comes, its last part first.
    reassembler.addPart(0x0704, 2, 1, 0x1b, new Uint8Array([1]), 0);
    expect(reassembler.addPart(0x0704, 2, 2, 0x6e, new Uint8Array([8]), 440_000).state).toBe('waiting');
    expect(reassembler.addPart(0x0704, 2, 1, 0x6d, new Uint8Array([9]), 444_000)).toMatchObject({
      state: 'complete',
      message: { firstSerial: 0x6d, body: new Uint8Array([9, 8]) },
    });
  });

  it('do not join when the serials run the other way', () => {
    const reassembler = new Reassembler();
    reassembler.addPart(0x0104, 2, 1, 1000, new Uint8Array([1]), 0);
    expect(reassembler.addPart(0x0104, 2, 2, 900, new Uint8Array([2]), 0).state).toBe('waiting');
    expect(reassembler.size).toBe(2);
  });

  it('of another message with the same serials start a new one', () => {
    const reassembler = new Reassembler();
    reassembler.addPart(0x0801, 2, 1, 0, new Uint8Array([1]), 0);
    reassembler.addPart(0x0801, 2, 2, 1, new Uint8Array([2]), 0);
    expect(reassembler.addPart(0x0801, 2, 1, 0, new Uint8Array([9]), 10).state).toBe('waiting');
    expect(reassembler.addPart(0x0801, 2, 2, 1, new Uint8Array([8]), 10)).toMatchObject({
      state: 'complete',
      message: { body: new Uint8Array([9, 8]) },
    });
  });

  it('come again as new ones when the message could not be stored', () => {
    const reassembler = new Reassembler();
    const both = (): string[] =>
      [1, 2].map((index) => reassembler.addPart(0x0801, 2, index, 4 + index, part(index), 0).state);
    expect(both()).toEqual(['waiting', 'complete']);
    expect(both()).toEqual(['doubled', 'doubled']);
    reassembler.forget({ messageId: 0x0801, total: 2, firstSerial: 5 });
    expect(both()).toEqual(['waiting', 'complete']);
  });
});

describe('missing parts', () => {
  it('are named after the quiet time, ascending, with the serial of part 1', () => {
    const reassembler = new Reassembler();
    for (const index of [2, 5]) reassembler.addPart(0x0801, 5, index, 99 + index, part(index), 1000);
    expect(reassembler.missing(1000 + limits.reassemblyQuietMs - 1)).toEqual([]);
    expect(reassembler.missing(1000 + limits.reassemblyQuietMs)).toEqual([
      { messageId: 0x0801, firstSerial: 100, total: 5, missing: [1, 3, 4], lastPartAt: 1000 },
    ]);
  });

  it('are asked for in portions that one request can hold', () => {
    const reassembler = new Reassembler();
    reassembler.addPart(0x0801, 400, 1, 0, part(1), 0);
    expect(reassembler.missing(10_000)[0]!.missing.length).toBe(limits.missingPartsPerRequest);
  });

  it('are given up with their message after its age', () => {
    const reassembler = new Reassembler();
    reassembler.addPart(0x0801, 2, 1, 0, part(1), 0);
    expect(reassembler.expire(limits.reassemblyAgeMs - 1)).toBe(0);
    expect(reassembler.expire(limits.reassemblyAgeMs)).toBe(1);
    expect([reassembler.size, reassembler.heldBytes]).toEqual([0, 0]);
  });
});

describe('the bounds', () => {
  it.each([
    ['number 0', 3, 0, 'index'],
    ['a number beyond the total', 3, 4, 'index'],
    ['more parts than the limit', limits.reassemblyParts + 1, 1, 'parts'],
  ])('%s is refused', (_name, total, index, reason) => {
    expect(new Reassembler().addPart(0x0801, total, index, 0, part(1), 0)).toEqual({ state: 'refused', reason });
  });

  it('the largest number of parts is taken', () => {
    expect(new Reassembler().addPart(0x0801, limits.reassemblyParts, 1, 0, part(1), 0).state).toBe('waiting');
  });

  it('the oldest unfinished message makes room for a fifth', () => {
    const reassembler = new Reassembler();
    for (let i = 0; i <= limits.reassemblyMessages; i++) {
      reassembler.addPart(0x0801, 2, 1, i * 1000, part(i), 0);
    }
    expect(reassembler.size).toBe(limits.reassemblyMessages);
    expect(reassembler.missing(10_000).map(({ firstSerial }) => firstSerial)).toEqual([1000, 2000, 3000, 4000]);
  });

  it('bytes are bounded: older messages make room, one too large alone is refused', () => {
    const reassembler = new Reassembler({ maxBytes: 10 });
    reassembler.addPart(0x0801, 2, 1, 0, new Uint8Array(6), 0);
    expect(reassembler.addPart(0x0801, 3, 1, 5000, new Uint8Array(6), 0).state).toBe('waiting');
    expect([reassembler.size, reassembler.heldBytes]).toEqual([1, 6]);
    expect(reassembler.addPart(0x0801, 3, 2, 5001, new Uint8Array(4), 0).state).toBe('waiting');
    expect(reassembler.addPart(0x0801, 3, 3, 5002, new Uint8Array(1), 0)).toEqual({
      state: 'refused',
      reason: 'bytes',
    });
    expect([reassembler.size, reassembler.heldBytes]).toEqual([0, 0]);
  });
});
