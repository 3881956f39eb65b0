/** The API as the console uses it: session cookie, CSRF header, problems (RFC 9457) as typed errors. */
import { plainText } from '../ui/form-data.js';

/** A refusal or failure that the server put into words. */
export class Problem extends Error {
  override name = 'Problem';
  readonly status: number;
  readonly code: string;
  readonly details: Record<string, unknown>;
  constructor(status: number, code: string, words: string, details: Record<string, unknown> = {}) {
    super(words);
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

export const BASE = '/api/v1';
let csrf = '';
let onSignedOut: () => void = () => undefined;

export function setCsrf(token: string): void {
  csrf = token;
}
export function whenSignedOut(call: () => void): void {
  onSignedOut = call;
}

export interface Reply<T> {
  value: T;
  etag: string | null;
  /** `Date` of the answer, ms UTC of the machine's clock. */
  dateAt: number;
}

export interface RequestOptions {
  /** A document, or a file's bytes. */
  body?: unknown;
  /** The same key, the same answer: a retry changes nothing. */
  idempotencyKey?: string;
  ifMatch?: string;
  accept?: string;
  signal?: AbortSignal;
  keepalive?: boolean;
}

function headersOf(method: string, options: RequestOptions): Headers {
  const headers = new Headers({ accept: options.accept ?? 'application/json' });
  if (options.body instanceof Blob) headers.set('content-type', 'application/octet-stream');
  else if (options.body !== undefined) headers.set('content-type', 'application/json');
  if (method !== 'GET') {
    if (csrf) headers.set('x-csrf-token', csrf);
    if (method === 'POST') headers.set('idempotency-key', options.idempotencyKey ?? crypto.randomUUID());
  }
  if (options.ifMatch) headers.set('if-match', options.ifMatch);
  return headers;
}

async function problemOf(response: Response): Promise<Problem> {
  const body = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  const words = body.detail ?? body.title ?? response.statusText;
  return new Problem(response.status, plainText(body.code) || String(response.status), plainText(words), body);
}

/** One request. Throws `Problem`; a lost network is a `Problem` with status 0 and code `offline`. */
export async function request<T>(method: string, path: string, options: RequestOptions = {}): Promise<Reply<T>> {
  let response: Response;
  try {
    response = await fetch(path.startsWith('/') && path.startsWith(BASE) ? path : BASE + path, {
      method,
      headers: headersOf(method, options),
      credentials: 'same-origin',
      ...(options.body !== undefined
        ? { body: options.body instanceof Blob ? options.body : JSON.stringify(options.body) }
        : {}),
      ...(options.signal ? { signal: options.signal } : {}),
      ...(options.keepalive ? { keepalive: true } : {}),
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Problem(0, 'offline', String((error as Error).message));
  }
  if (response.status === 401 && path !== '/session') onSignedOut();
  if (!response.ok) throw await problemOf(response);
  const text = response.status === 204 ? '' : await response.text();
  const json = (response.headers.get('content-type') ?? '').includes('json') && !options.accept?.includes('ndjson');
  return {
    value: (text && json ? JSON.parse(text) : text || undefined) as T,
    etag: response.headers.get('etag'),
    dateAt: Date.parse(response.headers.get('date') ?? '') || Date.now(),
  };
}

export const get = async <T>(path: string, options?: RequestOptions): Promise<T> =>
  (await request<T>('GET', path, options)).value;
export const post = async <T>(path: string, body: unknown = {}, options?: RequestOptions): Promise<T> =>
  (await request<T>('POST', path, { ...options, body })).value;
export const put = async <T>(path: string, body: unknown, options?: RequestOptions): Promise<T> =>
  (await request<T>('PUT', path, { ...options, body })).value;
export const patch = async <T>(path: string, body: unknown, options?: RequestOptions): Promise<T> =>
  (await request<T>('PATCH', path, { ...options, body })).value;
export const remove = async <T>(path: string, options?: RequestOptions): Promise<T> =>
  (await request<T>('DELETE', path, options)).value;

export interface PageOf<T> {
  items: T[];
  next?: string | null;
}

/** All pages of a collection, at most `max` items (a console that holds more could not be read by anybody). */
export async function getAll<T>(path: string, max: number, limit = 500): Promise<T[]> {
  const items: T[] = [];
  let after: string | null | undefined;
  do {
    const separator = path.includes('?') ? '&' : '?';
    const cursor = after ? `&after=${encodeURIComponent(after)}` : '';
    const page = await get<PageOf<T>>(`${path}${separator}limit=${limit}${cursor}`);
    items.push(...page.items);
    after = page.next;
  } while (after && items.length < max);
  return items;
}
