/** The link with which a customer follows an order: made by the office, opened without signing in. */
import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Order } from '../../domain/model.js';
import { customerStatus, PROGRESS, statusPage } from '../../views/status.js';
import { Problem } from '../http/problem.js';
import { Answer, route, type Route } from '../http/route.js';
import { byId, timeOut } from '../schemas/common.js';
import type { RouteDeps } from './deps.js';

/** 192 bits: not to be guessed. */
const TOKEN_BYTES = 24;
const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');
const token = z.string().regex(/^[A-Za-z0-9_-]{32}$/, { error: () => 'expected a token of 32 characters' });

export function statusRoutes({ dispatch, config }: RouteDeps): Route[] {
  return [
    route({
      method: 'POST',
      path: '/orders/{id}/status-link',
      tag: 'Orders',
      right: 'order.statusLink',
      params: byId,
      summary: 'Make the link with which the customer follows the order; the one before ends',
      secretFields: ['token', 'url'],
      responses: {
        201: { description: 'The link, shown once', schema: z.object({ token: z.string(), url: z.string() }) },
      },
      async handler({ guard, params, options, request }) {
        const made = randomBytes(TOKEN_BYTES).toString('base64url');
        await guard.execute({ type: 'order.statusLink', orderId: params.id, tokenSha256: hashOf(made) }, options());
        const base = config.publicUrl ?? `${request.protocol}://${request.host}`;
        return new Answer(201, { token: made, url: `${base.replace(/\/$/, '')}/status/${made}` });
      },
    }),
    route({
      method: 'GET',
      path: '/status/{token}',
      root: true,
      tag: 'Orders',
      right: 'public',
      params: z.strictObject({ token }),
      summary: 'How far an order is, for the customer who has the link',
      description:
        'Number, progress and times; no name, phone, address, crew or vehicle. A week after the end it is gone.',
      produces: ['application/json', 'text/html'],
      responses: {
        200: {
          description: 'The progress',
          schema: z.object({
            number: z.string(),
            progress: z.enum(PROGRESS),
            receivedAt: timeOut,
            expectedAt: timeOut.optional(),
            arrivedAt: timeOut.optional(),
            repairedAt: timeOut.optional(),
          }),
          mediaTypes: ['text/html'],
        },
      },
      async handler({ params, mediaType }) {
        const hash = hashOf(params.token);
        const { items } = await dispatch.scan({ index: 'orders.statusToken', from: hash, to: `${hash}!`, limit: 1 });
        const order = items[0]?.value as Order | undefined;
        const main =
          order?.mergedInto === undefined ? undefined : (await dispatch.get('order', order.mergedInto))?.value;
        const status = order && customerStatus(order, main, dispatch.clock.now());
        if (!status) throw new Problem('notFound', 'this link shows no order, or no longer');
        const headers = { 'referrer-policy': 'no-referrer', 'cache-control': 'no-store' };
        if (mediaType !== 'text/html') return new Answer(200, status, headers);
        const { language, timeZone } = dispatch.settings;
        return new Answer(200, statusPage(status, language, timeZone), {
          ...headers,
          'content-type': 'text/html; charset=utf-8',
        });
      },
    }),
  ];
}
