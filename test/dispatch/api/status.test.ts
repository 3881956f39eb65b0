import { afterEach, beforeEach, expect, it } from 'vitest';
import { BOOTSTRAP, issuedOrder, NINE, orderBody, startApi, vehicleBody, type Api, type Reply } from './support.js';

const MINUTE = 60_000;
let api: Api;
beforeEach(async () => {
  api = await startApi({ config: { publicUrl: 'https://repairs.example' } });
});
afterEach(() => api.close());

/** Opens the link as a customer does: without signing in. */
async function open(token: string, accept = 'application/json'): Promise<Reply> {
  const response = await fetch(`${api.url}/status/${token}`, { headers: { accept } });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: text.startsWith('{') ? JSON.parse(text) : {},
  };
}
async function link(orderId: string): Promise<string> {
  const { status, json } = await api.post(`/orders/${orderId}/status-link`);
  expect(status).toBe(201);
  expect(json.url).toBe(`https://repairs.example/status/${json.token}`);
  return json.token as string;
}

it('shows a customer how far the order is, and nothing else', async () => {
  await api.post('/vehicles', vehicleBody('truck-1'));
  const orderId = await issuedOrder(api);
  const token = await link(orderId);
  const progress = async (): Promise<string> => (await open(token)).json.progress as string;
  expect(await progress()).toBe('handedOn');
  const steps = [
    ['assign', 'assigned', { vehicleId: 'truck-1' }], ['accept', 'accepted'], ['depart', 'onTheWay'], ['arrive', 'onSite'],
    ['work', 'onSite'], ['complete', 'repaired'], ['record', 'repaired', { record: { cause: 'fuse', done: 'new one' } }],
  ] as const; // prettier-ignore
  for (const [step, shown, body = {}] of steps) {
    api.clock.advance(MINUTE);
    expect((await api.post(`/orders/${orderId}/${step}`, body)).status, step).toBe(200);
    expect(await progress(), step).toBe(shown);
  }
  const { json: order } = await api.get(`/orders/${orderId}`);
  const shown = await open(token);
  expect(shown.json).toEqual({
    number: order.number,
    progress: 'repaired',
    receivedAt: new Date(NINE).toISOString(),
    arrivedAt: order.timePoints.H.at,
    repairedAt: order.timePoints.I.at,
  });
  const page = await open(token, 'text/html');
  expect(page.headers.get('content-type')).toContain('text/html');
  expect(page.text).toContain('已修复');
  for (const secret of ['Zhao', '13900000000', '人民路', 'truck-1', '京A', 'crew', 'Li'])
    expect(page.text + shown.text).not.toContain(secret);
  expect(page.text).not.toContain('<script');
});

it('ends with a newer link, a week after the end, and is not in the log', async () => {
  const orderId = await issuedOrder(api);
  const first = await link(orderId);
  const second = await link(orderId);
  expect([(await open(first)).status, (await open(second)).status]).toEqual([404, 200]);
  const log = JSON.stringify(await api.store.eventsAfter(0, 1000));
  expect(log).not.toContain(second);
  expect(JSON.stringify((await api.get(`/orders/${orderId}`)).json)).not.toContain('statusToken');
  await api.post(`/orders/${orderId}/withdraw`, { reason: 'mistake' });
  expect((await open(second)).json.progress).toBe('withdrawn');
  api.clock.advance(7 * 24 * 60 * MINUTE + 1);
  expect((await open(second)).status).toBe(404);
  expect((await open('x'.repeat(32))).status).toBe(404);
  expect((await open('short')).status).toBe(400);
});

it('of a merged order follows the main one', async () => {
  await api.post('/vehicles', vehicleBody('truck-1'));
  const main = await issuedOrder(api);
  await api.post(`/orders/${main}/assign`, { vehicleId: 'truck-1' });
  await api.post(`/orders/${main}/depart`);
  const { json: sub } = await api.post('/orders', orderBody());
  const token = await link(sub.id as string);
  await api.post(`/orders/${sub.id}/merge`, { into: main });
  expect((await open(token)).json).toMatchObject({ number: sub.number, progress: 'onTheWay' });
});

it('the duty report: how crews spent the time', async () => {
  await api.post('/vehicles', vehicleBody('truck-1'));
  await api.post('/vehicles', vehicleBody('truck-2'));
  const orderId = await issuedOrder(api);
  const at = (minutes: number): void => api.clock.advance(NINE + minutes * MINUTE - api.clock.now());
  const duty = (id: string, to: string) => api.post(`/vehicles/${id}/duty`, { to, confirm: true });
  await api.post(`/orders/${orderId}/assign`, { vehicleId: 'truck-1' });
  at(5);
  await api.post(`/orders/${orderId}/depart`);
  at(20);
  await api.post(`/orders/${orderId}/arrive`);
  await duty('truck-2', 'onBreak');
  at(50);
  await api.post(`/orders/${orderId}/complete`);
  await duty('truck-2', 'standby');
  at(60);
  await duty('truck-2', 'offDuty');
  at(90);
  const query = `from=${new Date(NINE + 10 * MINUTE).toISOString()}&to=${new Date(NINE + 24 * 60 * MINUTE).toISOString()}`;
  const { json } = await api.get(`/reports/duty?${query}`);
  const minutes = (row: Record<string, number>) =>
    ['standbyMs', 'enRouteMs', 'onSiteMs', 'onBreakMs', 'offDutyMs'].map((key) => row[key]! / MINUTE);
  expect(json.items.map((row: Record<string, number>) => [row['vehicleId'], ...minutes(row), row['breaks'], row['ordersDone']])).toEqual([
    ['truck-1', 80, 10, 30, 0, 0, 0, 1],
    ['truck-2', 20, 0, 0, 30, 30, 1, 0],
  ]); // prettier-ignore
  expect(json.summary).toMatchObject([{ centreId: 'centre-1', crews: 2, standbyMs: 100 * MINUTE, ordersDone: 1 }]);
  const table = await api.get(`/reports/duty?${query}&format=csv`, { token: BOOTSTRAP });
  expect(table.text.trim().split('\r\n')).toHaveLength(3);
});
