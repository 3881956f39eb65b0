import type { Vehicle } from '../domain/model.js';
import type { DispatchPort } from '../ports.js';
import { isoOrUndefined } from './json.js';
import { deadlineOf } from './order.js';

/** The queue of contract.md: `{revision, confirmedRevision, legs: [{orderId, leg, state, position, …}]}`. */
export async function queueView(dispatch: DispatchPort, vehicle: Vehicle): Promise<Record<string, unknown>> {
  const { revision, confirmedRevision, confirmedAt, entries } = vehicle.queue;
  const [orders, outbox] = await Promise.all([
    dispatch.getMany(
      'order',
      entries.map((entry) => entry.orderId),
    ),
    dispatch.get('outbox', vehicle.id),
  ]);
  const legs = entries.flatMap((entry, i) => {
    const order = orders[i]?.value;
    const leg = order?.legs.find((one) => one.leg === entry.leg);
    if (!order || !leg) return [];
    const held = outbox?.value.held[`${entry.orderId}/${entry.leg}`];
    return {
      orderId: order.id,
      number: order.number,
      leg: leg.leg,
      state: leg.state,
      position: i + 1,
      priority: order.priority,
      address: order.site.address,
      deadlineAt: isoOrUndefined(deadlineOf(order, dispatch.settings)),
      held: held !== undefined && held >= leg.contentVersion,
    };
  });
  return { revision, confirmedRevision, confirmedAt: isoOrUndefined(confirmedAt), legs };
}
