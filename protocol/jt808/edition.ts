import type { Frame } from './frame.js';

/** The three editions of JT/T 808 that are in the field. */
export type Edition = 2011 | 2013 | 2019;

export const editions: readonly Edition[] = [2011, 2013, 2019];

/** Body bytes of a 0x0100 below which it can only be the 2011 layout (reference 0.1, step 3). */
const shortestRegistration2013 = 37;

/**
 * The edition of a frame (reference 0.1). A long header is 2019. With a short header the body decides for 0x0100 and
 * 0x0702; otherwise what is `known` of the connection, and 2013 when nothing is.
 */
export function detectEdition(frame: Frame, known?: Edition): Edition {
  if (frame.phoneEnd - frame.phoneStart === 10) return 2019;
  const shortForm = known === 2011 ? 2011 : 2013;
  const bodyBytes = frame.bodyEnd - frame.bodyStart;
  if (frame.messageId === 0x0100) return bodyBytes < shortestRegistration2013 ? 2011 : 2013;
  if (frame.messageId === 0x0702 && bodyBytes > 0) return isIdentity2013(frame) ? 2013 : 2011;
  return shortForm;
}

/** True when a 0x0702 starts with status 1 or 2 and a BCD time; the 2011 body starts with the length of the name. */
function isIdentity2013(frame: Frame): boolean {
  const { bytes, bodyStart, bodyEnd } = frame;
  const status = bytes[bodyStart]!;
  return (status === 1 || status === 2) && bodyEnd - bodyStart >= 7 && isBcd(bytes, bodyStart + 1, bodyStart + 7);
}

/** True when every nibble of `bytes[start..end)` is a decimal digit. */
export function isBcd(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const value = bytes[i]!;
    if (value >> 4 > 9 || (value & 15) > 9) return false;
  }
  return true;
}
