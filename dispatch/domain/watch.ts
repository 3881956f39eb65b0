/** Which leg of a vehicle the position rules work on (domain.md, "Automation from positions"). */
import type { Watch } from './automation.js';
import type { Leg, Order, ProfileName, QueueEntry, Vehicle } from './model.js';

const UNDER_WAY: readonly Leg['state'][] = ['enRoute', 'onSite', 'working'];
const SHOWN: readonly Leg['state'][] = ['delivered', 'read', 'accepted'];

export type OrdersById = ReadonlyMap<string, Readonly<Order>>;

export function legOf(orders: OrdersById, entry: QueueEntry): Leg | undefined {
  return orders.get(entry.orderId)?.legs.find((leg) => leg.leg === entry.leg);
}

/**
 * The leg en route or on site, else the first in the dispatcher's order that the crew has: accepted where the terminal
 * can accept, delivered on a `text` terminal, told by phone on a `tracker`.
 */
export function candidate(
  vehicle: Readonly<Vehicle>,
  orders: OrdersById,
  profile: ProfileName,
): QueueEntry | undefined {
  const { entries } = vehicle.queue;
  const stateOf = (entry: QueueEntry): Leg | undefined => legOf(orders, entry);
  return (
    entries.find((entry) => UNDER_WAY.includes(stateOf(entry)?.state ?? 'queued')) ??
    entries.find((entry) => {
      const leg = stateOf(entry);
      return leg !== undefined && isCrews(leg, profile);
    })
  );
}

function isCrews(leg: Leg, profile: ProfileName): boolean {
  if (leg.state === 'accepted') return true;
  if (profile === 'text') return SHOWN.includes(leg.state);
  return profile === 'tracker' && leg.toldByPhone === true;
}

/** From when the rules watch this leg: F, else E, else its creation. */
export function watchedSince(leg: Leg): number {
  return leg.points.F?.at ?? leg.points.E?.at ?? leg.createdAt;
}

/**
 * When the leg became the candidate: F, or the end of the vehicle's work on another leg if that is later. The drive to
 * one site is no departure for the next.
 */
function candidateSince(leg: Leg, ofVehicle: Iterable<Readonly<Order>>): number {
  let since = watchedSince(leg);
  const until = watchedUntil(leg);
  for (const order of ofVehicle) {
    for (const other of order.legs) {
      if (other === leg || other.vehicleId !== leg.vehicleId || !other.points.G) continue;
      const end = other.points.I?.at ?? other.recall?.at ?? other.endedAt;
      if (end !== undefined && other.points.G.at < until && end <= until) since = Math.max(since, end);
    }
  }
  return since;
}

/**
 * What the rules need to know of one leg; `others` are the sites of the vehicle's other open legs, `ofVehicle` the
 * orders that it had lately.
 */
export function watchOf(
  order: Readonly<Order>,
  leg: Leg,
  others: Watch['others'],
  ofVehicle: Iterable<Readonly<Order>>,
): Watch {
  const since = candidateSince(leg, ofVehicle);
  const { lat, lon, arrivalMode } = order.site;
  return {
    orderId: order.id,
    leg: leg.leg,
    site: { lat, lon },
    arrivalMode,
    since,
    acceptedAt: since,
    others,
  };
}

export function otherSites(vehicle: Readonly<Vehicle>, orders: OrdersById, chosen: QueueEntry): Watch['others'] {
  return vehicle.queue.entries
    .filter((entry) => entry.orderId !== chosen.orderId)
    .flatMap((entry) => {
      const site = orders.get(entry.orderId)?.site;
      return site ? [{ orderId: entry.orderId, leg: entry.leg, site: { lat: site.lat, lon: site.lon } }] : [];
    });
}

/** End of the time in which positions say something about this leg. */
export function watchedUntil(leg: Leg): number {
  return leg.points.I?.at ?? leg.endedAt ?? Number.MAX_SAFE_INTEGER;
}
