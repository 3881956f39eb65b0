/** The HTTP server: API, live stream, operations; the console and the gateway's own routes come as plugins. */
import { randomUUID } from 'node:crypto';
import type { ServerOptions as TlsOptions } from 'node:https';
import cookie from '@fastify/cookie';
import Fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import type { Registry } from 'prom-client';
import type { z } from 'zod';
import { Accounts } from '../accounts.js';
import { createAuditLog } from '../audit.js';
import type { DispatchPort } from '../ports.js';
import { noRoad, type Road } from '../road.js';
import { Authenticator } from './http/authenticate.js';
import { answerClientError, sendProblem } from './http/errors.js';
import { Problem } from './http/problem.js';
import { Registrar } from './http/register.js';
import type { Route } from './http/route.js';
import { securityHeaders, type SecurityConfig } from './http/security.js';
import { validate } from './http/validate.js';
import { createHttpMetrics } from './metrics.js';
import { allRoutes } from './routes/index.js';
import { createReachedCentre } from './reached-centre.js';
import { watchSilentConnections } from './silent-connections.js';
import { createStreams, type StreamLimits } from './stream.js';
import { createWebhooks, type WebhookConfig } from '../webhooks/webhooks.js';

export interface HttpConfig extends SecurityConfig {
  /** Whose X-Forwarded-For and -Proto count: nobody's, that of one proxy whatever its address, or of proxies in these networks. */
  trustProxy: boolean | readonly string[];
  bootstrapToken?: string | undefined;
  /** HTTPS by ourselves: key and certificate (PEM). */
  tls?: Pick<TlsOptions, 'key' | 'cert'> | undefined;
  /** /metrics for everybody who reaches the port; otherwise from loopback, or with a token. */
  openMetrics?: boolean | undefined;
  webhooks?: WebhookConfig | undefined;
  /** Name of this node among several. */
  node?: string | undefined;
  /** Shown by /healthz and the documentation. */
  version?: string | undefined;
}

export interface Readiness {
  ok: boolean;
  /** What is wrong, in words. */
  reasons: string[];
  /** What is worth knowing although it works: durability of the store, clock rate, … */
  facts: unknown[];
}

/** What a plugin gets to add routes that are like all others: rights, validation, documentation. */
export interface ApiTools {
  route(spec: Route): void;
  /** Called for GET and HEAD outside /api that no route takes: the console's pages. */
  fallback(handler: (request: FastifyRequest, reply: FastifyReply) => unknown): void;
}
export type ApiPlugin = (app: FastifyInstance, api: ApiTools) => void | Promise<void>;

export interface HttpServerDeps {
  dispatch: DispatchPort;
  config: HttpConfig;
  log: FastifyBaseLogger;
  registry: Registry;
  readiness: () => Promise<Readiness>;
  plugins?: readonly ApiPlugin[];
  /** Driving times for recommendations; without it they are estimated. */
  road?: Road;
  /** Every answer is held against its declared schema (tests). */
  checkAnswers?: boolean;
  /** Other bounds of live streams (tests). */
  streamLimits?: Partial<StreamLimits>;
}

/** Bodies: the longest order with every field full is under 32 KiB; imports come in pieces. */
export const BODY_LIMIT_BYTES = 1 << 20;
/** The whole request must have arrived in this time, its head in half of it: what is slower holds a socket for nothing. */
const REQUEST_MS = 30_000;
/** A handler that takes longer has lost its store. */
const HANDLER_MS = 60_000;
/** A socket without a byte in either direction; streams send a heartbeat long before. */
const SILENT_MS = 120_000;
/** Longer than the idle time of usual proxies (60 s), so that they close first. */
const KEEP_ALIVE_MS = 75_000;
/** About 20 KiB each; consoles, crews' phones and a proxy's pool together stay far below. */
const MAX_CONNECTIONS = 5_000;

export function createHttpServer(deps: HttpServerDeps): FastifyInstance {
  const { dispatch, config, log } = deps;
  const app = fastify(deps);
  const accounts = new Accounts(dispatch);
  const cookieName = config.secureCookies ? '__Host-linecrew' : 'linecrew';
  const authenticator = new Authenticator({ accounts, bootstrapToken: config.bootstrapToken, cookieName });
  const metrics = createHttpMetrics(deps.registry);
  const audit = createAuditLog({
    store: dispatch.store,
    clock: dispatch.clock,
    onLost: (entries, reason) => {
      metrics.auditLost.inc(entries);
      log.error({ entries, reason }, 'audit entries were lost');
    },
  });
  const registrar = new Registrar({
    dispatch,
    authenticator,
    audit,
    security: config,
    checkAnswers: deps.checkAnswers ?? false,
  });
  const reached = createReachedCentre(dispatch, log);
  const streams = createStreams({
    dispatch,
    authenticator,
    reached,
    log,
    metrics,
    ...(deps.streamLimits ? { limits: deps.streamLimits } : {}),
  });
  const webhooks = createWebhooks({
    dispatch,
    log,
    metrics,
    node: config.node ?? 'node-1',
    config: config.webhooks ?? {},
  });

  prepare(app, config);
  const fallback = answerUnknown(app);
  app.addHook('onResponse', async (request, reply) => {
    metrics.observe(request, reply);
    // The route's pattern: an address may hold a sign-in link or a customer's phone number.
    const { method, routeOptions, identity, problemCode } = request;
    const said = { method, route: routeOptions.url, status: reply.statusCode, code: problemCode };
    request.log.debug({ ...said, by: identity?.principal.name, ms: Math.round(reply.elapsedTime) }, 'request');
  });
  const routes = allRoutes({
    ...deps,
    accounts,
    audit,
    authenticator,
    cookieName,
    streams,
    webhooks,
    reached,
    road: deps.road ?? noRoad,
    registrar,
    signInFailed: () => metrics.signInFailures.inc(),
    signInThrottled: () => metrics.signInsThrottled.inc(),
  });
  for (const spec of routes) registrar.add(app, spec);
  for (const plugin of deps.plugins ?? []) {
    void app.register(async (scope) => plugin(scope, { route: (spec) => registrar.add(scope, spec), fallback }));
  }
  app.addHook('onReady', async () => webhooks.start());
  const endSilent = watchSilentConnections(app.server);
  // Before the server waits for its sockets: open streams would never end by themselves.
  app.addHook('preClose', async () => {
    streams.close();
    endSilent();
  });
  app.addHook('onClose', async () => {
    await webhooks.stop();
    await audit.close();
  });
  return app;
}

