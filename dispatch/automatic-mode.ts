/**
 * The automatic mode of a repair centre: what is issued to it is received, and each order that waits there goes to the
 * first candidate (domain.md, "Recommendation").
 */
import { candidatesFor } from './candidates.js';
import type { Actor, StoredEvent } from './domain/events.js';
import type { Order } from './domain/model.js';
import { deadlineOf } from './domain/segments.js';
import { Refusal } from './domain/tx.js';
import { byRank } from './domain/urge.js';
import { listOrders } from './queries.js';
import type { DispatchPort } from './ports.js';
import type { Road } from './road.js';

const ACTOR: Actor = { source: 'rule', name: 'automaticMode', roles: ['dispatcher'] };

/** After these an order may find a crew. */
const WAKES: ReadonlySet<string> = new Set([
  'order.issued',
  'order.atCentre',
  'order.reopened',
  'duty.standby',
  'leg.workDone',
  'leg.rejected',
  'vehicle.created',
  'centre.changed',
]);

/** Orders looked at in one sweep of a centre, by their rank; the rest has its turn when a crew is free. */
const AT_ONCE = 50;

/**
 * Follows the event log and assigns. Several nodes may do so at once: an order that one has assigned is refused to the
 * others. Call when the service has started; `cancel` ends it.
 */
export async function startAutomaticMode(
  dispatch: DispatchPort,
  road: Road,
  log: { warn(fields: Record<string, unknown>, message: string): void },
): Promise<{ cancel(): void }> {
  const last = await dispatch.store.lastPosition();
  const centres = (await dispatch.scan({ index: 'centres', limit: 1_000 })).items.map((doc) => doc.id);
  for (const id of centres) await sweep(dispatch, road, id, log);
  return dispatch.follow(last, async (events) => {
    for (const id of woken(events)) await sweep(dispatch, road, id, log);
  });
}

function woken(events: readonly StoredEvent[]): Set<string> {
  return new Set(
    events.flatMap((event) => (WAKES.has(event.type) && event.centreId !== undefined ? [event.centreId] : [])),
  );
}

async function sweep(
  dispatch: DispatchPort,
  road: Road,
  centreId: string,
  log: { warn(fields: Record<string, unknown>, message: string): void },
): Promise<void> {
  const centre = await dispatch.get('centre', centreId);
  if (!centre?.value.automaticMode) return;
  await receive(dispatch, centreId);
  const waiting = await listOrders(dispatch, { centre: centreId, stage: 'atCentre', limit: 1_000 });
  const ranked = waiting.items.map(({ value }) => value).filter(isLeftToRule);
  ranked.sort(byRank((order) => deadlineOf(order, dispatch.settings)));
  for (const value of ranked.slice(0, AT_ONCE)) {
    try {
      await assignFirst(dispatch, road, value);
    } catch (error) {
      // Somebody else was quicker, or the crew is no longer free: the next sweep looks again.
      if (!(error instanceof Refusal))
        log.warn({ err: error, orderId: value.id }, 'an order could not be assigned by itself');
    }
  }
}

/**
 * The mode is the centre's client, so what is issued has reached the centre (C) without anybody signed in. A person's
 * acceptance stays open until a crew is found: where none is, the call centre is told to phone as ever.
 */
async function receive(dispatch: DispatchPort, centreId: string): Promise<void> {
  const issued = await listOrders(dispatch, { centre: centreId, stage: 'issued', limit: 1_000 });
  for (const { value } of issued.items)
    await dispatch.execute({ type: 'order.reachedCentre', orderId: value.id }, ACTOR);
}

/** An order that a dispatcher took back from a crew is the dispatcher's. */
function isLeftToRule(order: Order): boolean {
  const cycle = order.cycles.at(-1)!.cycle;
  return order.legs.every((leg) => leg.cycle !== cycle || leg.state === 'rejected' || leg.state === 'expired');
}

async function assignFirst(dispatch: DispatchPort, road: Road, order: Order): Promise<void> {
  const refusedBy = new Set(order.legs.map((leg) => leg.vehicleId));
  const candidates = await candidatesFor(dispatch, road, order);
  const first = candidates.find(({ vehicle, json }) => json['rank'] !== undefined && !refusedBy.has(vehicle.id));
  if (first) await dispatch.execute({ type: 'order.assign', orderId: order.id, vehicleId: first.vehicle.id }, ACTOR);
}
