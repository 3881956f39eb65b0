import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Alert } from '../../../dispatch/domain/model.js';
import { capacityRows, capacitySummary } from '../../../dispatch/reporting/capacity.js';
import { AGENT, MINUTE, NINE, World } from '../../support/dispatch.js';

const DAY = 24 * 60;

describe('Capacity', () => {
  let world: World;
  beforeEach(async () => {
    world = new World({ language: 'en' });
    await world.vehicle('v1');
  });
  afterEach(async () => {
    await world.checkReplay();
    await world.close();
  });

  const rows = async (orderId: string) => capacityRows(await world.order(orderId), 'Asia/Shanghai');
  const alerts = async () =>
    (await world.store.scan({ index: 'alerts', limit: 100 })).items
      .map((item) => item.value as Alert)
      .filter((alert) => alert.kind === 'crewsMissing');

  it('an order that becomes atCentre while a crew of its trade is on standby does not count', async () => {
    const orderId = await world.orderAtCentre();
    await world.do({ type: 'order.assign', orderId, vehicleId: 'v1' });
    expect(await rows(orderId)).toEqual([]);
  });

  it('while none is, it counts, with the minutes until the first standby crew', async () => {
    const first = await world.orderWith('v1', 'onSite');
    const second = await world.orderAtCentre();
    expect(await rows(second)).toMatchObject([
      { orderId: second, cycle: 1, at: new Date(NINE).toISOString(), weekday: 1, halfHour: 18, waitedMs: null },
    ]);
    world.minutes(17);
    await world.do({ type: 'order.complete', orderId: first });
    world.minutes(5);
    await world.do({ type: 'order.assign', orderId: second, vehicleId: 'v1' });
    expect(await rows(second)).toMatchObject([{ waitedMs: 17 * MINUTE }]);
    expect(await rows(first)).toEqual([]);
  });

  it('or until D, where it is put into the queue of a crew that is busy', async () => {
    await world.orderWith('v1', 'onSite');
    const second = await world.orderAtCentre();
    world.minutes(6);
    await world.do({ type: 'order.assign', orderId: second, vehicleId: 'v1' });
    expect(await rows(second)).toMatchObject([{ waitedMs: 6 * MINUTE }]);
  });

  it('counts when it is assigned, where the crews were taken meanwhile', async () => {
    const first = await world.orderAtCentre();
    const second = await world.orderAtCentre();
    await world.do({ type: 'order.assign', orderId: first, vehicleId: 'v1' });
    world.minutes(1);
    await world.do({ type: 'order.assign', orderId: second, vehicleId: 'v1' });
    expect(await rows(first)).toEqual([]);
    expect(await rows(second)).toMatchObject([{ at: new Date(NINE + MINUTE).toISOString(), waitedMs: 0 }]);
  });

  it('counts once per order and cycle', async () => {
    await world.do({ type: 'vehicle.duty', vehicleId: 'v1', to: 'offDuty' });
    const orderId = await world.orderAtCentre();
    await world.do({ type: 'order.assign', orderId, vehicleId: 'v1', confirm: true });
    world.minutes(1);
    await world.do({ type: 'order.reject', orderId, reason: 'nobody here' });
    expect((await world.order(orderId)).stage).toBe('atCentre');
    expect(await rows(orderId)).toHaveLength(1);
    await world.do({ type: 'order.assign', orderId, vehicleId: 'v1', confirm: true });
    await world.do({ type: 'order.complete', orderId });
    await world.do({ type: 'order.reopen', orderId }, AGENT);
    expect((await rows(orderId)).map((row) => row.cycle)).toEqual([1, 2]);
  });

  it('looks at the trades that can do the fault', async () => {
    await world.do({ type: 'rules.put', value: { trades: { meter: ['metering'] } } });
    const meter = { fault: { category: 'meter', voltage: 'low', description: 'dead' } };
    const orderId = await world.orderAtCentre(meter);
    expect(await rows(orderId)).toHaveLength(1);
    world.minutes(3);
    await world.vehicle('v2', { trade: 'cable' });
    expect(await rows(orderId)).toMatchObject([{ waitedMs: null }]);
    await world.vehicle('v3', { trade: 'metering' });
    expect(await rows(orderId)).toMatchObject([{ waitedMs: 3 * MINUTE }]);
  });

  it.each(['onBreak', 'offDuty'] as const)('a crew that is %s is not on standby', async (to) => {
    await world.do({ type: 'vehicle.duty', vehicleId: 'v1', to, confirm: true });
    const orderId = await world.orderAtCentre();
    world.minutes(4);
    await world.do({ type: 'vehicle.duty', vehicleId: 'v1', to: 'standby' });
    expect(await rows(orderId)).toMatchObject([{ waitedMs: 4 * MINUTE }]);
  });

  it('an order that leaves the centre waits for nobody any more', async () => {
    await world.do({ type: 'vehicle.duty', vehicleId: 'v1', to: 'offDuty' });
    const orderId = await world.orderAtCentre();
    await world.do({ type: 'order.withdraw', orderId, reason: 'mistake' });
    world.minutes(4);
    await world.do({ type: 'vehicle.duty', vehicleId: 'v1', to: 'standby' });
    expect(await rows(orderId)).toMatchObject([{ waitedMs: null }]);
  });

  it('over the threshold (3 in 7 days) the repair centre is told once, and when crews were missing', async () => {
    await world.do({ type: 'vehicle.duty', vehicleId: 'v1', to: 'offDuty' });
    for (let i = 0; i < 3; i++) await world.orderAtCentre();
    expect(await alerts()).toEqual([]);
    world.minutes(DAY + 35);
    await world.orderAtCentre();
    const [alert] = await alerts();
    expect(alert).toMatchObject({ centreId: 'centre-1', told: [{ level: 'repairCentre' }] });
    expect(alert!.message).toContain('4 orders in 7 days');
    expect(alert!.message).toContain('Mon 09:00 (3), Tue 09:30 (1)');
    await world.orderAtCentre();
    expect(await alerts()).toHaveLength(1);
    world.minutes(7 * DAY);
    for (let i = 0; i < 4; i++) await world.orderAtCentre();
    const all = await alerts();
    expect(all).toHaveLength(2);
    expect(all[0]!.endedBecause).toBe('toldAgain');
  });

  it('what is older than 7 days does not count towards the threshold', async () => {
    await world.do({ type: 'vehicle.duty', vehicleId: 'v1', to: 'offDuty' });
    for (let i = 0; i < 3; i++) await world.orderAtCentre();
    world.minutes(7 * DAY);
    await world.orderAtCentre();
    expect(await alerts()).toEqual([]);
  });

  it('the report adds up by half-hour and weekday', async () => {
    await world.do({ type: 'vehicle.duty', vehicleId: 'v1', to: 'offDuty' });
    const orders = [await world.orderAtCentre(), await world.orderAtCentre()];
    world.minutes(10);
    await world.do({ type: 'vehicle.duty', vehicleId: 'v1', to: 'standby' });
    await world.do({ type: 'vehicle.duty', vehicleId: 'v1', to: 'offDuty' });
    world.minutes(20);
    orders.push(await world.orderAtCentre());
    const all = (await Promise.all(orders.map(rows))).flat();
    expect(capacitySummary(all)).toEqual([
      { weekday: 1, halfHour: 18, count: 2, medianWaitMs: 10 * MINUTE },
      { weekday: 1, halfHour: 19, count: 1, medianWaitMs: null },
    ]);
  });
});
