import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listAlerts, listCards, listOrders, listVehicles, type OrderFilter } from '../../../dispatch/queries.js';
import { AGENT, MINUTE, NINE, World } from '../../support/dispatch.js';

describe('lists', () => {
  const world = new World();
  const ids: string[] = [];
  beforeAll(async () => {
    await world.do({ type: 'centre.put', centre: { id: 'c2' } });
    await world.vehicle('v1');
    await world.vehicle('v2', { repairCentreId: 'c2' });
    for (let i = 0; i < 6; i++) {
      ids.push(await world.newOrder({ customer: { name: 'N', phone: i < 2 ? '111' : '1112' } }));
      world.minutes(1);
    }
    for (const [i, orderId] of ids.slice(0, 4).entries()) {
      await world.do({ type: 'order.issue', orderId, repairCentreId: i < 3 ? 'centre-1' : 'c2' }, AGENT);
    }
    await world.do({ type: 'order.assign', orderId: ids[0]!, vehicleId: 'v1' });
  });
  afterAll(() => world.close());

  const found = async (filter: OrderFilter): Promise<number[]> =>
    (await listOrders(world.dispatch, filter)).items.map(({ value }) => ids.indexOf(value.id));

  it.each<[string, OrderFilter, number[]]>([
    ['all, newest first', {}, [5, 4, 3, 2, 1, 0]],
    ['by stage', { stage: 'issued' }, [3, 2, 1]],
    ['by centre', { centre: 'centre-1' }, [2, 1, 0]],
    ['by centre and stage', { centre: 'centre-1', stage: 'issued' }, [2, 1]],
    ['by vehicle', { vehicle: 'v1' }, [0]],
    ['by phone, not by its beginning', { phone: '111' }, [1, 0]],
    ['by number', { number: '20260302-0003' }, [2]],
    ['from and to', { from: NINE + MINUTE, to: NINE + 3 * MINUTE }, [2, 1]],
    ['in the reader’s centres', { centres: ['c2'] }, [3]],
    ['nothing', { phone: '9' }, []],
  ])('orders %s', async (_name, filter, expected) => {
    expect(await found(filter)).toEqual(expected);
  });

  it('pages through everything once', async () => {
    const seen: number[] = [];
    let after: string | undefined;
    do {
      const page = await listOrders(world.dispatch, { limit: 2, ...(after === undefined ? {} : { after }) });
      expect(page.items.length).toBeLessThanOrEqual(2);
      seen.push(...page.items.map(({ value }) => ids.indexOf(value.id)));
      after = page.next;
    } while (after !== undefined);
    expect(seen).toEqual([5, 4, 3, 2, 1, 0]);
  });

  it('vehicles by centre', async () => {
    const list = async (filter = {}) => (await listVehicles(world.dispatch, filter)).items.map(({ value }) => value.id);
    expect(await list()).toEqual(['v1', 'v2']);
    expect(await list({ centre: 'c2' })).toEqual(['v2']);
    expect(await list({ centres: ['centre-1'] })).toEqual(['v1']);
  });

  it('cards that wait, and all', async () => {
    const orderId = await world.newOrder({ fault: { category: 'other', voltage: 'other', description: '' } });
    expect((await listCards(world.dispatch, { kind: 'attention' })).items.map(({ value }) => value.orderId)).toEqual([
      orderId,
    ]);
    await world.do({ type: 'order.issue', orderId, repairCentreId: 'centre-1' }, AGENT);
    expect((await listCards(world.dispatch, { kind: 'attention' })).items).toEqual([]);
    expect((await listCards(world.dispatch, { kind: 'attention', open: false })).items).toHaveLength(1);
    expect((await listAlerts(world.dispatch)).items).toEqual([]);
  });
});
