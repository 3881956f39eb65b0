import { copyBytes } from '../bytes/copy.js';
import { toHex } from '../bytes/hex.js';
import { DecodeError, type DecodeErrorCode } from '../errors.js';

/** A frame that is read although something about it is wrong (reference 1.3, 1.10). */
export type FrameWarning =
  /** More body than declared; all of it is the body. */
  | 'longer_than_declared'
  /** A location with less body than declared, but a whole base block. */
  | 'shorter_than_declared'
  /** The checksum was 0x7e, sent unescaped, and acted as the closing flag. */
  | 'checksum_was_flag'
  /** Bit 14 is set, but the header is the short one. */
  | 'version_flag_on_short_header'
  /** The header is the long one, but bit 14 is not set. */
  | 'long_header_without_version_flag';

/** The header values that every answer to a terminal repeats exactly as the terminal sent them (reference 0.1). */
export interface Identity {
  /** Bit 14 of the attribute word. */
  readonly versionFlag: boolean;
  /** The version byte of a 2019 header; 0 where there is none. */
  readonly protocolVersion: number;
  /** The phone bytes: 6 (short header), 10 (2019) or 7 (vendor framing `e7`). */
  readonly phoneRaw: Uint8Array;
}

const noBytes = new Uint8Array(0);

/**
 * One frame, unescaped, its header read. A `FrameSplitter` fills the same object again and again: everything here is
 * valid only during the callback that hands it over. Keep numbers, strings and copies, never the object or `bytes`.
 */
export class Frame {
  messageId = 0;
  /** The body attribute word as it is (reference 1.6). */
  attributes = 0;
  versionFlag = false;
  /** The version byte of a 2019 header, 0 otherwise. */
  protocolVersion = 0;
  serial = 0;
  /** Parts of a sub-packaged message, 0 when the frame is not sub-packaged. */
  total = 0;
  /** Number of this part, from 1; 0 when the frame is not sub-packaged. */
  index = 0;
  /** Bits 10..12 of the attribute word; the body is cipher text when not 0. */
  encryption = 0;
  /** Holds the unescaped frame; other bytes may surround it. */
  bytes: Uint8Array = noBytes;
  /** First header byte in `bytes`. */
  start = 0;
  /** One past the last body byte in `bytes`; the checksum is not part of it. */
  end = 0;
  bodyStart = 0;
  bodyEnd = 0;
  phoneStart = 0;
  phoneEnd = 0;
  /** True for the vendor header with a serial of one byte (0x5501, 0x5502). */
  shortSerial = false;
  warning: FrameWarning | undefined = undefined;

  private cachedPhone = '';
  private cachedPhoneRaw: Uint8Array = noBytes;

  /** The identity as text: its hex digits (the decimal digits of BCD) without leading zeros. */
  get phone(): string {
    if (!this.hasCachedPhone()) {
      this.cachedPhoneRaw = copyBytes(this.bytes, this.phoneStart, this.phoneEnd);
      this.cachedPhone = phoneText(this.cachedPhoneRaw);
    }
    return this.cachedPhone;
  }

  /** A copy of the phone bytes. */
  get phoneRaw(): Uint8Array {
    return copyBytes(this.bytes, this.phoneStart, this.phoneEnd);
  }

  /** A view of the body; valid only as long as the frame is. */
  get body(): Uint8Array {
    return this.bytes.subarray(this.bodyStart, this.bodyEnd);
  }

  /** A copy of header and body without checksum, which `parseFrame` reads again: this is what goes to a log. */
  copyContent(): Uint8Array {
    return copyBytes(this.bytes, this.start, this.end);
  }

  /**
   * What answers to this frame must repeat. Gives back `previous` when that is the same, so that a connection makes
   * the object once.
   */
  identity(previous?: Identity): Identity {
    if (
      previous !== undefined &&
      previous.versionFlag === this.versionFlag &&
      previous.protocolVersion === this.protocolVersion &&
      this.phoneEquals(previous.phoneRaw)
    ) {
      return previous;
    }
    return { versionFlag: this.versionFlag, protocolVersion: this.protocolVersion, phoneRaw: this.phoneRaw };
  }

  /** Where header, declared body and checksum would end, counted from `start`. */
  declaredEnd(): number {
    return this.bodyStart - this.start + (this.attributes & 0x03ff) + 1;
  }

  /** True when the phone bytes are exactly these. */
  phoneEquals(raw: Uint8Array): boolean {
    const { bytes, phoneStart } = this;
    const length = this.phoneEnd - phoneStart;
    if (raw.length !== length) return false;
    for (let i = 0; i < length; i++) if (raw[i] !== bytes[phoneStart + i]) return false;
    return true;
  }

  private hasCachedPhone(): boolean {
    return this.cachedPhoneRaw.length > 0 && this.phoneEquals(this.cachedPhoneRaw);
  }
}

/** The identity bytes as text (see `Frame.phone`). */
export function phoneText(raw: Uint8Array): string {
  const digits = toHex(raw);
  let first = 0;
  while (first < digits.length - 1 && digits.charCodeAt(first) === 48) first++;
  return digits.slice(first);
}

/**
 * The identity bytes of a phone number, left-filled with zeros.
 * @param bytes 6 for a short header, 10 for a 2019 header
 * @throws DecodeError `value` when it has more digits than fit or other characters than hex digits
 */
