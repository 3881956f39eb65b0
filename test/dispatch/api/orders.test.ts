import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issuedOrder, NINE, orderBody, startApi, vehicleBody, type Api } from './support.js';

describe('orders over HTTP', () => {
  let api: Api;
  beforeAll(async () => {
    api = await startApi();
    for (const id of ['v1', 'v2']) expect((await api.post('/vehicles', vehicleBody(id))).status).toBe(201);
  });
  afterAll(() => api.close());

  it('follows an order from the call to the repair, with all of A to I', async () => {
    const made = await api.post('/orders', orderBody({ callEndedAt: '2026-03-02T08:59:00+08:00' }));
    expect(made.status).toBe(201);
    const { id, number } = made.json;
    expect(made.headers.get('location')).toBe(`/api/v1/orders/${id}`);
    expect(number).toMatch(/^20260302-\d{4}$/);
    expect(made.json.timePoints.A).toMatchObject({ at: '2026-03-02T00:59:00.000Z', source: 'api', flags: [] });

    const steps: [string, object?][] = [
      ['issue', { repairCentreId: 'centre-1' }],
      ['receive'],
      ['assign', { vehicleId: 'v1' }],
      ['accept'],
      ['depart'],
      ['arrive'],
      ['complete'],
    ];
    for (const [step, body] of steps) {
      api.clock.advance(60_000);
      const { status, json } = await api.post(`/orders/${id}/${step}`, body);
      expect(status, `${step}: ${json.detail}`).toBe(200);
    }
    const { json } = await api.get(`/orders/${id}`);
    expect(json.stage).toBe('repaired');
    expect(Object.keys(json.timePoints)).toEqual(expect.arrayContaining(['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I']));
    const at = (point: string): number => Date.parse(json.timePoints[point].at);
    expect([at('B'), at('C'), at('D')]).toEqual([NINE + 60_000, NINE + 120_000, NINE + 180_000]);
    expect([at('F'), at('G'), at('H'), at('I')]).toEqual([4, 5, 6, 7].map((minute) => NINE + minute * 60_000));

    const segments = Object.fromEntries(json.segments.map((segment: { name: string }) => [segment.name, segment]));
    const parts = ['AB', 'BC', 'CD', 'R', 'DE', 'EF', 'FG', 'GH'];
    const total = parts.reduce((sum, name) => sum + (segments[name].elapsedMs ?? 0), 0);
    expect(total).toBe(segments.AH.elapsedMs);
    expect(segments.AH).toMatchObject({ limitMs: 45 * 60_000, state: 'met', elapsedMs: 7 * 60_000 });
    expect(json.legs).toHaveLength(1);
    expect(json.legs[0]).toMatchObject({ leg: 1, vehicleId: 'v1', state: 'workDone', open: false });
    expect(json.events.map((event: { type: string }) => event.type)).toEqual(
      expect.arrayContaining(['order.received', 'order.issued', 'timePoint.set']),
    );
  });

  it('shows the segments of a running order with the time left', async () => {
    const id = await issuedOrder(api);
    api.clock.advance(90_000);
    const { json } = await api.get(`/orders/${id}`);
    const bc = json.segments.find((segment: { name: string }) => segment.name === 'BC');
    expect(bc).toEqual({
      name: 'BC',
      limitMs: 240_000,
      state: 'running',
      elapsedMs: 90_000,
      remainingMs: 150_000,
      responsible: 'network',
    });
  });

  it('puts a queue into another order, and refuses a revision that is gone', async () => {
    const ids = [await issuedOrder(api), await issuedOrder(api)];
    for (const id of ids) await api.post(`/orders/${id}/assign`, { vehicleId: 'v2' });
    const before = (await api.get('/vehicles/v2/queue')).json;
    expect(before.legs.map((leg: { orderId: string; position: number }) => [leg.orderId, leg.position])).toEqual([
      [ids[0], 1],
      [ids[1], 2],
    ]);
    const put = await api.send('/vehicles/v2/queue', {
      method: 'PUT',
      body: { revision: before.revision, orderIds: [ids[1], ids[0]] },
    });
    expect(put.status).toBe(200);
    expect(put.json.legs.map((leg: { orderId: string }) => leg.orderId)).toEqual([ids[1], ids[0]]);
    const stale = await api.send('/vehicles/v2/queue', {
      method: 'PUT',
      body: { revision: before.revision, orderIds: ids },
    });
    expect(stale.status).toBe(409);
    expect(stale.json).toMatchObject({ code: 'queueChanged', details: { revision: put.json.revision } });
  });

  it('finds orders by stage, vehicle, phone, number and time, in pages', async () => {
    const phone = '13811112222';
    const made = [];
    for (let i = 0; i < 5; i++) {
      api.clock.advance(1_000);
      made.push((await api.post('/orders', orderBody({ customer: { name: 'Qian', phone } }))).json);
    }
    const ids = made.map((order) => order.id).reverse();
    const first = (await api.get(`/orders?phone=${phone}&limit=2`)).json;
    const second = (await api.get(`/orders?phone=${phone}&limit=2&after=${first.next}`)).json;
    const third = (await api.get(`/orders?phone=${phone}&limit=2&after=${second.next}`)).json;
    expect([...first.items, ...second.items, ...third.items].map((order) => order.id)).toEqual(ids);
    expect(third.next).toBeUndefined();
    const idsOf = async (query: string): Promise<string[]> =>
      (await api.get(`/orders?${query}&limit=500`)).json.items.map((order: { id: string }) => order.id);
    expect(await idsOf(`number=${made[0].number}`)).toEqual([made[0].id]);
    expect(await idsOf(`from=${made[3].createdAt}&to=${made[4].createdAt}`)).toEqual([made[3].id]);
    expect(await idsOf('stage=received')).toEqual(expect.arrayContaining(ids));
    expect(await idsOf('vehicle=v2')).toHaveLength(2);
    expect(await idsOf('stage=issued,repaired&phone=13900000000')).not.toContain(ids[0]);
  });

  it('reads orders and vehicles by id, those that the reader may see', async () => {
    const mine = (await api.post('/orders', orderBody())).json;
    await api.post(`/orders/${mine.id}/issue`, { repairCentreId: 'centre-1' });
    const idsIn = async (path: string, options?: object): Promise<string[]> =>
      (await api.get(path, options)).json.items.map((one: { id: string }) => one.id);
    expect(await idsIn(`/orders?ids=${mine.id},nobody`)).toEqual([mine.id]);
    expect(await idsIn('/vehicles?ids=v2,nobody,v1')).toEqual(['v2', 'v1']);
    await api.send('/repair-centres/centre-9', { method: 'PUT', body: { name: 'Centre 9' } });
    const elsewhere = { token: await api.token(['dispatcher'], { centres: ['centre-9'] }) };
    expect(await idsIn(`/orders?ids=${mine.id}`, elsewhere)).toEqual([]);
    expect(await idsIn('/vehicles?ids=v1,v2', elsewhere)).toEqual([]);
    const many = Array.from({ length: 101 }, (_one, i) => `v${i}`).join(',');
    expect((await api.get(`/vehicles?ids=${many}`)).status).toBe(400);
  });

  it('ranks the candidates with reasons in words', async () => {
    const id = await issuedOrder(api);
    const { json } = await api.get(`/orders/${id}/candidates`);
    expect(json.items.map((one: { vehicleId: string }) => one.vehicleId).sort()).toEqual(['v1', 'v2']);
    for (const one of json.items) expect(one.reasons.length).toBeGreaterThan(0);
  });

  it('refuses a step that the rules refuse, with a code and the reason', async () => {
    const { json: order } = await api.post('/orders', orderBody());
    const refused = await api.post(`/orders/${order.id}/complete`);
    expect(refused.status).toBe(409);
    expect(refused.headers.get('content-type')).toMatch('application/problem+json');
    expect(refused.json).toMatchObject({ status: 409, type: `urn:linecrew:problem:${refused.json.code}` });
    expect(refused.json.detail.length).toBeGreaterThan(10);
  });

  it('needs the leg where two are open', async () => {
    const id = await issuedOrder(api);
    await api.post(`/orders/${id}/assign`, { vehicleId: 'v1' });
    await api.post(`/orders/${id}/accept`);
    const moved = await api.post(`/orders/${id}/reassign`, { vehicleId: 'v2' });
    expect(moved.status).toBe(200);
    // The first leg waits for the terminal to confirm that it is gone: two are open.
    expect(moved.json.legs.map((leg: { state: string; open: boolean }) => [leg.state, leg.open])).toEqual([
      ['recalling', true],
      ['queued', true],
    ]);
    const unclear = await api.post(`/orders/${id}/recall`, { reason: 'test' });
    expect([unclear.status, unclear.json.code]).toEqual([409, 'legNeeded']);
    expect(unclear.json.details.legs).toHaveLength(2);
    expect((await api.post(`/orders/${id}/recall`, { reason: 'test', leg: 2 })).status).toBe(200);
  });

  it('takes "done" from the page of a crew that the order was recalled from, and names the card', async () => {
    const id = await issuedOrder(api);
    await api.post(`/orders/${id}/assign`, { vehicleId: 'v1' });
    await api.post(`/orders/${id}/recall`, { reason: 'test' });
    const token = await api.token(['crew'], { vehicleId: 'v1' });
    const done = await api.post(`/orders/${id}/complete`, { leg: 1 }, { token });
    expect(done.status).toBe(200);
    const { json: conflicts } = await api.get('/conflicts');
    expect(conflicts.items).toContainEqual(
      expect.objectContaining({ id: done.json.result.cardId, code: 'doneAfterRecall', orderId: id, leg: 1 }),
    );
  });
});
