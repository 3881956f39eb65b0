import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Alert } from '../../../dispatch/domain/model.js';
import { AGENT, crewOf, DISPATCHER, MINUTE, NINE, World } from '../../support/dispatch.js';

describe('Escalation', () => {
  let world: World;
  beforeEach(async () => {
    world = new World();
    await world.dispatch.start();
    await world.vehicle('v1', {
      crew: {
        name: 'crew v1',
        members: [{ name: 'Li' }],
        managers: [
          { name: 'Zhou', phone: '13600000001' },
          { name: 'Wu', phone: '13600000002' },
        ],
      },
    });
    await world.vehicle('v2');
  });
  afterEach(async () => {
    await world.checkReplay();
    await world.close();
  });

  const pass = (minutes: number): Promise<void> => world.pass(minutes);
  async function alerts(kind: string): Promise<Alert[]> {
    const page = await world.store.scan({ index: 'alerts', limit: 1000 });
    return page.items.map((item) => item.value as Alert).filter((alert) => alert.kind === kind);
  }
  /** Minutes after nine, to the second that due work may take. */
  const minuteOf = (at: number | undefined): number => Math.round(((at ?? NaN) - NINE) / 6_000) / 10;

  it('issued, not accepted by a person of the repair centre for 4 min: the call centre phones; over when accepted', async () => {
    const orderId = await world.orderAtCentre();
    await pass(3.9);
    expect(await alerts('centreNotAccepted')).toEqual([]);
    await pass(0.2);
    const [alert] = await alerts('centreNotAccepted');
    expect(alert).toMatchObject({ orderId, told: [{ level: 'callCentre' }], acknowledged: [] });
    expect(minuteOf(alert?.raisedAt)).toBe(4);
    await world.do({ type: 'order.receive', orderId });
    const [ended] = await alerts('centreNotAccepted');
    expect(ended).toMatchObject({ endedBecause: 'happened' });
  });

  it('an order accepted in time is never told about', async () => {
    const orderId = await world.orderAtCentre();
    await pass(3);
    await world.do({ type: 'order.receive', orderId });
    await pass(3);
    expect(await alerts('centreNotAccepted')).toEqual([]);
  });

  it('a reminder that still waits for the terminal is void when the crew has accepted; a customer’s urge is not', async () => {
    const orderId = await world.orderWith('v1');
    const reminders = async () =>
      ((await world.dispatch.get('outbox', 'v1'))?.value.items ?? [])
        .filter(({ kind }) => kind === 'urge')
        .map(({ state, result }) => [state, result]);
    await pass(3);
    expect(await reminders()).toEqual([['queued', undefined]]);
    await world.do({ type: 'order.accept', orderId }, DISPATCHER);
    expect(await reminders()).toEqual([['voided', 'the crew has accepted']]);
    await world.do({ type: 'order.urge', orderId, note: 'fridge' }, AGENT);
    await pass(1);
    expect(await reminders()).toContainEqual(['queued', undefined]);
  });

  it('assigned, not accepted: cab at 2, first manager at 4, second at 6, next crew at 8 min; each once', async () => {
    const orderId = await world.orderWith('v1');
    await pass(12);
    const reminded = (await world.events()).filter((event) => event.type === 'order.reminded');
    expect(reminded.map((event) => [event.vehicleId, minuteOf(event.committedAt)])).toEqual([['v1', 2]]);
    const ladder = [
      ...(await alerts('crewNotAccepted')),
      ...(await alerts('crewStillNotAccepted')),
      ...(await alerts('nextCrew')),
    ];
    expect(ladder.map((alert) => [alert.kind, minuteOf(alert.raisedAt)])).toEqual([
      ['crewNotAccepted', 4],
      ['crewStillNotAccepted', 6],
      ['nextCrew', 8],
    ]);
    expect(ladder.map((alert) => alert.told.find((one) => one.level === 'manager')?.name)).toEqual([
      'Zhou',
      'Wu',
      undefined,
    ]);
    expect(ladder.every((alert) => alert.orderId === orderId && alert.vehicleId === 'v1')).toBe(true);
  });

  it('accepted after the escalation: it ends for everybody', async () => {
    const orderId = await world.orderWith('v1');
    await pass(7);
    await world.do({ type: 'order.accept', orderId });
    const ladder = [...(await alerts('crewNotAccepted')), ...(await alerts('crewStillNotAccepted'))];
    expect(ladder.map((alert) => alert.endedBecause)).toEqual(['happened', 'happened']);
    await pass(5);
    expect(await alerts('nextCrew')).toEqual([]);
  });

  it('a new leg has a ladder of its own', async () => {
    const orderId = await world.orderWith('v1');
    await pass(5);
    await world.do({ type: 'order.reassign', orderId, vehicleId: 'v2' });
    const [first] = await alerts('crewNotAccepted');
    expect(first?.endedBecause).toBe('happened');
    await pass(5);
    expect((await alerts('crewNotAccepted')).map((alert) => alert.vehicleId).sort()).toEqual(['v1', 'v2']);
  });

  it('a segment at 80 % of its limit, and past it: the responsible level', async () => {
    await world.newOrder();
    await pass(1.5);
    expect(await alerts('segmentAtRisk')).toEqual([]);
    await pass(0.3);
    expect(await alerts('segmentAtRisk')).toMatchObject([{ severity: 'warning', told: [{ level: 'callCentre' }] }]);
    await pass(1);
    const [breach] = await alerts('segmentBreached');
    expect(breach).toMatchObject({ severity: 'breach' });
    expect(minuteOf(breach?.raisedAt)).toBe(2);
    const types = (await world.events()).map((event) => event.type).filter((type) => type.startsWith('segment.'));
    expect(types).toEqual(['segment.atRisk', 'segment.breached']);
  });

  it('late evidence withdraws a breach that did not happen', async () => {
    const orderId = await world.orderWith('v1', 'queued');
    await world.do({ type: 'order.shown', orderId }, crewOf('v1'));
    const acceptedAt = world.clock.now() + MINUTE;
    await pass(4);
    expect((await alerts('segmentBreached')).map((alert) => alert.id.split(':').at(-1))).toContain('EF');
    await world.report({
      type: 'report.action',
      vehicleId: 'v1',
      orderId,
      leg: 1,
      action: 'accept',
      deviceAt: acceptedAt,
    });
    const breach = (await alerts('segmentBreached')).find((alert) => alert.id.endsWith(':EF'));
    expect(breach?.endedBecause).toBe('lateEvidence');
    expect((await world.events()).filter((event) => event.type === 'segment.cleared')).toMatchObject([
      { orderId, data: { name: 'EF' } },
    ]);
  });

  it.each([
    [10, ['segmentAtRisk', 'segmentBreached']],
    [25, []],
  ])(
    'late evidence of a start %i min ago: nobody is told to phone about what is older than 15 min',
    async (ago, kinds) => {
      const orderId = await world.orderWith('v1', 'queued');
      await world.do({ type: 'order.shown', orderId }, crewOf('v1'));
      await pass(30);
      const deviceAt = world.clock.now() - ago * MINUTE;
      await world.report({ type: 'report.action', vehicleId: 'v1', orderId, leg: 1, action: 'accept', deviceAt });
      await pass(0.2);
      const told = [...(await alerts('segmentAtRisk')), ...(await alerts('segmentBreached'))];
      expect(told.filter((alert) => alert.id.endsWith(':FG')).map((alert) => alert.kind)).toEqual(kinds);
      await pass(1);
      expect((await alerts('segmentBreached')).filter((alert) => alert.id.endsWith(':FG'))).toHaveLength(
        kinds.length / 2,
      );
    },
  );

  it('a vehicle unreachable for 60 s with an undelivered leg: the repair centre; over when it is back', async () => {
    const orderId = await world.orderWith('v1');
    await world.do({ type: 'link.up', vehicleId: 'v1', phone: '13000000001', address: '10.0.0.1', transport: 'tcp' });
    await world.do({ type: 'link.down', vehicleId: 'v1', phone: '13000000001', reason: 'idle' });
    await pass(0.9);
    await pass(0.3);
    expect(await alerts('unreachable')).toMatchObject([
      { orderId, vehicleId: 'v1', told: [{ level: 'repairCentre' }] },
    ]);
    await world.do({ type: 'link.up', vehicleId: 'v1', phone: '13000000001', address: '10.0.0.1', transport: 'tcp' });
    expect(await alerts('unreachable')).toMatchObject([{ endedBecause: 'reachable' }]);
  });

  it('is acknowledged by a named person, who is kept', async () => {
    await world.orderAtCentre();
    await pass(5);
    const [alert] = await alerts('centreNotAccepted');
    await world.do({ type: 'alert.acknowledge', alertId: alert!.id }, AGENT);
    await world.do({ type: 'alert.acknowledge', alertId: alert!.id }, AGENT);
    await world.do({ type: 'alert.acknowledge', alertId: alert!.id }, DISPATCHER);
    expect((await world.get('alert', alert!.id)).acknowledged.map((one) => one.by)).toEqual(['agent', 'wang']);
    expect((await world.refused({ type: 'alert.acknowledge', alertId: 'x' })).code).toBe('noSuchAlert');
  });

  it('a promise at risk by forecast is told once, and is over when the forecast keeps it again', async () => {
    const orderId = await world.orderWith('v1', 'enRoute');
    const forecast = (minutes: number) =>
      world.do({
        type: 'order.forecast',
        orderId,
        eta: { at: NINE + minutes * MINUTE, madeAt: world.clock.now(), vehicleId: 'v1', basis: 'estimate' },
      });
    await forecast(44);
    expect(await alerts('promiseAtRisk')).toEqual([]);
    await forecast(50);
    await forecast(55);
    expect(await alerts('promiseAtRisk')).toMatchObject([
      { told: [{ level: 'repairCentre' }, { level: 'callCentre' }] },
    ]);
    await forecast(44.5);
    expect((await alerts('promiseAtRisk'))[0]?.endedAt).toBeUndefined();
    await forecast(42);
    expect(await alerts('promiseAtRisk')).toMatchObject([{ endedBecause: 'inTimeAgain' }]);
  });
});
