/** Commands to a terminal that are of no use any more: a position asked for two hours ago, a photo of then. */
import { emitEnd } from './delivery-items.js';
import type { Delivery, Outbox } from './model.js';
import { isOpen } from './outbox.js';
import type { DueRule } from './tables.js';

/** Results of commands that ended without an answer. */
export const NO_ANSWER = 'noAnswer';
export const NOT_CONNECTED = 'notConnected';
/** The connection ended after a command that ends it (restart): the terminal did what it was told. */
export const LINK_ENDED = 'linkEnded';

export const commandExpiry: DueRule<'outbox'> = {
  kind: 'outbox',
  name: 'commandExpiry',
  dueAt: (outbox) => {
    const times = expiring(outbox).map((item) => item.expiresAt!);
    return times.length > 0 ? Math.min(...times) : undefined;
  },
  tick(tx, vehicleId) {
    for (const item of expiring(tx.get('outbox', vehicleId))) {
      if (item.expiresAt! > tx.now) continue;
      emitEnd(tx, 'delivery.expired', item, item.attempts.length > 0 ? NO_ANSWER : NOT_CONNECTED);
    }
  },
};

function expiring(outbox: Readonly<Outbox> | undefined): Delivery[] {
  return (outbox?.items ?? []).filter((item) => item.expiresAt !== undefined && isOpen(item));
}
