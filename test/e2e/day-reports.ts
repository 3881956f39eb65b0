/** What the day's reports say, held against figures reckoned from the script. */
import { expect } from 'vitest';
import {
  BY_POSITION, CENTRES, CREWS, figuresOf, MINUTE, ON_BREAK, shortsOf, vehicleOf, type PlannedOrder, type Work,
} from './day-script.js'; // prettier-ignore

type Json = Record<string, unknown>;

/** An order of the day with what the script knows of it. */
export interface Ran extends PlannedOrder {
  id: string;
  callEndedAt: number;
  /** Gateway time before and after the assignment was asked for: D lies between. */
  assigned: [number, number];
  /** Who does the work in the end. */
  by: number;
  work?: Work;
  /** Resolves when it has come in and is on its truck. */
  onTruck: Promise<void>;
  arrivedOnTruck(): void;
}

/** What the day did. */
export interface Day {
  ran: readonly Ran[];
  /** Main order → the neighbour's report that was merged into it. */
  duplicates: ReadonlyMap<string, { id: string; callEndedAt: number }>;
  /** Order → least and most that re-dispatching it cost, ms. */
  lost: ReadonlyMap<string, [number, number]>;
  /** Centre → the order that was given to another crew. */
  reassigned: ReadonlyMap<string, string>;
  from: number;
  ok(method: string, path: string): Promise<Json>;
  now(): number;
}

interface SegmentItem {
  orderId: string;
  stage: string;
  vehicleId?: string;
  H?: string;
  kept: string;
  segments: Record<string, { elapsedMs: number; limitMs: number; state: string }>;
}

async function reportOf<T>({ ok, now, from }: Day, name: string, more = ''): Promise<{ items: T[]; summary: Json[] }> {
  const query = `from=${new Date(from).toISOString()}&to=${new Date(now() + MINUTE).toISOString()}${more}`;
  const answer = await ok('GET', `/reports/${name}?${query}`);
  expect(answer['truncated']).toBe(false);
  return answer as unknown as { items: T[]; summary: Json[] };
}

export async function checkSegments(day: Day): Promise<void> {
  const { ran, duplicates, lost } = day;
  const { items } = await reportOf<SegmentItem>(day, 'segments');
  expect(items).toHaveLength(ran.length + duplicates.size);
  const byId = new Map(items.map((item) => [item.orderId, item]));
  const promised = new Map<string, number>();
  for (const order of ran) {
    const item = byId.get(order.id)!;
    const { departAt, arriveAt, acceptAt } = order.work!;
    const what = `${order.centre} order ${order.index} by crew ${order.by}`;
    expect([item.stage, item.vehicleId, item.H], what).toEqual(['closed', vehicleOf(order.centre, order.by), new Date(arriveAt).toISOString()]); // prettier-ignore
    const { AH, GH, FG, R } = item.segments;
    promised.set(order.id, arriveAt - order.callEndedAt);
    expect([AH!.elapsedMs, GH!.elapsedMs], what).toEqual([arriveAt - order.callEndedAt, arriveAt - departAt]);
    // Positions measure the clock of the terminal, which then corrects its keys.
    if (order.by !== BY_POSITION) expect(FG!.elapsedMs, what).toBe(departAt - acceptAt);
    const [least, most] = lost.get(order.id) ?? [0, 0];
    expect(R!.elapsedMs, what).toBeGreaterThanOrEqual(least);
    expect(R!.elapsedMs, what).toBeLessThanOrEqual(most);
    expect(item.kept, what).toBe(arriveAt - order.callEndedAt > 45 * MINUTE ? 'breached' : 'met');
    const sub = duplicates.get(order.id);
    if (!sub) continue;
    promised.set(sub.id, arriveAt - sub.callEndedAt);
    expect(byId.get(sub.id)!.segments['AH']!.elapsedMs, `${what}, merged`).toBe(arriveAt - sub.callEndedAt);
  }
  for (const { orderId, segments } of items) {
    const { AH, ...parts } = segments;
    const sum = Object.values(parts).reduce((total, part) => total + part.elapsedMs, 0);
    expect(sum, orderId).toBe(AH!.elapsedMs);
  }

  // By centre and by crew: counts, breaches and medians as the script gives them.
  const expected = (of: readonly Ran[]): Record<string, unknown> => ({
    AH: figuresOf(of.map(({ id }) => promised.get(id)!), 45), // prettier-ignore
    GH: figuresOf(of.map(({ work }) => work!.arriveAt - work!.departAt), 28), // prettier-ignore
  });
  const crews = await reportOf(day, 'segments', '&by=crew');
  for (const [crew, own] of grouped(ran, (one) => vehicleOf(one.centre, one.by)))
    expect(figuresIn(crews.summary, crew), crew).toEqual(expected(own));
  for (const centre of CENTRES) {
    const { summary } = await reportOf(day, 'segments', `&centre=${centre}`);
    const own = ran.filter((one) => one.centre === centre);
    const all = [...own, ...own.flatMap(({ id, ...rest }) => (duplicates.has(id) ? [{ ...rest, id: duplicates.get(id)!.id }] : []))]; // prettier-ignore
    expect(figuresIn(summary), centre).toEqual(expected(all));
    expect(figuresIn(summary)['AH']!.breached, 'the script has breaches and promises kept').toBeGreaterThan(0);
  }
}

