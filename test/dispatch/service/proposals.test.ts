import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Card } from '../../../dispatch/domain/model.js';
import { startProposals } from '../../../dispatch/proposals.js';
import { noRoad } from '../../../dispatch/road.js';
import { World } from '../../support/dispatch.js';

describe('the next best crew', () => {
  let world: World;
  let proposals: { cancel(): void } | undefined;
  beforeEach(async () => {
    world = new World();
    await world.dispatch.start();
    for (const id of ['v1', 'v2', 'v3']) await world.vehicle(id);
    // Busy, so that v3 is the better of the two.
    await world.orderWith('v2', 'accepted');
  });
  afterEach(async () => {
    proposals?.cancel();
    await world.checkReplay();
    await world.close();
  });
  const start = async () => void (proposals = await startProposals(world.dispatch, noRoad, { warn: () => {} }));
  /** The card that names a crew; waits for it. */
  const proposed = () =>
    new Promise<Card>((resolve) => {
      world.dispatch.follow(0, (events) => {
        for (const { type, data } of events) {
          const card = type === 'card.raised' ? (data as { card: Card }).card : undefined;
          if (card?.code === 'nextCrew') resolve(card);
        }
      });
    });

  it('is proposed 8 min after an assignment that nobody accepts, with reasons; the dispatcher reassigns by it', async () => {
    await start();
    const orderId = await world.orderWith('v1');
    await world.pass(8.2);
    const card = await proposed();
    expect(card).toMatchObject({
      orderId,
      leg: 1,
      vehicleId: 'v1',
      choices: ['reassign', 'ignore'],
      data: { to: 'v3' },
    });
    expect(card.message).toContain('crew v3');
    expect((card.data['reasons'] as string[]).length).toBeGreaterThan(0);
    await world.do({ type: 'card.resolve', cardId: card.id, choice: 'reassign' });
    expect((await world.order(orderId)).legs.map(({ vehicleId }) => vehicleId)).toEqual(['v1', 'v3']);
  });

  it('is proposed once, and no more when the crew accepts after all', async () => {
    await start();
    const orderId = await world.orderWith('v1');
    await world.pass(8.2);
    const card = await proposed();
    await world.do({ type: 'order.accept', orderId });
    expect((await world.get('card', card.id)).resolved).toMatchObject({ choice: 'leg.accepted' });
    const again = { type: 'order.proposeCrew' as const, orderId, leg: 1, vehicleId: 'v3', reasons: [] };
    await world.do(again);
    expect((await world.get('card', card.id)).resolved).toBeDefined();
  });

  it('is proposed for what a crew on break has not accepted, also what waited while nothing ran', async () => {
    const orderId = await world.orderWith('v1');
    await world.do({ type: 'vehicle.duty', vehicleId: 'v1', to: 'onBreak' });
    await start();
    expect(await proposed()).toMatchObject({ orderId, vehicleId: 'v1', data: { to: 'v3' } });
    const open = (await world.cards()).filter((card) => !card.resolved).map(({ code }) => code);
    expect(open).toEqual(['nextCrew']);
  });
});
