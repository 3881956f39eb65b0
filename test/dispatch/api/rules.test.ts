import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_ROUTING } from '../../../dispatch/domain/routing.js';
import { orderBody, startApi, type Api, type Json, type Reply } from './support.js';

describe('the rules', () => {
  let api: Api;
  beforeEach(async () => {
    api = await startApi();
  });
  afterEach(() => api.close());

  const put = (body: unknown): Promise<Reply> => api.send('/rules', { method: 'PUT', body });
  const pointers = ({ json }: Reply): string[] => (json.errors as Json[]).map((error: Json) => error.pointer as string);
  const rule = (name: string, more: object = {}): object => ({ name, unitKind: 'cityStation', ...more });

  it('take the table of a new store', async () => {
    expect((await put({ routing: DEFAULT_ROUTING })).status).toBe(200);
  });

  it('show what holds, and take back what they show', async () => {
    const { json: shown } = await api.get('/rules');
    expect(shown).toMatchObject({ routing: DEFAULT_ROUTING, builtIn: ['routing', 'requiredFields'] });
    expect((await put(shown)).json).toEqual(shown);
    const own = [rule('all')];
    const { json: changed } = await put({ ...shown, routing: own });
    expect(changed).toMatchObject({ routing: own, requiredFields: shown.requiredFields, builtIn: ['requiredFields'] });
    for (const path of ['/repair-centres/centre-1', '/repair-centres/north', '/units/u1']) {
      const body = path.startsWith('/units')
        ? { kind: 'cityStation', managers: [] }
        : { name: 'North', limits: { BC: 5 } };
      expect((await api.send(path, { method: 'PUT', body })).status).toBeLessThan(300);
      const { json } = await api.get(path);
      const again = await api.send(path, { method: 'PUT', body: json });
      expect([again.status, { ...again.json, version: 0 }]).toEqual([200, { ...json, version: 0 }]);
      expect((await api.send(path, { method: 'PUT', body: { ...json, id: 'other' } })).status).toBe(422);
    }
  });

  it.each([
    ['a key that nobody knows', { rooting: [] }, ['#/rooting']],
    ['a rule without a name', { routing: [{ unitKind: 'x' }] }, ['#/routing/0/name']],
    ['a rule without a unit', { routing: [rule('a', { unitKind: ' ' })] }, ['#/routing/0/unitKind']],
    ['an unknown category', { routing: [rule('a', { categories: ['meter', 'cats'] })] }, ['#/routing/0/categories/1']],
    ['an unknown voltage', { routing: [rule('a', { voltages: ['400V'] })] }, ['#/routing/0/voltages/0']],
    ['a name twice', { routing: [rule('a', { areas: ['x'] }), rule('a', { areas: ['y'] })] }, ['#/routing/1/name']],
    ['a rule that never matches', { routing: [rule('all'), rule('b', { areas: ['x'] })] }, ['#/routing/1']],
    ['a rule that a broader one leaves nothing to', { routing: [rule('a', { voltages: ['low', '10kV'] }), rule('b', { voltages: ['low'], areas: ['x'] })] }, ['#/routing/1']],
    ['a field that is no name', { requiredFields: { cable: ['two words'] } }, ['#/requiredFields/cable/0']],
    ['an unknown trade', { trades: { meter: ['magic'] } }, ['#/trades/meter/0']],
  ])('refuse %s, with the place', async (_what, body, expected) => {
    const reply = await put(body);
    expect([reply.status, reply.json.code, pointers(reply)]).toEqual([422, 'invalidBody', expected]);
    expect((await api.get('/rules')).json.builtIn).toEqual(['routing', 'requiredFields']);
  }); // prettier-ignore

  it('refuse a category of nobody as a key, and a centre that does not exist', async () => {
    expect((await put({ trades: { cats: ['cable'] } })).status).toBe(422);
    const reply = await put({ routing: [rule('a', { repairCentreId: 'nowhere' })] });
    expect([reply.status, reply.json.code]).toEqual([422, 'unknownCentre']);
    expect(reply.json.detail).toContain('rule "a" sends to nowhere');
  });

  it('say at the issue who repairs it, as they are then', async () => {
    await api.send('/repair-centres/north', { method: 'PUT', body: { name: 'North' } });
    const { json: order } = await api.post('/orders', orderBody({ area: 'north' }));
    const attention = async () => (await api.get('/attention')).json.items.map((card: Json) => card.code);
    // The table of a new store knows no area "north".
    expect(await attention()).toEqual(['noRule']);
    await put({ routing: [rule('north', { areas: ['north'], unitKind: 'northStation', repairCentreId: 'north' })] });
    const issued = await api.post(`/orders/${order.id}/issue`);
    expect(issued.json).toMatchObject({ stage: 'issued', repairCentreId: 'north', unitKind: 'northStation' });
    expect(await attention()).toEqual([]);
  });

  it('let a person say it all the same, and ask again when an order is corrected', async () => {
    const { json: order } = await api.post('/orders', orderBody());
    const open = async () => (await api.get('/attention')).json.items.length as number;
    expect(await open()).toBe(0);
    const fault = { category: 'outage', voltage: 'other', description: '停电' };
    await api.send(`/orders/${order.id}`, { method: 'PATCH', body: { fault } });
    expect(await open()).toBe(1);
    await api.send(`/orders/${order.id}`, { method: 'PATCH', body: { fault: { ...fault, voltage: 'low' } } });
    expect(await open()).toBe(0);
    await api.send(`/orders/${order.id}`, { method: 'PATCH', body: { fault } });
    const issued = await api.post(`/orders/${order.id}/issue`, { repairCentreId: 'centre-1' });
    expect(issued.json).toMatchObject({ stage: 'issued', repairCentreId: 'centre-1' });
    expect(await open()).toBe(0);
  });
});
