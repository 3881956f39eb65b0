import { toHex } from '../../bytes/hex.js';
import type { VendorAttributes, VendorInput } from './dialect.js';

/** Small readers that the vendor items share. All offsets count from the start of the item. */

export const lengthOf = ({ start, end }: VendorInput): number => end - start;

export const byteAt = ({ bytes, start }: VendorInput, at: number): number => bytes[start + at]!;

export const wordAt = ({ bytes, start }: VendorInput, at: number): number =>
  (bytes[start + at]! << 8) | bytes[start + at + 1]!;

export const doubleWordAt = (input: VendorInput, at: number): number =>
  wordAt(input, at) * 0x10000 + wordAt(input, at + 2);

/** Printable ASCII, NUL and space cut off on both sides; undefined when it is empty or anything else is in it. */
export function asciiAt({ bytes, start, end }: VendorInput, at = 0, length = end - start - at): string | undefined {
  let text = '';
  for (let i = start + at; i < start + at + length; i++) {
    const value = bytes[i]!;
    if (value !== 0 && (value < 0x20 || value > 0x7e)) return undefined;
    text += value === 0 ? ' ' : String.fromCharCode(value);
  }
  const trimmed = text.trim();
  return trimmed === '' ? undefined : trimmed;
}

export const hexAt = ({ bytes, start }: VendorInput, at: number, length: number): string =>
  toHex(bytes, start + at, start + at + length);

/** A raw number in parts of a unit, without the noise of binary fractions: `inParts(401, 100)` is 4.01. */
export const inParts = (raw: number, parts: number): number => raw / parts;

export function addAlarm(attributes: VendorAttributes, word: string): void {
  const alarms = (attributes.alarms ??= []);
  if (!alarms.includes(word)) alarms.push(word);
}

/** A percentage, kept only when it is one. */
export function setPercent(attributes: VendorAttributes, value: number): void {
  if (value <= 100) attributes.batteryPercent = value;
}

/** ICCID digits; the filler of a half byte at the end is cut off, an unset card is left out. */
export function setIccid(attributes: VendorAttributes, digits: string | undefined): void {
  const iccid = digits?.replace(/f+$/i, '');
  if (iccid !== undefined && /^\d{10,20}$/.test(iccid) && !/^0+$/.test(iccid)) attributes.iccid = iccid;
}

/** IMEI digits, left out when they are not 15 or all zero. */
export function setImei(attributes: VendorAttributes, digits: string | undefined): void {
  if (digits !== undefined && /^\d{15}$/.test(digits) && !/^0+$/.test(digits)) attributes.imei = digits;
}
