/**
 * A route is one declaration: what it is for, which right it needs, the schemas of what goes in and out, and what it
 * does. Validation, TypeScript types, the OpenAPI document, the rights and the audit log all follow from it.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { DocKind } from '../../domain/model.js';
import type { CommandOptions } from '../../ports.js';
import type { Action, Principal } from '../../rights.js';
import type { Guard } from '../guard.js';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What a handler sees. */
export interface Context<P, Q, B> {
  params: P;
  query: Q;
  body: B;
  /** Who asks. On public routes nobody. */
  principal: Principal;
  /** Dispatch as this principal may use it. */
  guard: Guard;
  /** Chosen media type of the answer. */
  mediaType: string;
  /** `If-Match` as a version; undefined where it was not given. */
  ifMatch: number | undefined;
  /** For the command that the request gives: its idempotency key, and the version that `If-Match` asks of `about`. */
  options(about?: { kind: DocKind; id: string }): CommandOptions;
  request: FastifyRequest;
  reply: FastifyReply;
}

/** What a handler gives back. A plain value is the body of the first declared status. */
export class Answer {
  constructor(
    readonly status: number,
    readonly body?: unknown,
    readonly headers: Record<string, string> = {},
  ) {}
}
/** The handler wrote to the socket itself (streams). */
export const HANDLED = Symbol('handled');

export interface ResponseSpec {
  description: string;
  /** JSON body; absent where there is none. */
  schema?: z.ZodType;
  /** Other media types than JSON. */
  mediaTypes?: readonly string[];
}

type Shape = z.ZodType | undefined;
type Out<S extends Shape> = S extends z.ZodType ? z.output<S> : undefined;

export interface RouteSpec<P extends Shape = Shape, Q extends Shape = Shape, B extends Shape = Shape> {
  method: Method;
  /** With `{name}` placeholders, under `/api/v1` unless `root` is set. */
  path: string;
  root?: boolean;
  /** Heading in the documentation. */
  tag: string;
  summary: string;
  description?: string;
  /**
   * The right that it needs; `public` for none, `signedIn` for any principal. The scope of the object is checked by the
   * guard that the handler uses.
   */
  right: Action | 'public' | 'signedIn';
  params?: P;
  query?: Q;
  body?: B;
  /** Takes these instead of JSON, as bytes. */
  bodyTypes?: readonly string[];
  bodyLimit?: number;
  /** Media types of the answer, the first as default. */
  produces?: readonly string[];
  responses: Record<number, ResponseSpec>;
  /** Reads that show personal data are in the audit log; every change is. */
  audit?: boolean;
  /** Not in the documentation: nobody calls it by hand. */
  hidden?: boolean;
  /** The answer holds a secret: a repeated request gets it without. */
  secretFields?: readonly string[];
  handler: (context: Context<Out<P>, Out<Q>, Out<B>>) => unknown;
}

/** A route whose schemas are no longer in its type: what the registry holds. */
export type Route = Omit<RouteSpec, 'handler'> & { handler: (context: Context<never, never, never>) => unknown };

export function route<P extends Shape = undefined, Q extends Shape = undefined, B extends Shape = undefined>(
  spec: RouteSpec<P, Q, B>,
): Route {
  return spec;
}

export const API_ROOT = '/api/v1';
/** The whole path with `{name}` placeholders, as OpenAPI writes it. */
export const fullPath = (spec: Pick<Route, 'path' | 'root'>): string => (spec.root ? spec.path : API_ROOT + spec.path);
/** The same as the router writes it. */
export const routerPath = (spec: Pick<Route, 'path' | 'root'>): string => fullPath(spec).replace(/\{(\w+)\}/g, ':$1');
