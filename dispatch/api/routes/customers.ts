/** What a customer may ask for: that nothing about them is kept. */
import { z } from 'zod';
import { eraseCustomer } from '../../erasure.js';
import { route, type Route } from '../http/route.js';
import { phone } from '../schemas/common.js';
import type { RouteDeps } from './deps.js';

export function customerRoutes({ dispatch }: RouteDeps): Route[] {
  return [
    route({
      method: 'POST',
      path: '/customers/erase',
      tag: 'Orders',
      right: 'order.erase',
      summary: 'Delete a customer’s data from the orders that have ended',
      description:
        'By phone number, or one order by its number. Name, phone, address, descriptions, notes and photos are deleted from the orders and from ' +
        'the event log, coordinates are kept to about a kilometre; stages, time points and all that reports are made of stay. Orders that have ' +
        'not ended keep their data and are named in `open`. What webhooks and other systems were told before is theirs to delete.',
      body: z.union([z.strictObject({ phone }), z.strictObject({ number: z.string().min(1).max(20) })]),
      responses: {
        200: {
          description: 'What was done',
          schema: z.object({
            erased: z.array(z.string()).meta({ description: 'Numbers of the orders' }),
            open: z.array(z.string()).meta({ description: 'Numbers of the orders that have not ended' }),
            events: z.int().meta({ description: 'Events rewritten' }),
            photos: z.int().meta({ description: 'Photos deleted' }),
          }),
        },
      },
      handler: ({ guard, body }) =>
        eraseCustomer(dispatch, body, {
          execute: (command) => guard.execute(command),
          may: (order) => guard.seesOrder('order.erase', order),
        }),
    }),
  ];
}
