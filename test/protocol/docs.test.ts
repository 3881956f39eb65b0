import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { dialects } from '../../protocol/index.js';
import { jt808Document, jt808DocumentFile } from '../../scripts/jt808-table.js';

const decodeFormat = readFileSync(fileURLToPath(new URL('../../docs/decode-format.md', import.meta.url)), 'utf8');

describe('the documents about the wire', () => {
  it('docs/jt808.md is what the declarations say', () => {
    expect(readFileSync(jt808DocumentFile, 'utf8')).toBe(jt808Document());
  });

  it('docs/decode-format.md names every dialect', () => {
    for (const name of Object.keys(dialects)) expect(decodeFormat).toContain(`| \`${name}\` |`);
  });
});
