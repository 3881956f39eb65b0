import { expect, it } from 'vitest';
import { World } from '../../support/dispatch.js';

it('a batch of reports is applied although commands change its documents without a pause', async () => {
  const world = new World();
  await world.dispatch.start();
  const vehicleId = await world.vehicle('v1');
  await world.orderWith(vehicleId);

  // The batch is slow: whenever it is about to be written, a command for the same vehicle comes in between.
  const { commit } = world.store;
  let [commits, busy] = [0, true];
  world.store.commit = async (batch) => {
    if (batch.applied) {
      commits += 1;
      const before = (await world.dispatch.store.lastPosition()) + 1;
      for (let i = 0; i < 50 && busy && (await world.dispatch.store.lastPosition()) < before; i++)
        await new Promise((resolve) => setImmediate(resolve));
    }
    return commit.call(world.store, batch);
  };
  const talking = (async () => {
    for (let i = 0; busy; i++) {
      await world.do({ type: 'vehicle.edit', vehicleId, changes: { plate: `京B${i % 10_000}` } });
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  try {
    await world.report({ type: 'report.receipt', vehicleId, deliveryId: 'none', result: 'ok', ofApplication: true });
  } finally {
    busy = false;
    await talking;
  }
  expect((await world.store.ingestState('n')).applied).toBe(1);
  // It lost some times, or the test would show nothing.
  expect(commits).toBeGreaterThan(2);
  expect(commits).toBeLessThan(10);
  await world.dispatch.stop();
});
