/**
 * Hides the authentication code where people look at bytes: the answer to a registration (0x8100) hands it out, an
 * authentication (0x0102) shows it (reference 2.3, 2.4). Whoever has it can be that terminal.
 */
import { limits } from '../limits.js';
import { Frame, readHeader, standardRules, vendorRules } from './frame.js';
import { e7Framing, framingOf, unescape, type Framing } from './framing.js';

const MASK = 0x2a;
/** Identity bytes at the start of a piece that is no frame are shown; they end here in the shortest header. */
const shortHeaderBytes = 12;
/** IMEI and software version behind the code of 0x0102 in 2019 (reference 2.4). */
const deviceBytes = 35;

const carriesCode = (first: number | undefined, second: number | undefined): boolean =>
  (first === 0x01 && second === 0x02) || (first === 0x81 && second === 0x00);

/**
 * A frame as it may be shown.
 * @param content header and body, unescaped, without checksum, or what there is of them
 * @returns `content` itself where it holds no code, else a copy of the same length with `*` in place of the code
 */
export function maskCode(content: Uint8Array, framing?: Framing): Uint8Array {
  if (!carriesCode(content[0], content[1])) return content;
  const masked = content.slice();
  const frame = new Frame();
  const rules = framing === e7Framing ? vendorRules : standardRules;
  const isFrame = readHeader(frame, masked, 0, masked.length, rules) === undefined;
  if (!isFrame) return masked.fill(MASK, shortHeaderBytes);
  const { messageId, total, bodyStart, end, versionFlag } = frame;
  if (total > 0) return masked.fill(MASK, bodyStart);
  if (messageId === 0x8100) return masked.fill(MASK, bodyStart + 3);
  const code = masked[bodyStart]!;
  // Some terminals of 2019 send the code alone; then all of it is hidden.
  if (!versionFlag || end - bodyStart !== 1 + code + deviceBytes) return masked.fill(MASK, bodyStart);
  return masked.fill(MASK, bodyStart + 1, bodyStart + 1 + code);
}

/**
 * One direction of a connection as it may be shown, in the pieces in which it came. Frames that carry a code are held
 * until they are whole; the checksum is changed with them, so that a sound frame stays sound and a damaged one damaged.
 */
export class CodeMask {
  /** Bytes since the flag while it is not known, or known, that they carry a code. */
  #held: number[] = [];
  /** What is before the first flag may be the rest of a code. */
  #state: 'skip' | 'start' | 'pass' | 'hold' = 'skip';
  #framing: Framing | undefined;

  /** @returns what may be shown by now */
  push(chunk: Uint8Array): Uint8Array {
    this.#framing ??= framingOf(chunk);
    const shown: number[] = [];
    for (const byte of chunk) {
      if (byte === this.#framing.flag) {
        if (this.#state === 'hold') shown.push(...maskedPiece(Uint8Array.from(this.#held), this.#framing));
        else shown.push(...this.#held);
        shown.push(byte);
        this.#held = [];
        this.#state = 'start';
      } else if (this.#state === 'pass') shown.push(byte);
      else if (this.#state === 'start') this.#begin(byte, shown);
      else if (this.#state === 'hold' && this.#held.push(byte) > limits.candidateBytes) {
        this.#held = [];
        this.#state = 'skip';
      }
    }
    return Uint8Array.from(shown);
  }

  /** The ids that carry a code need no escape: two bytes tell. */
  #begin(byte: number, shown: number[]): void {
    if (this.#held.push(byte) < 2) return;
    this.#state = carriesCode(this.#held[0], this.#held[1]) ? 'hold' : 'pass';
    if (this.#state === 'hold') return;
    shown.push(...this.#held);
    this.#held = [];
  }
}

/** What stands between two flags, as it came. */
function maskedPiece(wire: Uint8Array, framing: Framing): number[] {
  const plain = new Uint8Array(wire.length);
  const length = unescape(framing, wire, 0, wire.length, plain);
  const content = plain.subarray(0, length - 1);
  const masked = maskCode(content, framing);
  let checksum = plain[length - 1]!;
  for (let i = 0; i < content.length; i++) checksum ^= content[i]! ^ masked[i]!;
  return [...masked, checksum].flatMap((byte) => {
    const escape = framing.escapeOf(byte);
    return escape === undefined ? [byte] : [escape.first, escape.second];
  });
}
