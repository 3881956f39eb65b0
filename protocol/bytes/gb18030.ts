import iconv from 'iconv-lite';

const decoder = new TextDecoder('gb18030');

/** Bytes of `text` in GB18030, of which GBK (JT/T 808 STRING, reference 1.1) is the two-byte part. */
export function encodeText(text: string): Uint8Array {
  return iconv.encode(text, 'gb18030');
}

/** Text of GB18030 / GBK bytes; bytes that are no text become U+FFFD, nothing throws. */
export function decodeText(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** The longest start of `text` that has at most `maxBytes` bytes in GB18030, never cut inside a character. */
export function truncateText(text: string, maxBytes: number): string {
  let used = 0;
  let kept = 0;
  for (const character of text) {
    used += character.charCodeAt(0) < 0x80 ? 1 : encodeText(character).length;
    if (used > maxBytes) break;
    kept += character.length;
  }
  return text.slice(0, kept);
}
