import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AGENT, crewOf, MINUTE, NINE, World } from '../../support/dispatch.js';

describe('Leg: states', () => {
  let world: World;
  beforeEach(async () => {
    world = new World();
    for (const id of ['v1', 'v2', 'v3']) await world.vehicle(id);
  });
  afterEach(async () => {
    await world.checkReplay();
    await world.close();
  });
  const state = async (orderId: string, leg = 1): Promise<string> => (await world.leg(orderId, leg)).state;
  const receipt = (orderId: string, vehicleId = 'v1', leg = 1) =>
    world.report({
      type: 'report.receipt',
      vehicleId,
      orderId,
      leg,
      result: 'ok',
      ofApplication: true,
      contentVersion: 1,
    });

  it("queued: the leg is created and is in that vehicle's queue, D", async () => {
    const orderId = await world.orderAtCentre();
    world.minutes(1);
    await world.do({ type: 'order.assign', orderId, vehicleId: 'v1' });
    expect(await world.leg(orderId)).toMatchObject({
      state: 'queued',
      vehicleId: 'v1',
      points: { D: { at: NINE + MINUTE } },
    });
    expect(await world.queue('v1')).toEqual([orderId]);
  });

  it('sent: bytes written to the link; no point', async () => {
    const orderId = await world.orderWith('v1');
    await world.deliver('v1', (item) => item.orderId === orderId);
    expect(await world.leg(orderId)).toMatchObject({ state: 'sent' });
    expect((await world.leg(orderId)).points.E).toBeUndefined();
  });

  it("delivered: the terminal's own receipt, E; the same receipt later changes nothing", async () => {
    const orderId = await world.orderWith('v1');
    world.minutes(1);
    await receipt(orderId);
    world.minutes(1);
    await receipt(orderId);
    const leg = await world.leg(orderId);
    expect(leg).toMatchObject({ state: 'delivered', points: { E: { at: NINE + MINUTE } } });
    expect(leg.claims.filter((claim) => claim.point === 'E')).toHaveLength(1);
  });

  it("delivered: the crew's page showed it, whichever is earlier", async () => {
    const orderId = await world.orderWith('v1');
    world.minutes(1);
    await world.do({ type: 'order.shown', orderId }, crewOf('v1'));
    world.minutes(1);
    await receipt(orderId);
    expect((await world.leg(orderId)).points.E!.at).toBe(NINE + MINUTE);
  });

  it('read: the crew opened it', async () => {
    const orderId = await world.orderWith('v1');
    await world.report({ type: 'report.action', vehicleId: 'v1', orderId, leg: 1, action: 'read' });
    expect(await state(orderId)).toBe('read');
  });

  it('accepted … completed: F to J, each by its step', async () => {
    const orderId = await world.orderWith('v1');
    const steps = [
      ['accept', 'accepted', 'F'],
      ['depart', 'enRoute', 'G'],
      ['arrive', 'onSite', 'H'],
      ['complete', 'workDone', 'I'],
    ] as const;
    for (const [step, to, point] of steps) {
      world.minutes(1);
      await world.do({ type: `order.${step}`, orderId }, crewOf('v1'));
      const leg = await world.leg(orderId);
      expect(leg.state).toBe(to);
      expect(leg.points[point]).toMatchObject({ at: world.clock.now(), rank: 'key', source: 'crew' });
    }
    await world.do({ type: 'order.record', orderId, record: { cause: 'fuse', done: 'replaced' } });
    expect(await world.leg(orderId)).toMatchObject({ state: 'completed', points: { J: { at: world.clock.now() } } });
  });

  it('accepted "by phone", entered by the dispatcher, is marked; at lies between D and now', async () => {
    const orderId = await world.orderWith('v1');
    world.minutes(5);
    expect(await world.refused({ type: 'order.accept', orderId, at: NINE - 1 })).toMatchObject({
      code: 'timeOutOfRange',
      status: 422,
    });
    expect(await world.refused({ type: 'order.accept', orderId, at: world.clock.now() + 1 })).toMatchObject({
      status: 422,
    });
    await world.do({ type: 'order.accept', orderId, at: NINE + MINUTE });
    expect((await world.leg(orderId)).points.F).toMatchObject({
      at: NINE + MINUTE,
      rank: 'entry',
      flags: ['byPhone', 'entered'],
    });
  });

  it('working: optional, no point of its own', async () => {
    const orderId = await world.orderWith('v1', 'onSite');
    await world.do({ type: 'order.work', orderId });
    expect(await state(orderId)).toBe('working');
    expect((await world.leg(orderId)).points.I).toBeUndefined();
  });

  it('suspended: remembers what it was', async () => {
    const orderId = await world.orderWith('v1', 'onSite');
    await world.do({ type: 'order.suspend', orderId, reason: 'moreUrgent' });
    expect(await world.leg(orderId)).toMatchObject({ state: 'suspended', before: 'onSite', reason: 'moreUrgent' });
    await world.do({ type: 'order.resume', orderId });
    expect(await state(orderId)).toBe('onSite');
    expect(await world.refused({ type: 'order.resume', orderId })).toMatchObject({ code: 'notSuspended' });
  });

  it('suspended: only an accepted leg', async () => {
    expect(await world.refused({ type: 'order.suspend', orderId: await world.orderWith('v1') })).toMatchObject({
      code: 'notAccepted',
    });
  });

  describe('recalling → recalled', () => {
    it('the terminal never got it', async () => {
      const orderId = await world.orderWith('v1');
      await world.do({ type: 'order.recall', orderId, reason: 'wrongCrew' });
      expect(await world.leg(orderId)).toMatchObject({
        state: 'recalled',
        reason: 'wrongCrew',
        recall: { how: 'neverGotIt' },
      });
    });
    it('"confirmed by phone"', async () => {
      const orderId = await world.orderWith('v1');
      await receipt(orderId);
      await world.do({ type: 'order.recall', orderId });
      expect(await state(orderId)).toBe('recalling');
      expect((await world.vehicleDoc('v1')).queue.entries).toMatchObject([{ orderId, recalling: true }]);
      expect(await world.queue('v1')).toEqual([]);
      expect(await world.refused({ type: 'order.recall', orderId })).toMatchObject({ code: 'alreadyRecalling' });
      expect(await world.refused({ type: 'order.accept', orderId })).toMatchObject({ code: 'legRecalling' });
      await world.do({ type: 'order.confirmRecall', orderId });
      expect(await world.leg(orderId)).toMatchObject({ state: 'recalled', recall: { how: 'byPhone' } });
      expect((await world.vehicleDoc('v1')).queue.entries).toEqual([]);
      expect(await world.refused({ type: 'order.confirmRecall', orderId })).toMatchObject({ code: 'notRecalling' });
    });
    it('the terminal confirms removal', async () => {
      const orderId = await world.orderWith('v1');
      await receipt(orderId);
      await world.do({ type: 'order.recall', orderId });
      const recall = await world.deliver('v1', (item) => item.kind === 'recall');
      await world.report({
        type: 'report.receipt',
        vehicleId: 'v1',
        deliveryId: recall.id,
        result: 'ok',
        ofApplication: true,
      });
      expect(await world.leg(orderId)).toMatchObject({ state: 'recalled', recall: { how: 'terminal' } });
    });
    it('on site it needs a second confirmation and offers complete, hand over, really recall', async () => {
      const orderId = await world.orderWith('v1', 'onSite');
      const refusal = await world.refused({ type: 'order.recall', orderId });
      expect(refusal).toMatchObject({
        code: 'alreadyOnSite',
        details: { choices: ['complete', 'handOver', 'reallyRecall'] },
      });
      await world.do({ type: 'order.recall', orderId, confirm: true });
      expect((await world.vehicleDoc('v1')).active).toBeUndefined();
    });
  });

  it('rejected: the crew refuses with a reason, before it sets out', async () => {
    const orderId = await world.orderWith('v1', 'accepted');
    expect(await world.refused({ type: 'order.reject', orderId })).toMatchObject({ code: 'reasonNeeded' });
    await world.do({ type: 'order.reject', orderId, reason: 'flat tyre' }, crewOf('v1'));
    expect(await world.leg(orderId)).toMatchObject({ state: 'rejected', reason: 'flat tyre' });
    expect(
      await world.refused({ type: 'order.reject', orderId: await world.orderWith('v1', 'enRoute'), reason: 'x' }),
    ).toMatchObject({ code: 'alreadyUnderWay' });
  });

  it('a leg on a tracker: "told by phone" gives E and F, marked', async () => {
    await world.vehicle('v9', { terminal: { phone: '13000000009', profile: 'tracker' } });
    const orderId = await world.orderWith('v9');
    await world.do({ type: 'order.toldByPhone', orderId });
    expect(await world.leg(orderId)).toMatchObject({
      state: 'accepted',
      toldByPhone: true,
      points: { E: { rank: 'entry', flags: ['byPhone'] }, F: { rank: 'entry', flags: ['byPhone'] } },
    });
  });

  it('reassigning is recall plus a new leg; both are visible until the old terminal confirms', async () => {
    const orderId = await world.orderWith('v1');
    await receipt(orderId);
    await world.do({ type: 'order.reassign', orderId, vehicleId: 'v2' });
    expect((await world.order(orderId)).legs.map(({ vehicleId, state }) => [vehicleId, state])).toEqual([
      ['v1', 'recalling'],
      ['v2', 'queued'],
    ]);
    expect((await world.order(orderId)).cycles[0]!.effectiveLeg).toBe(2);
    expect(await world.refused({ type: 'order.accept', orderId })).toMatchObject({ code: 'legNeeded' });
    await world.do({ type: 'order.accept', orderId, leg: 2 });
    expect(await state(orderId, 2)).toBe('accepted');
    expect(await world.refused({ type: 'order.depart', orderId, leg: 7 })).toMatchObject({
      code: 'unknownLeg',
      status: 404,
    });
  });

  it('an order is with one vehicle: a second assignment is refused', async () => {
    const orderId = await world.orderWith('v1');
    expect(await world.refused({ type: 'order.assign', orderId, vehicleId: 'v2' })).toMatchObject({
      code: 'alreadyAssigned',
      details: { vehicleId: 'v1' },
    });
    expect(await world.refused({ type: 'order.reassign', orderId, vehicleId: 'v1' })).toMatchObject({
      code: 'alreadyAssigned',
    });
  });

  it('an order that is with nobody has no leg to step', async () => {
    expect(await world.refused({ type: 'order.accept', orderId: await world.orderAtCentre() })).toMatchObject({
      code: 'noOpenLeg',
    });
    expect(await world.refused({ type: 'order.accept', orderId: 'none' })).toMatchObject({
      code: 'unknownOrder',
      status: 404,
    });
  });

  it('unknown vehicle, other centre and off duty are refused', async () => {
    const orderId = await world.orderAtCentre();
    expect(await world.refused({ type: 'order.assign', orderId, vehicleId: 'nobody' })).toMatchObject({ status: 422 });
    await world.do({ type: 'centre.put', centre: { id: 'c2', name: 'second' } });
    await world.vehicle('v8', { repairCentreId: 'c2' });
    expect(await world.refused({ type: 'order.assign', orderId, vehicleId: 'v8' })).toMatchObject({
      code: 'otherCentre',
    });
    await world.do({ type: 'vehicle.duty', vehicleId: 'v3', to: 'offDuty' });
    expect(await world.refused({ type: 'order.assign', orderId, vehicleId: 'v3' })).toMatchObject({ code: 'offDuty' });
    await world.do({ type: 'order.assign', orderId, vehicleId: 'v3', confirm: true });
  });
});

