/** Orders as contract.md shows them ("Order JSON"). */
import { isEffective, isOpen } from '../domain/leg-states.js';
import type { Cycle, Leg, Order, Stamp, Stamps } from '../domain/model.js';
import { deadlineOf as deadlineOfCycle, segmentsOf } from '../domain/segments.js';
import type { DispatchSettings } from '../domain/settings.js';
import { timePointsShown } from '../domain/time-points.js';
import type { DispatchPort, Versioned } from '../ports.js';
import { iso, isoOrUndefined, plainObject } from './json.js';

export interface OrderViewContext {
  /** Gateway time: what runs is measured to here. */
  now: number;
  settings: DispatchSettings;
  /** The main order of a merged one. */
  main?: Order | undefined;
}

/** Summaries of a page of orders; main orders of merged ones are read once. */
export async function orderViews(
  dispatch: DispatchPort,
  orders: readonly Versioned<'order'>[],
): Promise<Record<string, unknown>[]> {
  const mains = await mainsOf(dispatch, orders);
  const context = { now: dispatch.clock.now(), settings: dispatch.settings };
  return orders.map((order) => orderSummary(order, { ...context, main: mains.get(order.value.mergedInto ?? '') }));
}

export async function orderView(dispatch: DispatchPort, order: Versioned<'order'>): Promise<Record<string, unknown>> {
  const mains = await mainsOf(dispatch, [order]);
  const context = {
    now: dispatch.clock.now(),
    settings: dispatch.settings,
    main: mains.get(order.value.mergedInto ?? ''),
  };
  const cycles = order.value.cycles.map((cycle) => cycleView(order.value, cycle, context));
  return { ...orderSummary(order, context), cycles };
}

async function mainsOf(dispatch: DispatchPort, orders: readonly Versioned<'order'>[]): Promise<Map<string, Order>> {
  const ids = [...new Set(orders.flatMap(({ value }) => value.mergedInto ?? []))];
  if (ids.length === 0) return new Map();
  const mains = await dispatch.getMany('order', ids);
  return new Map(mains.flatMap((main) => (main ? [[main.value.id, main.value] as const] : [])));
}

export function orderSummary(
  { value: order, version }: Versioned<'order'>,
  context: OrderViewContext,
): Record<string, unknown> {
  const cycle = order.cycles.at(-1)!;
  return {
    id: order.id,
    number: order.number,
    version,
    stage: order.stage,
    cycle: cycle.cycle,
    priority: order.priority,
    customer: order.customer,
    site: order.site,
    fault: order.fault,
    area: order.area,
    repairCentreId: order.repairCentreId,
    unitKind: order.unitKind,
    createdAt: iso(order.createdAt),
    createdBy: order.createdBy,
    receivedBy: order.receivedBy && plainObject(order.receivedBy),
    reason: order.reason && plainObject(order.reason),
    mergedInto: order.mergedInto,
    subs: order.subs,
    urges: order.urges.map((urge) => plainObject(urge)),
    eta: order.eta && plainObject(order.eta),
    deadlineAt: iso(deadlineOf(order, context.settings)),
    timePoints: stampsView(timePointsShown(order, cycle, context.main)),
    segments: segmentViews(order, cycle, context),
    legs: order.legs.map((leg) => legView(leg, cycle)),
    record: cycle.record && plainObject(cycle.record),
    callBacks: cycle.callBacks.map((call) => plainObject(call)),
  };
}

/** End of the promise to the customer (AH), ms UTC. */
export const deadlineOf = (order: Order, settings: DispatchSettings): number => deadlineOfCycle(order, settings);

function segmentViews(
  order: Order,
  cycle: Cycle,
  { now, settings, main }: OrderViewContext,
): Record<string, unknown>[] {
  return segmentsOf(order, now, settings, cycle, main).map(
    ({ name, limitMs, state, elapsedMs, remainingMs, responsible }) => ({
      name,
      limitMs,
      state,
      elapsedMs,
      remainingMs,
      responsible,
    }),
  );
}

function cycleView(order: Order, cycle: Cycle, context: OrderViewContext): Record<string, unknown> {
  return {
    cycle: cycle.cycle,
    startedAt: iso(cycle.startedAt),
    endedAt: isoOrUndefined(cycle.endedAt),
    timePoints: stampsView(timePointsShown(order, cycle, context.main)),
    segments: segmentViews(order, cycle, context),
    issues: cycle.issues.map(({ centreId, at, atCentreAt, firstD, by, causedBy }) =>
      ({ centreId, at: iso(at), atCentreAt: isoOrUndefined(atCentreAt), firstD: isoOrUndefined(firstD), by, causedBy })), // prettier-ignore
    effectiveLeg: cycle.effectiveLeg,
    record: cycle.record && plainObject(cycle.record),
    callBacks: cycle.callBacks.map((call) => plainObject(call)),
  };
}

function legView(leg: Leg, cycle: Cycle): Record<string, unknown> {
  const ofCycle = leg.cycle === cycle.cycle;
  return {
    leg: leg.leg,
    vehicleId: leg.vehicleId,
    cycle: leg.cycle,
    issue: leg.issue,
    state: leg.state,
    before: leg.before,
    open: isOpen(leg),
    effective: ofCycle && (cycle.effectiveLeg === undefined ? isEffective(leg) : cycle.effectiveLeg === leg.leg),
    timePoints: stampsView(leg.points),
    createdAt: iso(leg.createdAt),
    endedAt: isoOrUndefined(leg.endedAt),
    reason: leg.reason,
    recall: leg.recall && plainObject(leg.recall),
    toldByPhone: leg.toldByPhone,
  };
}

/** `{A: {at, source, deviceAt?, receivedAt?, committedAt, flags[]}, …}` */
export function stampsView(points: Stamps): Record<string, unknown> {
  return Object.fromEntries(Object.entries(points).map(([point, stamp]) => [point, stampView(stamp)]));
}

function stampView(stamp: Stamp): Record<string, unknown> {
  const { at, source, rank, by, deviceAt, receivedAt, committedAt, flags, rawAt } = stamp;
  return {
    at: iso(at),
    source,
    rank,
    by,
    deviceAt: isoOrUndefined(deviceAt),
    receivedAt: iso(receivedAt),
    committedAt: iso(committedAt),
    flags,
    rawAt: isoOrUndefined(rawAt),
  };
}
