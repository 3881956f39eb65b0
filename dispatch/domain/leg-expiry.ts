/** Legs that were not delivered by the centre's deadline (domain.md, "Leg", `expired`). */
import { endLeg } from './leg.js';
import { isAtLeast, isEffective } from './leg-states.js';
import type { Leg, Order } from './model.js';
import type { DueRule } from './tables.js';

export const legExpiry: DueRule<'order'> = {
  kind: 'order',
  name: 'deliveryDeadline',
  dueAt: (order) => {
    const times = undelivered(order).map((leg) => leg.expiresAt!);
    return times.length > 0 ? Math.min(...times) : undefined;
  },
  tick(tx, id) {
    for (const leg of undelivered(tx.get('order', id))) {
      if (leg.expiresAt! <= tx.now) endLeg(tx, id, leg.leg, 'expired', 'deliveryDeadline');
    }
  },
};

function undelivered(order: Readonly<Order> | undefined): Leg[] {
  return (order?.legs ?? []).filter(
    (leg) =>
      leg.expiresAt !== undefined &&
      isEffective(leg) &&
      leg.state !== 'suspended' &&
      !isAtLeast(leg.state, 'delivered'),
  );
}
