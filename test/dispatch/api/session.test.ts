import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD, startApi, type Api, type Reply } from './support.js';

const cookieOf = (reply: Reply): string => reply.headers.getSetCookie()[0]!.split(';')[0]!;

describe('sessions', () => {
  let api: Api;
  const signIn = (name: string, password = PASSWORD, headers: Record<string, string> = {}): Promise<Reply> =>
    api.post('/session', { name, password }, { token: null, headers });
  beforeAll(async () => {
    api = await startApi({ config: { trustProxy: true } });
    for (const [name, roles] of [
      ['wang', ['dispatcher']],
      ['li', ['agent']],
      ['zhou', ['administrator']],
    ] as const) {
      await api.post('/users', { name, roles, password: PASSWORD });
    }
  });
  afterAll(() => api.close());

  it('signs in with a cookie that scripts and other sites do not get', async () => {
    const reply = await signIn('wang');
    expect(reply.status).toBe(201);
    expect(reply.json).toMatchObject({ name: 'wang', roles: ['dispatcher'], via: 'session' });
    const cookie = reply.headers.getSetCookie()[0]!;
    expect(cookie).toMatch(/HttpOnly/);
    expect(cookie).toMatch(/SameSite=Lax/);
    const me = await api.get('/me', { cookie: cookieOf(reply) });
    expect(me.json).toMatchObject({ name: 'wang', csrf: reply.json.csrf });
    // The store does not hold the cookie's secret.
    const page = await api.store.scan({ index: 'sessions.account', limit: 100 });
    expect(JSON.stringify(page.items)).not.toContain(cookieOf(reply).split('=')[1]);
  });

  it('needs the CSRF token for changes, and refuses other sites even with it', async () => {
    const reply = await signIn('li');
    const cookie = cookieOf(reply);
    const order = {
      customer: { name: 'Z', phone: '139' },
      site: { lat: 31, lon: 121, address: 'x' },
      fault: { category: 'outage', voltage: 'low', description: '' },
    };
    const without = await api.post('/orders', order, { cookie });
    expect([without.status, without.json.code]).toEqual([403, 'csrfNeeded']);
    const wrong = await api.post('/orders', order, { cookie, headers: { 'x-csrf-token': 'x' } });
    expect([wrong.status, wrong.json.code]).toEqual([403, 'csrfNeeded']);
    const csrf = { 'x-csrf-token': reply.json.csrf as string };
    for (const from of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
    ] as Record<string, string>[]) {
      const foreign = await api.post('/orders', order, { cookie, headers: { ...csrf, ...from } });
      expect([foreign.status, foreign.json.code]).toEqual([403, 'crossSite']);
    }
    expect((await api.post('/orders', order, { cookie, headers: { ...csrf, origin: api.url } })).status).toBe(201);
    const foreignSignIn = await signIn('li', PASSWORD, { origin: 'https://evil.example' });
    expect(foreignSignIn.json.code).toBe('crossSite');
  });

  it('ends by signing out, by time, by another password, by disabling', async () => {
    const out = await signIn('wang');
    const headers = { 'x-csrf-token': out.json.csrf as string };
    expect((await api.send('/session', { method: 'DELETE', cookie: cookieOf(out), headers })).status).toBe(204);
    expect((await api.get('/me', { cookie: cookieOf(out) })).status).toBe(401);

    const late = await signIn('wang');
    api.clock.advance(13 * 3_600_000);
    expect((await api.get('/me', { cookie: cookieOf(late) })).status).toBe(401);

    const old = await signIn('wang');
    await api.send('/users/wang', { method: 'PATCH', body: { password: 'another long password' } });
    expect((await api.get('/me', { cookie: cookieOf(old) })).status).toBe(401);
    expect((await signIn('wang')).status).toBe(401);

    const disabled = await signIn('wang', 'another long password');
    await api.send('/users/wang', { method: 'PATCH', body: { disabled: true } });
    expect((await api.get('/me', { cookie: cookieOf(disabled) })).status).toBe(401);
    expect((await signIn('wang', 'another long password')).json.code).toBe('wrongCredentials');
  });

  it('lets people change their own password', async () => {
    const reply = await signIn('li');
    const sending = { method: 'PUT', cookie: cookieOf(reply), headers: { 'x-csrf-token': reply.json.csrf as string } };
    expect(
      (
        await api.send('/me/password', {
          ...sending,
          body: { oldPassword: 'wrong wrong wrong', newPassword: 'a better password' },
        })
      ).status,
    ).toBe(401);
    const changed = await api.send('/me/password', {
      ...sending,
      body: { oldPassword: PASSWORD, newPassword: 'a better password' },
    });
    expect(changed.status).toBe(201);
    expect((await api.get('/me', { cookie: cookieOf(changed) })).json.name).toBe('li');
    expect((await api.get('/me', { cookie: cookieOf(reply) })).status).toBe(401);
  });

  it('slows guessing down, for the name at that address first', async () => {
    const from = (address: string): Record<string, string> => ({ 'x-forwarded-for': address });
    for (let i = 0; i < 5; i++) expect((await signIn('zhou', `guess ${i}`, from('198.51.100.7'))).status).toBe(401);
    const blocked = await signIn('zhou', PASSWORD, from('198.51.100.7'));
    expect([blocked.status, blocked.json.code]).toEqual([429, 'tooManyAttempts']);
    expect(Number(blocked.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await signIn('zhou', PASSWORD, from('198.51.100.8'))).status).toBe(201);
    api.clock.advance(Number(blocked.headers.get('retry-after')) * 1_000);
    expect((await signIn('zhou', PASSWORD, from('198.51.100.7'))).status).toBe(201);
  });

  it('counts guesses by the address that the proxy saw, whatever the client writes before it', async () => {
    let status = 0;
    for (let i = 0; i < 70; i++) {
      const forged = { 'x-forwarded-for': `203.0.113.${i}, 198.51.100.77` };
      status = (await signIn(`nobody-${i}`, 'a long wrong guess', forged)).status;
    }
    expect(status).toBe(429);
  });

  it('does not say whether a name exists', async () => {
    const unknown = await signIn('nobody');
    const wrong = await signIn('zhou', 'not the password', { 'x-forwarded-for': '198.51.100.9' });
    expect([unknown.status, unknown.json.detail]).toEqual([wrong.status, wrong.json.detail]);
  });

  it('opens the console by a one-time link, once', async () => {
    const link = `/sign-in/${await api.accounts.signInLink('zhou')}`;
    expect((await api.send(link, { method: 'HEAD', token: null })).status).toBe(204);
    const opened = await api.send(link, { token: null, headers: { accept: 'text/html' } });
    expect([opened.status, opened.headers.get('location')]).toEqual([303, '/']);
    expect((await api.get('/me', { cookie: cookieOf(opened) })).json.name).toBe('zhou');
    expect((await api.send(link, { token: null })).json.code).toBe('linkUsed');
    const late = `/sign-in/${await api.accounts.signInLink('zhou')}`;
    api.clock.advance(16 * 60_000);
    expect((await api.send(late, { token: null })).json.code).toBe('linkUsed');
  });

  it('keeps the last administrator, and refuses weak passwords and double names', async () => {
    const removed = await api.send('/users/zhou', { method: 'DELETE' });
    expect([removed.status, removed.json.code]).toEqual([409, 'lastAdministrator']);
    expect((await api.send('/users/zhou', { method: 'PATCH', body: { roles: ['agent'] } })).json.code).toBe(
      'lastAdministrator',
    );
    expect((await api.post('/users', { name: 'new', roles: ['agent'], password: 'short' })).status).toBe(422);
    expect((await api.post('/users', { name: 'zhou', roles: ['agent'], password: PASSWORD })).json.code).toBe(
      'accountExists',
    );
  });

  it('makes tokens that end by time and by removal, and shows no secret again', async () => {
    const expiresAt = new Date(api.clock.now() + 60_000).toISOString();
    const made = await api.post('/tokens', { name: 'board', roles: ['dispatcher'], expiresAt });
    const token = made.json.secret as string;
    expect((await api.get('/me', { token })).json).toMatchObject({
      name: 'token:board',
      roles: ['dispatcher'],
      expiresAt,
    });
    expect((await api.get('/tokens')).text).not.toContain(token);
    api.clock.advance(60_000);
    expect((await api.get('/me', { token })).json.code).toBe('invalidToken');
    const other = await api.post('/tokens', { name: 'other', roles: ['dispatcher'] });
    expect((await api.send(`/tokens/${other.json.id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await api.get('/me', { token: other.json.secret })).status).toBe(401);
  });

  it('notes who saw and did what', async () => {
    const token = await api.token(['agent']);
    const { json } = await api.post(
      '/orders',
      {
        customer: { name: 'Z', phone: '139' },
        site: { lat: 31, lon: 121, address: 'x' },
        fault: { category: 'outage', voltage: 'low', description: '' },
      },
      { token },
    );
    await api.get(`/orders/${json.id}?`, { token });
    await api.post(`/orders/${json.id}/receive`, {}, { token });
    const { items } = (await api.get('/audit?by=token:agent')).json as { items: Record<string, unknown>[] };
    expect(items.map(({ action, status, path }) => [action, status, path])).toEqual([
      ['order.receive', 403, `/api/v1/orders/${json.id}/receive`],
      ['order.read', 200, `/api/v1/orders/${json.id}`],
      ['order.create', 201, '/api/v1/orders'],
    ]);
    expect((await api.get('/audit?action=session.refused&by=nobody')).json.items).toHaveLength(1);
    expect((await api.get('/audit?by=zhou')).text).not.toContain(PASSWORD);
  });
});

describe('the first administrator', () => {
  it('is made once, with the password given or one that is shown once', async () => {
    const api = await startApi();
    try {
      const made = await api.accounts.ensureFirstAdministrator();
      expect(made?.password?.length).toBeGreaterThanOrEqual(20);
      expect((await api.post('/session', { name: 'admin', password: made!.password }, { token: null })).status).toBe(
        201,
      );
      expect(await api.accounts.ensureFirstAdministrator('other')).toBeUndefined();
    } finally {
      await api.close();
    }
  });

  it('has a Secure __Host- cookie where the server is reached by HTTPS', async () => {
    const api = await startApi({ config: { secureCookies: true } });
    try {
      await api.accounts.ensureFirstAdministrator(PASSWORD);
      const reply = await api.post('/session', { name: 'admin', password: PASSWORD }, { token: null });
      expect(reply.headers.getSetCookie()[0]).toMatch(/^__Host-linecrew=.*Path=\/.*Secure/);
      expect(reply.headers.get('strict-transport-security')).toMatch(/max-age/);
    } finally {
      await api.close();
    }
  });
});
