/** Puts a declared route on the server: who, may they, what, carry it out, answer, note it. */
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify';
import type { AuditLog } from '../../audit.js';
import type { DispatchPort } from '../../ports.js';
import { mayDo, type Principal } from '../../rights.js';
import { Guard } from '../guard.js';
import type { Authenticator, Identity } from './authenticate.js';
import { explain } from './errors.js';
import { ifMatchVersion } from './etag.js';
import { Idempotency, idempotencyKey } from './idempotency.js';
import { negotiate } from './negotiate.js';
import { Problem } from './problem.js';
import { Answer, HANDLED, routerPath, type Context, type Route } from './route.js';
import { refuseCrossSite, type SecurityConfig } from './security.js';

declare module 'fastify' {
  interface FastifyRequest {
    identity: Identity | undefined;
    /** Media type that the answer will have. */
    answerType: string;
    problemCode: string | undefined;
  }
  interface FastifyContextConfig {
    spec?: Route;
  }
}

export interface RegisterDeps {
  dispatch: DispatchPort;
  authenticator: Authenticator;
  audit: AuditLog;
  security: SecurityConfig;
  /** Every answer is held against its schema: for tests. */
  checkAnswers: boolean;
}

const JSON_TYPE = 'application/json';
/** Nobody, on public routes: has no right at all. */
const NOBODY: Principal = { via: 'token', id: '-', name: '-', source: 'api', roles: [], scopes: [] };

export class Registrar {
  readonly routes: Route[] = [];
  readonly #idempotency: Idempotency;

  constructor(private readonly deps: RegisterDeps) {
    this.#idempotency = new Idempotency(deps.dispatch.store);
  }

  add(app: FastifyInstance, spec: Route): void {
    this.routes.push(spec);
    app.route({
      method: spec.method,
      url: routerPath(spec),
      ...(spec.bodyLimit ? { bodyLimit: spec.bodyLimit } : {}),
      config: { spec },
      schema: {
        ...(spec.params ? { params: spec.params } : {}),
        ...(spec.query ? { querystring: spec.query } : {}),
        ...(spec.body ? { body: spec.body } : {}),
      },
      // Before the body is read: whoever may not, costs no memory.
      onRequest: (request) => this.#admit(spec, request),
      onResponse: async (request, reply) => this.#note(spec, request, reply),
      handler: this.#handler(spec),
    });
  }

