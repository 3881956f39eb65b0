import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { shownDuty } from '../../../dispatch/domain/duty.js';
import { DISPATCHER, MINUTE, NINE, World } from '../../support/dispatch.js';

describe('Availability', () => {
  let world: World;
  beforeEach(async () => {
    world = new World();
    for (const id of ['v1', 'v2', 'v3']) await world.vehicle(id);
    await world.vehicle('v4', { trade: 'cable' });
  });
  afterEach(async () => {
    await world.checkReplay();
    await world.close();
  });
  const duty = (vehicleId: string, to: 'standby' | 'onBreak' | 'offDuty', more = {}) => ({
    type: 'vehicle.duty' as const,
    vehicleId,
    to,
    ...more,
  });
  const state = async (id: string) => (await world.vehicleDoc(id)).duty.state;

  it('two crews of one trade in one centre cannot be on break at once; the refusal names the other', async () => {
    await world.do(duty('v1', 'onBreak'));
    expect(await world.refused(duty('v2', 'onBreak'))).toMatchObject({
      code: 'otherOnBreak',
      details: { crew: 'crew v1', place: 1 },
    });
    expect(await state('v2')).toBe('standby');
    await world.do(duty('v4', 'onBreak', { confirm: true }));
  });

  it('is granted atomically: of simultaneous requests one wins', async () => {
    const results = await Promise.allSettled(
      ['v1', 'v2', 'v3'].map((id) => world.dispatch.execute(duty(id, 'onBreak'), DISPATCHER)),
    );
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
  });

  it('the refused wait in turn: the first is told when the break ends', async () => {
    await world.do(duty('v1', 'onBreak'));
    await world.refused(duty('v3', 'onBreak'));
    await world.refused(duty('v2', 'onBreak'));
    await world.do(duty('v1', 'standby'));
    const told = (await world.events()).filter((event) => event.type === 'duty.breakFree');
    expect(told.map((event) => event.vehicleId)).toEqual(['v3']);
    expect((await world.get('outbox', 'v3')).items.at(-1)).toMatchObject({ kind: 'notice', text: '现在可以暂离' });
    await world.do(duty('v3', 'onBreak'));
  });

  it('if nobody of the trade would be left on standby, the dispatcher confirms', async () => {
    await world.orderWith('v2');
    await world.do(duty('v3', 'offDuty'));
    expect(await world.refused(duty('v1', 'onBreak'))).toMatchObject({ code: 'nobodyLeft' });
    await world.do(duty('v1', 'onBreak', { confirm: true }));
  });

  it('from a terminal that is under way: the driver reads why there is no break', async () => {
    await world.orderWith('v1', 'enRoute');
    await world.report({ type: 'report.duty', vehicleId: 'v1', to: 'onBreak' });
    expect(await state('v1')).toBe('standby');
    expect((await world.get('outbox', 'v1')).items.at(-1)).toMatchObject({
      kind: 'notice',
      text: '有工单在途或在现场，不能暂离',
    });
  });

  it('from a terminal: the refusal is a notice, and the dispatcher is asked', async () => {
    await world.report({ type: 'report.duty', vehicleId: 'v4', to: 'onBreak' });
    expect(await state('v4')).toBe('standby');
    expect((await world.get('outbox', 'v4')).items.at(-1)).toMatchObject({ text: '暂离需调度员确认' });
    const [card] = await world.cards();
    expect(card).toMatchObject({ code: 'breakNeedsConfirmation', vehicleId: 'v4' });
    await world.do({ type: 'card.resolve', cardId: card!.id, choice: 'grant' });
    expect(await state('v4')).toBe('onBreak');
  });

  it('queued legs that are not accepted when the break starts, and orders that come during it, are proposed for another vehicle', async () => {
    const queued = await world.orderWith('v1');
    await world.orderWith('v1', 'accepted');
    await world.do(duty('v1', 'onBreak'));
    const during = await world.orderWith('v1');
    const proposed = (await world.cards()).filter((card) => card.code === 'crewOnBreak');
    expect(new Set(proposed.map((card) => card.orderId))).toEqual(new Set([queued, during]));
    await world.do({ type: 'order.accept', orderId: queued });
    expect((await world.cards()).find((card) => card.orderId === queued)!.resolved).toBeDefined();
  });

  it('a break ends by key or page', async () => {
    await world.do(duty('v1', 'onBreak'));
    await world.report({ type: 'report.duty', vehicleId: 'v1', to: 'standby' });
    expect(await state('v1')).toBe('standby');
  });

  it('a break ends by its time limit; the crew is on standby again', async () => {
    await world.do(duty('v1', 'onBreak', { until: NINE + 10 * MINUTE }));
    await world.do(duty('v4', 'onBreak', { confirm: true }));
    await world.dispatch.start();
    let ended = false;
    world.dispatch.follow(0, (events) => {
      ended ||= events.some((event) => event.type === 'duty.standby');
    });
    world.minutes(9);
    expect(await state('v1')).toBe('onBreak');
    while (!ended) {
      world.clock.advance(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await world.vehicleDoc('v1')).duty).toMatchObject({ state: 'standby', reason: 'limit' });
    expect(await state('v4')).toBe('onBreak');
  });

  it('going off duty with open legs is refused with the list of them', async () => {
    const orderId = await world.orderWith('v1');
    expect(await world.refused(duty('v1', 'offDuty'))).toMatchObject({
      code: 'openLegs',
      details: { legs: [{ orderId, leg: 1 }] },
    });
    expect(await world.refused(duty('v1', 'onBreak', { until: NINE - 1 }))).toMatchObject({ code: 'timeOutOfRange' });
  });

  it('tasked, en route, on site and unreachable are derived', async () => {
    const shown = async (): Promise<string> =>
      shownDuty(await world.vehicleDoc('v1'), world.clock.now(), world.dispatch.settings);
    expect(await shown()).toBe('standby');
    const orderId = await world.orderWith('v1', 'accepted');
    expect(await shown()).toBe('tasked');
    await world.do({ type: 'order.depart', orderId });
    expect(await shown()).toBe('enRoute');
    await world.do({ type: 'order.arrive', orderId });
    expect(await shown()).toBe('onSite');
    await world.do({
      type: 'link.up',
      vehicleId: 'v1',
      phone: '13000000001',
      address: 'a',
      transport: 'tcp',
      node: 'n',
    });
    await world.do({ type: 'link.down', vehicleId: 'v1', phone: '13000000001', reason: 'closed' });
    expect(await shown()).toBe('onSite');
    world.minutes(2);
    expect(await shown()).toBe('unreachable');
  });
});
