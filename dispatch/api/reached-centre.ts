/**
 * Point C (domain.md, `atCentre`): the repair centre has an order when the first client that stands for the centre got
 * it, by reading it or over its open stream. The one place that says so.
 */
import type { FastifyBaseLogger } from 'fastify';
import type { Order } from '../domain/model.js';
import { Refusal } from '../domain/tx.js';
import type { DispatchPort } from '../ports.js';
import { standsForCentre, type Principal } from '../rights.js';

export interface ReachedCentre {
  /** The client was given this order. Resolves when point C is kept, or at once where there is none to make. */
  got(principal: Principal, order: Order): Promise<boolean>;
  /** The client was told over its stream that an order was issued to the centre. */
  told(principal: Principal, orderId: string, centreId: string): Promise<void>;
}

export function createReachedCentre(dispatch: DispatchPort, log: Pick<FastifyBaseLogger, 'warn'>): ReachedCentre {
  /** Being decided at this moment: twenty consoles that get an order at once need one command. */
  const running = new Map<string, Promise<boolean>>();

  function reached(principal: Principal, orderId: string): Promise<boolean> {
    const before = running.get(orderId);
    if (before) return before;
    const command = { type: 'order.reachedCentre' as const, orderId };
    const done = dispatch
      .execute(command, principal)
      .then(() => true)
      .catch((error: unknown) => {
        // Somebody of the centre was faster, or it was taken back: nothing is lost. A failing store is tried again with
        // the next look at the order.
        if (!(error instanceof Refusal)) log.warn({ err: error, orderId }, 'point C could not be kept yet');
        return false;
      })
      .finally(() => running.delete(orderId));
    running.set(orderId, done);
    return done;
  }

  return {
    async got(principal, order) {
      const { stage, repairCentreId, id } = order;
      if (stage !== 'issued' || repairCentreId === undefined || !standsForCentre(principal, repairCentreId))
        return false;
      return reached(principal, id);
    },
    async told(principal, orderId, centreId) {
      if (standsForCentre(principal, centreId)) await reached(principal, orderId);
    },
  };
}
