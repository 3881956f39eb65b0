import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CrewAction } from '../../../dispatch/domain/terminal-actions.js';
import { crewOf, MINUTE, NINE, World } from '../../support/dispatch.js';

describe('Events from the terminal are forgiving', () => {
  let world: World;
  let orderId: string;
  beforeEach(async () => {
    world = new World();
    for (const id of ['v1', 'v2']) await world.vehicle(id);
    orderId = await world.orderWith('v1');
    await world.report({
      type: 'report.receipt',
      vehicleId: 'v1',
      orderId,
      leg: 1,
      result: 'ok',
      ofApplication: true,
      contentVersion: 1,
    });
  });
  afterEach(async () => {
    await world.checkReplay();
    await world.close();
  });
  const press = (action: CrewAction, more: Record<string, unknown> = {}): Promise<void> =>
    world.report({ type: 'report.action', vehicleId: 'v1', orderId, leg: 1, action, ...more });
  const openCards = async () => (await world.cards()).filter((card) => !card.resolved);

  it('the same frame again: no second event', async () => {
    world.minutes(1);
    await press('accept', { deviceAt: world.clock.now(), dedupKey: 'same' });
    const events = (await world.events()).length;
    world.minutes(1);
    await press('accept', { deviceAt: NINE + MINUTE, dedupKey: 'same' });
    expect(await world.events()).toHaveLength(events);
  });

  it('same meaning, new frame: the earliest by its own time stands, the others are kept as claims', async () => {
    world.minutes(3);
    await press('accept', { deviceAt: NINE + 2 * MINUTE });
    await press('accept', { deviceAt: NINE + MINUTE });
    await press('accept', { deviceAt: NINE + 3 * MINUTE });
    const leg = await world.leg(orderId);
    expect(leg.points.F!.at).toBe(NINE + MINUTE);
    expect(leg.claims.filter((claim) => claim.point === 'F')).toHaveLength(3);
  });

  it('late: applied at device time, flagged', async () => {
    world.minutes(30);
    await press('accept', { deviceAt: NINE + MINUTE });
    expect((await world.leg(orderId)).points.F).toMatchObject({ at: NINE + MINUTE, rank: 'key', flags: ['late'] });
  });

  it('a terminal whose clock is ahead: corrected by the measured offset', async () => {
    await world.do({ type: 'link.clockOffset', phone: '13000000001', ms: 10 * MINUTE });
    world.minutes(2);
    await press('accept', { deviceAt: NINE + 11 * MINUTE });
    expect((await world.leg(orderId)).points.F).toMatchObject({
      at: NINE + MINUTE,
      rank: 'key',
      flags: ['corrected'],
      deviceAt: NINE + 11 * MINUTE,
    });
  });

  it('no valid device time: received time, flagged, of lower rank', async () => {
    world.minutes(2);
    await press('accept', { deviceAt: NINE - MINUTE });
    expect((await world.leg(orderId)).points.F).toMatchObject({
      at: NINE + 2 * MINUTE,
      rank: 'keyWithoutTime',
      flags: ['received'],
    });
  });

  it('a batch from a radio hole: the rule’s findings correct the leg that was effective then', async () => {
    world.minutes(20);
    const rule = { vehicleId: 'v1', orderId, leg: 1 };
    await world.report(
      { type: 'rule.departed', ...rule, at: NINE + 3 * MINUTE },
      { type: 'rule.arrived', ...rule, at: NINE + 9 * MINUTE },
    );
    expect(await world.leg(orderId)).toMatchObject({
      state: 'onSite',
      points: {
        F: { rank: 'implied', at: NINE + 3 * MINUTE },
        G: { rank: 'serverFence' },
        H: { at: NINE + 9 * MINUTE },
      },
    });
  });

  it('out of order: the state is the furthest reached, each point by its own time', async () => {
    world.minutes(20);
    await press('arrive', { deviceAt: NINE + 15 * MINUTE });
    await press('accept', { deviceAt: NINE + 2 * MINUTE });
    await press('depart', { deviceAt: NINE + 3 * MINUTE });
    const leg = await world.leg(orderId);
    expect(leg.state).toBe('onSite');
    expect([leg.points.F!.at, leg.points.G!.at, leg.points.H!.at]).toEqual([2, 3, 15].map((m) => NINE + m * MINUTE));
  });

  it('out of order: what comes after "done" still stamps', async () => {
    world.minutes(30);
    await press('done', { deviceAt: NINE + 28 * MINUTE });
    await press('arrive', { deviceAt: NINE + 15 * MINUTE });
    expect(await world.leg(orderId)).toMatchObject({
      state: 'workDone',
      points: { H: { at: NINE + 15 * MINUTE, rank: 'key' } },
    });
  });

  it('a key "arrived" from farther than the arrival radius: accepted for the work flow, disputed', async () => {
    await press('arrive', { deviceAt: world.clock.now(), at: { lat: 39.91, lon: 116.4 } });
    expect(await world.leg(orderId)).toMatchObject({ state: 'onSite', points: { H: { flags: ['disputed'] } } });
    await press('arrive', { deviceAt: world.clock.now() + 1, at: { lat: 39.9, lon: 116.4 } });
    expect((await world.leg(orderId)).claims.at(-1)!.flags).toEqual([]);
  });

  describe('accept crossing a recall', () => {
    beforeEach(async () => {
      world.minutes(5);
      await world.do({ type: 'order.reassign', orderId, vehicleId: 'v2' });
      world.minutes(1);
      await press('accept', { deviceAt: NINE + 4 * MINUTE });
    });
    it('device time before the recall was issued: a conflict card, no change', async () => {
      expect((await world.leg(orderId)).state).toBe('recalling');
      expect(await openCards()).toMatchObject([
        { kind: 'conflict', code: 'crossedRecall', orderId, leg: 1, choices: ['keep', 'insist'] },
      ]);
    });
    it('keep: the leg is the effective one again, the other vehicle is called off', async () => {
      const [card] = await openCards();
      await world.do({ type: 'card.resolve', cardId: card!.id, choice: 'keep' });
      const order = await world.order(orderId);
      expect(order.legs[0]).toMatchObject({ state: 'accepted', vehicleId: 'v1' });
      expect(['recalling', 'recalled']).toContain(order.legs[1]!.state);
      expect(order.cycles[0]!.effectiveLeg).toBe(1);
      expect([await world.queue('v1'), await world.queue('v2')]).toEqual([[orderId], []]);
    });
    it('insist: the recall goes on; a card is resolved once, with one of its choices', async () => {
      const [card] = await openCards();
      expect(await world.refused({ type: 'card.resolve', cardId: card!.id, choice: 'perhaps' })).toMatchObject({
        code: 'unknownChoice',
      });
      await world.do({ type: 'card.resolve', cardId: card!.id, choice: 'insist', note: 'too far' });
      expect((await world.leg(orderId)).state).toBe('recalling');
      expect(await world.refused({ type: 'card.resolve', cardId: card!.id, choice: 'keep' })).toMatchObject({
        code: 'alreadyResolved',
      });
      expect(await world.refused({ type: 'card.resolve', cardId: 'none', choice: 'keep' })).toMatchObject({
        status: 404,
      });
    });
  });

  it('accept after the recall was receipted: "not valid any more" on the terminal, no change', async () => {
    await world.do({ type: 'order.recall', orderId });
    const recall = await world.deliver('v1', (item) => item.kind === 'recall');
    await world.report({
      type: 'report.receipt',
      vehicleId: 'v1',
      deliveryId: recall.id,
      result: 'ok',
      ofApplication: true,
    });
    world.minutes(1);
    await press('accept', { deviceAt: world.clock.now() });
    expect((await world.leg(orderId)).state).toBe('recalled');
    expect(await openCards()).toEqual([]);
    expect((await world.events()).map((event) => event.type)).toContain('leg.notValid');
    expect((await world.get('outbox', 'v1')).items.at(-1)).toMatchObject({
      kind: 'notice',
      text: '20260302-0001 已撤回，操作无效',
    });
  });

  describe('"done" from a recalled crew is never discarded', () => {
    beforeEach(async () => {
      await world.do({ type: 'order.reassign', orderId, vehicleId: 'v2' });
      world.minutes(20);
      await press('done', { deviceAt: NINE + 18 * MINUTE });
    });
    it('makeEffective: that leg did the work, the order is repaired', async () => {
      const [card] = await openCards();
      expect(card).toMatchObject({ code: 'doneAfterRecall', choices: ['makeEffective', 'keepAsEvidence'] });
      await world.do({ type: 'card.resolve', cardId: card!.id, choice: 'makeEffective' });
      const order = await world.order(orderId);
      expect(order).toMatchObject({
        stage: 'repaired',
        legs: [{ state: 'workDone', points: { I: { at: NINE + 18 * MINUTE } } }, {}],
      });
      expect(order.cycles[0]!.effectiveLeg).toBe(1);
      expect(await world.queue('v2')).toEqual([]);
    });
    it('keepAsEvidence: the other leg goes on', async () => {
      const [card] = await openCards();
      await world.do({ type: 'card.resolve', cardId: card!.id, choice: 'keepAsEvidence' });
      const order = await world.order(orderId);
      expect(order.stage).toBe('dispatched');
      expect(order.legs[0]!.points.I!.at).toBe(NINE + 18 * MINUTE);
    });
  });

  describe('the crew’s page on a leg that was taken from it', () => {
    const onPage = (step: 'accept' | 'depart' | 'arrive' | 'complete', at?: number) =>
      world.do({ type: `order.${step}`, orderId, leg: 1, ...(at === undefined ? {} : { at }) }, crewOf('v1'));
    const receiptRecall = async () => {
      const recall = await world.deliver('v1', (item) => item.kind === 'recall');
      const receipt = { type: 'report.receipt' as const, vehicleId: 'v1', deliveryId: recall.id };
      await world.report({ ...receipt, result: 'ok', ofApplication: true });
    };

    it.each(['recalling', 'recalled'])('"done" while %s: the same card as from the terminal, named', async (state) => {
      await world.do({ type: 'order.reassign', orderId, vehicleId: 'v2' });
      if (state === 'recalled') await receiptRecall();
      world.minutes(20);
      const { cardId } = await onPage('complete', NINE + 18 * MINUTE);
      expect(await openCards()).toMatchObject([
        { id: cardId, code: 'doneAfterRecall', orderId, leg: 1, choices: ['makeEffective', 'keepAsEvidence'] },
      ]);
      expect(await world.leg(orderId)).toMatchObject({ state, points: { I: { at: NINE + 18 * MINUTE } } });
      await world.do({ type: 'card.resolve', cardId: String(cardId), choice: 'makeEffective' });
      expect(await world.order(orderId)).toMatchObject({ stage: 'repaired', legs: [{ state: 'workDone' }, {}] });
    });

    it('"done" that the recalled crew says by phone: the dispatcher enters it and decides on the same card', async () => {
      await world.do({ type: 'order.reassign', orderId, vehicleId: 'v2' });
      world.minutes(20);
      const { cardId } = await world.do({ type: 'order.complete', orderId, leg: 1, at: NINE + 18 * MINUTE });
      expect(await openCards()).toMatchObject([{ id: cardId, code: 'doneAfterRecall', leg: 1 }]);
      await world.do({ type: 'card.resolve', cardId: String(cardId), choice: 'makeEffective' });
      expect(await world.order(orderId)).toMatchObject({
        stage: 'repaired',
        legs: [{ state: 'workDone', points: { I: { at: NINE + 18 * MINUTE } } }, {}],
      });
      expect(await world.refused({ type: 'order.arrive', orderId, leg: 1 })).toMatchObject({ status: 409 });
    });

    it.each(['depart', 'arrive'] as const)(
      '"%s" pressed before the receipt of the recall: a conflict card',
      async (step) => {
        world.minutes(5);
        await world.do({ type: 'order.recall', orderId });
        await receiptRecall();
        world.minutes(1);
        const { cardId } = await onPage(step, NINE + 4 * MINUTE);
        expect(await openCards()).toMatchObject([{ id: cardId, code: 'crossedRecall', choices: ['keep', 'insist'] }]);
        expect((await world.leg(orderId)).state).toBe('recalled');
        await world.do({ type: 'card.resolve', cardId: String(cardId), choice: 'keep' });
        expect((await world.leg(orderId)).state).toBe(step === 'depart' ? 'enRoute' : 'onSite');
      },
    );

    it('pressed after the receipt: refused, kept as evidence on the leg, no card', async () => {
      await world.do({ type: 'order.recall', orderId });
      await receiptRecall();
      world.minutes(2);
      const depart = { type: 'order.depart' as const, orderId, leg: 1 };
      expect(await world.refused(depart, crewOf('v1'))).toMatchObject({ code: 'legEnded', status: 409 });
      expect(await openCards()).toEqual([]);
      expect(await world.leg(orderId)).toMatchObject({ state: 'recalled', points: { G: { at: NINE + 2 * MINUTE } } });
    });
  });

  it('an event of an older leg otherwise: kept as evidence on that leg', async () => {
    await press('reject', { reason: 'flat tyre' });
    await world.do({ type: 'order.assign', orderId, vehicleId: 'v2' });
    world.minutes(1);
    const before = await world.leg(orderId, 2);
    await press('accept', { deviceAt: world.clock.now() });
    expect(await world.leg(orderId)).toMatchObject({ state: 'rejected', points: { F: { at: NINE + MINUTE } } });
    expect(await world.leg(orderId, 2)).toEqual(before);
  });

  it.each([
    ['unknown order', 'v1', 'none', 1],
    ['not this vehicle’s', 'v2', undefined, 1],
    ['unknown leg', 'v1', undefined, 9],
  ] as const)('%s: quarantine, told once, counted', async (_name, vehicleId, id, leg) => {
    const report = {
      type: 'report.action' as const,
      vehicleId,
      orderId: id ?? orderId,
      leg,
      action: 'accept',
      deviceAt: NINE,
    };
    await world.report(report);
    await world.report(report);
    expect(await openCards()).toMatchObject([
      { kind: 'quarantine', code: 'unknownOrder', vehicleId, leg, data: { count: 2 } },
    ]);
    expect((await world.leg(orderId)).state).toBe('delivered');
  });

  it('what nobody can use is kept with its bytes, bounded', async () => {
    for (let i = 0; i < 25; i++) {
      await world.report({
        type: 'report.unusable',
        vehicleId: 'v1',
        code: 'malformed',
        message: 'bad protobuf',
        bytesHex: `ff0${i % 10}`,
      });
    }
    const [card] = await openCards();
    expect(card).toMatchObject({ kind: 'quarantine', data: { count: 25 } });
    expect(card!.data['items']).toHaveLength(20);
  });

  it('a refusal under way asks the dispatcher', async () => {
    await press('depart');
    await press('reject', { reason: 'road closed' });
    expect((await world.leg(orderId)).state).toBe('enRoute');
    const [card] = await openCards();
    await world.do({ type: 'card.resolve', cardId: card!.id, choice: 'recall' });
    expect((await world.leg(orderId)).state).toBe('recalling');
  });

  it('standing at the site of another queued order changes nothing; it is proposed', async () => {
    await world.report({ type: 'rule.stoodAtOther', vehicleId: 'v1', orderId, leg: 1, at: NINE + MINUTE });
    expect((await world.leg(orderId)).state).toBe('delivered');
    const [card] = await openCards();
    world.minutes(2);
    await world.do({ type: 'card.resolve', cardId: card!.id, choice: 'arrived' });
    expect(await world.leg(orderId)).toMatchObject({ state: 'onSite', points: { H: { at: NINE + MINUTE } } });
  });

  it('the fence in the terminal stamps an arrival', async () => {
    world.minutes(5);
    await world.report({
      type: 'report.fence',
      vehicleId: 'v1',
      orderId,
      leg: 1,
      direction: 'in',
      deviceAt: NINE + 4 * MINUTE,
    });
    await world.report({
      type: 'report.fence',
      vehicleId: 'v1',
      orderId,
      leg: 1,
      direction: 'out',
      deviceAt: NINE + 5 * MINUTE,
    });
    expect(await world.leg(orderId)).toMatchObject({
      state: 'onSite',
      points: { H: { at: NINE + 4 * MINUTE, rank: 'terminalFence', source: 'fence' } },
    });
  });
});
