/** Metrics of the HTTP side, in the registry that the composition root serves at /metrics. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { passwordsWaiting } from '../passwords.js';

export interface HttpMetrics {
  observe(request: FastifyRequest, reply: FastifyReply): void;
  auditLost: Counter;
  streams: Gauge;
  streamsCut: Counter<'reason'>;
  signInFailures: Counter;
  signInsThrottled: Counter;
  webhookAttempts: Counter<'outcome'>;
  webhookLag: Gauge<'webhook'>;
}

export function createHttpMetrics(registry: Registry): HttpMetrics {
  const registers = [registry];
  const duration = new Histogram({
    name: 'linecrew_http_request_duration_seconds',
    help: 'Time from the request to the end of the answer, by route',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers,
  });
  new Gauge({
    name: 'linecrew_passwords_waiting', help: 'Passwords that wait to be checked', registers,
    collect() { this.set(passwordsWaiting()); },
  }); // prettier-ignore
  return {
    observe(request, reply) {
      // A route's pattern, never the address: labels must not grow with what clients send.
      const route = request.routeOptions.url ?? 'unknown';
      duration.observe({ method: request.method, route, status: String(reply.statusCode) }, reply.elapsedTime / 1000);
    },
    auditLost: new Counter({
      name: 'linecrew_audit_entries_lost_total',
      help: 'Audit entries that the store did not take',
      registers,
    }),
    streams: new Gauge({ name: 'linecrew_streams_open', help: 'Open live streams', registers }),
    streamsCut: new Counter({
      name: 'linecrew_streams_cut_total',
      help: 'Live streams that the gateway ended',
      labelNames: ['reason'],
      registers,
    }),
    signInFailures: new Counter({
      name: 'linecrew_sign_in_failures_total',
      help: 'Sign-ins with a wrong name or password',
      registers,
    }),
    signInsThrottled: new Counter({
      name: 'linecrew_sign_ins_throttled_total',
      help: 'Sign-ins refused without a look at their password, after too many failures',
      registers,
    }),
    webhookAttempts: new Counter({
      name: 'linecrew_webhook_attempts_total',
      help: 'Webhook requests sent',
      labelNames: ['outcome'],
      registers,
    }),
    webhookLag: new Gauge({
      name: 'linecrew_webhook_lag_events',
      help: 'Events that a webhook has not been told yet',
      labelNames: ['webhook'],
      registers,
    }),
  };
}
