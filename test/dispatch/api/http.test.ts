import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { orderBody, startApi, vehicleBody, type Api, type Reply } from './support.js';

/** Every problem has these, whatever the code. */
function expectProblem({ status, headers, json }: Reply, expectedStatus: number, code: string): void {
  expect([status, json?.code]).toEqual([expectedStatus, code]);
  expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(json).toMatchObject({ type: `urn:linecrew:problem:${code}`, status: expectedStatus });
  expect(json.title.length).toBeGreaterThan(5);
  expect(json.detail.length).toBeGreaterThan(5);
}

describe('HTTP', () => {
  let api: Api;
  beforeAll(async () => {
    api = await startApi();
    await api.post('/vehicles', vehicleBody('v1'));
  });
  afterAll(() => api.close());

  describe('problems (RFC 9457)', () => {
    it('names every field that is wrong, where it is and what was expected', async () => {
      const body = { ...orderBody(), site: { lat: 95, lon: 'east', address: '' }, priority: 'high', colour: 'red' };
      const reply = await api.post('/orders', body);
      expectProblem(reply, 422, 'invalidBody');
      const errors = Object.fromEntries(
        reply.json.errors.map((error: { pointer: string; expected?: string }) => [error.pointer, error.expected]),
      );
      expect(errors).toEqual({
        '#/site/lat': 'at most 90',
        '#/site/lon': 'number',
        '#/site/address': 'at least 1 characters',
        '#/priority': 'one of normal, urgent',
        '#/colour': undefined,
      });
    });

    it('says once what was expected, and that a thing is missing in words', async () => {
      const detail = async (path: string): Promise<string> => (await api.get(path)).json.detail as string;
      expect(await detail('/events?after=abc')).toMatch(/^after: is not valid; expected a whole number from 0 to \d+$/);
      expect(await detail('/reports/segments?by=colour')).toBe(
        'by: is none of the values that are known; expected one of centre, crew, hour, cause',
      );
      expect((await api.get('/orders/none')).json.title).toBe('Not found');
      const { json: order } = await api.post('/orders', orderBody());
      await api.post(`/orders/${order.id}/issue`);
      expect((await api.post(`/orders/${order.id}/wait`)).json.detail).toBe('waiting needs a reason');
    });

    it('says which query parameter is wrong', async () => {
      for (const [query, parameter] of [
        ['limit=0', 'limit'],
        ['limit=many', 'limit'],
        ['stage=done', 'stage.0'],
        ['from=yesterday', 'from'],
        ['color=red', 'color'],
      ]) {
        const reply = await api.get(`/orders?${query}`);
        expectProblem(reply, 400, 'invalidParameter');
        expect(reply.json.errors[0].parameter).toBe(parameter);
      }
      expectProblem(await api.get('/orders?after=nonsense!'), 400, 'invalidParameter');
    });

    it('says where malformed JSON breaks', async () => {
      const reply = await api.post('/orders', '{"customer": {', { headers: { 'content-type': 'application/json' } });
      expectProblem(reply, 400, 'malformedJson');
      expect(reply.json.detail).toMatch(/JSON/);
      expectProblem(
        await api.post('/orders', '{"__proto__": {"x": 1}}', { headers: { 'content-type': 'application/json' } }),
        400,
        'malformedJson',
      );
    });

    it('knows unknown addresses, other methods and other media types', async () => {
      expectProblem(await api.get('/nowhere'), 404, 'noSuchRoute');
      expectProblem(await api.get('/api/v1/orders/../../../etc/passwd'), 404, 'noSuchRoute');
      const method = await api.send('/orders', { method: 'DELETE' });
      expectProblem(method, 405, 'methodNotAllowed');
      expect(method.headers.get('allow')!.split(', ').sort()).toEqual(['GET', 'HEAD', 'OPTIONS', 'POST']);
      const options = await api.send('/vehicles/v1', { method: 'OPTIONS' });
      expect([options.status, options.headers.get('allow')!.split(', ').sort().join()]).toEqual([
        204,
        'DELETE,GET,HEAD,OPTIONS,PATCH',
      ]);
      expectProblem(await api.get('/orders', { headers: { accept: 'text/html' } }), 406, 'notAcceptable');
      expectProblem(
        await api.post('/orders', 'a=b', { headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
        415,
        'unsupportedMediaType',
      );
      expectProblem(await api.get('/api/v1/orders/%zz'), 400, 'badRequest');
      expectProblem(await api.get(`/orders/${'x'.repeat(400)}`), 414, 'uriTooLong');
      expectProblem(await api.get('/orders/does-not-exist'), 404, 'notFound');
    });

    it('refuses a body over a megabyte before it is read', async () => {
      const reply = await api
        .post('/orders', orderBody({ area: 'x'.repeat(1 << 20) }))
        .catch((error: unknown) => error as Error);
      // The server may end the connection while the client still sends.
      if (reply instanceof Error) expect(String(reply.cause)).toMatch(/EPIPE|ECONNRESET|other side closed/);
      else expectProblem(reply, 413, 'bodyTooLarge');
      expect((await api.get('/healthz')).status).toBe(200);
    });

    it('answers what is not HTTP with 400 and closes', async () => {
      const { port } = new URL(api.url);
      const answer = await new Promise<string>((done, fail) => {
        const socket = connect(Number(port), '127.0.0.1', () => socket.write('\x7e\x01\x02 garbage\r\n\r\n'));
        let text = '';
        socket.on('data', (chunk) => (text += String(chunk)));
        socket.on('close', () => done(text));
        socket.on('error', fail);
      });
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      expect(answer).toMatch(/"code":"badRequest"/);
    });

    it('tells a failure of ours nothing but its number', async () => {
      const broken = await startApi({
        plugins: [(_app, { route }) => route({ method: 'GET', path: '/broken', tag: 'Test', right: 'public', summary: 'fails', responses: { 200: { description: 'never' } }, handler: () => { throw new Error('secret detail'); } })],
      }); // prettier-ignore
      try {
        const reply = await broken.get('/broken');
        expectProblem(reply, 500, 'internal');
        expect(reply.text).not.toMatch('secret detail');
      } finally {
        await broken.close();
      }
    });
  });

  describe('versions', () => {
    it('takes a change for the version that was read, and refuses one for another', async () => {
      const { headers, json } = await api.get('/vehicles/v1');
      expect(headers.get('etag')).toBe(`"${json.version}"`);
      const change = { method: 'PATCH', body: { plate: '京B1' } };
      const changed = await api.send('/vehicles/v1', { ...change, headers: { 'if-match': headers.get('etag')! } });
      expect([changed.status, changed.json.plate]).toEqual([200, '京B1']);
      expect(changed.headers.get('etag')).not.toBe(headers.get('etag'));
      const stale = await api.send('/vehicles/v1', { ...change, headers: { 'if-match': headers.get('etag')! } });
      expect(stale.status).toBe(412);
      const weak = await api.send('/vehicles/v1', {
        ...change,
        headers: { 'if-match': `W/${changed.headers.get('etag')}` },
      });
      expect(weak.status).toBe(412);
      expectProblem(await api.send('/vehicles/v1', { ...change, headers: { 'if-match': '3' } }), 400, 'invalidHeader');
      expect((await api.send('/vehicles/v1', { ...change, headers: { 'if-match': '*' } })).status).toBe(200);
    });

    it('holds for the steps of an order', async () => {
      const { json, headers } = await api.post('/orders', orderBody());
      const etag = headers.get('etag')!;
      expect(
        (await api.post(`/orders/${json.id}/issue`, { repairCentreId: 'centre-1' }, { headers: { 'if-match': etag } }))
          .status,
      ).toBe(200);
      expect((await api.post(`/orders/${json.id}/receive`, {}, { headers: { 'if-match': etag } })).status).toBe(412);
    });
  });

  describe('Idempotency-Key', () => {
    const keyed = (key: string): { headers: Record<string, string> } => ({ headers: { 'idempotency-key': key } });

    it('gives the same answer to the same request, and makes one order', async () => {
      const first = await api.post('/orders', orderBody(), keyed('k-1'));
      const again = await api.post('/orders', { fault: orderBody()['fault'], ...orderBody() }, keyed('k-1'));
      expect([first.status, again.status]).toEqual([201, 201]);
      expect(again.json).toEqual(first.json);
      expect(again.headers.get('idempotency-replayed')).toBe('true');
      expect(again.headers.get('etag')).toBe(first.headers.get('etag'));
      expect(again.headers.get('location')).toBe(first.headers.get('location'));
    });

    it('is one request when it comes many times at once', async () => {
      const replies = await Promise.all(
        Array.from({ length: 8 }, () => api.post('/orders', orderBody(), keyed('k-2'))),
      );
      expect(new Set(replies.map((reply) => reply.json.id)).size).toBe(1);
      expect(replies.map((reply) => reply.status)).toEqual(Array(8).fill(201));
    });

    it('refuses the key for another body, address or method', async () => {
      await api.post('/orders', orderBody(), keyed('k-3'));
      expectProblem(
        await api.post('/orders', orderBody({ priority: 'urgent' }), keyed('k-3')),
        422,
        'idempotencyKeyReused',
      );
      expectProblem(await api.post('/vehicles/v1/messages', { text: 'x' }, keyed('k-3')), 422, 'idempotencyKeyReused');
    });

    it('keeps a refusal as the answer too, and keeps keys of different clients apart', async () => {
      const { json } = await api.post('/orders', orderBody());
      const refused = await api.post(`/orders/${json.id}/complete`, {}, keyed('k-4'));
      const again = await api.post(`/orders/${json.id}/complete`, {}, keyed('k-4'));
      expect([refused.status, again.status, again.json.code]).toEqual([409, 409, refused.json.code]);
      expect(again.headers.get('content-type')).toBe(refused.headers.get('content-type'));
      const token = await api.token(['agent']);
      expect((await api.post('/orders', orderBody(), { ...keyed('k-4'), token })).status).toBe(201);
    });

    it('shows a secret once', async () => {
      const body = { name: 'board', roles: ['dispatcher'] };
      const first = await api.post('/tokens', body, keyed('k-5'));
      const again = await api.post('/tokens', body, keyed('k-5'));
      expect(first.json.secret).toMatch(/^lct_/);
      expect([again.status, again.json.id, again.json.secret]).toEqual([201, first.json.id, undefined]);
    });

    it('refuses a key that is none', async () => {
      expectProblem(await api.post('/orders', orderBody(), keyed('a key')), 400, 'invalidHeader');
    });
  });

  describe('operation', () => {
    it('shows health, readiness with its reasons, and metrics by route', async () => {
      expect((await api.get('/healthz', { token: null })).json).toMatchObject({ status: 'ok', clockRate: 1 });
      expect((await api.get('/readyz', { token: null })).json).toMatchObject({ ready: true, reasons: [] });
      await api.get('/orders/metrics-are-by-route');
      const { text } = await api.get('/metrics', { token: null });
      expect(text).toMatch(
        /linecrew_http_request_duration_seconds_count\{method="GET",route="\/api\/v1\/orders\/:id",status="404"\} \d/,
      );
      expect(text).not.toMatch('metrics-are-by-route');
      expectProblem(
        await api.get('/metrics', { token: null, headers: { 'x-forwarded-for': '203.0.113.9' } }),
        401,
        'signInNeeded',
      );
      expect((await api.get('/metrics', { headers: { 'x-forwarded-for': '203.0.113.9' } })).status).toBe(200);
    });

    it('is 503 with reasons while it is not ready', async () => {
      const sick = await startApi({
        readiness: async () => ({ ok: false, reasons: ['the store does not commit: full'], facts: [] }),
      });
      try {
        const { status, json } = await sick.get('/readyz', { token: null });
        expect([status, json.ready, json.reasons]).toEqual([503, false, ['the store does not commit: full']]);
      } finally {
        await sick.close();
      }
    });

    it('answers HEAD as GET without a body', async () => {
      const head = await api.send('/vehicles/v1', { method: 'HEAD' });
      expect([head.status, head.text]).toEqual([200, '']);
      expect(head.headers.get('etag')).toMatch(/^"\d+"$/);
    });
  });

  it('sends a strict content policy with everything, and lets the map’s host in where one is configured', async () => {
    const mapped = await startApi({ config: { mapUrl: 'https://{s}.tiles.example/{z}/{x}/{y}.png' } });
    try {
      const policy = (await mapped.get('/healthz')).headers.get('content-security-policy')!;
      expect(policy).toMatch("img-src 'self' data: blob: https://*.tiles.example");
      expect(policy).toMatch("connect-src 'self' https://*.tiles.example");
    } finally {
      await mapped.close();
    }
    for (const path of ['/healthz', '/api/docs', '/orders', '/nowhere']) {
      const { headers } = await api.get(path);
      const policy = headers.get('content-security-policy')!;
      expect(policy).toMatch("default-src 'self'");
      expect(policy).toMatch("script-src 'self'");
      expect(policy).not.toMatch(/unsafe|upgrade-insecure-requests/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-frame-options')).toBe('DENY');
    }
  });

  it('keeps a script in an order’s text a text', async () => {
    const script = '<script>alert(1)</script>"\'=cmd|calc';
    const { json } = await api.post(
      '/orders',
      orderBody({ fault: { category: 'outage', voltage: 'low', description: script }, area: '=1+1' }),
    );
    await api.post(`/orders/${json.id}/issue`, { repairCentreId: 'centre-1' });
    const shown = await api.get(`/orders/${json.id}`);
    expect(shown.json.fault.description).toBe(script);
    expect(shown.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(shown.headers.get('x-content-type-options')).toBe('nosniff');
    expectProblem(await api.get(`/orders/${encodeURIComponent('<script>alert(1)<')}`), 404, 'notFound');
  });
});
