/** Frames of a vehicle's CAN buses in 0x0705 (reference 5.9). What the ids and bytes mean is the vehicle maker's. */
import { terminalOffsetMs } from './time.js';

/** What a CAN id of 0x0705 says: bit 31 the channel, 30 the frame's form, 29 whether its value is averaged, 28..0 the id. */
export interface CanSource {
  readonly channel: 1 | 2;
  readonly extended: boolean;
  readonly averaged: boolean;
  readonly id: number;
}

export function canSourceOf(canId: number): CanSource {
  return {
    channel: canId >>> 31 === 1 ? 2 : 1,
    extended: (canId & 0x4000_0000) !== 0,
    averaged: (canId & 0x2000_0000) !== 0,
    id: canId & 0x1fff_ffff,
  };
}

/** `CAN 1, extended frame, id 0x18fef100` */
export function canWords(canId: number): string {
  const { channel, extended, averaged, id } = canSourceOf(canId);
  const form = `${extended ? 'extended' : 'standard'} frame${averaged ? ', averaged value' : ''}`;
  return `CAN ${channel}, ${form}, id 0x${canIdText(id, extended)}`;
}

/** The id as hex in the width of its form: 11 or 29 bits. */
export function canIdText(id: number, extended: boolean): string {
  return id.toString(16).padStart(extended ? 8 : 3, '0');
}

const dayMs = 86_400_000;

/**
 * Milliseconds UTC of a time of day `hhmmssffff` (milliseconds as four digits, GMT+8): that of the day which brings it
 * nearest to `receivedAt`, so that what was said before midnight may come after it. NaN when it is no time.
 */
export function timeOfDayToMs(digits: string, receivedAt: number): number {
  if (!/^\d{10}$/.test(digits)) return NaN;
  const [hour, minute, second] = [0, 2, 4].map((at) => Number(digits.slice(at, at + 2))) as [number, number, number];
  const ms = Number(digits.slice(6));
  if (hour > 23 || minute > 59 || second > 59 || ms > 999) return NaN;
  const ofDay = ((hour * 60 + minute) * 60 + second) * 1000 + ms - terminalOffsetMs;
  return ofDay + Math.round((receivedAt - ofDay) / dayMs) * dayMs;
}
