import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeText, encodeText, toHex, truncateText } from '../../protocol/index.js';
import { gbkText } from './arbitraries.js';

describe('GB18030 text', () => {
  it('is the GBK of the standard for Chinese characters', () => {
    expect(toHex(encodeText('浙B00T17'))).toBe('d5e3423030543137');
    expect(decodeText(encodeText('新任务：人民路12号，更换轮胎'))).toBe('新任务：人民路12号，更换轮胎');
  });

  it('carries characters whose second byte is an escape or a flag', () => {
    const bytes = encodeText('亇亊');
    expect([...bytes].filter((byte) => byte === 0x7d || byte === 0x7e).length).toBeGreaterThan(0);
    expect(decodeText(bytes)).toBe('亇亊');
  });

  it('comes back', () => {
    fc.assert(
      fc.property(gbkText(96), (text) => {
        expect(decodeText(encodeText(text))).toBe(text);
      }),
    );
  });

  it('is never cut inside a character, and never shorter than need be', () => {
    fc.assert(
      fc.property(gbkText(96), fc.integer({ min: 0, max: 60 }), (text, maxBytes) => {
        const cut = truncateText(text, maxBytes);
        expect(text.startsWith(cut)).toBe(true);
        expect(encodeText(cut).length).toBeLessThanOrEqual(maxBytes);
        expect(decodeText(encodeText(cut))).toBe(cut);
        const next = [...text.slice(cut.length)][0];
        if (next !== undefined) expect(encodeText(cut + next).length).toBeGreaterThan(maxBytes);
      }),
    );
  });

  it('bytes that are no text are read without an error', () => {
    expect(decodeText(new Uint8Array([0x41, 0xff, 0x42]))).toContain('A');
  });
});
