import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Alert, Order } from '../../../dispatch/domain/model.js';
import { timePointsOf } from '../../../dispatch/domain/time-points.js';
import { byRank } from '../../../dispatch/domain/urge.js';
import { AGENT, crewOf, DISPATCHER, MINUTE, NINE, World } from '../../support/dispatch.js';

const RECORD = { cause: 'fuse', done: 'replaced' };

describe('Order: stages', () => {
  let world: World;
  beforeEach(async () => {
    world = new World();
    await world.vehicle('v1');
    await world.vehicle('v2');
  });
  afterEach(async () => {
    await world.checkReplay();
    await world.close();
  });
  const stage = async (id: string): Promise<string> => (await world.order(id)).stage;

  it('received: the record is saved; A is when the call ended', async () => {
    const given = await world.order(await world.newOrder({ callEndedAt: NINE - MINUTE }));
    expect(given.stage).toBe('received');
    expect(given.cycles[0]!.points.A).toMatchObject({ at: NINE - MINUTE, flags: [] });
    const created = await world.order(await world.newOrder());
    expect(created.cycles[0]!.points.A).toMatchObject({ at: NINE, flags: ['created'] });
    expect([given.number, created.number]).toEqual(['20260302-0001', '20260302-0002']);
  });

  it('received: numbers count by local day, five digits after 9999', async () => {
    const late = new World({}, Date.parse('2026-03-02T16:30:00Z'));
    expect((await late.order(await late.newOrder())).number).toBe('20260303-0001');
    await late.store.commit({
      puts: [{ kind: 'counter', id: 'order:20260303', expect: 1, value: { value: 9999 }, indexes: [] }],
    });
    expect((await late.order(await late.newOrder())).number).toBe('20260303-10000');
    await late.close();
  });

  it('received: an order that fits no rule waits on the attention list until a person names its repair centre', async () => {
    const orderId = await world.newOrder({ fault: { category: 'other', voltage: 'other', description: '?' } });
    expect(await world.cards()).toMatchObject([{ kind: 'attention', code: 'noRule', orderId, choices: [] }]);
    expect(await world.refused({ type: 'order.issue', orderId }, AGENT)).toMatchObject({ code: 'noRule', status: 409 });
    expect(await world.order(orderId)).toMatchObject({ stage: 'received' });
    expect((await world.cards())[0]!.resolved, 'nobody has said where it belongs').toBeUndefined();
    await world.do({ type: 'order.issue', orderId, repairCentreId: 'centre-1' }, AGENT);
    expect((await world.cards())[0]!.resolved).toMatchObject({ choice: 'issued' });
    // Sent back, it is nowhere's again: the list has it once more.
    await world.do({ type: 'order.return', orderId, reason: 'wrongUnit' });
    expect((await world.refused({ type: 'order.issue', orderId }, AGENT)).code).toBe('noRule');
    expect((await world.cards()).filter((card) => card.code === 'noRule' && !card.resolved)).toHaveLength(1);
  });

  it('received: a call that ends in the future, and an unknown category, are refused', async () => {
    const order = {
      type: 'order.create' as const,
      customer: { name: 'Z', phone: '1' },
      site: { lat: 1, lon: 1, address: '' },
    };
    const fault = { category: 'outage', voltage: 'low' as const, description: '' };
    expect(await world.refused({ ...order, fault, callEndedAt: NINE + 1 })).toMatchObject({
      code: 'timeOutOfRange',
      status: 422,
    });
    expect(await world.refused({ ...order, fault: { ...fault, category: 'x' } })).toMatchObject({
      code: 'unknownCategory',
      status: 422,
    });
  });

  it('issued: sent to a repair centre, B; an unknown centre is 422', async () => {
    const orderId = await world.newOrder();
    expect(await world.refused({ type: 'order.issue', orderId, repairCentreId: 'nowhere' })).toMatchObject({
      status: 422,
    });
    world.minutes(1);
    await world.do({ type: 'order.issue', orderId }, AGENT);
    const order = await world.order(orderId);
    expect(order).toMatchObject({ stage: 'issued', repairCentreId: 'centre-1' });
    expect(timePointsOf(order).B).toMatchObject({ at: NINE + MINUTE, by: 'agent' });
    expect(await world.refused({ type: 'order.issue', orderId })).toMatchObject({ code: 'wrongStage' });
  });

  it('atCentre: the first client of the centre got it, without a click; a second changes nothing', async () => {
    const orderId = await world.newOrder();
    await world.do({ type: 'order.issue', orderId }, AGENT);
    world.minutes(1);
    await world.do({ type: 'order.reachedCentre', orderId });
    world.minutes(1);
    await world.do({ type: 'order.reachedCentre', orderId });
    const order = await world.order(orderId);
    expect(order.stage).toBe('atCentre');
    expect(timePointsOf(order).C!.at).toBe(NINE + MINUTE);
    expect(order.receivedBy).toBeUndefined();
  });

  it("atCentre: a person's acceptance is C if that is earlier, and is kept beside it", async () => {
    const orderId = await world.newOrder();
    await world.do({ type: 'order.issue', orderId }, AGENT);
    world.minutes(1);
    await world.do({ type: 'order.receive', orderId });
    const order = await world.order(orderId);
    expect(timePointsOf(order).C!.at).toBe(NINE + MINUTE);
    expect(order.receivedBy).toEqual({ name: 'wang', at: NINE + MINUTE });
  });

  it.each(['assign', 'return'] as const)('atCentre: %s implies acceptance', async (step) => {
    const orderId = await world.newOrder();
    await world.do({ type: 'order.issue', orderId }, AGENT);
    await world.do({ type: `order.${step}`, orderId, vehicleId: 'v1', reason: 'wrongUnit' } as never);
    const order = await world.order(orderId);
    expect(order.receivedBy?.name).toBe('wang');
    expect(timePointsOf(order).C).toBeDefined();
  });

  it('dispatched: while a leg is open; atCentre again when the last open leg ended without work', async () => {
    const orderId = await world.orderWith('v1');
    expect(await stage(orderId)).toBe('dispatched');
    await world.do({ type: 'order.reject', orderId, reason: 'flat tyre' });
    expect(await stage(orderId)).toBe('atCentre');
  });

  it('dispatched: a recalling leg keeps it so until its removal is confirmed', async () => {
    const orderId = await world.orderWith('v1', 'accepted');
    await world.report({ type: 'report.receipt', vehicleId: 'v1', orderId, leg: 1, result: 'ok', ofApplication: true });
    await world.do({ type: 'order.recall', orderId });
    expect(await stage(orderId)).toBe('dispatched');
    await world.do({ type: 'order.confirmRecall', orderId });
    expect(await stage(orderId)).toBe('atCentre');
  });

  it('waiting: needs a reason, suspends accepted legs; resuming takes them up where they were', async () => {
    const orderId = await world.orderWith('v1', 'enRoute');
    expect(await world.refused({ type: 'order.wait', orderId })).toMatchObject({ code: 'reasonNeeded' });
    await world.do({ type: 'order.wait', orderId, reason: 'parts' });
    expect(await world.order(orderId)).toMatchObject({ stage: 'waiting', reason: { code: 'parts' } });
    expect(await world.leg(orderId)).toMatchObject({ state: 'suspended', before: 'enRoute' });
    await world.do({ type: 'order.resume', orderId });
    expect(await stage(orderId)).toBe('dispatched');
    expect((await world.leg(orderId)).state).toBe('enRoute');
  });

  it('waiting: recalls legs that are not accepted', async () => {
    const orderId = await world.orderWith('v1');
    await world.do({ type: 'order.wait', orderId, reason: 'customer' });
    expect(await stage(orderId)).toBe('waiting');
    expect(['recalling', 'recalled']).toContain((await world.leg(orderId)).state);
    await world.do({ type: 'order.assign', orderId, vehicleId: 'v2' });
    expect(await stage(orderId)).toBe('dispatched');
  });

  it('returned: with a reason; the stage changes at once, open legs are recalled; issued again it is a new issue', async () => {
    const orderId = await world.orderWith('v1', 'accepted');
    await world.do({ type: 'order.return', orderId, reason: 'wrongUnit', note: 'not ours' });
    const returned = await world.order(orderId);
    expect(returned).toMatchObject({ stage: 'returned', reason: { code: 'wrongUnit', note: 'not ours', by: 'wang' } });
    expect(['recalling', 'recalled']).toContain(returned.legs[0]!.state);
    await world.do({ type: 'order.issue', orderId }, AGENT);
    expect((await world.order(orderId)).cycles[0]!.issues).toMatchObject([{}, { causedBy: 'callCentre' }]);
  });

  it('withdrawn: before repair, with a reason', async () => {
    const orderId = await world.orderWith('v1', 'accepted');
    await world.do({ type: 'order.withdraw', orderId, reason: 'powerBack' }, AGENT);
    expect(await stage(orderId)).toBe('withdrawn');
    expect(await world.queue('v1')).toEqual([]);
    const done = await world.orderWith('v2', 'workDone');
    expect(await world.refused({ type: 'order.withdraw', orderId: done, reason: 'x' })).toMatchObject({
      code: 'wrongStage',
    });
  });

  it.each(['return', 'wait', 'withdraw'] as const)(
    '%s is refused once a leg is on site, unless confirmed expressly',
    async (step) => {
      const orderId = await world.orderWith('v1', 'onSite');
      const command = { type: `order.${step}` as const, orderId, reason: 'x' };
      expect(await world.refused(command)).toMatchObject({ code: 'alreadyOnSite', details: { vehicleId: 'v1' } });
      await world.do({ ...command, confirm: true });
      expect((await world.leg(orderId)).state).not.toBe('onSite');
    },
  );

  it('repaired: the field result is in; the order leaves the queue', async () => {
    const orderId = await world.orderWith('v1', 'workDone');
    expect(await stage(orderId)).toBe('repaired');
    expect(await world.queue('v1')).toEqual([]);
  });

  it('recorded: not until the fields that the fault kind requires are there', async () => {
    const orderId = await world.orderWith('v1', 'workDone', {
      fault: { category: 'cable', voltage: 'low', description: '' },
    });
    const refusal = await world.refused({ type: 'order.record', orderId, record: { cause: 'digger' } });
    expect(refusal).toMatchObject({
      code: 'recordIncomplete',
      details: { missing: ['done', 'equipment', 'materials'] },
    });
    world.minutes(1);
    const record = { ...RECORD, equipment: 'joint', materials: '3 m cable', extra: { depth: '0.8 m' } };
    await world.do({ type: 'order.record', orderId, record }, crewOf('v1'));
    const order = await world.order(orderId);
    expect(order).toMatchObject({ stage: 'recorded', legs: [{ state: 'completed' }] });
    expect(order.cycles[0]!.record).toMatchObject({ ...record, by: 'crew-v1' });
    expect(timePointsOf(order).J!.at).toBe(world.clock.now());
  });

  it('recorded: required fields are configuration', async () => {
    await world.do({ type: 'rules.put', value: { requiredFields: { outage: ['meterNumber'] } } });
    const orderId = await world.orderWith('v1', 'workDone');
    expect(await world.refused({ type: 'order.record', orderId, record: RECORD })).toMatchObject({
      details: { missing: ['meterNumber'] },
    });
    await world.do({ type: 'order.record', orderId, record: { ...RECORD, extra: { meterNumber: '42' } } });
    expect(await stage(orderId)).toBe('recorded');
  });

  describe('closed', () => {
    async function recorded(): Promise<string> {
      const orderId = await world.orderWith('v1', 'workDone');
      await world.do({ type: 'order.record', orderId, record: RECORD });
      return orderId;
    }
    it.each(['satisfied', 'unsatisfied', 'notWanted'] as const)('called back: %s', async (result) => {
      const orderId = await recorded();
      await world.do({ type: 'order.callback', orderId, result, words: 'well' }, AGENT);
      const order = await world.order(orderId);
      expect(order.stage).toBe('closed');
      expect(order.cycles[0]!.callBacks).toMatchObject([{ result, words: 'well', by: 'agent' }]);
    });
    it('three tries failed', async () => {
      const orderId = await recorded();
      for (const expected of ['recorded', 'recorded', 'closed']) {
        await world.do({ type: 'order.callback', orderId, result: 'noAnswer' }, AGENT);
        expect(await stage(orderId)).toBe(expected);
      }
    });
    it('still dark: re-opened with a new cycle, B = C = now, the first call’s A; the earlier verdict stands', async () => {
      const orderId = await recorded();
      world.minutes(30);
      const first = (await world.order(orderId)).cycles[0]!;
      await world.do({ type: 'order.callback', orderId, result: 'stillDark' }, AGENT);
      const order = await world.order(orderId);
      expect(order.stage).toBe('atCentre');
      const points = timePointsOf(order);
      expect(points.A!.at).toBe(NINE);
      expect([points.B!.at, points.C!.at]).toEqual([world.clock.now(), world.clock.now()]);
      expect(order.cycles[0]).toMatchObject({ points: first.points, effectiveLeg: 1, endedAt: world.clock.now() });
      await world.do({ type: 'order.assign', orderId, vehicleId: 'v2' });
      expect((await world.order(orderId)).legs.map(({ leg, cycle }) => [leg, cycle])).toEqual([
        [1, 1],
        [2, 2],
      ]);
    });
  });

  it('an urge changes no stage: it is counted, noted, told, and sounded in the cab with spacing', async () => {
    const orderId = await world.orderWith('v1');
    for (const minutes of [0, 1, 3]) {
      world.minutes(minutes);
      await world.do({ type: 'order.urge', orderId, note: 'fridge' }, AGENT);
    }
    const order = await world.order(orderId);
    expect(order.stage).toBe('dispatched');
    expect(order.urges.map((urge) => urge.sounded ?? false)).toEqual([true, false, true]);
    const told = (await world.events()).filter((event) => event.type === 'order.urged');
    expect(told.map((event) => event.vehicleId)).toEqual(['v1', 'v1', 'v1']);
  });

  it('an urge is told to whoever holds the order, until the crew is there', async () => {
    const alerts = async () =>
      (await world.store.scan({ index: 'alerts', limit: 100 })).items
        .map((item) => item.value as Alert)
        .filter(({ kind }) => kind === 'urged');
    const orderId = await world.newOrder();
    await world.do({ type: 'order.urge', orderId }, AGENT);
    expect(await alerts()).toMatchObject([{ told: [{ level: 'callCentre' }], orderId }]);
    await world.do({ type: 'order.issue', orderId }, AGENT);
    await world.do({ type: 'order.assign', orderId, vehicleId: 'v1' });
    await world.do({ type: 'order.urge', orderId }, AGENT);
    expect(await alerts(), 'nobody has acknowledged the first yet').toHaveLength(1);
    await world.do({ type: 'alert.acknowledge', alertId: (await alerts())[0]!.id }, AGENT);
    await world.do({ type: 'order.urge', orderId }, AGENT);
    expect((await alerts())[1]).toMatchObject({
      told: [{ level: 'repairCentre' }, { level: 'crew' }],
      vehicleId: 'v1',
    });
    await world.do({ type: 'order.arrive', orderId });
    expect((await alerts()).map((alert) => alert.endedBecause)).toEqual(['happened', 'happened']);
  });

  it('an urge raises the rank: urgent orders first, then who called more often, then whose promise ends first', async () => {
    const deadline = (order: Readonly<Order>): number => order.createdAt;
    const [plain, later, urged, urgent] = [
      await world.orderAtCentre(),
      (world.minutes(1), await world.orderAtCentre()),
      await world.orderAtCentre(),
      await world.orderAtCentre({ priority: 'urgent' }),
    ];
    await world.do({ type: 'order.urge', orderId: urged }, AGENT);
    const orders = await Promise.all([later, plain, urgent, urged].map((id) => world.order(id)));
    expect(orders.sort(byRank(deadline)).map(({ id }) => id)).toEqual([urgent, urged, plain, later]);
  });

  it('a call that ended more than a day ago is confirmed expressly', async () => {
    const day = 24 * 60 * MINUTE;
    const customer = { name: 'Zhao', phone: '13900000000' };
    const site = { lat: 39.9, lon: 116.4, address: 'Road 1' };
    const fault = { category: 'outage', voltage: 'low' as const, description: 'dark' };
    const create = { type: 'order.create' as const, customer, site, fault, callEndedAt: NINE - day - 1 };
    expect(await world.refused(create, AGENT)).toMatchObject({
      code: 'callLongAgo', status: 409, details: { choices: ['confirm'] },
    }); // prettier-ignore
    const { orderId } = await world.do({ ...create, confirm: true }, AGENT);
    expect(timePointsOf(await world.order(String(orderId))).A!.at).toBe(NINE - day - 1);
    await world.newOrder({ callEndedAt: NINE - day });
  });

  describe('merged', () => {
    it('subs follow the main order, leave the trucks’ lists, keep A to C and their own call-back', async () => {
      const main = await world.orderWith('v1', 'accepted');
      world.minutes(1);
      const sub = await world.orderWith('v2', 'accepted');
      await world.do({ type: 'order.merge', orderId: sub, into: main });
      expect(await world.order(sub)).toMatchObject({ stage: 'merged', mergedInto: main });
      expect((await world.order(main)).subs).toEqual([sub]);
      expect(await world.queue('v2')).toEqual([]);
      await world.do({ type: 'order.complete', orderId: main });
      await world.do({ type: 'order.record', orderId: main, record: RECORD });
      expect(await stage(sub)).toBe('recorded');
      expect(timePointsOf(await world.order(sub)).A!.at).toBe(NINE + MINUTE);
      await world.do({ type: 'order.callback', orderId: sub, result: 'satisfied' }, AGENT);
      expect([await stage(sub), await stage(main)]).toEqual(['closed', 'recorded']);
      expect(await world.refused({ type: 'order.unmerge', orderId: sub })).toMatchObject({ code: 'mainRecorded' });
      expect(await world.refused({ type: 'order.unmerge', orderId: main })).toMatchObject({ code: 'notMerged' });
    });
    it('subs that have no result yet still follow a main order that is re-opened', async () => {
      const main = await world.orderWith('v1', 'accepted');
      const sub = await world.orderAtCentre();
      await world.do({ type: 'order.merge', orderId: sub, into: main });
      await world.do({ type: 'order.complete', orderId: main });
      await world.do({ type: 'order.reopen', orderId: main, reason: 'stillDark' }, AGENT);
      expect([await stage(main), await stage(sub), (await world.order(main)).subs]).toEqual([
        'atCentre',
        'merged',
        [sub],
      ]);
      await world.do({ type: 'order.assign', orderId: main, vehicleId: 'v1' });
      await world.do({ type: 'order.complete', orderId: main });
      await world.do({ type: 'order.record', orderId: main, record: RECORD });
      expect(await stage(sub)).toBe('recorded');
    });
    it('a sub that was never issued, still dark at its call-back, is at the main order’s repair centre', async () => {
      await world.do({ type: 'centre.put', centre: { id: 'centre-2' } });
      await world.vehicle('v9', { repairCentreId: 'centre-2' });
      const main = await world.newOrder();
      await world.do({ type: 'order.issue', orderId: main, repairCentreId: 'centre-2' }, AGENT);
      await world.do({ type: 'order.assign', orderId: main, vehicleId: 'v9' });
      const sub = await world.newOrder();
      await world.do({ type: 'order.merge', orderId: sub, into: main }, AGENT);
      await world.do({ type: 'order.complete', orderId: main });
      await world.do({ type: 'order.record', orderId: main, record: RECORD });
      await world.do({ type: 'order.callback', orderId: sub, result: 'stillDark' }, AGENT);
      expect(await world.order(sub)).toMatchObject({ stage: 'atCentre', repairCentreId: 'centre-2' });
      const waiting = await world.store.scan({
        index: 'orders.centreStage',
        from: 'centre-2/atCentre/',
        to: 'centre-2/atCentre0',
        limit: 10,
      });
      expect(waiting.items.map(({ id }) => id)).toEqual([sub]);
    });
    it('can be undone until the main order is recorded', async () => {
      const main = await world.orderWith('v1', 'accepted');
      const sub = await world.orderAtCentre();
      await world.do({ type: 'order.merge', orderId: sub, into: main });
      await world.do({ type: 'order.unmerge', orderId: sub });
      expect(await stage(sub)).toBe('atCentre');
      expect((await world.order(main)).subs).toEqual([]);
    });
    it('refuses itself, chains and subs on site', async () => {
      const main = await world.orderAtCentre();
      const sub = await world.orderAtCentre();
      await world.do({ type: 'order.merge', orderId: sub, into: main });
      expect(await world.refused({ type: 'order.merge', orderId: main, into: main })).toMatchObject({
        code: 'sameOrder',
      });
      expect(await world.refused({ type: 'order.merge', orderId: await world.newOrder(), into: sub })).toMatchObject({
        code: 'mainIsMerged',
      });
      expect(await world.refused({ type: 'order.merge', orderId: main, into: await world.newOrder() })).toMatchObject({
        code: 'hasSubs',
      });
      const onSite = await world.orderWith('v1', 'onSite');
      expect(await world.refused({ type: 'order.merge', orderId: onSite, into: main })).toMatchObject({
        code: 'alreadyOnSite',
      });
    });
    it('a withdrawn main order sets its subs free', async () => {
      const main = await world.orderAtCentre();
      const sub = await world.orderAtCentre();
      await world.do({ type: 'order.merge', orderId: sub, into: main });
      await world.do({ type: 'order.withdraw', orderId: main, reason: 'mistake' });
      expect(await world.order(sub)).toMatchObject({ stage: 'atCentre' });
      expect((await world.order(sub)).mergedInto).toBeUndefined();
    });
  });

  it('an edit raises the content version of open legs', async () => {
    const orderId = await world.orderWith('v1');
    await world.do({ type: 'order.edit', orderId, changes: { site: { address: 'Road 2' } } }, DISPATCHER);
    const order = await world.order(orderId);
    expect(order.site).toMatchObject({ address: 'Road 2', lat: 39.9 });
    expect([order.contentVersion, order.legs[0]!.contentVersion]).toEqual([2, 2]);
  });
});
