/** Why a piece between two flags is no frame, in figures: whoever builds a terminal looks for the fault on his side. */
import type { DecodeErrorCode } from '../errors.js';
import { unescape, type Framing } from './framing.js';
import { Frame, loggedRules, readHeader, vendorRules } from './frame.js';

export interface RefusedPiece {
  /** What was found and what was expected; empty where the code says all. */
  words: string;
  /** Set where only the checksum is wrong: the rest can be read, and often shows what went wrong. */
  frame?: Frame;
}

/** @param bytes hold the piece at `start..end`, without its flags */
export function lookAtRefused(
  code: DecodeErrorCode,
  bytes: Uint8Array,
  start: number,
  end: number,
  framing: Framing,
): RefusedPiece {
  const plain = new Uint8Array(end - start);
  const content = plain.subarray(0, unescape(framing, bytes, start, end, plain));
  const last = content.length - 1;
  if (code === 'checksum') {
    const expected = content.subarray(0, last).reduce((xor, byte) => xor ^ byte, 0);
    const frame = new Frame();
    const rules = framing.name === 'e7' ? vendorRules : loggedRules;
    const isRead = readHeader(frame, content, 0, last, rules) === undefined;
    const words = `found ${hexByte(content[last] ?? 0)}, expected ${hexByte(expected)}: the XOR over header and body`;
    return isRead ? { words, frame } : { words };
  }
  const header = headerBytes(content, framing);
  if (code === 'too_short') return { words: `${content.length} bytes; header and checksum alone have ${header + 1}` };
  if (code === 'header') return { words: `${content.length} bytes; its header and checksum alone have ${header + 1}` };
  if (code !== 'length') return { words: '' };
  const declared = ((content[2]! << 8) | content[3]!) & 0x3ff;
  return { words: `the header says ${declared} bytes of body, ${last - header} are there` };
}

/** Length of the header that the attribute word promises; that of a short one where there is no such word. */
function headerBytes(content: Uint8Array, { shortPhoneBytes }: Framing): number {
  const attributes = content.length < 4 ? 0 : (content[2]! << 8) | content[3]!;
  return ((attributes & 0x4000) !== 0 ? 17 : 6 + shortPhoneBytes) + ((attributes & 0x2000) !== 0 ? 4 : 0);
}

const hexByte = (value: number): string => `0x${value.toString(16).padStart(2, '0')}`;
