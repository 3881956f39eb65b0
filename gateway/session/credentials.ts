/** Authentication codes: 128 random bits, kept as SHA-256, compared in constant time. */
import { createHash, timingSafeEqual } from 'node:crypto';

/** SHA-256 of a code as hex. */
export function hashCode(code: string): string {
  return createHash('sha256').update(code, 'utf8').digest('hex');
}

/**
 * The valid code that `given` is, as its hash, or undefined. Every code is compared whatever the others gave, so that
 * the time says nothing about which one it was or how near.
 */
export function matchCode(given: string, codes: readonly string[]): string | undefined {
  const hash = Buffer.from(hashCode(given), 'hex');
  let matched: string | undefined;
  for (const code of codes) {
    const known = Buffer.from(code, 'hex');
    if (known.length === hash.length && timingSafeEqual(known, hash)) matched = code;
  }
  return matched;
}

/** A fresh code from 16 random bytes: 32 hex digits, which every edition can carry (reference 2.3). */
export function codeFrom(random: Uint8Array): string {
  return Buffer.from(random.subarray(0, 16)).toString('hex');
}
