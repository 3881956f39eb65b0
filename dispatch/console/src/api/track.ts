/** Tracks as the console draws them. */
import type { PositionJson } from './types.js';

/** Bit 1 of the status word (JT/T 808, 0x0200): the position is a fix. */
const HAS_FIX = 0b10;

/** The positions of a track (NDJSON) that have a place: what is no fix would draw a line to 0°, 0°. */
export function fixesOf(track: string | undefined): PositionJson[] {
  return (track ?? '')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as PositionJson)
    .filter(({ status }) => (status & HAS_FIX) !== 0);
}
