/**
 * The next best crew for an order whose crew does not take it (domain.md, "Escalation" at 8 min, and "Availability"): a
 * card names it; the dispatcher decides.
 */
import { assignmentDeciders } from './assignment.js';
import { raiseCard, settleCards } from './cards.js';
import { isEffective, legOf } from './leg-states.js';
import type { Card, Leg } from './model.js';
import { centreOf, orderNamed } from './order.js';
import { vehicleNamed } from './queue.js';
import type { Deciders, Hook, Hooks } from './tables.js';
import type { Tx } from './tx.js';

const NOT_ACCEPTED: readonly Leg['state'][] = ['queued', 'sent', 'delivered', 'read'];

/** True while another crew may be proposed for the leg. */
export const waitsForCrew = (leg: Leg | undefined): boolean =>
  leg !== undefined && isEffective(leg) && NOT_ACCEPTED.includes(leg.state);

export const nextCrewDeciders: Deciders = {
  'order.proposeCrew': (tx, { orderId, leg: number, vehicleId, reasons }) => {
    const order = orderNamed(tx, orderId);
    const leg = legOf(order, number);
    const id = cardId(orderId, number);
    // Proposed once for a leg, whatever the dispatcher made of it.
    if (!leg || !waitsForCrew(leg) || tx.get('card', id)) return {};
    const { plate, crew } = vehicleNamed(tx, leg.vehicleId);
    const next = vehicleNamed(tx, vehicleId);
    raiseCard(tx, {
      id,
      kind: 'proposal',
      code: 'nextCrew',
      message: `${crew.name} (${plate}) has not accepted ${order.number}; next best is ${next.crew.name} (${next.plate}): ${reasons.join(', ')}`,
      orderId,
      leg: number,
      vehicleId: leg.vehicleId,
      ...centreOf(order),
      choices: ['reassign', 'ignore'],
      data: { to: vehicleId, reasons },
    });
    settleCards(tx, `proposal:${orderId}:${number}:crewOnBreak`, 'nextCrew');
    return { orderId, cardId: id };
  },
};

const cardId = (orderId: string, leg: number): string => `proposal:${orderId}:${leg}:nextCrew`;

/** The choice `reassign`: refused like any other reassignment, for example where the other crew is off duty meanwhile. */
export function reassignToNext(tx: Tx, { orderId, leg, data }: Readonly<Card>): void {
  const vehicleId = String(data['to']);
  const command = { type: 'order.reassign' as const, orderId: orderId!, leg: leg!, vehicleId, reason: 'nextCrew' };
  assignmentDeciders['order.reassign']!(tx, command);
}

const settle: Hook = (tx, { type, orderId, leg }) => settleCards(tx, cardId(orderId!, leg!), type);

export const nextCrewHooks: Hooks = {
  'leg.accepted': settle,
  'leg.enRoute': settle,
  'leg.onSite': settle,
  'leg.workDone': settle,
  'leg.recalling': settle,
  'leg.rejected': settle,
  'leg.expired': settle,
};
