/** Rights over all routes of a whole gateway, those of its plugins included. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Role } from '../../dispatch/domain/events.js';
import { Service } from '../e2e/support.js';
import { terminalFunctions } from '../../gateway/terminal-functions/index.js';

const ROLES: Role[] = ['administrator', 'agent', 'supervisor', 'dispatcher', 'crew', 'integrator'];
/** Routes that the gateway adds to those of dispatch, and who may use them; functions by what they do to a terminal. */
const ADDED: Record<string, readonly Role[]> = {
  'POST /decode': ROLES,
  'GET /orders/{id}/evidence-sheet': ROLES,
  'GET /terminal-files': ['administrator'],
  'POST /terminal-files': ['administrator'],
  'GET /vehicles/{id}/terminal/functions': ROLES,
  'GET /vehicles/{id}/terminal/parameters': ROLES,
};

let service: Service;
let url: string;
const tokens = {} as Record<Role, string>;
/** Every right of the office, at repair centre 1 only. */
let elsewhere: string;
let orderId: string;
beforeAll(async () => {
  service = await new Service().start();
  const { accounts, ports } = service.gateway;
  url = `http://127.0.0.1:${ports.http}/api/v1`;
  await service.do({ type: 'centre.put', centre: { id: 'centre-2', name: 'Centre 2' } });
  await service.vehicle('13800000001', {});
  await service.do({
    type: 'vehicle.create', id: 'v2', plate: '京A22222', terminal: { phone: '13800000002' }, repairCentreId: 'centre-2',
    trade: 'lowVoltage', crew: { name: 'crew', members: [] },
  }); // prettier-ignore
  const made = await service.do({
    type: 'order.create',
    customer: { name: 'Zhao', phone: '13900000000' },
    site: { lat: 39.9, lon: 116.4, address: 'Road 1' },
    fault: { category: 'outage', voltage: 'low', description: 'dark' },
  });
  orderId = String(made.orderId);
  await service.do({ type: 'order.issue', orderId, repairCentreId: 'centre-2' });
  const token = async (roles: Role[], more: object): Promise<string> =>
    (await accounts.createToken({ name: roles.join('-'), roles, ...more }, 'test')).secret;
  for (const role of ROLES) tokens[role] = await token([role], role === 'crew' ? { vehicleId: 'v-13800000001' } : {});
  elsewhere = await token(
    ROLES.filter((role) => role !== 'crew'),
    { centres: ['centre-1'] },
  );
});
afterAll(() => service.stop());

const ask = (row: string, token: string, names: Record<string, string> = {}): Promise<Response> => {
  const [method = '', pattern = ''] = row.split(' ');
  const path = pattern.replace(/\{(\w+)\}/g, (_all, name: string) => names[name] ?? 'nothing');
  return fetch(url + path, { method, headers: { authorization: `Bearer ${token}` } });
};
async function routes(): Promise<string[]> {
  const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: Record<string, object> };
  return Object.entries(paths)
    .filter(([path]) => path.startsWith('/api/v1/'))
    .flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.slice('/api/v1'.length)}`),
    );
}

describe('rights at a whole gateway', () => {
  it('gives the functions of a terminal to those who may send to it, or look after it', async () => {
    const rows = { ...ADDED };
    for (const { name, maintenance } of terminalFunctions)
      rows[`POST /vehicles/{id}/terminal/${name}`] = maintenance ? ['administrator'] : ['administrator', 'dispatcher'];
    const known = await routes();
    for (const [row, roles] of Object.entries(rows)) {
      expect(known, row).toContain(row);
      const allowed: Role[] = [];
      for (const role of ROLES) {
        const reply = await ask(row, tokens[role]);
        const { code } = (await reply.json().catch(() => ({}))) as { code?: string };
        if (reply.status !== 403 || code !== 'notAllowed') allowed.push(role);
      }
      expect({ row, allowed }).toEqual({ row, allowed: roles });
    }
  });

  it('shows and does nothing to orders and vehicles of another repair centre, on any route', async () => {
    const about = (await routes()).filter((row) => /\/(orders|vehicles)\/\{id\}/.test(row));
    expect(about.length).toBeGreaterThan(50);
    for (const row of about) {
      const id = row.includes('/orders/') ? orderId : 'v2';
      const query = row.endsWith('/track') ? '?from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z' : '';
      const reply = await ask(row + query, elsewhere, { id });
      const text = await reply.text();
      expect({ row, done: reply.ok }).toEqual({ row, done: false });
      expect({ row, told: /Zhao|Road 1|京A22222|13800000002/.test(text) }).toEqual({ row, told: false });
      // What has no body is decided by the object alone.
      const bare = row.startsWith('GET') && !/\{photo\}|\/road$/.test(row);
      if (bare) expect({ row, status: reply.status }).toEqual({ row, status: 404 });
    }
    expect((await service.get('order', orderId)).stage).toBe('issued');
    expect((await service.get('vehicle', 'v2')).plate).toBe('京A22222');
  });

  it('lets nobody in without a token, but where everybody may', async () => {
    const open = ['POST /session', 'GET /openapi.json'];
    for (const row of await routes()) {
      const reply = await ask(row, 'lct_unknown');
      await reply.body?.cancel();
      expect({ row, status: reply.status === 401 }).toEqual({ row, status: !open.includes(row) });
    }
  });
});
