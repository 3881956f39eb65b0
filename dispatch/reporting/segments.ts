/** Where the minutes went: a row for each order and cycle, and what the limits should be (domain.md, segments). */
import type { Cycle, Leg, Order, Point, Rank, Stage, Stamps } from '../domain/model.js';
import { SEGMENTS, segmentsOf, type Segment, type SegmentName } from '../domain/segments.js';
import type { DispatchSettings } from '../domain/settings.js';
import { timePointsShown } from '../domain/time-points.js';
import { iso } from '../views/json.js';
import { localPlace } from './capacity.js';
import { median, percentile } from './figures.js';

export interface SegmentRow extends Record<string, unknown> {
  orderId: string;
  number: string;
  cycle: number;
  /** `running`: not at its end yet, though it may be breached already. */
  segments: Record<SegmentName, Pick<Segment, 'elapsedMs' | 'limitMs' | 'state' | 'running'>>;
  /** Points that were implied: they count for totals, not for averages (domain.md, time points, rule 4). */
  implied: Point[];
  /** The crew's key "arrived" less the first instant of standing, ms: positive where it was pressed late. */
  arrivalKeyLateMs: number | null;
}

export function segmentRow(
  order: Order,
  cycle: Cycle,
  now: number,
  settings: DispatchSettings,
  main?: Order,
): SegmentRow {
  const points = timePointsShown(order, cycle, main);
  const segments = segmentsOf(order, now, settings, cycle, main);
  const leg = order.legs.find((one) => one.leg === cycle.effectiveLeg && one.cycle === cycle.cycle);
  const worst = segments
    .filter((one) => one.name !== 'AH' && one.state === 'breached')
    .sort((a, b) => over(b) - over(a))[0];
  return {
    orderId: order.id,
    number: order.number,
    cycle: cycle.cycle,
    stage: stageOf(order, cycle),
    centreId: order.repairCentreId,
    vehicleId: leg?.vehicleId,
    siteClass: order.site.siteClass,
    category: order.fault.category,
    voltage: order.fault.voltage,
    priority: order.priority,
    ...timesOf(points),
    segments: Object.fromEntries(
      segments.map(({ name, elapsedMs, limitMs, state, running }) => [name, { elapsedMs, limitMs, state, running }]),
    ) as SegmentRow['segments'],
    kept: segments.find((one) => one.name === 'AH')?.state,
    /** The part that went over its limit by most, and whose it is. */
    cause: worst?.name,
    responsible: worst?.responsible,
    implied: Object.entries(points).flatMap(([point, stamp]) =>
      stamp.flags.includes('implied') ? [point as Point] : [],
    ),
    arrivalKeyLateMs: leg ? arrivalKeyLate(leg) : null,
  };
}

/** Of an ended cycle, the stage from which it was re-opened: what a later cycle came to says nothing about it. */
function stageOf(order: Order, cycle: Cycle): Stage {
  const next = order.cycles.find((one) => one.cycle === cycle.cycle + 1);
  if (!next) return order.stage;
  if (cycle.endedAt !== undefined && cycle.endedAt < next.startedAt) return 'closed';
  const leg = order.legs.find((one) => one.leg === cycle.effectiveLeg && one.cycle === cycle.cycle);
  return leg?.state === 'workDone' ? 'repaired' : 'recorded';
}

/** Between what the crew says of its arrival and what positions say; null where one of the two is not known. */
function arrivalKeyLate({ claims }: Leg): number | null {
  const first = (...ranks: Rank[]): number | undefined =>
    claims.filter(({ point, rank }) => point === 'H' && ranks.includes(rank)).sort((a, b) => a.at - b.at)[0]?.at;
  const key = first('key', 'keyWithoutTime');
  const stood = first('terminalFence', 'serverFence');
  return key === undefined || stood === undefined ? null : key - stood;
}

const over = (segment: Segment): number => (segment.elapsedMs ?? 0) - segment.limitMs;

function timesOf(points: Stamps): Record<string, string | undefined> {
  return Object.fromEntries(
    (['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J'] as const).map((p) => [p, points[p] && iso(points[p].at)]),
  );
}

/**
 * Counts, medians, breaches by segment; the proposal is the original rule: usual time + 1 minute. A segment that is
 * breached and still runs is counted as such; how long it takes is not known before its end.
 */
export function segmentSummary(rows: readonly SegmentRow[]): Record<string, unknown>[] {
  return SEGMENTS.map((name) => {
    const judged = rows
      .map((row) => ({ row, segment: row.segments[name] }))
      .filter(({ segment }) => segment.state === 'met' || segment.state === 'breached');
    const measured = judged.filter(
      ({ row, segment }) => segment.elapsedMs !== null && !segment.running && !isImplied(name, row.implied),
    );
    const elapsed = measured.map(({ segment }) => segment.elapsedMs!).sort((a, b) => a - b);
    const middle = median(elapsed);
    return {
      name,
      count: judged.length,
      measured: elapsed.length,
      breached: judged.filter(({ segment }) => segment.state === 'breached').length,
      medianMs: middle,
      p90Ms: percentile(elapsed, 0.9),
      proposedLimitMin: middle === null || name === 'R' ? null : Math.ceil(middle / 60_000) + 1,
    };
  });
}

/** What a summary can be split by; `hour` is the local hour of the call. */
export const GROUPINGS = ['centre', 'crew', 'hour', 'cause'] as const;
export type Grouping = (typeof GROUPINGS)[number];

const GROUP_OF: Record<Grouping, (row: SegmentRow, zone: string) => string> = {
  centre: (row) => textOf(row['centreId']),
  crew: (row) => textOf(row['vehicleId']),
  hour: (row, zone) => {
    const from = row['A'] ?? row['B'];
    return typeof from === 'string'
      ? String(Math.floor(localPlace(Date.parse(from), zone).halfHour / 2)).padStart(2, '0')
      : NONE;
  },
  cause: (row) => textOf(row['cause']),
};
/** Orders that belong to no group: without a crew yet, nothing breached. */
const NONE = '-';
const textOf = (value: unknown): string => (typeof value === 'string' ? value : NONE);

/** The summary of every group, groups in order of their names. */
export function groupedSummary(rows: readonly SegmentRow[], by: Grouping, zone: string): Record<string, unknown>[] {
  const groups = new Map<string, SegmentRow[]>();
  for (const row of rows) {
    const group = GROUP_OF[by](row, zone);
    groups.set(group, [...(groups.get(group) ?? []), row]);
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([group, own]) => segmentSummary(own).map((summary) => ({ group, ...summary })));
}

const isImplied = (name: SegmentName, implied: readonly Point[]): boolean =>
  name !== 'AH' && name !== 'R' && [...name].some((point) => implied.includes(point as Point));

/** A row as flat columns. */
export const SEGMENT_COLUMNS = [
  'number', 'cycle', 'stage', 'centreId', 'vehicleId', 'siteClass', 'category', 'voltage', 'priority',
  'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J',
  ...SEGMENTS.map((name) => `${name}_ms`), 'AH_limit_ms', 'kept', 'cause', 'responsible', 'implied', 'arrivalKeyLateMs',
] as const; // prettier-ignore

export function segmentCells(row: SegmentRow): Record<string, unknown> {
  const elapsed = Object.fromEntries(SEGMENTS.map((name) => [`${name}_ms`, row.segments[name].elapsedMs]));
  return { ...row, ...elapsed, AH_limit_ms: row.segments.AH.limitMs, implied: row.implied.join(' ') };
}
