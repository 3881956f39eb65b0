/** Orders: taking the customer's report, finding and reading. */
import { z } from 'zod';
import type { Order } from '../../domain/model.js';
import { RULES_ID } from '../../domain/organisation.js';
import { requiredByRules } from '../../domain/record.js';
import type { DispatchPort, Versioned } from '../../ports.js';
import { eventView } from '../../views/event.js';
import { allowedSteps } from '../../views/allowed.js';
import { orderView, orderViews } from '../../views/order.js';
import type { Guard } from '../guard.js';
import { etagOf } from '../http/etag.js';
import { page } from '../http/page.js';
import { Answer, route, type Route } from '../http/route.js';
import { timeKey } from '../../indexes.js';
import { byId, fromTo, id, idsOf, listOf, pageOf, pageQuery, phone, stage } from '../schemas/common.js';
import { candidate, order, orderCreate, orderEdit, orderSummary } from '../schemas/order.js';
import { candidatesFor } from '../../candidates.js';
import type { RouteDeps } from './deps.js';

const TAG = 'Orders';
/** Events of one order in its JSON; an order has some dozens, one that is reassigned for days some hundreds. */
const MAX_EVENTS = 1_000;

/** The order as JSON, after its centre got it: reading it is getting it. */
export async function showOrder(
  { dispatch, reached }: RouteDeps,
  guard: Guard,
  orderId: string,
): Promise<Versioned<'order'> & { json: Record<string, unknown> }> {
  let found = await guard.read('order.read', 'order', orderId);
  if (await reached.got(guard.principal, found.value)) found = (await dispatch.get('order', orderId)) ?? found;
  const json = {
    ...(await orderView(dispatch, found)),
    allowed: await allowedSteps(dispatch, guard.principal, found.value),
    recordFields: requiredByRules(await rulesOf(dispatch), found.value.fault.category),
  };
  return { ...found, json };
}

async function rulesOf(dispatch: DispatchPort): Promise<Record<string, unknown> | undefined> {
  return (await dispatch.get('rules', RULES_ID))?.value.value;
}

