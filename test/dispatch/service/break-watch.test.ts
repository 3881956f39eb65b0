import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BreakWatch } from '../../../dispatch/break-watch.js';
import { PositionBatch } from '../../../dispatch/store/position-batch.js';
import { World } from '../../support/dispatch.js';

describe('a break is proposed to end when the vehicle moves', () => {
  let world: World;
  let watch: BreakWatch;
  let sequence = 0;
  const failures: unknown[] = [];
  beforeEach(async () => {
    world = new World();
    await world.vehicle('v1');
    await position(0, 0);
    watch = new BreakWatch(world.dispatch, { error: (fields) => failures.push(fields) });
    await watch.start();
  });
  afterEach(async () => {
    watch.stop();
    expect(failures.splice(0)).toEqual([]);
    await world.checkReplay();
    await world.close();
  });

  async function position(m: number, kmh: number): Promise<void> {
    world.clock.advance(30_000);
    const now = world.clock.now();
    const batch = new PositionBatch();
    batch.add('v1', now, now, Math.round((39.8 + m / 111_195) * 1e6), 116_400_000, 0, kmh * 10, 0, 0, 0b11, -1);
    await world.dispatch.apply([], batch, { node: 'positions', sequence: ++sequence });
  }
  const onBreak = async (): Promise<void> => {
    await world.do({ type: 'vehicle.duty', vehicleId: 'v1', to: 'onBreak', confirm: true });
    await vi.waitFor(() => expect(watch.isWatching('v1')).toBe(true), 5_000);
  };
  const proposals = async () => (await world.cards()).filter((card) => card.code === 'breakMoved');
  const proposed = () => vi.waitFor(async () => expect(await proposals()).toHaveLength(1), 5_000);

  it('the dispatcher ends it; the crew is on standby again', async () => {
    await onBreak();
    await position(400, 40);
    await proposed();
    const [card] = await proposals();
    expect((await world.vehicleDoc('v1')).duty.state).toBe('onBreak');
    await world.do({ type: 'card.resolve', cardId: card!.id, choice: 'endBreak' });
    expect((await world.vehicleDoc('v1')).duty).toMatchObject({ state: 'standby', reason: 'moved' });
  });

  it('the crew ends it itself: the question has answered itself', async () => {
    await onBreak();
    await position(400, 40);
    await proposed();
    await world.do({ type: 'vehicle.duty', vehicleId: 'v1', to: 'standby' });
    expect((await proposals())[0]!.resolved).toMatchObject({ choice: 'standby' });
  });

  it('is not proposed for moving about, nor without a break', async () => {
    await position(1_000, 40);
    await onBreak();
    await position(1_100, 20);
    await position(1_000, 0);
    await position(2_000, 40);
    await proposed();
    expect((await proposals())[0]!.data).toEqual({ at: world.clock.now() });
  });

  it('is found after a restart too', async () => {
    await onBreak();
    watch.stop();
    watch = new BreakWatch(world.dispatch, { error: (fields) => failures.push(fields) });
    await watch.start();
    await position(400, 40);
    await proposed();
  });
});
