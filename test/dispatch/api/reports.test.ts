import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { localPlace } from '../../../dispatch/reporting/capacity.js';
import { csv } from '../../../dispatch/csv.js';
import { median, percentile } from '../../../dispatch/reporting/figures.js';
import { NINE, orderBody, startApi, vehicleBody, type Api, type Json } from './support.js';

const MINUTE = 60_000;

describe('reports', () => {
  let api: Api;
  /** Minutes between the steps of three orders: issue, receive, assign, accept, depart, arrive. */
  const minutes = [
    [1, 2, 1, 3, 2, 20],
    [2, 3, 1, 5, 4, 30],
    [1, 1, 1, 2, 3, 10],
  ];
  beforeAll(async () => {
    api = await startApi();
    await api.post('/vehicles', vehicleBody('v1', { sharesOffice: true }));
    for (const row of minutes) {
      const { json } = await api.post(
        '/orders',
        orderBody({ fault: { category: 'outage', voltage: 'low', description: '=cmd|calc' } }),
      );
      const steps: [string, object?][] = [
        ['issue', { repairCentreId: 'centre-1' }],
        ['receive'],
        ['assign', { vehicleId: 'v1' }],
        ['accept'],
        ['depart'],
        ['arrive'],
      ];
      for (const [i, [step, body]] of steps.entries()) {
        api.clock.advance(row[i]! * MINUTE);
        const reply = await api.post(`/orders/${json.id}/${step}`, body);
        expect(reply.status, reply.text).toBe(200);
      }
      expect((await api.post(`/orders/${json.id}/complete`)).status).toBe(200);
    }
  });
  afterAll(() => api.close());

  it('adds the parts up to the whole, and counts what was kept', async () => {
    const { json } = await api.get('/reports/segments');
    expect(json.items).toHaveLength(3);
    for (const [i, row] of json.items.entries()) {
      const total = minutes[i]!.reduce((sum, m) => sum + m, 0) * MINUTE;
      const parts = ['AB', 'BC', 'CD', 'R', 'DE', 'EF', 'FG', 'GH'].map(
        (name) => row.segments[name].elapsedMs as number,
      );
      expect(row.segments.AH.elapsedMs).toBe(total);
      expect(parts.reduce((sum, ms) => sum + ms, 0)).toBe(total);
    }
    const of = (name: string): Json => json.summary.find((one: { name: string }) => one.name === name);
    expect(of('AB')).toMatchObject({ count: 3, medianMs: 1 * MINUTE, breached: 0, proposedLimitMin: 2 });
    expect(of('BC')).toMatchObject({ medianMs: 2 * MINUTE, proposedLimitMin: 3 });
    expect(of('GH')).toMatchObject({ medianMs: 20 * MINUTE, breached: 1, proposedLimitMin: 21 });
    expect(json.items[1].cause).toBeDefined();
    expect(json.truncated).toBe(false);
  });

  it('splits the summary by centre, crew, hour of the call and cause of breach', async () => {
    const groups = async (by: string): Promise<Record<string, number>> => {
      const { json } = await api.get(`/reports/segments?by=${by}`);
      const whole = json.summary.filter((one: { name: string }) => one.name === 'AH');
      return Object.fromEntries(whole.map((one: { group: string; count: number }) => [one.group, one.count]));
    };
    expect(await groups('centre')).toEqual({ 'centre-1': 3 });
    expect(await groups('crew')).toEqual({ v1: 3 });
    // Calls at 09:00, 09:29 and 10:14 in Shanghai.
    expect(await groups('hour')).toEqual({ '09': 2, '10': 1 });
    expect(Object.values(await groups('cause')).reduce((sum, count) => sum + count, 0)).toBe(3);
    expect((await api.get('/reports/segments?by=colour')).json.errors[0].parameter).toBe('by');
  });

  it('leaves implied points out of the averages of crews', async () => {
    const { json } = await api.get('/reports/segments');
    // Accepted by phone without a receipt: E was implied, so DE and EF say nothing about the crew.
    for (const row of json.items) expect(row.implied).toContain('E');
    for (const name of ['DE', 'EF'])
      expect(json.summary.find((one: { name: string }) => one.name === name)).toMatchObject({
        measured: 0,
        medianMs: null,
      });
  });

  it('is a table for a spreadsheet too, by format or by Accept', async () => {
    const byFormat = await api.get('/reports/segments?format=csv');
    const byAccept = await api.get('/reports/segments', { headers: { accept: 'text/csv' } });
    expect(byFormat.text).toBe(byAccept.text);
    expect(byFormat.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(byFormat.headers.get('content-disposition')).toMatch(/^attachment; filename="segments_/);
    const [head, ...rows] = byFormat.text
      .trim()
      .split('\r\n')
      .map((line) => line.split(','));
    expect(rows).toHaveLength(3);
    const column = (name: string): number => head!.indexOf(name);
    expect(rows.map((row) => Number(row[column('AH_ms')]))).toEqual(
      minutes.map((row) => row.reduce((sum, m) => sum + m, 0) * MINUTE),
    );
  });

  it('takes a period and a centre', async () => {
    const at = (minute: number): string => new Date(NINE + minute * MINUTE).toISOString();
    const second = minutes[0]!.reduce((sum, m) => sum + m, 0);
    const { json } = await api.get(`/reports/segments?from=${at(second)}&to=${at(second + 1)}`);
    expect(json.items.map((row: { number: string }) => row.number)).toEqual(['20260302-0002']);
    expect((await api.get('/reports/segments?centre=elsewhere')).json.items).toEqual([]);
    expect((await api.get(`/reports/segments?from=${at(5)}&to=${at(5)}`)).json.code).toBe('invalidParameter');
  });

  it('measures only what has ended: a breach that still runs is counted, and proposes no limit', async () => {
    const { json: order } = await api.post('/orders', orderBody());
    await api.post(`/orders/${order.id}/issue`, { repairCentreId: 'centre-1' });
    const from = order.createdAt;
    api.clock.advance(60 * MINUTE);
    const { json } = await api.get(`/reports/segments?from=${from}`);
    const row = json.items.find((one: { orderId: string }) => one.orderId === order.id);
    expect(row.segments.BC).toMatchObject({ state: 'breached', running: true });
    const bc = json.summary.find((one: { name: string }) => one.name === 'BC');
    expect(bc).toMatchObject({ count: 1, breached: 1, measured: 0, medianMs: null, proposedLimitMin: null });
  });

  it('tells what was sent to terminals', async () => {
    await api.post('/vehicles/v1/messages', { text: 'x' });
    const { json } = await api.get('/reports/deliveries');
    expect(json.items.length).toBeGreaterThan(0);
    expect(json.items.every((row: { vehicleId: string }) => row.vehicleId === 'v1')).toBe(true);
    expect(json.summary.find((one: { kind: string }) => one.kind === 'notice')).toMatchObject({
      count: 1,
      receipted: 0,
    });
    for (const kind of json.summary) {
      const parts = ['receipted', 'refused', 'unanswered', 'open', 'voided', 'expired'].map(
        (state) => kind[state] as number,
      );
      expect(
        parts.reduce((sum, part) => sum + part, 0),
        kind.kind,
      ).toBe(kind.count);
    }
    expect(json.summary.find((one: { kind: string }) => one.kind === 'notice').open).toBe(1);
    expect((await api.get('/reports/deliveries?centre=elsewhere')).json.items).toEqual([]);
    const none = await api.get(
      `/reports/deliveries?from=${new Date(api.clock.now() + MINUTE).toISOString()}&to=${new Date(api.clock.now() + 2 * MINUTE).toISOString()}`,
    );
    expect(none.json.items).toEqual([]);
  });
});

describe('figures', () => {
  it('takes the middle, the mean of the two middles, nothing of nothing', () => {
    expect([median([]), median([7]), median([1, 3]), median([1, 2, 9])]).toEqual([null, 7, 2, 2]);
    expect([percentile([], 0.9), percentile([5], 0.9), percentile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.9)]).toEqual([
      null,
      5,
      9,
    ]);
  });

  it('finds weekday and half-hour of the local week', () => {
    expect(localPlace(NINE, 'Asia/Shanghai')).toEqual({ weekday: 1, halfHour: 18 });
    expect(localPlace(Date.parse('2026-03-01T16:29:59Z'), 'Asia/Shanghai')).toEqual({ weekday: 1, halfHour: 0 });
    expect(localPlace(Date.parse('2026-03-01T15:59:59Z'), 'Asia/Shanghai')).toEqual({ weekday: 7, halfHour: 47 });
  });

  it('quotes cells and disarms formulas', () => {
    const text = csv(
      ['a', 'b'],
      [
        { a: '=1+1', b: 'x,"y"' },
        { a: -3, b: '@cmd' },
        { a: null, b: 'two\nlines' },
      ],
    );
    expect(text).toBe('\uFEFFa,b\r\n\'=1+1,"x,""y"""\r\n-3,\'@cmd\r\n,"two\nlines"\r\n');
  });
});
