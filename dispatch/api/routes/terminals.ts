/** Who a vehicle's terminal is: blocking it, and accepting another one that came with its number. */
import { z } from 'zod';
import { route, type Route } from '../http/route.js';
import { byId, words } from '../schemas/common.js';
import { vehicle } from '../schemas/vehicle.js';
import type { RouteDeps } from './deps.js';
import { vehicleAnswer } from './vehicle-answer.js';

const ACTS = [
  ['block', 'terminal.block', 'Refuse the terminal until it is unblocked'],
  ['unblock', 'terminal.unblock', 'Let a blocked terminal in again'],
  ['accept-swap', 'terminal.acceptSwap', 'Accept the other terminal that registered with this number'],
] as const;

export function terminalRoutes({ dispatch }: RouteDeps): Route[] {
  return ACTS.map(([verb, type, summary]) =>
    route({
      method: 'POST',
      path: `/vehicles/{id}/terminal/${verb}`,
      tag: 'Vehicles',
      right: type,
      summary,
      params: byId,
      body: z.strictObject({ reason: words.min(1).optional() }).prefault({}),
      responses: { 200: { description: 'The vehicle', schema: vehicle } },
      async handler(context) {
        const { guard, params, body } = context;
        const { value } = await guard.read('vehicle.read', 'vehicle', params.id);
        const { phone } = value.terminal;
        const command =
          type === 'terminal.block' ? { type, phone, reason: body.reason ?? 'blocked by hand' } : { type, phone };
        await guard.execute(command, context.options());
        return vehicleAnswer(dispatch, guard, params.id);
      },
    }),
  );
}
