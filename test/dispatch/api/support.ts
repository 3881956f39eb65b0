/** A listening server over the real service and an LMDB store, and a client that keeps what a browser keeps. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { Accounts } from '../../../dispatch/accounts.js';
import { createHttpServer, type HttpConfig, type HttpServerDeps } from '../../../dispatch/api/server.js';
import { manualClock, type ManualClock } from '../../../dispatch/clock.js';
import type { Role } from '../../../dispatch/domain/events.js';
import { DEFAULT_SETTINGS } from '../../../dispatch/domain/settings.js';
import { createDispatch, type Dispatch } from '../../../dispatch/service.js';
import { openLmdb } from '../../../dispatch/store/lmdb.js';
import type { DispatchStore } from '../../../dispatch/store/store.js';

export const BOOTSTRAP = 'bootstrap-token-of-the-tests';
/** 2026-03-02 09:00 in Shanghai, a Monday. */
export const NINE = Date.parse('2026-03-02T01:00:00.000Z');
export const PASSWORD = 'a long enough password';

// The body's shape is what the tests look at: they read it as they go.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Json = any;

export interface Reply {
  status: number;
  headers: Headers;
  text: string;
  json: Json;
}

export interface Sending {
  method?: string;
  body?: unknown;
  headers?: Record<string, string>;
  token?: string | null;
  cookie?: string;
}

export interface Api {
  readonly url: string;
  readonly app: FastifyInstance;
  readonly dispatch: Dispatch;
  readonly store: DispatchStore;
  readonly clock: ManualClock;
  readonly accounts: Accounts;
  /** Sends a request, with the bootstrap token unless told otherwise; `null` sends none. Paths that do not begin with `/api` or are not of the root are below `/api/v1`. */
  send(path: string, sending?: Sending): Promise<Reply>;
  get(path: string, sending?: Sending): Promise<Reply>;
  post(path: string, body?: unknown, sending?: Sending): Promise<Reply>;
  /** A token with these roles. */
  token(roles: Role[], more?: { centres?: string[]; scopes?: string[]; vehicleId?: string }): Promise<string>;
  close(): Promise<void>;
}

export type ApiOptions = Partial<Pick<HttpServerDeps, 'plugins' | 'readiness' | 'streamLimits'>> & {
  config?: Partial<HttpConfig>;
};

const ROOT = /^\/(api|healthz|readyz|metrics|sign-in|console|$)/;

export async function startApi(options: ApiOptions = {}): Promise<Api> {
  const directory = await mkdtemp(join(tmpdir(), 'linecrew-api-'));
  const store = await openLmdb(directory);
  const clock = manualClock(NINE);
  const log = pino({ level: process.env['TEST_LOG'] ?? 'silent' });
  const dispatch = createDispatch({
    store,
    clock,
    settings: DEFAULT_SETTINGS,
    random: randomBytes,
    log: { warn: () => {}, error: () => {} },
  });
  await dispatch.start();
  const { config, ...rest } = options;
  const app = createHttpServer({
    dispatch,
    log,
    registry: new Registry(),
    readiness: async () => ({ ok: true, reasons: [], facts: [] }),
    checkAnswers: true,
    config: { trustProxy: false, bootstrapToken: BOOTSTRAP, secureCookies: false, ...config },
    ...rest,
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  const accounts = new Accounts(dispatch);

  const send = async (
    path: string,
    { method = 'GET', body, headers = {}, token = BOOTSTRAP, cookie }: Sending = {},
  ): Promise<Reply> => {
    const raw = body instanceof Uint8Array || typeof body === 'string';
    const response = await fetch(url + (ROOT.test(path) ? path : `/api/v1${path}`), {
      method,
      redirect: 'manual',
      headers: {
        ...(token === null || cookie !== undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(cookie === undefined ? {} : { cookie }),
        ...(body === undefined || raw ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: raw ? (body as string) : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson =
      (response.headers.get('content-type') ?? '').includes('json') &&
      !(response.headers.get('content-type') ?? '').includes('ndjson');
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: isJson && text !== '' ? JSON.parse(text) : undefined,
    };
  };

  return {
    url,
    app,
    dispatch,
    store,
    clock,
    accounts,
    send,
    get: (path, sending) => send(path, sending),
    post: (path, body = {}, sending) => send(path, { method: 'POST', body, ...sending }),
    token: async (roles, more = {}) =>
      (await accounts.createToken({ name: roles.join('+'), roles, ...more }, 'tests')).secret,
    async close() {
      await app.close();
      await dispatch.stop();
      await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export const vehicleBody = (id: string, more: object = {}): Record<string, unknown> => ({
  id,
  plate: `京A${id}`,
  terminal: { phone: String(13_000_000_000 + Number.parseInt(id.replace(/\D/g, '') || '0', 10)), profile: 'smart' },
  repairCentreId: 'centre-1',
  trade: 'lowVoltage',
  crew: { name: `crew ${id}`, members: [{ name: 'Li' }] },
  sharesOffice: false,
  ...more,
});

export const orderBody = (more: object = {}): Record<string, unknown> => ({
  customer: { name: 'Zhao', phone: '13900000000' },
  site: { lat: 31.23, lon: 121.47, address: '人民路 1 号' },
  fault: { category: 'outage', voltage: 'low', description: '停电' },
  ...more,
});

/** An order that is at its repair centre, and issued by the supervisor. */
export async function issuedOrder(api: Api, more: object = {}): Promise<string> {
  const { json } = await api.post('/orders', orderBody(more));
  await api.post(`/orders/${json.id}/issue`, { repairCentreId: 'centre-1' });
  return json.id as string;
}
