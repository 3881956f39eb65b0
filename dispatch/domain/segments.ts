/**
 * Where the minutes between the customer's call and the crew on site went (domain.md, "Time points and segments").
 * Pure: an order says it all, at any moment; the parts always add up to AH.
 */
import { legOf } from './leg-states.js';
import type { Cycle, Leg, Order, Point, RepairCentre, SiteClass } from './model.js';
import type { DispatchSettings } from './settings.js';
import { effectiveCycle } from './time-points.js';

export const SEGMENTS = ['AB', 'BC', 'CD', 'R', 'DE', 'EF', 'FG', 'GH', 'AH'] as const;
export type SegmentName = (typeof SEGMENTS)[number];
/** The parts that add up to AH. */
export const PARTS: readonly SegmentName[] = SEGMENTS.filter((name) => name !== 'AH');

export type SegmentState = 'notStarted' | 'running' | 'met' | 'breached' | 'unknown';
export type Level = 'callCentre' | 'repairCentre' | 'network' | 'crew' | 'everyone';

export interface Segment {
  name: SegmentName;
  limitMs: number;
  state: SegmentState;
  /** Null where it did not start or cannot be known. An unknown one may count for the total: what was never issued. */
  elapsedMs: number | null;
  /** Until the limit, negative past it; null where nothing runs. */
  remainingMs: number | null;
  responsible: Level;
  /** Interval segments: when it began. R is a sum and has none. */
  startAt?: number;
  /** Still growing. */
  running: boolean;
}

/** Limits in minutes by segment, with `DEsameOffice` and AH. */
export type Limits = Record<string, number>;

/** Limits in force for a repair centre and a class of site: the settings, the centre's own above them. */
export function limitsFor(
  settings: DispatchSettings,
  centre: Pick<RepairCentre, 'limits'> | undefined,
  siteClass: SiteClass,
): Limits {
  const own = centre?.limits ?? {};
  const limits: Limits = { ...settings.limitsMin, R: 0, ...own };
  const town = own['AH'] ?? settings.promiseMin.town;
  const promise = siteClass === 'town' ? town : (own[`AH.${siteClass}`] ?? settings.promiseMin[siteClass]);
  return { ...limits, AH: promise, GH: limits['GH']! + promise - town };
}

const RESPONSIBLE: Record<SegmentName, Level> = {
  AB: 'callCentre',
  BC: 'network',
  CD: 'repairCentre',
  R: 'repairCentre',
  DE: 'network',
  EF: 'crew',
  FG: 'crew',
  GH: 'crew',
  AH: 'everyone',
};

/** What the segments of one cycle are reckoned from. */
interface Facts {
  /** A; in a cycle after the first, its re-opening (the time since the first call is shown beside). */
  start: number;
  firstB?: number;
  issue?: Cycle['issues'][number];
  leg?: Leg;
  /** Where what runs is measured to. */
  now: number;
  /** Whether anything can still run. */
  live: boolean;
  limits: Limits;
  /** Followed its main order before it was issued: nobody can say how A to D went. */
  neverIssued?: boolean;
}

/**
 * All segments of a cycle, the current one by default. `main` is the main order of a merged one, whose D to H it shows.
 */
export function segmentsOf(
  order: Readonly<Order>,
  now: number,
  settings: DispatchSettings,
  cycle: Readonly<Cycle> = order.cycles.at(-1)!,
  main?: Readonly<Order>,
): Segment[] {
  const facts = main ? mergedFacts(order, cycle, main, now, settings) : factsOf(order, cycle, now, settings);
  const { start, firstB, issue, leg } = facts;
  const at = (point: Point): number | undefined => leg?.points[point]?.at;
  return [
    interval('AB', start, firstB, facts),
    interval('BC', issue?.at, issue?.atCentreAt, facts),
    interval('CD', issue?.atCentreAt, issue?.firstD, facts),
    redispatch(order, cycle, facts),
    interval('DE', at('D'), at('E'), facts),
    interval('EF', at('E'), at('F'), facts),
    interval('FG', at('F'), at('G'), facts),
    interval('GH', at('G'), at('H'), facts),
    interval('AH', start, at('H'), facts),
  ];
}

function factsOf(order: Readonly<Order>, cycle: Readonly<Cycle>, now: number, settings: DispatchSettings): Facts {
  const leg = cycle.effectiveLeg === undefined ? undefined : legOf(order, cycle.effectiveLeg);
  const current = cycle === order.cycles.at(-1);
  // A returned order is with nobody: the time until its next issue is lost to re-dispatch.
  const issue = leg
    ? cycle.issues[leg.issue - 1]
    : order.stage === 'returned' && current
      ? undefined
      : cycle.issues.at(-1);
  const limits = issue?.limitsMin ?? limitsFor(settings, undefined, order.site.siteClass);
  const ended = cycle.endedAt ?? (current ? undefined : cycle.startedAt);
  return {
    start: startOf(cycle),
    ...(cycle.issues[0] ? { firstB: cycle.issues[0].at } : {}),
    ...(issue ? { issue } : {}),
    ...(leg ? { leg } : {}),
    now: ended ?? now,
    live: ended === undefined && order.stage !== 'withdrawn' && order.stage !== 'merged',
    limits: leg?.sharesOffice ? { ...limits, DE: limits['DEsameOffice'] ?? limits['DE']! } : limits,
  };
}

