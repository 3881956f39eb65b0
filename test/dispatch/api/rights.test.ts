import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Role } from '../../../dispatch/domain/events.js';
import { issuedOrder, orderBody, startApi, vehicleBody, type Api } from './support.js';

/** A administrator, G agent, S supervisor, D dispatcher, C crew, I integrator. */
const LETTERS: Record<string, Role> = {
  A: 'administrator',
  G: 'agent',
  S: 'supervisor',
  D: 'dispatcher',
  C: 'crew',
  I: 'integrator',
};
const ALL = 'AGSDCI';
const OFFICE = 'AGSDI';
const CALL_CENTRE = 'GSI';

/** domain.md, "Who works with it": who may use which address at all. */
const MATRIX: Record<string, string> = {
  'POST /orders': CALL_CENTRE,
  'GET /orders': ALL,
  'GET /orders/{id}': ALL,
  'PATCH /orders/{id}': CALL_CENTRE + 'D',
  'GET /orders/{id}/candidates': 'ASD',
  'POST /orders/{id}/issue': 'SI',
  'POST /orders/{id}/receive': 'D',
  'POST /orders/{id}/return': 'D',
  'POST /orders/{id}/assign': 'D',
  'POST /orders/{id}/accept': 'DC',
  'POST /orders/{id}/reject': 'DC',
  'POST /orders/{id}/recall': 'D',
  'POST /orders/{id}/confirm-recall': 'D',
  'POST /orders/{id}/reassign': 'D',
  'POST /orders/{id}/suspend': 'D',
  'POST /orders/{id}/resume': 'DC',
  'POST /orders/{id}/wait': 'D',
  'POST /orders/{id}/urge': CALL_CENTRE + 'D',
  'POST /orders/{id}/status-link': CALL_CENTRE + 'D',
  'POST /orders/{id}/merge': 'GSD',
  'POST /orders/{id}/unmerge': 'GSD',
  'POST /orders/{id}/withdraw': CALL_CENTRE + 'D',
  'POST /orders/{id}/depart': 'DC',
  'POST /orders/{id}/arrive': 'DC',
  'POST /orders/{id}/work': 'DC',
  'POST /orders/{id}/complete': 'DC',
  'POST /orders/{id}/record': 'DC',
  'POST /orders/{id}/callback': CALL_CENTRE,
  'POST /orders/{id}/reopen': CALL_CENTRE,
  'POST /orders/{id}/shown': 'C',
  'POST /orders/{id}/told-by-phone': 'D',
  'POST /orders/{id}/photos': 'DC',
  'GET /orders/{id}/photos/{photo}': ALL,
  'POST /customers/erase': 'A',
  'POST /vehicles': 'A',
  'GET /vehicles': ALL,
  'GET /vehicles/{id}': ALL,
  'PATCH /vehicles/{id}': 'AD',
  'DELETE /vehicles/{id}': 'A',
  'GET /vehicles/{id}/queue': ALL,
  'PUT /vehicles/{id}/queue': 'D',
  'GET /vehicles/{id}/track': OFFICE,
  'GET /vehicles/{id}/road': OFFICE,
  'GET /vehicles/{id}/deliveries': ALL,
  'GET /vehicles/{id}/alarms': ALL,
  'GET /vehicles/{id}/areas': ALL,
  'GET /vehicles/{id}/photos': ALL,
  'GET /vehicles/{id}/photos/{photo}': ALL,
  'POST /vehicles/{id}/deliveries/{deliveryId}/cancel': 'D',
  'POST /vehicles/{id}/messages': 'D',
  'POST /vehicles/{id}/resend': 'D',
  'POST /vehicles/{id}/duty': 'DC',
  'POST /vehicles/{id}/terminal/block': 'AD',
  'POST /vehicles/{id}/terminal/unblock': 'AD',
  'POST /vehicles/{id}/terminal/rotate': 'AD',
  'POST /vehicles/{id}/terminal/accept-swap': 'AD',
  'GET /repair-centres': OFFICE,
  'GET /repair-centres/{id}': OFFICE,
  'PUT /repair-centres/{id}': 'A',
  'GET /units': OFFICE,
  'GET /units/{id}': OFFICE,
  'PUT /units/{id}': 'A',
  'GET /rules': OFFICE,
  'PUT /rules': 'A',
  'GET /alerts': OFFICE,
  'GET /alerts/{id}': OFFICE,
  'POST /alerts/{id}/acknowledge': 'AGSD',
  'GET /attention': OFFICE,
  'POST /attention/{id}/resolve': 'AGSD',
  'GET /quarantine': OFFICE,
  'POST /quarantine/{id}/resolve': 'AGSD',
  'GET /conflicts': OFFICE,
  'POST /conflicts/{id}/resolve': 'AGSD',
  'GET /events': ALL,
  'GET /stream': ALL,
  'GET /reports/segments': 'ASDI',
  'GET /reports/capacity': 'ASDI',
  'GET /reports/deliveries': 'ASDI',
  'GET /reports/duty': 'ASDI',
  'GET /webhooks': 'AI',
  'POST /webhooks': 'AI',
  'GET /webhooks/{id}': 'AI',
  'PATCH /webhooks/{id}': 'AI',
  'DELETE /webhooks/{id}': 'AI',
  'POST /webhooks/{id}/rotate': 'AI',
  'POST /webhooks/{id}/replay': 'AI',
  'GET /users': 'A',
  'POST /users': 'A',
  'GET /users/{name}': 'A',
  'PATCH /users/{name}': 'A',
  'DELETE /users/{name}': 'A',
  'DELETE /users/{name}/sessions': 'A',
  'GET /tokens': 'A',
  'POST /tokens': 'A',
  'DELETE /tokens/{id}': 'A',
  'GET /audit': 'A',
};
/** For everybody, or for whoever is signed in. */
const PUBLIC = [
  'POST /session',
  'GET /openapi.json',
  'GET /healthz',
  'GET /readyz',
  'GET /metrics',
  'GET /api/docs',
  'GET /status/{token}',
];
const SIGNED_IN = ['DELETE /session', 'GET /me', 'PUT /me/password'];

