/**
 * Which time a point gets (domain.md, "What time a point gets"). Pure: the stamps of a leg are a function of the set
 * of its claims, so the order in which they came in cannot matter.
 */
import { POINTS, RANKS, type Claim, type Point, type Stamp, type StampFlag, type Stamps } from './model.js';

/** A device may be this much ahead of the moment of receipt, ms (rule 1). */
export const DEVICE_AHEAD_MS = 5_000;
/** A key "arrived" counts this long before and after the standing run, ms (rule 2). */
export const NEAR_RUN_MS = 120_000;

export interface DeviceTime {
  /** The time that counts, ms UTC. */
  at: number;
  /** Whether the device's own time was used. */
  valid: boolean;
  flags: StampFlag[];
}

/**
 * Rule 1: device time, corrected by the terminal's measured clock offset, if it lies between D and received + 5 s; else
 * received time, flagged. Late is a device time of more than `lateMs` before received.
 */
export function deviceTime(
  deviceAt: number | undefined,
  receivedAt: number,
  notBefore: number,
  { offsetMs = 0, lateMs }: { offsetMs?: number; lateMs: number },
): DeviceTime {
  if (deviceAt === undefined) return { at: receivedAt, valid: false, flags: ['received'] };
  const at = deviceAt - offsetMs;
  if (!(at >= notBefore && at <= receivedAt + DEVICE_AHEAD_MS))
    return { at: receivedAt, valid: false, flags: ['received'] };
  const flags: StampFlag[] = [];
  if (offsetMs !== 0) flags.push('corrected');
  if (receivedAt - at > lateMs) flags.push('late');
  return { at, valid: true, flags };
}

/**
 * Rule 1 for a position, whose leg is only known later: device time, corrected by the terminal's measured clock offset;
 * received time where it would lie more than 5 s after that.
 */
export function positionTime(
  deviceAt: number,
  receivedAt: number,
  offsetMs: number,
): { at: number; byReceipt: boolean } {
  const at = deviceAt - offsetMs;
  const byReceipt = at > receivedAt + DEVICE_AHEAD_MS;
  return { at: byReceipt ? receivedAt : at, byReceipt };
}

/** D to J of a leg from its claims; D is the platform's own act and the beginning of the leg's window. */
export function stampsOf(claims: readonly Claim[]): Stamps {
  const d = claims.find((claim) => claim.point === 'D');
  if (!d) return {};
  const chosen: Stamps = { D: d };
  for (const point of LEG_POINTS) {
    const best = point === 'H' ? bestArrival(claims, d.at) : bestOf(claims, point, d.at);
    if (best) chosen[point] = best;
  }
  return monotone(withImplied(yieldToOwnTimes(chosen)));
}

/**
 * The points of a merged order: its own A to C, the main order's D to H (domain.md, "Merge"), by the same rules 4 and 5:
 * what it never had (it was merged before it was issued) is implied by D, and none lies before the one before it.
 */
export function mergedStamps(own: Stamps, main: Stamps): Stamps {
  const chosen: Stamps = { ...own };
  for (const point of MAIN_POINTS) if (main[point]) chosen[point] = main[point];
  return monotone(withImplied(chosen, UP_TO_D));
}
const MAIN_POINTS = ['D', 'E', 'F', 'G', 'H'] as const;
const UP_TO_D = ['B', 'C', 'D'] as const;

const LEG_POINTS = ['E', 'F', 'G', 'H', 'I', 'J'] as const;

/** Rule 3: the higher rank; in one rank the earlier time of its own inside the leg's window. */
function bestOf(claims: readonly Claim[], point: Point, windowFrom: number): Claim | undefined {
  return claims.filter((claim) => claim.point === point).sort((a, b) => compareClaims(a, b, windowFrom))[0];
}

function compareClaims(a: Claim, b: Claim, windowFrom: number): number {
  return (
    RANKS.indexOf(a.rank) - RANKS.indexOf(b.rank) ||
    Number(a.at < windowFrom) - Number(b.at < windowFrom) ||
    a.at - b.at ||
    a.receivedAt - b.receivedAt
  );
}

/**
 * Rule 2, for H, before rank: a key with a time of its own if it lies within the standing run or two minutes of it, else
 * the instant that the rule found. A key without device time has no time that could lie there; rank decides.
 */
function bestArrival(claims: readonly Claim[], windowFrom: number): Claim | undefined {
  const arrivals = claims.filter((claim) => claim.point === 'H').sort((a, b) => compareClaims(a, b, windowFrom));
  const fence = arrivals.find((claim) => claim.rank === 'terminalFence' || claim.rank === 'serverFence');
  if (!fence) return arrivals[0];
  const until = fence.until ?? Number.POSITIVE_INFINITY;
  const near = (claim: Claim): boolean => claim.at >= fence.at - NEAR_RUN_MS && claim.at <= until + NEAR_RUN_MS;
  return arrivals.find((claim) => claim.rank === 'key' && near(claim)) ?? fence;
}

/**
 * A time of receipt is only an upper bound of when a thing happened. Where a later point has an earlier time of its own,
 * the thing had happened by then: the claim keeps its rank, its time yields.
 */
function yieldToOwnTimes(chosen: Stamps): Stamps {
  const stamps: Stamps = { ...chosen };
  let bound = Number.POSITIVE_INFINITY;
  for (const point of [...LEG_POINTS].reverse()) {
    const stamp = stamps[point];
    if (!stamp) continue;
    const ownTime = !stamp.flags.includes('received') && stamp.rank !== 'keyWithoutTime';
    if (!ownTime && stamp.at > bound) stamps[point] = clampTo(stamp, bound);
    else if (ownTime) bound = Math.min(bound, stamp.at);
  }
  return stamps;
}

/** Rule 4: a later point is known and an earlier one is not: the earlier gets its latest provable bound. */
function withImplied(chosen: Stamps, points: readonly Point[] = LEG_POINTS): Stamps {
  const stamps: Stamps = { ...chosen };
  let later: Stamp | undefined;
  for (const point of [...points].reverse()) {
    const stamp = stamps[point];
    if (stamp) later = stamp;
    else if (later) {
      const { source, by, receivedAt, committedAt } = later;
      stamps[point] = { point, at: later.at, rank: 'implied', source, by, receivedAt, committedAt, flags: ['implied'] };
    }
  }
  return stamps;
}

/** Rule 5: a point before its predecessor takes the predecessor's time; the raw claim stays. */
function monotone(chosen: Stamps): Stamps {
  const stamps: Stamps = {};
  let before = Number.NEGATIVE_INFINITY;
  for (const point of POINTS) {
    const stamp = chosen[point];
    if (!stamp) continue;
    stamps[point] = stamp.at < before ? clampTo(stamp, before) : stamp;
    before = stamps[point].at;
  }
  return stamps;
}

function clampTo(stamp: Stamp, at: number): Stamp {
  const flags = stamp.flags.includes('clamped') ? stamp.flags : [...stamp.flags, 'clamped' as const];
  return { ...stamp, at, rawAt: stamp.rawAt ?? stamp.at, flags };
}

/** Whether two stamps say the same. */
export function sameStamp(a: Stamp | undefined, b: Stamp | undefined): boolean {
  if (!a || !b) return a === b;
  return (
    a.at === b.at &&
    a.rank === b.rank &&
    a.rawAt === b.rawAt &&
    a.source === b.source &&
    a.receivedAt === b.receivedAt &&
    a.flags.join() === b.flags.join()
  );
}
