import { describe, expect, it } from 'vitest';
import { World } from '../../support/dispatch.js';

/** How often the store is read while something is done, and how many documents are asked for. */
async function readsOf(world: World, act: () => Promise<unknown>): Promise<{ reads: number; documents: number }> {
  const { getMany } = world.store;
  const seen = { reads: 0, documents: 0 };
  world.store.getMany = (names) => {
    seen.reads += 1;
    seen.documents += names.length;
    return getMany.call(world.store, names);
  };
  await act();
  world.store.getMany = getMany;
  return seen;
}

describe('a decision about a vehicle', () => {
  /** Reads of the store that taking the vehicle's link up needs. */
  async function readsOfLinkUp(orders: number): Promise<number> {
    const world = new World();
    await world.dispatch.start();
    const vehicleId = await world.vehicle('v1');
    for (let i = 0; i < orders; i++) await world.orderWith(vehicleId);
    const { phone } = (await world.vehicleDoc(vehicleId)).terminal;
    const link = { type: 'link.up', vehicleId, phone, address: 'a', transport: 'tcp', node: 'n' } as const;
    const { reads } = await readsOf(world, () => world.do(link));
    await world.dispatch.stop();
    return reads;
  }

  it('reads the orders of its queue together: no more often for twelve orders than for one', async () => {
    // An end of an alert is looked for by order, one after the other: these reads are left out of the comparison.
    const [one, twelve] = [await readsOfLinkUp(1), await readsOfLinkUp(12)];
    expect(twelve - one).toBeLessThanOrEqual(11);
    expect(one).toBeLessThan(10);
  });

  /** Of the assignment of an order in a repair centre with so many vehicles. */
  async function readsOfAssignment(vehicles: number) {
    const world = new World();
    for (let i = 0; i < vehicles; i++) await world.vehicle(`v${i}`);
    const orderId = await world.orderAtCentre();
    const seen = await readsOf(world, () => world.do({ type: 'order.assign', orderId, vehicleId: 'v0' }));
    await world.close();
    return seen;
  }

  it('reads what an assignment needs in a few turns, as much in a large repair centre as in a small one', async () => {
    const small = await readsOfAssignment(4);
    expect(small.reads).toBeLessThanOrEqual(4);
    expect(await readsOfAssignment(350)).toEqual(small);
  });
});