describe('rights', () => {
  let api: Api;
  const tokens = {} as Record<Role, string>;
  beforeAll(async () => {
    api = await startApi();
    await api.send('/repair-centres/centre-2', { method: 'PUT', body: { name: 'Centre 2' } });
    await api.post('/vehicles', vehicleBody('v1'));
    await api.post('/vehicles', vehicleBody('v2', { repairCentreId: 'centre-2' }));
    for (const role of Object.values(LETTERS))
      tokens[role] = await api.token([role], role === 'crew' ? { vehicleId: 'v1' } : {});
  });
  afterAll(() => api.close());

  it('has a row in this matrix for every route that is documented', async () => {
    const { paths } = (await api.get('/openapi.json')).json as { paths: Record<string, Record<string, unknown>> };
    const documented = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace('/api/v1', '')}`),
    );
    expect(documented.sort()).toEqual([...Object.keys(MATRIX), ...PUBLIC, ...SIGNED_IN].sort());
  });

  const names: Record<string, string> = {
    id: 'nothing',
    name: 'nobody',
    deliveryId: 'none',
    photo: `${'0'.repeat(64)}.jpg`,
  };
  for (const [row, letters] of Object.entries(MATRIX)) {
    it(`${row} is for ${letters}`, async () => {
      const [method = '', pattern = ''] = row.split(' ');
      const path = pattern.replace(/\{(\w+)\}/g, (_all, name: string) => names[name]!);
      const allowed: string[] = [];
      for (const [letter, role] of Object.entries(LETTERS)) {
        // A stream would stay open: its head tells as much.
        const { status, json } = await api.send(path, {
          method: pattern === '/stream' ? 'HEAD' : method,
          token: tokens[role],
        });
        if (status === 401) throw new Error('the token should be known');
        const refused = status === 403 && (pattern === '/stream' || json.code === 'notAllowed');
        if (!refused) allowed.push(letter);
      }
      expect(allowed.sort().join('')).toBe([...letters].sort().join(''));
    });
  }

  it('lets nobody in without a token', async () => {
    for (const row of [...Object.keys(MATRIX), ...SIGNED_IN]) {
      const [method = '', pattern = ''] = row.split(' ');
      const { status, headers } = await api.send(pattern.replace(/\{(\w+)\}/g, 'x'), { method, token: null });
      expect([row, status]).toEqual([row, 401]);
      expect(headers.get('www-authenticate')).toMatch(/^Bearer/);
    }
  });

  it('notes in the audit log who looked at what is about people, and no query', async () => {
    const { json: order } = await api.post('/orders', orderBody());
    await api.post('/users', { name: 'zhao', roles: ['dispatcher'], password: 'a long enough password' });
    await api.send('/units/unit-1', { method: 'PUT', body: { kind: 'substation', managers: [] } });
    const looks = [
      '/orders', `/orders/${order.id}`, '/vehicles', '/vehicles/v1', '/vehicles/v1/track', '/vehicles/v1/deliveries',
      '/vehicles/v1/photos', '/events', '/users', '/users/zhao', '/tokens', '/attention', '/quarantine', '/conflicts',
      '/units', '/units/unit-1', '/reports/deliveries',
    ]; // prettier-ignore
    const token = await api.token(Object.values(LETTERS).filter((role) => role !== 'crew'));
    for (const path of looks) {
      const needs = /track|reports/.test(path) ? 'from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z' : 'limit=1';
      await api.get(`${path}?${needs}`, { token });
    }
    const { items } = (await api.get('/audit?limit=500')).json as {
      items: { path: string; method: string; by: string }[];
    };
    const noted = items.filter(({ method, by }) => method === 'GET' && by.startsWith('token:')).map(({ path }) => path);
    expect(looks.filter((path) => !noted.includes(`/api/v1${path}`))).toEqual([]);
    expect(noted.filter((path) => path.includes('?'))).toEqual([]);
  });

  it('limits a token by its scopes', async () => {
    const token = await api.token(['dispatcher'], { scopes: ['orders:read'] });
    expect((await api.get('/orders', { token })).status).toBe(200);
    expect((await api.get('/vehicles', { token })).status).toBe(403);
    expect((await api.post('/orders/x/receive', {}, { token })).status).toBe(403);
    const mqtt = await api.token(['integrator'], { scopes: ['mqtt:read'] });
    expect((await api.get('/orders', { token: mqtt })).status).toBe(403);
  });

  it('shows a repair centre its own orders, vehicles and events, and nothing of another', async () => {
    const own = await issuedOrder(api);
    const { json: other } = await api.post('/orders', orderBody());
    await api.post(`/orders/${other.id}/issue`, { repairCentreId: 'centre-2' });
    const token = await api.token(['dispatcher', 'administrator'], { centres: ['centre-1'] });
    expect((await api.get(`/orders/${own}`, { token })).status).toBe(200);
    expect((await api.get(`/orders/${other.id}`, { token })).status).toBe(404);
    expect((await api.get('/orders', { token })).json.items.map((order: { id: string }) => order.id)).toEqual([own]);
    expect((await api.get('/vehicles', { token })).json.items.map((vehicle: { id: string }) => vehicle.id)).toEqual([
      'v1',
    ]);
    expect((await api.get('/vehicles/v2/track', { token })).status).toBe(404);
    expect((await api.post(`/orders/${own}/assign`, { vehicleId: 'v2' }, { token })).status).toBe(404);
    expect((await api.post(`/orders/${other.id}/receive`, {}, { token })).status).toBe(404);
    expect((await api.post(`/orders/${own}/merge`, { into: other.id }, { token })).status).toBe(404);
    expect((await api.send('/repair-centres/centre-2', { method: 'PUT', body: { name: 'mine' }, token })).status).toBe(
      403,
    );
    expect((await api.get('/repair-centres/centre-2', { token })).status).toBe(404);
    expect(
      (await api.send('/vehicles/v1', { method: 'PATCH', body: { repairCentreId: 'centre-2' }, token })).status,
    ).toBe(403);
    const events = (await api.get('/events?limit=500', { token })).json.items as {
      centreId?: string;
      orderId?: string;
    }[];
    expect(events.some((event) => event.orderId === own)).toBe(true);
    expect(events.filter((event) => event.orderId === other.id || event.centreId === 'centre-2')).toEqual([]);
  });

  it('shows a crew its own orders and lets it report on its own leg only', async () => {
    const mine = await issuedOrder(api);
    const foreign = await issuedOrder(api);
    await api.post('/vehicles', vehicleBody('v3'));
    await api.post(`/orders/${mine}/assign`, { vehicleId: 'v1' });
    await api.post(`/orders/${foreign}/assign`, { vehicleId: 'v3' });
    const token = tokens.crew;
    expect((await api.get('/orders', { token })).json.items.map((order: { id: string }) => order.id)).toEqual([mine]);
    expect((await api.get(`/orders/${foreign}`, { token })).status).toBe(404);
    expect((await api.post(`/orders/${foreign}/accept`, {}, { token })).status).toBe(404);
    expect((await api.get('/vehicles/v3/queue', { token })).status).toBe(404);
    expect((await api.post('/vehicles/v3/duty', { to: 'onBreak' }, { token })).status).toBe(404);
    const shown = await api.post(`/orders/${mine}/shown`, {}, { token });
    expect(shown.json.timePoints.E).toMatchObject({ source: 'crew' });
    const accepted = await api.post(`/orders/${mine}/accept`, {}, { token });
    expect(accepted.json.legs[0].state).toBe('accepted');
    expect(accepted.json.timePoints.F).toMatchObject({ source: 'crew' });

    // Reassigned: two legs are open; the crew's word is about its own without saying so, and never about the other's.
    await api.post(`/orders/${mine}/reassign`, { vehicleId: 'v3' });
    const v3 = await api.token(['crew'], { vehicleId: 'v3' });
    expect((await api.post(`/orders/${mine}/accept`, {}, { token: v3 })).json.legs[1].state).toBe('accepted');
    expect((await api.post(`/orders/${mine}/depart`, { leg: 1 }, { token: v3 })).status).toBe(403);
    const events = (await api.get('/events?limit=500', { token })).json.items as { vehicleId?: string }[];
    expect(events.length).toBeGreaterThan(0);
    expect(events.filter((event) => event.vehicleId !== undefined && event.vehicleId !== 'v1')).toEqual([]);
  });

  it('lets nobody give more rights than they have', async () => {
    const scoped = await api.token(['administrator'], { centres: ['centre-1'] });
    const user = { name: 'new', roles: ['dispatcher'], password: 'a long enough password' };
    for (const body of [user, { ...user, centres: ['centre-2'] }])
      expect((await api.post('/users', body, { token: scoped })).status).toBe(403);
    expect((await api.post('/users', { ...user, centres: ['centre-1'] }, { token: scoped })).status).toBe(201);
    const widen = { method: 'PATCH', body: { centres: null }, token: scoped };
    expect((await api.send('/users/new', widen)).status).toBe(403);
    expect((await api.post('/tokens', { name: 't', roles: ['administrator'] }, { token: scoped })).status).toBe(403);
    await api.post('/users', { ...user, name: 'elsewhere' });
    expect((await api.get('/users/elsewhere', { token: scoped })).status).toBe(404);
    expect((await api.send('/users/elsewhere', { method: 'DELETE', token: scoped })).status).toBe(404);
    expect((await api.get('/users', { token: scoped })).json.items.map((one: { name: string }) => one.name)).toEqual([
      'new',
    ]);
    expect((await api.get('/audit', { token: scoped })).status).toBe(403);

    const people = await api.token(['administrator'], { scopes: ['people:read', 'people:write'] });
    expect((await api.post('/tokens', { name: 't', roles: ['administrator'] }, { token: people })).status).toBe(403);
    expect(
      (await api.post('/tokens', { name: 't', roles: ['administrator'], scopes: ['orders:read'] }, { token: people }))
        .status,
    ).toBe(403);
    expect(
      (await api.post('/tokens', { name: 't', roles: ['administrator'], scopes: ['people:read'] }, { token: people }))
        .status,
    ).toBe(201);
    expect(
      (
        await api.send('/users/elsewhere', {
          method: 'PATCH',
          body: { password: 'taken over by a token' },
          token: people,
        })
      ).status,
    ).toBe(403);
  });

  it('refuses vehicles that do not exist for a crew, and centres for others', async () => {
    const crew = await api.post('/tokens', { name: 'x', roles: ['crew'] });
    expect([crew.status, crew.json.code]).toEqual([422, 'vehicleNeeded']);
    const place = await api.post('/tokens', { name: 'x', roles: ['dispatcher'], centres: ['nowhere'] });
    expect([place.status, place.json.code]).toEqual([422, 'noSuchCentre']);
  });
});