export function orderRoutes(deps: RouteDeps): Route[] {
  const { dispatch, reached, road } = deps;

  const answer = async (
    guard: Guard,
    orderId: string,
    status = 200,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const { json, version } = await showOrder(deps, guard, orderId);
    return new Answer(status, json, { ...headers, etag: etagOf(version) });
  };

  return [
    route({
      method: 'POST',
      path: '/orders',
      tag: TAG,
      right: 'order.create',
      summary: 'Take a customer’s report',
      description:
        'Point A is `callEndedAt`, else the time of creation, flagged `created`. One of long ago (24 h unless configured) is 409 `callLongAgo` without `confirm`.',
      body: orderCreate,
      responses: { 201: { description: 'The order', schema: order } },
      async handler({ guard, body, options }) {
        const { result } = await guard.execute({ type: 'order.create', ...body }, options());
        const orderId = String(result['orderId']);
        return answer(guard, orderId, 201, { location: `/api/v1/orders/${encodeURIComponent(orderId)}` });
      },
    }),
    route({
      method: 'GET',
      path: '/orders',
      tag: TAG,
      right: 'order.read',
      audit: true,
      summary: 'Orders, newest first',
      query: z.strictObject({
        ...pageQuery,
        ids: idsOf,
        ...fromTo,
        stage: listOf(stage).optional().meta({ description: 'One or several, with commas' }),
        centre: id.optional(),
        vehicle: id.optional(),
        phone: phone.optional().meta({ description: 'The customer’s phone number' }),
        number: z.string().max(20).optional(),
        priority: z.enum(['normal', 'urgent']).optional(),
      }),
      responses: {
        200: {
          description: 'A page of orders; `from` and `to` are about their creation',
          schema: pageOf(orderSummary),
        },
      },
      async handler({ guard, query, principal }) {
        const { scan, matches } = plan(query);
        const show = async (docs: readonly Versioned<'order'>[], fits: typeof matches) => {
          const seen = docs.filter(({ value }) => guard.seesOrder('order.read', value) && fits(value));
          const got = await Promise.all(seen.map(({ value }) => reached.got(principal, value)));
          const fresh = got.some(Boolean)
            ? await dispatch.getMany(
                'order',
                seen.map(({ value }) => value.id),
              )
            : seen;
          const shown = fresh.flatMap((one) => one ?? []);
          const allowed = await Promise.all(shown.map(({ value }) => allowedSteps(dispatch, principal, value)));
          const rules = await rulesOf(dispatch);
          return (await orderViews(dispatch, shown)).map((json, i) => ({
            ...json,
            allowed: allowed[i],
            recordFields: requiredByRules(rules, shown[i]!.value.fault.category),
          }));
        };
        if (query.ids) {
          const found = await dispatch.getMany('order', query.ids);
          return { items: await show(found.flatMap((one) => one ?? []), () => true) }; // prettier-ignore
        }
        return page(dispatch, { ...scan, reverse: true }, query, (docs) =>
          show(docs as unknown as Versioned<'order'>[], matches),
        );
      },
    }),
    route({
      method: 'GET',
      path: '/orders/{id}',
      tag: TAG,
      right: 'order.read',
      params: byId,
      audit: true,
      summary: 'One order with its time points, segments, legs, cycles and events',
      responses: { 200: { description: 'The order', schema: order } },
      async handler({ guard, params }) {
        const { json, version, value } = await showOrder(deps, guard, params.id);
        const events = await dispatch.eventsAfter(0, MAX_EVENTS, `order:${value.id}`);
        return new Answer(200, { ...json, events: events.map(eventView) }, { etag: etagOf(version) });
      },
    }),
    route({
      method: 'PATCH',
      path: '/orders/{id}',
      tag: TAG,
      right: 'order.edit',
      params: byId,
      body: orderEdit,
      summary: 'Correct an order; crews are shown the new content',
      responses: { 200: { description: 'The order', schema: order } },
      async handler({ guard, params, body, options }) {
        const about = { kind: 'order' as const, id: params.id };
        await guard.execute({ type: 'order.edit', orderId: params.id, changes: body }, options(about));
        return answer(guard, params.id);
      },
    }),
    route({
      method: 'GET',
      path: '/orders/{id}/candidates',
      tag: TAG,
      right: 'order.candidates',
      params: byId,
      summary: 'Recommended vehicles with reasons; the ones that cannot take it come last, with why',
      responses: { 200: { description: 'Best first', schema: z.object({ items: z.array(candidate) }) } },
      async handler({ guard, params }) {
        const { value } = await guard.read('order.candidates', 'order', params.id);
        const items = await candidatesFor(dispatch, road, value);
        return {
          items: items.filter(({ vehicle }) => guard.seesVehicle('order.candidates', vehicle)).map(({ json }) => json),
        };
      },
    }),
  ];
}

interface OrderQuery {
  stage?: Order['stage'][] | undefined;
  centre?: string | undefined;
  vehicle?: string | undefined;
  phone?: string | undefined;
  number?: string | undefined;
  priority?: Order['priority'] | undefined;
  from?: number | undefined;
  to?: number | undefined;
}

/** The narrowest index for the question, and what it leaves to be checked. */
function plan(query: OrderQuery): {
  scan: { index: string; from?: string; to?: string };
  matches: (order: Order) => boolean;
} {
  const { from, to, centre, vehicle, number } = query;
  const stages = query.stage ?? [];
  const matches = (order: Order): boolean =>
    (stages.length === 0 || stages.includes(order.stage)) &&
    (centre === undefined || order.repairCentreId === centre) &&
    (vehicle === undefined || order.legs.some((leg) => leg.vehicleId === vehicle)) &&
    (query.phone === undefined || order.customer.phone === query.phone) &&
    (query.priority === undefined || order.priority === query.priority) &&
    (from === undefined || order.createdAt >= from) &&
    (to === undefined || order.createdAt < to);
  const only = stages.length === 1 ? stages[0] : undefined;
  const [index, prefix] =
    query.phone !== undefined ? ['orders.phone', query.phone]
    : vehicle !== undefined ? ['orders.vehicle', vehicle]
    : centre !== undefined && only !== undefined ? ['orders.centreStage', `${centre}/${only}`]
    : centre !== undefined ? ['orders.centre', centre]
    : only !== undefined ? ['orders.stage', only]
    : ['orders', undefined]; // prettier-ignore
  if (number !== undefined) return { scan: { index: 'orders.number', from: number, to: `${number}!` }, matches };
  const lead = prefix === undefined ? '' : `${prefix}/`;
  return {
    scan: { index, from: lead + timeKey(from ?? 0), to: lead + (to === undefined ? ':' : timeKey(to)) },
    matches,
  };
}