export function phoneToRaw(phone: string, bytes: 6 | 7 | 10): Uint8Array {
  if (!/^[0-9a-f]+$/i.test(phone) || phone.length > bytes * 2) {
    throw new DecodeError('value', 0, `expected a phone of 1 to ${bytes * 2} digits, found ${JSON.stringify(phone)}`);
  }
  return new Uint8Array(Buffer.from(phone.padStart(bytes * 2, '0'), 'hex'));
}

/** Header forms beside the standard one that `readHeader` may accept. */
export interface HeaderRules {
  /** Bytes of the identity in a short header: 6 by the standard, 7 in the vendor framing `e7`. */
  readonly shortPhoneBytes: 6 | 7;
  /** Accept 0x5501 and 0x5502 with their serial of one byte (reference 1.11). */
  readonly shortSerial: boolean;
}

export const standardRules: HeaderRules = { shortPhoneBytes: 6, shortSerial: false };
/** Of the vendor framing with 0xE7 flags. */
export const vendorRules: HeaderRules = { shortPhoneBytes: 7, shortSerial: false };
/** For frames that were accepted before: the framing option already decided, the ids alone are enough now. */
export const loggedRules: HeaderRules = { shortPhoneBytes: 6, shortSerial: true };

const locationBaseBytes = 28;

/**
 * Reads the header of `bytes[start..end)` (header and body, unescaped, without checksum) into `frame`.
 * @returns the reason why this is no frame, or undefined
 */
export function readHeader(
  frame: Frame,
  bytes: Uint8Array,
  start: number,
  end: number,
  rules: HeaderRules,
): DecodeErrorCode | undefined {
  const length = end - start;
  if (length < 11) return 'too_short';
  const attributes = (bytes[start + 2]! << 8) | bytes[start + 3]!;
  const versionFlag = (attributes & 0x4000) !== 0;
  const subPackaged = (attributes & 0x2000) !== 0;
  const declared = (attributes & 0x03ff) + (subPackaged ? 4 : 0);

  frame.messageId = (bytes[start]! << 8) | bytes[start + 1]!;
  frame.attributes = attributes;
  frame.versionFlag = versionFlag;
  frame.encryption = (attributes >> 10) & 7;
  frame.bytes = bytes;
  frame.start = start;
  frame.end = end;
  frame.bodyEnd = end;
  frame.shortSerial = false;
  frame.warning = undefined;

  let phoneBytes: number = versionFlag ? 10 : rules.shortPhoneBytes;
  if (length !== declared + (versionFlag ? 17 : 6 + phoneBytes)) {
    const found = readOddHeader(frame, length, declared, rules);
    if (typeof found === 'string') return found;
    phoneBytes = found;
  }
  let at = start + 4;
  if (phoneBytes === 10) frame.protocolVersion = bytes[at++]!;
  else frame.protocolVersion = 0;
  frame.phoneStart = at;
  frame.phoneEnd = at += phoneBytes;
  if (frame.shortSerial) {
    frame.serial = bytes[at]!;
    at += 1;
  } else {
    frame.serial = (bytes[at]! << 8) | bytes[at + 1]!;
    at += 2;
  }
  if (subPackaged && !frame.shortSerial) {
    frame.total = (bytes[at]! << 8) | bytes[at + 1]!;
    frame.index = (bytes[at + 2]! << 8) | bytes[at + 3]!;
    at += 4;
  } else {
    frame.total = 0;
    frame.index = 0;
  }
  frame.bodyStart = at;
  return undefined;
}

/**
 * A frame whose length is not what its header says (reference 1.10, 1.11). The forms that explain the length exactly
 * come first; then more body than declared is accepted, less is refused.
 * @returns the width of the identity, or the reason of the refusal
 */
function readOddHeader(frame: Frame, length: number, declared: number, rules: HeaderRules): number | DecodeErrorCode {
  const { bytes, start, messageId, versionFlag } = frame;
  const shortHeader = 6 + rules.shortPhoneBytes;
  if (rules.shortSerial && (messageId === 0x5501 || messageId === 0x5502) && length === 11 + declared) {
    frame.shortSerial = true;
    frame.encryption = 0;
    return 6;
  }
  if (versionFlag && length === shortHeader + declared) {
    frame.warning = 'version_flag_on_short_header';
    return rules.shortPhoneBytes;
  }
  if (!versionFlag && length === 17 + declared && bytes[start + 4] === 1 && bytes[start + 5] === 0) {
    frame.warning = 'long_header_without_version_flag';
    return 10;
  }
  const header = (versionFlag ? 17 : shortHeader) + ((frame.attributes & 0x2000) !== 0 ? 4 : 0);
  if (length < header) return length < 12 ? 'too_short' : 'header';
  if (length > header + (frame.attributes & 0x03ff)) {
    // Only so much as a length field could have said: a longer piece is several things that lost their flags.
    if (length - header > 0x03ff) return 'length';
    frame.warning = 'longer_than_declared';
  } else if (messageId === 0x0200 && length - header >= locationBaseBytes) frame.warning = 'shorter_than_declared';
  else return 'length';
  return versionFlag ? 10 : rules.shortPhoneBytes;
}

/**
 * Reads a frame again that was accepted before and kept by `Frame.copyContent` (header and body, no checksum).
 * @param into object to fill instead of a new one
 * @param rules only for listeners with the vendor framing `e7`
 * @throws DecodeError when these bytes are no frame
 */
export function parseFrame(
  content: Uint8Array,
  start = 0,
  end = content.length,
  into: Frame = new Frame(),
  rules: HeaderRules = loggedRules,
): Frame {
  const reason = readHeader(into, content, start, end, rules);
  if (reason !== undefined) throw new DecodeError(reason, start, `no frame in ${end - start} bytes`);
  return into;
}
