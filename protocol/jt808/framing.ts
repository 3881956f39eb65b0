/**
 * The two ways to mark the ends of a frame and to escape bytes inside it: the standard one (reference 1.3) and the
 * vendor one with 0xe7 flags (reference 1.11), chosen per listener.
 */
export interface Framing {
  readonly name: 'standard' | 'e7';
  readonly flag: number;
  /** Bytes that start an escape; equal when there is only one. */
  readonly escapeA: number;
  readonly escapeB: number;
  /** Bytes of the identity in a short header. */
  readonly shortPhoneBytes: 6 | 7;
  /** The plain byte of an escape pair, or -1 when the pair is none. */
  plain(escape: number, next: number): number;
  /** Second byte of the escape of `plain`, or 0 when the byte is sent as it is. */
  escapeOf(plain: number): { first: number; second: number } | undefined;
}

export type FramingName = Framing['name'];

/**
 * The framing of a stream by its first byte, as a listener tells it (reference 1.11): a frame of the standard never
 * starts with 0xe7.
 */
export function framingOf(bytes: Uint8Array): Framing {
  return bytes[0] === e7Framing.flag ? e7Framing : standardFraming;
}

/** A framing by its name, or by the first byte. */
export function framingNamed(name: FramingName | 'auto', bytes: Uint8Array): Framing {
  if (name === 'auto') return framingOf(bytes);
  return name === 'e7' ? e7Framing : standardFraming;
}

export const standardFraming: Framing = {
  name: 'standard',
  flag: 0x7e,
  escapeA: 0x7d,
  escapeB: 0x7d,
  shortPhoneBytes: 6,
  plain: (_escape, next) => (next === 0x01 ? 0x7d : next === 0x02 ? 0x7e : -1),
  escapeOf(plain) {
    if (plain === 0x7d) return { first: 0x7d, second: 0x01 };
    if (plain === 0x7e) return { first: 0x7d, second: 0x02 };
    return undefined;
  },
};

export const e7Framing: Framing = {
  name: 'e7',
  flag: 0xe7,
  escapeA: 0xe6,
  escapeB: 0x3e,
  shortPhoneBytes: 7,
  plain(escape, next) {
    if (escape === 0xe6) return next === 0x01 ? 0xe6 : next === 0x02 ? 0xe7 : -1;
    return next === 0x01 ? 0x3e : next === 0x02 ? 0x3d : -1;
  },
  escapeOf(plain) {
    if (plain === 0xe6) return { first: 0xe6, second: 0x01 };
    if (plain === 0xe7) return { first: 0xe6, second: 0x02 };
    if (plain === 0x3e) return { first: 0x3e, second: 0x01 };
    if (plain === 0x3d) return { first: 0x3e, second: 0x02 };
    return undefined;
  },
};

/**
 * Undoes the escapes of `bytes[start..end)` into `into`. A pair that is no escape, and an escape byte at the very end,
 * are kept literally: the checksum decides (reference 1.3).
 * @returns the number of plain bytes
 */
export function unescape(framing: Framing, bytes: Uint8Array, start: number, end: number, into: Uint8Array): number {
  let length = 0;
  for (let i = start; i < end; i++) {
    const value = bytes[i]!;
    if ((value === framing.escapeA || value === framing.escapeB) && i + 1 < end) {
      const plain = framing.plain(value, bytes[i + 1]!);
      if (plain >= 0) {
        into[length++] = plain;
        i++;
        continue;
      }
    }
    into[length++] = value;
  }
  return length;
}
