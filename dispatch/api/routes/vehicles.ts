/** Vehicles with terminal and crew, their queues, deliveries, messages and duty. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Command } from '../../domain/commands.js';
import type { Versioned } from '../../ports.js';
import { plainObject } from '../../views/json.js';
import { queueView } from '../../views/queue.js';
import { vehicleViews } from '../../views/vehicle.js';
import type { Guard } from '../guard.js';
import { checkVersion, etagOf } from '../http/etag.js';
import { page } from '../http/page.js';
import { Answer, route, type Context, type Route } from '../http/route.js';
import { byId, id, idsOf, pageOf, pageQuery } from '../schemas/common.js';
import {
  delivery,
  dutyIn,
  messageIn,
  queue,
  queuePut,
  vehicle,
  vehicleCreate,
  vehicleEdit,
} from '../schemas/vehicle.js';
import type { RouteDeps } from './deps.js';
import { vehicleAnswer, type AnswerExtras } from './vehicle-answer.js';

const TAG = 'Vehicles';
const made = z.looseObject({}).meta({ description: 'What the command made, by id' });

export function vehicleRoutes({ dispatch }: RouteDeps): Route[] {
  const answer = (guard: Guard, vehicleId: string, extras?: AnswerExtras): Promise<Answer> =>
    vehicleAnswer(dispatch, guard, vehicleId, extras);

  /** A command about one vehicle; its result is the body. */
  const command = async (
    { guard, options }: Context<unknown, unknown, unknown>,
    value: Command,
    vehicleId?: string,
  ): Promise<Record<string, unknown>> => {
    const about = vehicleId === undefined ? undefined : { kind: 'vehicle' as const, id: vehicleId };
    return (await guard.execute(value, options(about))).result;
  };

  return [
    route({
      method: 'POST',
      path: '/vehicles',
      tag: TAG,
      right: 'vehicle.create',
      summary: 'Put a vehicle with its terminal and crew on file',
      description: 'The answer holds `terminalSecret` where Linecrew made the terminal’s password: it is shown once.',
      body: vehicleCreate,
      secretFields: ['terminalSecret'],
      responses: {
        201: { description: 'The vehicle', schema: vehicle.extend({ terminalSecret: z.string().optional() }) },
      },
      async handler(context) {
        const { terminal, ...vehicleIn } = context.body;
        // An MQTT terminal signs in with a password; made here where the operator gave none.
        const made =
          terminal.profile === 'mqtt' && terminal.secret === undefined
            ? randomBytes(18).toString('base64url')
            : undefined;
        const papers = made === undefined ? terminal : { ...terminal, secret: made };
        const result = await command(context, { type: 'vehicle.create', ...vehicleIn, terminal: papers });
        const vehicleId = String(result['vehicleId']);
        return answer(context.guard, vehicleId, {
          status: 201,
          headers: { location: `/api/v1/vehicles/${encodeURIComponent(vehicleId)}` },
          ...(made === undefined ? {} : { more: { terminalSecret: made } }),
        });
      },
    }),
    route({
      method: 'GET',
      path: '/vehicles',
      tag: TAG,
      right: 'vehicle.read',
      audit: true,
      summary: 'Vehicles with last position, connection, queue length and duty',
      query: z.strictObject({
        ...pageQuery,
        ids: idsOf,
        centre: id.optional(),
        trade: z.string().max(60).optional(),
        unit: id.optional(),
        phone: z
          .string()
          .regex(/^\d{1,20}$/)
          .optional()
          .meta({ description: 'Number of the terminal' }),
        plate: z.string().max(20).optional(),
        duty: z.enum(['offDuty', 'standby', 'onBreak']).optional(),
        connection: z.enum(['up', 'down', 'never']).optional(),
      }),
      responses: { 200: { description: 'A page of vehicles', schema: pageOf(vehicle) } },
      async handler({ guard, query }) {
        const { centre, plate } = query;
        if (query.ids) {
          const found = (await dispatch.getMany('vehicle', query.ids)).flatMap((one) => one ?? []);
          return { items: await vehicleViews(dispatch, found.filter(({ value }) => guard.seesVehicle('vehicle.read', value))) }; // prettier-ignore
        }
        const scan =
          plate !== undefined
            ? { index: 'vehicles.plate', from: `${plate}/`, to: `${plate}0` }
            : centre !== undefined
              ? { index: 'vehicles.centre', from: `${centre}/`, to: `${centre}0` }
              : { index: 'vehicles' };
        const phone = query.phone?.replace(/^0+(?=.)/, '');
        return page(dispatch, scan, query, async (docs) => {
          const seen = (docs as unknown as Versioned<'vehicle'>[]).filter(
            ({ value }) =>
              guard.seesVehicle('vehicle.read', value) &&
              (centre === undefined || value.repairCentreId === centre) &&
              (query.trade === undefined || value.trade === query.trade) &&
              (query.unit === undefined || value.unitId === query.unit) &&
              (phone === undefined || value.terminal.phone === phone) &&
              (query.duty === undefined || value.duty.state === query.duty) &&
              (query.connection === undefined || value.link.state === query.connection),
          );
          return vehicleViews(dispatch, seen);
        });
      },
    }),
    route({
      method: 'GET',
      path: '/vehicles/{id}',
      tag: TAG,
      right: 'vehicle.read',
      audit: true,
      summary: 'One vehicle',
      params: byId,
      responses: { 200: { description: 'The vehicle', schema: vehicle } },
      handler: ({ guard, params }) => answer(guard, params.id),
    }),
    route({
      method: 'PATCH',
      path: '/vehicles/{id}',
      tag: TAG,
      right: 'vehicle.edit',
      params: byId,
      body: vehicleEdit,
      summary: 'Change a vehicle, its terminal or its crew',
      responses: { 200: { description: 'The vehicle', schema: vehicle } },
      async handler(context) {
        const { crew, ...changes } = context.body;
        const full = crew ? { ...changes, crew: { ...crew, managers: crew.managers ?? [] } } : changes;
        await command(
          context,
          { type: 'vehicle.edit', vehicleId: context.params.id, changes: full },
          context.params.id,
        );
        return answer(context.guard, context.params.id);
      },
    }),
    route({
      method: 'DELETE',
      path: '/vehicles/{id}',
      tag: TAG,
      right: 'vehicle.delete',
      params: byId,
      summary: 'Take a vehicle from the file; refused while it holds orders',
      responses: { 204: { description: 'It is gone' } },
      async handler(context) {
        await command(context, { type: 'vehicle.delete', vehicleId: context.params.id }, context.params.id);
        return new Answer(204);
      },
    }),
    route({
      method: 'GET',
      path: '/vehicles/{id}/queue',
      tag: TAG,
      right: 'vehicle.read',
      params: byId,
      summary: 'The queue, and the revision that the terminal has confirmed',
      responses: { 200: { description: 'The queue in the dispatcher’s order', schema: queue } },
      async handler({ guard, params }) {
        const { value } = await guard.read('vehicle.read', 'vehicle', params.id);
        return new Answer(200, await queueView(dispatch, value), { etag: etagOf(value.queue.revision) });
      },
    }),
    route({
      method: 'PUT',
      path: '/vehicles/{id}/queue',
      tag: TAG,
      right: 'vehicle.reorder',
      params: byId,
      body: queuePut,
      summary: 'Put the queue into another order',
      description:
        '`orderIds` are exactly the orders of the queue that are not being recalled. Another revision than the present one is 409 `queueChanged`.',
      responses: { 200: { description: 'The queue', schema: queue } },
      async handler(context) {
        const { params, body, guard, ifMatch } = context;
        const before = await guard.read('vehicle.read', 'vehicle', params.id);
        checkVersion(ifMatch, before.value.queue.revision);
        await guard.execute({ type: 'vehicle.reorder', vehicleId: params.id, ...body });
        const { value } = await guard.read('vehicle.read', 'vehicle', params.id);
        return new Answer(200, await queueView(dispatch, value), { etag: etagOf(value.queue.revision) });
      },
    }),
    route({
      method: 'GET',
      path: '/vehicles/{id}/deliveries',
      tag: TAG,
      right: 'vehicle.deliveries',
      audit: true,
      params: byId,
      summary: 'What was sent to the terminal and how it went: open items first, then the last 200 ended ones',
      responses: { 200: { description: 'Deliveries with their attempts', schema: pageOf(delivery) } },
      async handler({ guard, params }) {
        await guard.read('vehicle.deliveries', 'vehicle', params.id);
        const outbox = await dispatch.get('outbox', params.id);
        return { items: (outbox?.value.items ?? []).map((item) => plainObject(item)) };
      },
    }),
    route({
      method: 'POST',
      path: '/vehicles/{id}/deliveries/{deliveryId}/cancel',
      tag: TAG,
      right: 'delivery.cancel',
      params: z.strictObject({ id, deliveryId: id }),
      summary: 'Cancel a delivery that was not sent yet',
      body: z.strictObject({}).prefault({}),
      responses: { 200: { description: 'Done', schema: made } },
      handler: (context) =>
        command(context, {
          type: 'delivery.cancel',
          vehicleId: context.params.id,
          deliveryId: context.params.deliveryId,
        }),
    }),
    route({
      method: 'POST',
      path: '/vehicles/{id}/messages',
      tag: TAG,
      right: 'vehicle.message',
      params: byId,
      body: messageIn,
      summary: 'Send a text to the driver',
      audit: true,
      responses: { 202: { description: 'Queued; GET …/deliveries shows how it goes', schema: made } },
      handler: (context) =>
        command(context, { type: 'vehicle.message', vehicleId: context.params.id, ...context.body }),
    }),
    route({
      method: 'POST',
      path: '/vehicles/{id}/resend',
      tag: TAG,
      right: 'vehicle.resend',
      params: byId,
      body: z.strictObject({}).prefault({}),
      summary: 'Send the texts of all open orders again (the driver lost them)',
      responses: { 202: { description: 'Queued', schema: made } },
      handler: (context) => command(context, { type: 'vehicle.resend', vehicleId: context.params.id }),
    }),
    route({
      method: 'POST',
      path: '/vehicles/{id}/duty',
      tag: TAG,
      right: 'vehicle.duty',
      params: byId,
      body: dutyIn,
      summary: 'Standby, break or off duty',
      description:
        'A break is refused while another crew of the trade is on break (409 with its name); where nobody of the trade would be left on standby, `confirm` is needed.',
      responses: { 200: { description: 'The vehicle', schema: vehicle } },
      async handler(context) {
        await command(
          context,
          { type: 'vehicle.duty', vehicleId: context.params.id, ...context.body },
          context.params.id,
        );
        return answer(context.guard, context.params.id);
      },
    }),
  ];
}
