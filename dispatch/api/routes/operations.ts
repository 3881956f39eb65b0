/** Health, readiness, metrics. */
import { z } from 'zod';
import { iso } from '../../views/json.js';
import { mayDo } from '../../rights.js';
import { Problem } from '../http/problem.js';
import { Answer, route, type Context, type Route } from '../http/route.js';
import { timeOut } from '../schemas/common.js';
import type { RouteDeps } from './deps.js';

const TAG = 'Operation';
const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/;

export function operationRoutes({ dispatch, readiness, registry, config, authenticator }: RouteDeps): Route[] {
  const time = (): Record<string, unknown> => ({ time: iso(dispatch.clock.now()), clockRate: dispatch.clock.rate });

  /** From the machine itself, or with a token: a proxy in front makes every visitor look like the machine. */
  const mustSeeMetrics = async ({ request }: Context<unknown, unknown, unknown>): Promise<void> => {
    const direct =
      LOOPBACK.test(request.socket.remoteAddress ?? '') &&
      request.headers['x-forwarded-for'] === undefined &&
      request.headers.forwarded === undefined;
    if (direct || config.openMetrics === true) return;
    const { principal } = await authenticator.identify(request);
    if (!mayDo(principal, 'metrics.read')) throw new Problem('notAllowed', `${principal.name} may not metrics.read`);
  };

  return [
    route({
      method: 'GET',
      path: '/healthz',
      root: true,
      tag: TAG,
      right: 'public',
      summary: 'The process lives',
      responses: {
        200: {
          description: 'It does',
          schema: z.object({
            status: z.literal('ok'),
            version: z.string().optional(),
            time: timeOut,
            clockRate: z.number(),
          }),
        },
      },
      handler: () => ({ status: 'ok', version: config.version, ...time() }),
    }),
    route({
      method: 'GET',
      path: '/readyz',
      root: true,
      tag: TAG,
      right: 'public',
      summary: 'Whether it can take work, and why not',
      responses: {
        200: { description: 'Ready', schema: readyJson },
        503: { description: 'Not ready; `reasons` say why', schema: readyJson },
      },
      async handler() {
        const { ok, reasons, facts } = await readiness();
        return new Answer(ok ? 200 : 503, { ready: ok, status: ok ? 'ok' : 'notReady', reasons, facts, ...time() });
      },
    }),
    route({
      method: 'GET',
      path: '/metrics',
      root: true,
      tag: TAG,
      right: 'public',
      summary: 'Prometheus metrics',
      description: 'For the machine itself, or with a token of an administrator or integrator.',
      produces: ['text/plain', 'application/openmetrics-text'],
      responses: { 200: { description: 'Text format', mediaTypes: ['text/plain'] } },
      async handler(context) {
        await mustSeeMetrics(context);
        return new Answer(200, await registry.metrics(), { 'content-type': registry.contentType });
      },
    }),
  ];
}

const readyJson = z.object({
  ready: z.boolean(),
  status: z.enum(['ok', 'notReady']),
  reasons: z.array(z.string()),
  facts: z.array(z.unknown()),
  time: timeOut,
  clockRate: z.number(),
});
