import { DecodeError } from '../errors.js';

const digits = '0123456789abcdef';
const pairs: string[] = Array.from({ length: 256 }, (_, value) => digits[value >> 4]! + digits[value & 15]!);

/** Lower-case hex of `bytes[start..end)`. */
export function toHex(bytes: Uint8Array, start = 0, end = bytes.length): string {
  let text = '';
  for (let i = start; i < end; i++) text += pairs[bytes[i]!]!;
  return text;
}

/**
 * Bytes of a hex text; white space and `0x` prefixes between bytes are allowed.
 * @throws DecodeError `value` with the offset of the character that is not hex, or of an odd digit left over.
 */
export function fromHex(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length >> 1);
  let length = 0;
  let high = -1;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 32 || c === 9 || c === 10 || c === 13) continue;
    if (high < 0 && c === 48 && (text.charCodeAt(i + 1) | 32) === 120) {
      i++;
      continue;
    }
    const lower = c | 32;
    const digit = c >= 48 && c <= 57 ? c - 48 : lower >= 97 && lower <= 102 ? lower - 87 : -1;
    if (digit < 0) throw new DecodeError('value', i, `expected a hex digit, found ${JSON.stringify(text[i])}`);
    if (high < 0) high = digit;
    else {
      bytes[length++] = (high << 4) | digit;
      high = -1;
    }
  }
  if (high >= 0) throw new DecodeError('value', text.length, 'expected an even number of hex digits');
  return bytes.subarray(0, length);
}