function fastify({ config, log }: HttpServerDeps): FastifyInstance {
  const options = {
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: trustedProxies(config.trustProxy),
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_MS,
    connectionTimeout: SILENT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    handlerTimeout: HANDLER_MS,
    routerOptions: { maxParamLength: 300 },
    genReqId: () => randomUUID(),
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) =>
      void sendProblem(error, request, reply),
    clientErrorHandler: answerClientError,
  };
  const app = (config.tls
    ? Fastify({ ...options, https: config.tls })
    : Fastify(options)) as unknown as FastifyInstance;
  app.server.maxConnections = MAX_CONNECTIONS;
  app.server.headersTimeout = REQUEST_MS / 2;
  return app;
}

/**
 * The client's address is what the nearest trusted proxy saw. Entries of X-Forwarded-For before that one came with the
 * request: whoever sends it writes there what it likes.
 */
function trustedProxies(
  trust: HttpConfig['trustProxy'],
): false | string[] | ((address: string, hop: number) => boolean) {
  if (typeof trust !== 'boolean') return [...trust];
  return trust && ((_address, hop) => hop === 0);
}

function prepare(app: FastifyInstance, config: HttpConfig): void {
  app.decorateRequest('identity', undefined);
  app.decorateRequest('answerType', 'application/json');
  app.decorateRequest('problemCode', undefined);
  void app.register(cookie);
  const headers = securityHeaders(config);
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(headers);
    if (request.url.startsWith('/api/')) reply.header('cache-control', 'no-store');
  });
  // Answered before its body came, and the body is longer than any that is taken: nobody reads it to the end.
  app.addHook('onSend', async ({ raw }, reply) => {
    const { 'content-length': length, 'transfer-encoding': coding } = raw.headers;
    const endless = coding !== undefined || Number(length) > BODY_LIMIT_BYTES;
    if (!raw.complete && endless) reply.header('connection', 'close');
  });
  const PARTS = { body: 'body', querystring: 'query', params: 'params', headers: 'params' } as const;
  app.setValidatorCompiler<z.ZodType>(({ schema, httpPart }) => {
    const part = PARTS[(httpPart ?? 'body') as keyof typeof PARTS];
    return (data: unknown) => {
      try {
        // A request without a body has null here, not undefined: defaults must find it absent.
        return { value: validate(schema, data ?? undefined, part) };
      } catch (error) {
        return { error: error as Error };
      }
    };
  });
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply));
  readBodies(app);
}

function readBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  // A key such as __proto__ is refused, not dropped.
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser(
    ['application/json', 'application/merge-patch+json'],
    { parseAs: 'string' },
    (request, body, done) => {
      if (body.length === 0) return done(null, undefined);
      void parse(request, body as string, (error, value) => {
        if (!error) return done(null, value);
        const why = error.cause instanceof Error ? error.cause.message : error.message;
        done(
          new Problem('malformedJson', `the body is not JSON: ${why}`, {
            errors: [{ detail: why, pointer: '#', expected: 'a JSON object' }],
          }),
        );
      });
    },
  );
  app.addContentTypeParser(
    ['image/jpeg', 'image/png', 'image/webp', 'application/octet-stream'],
    { parseAs: 'buffer' },
    (_request, body, done) => done(null, body),
  );
}

/** What no route takes: 405 with the methods that the address has, else 404. Gives the door for the console's pages. */
function answerUnknown(app: FastifyInstance): ApiTools['fallback'] {
  const known = new Map<string, { pattern: RegExp; methods: Set<string> }>();
  let page: ((request: FastifyRequest, reply: FastifyReply) => unknown) | undefined;
  app.addHook('onRoute', ({ url, method }) => {
    if (url.includes('*')) return;
    const entry = known.get(url) ?? {
      pattern: new RegExp(`^${url.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:\w+/g, '[^/]+')}$`),
      methods: new Set(),
    };
    for (const one of [method].flat()) entry.methods.add(one);
    known.set(url, entry);
  });
  app.setNotFoundHandler(async (request, reply) => {
    const path = request.url.split('?', 1)[0]!;
    const methods = [...known.values()]
      .filter(({ pattern }) => pattern.test(path))
      .flatMap((entry) => [...entry.methods]);
    if (methods.length > 0) {
      const allow = [...new Set(methods), 'OPTIONS'].join(', ');
      if (request.method === 'OPTIONS') return reply.code(204).header('allow', allow).send();
      throw new Problem('methodNotAllowed', `${path} takes ${allow}, not ${request.method}`, { headers: { allow } });
    }
    const isPage = (request.method === 'GET' || request.method === 'HEAD') && !path.startsWith('/api/');
    if (page && isPage) return page(request, reply);
    throw new Problem(
      'noSuchRoute',
      `there is no ${request.method} ${path.slice(0, 200)}; /api/docs lists what there is`,
    );
  });
  return (handler) => void (page = handler);
}
