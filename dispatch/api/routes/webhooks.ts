/** Webhooks: Standard Webhooks, from the event log. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Webhook } from '../../domain/model.js';
import { uuidV7 } from '../../ids.js';
import { describeDoc } from '../../indexes.js';
import type { Versioned } from '../../ports.js';
import type { Principal } from '../../rights.js';
import { webhookView } from '../../views/people.js';
import { refusedUrl } from '../../webhooks/address-guard.js';
import { newSecret } from '../../webhooks/signature.js';
import { checkVersion, etagOf } from '../http/etag.js';
import { page } from '../http/page.js';
import { Problem } from '../http/problem.js';
import { Answer, route, type Route } from '../http/route.js';
import { byId, id, pageOf, pageQuery, timeOut } from '../schemas/common.js';
import { checkTypes } from '../wanted-types.js';
import type { RouteDeps } from './deps.js';

const TAG = 'Webhooks';
const url = z.string().max(2_000);
const types = z
  .array(z.string().min(1).max(60))
  .max(50)
  .meta({ description: '`order.*` takes all of a subject; empty = all' });
const position = z.int().min(0);
const centres = z.array(id).min(1).max(500);

const webhookIn = z.strictObject({
  url,
  types: types.optional(),
  centres: centres.optional(),
  position: position.optional().meta({ description: 'Begin behind this position of the log; default now' }),
});
const webhookEdit = z.strictObject({ url: url.optional(), types: types.optional(), enabled: z.boolean().optional() });
const webhook = z.looseObject({
  id: z.string(),
  version: z.int(),
  url: z.string(),
  types: z.array(z.string()),
  position: z.int(),
  enabled: z.boolean(),
  secretCount: z.int(),
  createdAt: timeOut,
  disabledAt: timeOut.optional(),
});
const withSecret = webhook.extend({ secret: z.string().optional() });

/** Each is told every event: more than this and the log is read for nothing. */
const MAX_WEBHOOKS = 200;
/** The one in force and the one that is being replaced. */
const MAX_SECRETS = 2;

