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

it('forgets a node that is gone when the last of its frames are past their time, and no node that is there', async () => {
  const { store, clock, dispatch } = world;
  const keep = { ...long, retentionFrames: 5 };
  for (const node of ['here', 'gone', 'quiet', 'behind']) {
    const sequence = await store.appendIngest(node, new Uint8Array([1]));
    if (node !== 'behind') await dispatch.apply([], new PositionBatch(), { node, sequence });
  }
  for (let day = 0; day < 10; day++) {
    const sequence = await store.appendIngest('here', new Uint8Array([1]));
    await dispatch.apply([], new PositionBatch(), { node: 'here', sequence });
    // Its terminals say nothing, but it lives; what was said of one that is gone is not applied yet.
    await store.claimTerminal('ingest:quiet', 'quiet', 'quiet.1', clock.now(), 2 * DAY);
    await sweep(dispatch, keep, quiet);
    const known = await store.ingestNodes();
    expect(known, `day ${day}`).toEqual(day < 5 ? ['behind', 'gone', 'here', 'quiet'] : ['behind', 'here', 'quiet']);
    clock.advance(DAY);
  }
  // One that comes back under the name is known again, and so are its frames.
  expect(await store.appendIngest('gone', new Uint8Array([2]))).toBe(2);
  await sweep(dispatch, keep, quiet);
  expect(await store.ingestNodes()).toEqual(['behind', 'gone', 'here', 'quiet']);
  expect((await store.readIngest('gone', 0, 10)).map(({ sequence }) => sequence)).toEqual([2]);
});
