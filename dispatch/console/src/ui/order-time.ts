/** How an order stands against its limits at this second, from the segments that the server computed. */
import type { SegmentJson } from '../api/types.js';
import type { LiveOrder } from '../state/live.js';

export const PARTS = ['AB', 'BC', 'CD', 'R', 'DE', 'EF', 'FG', 'GH'] as const;
export type Tone = 'idle' | 'good' | 'warn' | 'bad' | 'done';

/** Elapsed and remaining of a segment now: a running one goes on from when the server computed it. */
export function segmentNow(
  segment: SegmentJson,
  seenAt: number,
  now: number,
): { elapsedMs: number; remainingMs: number } {
  const passed = segment.state === 'running' ? Math.max(0, now - seenAt) : 0;
  const elapsedMs = (segment.elapsedMs ?? 0) + passed;
  return { elapsedMs, remainingMs: segment.limitMs - elapsedMs };
}

export const segmentOf = (order: { segments: SegmentJson[] }, name: string): SegmentJson | undefined =>
  order.segments.find((segment) => segment.name === name);

/** The tone in which a segment is drawn. Shape and words say the same; colour is never alone. */
export function segmentTone(segment: SegmentJson, seenAt: number, now: number): Tone {
  if (segment.state === 'notStarted' || segment.state === 'unknown') return 'idle';
  if (segment.state === 'met') return 'done';
  if (segment.state === 'breached') return 'bad';
  const { remainingMs } = segmentNow(segment, seenAt, now);
  if (remainingMs < 0) return 'bad';
  return remainingMs < segment.limitMs * 0.2 ? 'warn' : 'good';
}

export interface Standing {
  /** Time left of the promise AH, negative when it is past; undefined once it is over or unknown. */
  remainingMs: number | undefined;
  tone: Tone;
  running: SegmentJson | undefined;
  /** Parts past their limit, in order: why it is late. */
  late: SegmentJson[];
  /** The forecast of arrival is after the deadline. */
  atRisk: boolean;
}

export function standing(order: LiveOrder, now: number): Standing {
  const whole = segmentOf(order, 'AH');
  const parts = order.segments.filter((segment) => segment.name !== 'AH' && segment.name !== 'R');
  const running = parts.find((segment) => segment.state === 'running');
  const late = parts.filter((segment) => segmentTone(segment, order.seenAt, now) === 'bad');
  if (!whole || whole.state === 'unknown' || whole.state === 'notStarted') {
    return { remainingMs: undefined, tone: 'idle', running, late, atRisk: false };
  }
  const { remainingMs } = segmentNow(whole, order.seenAt, now);
  if (whole.state !== 'running' && !(whole.state === 'breached' && !order.timePoints.H)) {
    return { remainingMs: undefined, tone: whole.state === 'met' ? 'done' : 'bad', running, late, atRisk: false };
  }
  const left = whole.state === 'breached' ? whole.limitMs - sinceA(order, now) : remainingMs;
  const atRisk = order.eta !== undefined && left > 0 && Date.parse(order.eta.at) - now > left;
  const tone: Tone = left < 0 ? 'bad' : atRisk || left < whole.limitMs * 0.2 ? 'warn' : 'good';
  return { remainingMs: left, tone, running, late, atRisk };
}

const sinceA = (order: LiveOrder, now: number): number =>
  order.timePoints.A ? now - Date.parse(order.timePoints.A.at) : 0;

/** The leg that is shown: the newest open one that is not being recalled, else the newest. */
export function currentLeg(order: LiveOrder): LiveOrder['legs'][number] | undefined {
  return order.legs.findLast((leg) => leg.open && leg.state !== 'recalling') ?? order.legs.at(-1);
}
