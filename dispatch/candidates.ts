/** Which vehicles for this order: gathers the facts that the ranking of the domain asks for. */
import { rankCandidates, type Candidate, type CandidateFacts } from './domain/candidates.js';
import { shownDuty } from './domain/duty.js';
import { forecast, type EtaStop } from './domain/eta.js';
import { isOpen } from './domain/leg-states.js';
import type { Order, Vehicle } from './domain/model.js';
import { deadlineOf } from './domain/segments.js';
import type { DispatchPort } from './ports.js';
import type { Position } from './store/position-batch.js';
import { iso } from './views/json.js';

/** Vehicles looked at: those of the order's centre, or of all while it has none. */
const MAX_VEHICLES = 1_000;

export async function candidatesFor(
  dispatch: DispatchPort,
  order: Order,
): Promise<{ vehicle: Vehicle; json: Record<string, unknown> }[]> {
  const centre = order.repairCentreId;
  const scan =
    centre === undefined ? { index: 'vehicles' } : { index: 'vehicles.centre', from: `${centre}/`, to: `${centre}0` };
  const vehicles = (await dispatch.scan({ ...scan, limit: MAX_VEHICLES })).items.map((doc) => doc.value as Vehicle);
  const now = dispatch.clock.now();
  const [positions, orders] = await Promise.all([
    dispatch.lastPositions(vehicles.map((vehicle) => vehicle.id)),
    queuedOrders(dispatch, vehicles),
  ]);
  const facts = vehicles.map((vehicle) => factsOf(dispatch, order, vehicle, positions.get(vehicle.id), orders, now));
  const question = {
    order,
    trades: await tradesFor(dispatch, order),
    deadlineAt: deadlineOf(order, dispatch.settings),
    now,
  };
  const byId = new Map(vehicles.map((vehicle) => [vehicle.id, vehicle]));
  return rankCandidates(question, facts, dispatch.settings).map((candidate) => ({
    vehicle: byId.get(candidate.vehicleId)!,
    json: candidateView(candidate, now),
  }));
}

async function queuedOrders(dispatch: DispatchPort, vehicles: readonly Vehicle[]): Promise<Map<string, Order>> {
  const ids = [...new Set(vehicles.flatMap((vehicle) => vehicle.queue.entries.map((entry) => entry.orderId)))];
  const found = await dispatch.getMany('order', ids);
  return new Map(found.flatMap((one) => (one ? [[one.value.id, one.value] as const] : [])));
}

function factsOf(
  dispatch: DispatchPort,
  order: Order,
  vehicle: Vehicle,
  position: Position | undefined,
  orders: ReadonlyMap<string, Order>,
  now: number,
): CandidateFacts {
  const before: EtaStop[] = vehicle.queue.entries.flatMap(({ orderId }) => {
    const queued = orders.get(orderId);
    return queued && orderId !== order.id ? [{ site: queued.site }] : [];
  });
  const from = position && { lat: position.latE6 / 1e6, lon: position.lonE6 / 1e6 };
  return {
    vehicleId: vehicle.id,
    plate: vehicle.plate,
    crewName: vehicle.crew.name,
    trade: vehicle.trade,
    repairCentreId: vehicle.repairCentreId,
    duty: shownDuty(vehicle, now, dispatch.settings),
    queueLength: vehicle.queue.entries.length,
    hasOrder: order.legs.some((leg) => leg.vehicleId === vehicle.id && isOpen(leg)),
    ...(position ? { contactAgeMs: Math.max(0, now - position.receivedAt) } : {}),
    ...(from ? { eta: forecast({ now, from, before, to: order.site }, dispatch.settings) } : {}),
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
