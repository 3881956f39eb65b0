import { describe, expect, it } from 'vitest';
import { World } from '../../support/dispatch.js';

describe('a decision about a vehicle', () => {
  /** Reads of the store that taking the vehicle's link up needs. */
  async function readsOfLinkUp(orders: number): Promise<number> {
    const world = new World();
    await world.dispatch.start();
    const vehicleId = await world.vehicle('v1');
    for (let i = 0; i < orders; i++) await world.orderWith(vehicleId);
    const { getMany } = world.store;
    let reads = 0;
    world.store.getMany = (names) => {
      reads += 1;
      return getMany.call(world.store, names);
    };
    const { phone } = (await world.vehicleDoc(vehicleId)).terminal;
    await world.do({ type: 'link.up', vehicleId, phone, address: 'a', transport: 'tcp', node: 'n' });
    await world.dispatch.stop();
    return reads;
  }

  it('reads the orders of its queue together: no more often for twelve orders than for one', async () => {
    // An end of an alert is looked for by order, one after the other: these reads are left out of the comparison.
    const [one, twelve] = [await readsOfLinkUp(1), await readsOfLinkUp(12)];
    expect(twelve - one).toBeLessThanOrEqual(11);
    expect(one).toBeLessThan(10);
  });
});
