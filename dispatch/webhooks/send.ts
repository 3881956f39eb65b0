/** One webhook request: guarded, bounded in time and size, no redirects. */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { guardedLookup, refusedUrl } from './address-guard.js';

export type Outcome = { ok: true; status: number } | { ok: false; status?: number; reason: string; gone?: boolean };

export interface SendOptions {
  allowPrivate: boolean;
  timeoutMs: number;
  /** Ends the attempt: the gateway stops. */
  signal?: AbortSignal;
}

/** Of an answer nothing is needed but its status; more than this is not waited for. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** Posts the body. Never rejects: whatever goes wrong is an outcome. */
export function send(
  url: string,
  headers: Record<string, string>,
  body: string,
  options: SendOptions,
): Promise<Outcome> {
  const why = refusedUrl(url, options.allowPrivate);
  if (why !== undefined) return Promise.resolve({ ok: false, reason: why });
  const target = new URL(url);
  const make = target.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((done) => {
    const request = make(target, {
      method: 'POST',
      headers: { ...headers, 'content-length': Buffer.byteLength(body), connection: 'close' },
      lookup: guardedLookup(options.allowPrivate),
      agent: false,
      ...(options.signal ? { signal: options.signal } : {}),
    });
    const timer = setTimeout(
      () => request.destroy(new Error(`no answer in ${options.timeoutMs / 1000} s`)),
      options.timeoutMs,
    );
    const settle = (outcome: Outcome): void => {
      clearTimeout(timer);
      done(outcome);
    };
    request.on('error', (error) => settle({ ok: false, reason: error.message }));
    request.on('response', (response) => {
      const status = response.statusCode ?? 0;
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_ANSWER_BYTES) request.destroy();
      });
      response.on('close', () => settle(outcomeOf(status)));
      response.on('error', () => settle(outcomeOf(status)));
    });
    request.end(body);
  });
}

function outcomeOf(status: number): Outcome {
  if (status >= 200 && status < 300) return { ok: true, status };
  if (status >= 300 && status < 400)
    return { ok: false, status, reason: `it answered ${status}; redirects are not followed` };
  return { ok: false, status, reason: `it answered ${status}`, ...(status === 410 ? { gone: true } : {}) };
}