  async #admit(spec: Route, request: FastifyRequest): Promise<void> {
    refuseCrossSite(request, this.deps.security);
    if (spec.right === 'public') return void (request.answerType = negotiated(spec, request));
    request.identity = await this.deps.authenticator.identify(request);
    const { principal } = request.identity;
    if (spec.right !== 'signedIn' && !mayDo(principal, spec.right)) {
      throw new Problem('notAllowed', `${principal.name} may not ${spec.right}`, { details: { action: spec.right } });
    }
    request.answerType = negotiated(spec, request);
    refuseBodyType(spec, request);
  }

  #handler(spec: Route): RouteHandlerMethod {
    return async (request, reply) => {
      const principal = request.identity?.principal ?? NOBODY;
      const key =
        spec.method === 'POST' && spec.right !== 'public'
          ? idempotencyKey(request.headers['idempotency-key'])
          : undefined;
      const asked = { method: spec.method, path: request.url, body: request.body };
      const keyed = key === undefined ? undefined : this.#idempotency.keyed(principal, key, asked, spec.secretFields);
      const ifMatch = ifMatchVersion(request.headers['if-match']);
      const context: Context<unknown, unknown, unknown> = {
        params: request.params,
        query: request.query,
        body: request.body,
        principal,
        guard: new Guard(this.deps.dispatch, principal),
        mediaType: request.answerType,
        ifMatch,
        options: (about) => ({
          ...(keyed ? { idempotencyKey: keyed.commandKey } : {}),
          ...(ifMatch === undefined || !about ? {} : { ifVersion: { ...about, version: ifMatch } }),
        }),
        request,
        reply,
      };
      const carryOut = async (): Promise<unknown> => spec.handler(context as Context<never, never, never>);
      if (!keyed) {
        const result = await carryOut();
        return result === HANDLED ? reply : this.#send(spec, reply, asAnswer(spec, result), request);
      }
      const answer = await keyed.run(
        async () => asAnswer(spec, await carryOut()),
        (error) => explain(error)?.document,
      );
      return this.#send(spec, reply, answer, request);
    };
  }

  #send(spec: Route, reply: FastifyReply, answer: Answer, request: FastifyRequest): FastifyReply {
    if (this.deps.checkAnswers) checkAnswer(spec, answer);
    reply.code(answer.status).headers(answer.headers);
    if (answer.body === undefined) return reply.send();
    if (reply.hasHeader('content-type')) {
      const type = String(reply.getHeader('content-type'));
      return reply.send(type.includes('json') && isPlain(answer.body) ? JSON.stringify(answer.body) : answer.body);
    }
    if (!isPlain(answer.body)) return reply.type(request.answerType).send(answer.body);
    return reply.type(`${JSON_TYPE}; charset=utf-8`).send(JSON.stringify(answer.body));
  }

  /** Changes, and looks at what is personal. */
  #note(spec: Route, request: FastifyRequest, reply: FastifyReply): void {
    if (spec.right === 'public' || (spec.method === 'GET' && !spec.audit)) return;
    const principal = request.identity?.principal;
    this.deps.audit.note({
      by: principal?.name ?? '-',
      via: principal?.via ?? 'none',
      address: request.ip,
      method: request.method,
      path: request.url.split('?', 1)[0]!.slice(0, 300),
      action: spec.right,
      status: reply.statusCode,
      ...(request.problemCode ? { code: request.problemCode } : {}),
    });
  }
}

/** What is JSON in the end; streams, buffers and texts are sent as they are. */
const isPlain = (body: unknown): boolean =>
  typeof body !== 'string' &&
  !(body instanceof Uint8Array) &&
  typeof (body as { pipe?: unknown } | null)?.pipe !== 'function';

function negotiated(spec: Route, request: FastifyRequest): string {
  return negotiate(request.headers.accept, spec.produces ?? [JSON_TYPE]);
}

/** A body of another type than the route takes: 415 before it is read. */
function refuseBodyType(spec: Route, request: FastifyRequest): void {
  const given = request.headers['content-type']?.split(';', 1)[0]!.trim().toLowerCase();
  if (given === undefined || given === '') return;
  const taken = spec.bodyTypes ?? [JSON_TYPE, 'application/merge-patch+json'];
  if (spec.method === 'GET' || taken.includes(given)) return;
  throw new Problem('unsupportedMediaType', `this address takes ${taken.join(' or ')}, not ${given}`, {
    errors: [{ header: 'Content-Type', detail: `${given} is not taken`, expected: taken.join(' or ') }],
  });
}

/** A plain value is the body of the first declared success. */
function asAnswer(spec: Route, result: unknown): Answer {
  if (result instanceof Answer) return result;
  return new Answer(Number(Object.keys(spec.responses)[0]), result);
}

/** A mistake of ours where it fails: the documentation would lie. */
function checkAnswer(spec: Route, answer: Answer): void {
  const declared = spec.responses[answer.status];
  if (answer.headers['content-type']?.startsWith('application/problem+json')) return;
  if (!declared) throw new Error(`${spec.method} ${spec.path} answered ${answer.status}, which it does not declare`);
  if (!declared.schema || !isPlain(answer.body)) return;
  const parsed = declared.schema.safeParse(JSON.parse(JSON.stringify(answer.body ?? null)));
  if (!parsed.success) {
    throw new Error(
      `${spec.method} ${spec.path} answered ${answer.status} with what its schema refuses: ${parsed.error.message}`,
    );
  }
}
