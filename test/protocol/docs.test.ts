import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { describeStream, dialects, fromHex } from '../../protocol/index.js';
import { jt808Document, jt808DocumentFile } from '../../scripts/jt808-table.js';

const decodeFormat = readFileSync(fileURLToPath(new URL('../../docs/decode-format.md', import.meta.url)), 'utf8');

describe('the documents about the wire', () => {
  it('docs/jt808.md is what the declarations say', () => {
    expect(readFileSync(jt808DocumentFile, 'utf8')).toBe(jt808Document());
  });

  it('the frames of docs/terminals.md are sound, in the order that the page tells', () => {
    const page = readFileSync(fileURLToPath(new URL('../../docs/terminals.md', import.meta.url)), 'utf8');
    const frames = page.match(/^7e[0-9a-f]+7e$/gm) ?? [];
    const lines = describeStream(fromHex(frames.join('')));
    expect(lines).toMatchObject([
      { name: 'register', serial: 1, body: { maker: 'MAKER', terminalId: 'T000001', plate: '京A10001' } },
      { name: 'registerAnswer', body: { replySerial: 1, result: 0, token: 'e96c6532b5f222200dd637bad91c08c5' } },
      { name: 'authenticate', serial: 2, body: { token: 'e96c6532b5f222200dd637bad91c08c5' } },
      { name: 'platformAck', body: { replySerial: 2, replyId: 0x0102, result: 0 } },
      { name: 'location', serial: 3, locations: [{ lat: 36.62, lon: 101.77, timeUtc: '2026-11-22T05:41:09Z' }] },
    ]);
  });

  it('docs/decode-format.md names every dialect', () => {
    for (const name of Object.keys(dialects)) expect(decodeFormat).toContain(`| \`${name}\` |`);
  });
});
