import { isBcd } from './edition.js';

/** Terminals speak GMT+8 everywhere except 0x8004 (reference 1.1). */
export const terminalOffsetMs = 8 * 3600 * 1000;

const daysOfMonth = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/** 00:00 UTC of 20`year`-`month`-`day`, or NaN when that is no date. */
export function utcDay(year: number, month: number, day: number): number {
  if (month < 1 || month > 12 || day < 1 || day > daysOfMonth[month - 1]!) return NaN;
  if (month === 2 && day === 29 && year % 4 !== 0) return NaN;
  return Date.UTC(2000 + year, month - 1, day);
}

/**
 * Milliseconds UTC of a BCD time `YYMMDDhhmmss`, or NaN when it is no time ("unknown", reference 1.1).
 * @param digits twelve digits as the wire has them
 * @param offsetMs what the sender's clock is ahead of UTC
 */
export function timeToMs(digits: string, offsetMs: number = terminalOffsetMs): number {
  if (!/^\d{12}$/.test(digits)) return NaN;
  const [year, month, day, hour, minute, second] = digits.match(/../g)!.map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (hour > 23 || minute > 59 || second > 59) return NaN;
  return utcDay(year, month, day) + ((hour * 60 + minute) * 60 + second) * 1000 - offsetMs;
}

/** The BCD time of a moment as twelve digits; all zero when it is no number (which the standard reads as "not set"). */
export function msToTime(ms: number, offsetMs: number = terminalOffsetMs): string {
  if (!Number.isFinite(ms)) return '000000000000';
  return new Date(ms + offsetMs).toISOString().replace(/[-:T]/g, '').slice(2, 14);
}

/**
 * Reads BCD times in place. The day is parsed again only when it changes: reports of one connection share it.
 */
export class TimeReader {
  private dayKey = -1;
  private dayStartMs = NaN;

  /** Milliseconds UTC of the GMT+8 time in `bytes[at..at+6)`, or NaN when it is none. Allocates nothing. */
  read(bytes: Uint8Array, at: number): number {
    const dayKey = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
    if (dayKey !== this.dayKey) {
      this.dayKey = dayKey;
      this.dayStartMs = isBcd(bytes, at, at + 3)
        ? utcDay(decimal(bytes[at]!), decimal(bytes[at + 1]!), decimal(bytes[at + 2]!)) - terminalOffsetMs
        : NaN;
    }
    const hour = bytes[at + 3]!;
    const minute = bytes[at + 4]!;
    const second = bytes[at + 5]!;
    // As BCD the limits compare like numbers: 0x23 is 23. A nibble above 9 in the low half is left to check.
    if (hour > 0x23 || minute > 0x59 || second > 0x59) return NaN;
    if ((hour & 15) > 9 || (minute & 15) > 9 || (second & 15) > 9) return NaN;
    return this.dayStartMs + decimal(hour) * 3_600_000 + decimal(minute) * 60_000 + decimal(second) * 1000;
  }
}

function decimal(value: number): number {
  return (value >> 4) * 10 + (value & 15);
}
