/** `linecrew erase` behind the control socket and on an idle store: a customer's data, with an entry in the audit log. */
import { createAuditLog } from '../dispatch/audit.js';
import type { Actor } from '../dispatch/domain/events.js';
import { Refusal } from '../dispatch/domain/tx.js';
import { eraseCustomer } from '../dispatch/erasure.js';
import type { DispatchPort } from '../dispatch/ports.js';
import type { ControlHandlers } from './control.js';

const LOCAL: Actor = { source: 'api', name: 'command line', roles: ['administrator'] };

export function erasureHandlers(dispatch: DispatchPort): ControlHandlers {
  return {
    'customer.erase': async ({ phone, number }) => {
      const of = typeof phone === 'string' ? { phone } : typeof number === 'string' ? { number } : undefined;
      if (!of) throw new Refusal('missing', 'expected a phone number or the number of an order', 422);
      const audit = createAuditLog({ store: dispatch.store, clock: dispatch.clock, onLost: () => {} });
      // The question's phone number is not noted: it is what shall be forgotten.
      const entry = { by: LOCAL.name, via: 'none', address: '-', method: 'CLI', path: '/customers/erase' } as const;
      try {
        const execute = (command: { type: 'order.erase'; orderId: string }) => dispatch.execute(command, LOCAL);
        const result = await eraseCustomer(dispatch, of, { execute, may: () => true });
        audit.note({ ...entry, action: 'order.erase', status: 200 });
        return result;
      } catch (error) {
        const status = error instanceof Refusal ? error.status : 500;
        audit.note({ ...entry, action: 'order.erase', status });
        throw error;
      } finally {
        await audit.close();
      }
    },
  };
}
