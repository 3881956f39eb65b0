/** Time points: statements about when a thing happened, and the ones that count (domain.md, "Time points and segments"). */
import type { IngestRef, Source } from '../events.js';

export const POINTS = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J'] as const;
export type Point = (typeof POINTS)[number];

/**
 * Rank of evidence, lower is stronger (domain.md, "What time a point gets", 3). `rule` is the platform's own act
 * (A–D, which nobody has to prove).
 */
export const RANKS = ['rule', 'key', 'terminalFence', 'serverFence', 'keyWithoutTime', 'entry', 'implied'] as const;
export type Rank = (typeof RANKS)[number];

export type StampFlag =
  | 'received' // received time taken, no valid device time
  | 'corrected' // device time corrected by the measured clock offset
  | 'late' // device time over 60 s before received
  | 'disputed' // key "arrived" from farther than the arrival radius
  | 'implied'
  | 'clamped'
  | 'created' // A: time of creation, the call's end was not given
  | 'byPhone'
  | 'alreadyMoving' // G = F
  | 'entered'; // written afterwards by a person

/** One statement about one point; all are kept, one is the stamp. */
export interface Claim {
  point: Point;
  /** The time that the rules give it. */
  at: number;
  rank: Rank;
  source: Source;
  by: string;
  deviceAt?: number;
  receivedAt: number;
  committedAt: number;
  flags: StampFlag[];
  frame?: IngestRef;
  /** Where the vehicle was, where that is known. */
  place?: { lat: number; lon: number };
  /** H by a fence: end of the standing run that began at `at`, once the vehicle has left. */
  until?: number;
}
/** The claim that counts. `rawAt` is the claim's own time where monotony moved it (`clamped`). */
export interface Stamp extends Claim {
  rawAt?: number;
}
export type Stamps = Partial<Record<Point, Stamp>>;
