/**
 * `Idempotency-Key`: the first request with a key is carried out, every later one gets its answer. Before anything is
 * done, the key is bound to what was asked (one commit, atomic among gateways), and the command itself carries the key,
 * so a crash between command and answer is made good by the retry.
 */
import { createHash } from 'node:crypto';
import type { DispatchStore } from '../../store/store.js';
import type { Principal } from '../../rights.js';
import { Answer } from './route.js';
import { Problem, type ProblemDocument } from './problem.js';

/** A client that has not asked again for a day has given up. */
const KEEP_MS = 24 * 3_600_000;

interface Kept {
  status: number;
  body?: unknown;
  headers: Record<string, string>;
}

export interface Keyed {
  /** For the command that the request gives. */
  commandKey: string;
  run(carryOut: () => Promise<Answer>, problem: (error: unknown) => ProblemDocument | undefined): Promise<Answer>;
}

/** @throws {Problem} `invalidHeader` unless the key is 1 to 255 printable characters */
export function idempotencyKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header === 'string' && /^[\x21-\x7e]{1,255}$/.test(header)) return header;
  throw new Problem('invalidHeader', 'Idempotency-Key is not valid', {
    errors: [
      {
        header: 'Idempotency-Key',
        detail: 'is not valid',
        expected: '1 to 255 printable characters without spaces, for example a UUID',
      },
    ],
  });
}

export class Idempotency {
  /** Requests of this node that are being carried out. */
  readonly #running = new Map<string, Promise<unknown>>();

  constructor(private readonly store: DispatchStore) {}

  /** `asked` is everything that makes the request what it is: method, path, query, body. */
  keyed(principal: Principal, key: string, asked: unknown, secretFields: readonly string[] = []): Keyed {
    const scope = hash([principal.via, principal.id, key]);
    const request = hash(asked);
    return {
      commandKey: `command:${scope}`,
      run: async (carryOut, problem) => {
        await this.#bind(scope, request);
        while (this.#running.has(scope)) await this.#running.get(scope)?.catch(() => undefined);
        const kept = (await this.store.remembered(`answer:${scope}`)) as Kept | undefined;
        if (kept) return new Answer(kept.status, kept.body, { ...kept.headers, 'idempotency-replayed': 'true' });
        const running = this.#carryOut(scope, carryOut, problem, secretFields);
        this.#running.set(scope, running);
        try {
          return await running;
        } finally {
          this.#running.delete(scope);
        }
      },
    };
  }

  /** @throws {Problem} `idempotencyKeyReused` where the key stands for another request */
  async #bind(scope: string, request: string): Promise<void> {
    const bound = await this.store.commit({
      idempotency: { key: `request:${scope}`, result: request, keepMs: KEEP_MS },
    });
    if (bound.ok || !('duplicate' in bound) || bound.duplicate === request) return;
    throw new Problem(
      'idempotencyKeyReused',
      'this Idempotency-Key was sent with another method, address or body; use a new key for a new request',
    );
  }

  async #carryOut(
    scope: string,
    carryOut: () => Promise<Answer>,
    problem: (error: unknown) => ProblemDocument | undefined,
    secretFields: readonly string[],
  ): Promise<Answer> {
    try {
      const answer = await carryOut();
      await this.#keep(scope, {
        status: answer.status,
        body: without(answer.body, secretFields),
        headers: answer.headers,
      });
      return answer;
    } catch (error) {
      const document = problem(error);
      // What the rules or the input decided stands; what failed is tried again.
      if (document && document.status < 500 && document.status !== 429) {
        await this.#keep(scope, {
          status: document.status,
          body: document,
          headers: { 'content-type': 'application/problem+json' },
        });
      }
      throw error;
    }
  }

  async #keep(scope: string, kept: Kept): Promise<void> {
    await this.store.commit({ idempotency: { key: `answer:${scope}`, result: kept, keepMs: KEEP_MS } });
  }
}

/** A secret is shown once: what is kept of the answer does not hold it. */
function without(body: unknown, fields: readonly string[]): unknown {
  if (fields.length === 0 || typeof body !== 'object' || body === null) return body;
  return Object.fromEntries(Object.entries(body).filter(([key]) => !fields.includes(key)));
}

function hash(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('base64url');
}

/** JSON with sorted keys: the same request written differently is the same request. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (value instanceof Uint8Array) return `"bytes:${createHash('sha256').update(value).digest('base64url')}"`;
  const entries = Object.entries(value)
    .filter(([, v]) => v !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${canonical(v)}`).join(',')}}`;
}
