import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startAutomaticMode } from '../../../dispatch/automatic-mode.js';
import { noRoad } from '../../../dispatch/road.js';
import type { StoredEvent } from '../../../dispatch/domain/events.js';
import { AGENT, MINUTE, NINE, World } from '../../support/dispatch.js';

describe('the automatic mode of a repair centre', () => {
  let world: World;
  let mode: { cancel(): void } | undefined;
  beforeEach(async () => {
    world = new World();
    await world.do({ type: 'centre.put', centre: { id: 'centre-1', automaticMode: true } });
    await world.vehicle('v1');
    await world.vehicle('v2');
  });
  afterEach(async () => {
    mode?.cancel();
    await world.checkReplay();
    await world.close();
  });
  const next = (type: string, count = 1) =>
    new Promise<StoredEvent>((resolve) => {
      let seen = 0;
      world.dispatch.follow(0, (events) => {
        for (const event of events) if (event.type === type && ++seen === count) resolve(event);
      });
    });
  const start = async () => void (mode = await startAutomaticMode(world.dispatch, noRoad, { warn: () => {} }));

  it('assigns what comes, to another crew when one refuses, and not what a dispatcher took back', async () => {
    await start();
    const orderId = await world.orderAtCentre();
    const assigned = await next('leg.queued');
    expect(assigned).toMatchObject({ orderId, source: 'rule', by: 'automaticMode' });
    await world.do({ type: 'order.reject', orderId, reason: 'flat tyre' });
    const again = await next('leg.queued', 2);
    expect(again.vehicleId).not.toBe(assigned.vehicleId);
    await world.do({ type: 'order.recall', orderId });
    const other = await world.orderAtCentre();
    expect((await next('leg.queued', 3)).orderId).toBe(other);
    expect((await world.order(orderId)).legs).toHaveLength(2);
  });

  it('assigns what waited while nothing ran', async () => {
    const orderId = await world.orderAtCentre();
    await start();
    expect((await world.order(orderId)).stage).toBe('dispatched');
  });

  it('receives what is issued while nobody is signed in for the centre, and assigns it', async () => {
    await start();
    const orderId = await world.newOrder();
    world.minutes(1);
    await world.do({ type: 'order.issue', orderId }, AGENT);
    expect((await next('leg.queued')).orderId).toBe(orderId);
    const order = await world.order(orderId);
    expect(order).toMatchObject({ stage: 'dispatched', receivedBy: { name: 'automaticMode' } });
    expect(order.cycles[0]!.points.C).toMatchObject({ at: NINE + MINUTE, source: 'rule' });
  });

  it('receives what finds no crew, and leaves its acceptance to a person', async () => {
    for (const vehicleId of ['v1', 'v2']) await world.do({ type: 'vehicle.duty', vehicleId, to: 'offDuty' });
    const orderId = await world.newOrder();
    await world.do({ type: 'order.issue', orderId }, AGENT);
    await start();
    const order = await world.order(orderId);
    expect([order.stage, order.receivedBy]).toEqual(['atCentre', undefined]);
  });

  it('leaves other centres alone', async () => {
    await world.do({ type: 'centre.put', centre: { id: 'centre-1', automaticMode: false } });
    const orderId = await world.orderAtCentre();
    await start();
    expect((await world.order(orderId)).stage).toBe('atCentre');
  });
});

describe('a delivery deadline', () => {
  it('expires a leg that is not delivered by then, only where the centre sets one', async () => {
    const world = new World();
    await world.vehicle('v1');
    await world.vehicle('v2');
    const without = await world.orderWith('v1');
    await world.do({ type: 'centre.put', centre: { id: 'centre-1', deliveryDeadlineMin: 5 } });
    const late = await world.orderWith('v2');
    const delivered = await world.orderWith('v2');
    await world.report({
      type: 'report.receipt',
      vehicleId: 'v2',
      orderId: delivered,
      leg: 1,
      result: 'ok',
      ofApplication: true,
      contentVersion: 1,
    });
    await world.dispatch.start();
    let expired = false;
    world.dispatch.follow(0, (events) => {
      expired ||= events.some((event) => event.type === 'leg.expired');
    });
    world.clock.advance(5 * MINUTE);
    while (!expired) {
      world.clock.advance(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await world.order(late)).toMatchObject({
      stage: 'atCentre',
      legs: [{ state: 'expired', reason: 'deliveryDeadline' }],
    });
    expect((await world.leg(delivered)).state).toBe('delivered');
    expect((await world.leg(without)).state).toBe('queued');
    await world.checkReplay();
    await world.close();
  });
});
