import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PositionBatch } from '../../../dispatch/store/position-batch.js';
import { issuedOrder, NINE, startApi, vehicleBody, type Api } from './support.js';

describe('vehicles over HTTP', () => {
  let api: Api;
  beforeAll(async () => {
    api = await startApi();
    await api.post('/vehicles', vehicleBody('v1'));
  });
  afterAll(() => api.close());

  it('shows a vehicle with terminal, crew, connection, queue and duty, and no secret', async () => {
    const made = await api.post(
      '/vehicles',
      vehicleBody('v2', {
        terminal: { phone: '000139', profile: 'mqtt' },
        crew: { name: 'A', members: [], managers: [{ name: 'Ma', phone: '135' }] },
      }),
    );
    expect(made.status).toBe(201);
    expect(made.json.terminalSecret.length).toBeGreaterThanOrEqual(16);
    const { text, json } = await api.get('/vehicles/v2');
    expect(text).not.toContain(made.json.terminalSecret);
    expect(text).not.toMatch(/sha256|"codes"/);
    expect(json).toMatchObject({
      id: 'v2', plate: '京Av2', repairCentreId: 'centre-1', trade: 'lowVoltage', queueLength: 0, lastPosition: null,
      terminal: { phone: '139', profile: 'mqtt', hasSecret: true, registered: false },
      crew: { name: 'A', managers: [{ name: 'Ma', phone: '135' }] },
      connection: { state: 'never' },
      duty: { state: 'standby', shown: 'standby' },
    }); // prettier-ignore
  });

  it('refuses a second vehicle with the id or the terminal, and unknown centres and trades', async () => {
    const codeOf = async (body: object): Promise<unknown[]> => {
      const { status, json } = await api.post('/vehicles', body);
      return [status, json.code];
    };
    expect(await codeOf(vehicleBody('v1', { terminal: { phone: '777' } }))).toEqual([409, 'vehicleExists']);
    expect(await codeOf(vehicleBody('v9', { terminal: { phone: '13000000001' } }))).toEqual([409, 'phoneTaken']);
    expect(await codeOf(vehicleBody('v9', { repairCentreId: 'nowhere' }))).toEqual([422, 'unknownCentre']);
    expect(await codeOf(vehicleBody('v9', { trade: 'baker' }))).toEqual([422, 'unknownTrade']);
    expect(await codeOf(vehicleBody('v9', { terminal: { phone: '777', secret: 'short' } }))).toEqual([
      422,
      'invalidBody',
    ]);
  });

  it('filters and pages vehicles', async () => {
    for (const id of ['v11', 'v12', 'v13']) await api.post('/vehicles', vehicleBody(id, { trade: 'cable' }));
    const first = (await api.get('/vehicles?trade=cable&limit=2')).json;
    const second = (await api.get(`/vehicles?trade=cable&limit=2&after=${first.next}`)).json;
    expect([...first.items, ...second.items].map((vehicle) => vehicle.id)).toEqual(['v11', 'v12', 'v13']);
    const ids = async (query: string): Promise<string[]> =>
      (await api.get(`/vehicles?${query}`)).json.items.map((vehicle: { id: string }) => vehicle.id);
    expect(await ids('phone=013000000012')).toEqual(['v12']);
    expect(await ids(`plate=${encodeURIComponent('京Av13')}`)).toEqual(['v13']);
    expect(await ids('centre=nowhere')).toEqual([]);
    expect(await ids('connection=up')).toEqual([]);
  });

  it('gives the track as GeoJSON or a position a line, each once, with the last position on the vehicle', async () => {
    const batch = new PositionBatch();
    for (const second of [2, 1, 3, 2])
      batch.add(
        'v1',
        NINE + second * 1_000,
        NINE + 5_000,
        31_230_000 + second,
        121_470_000,
        -3,
        123,
        45,
        1,
        3,
        second === 3 ? 10_005 : -1,
      );
    await api.dispatch.apply([], batch, { node: 'n', sequence: 1 });
    const period = `from=${new Date(NINE).toISOString()}&to=${new Date(NINE + 3_001).toISOString()}`;
    const lines = await api.get(`/vehicles/v1/track?${period}`, { headers: { accept: 'application/x-ndjson' } });
    expect(lines.headers.get('content-type')).toBe('application/x-ndjson');
    const positions = lines.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(positions.map((position) => position['deviceAt'])).toEqual(
      [1, 2, 3].map((second) => new Date(NINE + second * 1_000).toISOString()),
    );
    expect(positions[2]).toEqual({
      deviceAt: new Date(NINE + 3_000).toISOString(), receivedAt: new Date(NINE + 5_000).toISOString(), lat: 31.230003, lon: 121.47,
      altitudeM: -3, speedKmh: 12.3, headingDeg: 45, alarm: 1, status: 3, mileageKm: 1000.5,
    }); // prettier-ignore
    expect(positions[0]).not.toHaveProperty('mileageKm');
    const { json, headers } = await api.get(`/vehicles/v1/track?${period}`, {
      headers: { accept: 'application/geo+json' },
    });
    expect(headers.get('content-type')).toMatch('application/geo+json');
    expect(json.features[0].geometry).toEqual({
      type: 'LineString',
      coordinates: [
        [121.47, 31.230001, -3],
        [121.47, 31.230002, -3],
        [121.47, 31.230003, -3],
      ],
    });
    expect(json.properties).toEqual({ vehicleId: 'v1', positions: 3, truncated: false });
    expect((await api.get('/vehicles/v1')).json.lastPosition).toMatchObject({ lat: 31.230003, speedKmh: 12.3 });
    expect((await api.get(`/vehicles/v1/track?from=2026-03-03T00:00:00Z&to=2026-03-02T00:00:00Z`)).json.code).toBe(
      'invalidParameter',
    );
  });

  it('leaves what is no fix out of the track on a map, and keeps it in the list', async () => {
    const batch = new PositionBatch();
    const status = [3, 1, 3];
    status.forEach((word, i) => {
      const latE6 = word === 3 ? 31_230_000 + i : 0;
      batch.add('v2', NINE + i * 1_000, NINE + 5_000, latE6, latE6 && 121_470_000, 0, 0, 0, 0, word, -1);
    });
    await api.dispatch.apply([], batch, { node: 'n', sequence: 2 });
    const track = `/vehicles/v2/track?from=${new Date(NINE).toISOString()}&to=${new Date(NINE + 3_000).toISOString()}`;
    const { json } = await api.get(track, { headers: { accept: 'application/geo+json' } });
    expect(json.features[0].geometry.coordinates).toEqual([
      [121.47, 31.23, 0],
      [121.47, 31.230002, 0],
    ]);
    expect(json.properties.positions).toBe(2);
    const lines = await api.get(track, { headers: { accept: 'application/x-ndjson' } });
    const shown = lines.text
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { status: number }).status);
    expect(shown).toEqual(status);
  });

  it('sends a text, shows its delivery, and cancels it before it is sent', async () => {
    const sent = await api.post('/vehicles/v1/messages', { text: '回站', urgent: true });
    expect(sent.status).toBe(202);
    const { items } = (await api.get('/vehicles/v1/deliveries')).json;
    const item = items.find((one: { text?: string }) => one.text === '回站');
    expect(item).toMatchObject({ kind: 'notice', state: 'queued', createdBy: 'bootstrap', attempts: [] });
    expect((await api.post(`/vehicles/v1/deliveries/${item.id}/cancel`)).status).toBe(200);
    const after = (await api.get('/vehicles/v1/deliveries')).json.items.find(
      (one: { id: string }) => one.id === item.id,
    );
    expect(after.state).toBe('voided');
  });

  it('sets duty, and refuses to delete a vehicle that holds orders', async () => {
    const off = await api.post('/vehicles/v13/duty', { to: 'offDuty', reason: 'end of shift' });
    expect(off.json.duty).toMatchObject({ state: 'offDuty', shown: 'offDuty', reason: 'end of shift' });
    const id = await issuedOrder(api);
    await api.post(`/orders/${id}/assign`, { vehicleId: 'v2' });
    const refused = await api.send('/vehicles/v2', { method: 'DELETE' });
    expect([refused.status, refused.json.code]).toEqual([409, 'openLegs']);
    expect((await api.send('/vehicles/v13', { method: 'DELETE' })).status).toBe(204);
    expect((await api.get('/vehicles/v13')).status).toBe(404);
  });

  it('blocks and unblocks a terminal', async () => {
    const blocked = await api.post('/vehicles/v1/terminal/block', { reason: 'stolen' });
    expect(blocked.json.terminal.blocked).toMatchObject({ reason: 'stolen', by: 'bootstrap' });
    expect((await api.post('/vehicles/v1/terminal/unblock')).json.terminal.blocked).toBeUndefined();
  });
});

