import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { refusedAddress, refusedUrl } from '../../../dispatch/webhooks/address-guard.js';
import { sign, verify } from '../../../dispatch/webhooks/signature.js';
import { orderBody, startApi, type Api } from './support.js';

interface Received {
  headers: IncomingHttpHeaders;
  body: string;
}

/** A receiver that answers what it is told to, and shows what it got. */
async function receiver(): Promise<{
  url: string;
  got: Received[];
  answer: (status: number) => void;
  until: (count: number) => Promise<void>;
  close: () => Promise<void>;
}> {
  const got: Received[] = [];
  const waiting = new Set<() => void>();
  let status = 204;
  const server: Server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      got.push({ headers: request.headers, body });
      response.writeHead(status, status === 302 ? { location: 'http://169.254.169.254/' } : {}).end();
      for (const look of waiting) look();
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    got,
    answer: (next) => void (status = next),
    until: (count) =>
      new Promise((done) => {
        const look = (): void => {
          if (got.length < count) return;
          waiting.delete(look);
          done();
        };
        waiting.add(look);
        look();
      }),
    close: () => new Promise((done) => server.close(() => done())),
  };
}

describe('webhooks', () => {
  let api: Api;
  let hook: Awaited<ReturnType<typeof receiver>>;
  const pausesMs = [1_000, 2_000, 4_000];
  beforeEach(async () => {
    api = await startApi({ config: { webhooks: { allowPrivate: true, pausesMs, giveUpMs: 60_000 } } });
    hook = await receiver();
  });
  afterEach(async () => {
    await api.close();
    await hook.close();
  });
  const make = async (more: object = {}): Promise<{ id: string; secret: string }> => {
    const { status, json } = await api.post('/webhooks', { url: hook.url, types: ['order.received'], ...more });
    expect(status).toBe(201);
    return json as { id: string; secret: string };
  };
  const order = async (): Promise<string> => (await api.post('/orders', orderBody())).json.id as string;
  const shown = async (id: string): Promise<Record<string, unknown>> =>
    (await api.get(`/webhooks/${id}`)).json as Record<string, unknown>;

  it('refuses types that no event has, and names those that there are', async () => {
    for (const types of [['order.recieved'], ['ordre.*']]) {
      const { status, json } = await api.post('/webhooks', { url: hook.url, types });
      expect([status, json.errors[0].pointer]).toEqual([422, '#/types']);
      expect(json.detail).toContain(types[0]);
      expect(json.details.types).toEqual(expect.arrayContaining(['order.received', 'leg.queued', 'segment.breached']));
      expect((await api.get(`/events?types=order.issued,${types[0]}`)).status).toBe(422);
      expect((await api.get(`/stream?types=${types[0]}`)).status).toBe(422);
    }
    const { id } = await make({ types: ['order.*', 'timePoint.set'] });
    expect((await api.send(`/webhooks/${id}`, { method: 'PATCH', body: { types: ['nothing'] } })).status).toBe(422);
    expect((await api.get('/events?types=leg.*,alert.raised')).status).toBe(200);
  });

  it('sends CloudEvents, signed after Standard Webhooks, of the types asked for, in order', async () => {
    const { secret } = await make();
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]+=*$/);
    const ids = [await order(), await order()];
    await hook.until(2);
    const bodies = hook.got.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
    expect(bodies.map(({ type, subject, specversion }) => [type, subject, specversion])).toEqual(
      ids.map((id) => ['linecrew.order.received', `orders/${id}`, '1.0']),
    );
    for (const { headers, body } of hook.got) {
      expect(headers['content-type']).toMatch('application/cloudevents+json');
      expect(headers['webhook-id']).toBe((JSON.parse(body) as { id: string }).id);
      expect(verify(secret, headers as Record<string, string>, body, Math.floor(Date.now() / 1000))).toBe(true);
      expect(verify(secret, headers as Record<string, string>, `${body} `, Math.floor(Date.now() / 1000))).toBe(false);
    }
    expect((await api.get('/webhooks')).text).not.toContain(secret);
  });

  it('tries again with growing pauses and the same id, and goes on where it stopped', async () => {
    const { id } = await make();
    hook.answer(500);
    await order();
    await order();
    await hook.until(1);
    await expect.poll(async () => (await shown(id))['failing']).toMatchObject({ attempts: 1, lastStatus: 500 });
    api.clock.advance(1_300);
    await hook.until(2);
    await expect.poll(async () => (await shown(id))['failing']).toMatchObject({ attempts: 2 });
    hook.answer(200);
    api.clock.advance(2_600);
    await hook.until(4);
    const ids = hook.got.map(({ headers }) => headers['webhook-id']);
    expect(ids.slice(0, 3)).toEqual(Array(3).fill(ids[0]));
    expect(ids[3]).not.toBe(ids[0]);
    await expect.poll(async () => (await shown(id))['failing']).toBeUndefined();
  });

  it('is switched off by 410 at once, by long failure, and on again by hand', async () => {
    const { id } = await make();
    hook.answer(410);
    await order();
    await expect.poll(async () => (await shown(id))['enabled']).toBe(false);
    hook.answer(200);
    expect((await api.send(`/webhooks/${id}`, { method: 'PATCH', body: { enabled: true } })).json.enabled).toBe(true);
    await hook.until(2);
    hook.answer(503);
    await order();
    for (let i = 0; i < 25 && (await shown(id))['enabled'] === true; i++) {
      const count = hook.got.length;
      api.clock.advance(5_000);
      if ((await shown(id))['enabled'] === true)
        await expect.poll(async () => hook.got.length > count || (await shown(id))['enabled'] === false).toBe(true);
    }
    expect(await shown(id)).toMatchObject({ enabled: false, failing: { lastStatus: 503 } });
  });

  it('replays from a position, and follows no redirect', async () => {
    const { id } = await make();
    const first = await order();
    await hook.until(1);
    expect((await api.post(`/webhooks/${id}/replay`, { position: 0 })).status).toBe(202);
    await hook.until(2);
    expect(hook.got.map(({ body }) => (JSON.parse(body) as { subject: string }).subject)).toEqual([
      `orders/${first}`,
      `orders/${first}`,
    ]);
    expect((await api.post(`/webhooks/${id}/replay`, { position: 1e9 })).json.code).toBe('invalidValue');
    hook.answer(302);
    await order();
    await expect.poll(async () => (await shown(id))['failing']).toMatchObject({ lastStatus: 302 });
  });

  it('signs with the old and the new secret after a rotation', async () => {
    const { id, secret } = await make();
    const rotated = await api.post(`/webhooks/${id}/rotate`);
    expect(rotated.json.secret).not.toBe(secret);
    await order();
    await hook.until(1);
    const { headers, body } = hook.got[0]!;
    const now = Math.floor(Date.now() / 1000);
    for (const one of [secret, rotated.json.secret as string])
      expect(verify(one, headers as Record<string, string>, body, now)).toBe(true);
  });

  it('stops when it is deleted', async () => {
    const { id } = await make();
    expect((await api.send(`/webhooks/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await api.get(`/webhooks/${id}`)).status).toBe(404);
    await order();
    const other = await make();
    await order();
    await hook.until(1);
    expect(hook.got).toHaveLength(1);
    expect(other.id).not.toBe(id);
  });

  it('tells a hook of one centre nothing of others, and no principal can make one that sees more', async () => {
    await api.send('/repair-centres/centre-2', { method: 'PUT', body: { name: 'Centre 2' } });
    const token = await api.token(['integrator'], { centres: ['centre-2'] });
    const refused = await api.post('/webhooks', { url: hook.url, centres: ['centre-1'] }, { token });
    expect(refused.status).toBe(403);
    const { json } = await api.post('/webhooks', { url: hook.url, types: ['order.issued'] }, { token });
    expect(json.centres).toEqual(['centre-2']);
    const [foreign, own] = [await order(), await order()];
    await api.post(`/orders/${foreign}/issue`, { repairCentreId: 'centre-1' });
    await api.post(`/orders/${own}/issue`, { repairCentreId: 'centre-2' });
    await hook.until(1);
    expect((JSON.parse(hook.got[0]!.body) as { subject: string }).subject).toBe(`orders/${own}`);
    const { id } = await make();
    expect((await api.get(`/webhooks/${id}`, { token })).status).toBe(404);
  });
});

describe('addresses that a webhook may not reach', () => {
  it.each([
    ['169.254.169.254', true],
    ['100.100.100.200', true],
    ['::ffff:169.254.169.254', true],
    ['::ffff:a9fe:a9fe', true],
    ['64:ff9b::a9fe:a9fe', true],
    ['fe80::1', true],
    ['fd00:ec2::254', true],
    ['0.0.0.0', true],
    ['224.0.0.1', true],
    ['10.1.2.3', false],
    ['172.20.0.1', false],
    ['192.168.1.1', false],
    ['127.0.0.1', false],
    ['::1', false],
    ['fd12::1', false],
    ['::ffff:10.0.0.1', false],
  ])('%s is refused, private ones unless they are allowed', (address, always) => {
    expect(refusedAddress(address, false)).toBeDefined();
    expect(refusedAddress(address, true) !== undefined).toBe(always);
  });

  it('lets public addresses through', () => {
    for (const address of ['8.8.8.8', '114.114.114.114', '2400:3200::1'])
      expect(refusedAddress(address, false)).toBeUndefined();
  });

  it.each([
    'http://example.com/',
    'ftp://example.com/',
    'https://user:pass@example.com/',
    'https://localhost/',
    'https://printer.local/',
    'https://[::1]/',
    'https://2130706433/',
    'https://0x7f.1/',
    'nonsense',
  ])('refuses %s', (url) => {
    expect(refusedUrl(url, false)).toBeDefined();
  });

  it('is told in words when a webhook is made for one', async () => {
    const api = await startApi();
    try {
      for (const url of ['https://169.254.169.254/latest/meta-data', 'https://10.0.0.1/', 'http://example.com/']) {
        const { status, json } = await api.post('/webhooks', { url });
        expect([status, json.code, json.errors[0].pointer]).toEqual([422, 'invalidValue', '#/url']);
      }
    } finally {
      await api.close();
    }
  });
});

describe('signatures', () => {
  it('are those of the Standard Webhooks specification', () => {
    // Worked example of the specification's reference libraries.
    const signature = sign(
      'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      'msg_p5jXN8AQM9LWM0D4loKWxJek',
      1_614_265_330,
      '{"test": 2432232314}',
    );
    expect(signature).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });
});
