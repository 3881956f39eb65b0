/** What waits for a person: alerts, the attention list, quarantine, conflicts. */
import { z } from 'zod';
import type { Card } from '../../domain/model.js';
import type { Versioned } from '../../ports.js';
import { alertView, cardView } from '../../views/event.js';
import type { Guard } from '../guard.js';
import { etagOf } from '../http/etag.js';
import { page } from '../http/page.js';
import { Answer, route, type Route } from '../http/route.js';
import { byId, flag, id, pageOf, pageQuery } from '../schemas/common.js';
import { alert, card, resolveIn } from '../schemas/event.js';
import type { RouteDeps } from './deps.js';

const TAG = 'Alerts and cards';
const cardQuery = z.strictObject({
  ...pageQuery,
  open: flag.optional().meta({ description: '0 shows those that were resolved too' }),
  centre: id.optional(),
});

/** Path → the kinds of cards that it lists. */
const LISTS = [
  ['attention', ['attention', 'proposal', 'swapped', 'contested'], 'What waits for a person’s decision: attention list, proposals, swapped and contested terminals'],
  ['quarantine', ['quarantine'], 'What terminals said and nobody could use, with its bytes'],
  ['conflicts', ['conflict'], 'Where what crews did crossed what the office decided'],
] as const satisfies readonly (readonly [string, readonly Card['kind'][], string])[]; // prettier-ignore

export function alertRoutes({ dispatch }: RouteDeps): Route[] {
  const cards = async (guard: Guard, kinds: readonly Card['kind'][], query: z.output<typeof cardQuery>): Promise<{ items: unknown[]; next?: string }> => {
    const index = query.open === false ? 'cards' : 'cards.open';
    // One kind after the other: the cursor says which one it is in.
    const [at, cursor] = splitCursor(query.after, kinds.length);
    const kind = kinds[at]!;
    const scan = { index, from: `${kind}/`, to: `${kind}0`, reverse: true };
    const found = await page(dispatch, scan, { limit: query.limit, after: cursor }, async (docs) =>
      Promise.all((docs as unknown as Versioned<'card'>[]).map(async ({ value, version }) => {
        const fits = query.centre === undefined || value.centreId === query.centre;
        return fits && (await guard.seesNotice('card.read', value)) ? cardView(value, version) : undefined;
      })));
    if (found.next !== undefined) return { items: found.items, next: `${at}~${found.next}` };
    if (at + 1 >= kinds.length) return { items: found.items };
    if (found.items.length > 0) return { items: found.items, next: `${at + 1}~` };
    return cards(guard, kinds, { ...query, after: `${at + 1}~` });
  }; // prettier-ignore

  return [
    route({
      method: 'GET',
      path: '/alerts',
      tag: TAG,
      right: 'alert.read',
      summary: 'Escalations, breaches, SOS: newest first',
      query: z.strictObject({
        ...pageQuery,
        open: flag.optional().meta({ description: '0 shows those that have ended too' }),
        order: id.optional(),
        centre: id.optional(),
      }),
      responses: { 200: { description: 'A page of alerts', schema: pageOf(alert) } },
      async handler({ guard, query }) {
        const scan =
          query.order !== undefined
            ? { index: 'alerts.order', from: `${query.order}/`, to: `${query.order}0` }
            : { index: query.open === false ? 'alerts' : 'alerts.open' };
        return page(dispatch, { ...scan, reverse: true }, query, async (docs) =>
          Promise.all(
            (docs as unknown as Versioned<'alert'>[]).map(async ({ value, version }) => {
              const fits =
                (query.centre === undefined || value.centreId === query.centre) &&
                (query.open === false || value.endedAt === undefined);
              return fits && (await guard.seesNotice('alert.read', value)) ? alertView(value, version) : undefined;
            }),
          ),
        );
      },
    }),
    route({
      method: 'GET',
      path: '/alerts/{id}',
      tag: TAG,
      right: 'alert.read',
      params: byId,
      summary: 'One alert',
      responses: { 200: { description: 'The alert', schema: alert } },
      async handler({ guard, params }) {
        const found = await guard.read('alert.read', 'alert', params.id);
        return new Answer(200, alertView(found.value, found.version), { etag: etagOf(found.version) });
      },
    }),
    route({
      method: 'POST',
      path: '/alerts/{id}/acknowledge',
      tag: TAG,
      right: 'alert.acknowledge',
      params: byId,
      body: z.strictObject({}).prefault({}),
      summary: 'I have seen it: by name',
      responses: { 200: { description: 'The alert', schema: alert } },
      async handler({ guard, params, options }) {
        await guard.execute({ type: 'alert.acknowledge', alertId: params.id }, options());
        const found = (await dispatch.get('alert', params.id))!;
        return new Answer(200, alertView(found.value, found.version), { etag: etagOf(found.version) });
      },
    }),
    ...LISTS.flatMap(([path, kinds, summary]) => [
      route({
        method: 'GET',
        path: `/${path}`,
        tag: TAG,
        right: 'card.read',
        audit: true,
        summary,
        query: cardQuery,
        responses: { 200: { description: 'A page of cards', schema: pageOf(card) } },
        handler: ({ guard, query }) => cards(guard, kinds, query),
      }),
      route({
        method: 'POST',
        path: `/${path}/{id}/resolve`,
        tag: TAG,
        right: 'card.resolve',
        params: byId,
        body: resolveIn,
        summary: 'Decide: one of the card’s choices',
        responses: { 200: { description: 'The card', schema: card } },
        async handler({ guard, params, body, options }) {
          await guard.execute({ type: 'card.resolve', cardId: params.id, ...body }, options());
          const found = (await dispatch.get('card', params.id))!;
          return new Answer(200, cardView(found.value, found.version), { etag: etagOf(found.version) });
        },
      }),
    ]),
  ];
}

/** `kindIndex~cursor` */
function splitCursor(after: string | undefined, kinds: number): [number, string | undefined] {
  const [at = '0', cursor = ''] = (after ?? '').split('~');
  const index = Math.min(kinds - 1, Number.parseInt(at, 10) || 0);
  return [index, cursor === '' ? undefined : cursor];
}
