import { setTimeout as sleep } from 'node:timers/promises';

/** The gateway answered with a problem document (RFC 9457), or not with JSON at all. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export interface Health {
  rate: number;
  /** Gateway time, ms UTC. */
  now: number;
}

const requestTimeoutMs = 30_000;

/** The few calls of the gateway's HTTP API that a simulated customer, dispatcher or auditor makes. */
export class Api {
  readonly #base: string;

  /**
   * @param base `http://host:port`
   * @param token bearer token; without one only `/healthz` can be asked
   */
  constructor(
    base: string,
    private readonly token: string | undefined,
  ) {
    this.#base = base.replace(/\/+$/, '');
  }

  get authorised(): boolean {
    return this.token !== undefined;
  }

  /** Rate and time of the gateway's clock. A platform that is not ours has neither: rate 1, this machine's time. */
  async health(): Promise<Health> {
    const response = await fetch(`${this.#base}/healthz`, { signal: AbortSignal.timeout(requestTimeoutMs) });
    const body = (await response.json().catch(() => ({}))) as { clockRate?: unknown; time?: unknown };
    const rate = Number(body.clockRate ?? 1);
    const now = typeof body.time === 'string' ? Date.parse(body.time) : NaN;
    return { rate: Number.isFinite(rate) ? rate : 1, now: Number.isFinite(now) ? now : Date.now() };
  }

  get<T>(path: string): Promise<T> {
    return this.#json<T>('GET', path);
  }

  post<T>(path: string, body: unknown): Promise<T> {
    return this.#json<T>('POST', path, body);
  }

  patch<T>(path: string, body: unknown): Promise<T> {
    return this.#json<T>('PATCH', path, body);
  }

  /** Every item of a paged list. */
  async *pages<T>(path: string): AsyncGenerator<T> {
    let after: string | undefined;
    do {
      const query = after === undefined ? '' : `${path.includes('?') ? '&' : '?'}after=${encodeURIComponent(after)}`;
      const page = await this.get<{ items: T[]; next?: string | null }>(`${path}${query}`);
      yield* page.items;
      after = page.next ?? undefined;
    } while (after !== undefined);
  }

  /** Lines of an NDJSON answer. */
  async lines<T>(path: string): Promise<T[]> {
    const response = await this.#request('GET', path, undefined, 'application/x-ndjson');
    const text = await response.text();
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as T);
  }

  async #json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.#request(method, path, body, 'application/json');
    if (response.status === 204) return undefined as T;
    return (await response.json()) as T;
  }

  async #request(method: string, path: string, body: unknown, accept: string): Promise<Response> {
    const headers: Record<string, string> = { accept };
    if (this.token !== undefined) headers['authorization'] = `Bearer ${this.token}`;
    if (body !== undefined) headers['content-type'] = 'application/json';
    for (let attempt = 1; ; attempt++) {
      const response = await fetch(`${this.#base}/api/v1${path}`, {
        method,
        headers,
        signal: AbortSignal.timeout(requestTimeoutMs),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      if (response.ok) return response;
      // Asked to wait: do so, a few times.
      if (response.status === 429 && attempt < 5) {
        await response.body?.cancel();
        await sleep(Math.min(10_000, Number(response.headers.get('retry-after') ?? 1) * 1000));
        continue;
      }
      const problem = (await response.json().catch(() => ({}))) as { code?: string; detail?: string; title?: string };
      const words = problem.detail ?? problem.title ?? response.statusText;
      throw new ApiError(response.status, problem.code ?? '', `${method} ${path}: ${response.status} ${words}`);
    }
  }
}