export function webhookRoutes({ dispatch, webhooks }: RouteDeps): Route[] {
  const checkedUrl = (text: string): string => {
    const why = refusedUrl(text, webhooks.allowPrivate);
    if (why === undefined) return new URL(text).href;
    throw new Problem('invalidValue', `the webhook cannot be sent to ${text}: ${why}`, {
      errors: [{ pointer: '#/url', detail: why, expected: 'https:// and a public address' }],
    });
  };

  /** A hook that may see more than the principal would be a way around the rights. */
  const mayHold = (principal: Principal, hook: Pick<Webhook, 'centres'>): boolean =>
    principal.centres === undefined ||
    (hook.centres !== undefined && hook.centres.every((one) => principal.centres!.includes(one)));

  const read = async (principal: Principal, key: string): Promise<Versioned<'webhook'>> => {
    const found = await dispatch.get('webhook', key);
    if (!found || !mayHold(principal, found.value)) throw new Problem('notFound', `there is no webhook "${key}"`);
    return found;
  };

  /** Changes the hook as it is now; what is being delivered meanwhile changes it too, so it is tried again. */
  const change = async (
    principal: Principal,
    key: string,
    ifMatch: number | undefined,
    to: (hook: Webhook) => Webhook | undefined,
  ): Promise<Versioned<'webhook'>> => {
    for (let tries = 0; tries < 20; tries++) {
      const found = await read(principal, key);
      checkVersion(ifMatch, found.version);
      const value = to(found.value);
      const described = value ? describeDoc('webhook', value, dispatch.settings) : { indexes: [] };
      const { ok } = await dispatch.store.commit({
        puts: [{ kind: 'webhook', id: key, expect: found.version, value, ...described }],
      });
      if (!ok) continue;
      webhooks.changed();
      return { value: value ?? found.value, version: found.version + 1 };
    }
    throw new Problem('tooBusy', 'the webhook is being delivered; try again', { headers: { 'retry-after': '1' } });
  };
  const show = ({ value, version }: Versioned<'webhook'>, more: object = {}, status = 200): Answer =>
    new Answer(status, { ...webhookView(value, version), ...more }, { etag: etagOf(version) });

  return [
    route({
      method: 'GET',
      path: '/webhooks',
      tag: TAG,
      right: 'webhook.read',
      summary: 'Webhooks and how they do',
      query: z.strictObject(pageQuery),
      responses: { 200: { description: 'A page of webhooks', schema: pageOf(webhook) } },
      handler: ({ query, principal }) =>
        page(dispatch, { index: 'webhooks' }, query, (docs) =>
          (docs as unknown as Versioned<'webhook'>[]).map(({ value, version }) =>
            mayHold(principal, value) ? webhookView(value, version) : undefined,
          ),
        ),
    }),
    route({
      method: 'POST',
      path: '/webhooks',
      tag: TAG,
      right: 'webhook.write',
      body: webhookIn,
      secretFields: ['secret'],
      summary: 'Be told events; `secret` is shown this once',
      description:
        'Messages are CloudEvents 1.0, signed after Standard Webhooks. They are sent in order, at least once, with the same `webhook-id` on a retry. An answer of 2xx takes the event; 410 switches the hook off; anything else is tried again with growing pauses for 24 hours.',
      responses: { 201: { description: 'The webhook', schema: withSecret } },
      async handler({ body, principal }) {
        checkTypes(body.types, { pointer: '#/types' });
        const { items } = await dispatch.scan({ index: 'webhooks', limit: MAX_WEBHOOKS });
        if (items.length >= MAX_WEBHOOKS) throw new Problem('conflict', `there are ${MAX_WEBHOOKS} webhooks already`);
        const now = dispatch.clock.now();
        const mine = body.centres ?? principal.centres?.slice();
        const secret = newSecret();
        const value: Webhook = {
          id: uuidV7(now, randomBytes),
          url: checkedUrl(body.url),
          secrets: [secret],
          types: body.types ?? [],
          ...(mine ? { centres: mine } : {}),
          createdAt: now,
          position: body.position ?? (await dispatch.store.lastPosition()),
        };
        if (!mayHold(principal, value))
          throw new Problem('notAllowed', 'the webhook would see repair centres that are not yours');
        await dispatch.store.commit({
          puts: [
            { kind: 'webhook', id: value.id, expect: 0, value, ...describeDoc('webhook', value, dispatch.settings) },
          ],
        });
        webhooks.changed();
        return show({ value, version: 1 }, { secret }, 201);
      },
    }),
    route({
      method: 'GET',
      path: '/webhooks/{id}',
      tag: TAG,
      right: 'webhook.read',
      params: byId,
      summary: 'One webhook',
      responses: { 200: { description: 'The webhook', schema: webhook } },
      handler: async ({ params, principal }) => show(await read(principal, params.id)),
    }),
    route({
      method: 'PATCH',
      path: '/webhooks/{id}',
      tag: TAG,
      right: 'webhook.write',
      params: byId,
      body: webhookEdit,
      summary: 'Change a webhook; `enabled: true` switches one on again that was switched off',
      responses: { 200: { description: 'The webhook', schema: webhook } },
      async handler({ params, body, ifMatch, principal }) {
        checkTypes(body.types, { pointer: '#/types' });
        const address = body.url === undefined ? undefined : checkedUrl(body.url);
        const changed = await change(principal, params.id, ifMatch, ({ failing, disabledAt, ...hook }) => ({
          ...hook,
          ...(address === undefined ? {} : { url: address }),
          ...(body.types === undefined ? {} : { types: body.types }),
          ...(body.enabled === true || failing === undefined ? {} : { failing }),
          ...(body.enabled === false
            ? { disabledAt: disabledAt ?? dispatch.clock.now() }
            : body.enabled === undefined && disabledAt !== undefined
              ? { disabledAt }
              : {}),
        }));
        return show(changed);
      },
    }),
    route({
      method: 'DELETE',
      path: '/webhooks/{id}',
      tag: TAG,
      right: 'webhook.write',
      params: byId,
      summary: 'Remove a webhook',
      responses: { 204: { description: 'It is gone' } },
      async handler({ params, ifMatch, principal }) {
        await change(principal, params.id, ifMatch, () => undefined);
        return new Answer(204);
      },
    }),
    route({
      method: 'POST',
      path: '/webhooks/{id}/rotate',
      tag: TAG,
      right: 'webhook.write',
      params: byId,
      body: z.strictObject({}).prefault({}),
      secretFields: ['secret'],
      summary: 'A new secret; messages carry a signature of the old one too until the next rotation',
      responses: { 200: { description: 'The webhook with its new secret', schema: withSecret } },
      async handler({ params, ifMatch, principal }) {
        const secret = newSecret();
        const changed = await change(principal, params.id, ifMatch, (hook) => ({
          ...hook,
          secrets: [secret, ...hook.secrets].slice(0, MAX_SECRETS),
        }));
        return show(changed, { secret });
      },
    }),
    route({
      method: 'POST',
      path: '/webhooks/{id}/replay',
      tag: TAG,
      right: 'webhook.write',
      params: byId,
      body: z.strictObject({ position }),
      summary: 'Send again everything behind a position of the log',
      responses: { 202: { description: 'It begins', schema: webhook } },
      async handler({ params, body, ifMatch, principal }) {
        const last = await dispatch.store.lastPosition();
        if (body.position > last)
          throw new Problem('invalidValue', `the log ends at ${last}`, {
            errors: [{ pointer: '#/position', detail: 'is beyond the log', expected: `at most ${last}` }],
          });
        const changed = await change(
          principal,
          params.id,
          ifMatch,
          ({ failing: _failing, disabledAt: _disabledAt, ...hook }) => ({ ...hook, position: body.position }),
        );
        return show(changed, {}, 202);
      },
    }),
  ];
}
