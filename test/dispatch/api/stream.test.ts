import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StoredEvent } from '../../../dispatch/domain/events.js';
import { PositionBatch } from '../../../dispatch/store/position-batch.js';
import { listen, type Listening, type Message } from './sse.js';
import { BOOTSTRAP, NINE, orderBody, PASSWORD, startApi, vehicleBody, type Api, type ApiOptions } from './support.js';

const eventOf = (message: Message): StoredEvent => JSON.parse(message.data) as StoredEvent;

describe('the live stream', () => {
  let api: Api;
  const open: Listening[] = [];
  const start = async (options: ApiOptions = {}): Promise<void> => {
    api = await startApi(options);
  };
  const stream = async (query = '', headers: Record<string, string> = {}, token = BOOTSTRAP): Promise<Listening> => {
    const listening = await listen(`${api.url}/api/v1/stream${query}`, {
      authorization: `Bearer ${token}`,
      ...headers,
    });
    open.push(listening);
    return listening;
  };
  const order = async (): Promise<string> => (await api.post('/orders', orderBody())).json.id as string;
  /** Positions as the reader of an ingest log applies them. */
  const report = async (
    sequence: number,
    positions: [vehicleId: string, latE6: number, lonE6: number][],
  ): Promise<void> => {
    const batch = new PositionBatch();
    for (const [vehicleId, latE6, lonE6] of positions) {
      batch.add(
        vehicleId,
        NINE + sequence * 1_000,
        NINE + sequence * 1_000 + 300,
        latE6,
        lonE6,
        12,
        355,
        90,
        0,
        3,
        123_456,
      );
    }
    await api.dispatch.apply([], batch, { node: 'n', sequence });
  };

  /** Rows of all messages so far. */
  const rowsOf = (listening: Listening) => (): [id: string, lat: number, lon: number][] =>
    listening.messages
      .filter((message) => message.event === 'positions')
      .flatMap((message) => (JSON.parse(message.data) as { rows: [string, number, number][] }).rows);

  beforeEach(() => start());
  afterEach(async () => {
    for (const listening of open.splice(0)) listening.close();
    await api.close();
  });

  it('tells every event once, in order, with its position as id', async () => {
    const listening = await stream();
    const ids = [await order(), await order()];
    await listening.until(
      (message) => eventOf(message).orderId === ids[1] && eventOf(message).type === 'timePoint.set',
    );
    const positions = listening.messages.map((message) => Number(message.id));
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
    expect(new Set(positions).size).toBe(positions.length);
    for (const message of listening.messages) expect(eventOf(message).position).toBe(Number(message.id));
    expect(eventOf(listening.messages[0]!)).toMatchObject({
      type: 'order.received',
      orderId: ids[0],
      by: 'bootstrap',
      receivedAt: new Date(NINE).toISOString(),
    });
    expect(listening.retry).toBeGreaterThan(0);
  });

  it('resumes by Last-Event-ID without a gap and without a repetition', async () => {
    const first = await stream();
    await order();
    const last = await first.until((message) => eventOf(message).type === 'order.received');
    first.close();
    const missed = await order();
    const second = await stream('', { 'last-event-id': last.id });
    await second.until((message) => eventOf(message).orderId === missed && eventOf(message).type === 'timePoint.set');
    const all = (await api.get(`/events?after=${last.id}&limit=500`)).json.items as StoredEvent[];
    expect(second.messages.map(eventOf).map((event) => event.position)).toEqual(
      all.map((event) => event.position).slice(0, second.messages.length),
    );
    expect(Number(second.messages[0]!.id)).toBe(Number(last.id) + 1);
    const bad = await api.get('/stream', { headers: { 'last-event-id': 'x' } });
    expect([bad.status, bad.json.code]).toEqual([400, 'invalidHeader']);
  });

  it('takes only the types that were asked for, and moves the id past the others', async () => {
    const listening = await stream('?types=order.*');
    const id = await order();
    await api.post(`/orders/${id}/issue`, { repairCentreId: 'centre-1' });
    await listening.until((message) => eventOf(message).type === 'order.issued');
    expect(listening.messages.map((message) => eventOf(message).type.split('.')[0])).toEqual(
      listening.messages.map(() => 'order'),
    );
  });

  it('tells a client of a repair centre only what is of that centre', async () => {
    await api.send('/repair-centres/centre-2', { method: 'PUT', body: { name: 'Centre 2' } });
    const listening = await stream('', {}, await api.token(['dispatcher'], { centres: ['centre-2'] }));
    const [foreign, own] = [await order(), await order()];
    await api.post(`/orders/${foreign}/issue`, { repairCentreId: 'centre-1' });
    await api.post(`/orders/${own}/issue`, { repairCentreId: 'centre-2' });
    await listening.until((message) => eventOf(message).type === 'order.issued');
    expect(listening.messages.map((message) => eventOf(message).orderId).filter((id) => id === foreign)).toEqual([]);
  });

  it('gives point C when a dispatcher of the centre has the order on an open stream, without a click', async () => {
    const listening = await stream('', {}, await api.token(['dispatcher'], { centres: ['centre-1'] }));
    const id = await order();
    api.clock.advance(30_000);
    await api.post(`/orders/${id}/issue`, { repairCentreId: 'centre-1' });
    await listening.until((message) => eventOf(message).type === 'order.atCentre' && eventOf(message).orderId === id);
    const { json } = await api.get(`/orders/${id}`);
    expect(json.stage).toBe('atCentre');
    expect(json.timePoints.C.at).toBe(new Date(NINE + 30_000).toISOString());
    expect(json.receivedBy).toBeUndefined();
  });

  it('gives point C to a dispatcher who reads the order, and not to the call centre', async () => {
    const id = await order();
    await api.post(`/orders/${id}/issue`, { repairCentreId: 'centre-1' });
    const agent = await api.token(['agent', 'supervisor', 'integrator']);
    expect((await api.get(`/orders/${id}`, { token: agent })).json.stage).toBe('issued');
    expect((await api.get(`/orders/${id}`)).json.stage).toBe('issued');
    const dispatcher = await api.token(['dispatcher'], { centres: ['centre-1'] });
    expect((await api.get(`/orders?stage=issued`, { token: dispatcher })).json.items[0].stage).toBe('atCentre');
    expect((await api.get(`/orders/${id}`, { token: dispatcher })).json.timePoints.C).toMatchObject({ source: 'api' });
  });

  it('adds positions, the newest of each vehicle, limited to the box', async () => {
    for (const id of ['v1', 'v2', 'v3']) await api.post('/vehicles', vehicleBody(id));
    await report(1, [['v1', 31_000_000, 121_000_000]]);
    const listening = await stream('?positions=1&bbox=120.5,30.5,121.5,31.5');
    const positions = (): { vehicleId: string; lat: number }[] =>
      listening.messages
        .filter((message) => message.event === 'positions')
        .flatMap(
          (message) => (JSON.parse(message.data) as { positions: { vehicleId: string; lat: number }[] }).positions,
        );
    // Where everybody is comes first.
    await listening.until((message) => message.event === 'positions');
    expect(positions()).toMatchObject([
      {
        vehicleId: 'v1',
        lat: 31,
        lon: 121,
        speedKmh: 35.5,
        mileageKm: 12_345.6,
        deviceAt: new Date(NINE + 1_000).toISOString(),
      },
    ]);
    await report(2, [
      ['v1', 31_100_000, 121_000_000],
      ['v2', 31_200_000, 121_200_000],
      ['v3', 40_000_000, 116_000_000],
    ]);
    await report(3, [['v1', 31_150_000, 121_000_000]]);
    await listening.until((message) => message.event === 'positions' && message.data.includes('31.15'));
    expect(positions().map((position) => position.vehicleId)).not.toContain('v3');
    expect(
      positions()
        .filter((position) => position.vehicleId === 'v1')
        .at(-1)!.lat,
    ).toBe(31.15);
    expect(positions().some((position) => position.vehicleId === 'v2')).toBe(true);
    expect((await api.get('/stream?bbox=1,2,3')).json.errors[0].parameter).toMatch(/^bbox/);
  });

  it('tells once more of a vehicle that leaves the box, and then no more', async () => {
    for (const id of ['v1', 'v2']) await api.post('/vehicles', vehicleBody(id));
    await report(1, [
      ['v1', 31_000_000, 121_000_000],
      ['v2', 31_000_000, 121_000_000],
    ]);
    const listening = await stream('?positions=1&form=rows&bbox=120.5,30.5,121.5,31.5');
    const rows = rowsOf(listening);
    await listening.until((message) => message.event === 'positions');
    let sequence = 1;
    const drive = async (latE6: number, mark: number): Promise<void> => {
      await report(++sequence, [
        ['v1', latE6, 121_000_000],
        ['v2', mark, 121_000_000],
      ]);
      await listening.until(() => rows().some(([id, lat]) => id === 'v2' && lat === mark / 1e6));
    };
    await drive(32_000_000, 31_010_000);
    await drive(33_000_000, 31_020_000);
    await drive(31_200_000, 31_030_000);
    const latitudes = rows().filter(([id]) => id === 'v1').map(([, lat]) => lat); // prettier-ignore
    expect(latitudes).toEqual([31, 32, 31.2]);
  });

  it('tells of what lies elsewhere at the pace that was asked for, and first of all where everybody is', async () => {
    for (const id of ['v1', 'v2']) await api.post('/vehicles', vehicleBody(id));
    await report(1, [
      ['v2', 40_000_000, 116_000_000],
      ['v1', 31_000_000, 121_000_000],
    ]);
    const [slow, quick, board] = await Promise.all(
      ['&bbox=120.5,30.5,121.5,31.5&elsewhere=3600', '&bbox=120.5,30.5,121.5,31.5&elsewhere=1', '&elsewhere=1'].map(
        (more) => stream(`?positions=1&form=rows${more}`),
      ),
    );
    const told = (of: Listening, id: string, lat: number): Promise<Message> =>
      of.until(() => rowsOf(of)().some((row) => row[0] === id && row[1] === lat));
    for (const one of [slow!, quick!, board!]) await told(one, 'v2', 40);
    // What the client looks at comes first.
    expect(rowsOf(slow!)().map(([id]) => id)).toEqual(['v1', 'v2']);
    await report(2, [
      ['v2', 40_100_000, 116_000_000],
      ['v1', 31_100_000, 121_000_000],
    ]);
    for (const one of [quick!, board!]) await Promise.all([told(one, 'v2', 40.1), told(one, 'v1', 31.1)]);
    await told(slow!, 'v1', 31.1);
    expect(rowsOf(slow!)().filter(([id]) => id === 'v2')).toHaveLength(1);
    const bad = await api.get('/stream?positions=1&elsewhere=0');
    expect([bad.status, bad.json.errors[0].parameter]).toEqual([400, 'elsewhere']);
  });

  it('tells a client of a repair centre of its own vehicles alone', async () => {
    await api.send('/repair-centres/centre-2', { method: 'PUT', body: { name: 'Centre 2' } });
    await api.post('/vehicles', vehicleBody('v1'));
    const theirs = await api.post('/vehicles', vehicleBody('v2', { repairCentreId: 'centre-2' }));
    expect(theirs.json.repairCentreId).toBe('centre-2');
    await report(1, [
      ['v2', 31_000_000, 121_000_000],
      ['v1', 31_000_000, 121_000_000],
    ]);
    const token = await api.token(['dispatcher'], { centres: ['centre-1'] });
    const listening = await stream('?positions=1&form=rows&elsewhere=1', {}, token);
    await listening.until((message) => message.event === 'positions');
    await report(2, [
      ['v2', 31_100_000, 121_000_000],
      ['v1', 31_100_000, 121_000_000],
    ]);
    await listening.until(() => rowsOf(listening)().some(([, lat]) => lat === 31.1));
    expect(new Set(rowsOf(listening)().map(([id]) => id))).toEqual(new Set(['v1']));
  });

  it('sends positions as rows to who asks for them', async () => {
    await api.post('/vehicles', vehicleBody('v1'));
    await report(1, [['v1', 31_000_000, 121_000_000]]);
    const listening = await stream('?positions=1&form=rows');
    const { data } = await listening.until((message) => message.event === 'positions');
    expect(JSON.parse(data)).toEqual({ rows: [['v1', 31, 121, 90, 35.5, NINE + 1_000, NINE + 1_300]] });
    expect((await api.get('/stream?positions=1&form=csv')).json.errors[0].parameter).toBe('form');
  });

  it('sends comments while nothing happens, and ends with the session', async () => {
    await api.close();
    await start({ streamLimits: { heartbeatMs: 20 } });
    await api.post('/users', { name: 'wang', roles: ['dispatcher'], password: PASSWORD });
    const signedIn = await api.post('/session', { name: 'wang', password: PASSWORD }, { token: null });
    const cookie = signedIn.headers.getSetCookie()[0]!.split(';')[0]!;
    const listening = await listen(`${api.url}/api/v1/stream`, { cookie });
    open.push(listening);
    await listening.untilComment(4);
    await api.send('/users/wang/sessions', { method: 'DELETE' });
    const end = await listening.until((message) => message.event === 'end');
    expect(JSON.parse(end.data)).toMatchObject({ code: 'signedOut' });
    await listening.ended;
  });

  it('cuts off a client that does not read, with a last event that says so', async () => {
    await api.close();
    await start({ streamLimits: { stalledMs: 200, bufferBytes: 1_024 } });
    const listening = await stream();
    listening.response.pause();
    // More than the sockets' buffers of both sides hold, so that the server's own begins to fill.
    const said = { source: 'api' as const, by: 'bulk', receivedAt: NINE, committedAt: NINE };
    const events = Array.from({ length: 120 }, (_, i) => ({
      type: 'test.bulk',
      ...said,
      data: { i, text: 'x'.repeat(100_000) },
    }));
    for (let i = 0; i < events.length; i += 10) await api.store.commit({ events: events.slice(i, i + 10) });
    const cut = async (): Promise<boolean> =>
      (await api.get('/metrics')).text.includes('linecrew_streams_cut_total{reason="tooSlow"} 1');
    await expect.poll(cut, { timeout: 15_000 }).toBe(true);
    expect((await api.get('/metrics')).text).toMatch(/linecrew_streams_open 0/);
    listening.response.resume();
    // Behind what the client had not read: it comes when the client reads on in time.
    const end = await listening.until((message) => message.event === 'end');
    expect(JSON.parse(end.data)).toMatchObject({ code: 'tooSlow' });
    await listening.ended;
  });

  it('bounds the streams of one client, and tells all of them when it stops', async () => {
    await api.close();
    await start({ streamLimits: { perPrincipal: 2 } });
    const both = [await stream(), await stream()];
    const third = await api.get('/stream');
    expect([third.status, third.json.code]).toEqual([429, 'tooManyStreams']);
    const ends = both.map((listening) => listening.until((message) => message.event === 'end'));
    await api.app.close();
    for (const end of await Promise.all(ends)) expect(JSON.parse(end.data)).toMatchObject({ code: 'stopping' });
  });
});