describe("The vehicle's queue", () => {
  let world: World;
  beforeEach(async () => {
    world = new World({ queueLimit: 4 });
    await world.vehicle('v1');
  });
  afterEach(async () => {
    await world.checkReplay();
    await world.close();
  });
  const revision = async (): Promise<number> => (await world.vehicleDoc('v1')).queue.revision;

  it('holds many legs up to the limit', async () => {
    for (let i = 0; i < 4; i++) await world.orderWith('v1');
    const orderId = await world.orderAtCentre();
    expect(await world.refused({ type: 'order.assign', orderId, vehicleId: 'v1' })).toMatchObject({
      code: 'queueFull',
      details: { limit: 4 },
    });
    expect(await world.queue('v1')).toHaveLength(4);
  });

  it('puts an urgent order before the normal ones that are not under way', async () => {
    const first = await world.orderWith('v1', 'enRoute');
    const second = await world.orderWith('v1');
    const urgent = await world.orderWith('v1', 'queued', { priority: 'urgent' });
    expect(await world.queue('v1')).toEqual([first, urgent, second]);
  });

  it('takes a position from 1', async () => {
    const first = await world.orderWith('v1');
    const second = await world.orderAtCentre();
    await world.do({ type: 'order.assign', orderId: second, vehicleId: 'v1', position: 1 });
    expect(await world.queue('v1')).toEqual([second, first]);
  });

  it('is reordered at the revision that the dispatcher saw, with exactly its orders', async () => {
    const ids = [await world.orderWith('v1'), await world.orderWith('v1'), await world.orderWith('v1')];
    const before = await revision();
    const reorder = { type: 'vehicle.reorder' as const, vehicleId: 'v1' };
    await world.do({ ...reorder, revision: before, orderIds: ids.toReversed() });
    expect(await world.queue('v1')).toEqual(ids.toReversed());
    expect(await revision()).toBe(before + 1);
    expect(await world.refused({ ...reorder, revision: before, orderIds: ids })).toMatchObject({
      code: 'queueChanged',
      details: { revision: before + 1 },
    });
    expect(await world.refused({ ...reorder, revision: before + 1, orderIds: ids.slice(1) })).toMatchObject({
      code: 'notTheQueue',
    });
    expect(
      await world.refused({ ...reorder, revision: before + 1, orderIds: [ids[0]!, ids[0]!, ids[1]!] }),
    ).toMatchObject({ code: 'notTheQueue' });
    await world.do({ ...reorder, revision: before + 1, orderIds: ids.toReversed() });
    expect(await revision()).toBe(before + 1);
  });

  it('departing for another order while one is en route suspends that one', async () => {
    const first = await world.orderWith('v1', 'enRoute');
    const second = await world.orderWith('v1', 'accepted');
    await world.report({ type: 'report.action', vehicleId: 'v1', orderId: second, leg: 1, action: 'depart' });
    expect((await world.leg(first)).state).toBe('suspended');
    expect((await world.leg(second)).state).toBe('enRoute');
    await world.report({ type: 'report.action', vehicleId: 'v1', orderId: first, leg: 1, action: 'depart' });
    expect((await world.leg(first)).state).toBe('enRoute');
    expect((await world.leg(second)).state).toBe('suspended');
  });

  it('on site only the dispatcher suspends; a person is refused, a terminal asks', async () => {
    const first = await world.orderWith('v1', 'onSite');
    const second = await world.orderWith('v1', 'accepted');
    expect(await world.refused({ type: 'order.depart', orderId: second })).toMatchObject({
      code: 'otherOnSite',
      details: { orderId: first },
    });
    await world.report({ type: 'report.action', vehicleId: 'v1', orderId: second, leg: 1, action: 'depart' });
    expect((await world.leg(second)).state).toBe('accepted');
    await world.report({ type: 'report.action', vehicleId: 'v1', orderId: first, leg: 1, action: 'suspend' });
    expect((await world.leg(first)).state).toBe('onSite');
    const [card] = await world.cards();
    expect(card).toMatchObject({ code: 'otherOnSite', choices: ['suspendOther', 'ignore'] });
    await world.do({ type: 'card.resolve', cardId: card!.id, choice: 'suspendOther' });
    expect([(await world.leg(first)).state, (await world.leg(second)).state]).toEqual(['suspended', 'enRoute']);
  });

  it('the crew takes up what was put aside where it was; what waits is the repair centre’s to take up', async () => {
    const orderId = await world.orderWith('v1', 'accepted');
    const press = (action: 'suspend' | 'resume' | 'depart') =>
      world.report({ type: 'report.action', vehicleId: 'v1', orderId, leg: 1, action });
    await press('resume');
    expect((await world.leg(orderId)).state).toBe('accepted');
    await press('depart');
    await press('suspend');
    expect((await world.leg(orderId)).state).toBe('suspended');
    await press('resume');
    expect((await world.leg(orderId)).state).toBe('enRoute');
    await world.do({ type: 'order.wait', orderId, reason: 'parts' });
    expect((await world.leg(orderId)).state).toBe('suspended');
    await press('resume');
    expect((await world.leg(orderId)).state).toBe('suspended');
    expect(await world.cards()).toEqual([]);
  });

  it('what the crew reported meanwhile counts when the site is left', async () => {
    const first = await world.orderWith('v1', 'onSite');
    const second = await world.orderWith('v1', 'accepted');
    await world.report({ type: 'report.action', vehicleId: 'v1', orderId: second, leg: 1, action: 'depart' });
    await world.do({ type: 'order.complete', orderId: first }, AGENT);
    expect((await world.leg(second)).state).toBe('enRoute');
    expect((await world.cards())[0]!.resolved).toBeDefined();
  });
});
