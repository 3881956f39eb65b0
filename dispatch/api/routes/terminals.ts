/** Who a vehicle's terminal is: blocking it, taking its secrets back, accepting another one that came with its number. */
import { randomBytes } from 'node:crypto';
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
  const acts = ACTS.map(([verb, type, summary]) =>
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
  const rotate = route({
    method: 'POST',
    path: '/vehicles/{id}/terminal/rotate',
    tag: 'Vehicles',
    right: 'terminal.rotate',
    summary: 'Take the terminal’s secrets back; it is disconnected and must register again',
    description:
      'Every authentication code ends; a JT/T 808 terminal that is refused registers by itself and, being the same device, gets a new one. ' +
      'An MQTT terminal gets a new password, `terminalSecret`, shown this once: its operator puts it into the device.',
    params: byId,
    secretFields: ['terminalSecret'],
    responses: {
      200: { description: 'The vehicle', schema: vehicle.extend({ terminalSecret: z.string().optional() }) },
    },
    async handler(context) {
      const { guard, params } = context;
      const { phone } = (await guard.read('vehicle.read', 'vehicle', params.id)).value.terminal;
      const filed = await dispatch.get('terminal', phone);
      const secret = filed?.value.secret && randomBytes(18).toString('base64url');
      await guard.execute({ type: 'terminal.rotate', phone, ...(secret && { secret }) }, context.options());
      return vehicleAnswer(dispatch, guard, params.id, secret ? { more: { terminalSecret: secret } } : {});
    },
  });
  return [...acts, rotate];
}
