/** RFC 9457 problem documents: every error that a client can cause or meet has a stable code and says what to do. */
import { Refusal } from '../../domain/tx.js';

/** Code → status and title. The refusals of the domain bring codes of their own. */
export const PROBLEMS = {
  malformedJson: [400, 'The body is not JSON'],
  invalidParameter: [400, 'A parameter is not valid'],
  invalidHeader: [400, 'A header is not valid'],
  invalidBody: [422, 'The body is not what this route takes'],
  badRequest: [400, 'The request could not be read'],
  signInNeeded: [401, 'Sign in or give a token'],
  wrongCredentials: [401, 'Name or password is wrong'],
  invalidToken: [401, 'The token is not valid'],
  linkUsed: [401, 'The sign-in link is not valid any more'],
  notAllowed: [403, 'You may not do this'],
  crossSite: [403, 'The request came from another site'],
  csrfNeeded: [403, 'The CSRF token is missing or wrong'],
  notFound: [404, 'Not found'],
  noSuchRoute: [404, 'There is no such address'],
  methodNotAllowed: [405, 'This address does not take that method'],
  notAcceptable: [406, 'None of the accepted media types can be given'],
  versionMismatch: [412, 'It was changed in the meantime'],
  bodyTooLarge: [413, 'The body is too large'],
  uriTooLong: [414, 'The address is too long'],
  unsupportedMediaType: [415, 'This media type is not taken'],
  invalidValue: [422, 'A value is not valid here'],
  idempotencyKeyReused: [422, 'The idempotency key was used with another request'],
  conflict: [409, 'It contradicts what is there'],
  tooManyAttempts: [429, 'Too many attempts'],
  tooManyStreams: [429, 'Too many open streams'],
  tooBusy: [503, 'The gateway is too busy'],
  internal: [500, 'The gateway failed'],
  storeUnavailable: [503, 'The store does not answer'],
  timeout: [503, 'It took too long'],
} as const satisfies Record<string, readonly [number, string]>;
export type ProblemCode = keyof typeof PROBLEMS;

/** One thing that is wrong, where, and what was expected instead. */
export interface ProblemError {
  detail: string;
  /** JSON Pointer into the body, as a URI fragment. */
  pointer?: string;
  /** Name of the query or path parameter, or of the header. */
  parameter?: string;
  header?: string;
  expected?: string;
}

export interface ProblemExtras {
  errors?: ProblemError[];
  /** Facts for the caller: open legs, choices, the other crew's name. */
  details?: Record<string, unknown>;
  headers?: Record<string, string>;
}

/** Thrown by handlers and checks; becomes a problem document. */
export class Problem extends Error {
  readonly status: number;
  readonly title: string;

  constructor(
    readonly code: ProblemCode,
    detail: string,
    readonly extras: ProblemExtras = {},
  ) {
    super(detail);
    [this.status, this.title] = PROBLEMS[code];
  }
}

export interface ProblemDocument {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  instance?: string;
  errors?: ProblemError[];
  details?: Record<string, unknown>;
}

/** Titles of the domain's refusals, by status. */
const REFUSED: Record<Refusal['status'], string> = {
  403: 'You may not do this',
  404: 'Not found',
  409: 'The rules refuse this step',
  412: 'It was changed in the meantime',
  422: 'A value is not valid here',
};

/** `type` of a problem: a name, not an address; the codes are listed in the API's documentation. */
export const problemType = (code: string): string => `urn:linecrew:problem:${code}`;

/** The document for an error that the client may know about; undefined for our own failures. */
export function documentOf(error: unknown): ProblemDocument | undefined {
  if (error instanceof Problem) {
    const { code, title, status, message, extras } = error;
    return {
      type: problemType(code),
      title,
      status,
      detail: message,
      code,
      ...(extras.errors ? { errors: extras.errors } : {}),
      ...(extras.details ? { details: extras.details } : {}),
    };
  }
  if (error instanceof Refusal) {
    const { code, status, message, details } = error;
    const body = { type: problemType(code), title: REFUSED[status], status, detail: message, code };
    return Object.keys(details).length > 0 ? { ...body, details } : body;
  }
  return undefined;
}
