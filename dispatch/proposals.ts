/** Names the next best crew where one does not take its order: follows the event log and asks the ranking. */
import { candidatesFor } from './candidates.js';
import type { Actor, StoredEvent } from './domain/events.js';
import { legOf } from './domain/leg-states.js';
import type { Alert, Card } from './domain/model.js';
import { waitsForCrew } from './domain/next-crew.js';
import { Refusal } from './domain/tx.js';
import type { DispatchPort } from './ports.js';
import { listAlerts, listCards } from './queries.js';
import type { Road } from './road.js';

const ACTOR: Actor = { source: 'rule', name: 'nextCrew', roles: [] };
/** Looked at when the work begins: more than wait for another crew in one service at a time. */
const AT_START = 1_000;

interface Log {
  warn(fields: Record<string, unknown>, message: string): void;
}
interface Wanted {
  orderId?: string | undefined;
  leg?: number | undefined;
}

/**
 * Proposes for what waits already, then for what comes. Several nodes may do so at once: a leg has one proposal. Call
 * when the service has started; `cancel` ends it.
 */
export async function startProposals(dispatch: DispatchPort, road: Road, log: Log): Promise<{ cancel(): void }> {
  const last = await dispatch.store.lastPosition();
  const alerts = await listAlerts(dispatch, { limit: AT_START });
  const cards = await listCards(dispatch, { kind: 'proposal', limit: AT_START });
  const waiting = [...alerts.items.filter(({ value }) => wantsCrew(value)), ...cards.items.filter(({ value }) => onBreak(value))]; // prettier-ignore
  for (const { value } of waiting) await propose(dispatch, road, log, value);
  return dispatch.follow(last, async (events) => {
    for (const event of events) if (asksForCrew(event)) await propose(dispatch, road, log, event);
  });
}

const wantsCrew = ({ kind }: Alert): boolean => kind === 'nextCrew';
const onBreak = ({ code }: Card): boolean => code === 'crewOnBreak';

function asksForCrew({ type, data }: StoredEvent): boolean {
  if (type === 'alert.raised') return wantsCrew((data as { alert: Alert }).alert);
  return type === 'card.raised' && onBreak((data as { card: Card }).card);
}

async function propose(dispatch: DispatchPort, road: Road, log: Log, { orderId, leg }: Wanted): Promise<void> {
  if (orderId === undefined || leg === undefined) return;
  const order = (await dispatch.get('order', orderId))?.value;
  if (!order || !waitsForCrew(legOf(order, leg))) return;
  const had = new Set(order.legs.map(({ vehicleId }) => vehicleId));
  try {
    const candidates = await candidatesFor(dispatch, road, order);
    const next = candidates.find(({ vehicle, json }) => json['rank'] !== undefined && !had.has(vehicle.id));
    if (!next) return;
    const reasons = next.json['reasons'] as string[];
    await dispatch.execute({ type: 'order.proposeCrew', orderId, leg, vehicleId: next.vehicle.id, reasons }, ACTOR);
  } catch (error) {
    // Somebody has decided otherwise meanwhile.
    if (!(error instanceof Refusal)) log.warn({ err: error, orderId }, 'the next best crew could not be proposed');
  }
}
