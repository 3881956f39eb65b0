import { afterEach, beforeEach, expect, it } from 'vitest';
import { sweep } from '../../gateway/retention.js';
import { PositionBatch } from '../../dispatch/store/position-batch.js';
import { NINE, World } from '../support/dispatch.js';

const DAY = 86_400_000;
const long = {
  retentionPositions: 9_000,
  retentionPhotos: 9_000,
  retentionOrders: 9_000,
  retentionAudit: 9_000,
  retentionFrames: 9_000,
};
const quiet = { info: () => {}, error: () => {} };
let world: World;
beforeEach(() => void (world = new World()));
afterEach(() => world.close());

it('deletes positions and raw frames when they are past their time, and not before', async () => {
  const { store, clock, dispatch } = world;
  const keep = { ...long, retentionPositions: 10, retentionFrames: 5 };
  const logAndApply = async (): Promise<void> => {
    const sequence = await store.appendIngest('node-1', new Uint8Array([1]));
    const batch = new PositionBatch();
    batch.add('v1', clock.now(), clock.now(), 39_900_000, 116_400_000, 50, 0, 0, 0, 3, -1);
    await dispatch.apply([], batch, { node: 'node-1', sequence });
  };
  for (let day = 0; day < 15; day++) {
    await logAndApply();
    await sweep(dispatch, keep, quiet);
    clock.advance(DAY);
  }
  await sweep(dispatch, keep, quiet);
  const groups = await store.readIngest('node-1', 0, 100);
  // The fifteenth day begins: the group of the tenth is five days old now.
  expect(groups.map((group) => group.sequence)).toEqual([12, 13, 14, 15]);
  const days: number[] = [];
  for await (const position of store.track('v1', NINE, NINE + 20 * DAY)) days.push((position.deviceAt - NINE) / DAY);
  expect(days.at(-1)).toBe(14);
  expect(days[0]).toBeGreaterThanOrEqual(4);
  expect(days[0]).toBeLessThanOrEqual(5);
});
