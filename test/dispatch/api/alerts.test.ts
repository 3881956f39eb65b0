import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Alert, Card } from '../../../dispatch/domain/model.js';
import { issuedOrder, NINE, startApi, vehicleBody, type Api } from './support.js';

const SAID = { source: 'rule' as const, by: 'test', receivedAt: NINE, committedAt: NINE };

describe('what waits for a person', () => {
  let api: Api;
  beforeAll(async () => {
    api = await startApi();
    await api.send('/repair-centres/centre-2', { method: 'PUT', body: { name: 'Centre 2' } });
    await api.post('/vehicles', vehicleBody('v1'));
    await api.post('/vehicles', vehicleBody('v2', { repairCentreId: 'centre-2' }));
  });
  afterAll(() => api.close());

  /** What a terminal says that nobody can use becomes a card with its bytes. */
  const quarantine = (vehicleId: string, sequence: number, code: string): Promise<void> =>
    api.dispatch.note([
      { type: 'report.unusable', vehicleId, phone: '1', receivedAt: api.clock.now(), frame: { node: 'n', sequence, index: 0 }, dedupKey: `${sequence}`, code, message: `unusable: ${code}`, bytesHex: '7e7e' },
    ]); // prettier-ignore

  it('lists quarantined evidence with its bytes, newest first, by centre, in pages', async () => {
    for (const [i, code] of ['one', 'two', 'three'].entries()) {
      api.clock.advance(1_000);
      await quarantine('v1', i + 1, code);
    }
    await quarantine('v2', 9, 'foreign');
    const all: Card[] = [];
    let after = '';
    do {
      const { json } = await api.get(`/quarantine?limit=2&centre=centre-1${after && `&after=${after}`}`);
      all.push(...json.items);
      after = json.next ?? '';
    } while (after !== '');
    expect(all.map((card) => card.code)).toEqual(['three', 'two', 'one']);
    expect(all[0]).toMatchObject({
      kind: 'quarantine',
      vehicleId: 'v1',
      centreId: 'centre-1',
      bytesHex: '7e7e',
      choices: expect.any(Array),
    });
    const token = await api.token(['dispatcher'], { centres: ['centre-2'] });
    expect((await api.get('/quarantine', { token })).json.items.map((card: Card) => card.code)).toEqual(['foreign']);
  });

  it('resolves a card by one of its choices, once it is one of them', async () => {
    const [card] = (await api.get('/quarantine?centre=centre-2')).json.items as Card[];
    const id = encodeURIComponent(card!.id);
    const wrong = await api.post(`/quarantine/${id}/resolve`, { choice: 'eat it' });
    expect(wrong.status).toBeGreaterThanOrEqual(400);
    const foreign = await api.token(['dispatcher'], { centres: ['centre-1'] });
    expect((await api.post(`/quarantine/${id}/resolve`, { choice: 'seen' }, { token: foreign })).status).toBe(404);
    const resolved = await api.post(`/quarantine/${id}/resolve`, { choice: 'seen', note: 'ok' });
    expect([resolved.status, resolved.json.resolved]).toEqual([
      200,
      expect.objectContaining({ choice: 'seen', by: 'bootstrap' }),
    ]);
    expect((await api.get('/quarantine?centre=centre-2')).json.items).toEqual([]);
    expect((await api.get('/quarantine?centre=centre-2&open=0')).json.items).toHaveLength(1);
  });

  it('lists alerts, and acknowledges them by name', async () => {
    const orderId = await issuedOrder(api);
    const alert: Alert = { id: 'a-1', kind: 'centreNotAccepted', orderId, centreId: 'centre-1', told: [{ level: 'callCentre' }], message: 'phone the repair centre', severity: 'warning', raisedAt: api.clock.now(), acknowledged: [] }; // prettier-ignore
    await api.dispatch.store.commit({
      puts: [{ kind: 'alert', id: alert.id, expect: 0, value: alert, indexes: [['alerts', `${String(alert.raisedAt).padStart(14, '0')}/a-1`], ['alerts.open', `${String(alert.raisedAt).padStart(14, '0')}/a-1`]] }],
      events: [{ type: 'alert.raised', ...SAID, orderId, centreId: 'centre-1', data: { alert } }],
    }); // prettier-ignore
    const ids = async (query = '', token?: string): Promise<string[]> =>
      (await api.get(`/alerts${query}`, token === undefined ? {} : { token })).json.items.map((one: Alert) => one.id);
    expect(await ids()).toEqual(['a-1']);
    expect(await ids('?centre=centre-2')).toEqual([]);
    expect(await ids('', await api.token(['dispatcher'], { centres: ['centre-2'] }))).toEqual([]);
    const token = await api.token(['supervisor']);
    const acknowledged = await api.post('/alerts/a-1/acknowledge', {}, { token });
    expect(acknowledged.json.acknowledged).toEqual([
      { by: 'token:supervisor', at: new Date(api.clock.now()).toISOString() },
    ]);
    expect((await api.get('/alerts/a-1')).json.acknowledged).toHaveLength(1);
    expect((await api.post('/alerts/none/acknowledge')).status).toBe(404);
  });

  it('goes through the kinds of the attention list one after the other', async () => {
    const empty = await api.get('/attention?limit=1');
    expect([empty.status, empty.json.items]).toEqual([200, []]);
    const cards = (['attention', 'proposal', 'contested'] as const).map((kind, i): Card => ({
      id: `c-${kind}`,
      kind,
      code: 'test',
      message: 'look',
      at: NINE + i,
      choices: ['ok'],
      data: {},
      centreId: 'centre-1',
    }));
    await api.store.commit({
      puts: cards.map((card) => ({ kind: 'card', id: card.id, expect: 0, value: card, indexes: [['cards.open', `${card.kind}/${card.at}/${card.id}`]] as [string, string][] })),
    }); // prettier-ignore
    const found: string[] = [];
    let after = '';
    do {
      const { json } = await api.get(`/attention?limit=1${after && `&after=${encodeURIComponent(after)}`}`);
      found.push(...json.items.map((card: Card) => card.id));
      after = json.next ?? '';
    } while (after !== '');
    expect(found).toEqual(['c-attention', 'c-proposal', 'c-contested']);
  });
});

