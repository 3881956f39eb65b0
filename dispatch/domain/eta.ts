/** Forecast of arrival (domain.md, "ETA"): distance × detour ÷ recent speed, plus the queue before it. */
import { distanceM, type Place } from './geo.js';
import { isOnSite, legOf } from './leg-states.js';
import type { Leg, Order, QueueEntry } from './model.js';
import type { DispatchSettings } from './settings.js';

/** Seconds of driving between two places, from a routing server, or undefined where it gave none. */
export type RoadSeconds = (from: Place, to: Place) => number | undefined;

export interface EtaStop {
  site: Place;
  /** Minutes of work still expected there; undefined takes the setting. */
  workMin?: number;
}

export interface EtaQuestion {
  now: number;
  from: Place;
  /** Mean speed while moving over the last minutes, km/h; undefined where none is known. */
  recentSpeedKmh?: number;
  /** What the vehicle does before: the rest of its present job and what is queued ahead. */
  before: EtaStop[];
  to: Place;
}

export interface Eta {
  /** ms UTC. */
  at: number;
  distanceM: number;
  basis: 'estimate' | 'route';
}

/** Slower than this over minutes is a jam or a stop, not the speed of the way ahead. */
const SLOWEST_KMH = 12;
const FASTEST_KMH = 90;

/** Never refuses: without a route it estimates, and says so. */
export function forecast(question: EtaQuestion, settings: Pick<DispatchSettings, 'eta'>, road?: RoadSeconds): Eta {
  const { detourFactor, defaultSpeedKmh, workMin } = settings.eta;
  const speedKmh = Math.min(FASTEST_KMH, Math.max(SLOWEST_KMH, question.recentSpeedKmh ?? defaultSpeedKmh));
  let at = question.now;
  let total = 0;
  let basis: Eta['basis'] = road ? 'route' : 'estimate';
  let from = question.from;
  const drive = (to: Place): void => {
    const metres = distanceM(from, to) * detourFactor;
    const seconds = road?.(from, to);
    if (seconds === undefined) basis = 'estimate';
    at += (seconds ?? (metres / 1000 / speedKmh) * 3600) * 1000;
    total += metres;
    from = to;
  };
  for (const stop of question.before) {
    drive(stop.site);
    at += (stop.workMin ?? workMin) * 60_000;
  }
  drive(question.to);
  return { at: Math.round(at), distanceM: Math.round(total), basis };
}

/** The places between which a vehicle drives for a question, first to last. */
export function stretchesOf({ from, before, to }: Pick<EtaQuestion, 'from' | 'before' | 'to'>): [Place, Place][] {
  const places = [from, ...before.map((stop) => stop.site), to];
  return places.slice(1).map((place, i) => [places[i]!, place]);
}

/** Work that is nearly done by the average still takes this long, minutes. */
const LEAST_WORK_MIN = 5;

/** Sites of queue entries that still have to be driven to or worked on. */
export function stopsOf(
  entries: readonly QueueEntry[],
  orderOf: (id: string) => Readonly<Order> | undefined,
  now: number,
  settings: Pick<DispatchSettings, 'eta'>,
): EtaStop[] {
  return entries.flatMap((entry) => {
    const order = orderOf(entry.orderId);
    const leg = order && legOf(order, entry.leg);
    if (!order || !leg || leg.state === 'recalling' || leg.state === 'suspended') return [];
    return [{ site: order.site, workMin: workLeft(leg, now, settings) }];
  });
}

function workLeft(leg: Leg, now: number, { eta: { workMin } }: Pick<DispatchSettings, 'eta'>): number {
  if (!isOnSite(leg) || !leg.points.H) return workMin;
  return Math.max(LEAST_WORK_MIN, workMin - (now - leg.points.H.at) / 60_000);
}
