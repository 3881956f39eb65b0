/** Which vehicles for this order: gathers the facts that the ranking of the domain asks for. */
import { rankCandidates, type Candidate, type CandidateFacts } from './domain/candidates.js';
import { shownDuty } from './domain/duty.js';
import { forecast, stopsOf, stretchesOf, type EtaQuestion, type RoadSeconds } from './domain/eta.js';
import { isOpen } from './domain/leg-states.js';
import type { Order, Vehicle } from './domain/model.js';
import { deadlineOf } from './domain/segments.js';
import type { DispatchSettings } from './domain/settings.js';
import type { DispatchPort } from './ports.js';
import type { Road } from './road.js';
import type { Position } from './store/position-batch.js';
import { iso } from './views/json.js';

/** Vehicles looked at: those of the order's centre, or of all while it has none. */
const MAX_VEHICLES = 1_000;

/**
 * Every vehicle of the order's centre, best first. Driving times are the routing server's as far as it gives them, by
 * one request for the vehicles that are best by the estimate.
 */
export async function candidatesFor(
  dispatch: DispatchPort,
  road: Road,
  order: Order,
): Promise<{ vehicle: Vehicle; json: Record<string, unknown> }[]> {
  const centre = order.repairCentreId;
  const scan =
    centre === undefined ? { index: 'vehicles' } : { index: 'vehicles.centre', from: `${centre}/`, to: `${centre}0` };
  const vehicles = (await dispatch.scan({ ...scan, limit: MAX_VEHICLES })).items.map((doc) => doc.value as Vehicle);
  const now = dispatch.clock.now();
  const { settings } = dispatch;
  const [positions, orders] = await Promise.all([
    dispatch.lastPositions(vehicles.map((vehicle) => vehicle.id)),
    queuedOrders(dispatch, vehicles),
  ]);
  const question = {
    order,
    trades: await tradesFor(dispatch, order),
    deadlineAt: deadlineOf(order, settings),
    now,
  };
  const ways = new Map(
    vehicles.flatMap((vehicle) => {
      const position = positions.get(vehicle.id);
      return position ? [[vehicle.id, wayOf(vehicle, position, order, orders, now, settings)] as const] : [];
    }),
  );
  const ranked = (seconds?: RoadSeconds): Candidate[] =>
    rankCandidates(
      question,
      vehicles.map((vehicle) => {
        const way = ways.get(vehicle.id);
        const facts = factsOf(vehicle, order, positions.get(vehicle.id), now, settings);
        return way ? { ...facts, eta: forecast(way, settings, seconds) } : facts;
      }),
      settings,
    );
  const wanted = ranked().flatMap(({ vehicleId }) => ways.get(vehicleId) ?? []);
  const seconds = await road.between(wanted.flatMap(stretchesOf));
  const byId = new Map(vehicles.map((vehicle) => [vehicle.id, vehicle]));
  return ranked(seconds).map((candidate) => ({
    vehicle: byId.get(candidate.vehicleId)!,
    json: candidateView(candidate, now),
  }));
}

async function queuedOrders(dispatch: DispatchPort, vehicles: readonly Vehicle[]): Promise<Map<string, Order>> {
  const ids = [...new Set(vehicles.flatMap((vehicle) => vehicle.queue.entries.map((entry) => entry.orderId)))];
  const found = await dispatch.getMany('order', ids);
  return new Map(found.flatMap((one) => (one ? [[one.value.id, one.value] as const] : [])));
}

/** From where the vehicle is, over what is queued, to the order. */
function wayOf(
  { queue }: Vehicle,
  { latE6, lonE6 }: Position,
  order: Order,
  orders: ReadonlyMap<string, Order>,
  now: number,
  settings: DispatchSettings,
): EtaQuestion {
  const others = queue.entries.filter(({ orderId }) => orderId !== order.id);
  const before = stopsOf(others, (id) => orders.get(id), now, settings);
  return { now, from: { lat: latE6 / 1e6, lon: lonE6 / 1e6 }, before, to: order.site };
}

function factsOf(
  vehicle: Vehicle,
  order: Order,
  position: Position | undefined,
  now: number,
  settings: DispatchSettings,
): CandidateFacts {
  return {
    vehicleId: vehicle.id,
    plate: vehicle.plate,
    crewName: vehicle.crew.name,
    trade: vehicle.trade,
    repairCentreId: vehicle.repairCentreId,
    duty: shownDuty(vehicle, now, settings),
    queueLength: vehicle.queue.entries.length,
    hasOrder: order.legs.some((leg) => leg.vehicleId === vehicle.id && isOpen(leg)),
    ...(position ? { contactAgeMs: Math.max(0, now - position.receivedAt) } : {}),
  };
}

/** Trades that can do this kind of fault: `rules.trades` of the configuration; none said = any. */
async function tradesFor(dispatch: DispatchPort, order: Order): Promise<string[]> {
  const rules = (await dispatch.get('rules', 'rules'))?.value.value;
  const trades = (rules?.['trades'] as Record<string, unknown> | undefined)?.[order.fault.category];
  return Array.isArray(trades) ? trades.filter((trade) => typeof trade === 'string') : [];
}

function candidateView(
  { eta, refused, reasons, contactAgeMs, ...rest }: Candidate,
  now: number,
): Record<string, unknown> {
  return {
    ...rest,
    suitable: refused === undefined,
    ...(refused ? { refused: refused.text } : {}),
    reasons: [...(refused ? [refused.text] : []), ...reasons.map((reason) => reason.text)],
    reasonCodes: [...(refused ? [refused.code] : []), ...reasons.map((reason) => reason.code)],
    etaAt: eta ? iso(eta.at) : null,
    etaMs: eta ? eta.at - now : null,
    etaBasis: eta?.basis ?? null,
    distanceM: eta?.distanceM ?? null,
    contactAgeMs: contactAgeMs ?? null,
  };
}