describe('organisation over HTTP', () => {
  let api: Api;
  beforeAll(async () => {
    api = await startApi();
  });
  afterAll(() => api.close());

  it('has centre-1 from the start, and makes, changes and versions others', async () => {
    expect((await api.get('/repair-centres/centre-1')).json).toMatchObject({
      id: 'centre-1',
      siteClasses: ['town', 'country', 'remote'],
    });
    const made = await api.send('/repair-centres/north', {
      method: 'PUT',
      body: { name: '北区', limits: { EF: 3 }, automaticMode: true },
    });
    expect([made.status, made.json.limits.EF, made.json.automaticMode]).toEqual([201, 3, true]);
    const stale = await api.send('/repair-centres/north', {
      method: 'PUT',
      body: { name: 'x' },
      headers: { 'if-match': '"99"' },
    });
    expect(stale.status).toBe(412);
    const changed = await api.send('/repair-centres/north', {
      method: 'PUT',
      body: { name: 'North' },
      headers: { 'if-match': made.headers.get('etag')! },
    });
    expect([changed.status, changed.json.name, changed.json.limits.EF]).toEqual([200, 'North', 3]);
    expect((await api.get('/repair-centres')).json.items.map((centre: { id: string }) => centre.id)).toEqual([
      'centre-1',
      'north',
    ]);
    expect(
      (await api.send('/repair-centres/north', { method: 'PUT', body: { limits: { XY: 3 } } })).json.errors[0].pointer,
    ).toBe('#/limits/XY');
  });

  it('keeps units with their managers, and rules', async () => {
    const unit = {
      kind: 'cityStation',
      managers: [
        { name: 'Ma', phone: '135' },
        { name: 'Bo', phone: '136' },
      ],
    };
    expect((await api.send('/units/u-1', { method: 'PUT', body: unit })).status).toBe(201);
    expect((await api.get('/units')).json.items).toMatchObject([{ id: 'u-1', ...unit }]);
    expect(
      (await api.send('/units/u-1', { method: 'PUT', body: { ...unit, repairCentreId: 'nowhere' } })).json.code,
    ).toBe('unknownCentre');
    const put = await api.send('/rules', { method: 'PUT', body: { requiredFields: { cable: ['equipment'] } } });
    expect([put.status, put.json.requiredFields.cable]).toEqual([200, ['equipment']]);
    const { requiredFields, builtIn } = (await api.get('/rules')).json;
    expect(requiredFields).toEqual({ cable: ['equipment'] });
    expect(builtIn).toContain('routing');
    expect(builtIn).not.toContain('requiredFields');
  });
});