describe('photos', () => {
  const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');

  it('keeps a picture by its content for the order, and nothing else', async () => {
    const api = await startApi();
    try {
      const id = await issuedOrder(api);
      const sending = { method: 'POST', body: PNG, headers: { 'content-type': 'image/png' } };
      const kept = await api.send(`/orders/${id}/photos`, sending);
      expect(kept.status).toBe(201);
      const photo = await fetch(`${api.url}/api/v1/orders/${id}/photos/${kept.json.name}`, {
        headers: { authorization: 'Bearer bootstrap-token-of-the-tests' },
      });
      expect([photo.headers.get('content-type'), Buffer.from(await photo.arrayBuffer()).equals(PNG)]).toEqual([
        'image/png',
        true,
      ]);
      const html = await api.send(`/orders/${id}/photos`, { ...sending, body: '<script>alert(1)</script>' });
      expect([html.status, html.json.code]).toEqual([422, 'invalidBody']);
      const svg = await api.send(`/orders/${id}/photos`, {
        ...sending,
        body: '<svg/>',
        headers: { 'content-type': 'image/svg+xml' },
      });
      expect(svg.status).toBe(415);
      const other = await issuedOrder(api);
      expect((await api.get(`/orders/${other}/photos/${kept.json.name}`, { headers: { accept: '*/*' } })).status).toBe(
        404,
      );
      expect(
        (await api.get(`/orders/${id}/photos/..%2f..%2fetc%2fpasswd`, { headers: { accept: '*/*' } })).status,
      ).toBe(400);
    } finally {
      await api.close();
    }
  });
});
