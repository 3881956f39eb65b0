import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { segmentsOf } from '../../../dispatch/domain/segments.js';
import { timePointsOf } from '../../../dispatch/domain/time-points.js';
import { AGENT, MINUTE, NINE, World } from '../../support/dispatch.js';

describe('the road of one order', () => {
  let world: World;
  beforeEach(() => void (world = new World()));
  afterEach(async () => {
    await world.checkReplay();
    await world.close();
  });

  it('leads from the call to repaired, with every point and segments that add up', async () => {
    await world.vehicle('v1');
    const orderId = await world.newOrder({ callEndedAt: NINE - MINUTE });
    world.minutes(1);
    await world.do({ type: 'order.issue', orderId }, AGENT);
    world.minutes(1);
    await world.do({ type: 'order.reachedCentre', orderId });
    world.minutes(2);
    await world.do({ type: 'order.assign', orderId, vehicleId: 'v1' });
    world.minutes(1);
    const action = { type: 'report.action' as const, vehicleId: 'v1', orderId, leg: 1 };
    await world.report({ ...action, action: 'accept', deviceAt: world.clock.now() - 2_000 });
    world.minutes(2);
    await world.report({ ...action, action: 'depart', deviceAt: world.clock.now() });
    world.minutes(20);
    await world.report({ ...action, action: 'arrive', deviceAt: world.clock.now() });
    world.minutes(10);
    await world.report({ ...action, action: 'done', deviceAt: world.clock.now() });

    const order = await world.order(orderId);
    expect(order.number).toBe('20260302-0001');
    expect(order.stage).toBe('repaired');
    expect(order.legs[0]!.state).toBe('workDone');
    expect(Object.keys(timePointsOf(order)).join('')).toBe('ABCDEFGHI');
    const segments = segmentsOf(order, world.clock.now(), world.dispatch.settings);
    expect(segments.map(({ name, elapsedMs, state }) => [name, (elapsedMs ?? 0) / 1000, state])).toEqual([
      ['AB', 120, 'met'],
      ['BC', 60, 'met'],
      ['CD', 120, 'met'],
      ['R', 0, 'met'],
      ['DE', 58, 'met'],
      ['EF', 0, 'met'],
      ['FG', 122, 'met'],
      ['GH', 1200, 'met'],
      ['AH', 1680, 'met'],
    ]);
    expect(await world.queue('v1')).toEqual([]);
  });
});
