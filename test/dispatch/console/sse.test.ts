import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SseParser } from '../../../dispatch/console/src/api/sse-parser.js';

const all = (pieces: readonly string[]) => {
  const parser = new SseParser();
  return pieces.flatMap((piece) => parser.push(piece));
};

describe('the reader of server-sent events', () => {
  it('gives a message at the empty line, with id, type and data', () => {
    expect(all(['id: 7\nevent: positions\ndata: [1]\n\n'])).toEqual([{ id: '7', event: 'positions', data: '[1]' }]);
  });

  it('joins lines of data and calls a message without a type "message"', () => {
    expect(all(['data: a\ndata: b\n\n'])).toEqual([{ id: undefined, event: 'message', data: 'a\nb' }]);
  });

  it('keeps the last id for messages without one and passes over comments', () => {
    const messages = all(['id: 3\ndata: x\n\n', ': heartbeat\n\n', 'data: y\n\n']);
    expect(messages.map((message) => [message.id, message.data])).toEqual([
      ['3', 'x'],
      ['3', 'y'],
    ]);
  });

  it('gives the same messages however the bytes are cut', () => {
    const text = 'id: 1\r\ndata: 修复\r\n\r\n: comment\n\nevent: positions\ndata: [{"a":1}]\n\nid: 2\ndata: z\n\n';
    const whole = all([text]);
    expect(whole).toHaveLength(3);
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 12 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), text.length];
        const pieces = at.slice(1).map((end, index) => text.slice(at[index], end));
        expect(all(pieces)).toEqual(whole);
      }),
    );
  });
});
