/** Areas and routes that a vehicle's terminal holds: those that people have set, and the circles of its orders. */
import { z } from 'zod';
import { deviceOf } from '../../domain/areas.js';
import { iso } from '../../views/json.js';
import { route, type Route } from '../http/route.js';
import { byId, timeOut } from '../schemas/common.js';
import type { RouteDeps } from './deps.js';

export const area = z
  .object({
    id: z.int().meta({ description: 'On the wire; those of orders lie above 65535' }),
    shape: z.enum(['circle', 'rectangle', 'polygon', 'route']),
    name: z.string().optional(),
    points: z
      .array(z.object({ lat: z.number(), lon: z.number() }))
      .meta({ description: 'WGS-84: centre, corners, or the way' }),
    radiusM: z.number().optional().meta({ description: 'Of a circle' }),
    widthM: z.number().optional().meta({ description: 'Of a route: its widest segment' }),
    orderId: z.string().optional().meta({ description: 'Around the site of this order' }),
    setAt: timeOut.optional().meta({ description: 'When the terminal confirmed it; absent for those of orders' }),
  })
  .meta({ id: 'TerminalArea' });
type AreaJson = z.input<typeof area>;

export function vehicleAreaRoutes({ dispatch }: RouteDeps): Route[] {
  return [
    route({
      method: 'GET',
      path: '/vehicles/{id}/areas',
      tag: 'Vehicles',
      right: 'vehicle.deliveries',
      params: byId,
      summary:
        'Areas and routes in the terminal: those of people as it has confirmed them, and the circles of its orders',
      responses: { 200: { description: 'All of them', schema: z.object({ items: z.array(area) }) } },
      async handler({ guard, params }) {
        await guard.read('vehicle.deliveries', 'vehicle', params.id);
        const [kept, found] = await Promise.all([dispatch.get('areas', params.id), dispatch.get('outbox', params.id)]);
        const { fences = {}, terminal } = found?.value ?? {};
        const device = deviceOf(terminal);
        const people = kept?.value.device === device ? kept.value.items : [];
        const orders = Object.entries(fences)
          .filter(([, fence]) => fence.removedAt === undefined && fence.device === device)
          .map(([key, { id, lat, lon, radiusM }]): AreaJson => {
            const orderId = key.slice(0, key.lastIndexOf('/'));
            return { id, shape: 'circle', points: [{ lat, lon }], radiusM, orderId };
          });
        return {
          items: [...people.map(({ setAt, ...rest }): AreaJson => ({ ...rest, setAt: iso(setAt) })), ...orders],
        };
      },
    }),
  ];
}