function figuresIn(summary: readonly Json[], group?: string): Record<string, { breached: number }> {
  const rows = summary.filter((row) => row['group'] === group && (row['name'] === 'AH' || row['name'] === 'GH'));
  return Object.fromEntries(
    rows.map(({ name, count, breached, medianMs }) => [name, { count, breached, medianMs } as { breached: number }]),
  );
}

function grouped<T>(all: readonly T[], by: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) groups.set(by(one), [...(groups.get(by(one)) ?? []), one]);
  return groups;
}

/** Every leg was delivered once, every recall confirmed. */
export async function checkDeliveries(day: Day): Promise<void> {
  const { ran, reassigned } = day;
  const { summary, items } = await reportOf<{ kind: string; orderId?: string; state: string }>(day, 'deliveries');
  const of = (kind: string): Json | undefined => summary.find((row) => row['kind'] === kind);
  const legs = ran.length + reassigned.size;
  expect(of('order')).toMatchObject({ count: legs, receipted: legs, refused: 0, unanswered: 0 });
  const recalls = items.filter(({ kind }) => kind === 'recall').map(({ orderId, state }) => `${orderId} ${state}`);
  expect(recalls.sort()).toEqual([...reassigned.values()].map((id) => `${id} receipted`).sort());
}

export async function checkCapacity(day: Day): Promise<void> {
  const { ran, ok } = day;
  for (const centre of CENTRES) {
    const own = ran.filter((one) => one.centre === centre);
    const { items, summary } = await reportOf<{ waitedMs: number }>(day, 'capacity', `&centre=${centre}`);
    expect(items, centre).toHaveLength(shortsOf(own));
    expect(summary.reduce((total, row) => total + Number(row['count']), 0)).toBe(items.length);
    const longest = Math.max(...own.map(({ assigned: [before, after] }) => after - before));
    for (const { waitedMs } of items) expect(waitedMs).toBeLessThanOrEqual(longest);
  }
  const missing: unknown[] = [];
  for (let after = ''; ;) {
    const page = await ok('GET', `/alerts?limit=500${after}`);
    missing.push(
      ...(page['items'] as Json[]).filter(({ kind }) => kind === 'crewsMissing').map(({ centreId }) => centreId),
    );
    if (typeof page['next'] !== 'string') break;
    after = `&after=${encodeURIComponent(page['next'])}`;
  }
  expect(missing.sort()).toEqual([...CENTRES]);
}

interface DutyItem {
  vehicleId: string;
  enRouteMs: number;
  onSiteMs: number;
  ordersDone: number;
  breaks: number;
}

export async function checkDuty(day: Day): Promise<void> {
  const { ran } = day;
  const { items } = await reportOf<DutyItem>(day, 'duty');
  expect(items).toHaveLength(CENTRES.length * CREWS);
  for (const { vehicleId, enRouteMs, onSiteMs, ordersDone, breaks: taken } of items) {
    const own = ran.filter((one) => vehicleOf(one.centre, one.by) === vehicleId);
    const sum = (of: (work: Work) => number): number => own.reduce((total, { work }) => total + of(work!), 0);
    expect([ordersDone, enRouteMs], vehicleId).toEqual([own.length, sum((work) => work.arriveAt - work.departAt)]);
    expect(taken, vehicleId).toBe(vehicleId.endsWith(`-${ON_BREAK.granted}`) ? 1 : 0);
    // Keys of a terminal whose clock was measured are corrected by it.
    if (own[0]!.by !== BY_POSITION) expect(onSiteMs, vehicleId).toBe(sum((work) => work.doneAt - work.arriveAt));
  }
}
