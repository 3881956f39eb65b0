/** From whatever was thrown to the answer: problem documents for clients, the log for us. */
import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { TooManySignIns } from '../../passwords.js';
import { StoreError } from '../../store/errors.js';
import { documentOf, Problem, problemType, PROBLEMS, type ProblemCode, type ProblemDocument } from './problem.js';

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** Fastify's own errors, by code. */
const FRAMEWORK: Record<string, [ProblemCode, string?]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['bodyTooLarge'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupportedMediaType'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['badRequest', 'the body is not as long as Content-Length says'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['malformedJson', 'the body is empty'],
  FST_ERR_BAD_URL: ['badRequest', 'the address holds a malformed percent sequence'],
  FST_ERR_MAX_PARAM_LENGTH: ['uriTooLong', 'a part of the address is too long'],
  FST_ERR_HANDLER_TIMEOUT: ['timeout', 'the request took too long'],
};

/** Everything that a client may know as a problem of its own; what is left is a failure of ours. */
export function problemOf(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error;
  if (error instanceof TooManySignIns) {
    return new Problem('tooBusy', 'many people sign in at this moment; try again in some seconds', {
      headers: { 'retry-after': '5' },
    });
  }
  if (error instanceof StoreError) {
    const busy =
      error.code === 'timeout'
        ? 'the store did not answer in time; the change may or may not be kept'
        : `the store does not work: ${error.code}`;
    return error.code === 'invalid'
      ? undefined
      : new Problem('storeUnavailable', `${busy}; send the same request again with the same Idempotency-Key`, {
          headers: { 'retry-after': '5' },
        });
  }
  if ((error as { name?: unknown }).name === 'ConflictError') {
    return new Problem('tooBusy', 'many changed the same thing at once; try again', {
      headers: { 'retry-after': '1' },
    });
  }
  const code = (error as { code?: unknown }).code;
  const known = typeof code === 'string' ? FRAMEWORK[code] : undefined;
  return known && new Problem(known[0], known[1] ?? (error as Error).message);
}

/** The document and the headers for an error; undefined for our own failures. */
export function explain(error: unknown): { document: ProblemDocument; headers: Record<string, string> } | undefined {
  const problem = problemOf(error);
  const document = documentOf(problem ?? error);
  return document && { document, headers: problem?.extras.headers ?? {} };
}

export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = explain(error);
  const headers = known?.headers ?? {};
  const document = known?.document ?? failure(request);
  if (!known)
    request.log.error({ err: error, route: request.routeOptions.url, method: request.method }, 'a request failed');
  request.problemCode = document.code;
  return reply
    .code(document.status)
    .headers(headers)
    .header('cache-control', 'no-store')
    .type(PROBLEM_TYPE)
    .send(JSON.stringify({ ...document, instance: `/requests/${request.id}` }));
}

function failure(request: FastifyRequest): ProblemDocument {
  const [status, title] = PROBLEMS.internal;
  return {
    type: problemType('internal'),
    title,
    status,
    detail: `request ${request.id} failed; the gateway's log says why`,
    code: 'internal',
  };
}

/** What is not HTTP at all, or too much of it: answered on the bare socket. */
export function answerClientError(
  error: NodeJS.ErrnoException,
  socket: Socket & { server?: unknown; parser?: { incoming?: IncomingMessage } },
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
  const detail =
    status === 408
      ? 'the request did not arrive in time'
      : status === 431
        ? 'the headers are too large'
        : 'this is not HTTP/1.1';
  const body = JSON.stringify({
    type: problemType('badRequest'),
    title: PROBLEMS.badRequest[1],
    status,
    detail,
    code: 'badRequest',
  });
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: ${PROBLEM_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n`;
  socket.end(head + body);
}
