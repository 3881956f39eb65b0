/** Positions as the rules see them: with the time that counts, which a terminal's own clock may not know. */
import type { Fix } from './domain/automation.js';
import { positionTime } from './domain/evidence.js';
import { POSITION_WIDTH, type Position, type PositionBatch } from './store/position-batch.js';

const HAS_FIX = 0b10;
const IGNITION = 0b1;

/** A position that is no fix says nothing about a place. */
export const isFix = (status: number): boolean => (status & HAS_FIX) !== 0;

/** The time of a batch's position by rule 1, ms UTC, without making more of it. */
export function timeIn({ numbers }: PositionBatch, index: number, offsetMs: number): number {
  const at = index * POSITION_WIDTH;
  return positionTime(numbers[at]!, numbers[at + 1]!, offsetMs).at;
}

/** @param offsetMs the terminal's clock minus the gateway's, as measured */
export function fixOf(position: Position, offsetMs: number): Fix {
  return {
    ...positionTime(position.deviceAt, position.receivedAt, offsetMs),
    lat: position.latE6 / 1e6,
    lon: position.lonE6 / 1e6,
    speedKmh: position.speedDeciKmh / 10,
    ignition: (position.status & IGNITION) !== 0,
  };
}