/** A merged order keeps its own A to C and has the main order's effective leg; what lies between is re-dispatch. */
function mergedFacts(
  order: Readonly<Order>,
  cycle: Readonly<Cycle>,
  main: Readonly<Order>,
  now: number,
  settings: DispatchSettings,
): Facts {
  const own = factsOf(order, cycle, now, settings);
  const { leg } = factsOf(main, effectiveCycle(main), now, settings);
  const d = leg?.points.D?.at;
  if (!leg || d === undefined) return { ...own, live: main.stage !== 'withdrawn' };
  const { issue } = own;
  const afterC = Math.max(d, own.start, issue?.atCentreAt ?? issue?.at ?? own.start);
  // Merged before it was issued, or before its centre had it: the main order's D implies what is missing.
  const whole = {
    ...(issue ?? { centreId: main.repairCentreId ?? '', by: '', at: afterC }),
    atCentreAt: issue?.atCentreAt ?? afterC,
    firstD: issue?.firstD ?? afterC,
  };
  const points = Object.fromEntries(
    Object.entries(leg.points).map(([point, stamp]) => [point, { ...stamp, at: Math.max(stamp.at, afterC) }]),
  );
  return {
    ...own,
    leg: { ...leg, points },
    firstB: own.firstB ?? whole.at,
    issue: whole,
    live: true,
    neverIssued: !issue,
  };
}

/** From when a cycle's promise counts. */
export function startOf(cycle: Readonly<Cycle>): number {
  return cycle.cycle > 1 ? cycle.startedAt : (cycle.points.A?.at ?? cycle.startedAt);
}

/** End of the promise of the current cycle, ms UTC. */
export function deadlineOf(order: Readonly<Order>, settings: DispatchSettings): number {
  const cycle = order.cycles.at(-1)!;
  const limits = cycle.issues.at(-1)?.limitsMin ?? limitsFor(settings, undefined, order.site.siteClass);
  return startOf(cycle) + limits['AH']! * 60_000;
}

function interval(name: SegmentName, from: number | undefined, to: number | undefined, facts: Facts): Segment {
  const limitMs = (facts.limits[name] ?? 0) * 60_000;
  const responsible = RESPONSIBLE[name];
  if (from === undefined)
    return { ...nothing(to === undefined ? 'notStarted' : 'unknown'), name, limitMs, responsible };
  if (to === undefined && !facts.live) return { ...nothing('unknown'), name, limitMs, responsible, startAt: from };
  const known = measured((to ?? facts.now) - from, limitMs, to === undefined);
  const segment = { ...known, name, limitMs, responsible, startAt: from };
  return facts.neverIssued && BEFORE_D.includes(name) ? { ...segment, state: 'unknown', remainingMs: null } : segment;
}
const BEFORE_D: readonly SegmentName[] = ['AB', 'BC', 'CD'];

function nothing(state: SegmentState): Pick<Segment, 'state' | 'elapsedMs' | 'remainingMs' | 'running'> {
  return { state, elapsedMs: null, remainingMs: null, running: false };
}

function measured(
  elapsedMs: number,
  limitMs: number,
  running: boolean,
): Pick<Segment, 'state' | 'elapsedMs' | 'remainingMs' | 'running'> {
  const state = elapsedMs > limitMs ? 'breached' : running ? 'running' : 'met';
  return { state, elapsedMs, remainingMs: limitMs - elapsedMs, running };
}

/** R = (B of the effective issue − first B) + (D of the effective leg − first D of that issue). */
function redispatch(order: Readonly<Order>, cycle: Readonly<Cycle>, facts: Facts): Segment {
  const { firstB, issue, leg, now, live } = facts;
  const responsible = causeOf(order, cycle, facts);
  const base = { name: 'R' as const, limitMs: (facts.limits['R'] ?? 0) * 60_000, responsible };
  if (firstB === undefined) return { ...base, ...nothing('notStarted') };
  const waitsForD = issue?.firstD !== undefined && !leg;
  const running = !issue || waitsForD;
  if (running && !live) return { ...base, ...nothing('unknown') };
  if (!issue) return { ...base, ...measured(now - firstB, base.limitMs, true) };
  const d = leg?.points.D?.at ?? (waitsForD ? now : issue.firstD);
  const elapsed = issue.at - firstB + (d === undefined || issue.firstD === undefined ? 0 : d - issue.firstD);
  return { ...base, ...measured(elapsed, base.limitMs, waitsForD) };
}

/** The level that caused the last re-dispatch. */
function causeOf(order: Readonly<Order>, cycle: Readonly<Cycle>, { issue, leg }: Facts): Level {
  if (!issue) return 'repairCentre';
  const number = cycle.issues.findIndex((one) => one.at === issue.at) + 1;
  const before = order.legs
    .filter((one) => one.cycle === cycle.cycle && one.issue === number && one.leg !== leg?.leg)
    .at(-1);
  if (before) return before.state === 'rejected' ? 'crew' : 'repairCentre';
  return issue.causedBy ?? 'repairCentre';
}
