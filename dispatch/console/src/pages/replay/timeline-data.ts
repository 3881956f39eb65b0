/**
 * What a replay plays: tracks and events, each with two times. *What happened* goes by the device's time, *what the
 * office knew then* by the time at which the gateway had it.
 */
import { get, type PageOf } from '../../api/client.js';
import { fixesOf } from '../../api/track.js';
import type { EventJson, OrderJson } from '../../api/types.js';
import { isTelling } from '../event-words.js';

export type Mode = 'happened' | 'known';

export interface TrackPoint {
  lat: number;
  lon: number;
  speedKmh: number;
  headingDeg: number;
  deviceAt: number;
  receivedAt: number;
}
export interface Recording {
  from: number;
  to: number;
  tracks: Map<string, TrackPoint[]>;
  events: EventJson[];
  orders: OrderJson[];
}

const HOUR_MS = 3_600_000;
/** Events of one replay; a vehicle makes some hundreds a day. */
const MAX_EVENTS = 3_000;

async function trackOf(vehicleId: string, from: number, to: number, signal: AbortSignal): Promise<TrackPoint[]> {
  const span = `from=${new Date(from).toISOString()}&to=${new Date(to).toISOString()}`;
  const text = await get<string>(`/vehicles/${encodeURIComponent(vehicleId)}/track?${span}`, {
    accept: 'application/x-ndjson',
    signal,
  });
  return fixesOf(text).map((p) => ({ ...p, deviceAt: Date.parse(p.deviceAt), receivedAt: Date.parse(p.receivedAt) }));
}

async function eventsOf(query: string, from: number, to: number, signal: AbortSignal): Promise<EventJson[]> {
  const events: EventJson[] = [];
  let after: string | undefined;
  do {
    const page = await get<PageOf<EventJson>>(`/events?${query}&limit=500${after ? `&after=${after}` : ''}`, {
      signal,
    });
    events.push(...page.items);
    after = page.next ?? undefined;
  } while (after !== undefined && events.length < MAX_EVENTS);
  return withStamps(withKinds(events)).filter((event) => {
    const at = Date.parse(event.committedAt);
    return at >= from && at <= to && isTelling(event);
  });
}

/** What happened to a delivery names it by its id; its kind stands in the event that made it. */
function withKinds(events: readonly EventJson[]): EventJson[] {
  const kinds = new Map<unknown, string>();
  return events.map((event) => {
    if (!event.type.startsWith('delivery.')) return event;
    const item = event.data.item as { id: string; kind: string } | undefined;
    if (item) kinds.set(item.id, item.kind);
    return { ...event, data: { ...event.data, kind: item?.kind ?? kinds.get(event.data.deliveryId ?? event.data.id) } };
  });
}

/** The point that a leg reaches with its state. */
const POINT_OF: Record<string, string> = {
  'leg.delivered': 'E', 'leg.accepted': 'F', 'leg.enRoute': 'G', 'leg.onSite': 'H', 'leg.workDone': 'I', 'leg.completed': 'J',
}; // prettier-ignore

/** A leg was on its way when its point says so, not when the office heard of it. */
function withStamps(events: readonly EventJson[]): EventJson[] {
  const stamps = new Map<string, unknown>();
  return events.map((event) => {
    const key = (point: unknown): string => `${event.orderId}/${event.leg}/${String(point)}`;
    if (event.type === 'timePoint.set') stamps.set(key(event.data.point), event.data.stamp);
    const stamp = stamps.get(key(POINT_OF[event.type]));
    return POINT_OF[event.type] && stamp ? { ...event, data: { ...event.data, stamp } } : event;
  });
}

/** From the first thing that is known: nobody wants to watch an empty map. */
function trimmed(recording: Recording): Recording {
  const firsts = [...recording.tracks.values()].flatMap((points) => points[0]?.deviceAt ?? []);
  const events = recording.events.map((event) => Date.parse(event.committedAt));
  const first = Math.min(...firsts, ...events.slice(0, 1));
  return Number.isFinite(first) ? { ...recording, from: Math.max(recording.from, first - 1_000) } : recording;
}

/** The events, tracks and orders of one vehicle over a period. */
export async function recordVehicle(
  vehicleId: string,
  from: number,
  to: number,
  signal: AbortSignal,
): Promise<Recording> {
  const id = encodeURIComponent(vehicleId);
  const [track, events, orders] = await Promise.all([
    trackOf(vehicleId, from, to, signal),
    eventsOf(`vehicle=${id}`, from, to, signal),
    get<PageOf<OrderJson>>(`/orders?vehicle=${id}&limit=100`, { signal }),
  ]);
  const touched = new Set(events.map((event) => event.orderId));
  const mine = orders.items.filter((order) => touched.has(order.id));
  return trimmed({ from, to, tracks: new Map([[vehicleId, track]]), events, orders: mine });
}

/** One order from the call to its end (or now), with the tracks of every vehicle that had it. */
export async function recordOrder(orderId: string, now: number, signal: AbortSignal): Promise<Recording> {
  const order = await get<OrderJson>(`/orders/${encodeURIComponent(orderId)}`, { signal });
  const times = Object.values(order.timePoints).map((stamp) => Date.parse(stamp.at));
  const events = withStamps(withKinds(order.events ?? [])).filter(isTelling);
  const last = Math.max(...times, ...events.map((event) => Date.parse(event.committedAt)));
  const from = Math.min(...times, Date.parse(order.createdAt)) - 60_000;
  const ended = order.stage === 'closed' || order.stage === 'withdrawn' || now - last > HOUR_MS;
  const to = ended ? last + 60_000 : now;
  const vehicleIds = [...new Set(order.legs.map((leg) => leg.vehicleId))];
  const tracks = await Promise.all(vehicleIds.map((id) => trackOf(id, from, to, signal).catch(() => [])));
  return { from, to, tracks: new Map(vehicleIds.map((id, index) => [id, tracks[index]!])), events, orders: [order] };
}

export const pointTime = (point: TrackPoint, mode: Mode): number =>
  mode === 'happened' ? point.deviceAt : point.receivedAt;

export function eventTime(event: EventJson, mode: Mode): number {
  if (mode === 'known') return Date.parse(event.committedAt);
  const data = event.data as { at?: string; stamp?: { at?: string } };
  return Date.parse(
    data.stamp?.at ?? (event.type === 'timePoint.set' ? data.at : undefined) ?? event.deviceAt ?? event.committedAt,
  );
}

/** The newest point at a time. In *known*, one that came late does not move the vehicle back. */
export function pointAt(points: readonly TrackPoint[], at: number, mode: Mode): TrackPoint | undefined {
  let found: TrackPoint | undefined;
  for (const point of points) {
    if (pointTime(point, mode) > at) {
      if (mode === 'happened') break;
      continue;
    }
    if (!found || point.deviceAt >= found.deviceAt) found = point;
  }
  return found;
}
