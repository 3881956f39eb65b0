import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deadlineOf, limitsFor, PARTS, segmentsOf, type Segment } from '../../../dispatch/domain/segments.js';
import { DEFAULT_SETTINGS } from '../../../dispatch/domain/settings.js';
import { timePointsShown } from '../../../dispatch/domain/time-points.js';
import { segmentRow } from '../../../dispatch/reporting/segments.js';
import { AGENT, MINUTE, NINE, World } from '../../support/dispatch.js';

describe('limits', () => {
  it.each([
    ['AB', 2],
    ['BC', 4],
    ['CD', 2],
    ['R', 0],
    ['DE', 4],
    ['DEsameOffice', 2],
    ['EF', 2],
    ['FG', 3],
    ['GH', 28],
    ['AH', 45],
  ] as const)('%s is %i min by default', (name, minutes) => {
    expect(limitsFor(DEFAULT_SETTINGS, undefined, 'town')[name]).toBe(minutes);
  });
  it.each([
    ['town', 45, 28],
    ['country', 90, 73],
    ['remote', 120, 103],
  ] as const)('%s: GH takes the difference', (site, ah, gh) => {
    const limits = limitsFor(DEFAULT_SETTINGS, undefined, site);
    expect([limits['AH'], limits['GH']]).toEqual([ah, gh]);
    const parts = ['AB', 'BC', 'CD', 'DE', 'EF', 'FG', 'GH'].reduce((sum, name) => sum + limits[name]!, 0);
    expect(parts).toBe(ah);
  });
  it('a repair centre has its own', () => {
    expect(limitsFor(DEFAULT_SETTINGS, { limits: { EF: 5 } }, 'town')['EF']).toBe(5);
  });
});

describe('segments', () => {
  let world: World;
  let orderId: string;
  beforeEach(async () => {
    world = new World();
    await world.vehicle('v1');
    await world.vehicle('v2', { sharesOffice: true });
    orderId = await world.newOrder();
  });
  afterEach(() => world.close());

  async function segments(): Promise<Record<string, Segment>> {
    const all = segmentsOf(await world.order(orderId), world.clock.now(), world.dispatch.settings);
    const sum = all.filter((one) => PARTS.includes(one.name)).reduce((total, one) => total + (one.elapsedMs ?? 0), 0);
    const ah = all.find((one) => one.name === 'AH')!;
    if (ah.elapsedMs !== null) expect(sum).toBe(ah.elapsedMs);
    return Object.fromEntries(all.map((one) => [one.name, one]));
  }

  it('not started, running with the time left, met and breached', async () => {
    world.minutes(1);
    let now = await segments();
    expect(now['AB']).toMatchObject({
      state: 'running',
      elapsedMs: MINUTE,
      remainingMs: MINUTE,
      responsible: 'callCentre',
    });
    expect(now['BC']).toMatchObject({ state: 'notStarted', elapsedMs: null, remainingMs: null });
    await world.do({ type: 'order.issue', orderId }, AGENT);
    world.minutes(5);
    now = await segments();
    expect(now['AB']).toMatchObject({ state: 'met', elapsedMs: MINUTE, running: false });
    expect(now['BC']).toMatchObject({ state: 'breached', remainingMs: -MINUTE, running: true, responsible: 'network' });
  });

  it('R: the time between the first D and the effective D, by the crew that refused', async () => {
    await world.do({ type: 'order.issue', orderId }, AGENT);
    await world.do({ type: 'order.assign', orderId, vehicleId: 'v1' });
    world.minutes(3);
    await world.do({ type: 'order.reject', orderId, reason: 'flat tyre' });
    world.minutes(1);
    expect((await segments())['R']).toMatchObject({ elapsedMs: 4 * MINUTE, running: true });
    await world.do({ type: 'order.assign', orderId, vehicleId: 'v2' });
    world.minutes(2);
    const now = await segments();
    expect(now['R']).toMatchObject({ elapsedMs: 4 * MINUTE, running: false, state: 'breached', responsible: 'crew' });
    expect(now['DE']).toMatchObject({ elapsedMs: 2 * MINUTE, limitMs: 2 * MINUTE, state: 'running' });
  });

  it('R: the time between the first B and the effective B, while returned too', async () => {
    await world.do({ type: 'order.issue', orderId }, AGENT);
    world.minutes(6);
    await world.do({ type: 'order.return', orderId, reason: 'wrongUnit' });
    world.minutes(4);
    expect((await segments())['R']).toMatchObject({ elapsedMs: 10 * MINUTE, running: true });
    await world.do({ type: 'order.issue', orderId }, AGENT);
    world.minutes(1);
    const now = await segments();
    expect(now['R']).toMatchObject({ elapsedMs: 10 * MINUTE, running: false, responsible: 'callCentre' });
    expect(now['AB']).toMatchObject({ elapsedMs: 0, state: 'met' });
    expect(now['BC']).toMatchObject({ elapsedMs: MINUTE, state: 'running' });
  });

  it('AH runs from the end of the call; the deadline is the promise after it', async () => {
    const early = await world.newOrder({
      callEndedAt: NINE - 5 * MINUTE,
      site: { lat: 39.9, lon: 116.4, address: 'x', siteClass: 'remote' },
    });
    const order = await world.order(early);
    expect(deadlineOf(order, world.dispatch.settings)).toBe(NINE + 115 * MINUTE);
    const ah = segmentsOf(order, world.clock.now(), world.dispatch.settings).find((one) => one.name === 'AH');
    expect(ah).toMatchObject({ elapsedMs: 5 * MINUTE, limitMs: 120 * MINUTE });
  });

  it('a withdrawn order leaves unknown what was running', async () => {
    await world.do({ type: 'order.issue', orderId }, AGENT);
    await world.do({ type: 'order.withdraw', orderId, reason: 'mistake' });
    const now = await segments();
    expect(now['AB']).toMatchObject({ state: 'met' });
    expect(now['BC']).toMatchObject({ state: 'unknown', running: false });
    expect(now['CD']).toMatchObject({ state: 'notStarted' });
    expect(now['AH']).toMatchObject({ state: 'unknown' });
  });

  it('limits in force at the issue stand when they are changed later', async () => {
    await world.do({ type: 'centre.put', centre: { id: 'centre-1', limits: { BC: 10 } } });
    await world.do({ type: 'order.issue', orderId }, AGENT);
    await world.do({ type: 'centre.put', centre: { id: 'centre-1', limits: { BC: 1 } } });
    expect((await segments())['BC']!.limitMs).toBe(10 * MINUTE);
  });

  it('a merged order keeps its own A to C and shows the main order’s D to H; its parts add up too', async () => {
    const main = await world.orderWith('v1', 'accepted');
    world.minutes(3);
    const sub = await world.orderAtCentre();
    world.minutes(2);
    await world.do({ type: 'order.merge', orderId: sub, into: main });
    for (const step of ['depart', 'arrive'] as const) {
      world.minutes(5);
      await world.do({ type: `order.${step}`, orderId: main });
      const order = await world.order(sub);
      const all = segmentsOf(order, world.clock.now(), world.dispatch.settings, undefined, await world.order(main));
      const parts = all.filter((one) => PARTS.includes(one.name));
      const ah = all.find((one) => one.name === 'AH')!;
      expect(parts.reduce((sum, one) => sum + (one.elapsedMs ?? 0), 0)).toBe(ah.elapsedMs);
      expect(ah.state).toBe(step === 'arrive' ? 'met' : 'running');
    }
    const finished = segmentsOf(
      await world.order(sub),
      world.clock.now(),
      world.dispatch.settings,
      undefined,
      await world.order(main),
    );
    expect(finished.find((one) => one.name === 'AH')!.elapsedMs).toBe(12 * MINUTE);
    expect(finished.find((one) => one.name === 'GH')!.elapsedMs).toBe(5 * MINUTE);
  });

  it.each(['received', 'issued'] as const)(
    'a merged order that was only %s: the main order’s D implies the rest',
    async (stage) => {
      const main = await world.orderWith('v1', 'accepted');
      world.minutes(3);
      const sub = await world.newOrder();
      if (stage === 'issued') await world.do({ type: 'order.issue', orderId: sub }, AGENT);
      world.minutes(2);
      await world.do({ type: 'order.merge', orderId: sub, into: main }, AGENT);
      world.minutes(5);
      await world.do({ type: 'order.arrive', orderId: main });
      world.minutes(30);
      const order = await world.order(sub);
      const all = segmentsOf(order, world.clock.now(), world.dispatch.settings, undefined, await world.order(main));
      const parts = all.filter((one) => PARTS.includes(one.name));
      expect(all.find((one) => one.name === 'AH')).toMatchObject({ state: 'met', elapsedMs: 7 * MINUTE });
      expect(parts.reduce((sum, one) => sum + (one.elapsedMs ?? 0), 0)).toBe(7 * MINUTE);
      expect(parts.filter((one) => one.running)).toEqual([]);
      const never = stage === 'received';
      const states = parts.filter(({ name }) => ['AB', 'BC', 'CD'].includes(name)).map((one) => one.state);
      expect(states).toEqual(never ? ['unknown', 'unknown', 'unknown'] : ['met', 'met', 'met']);
      const points = timePointsShown(order, order.cycles[0]!, await world.order(main));
      expect(points.B!.flags).toEqual(never ? ['implied', 'clamped'] : []);
      expect(points.C!.flags).toContain('implied');
      // The main order was assigned three minutes before this one was called in.
      expect(points.D).toMatchObject({ at: NINE + 3 * MINUTE, rawAt: NINE, flags: ['clamped'] });
      expect(points.H).toMatchObject({ at: NINE + 10 * MINUTE });
    },
  );

  it('a re-opened order is measured from its re-opening; the earlier cycle keeps its verdict', async () => {
    orderId = await world.orderWith('v1', 'workDone');
    await world.do({ type: 'order.record', orderId, record: { cause: 'c', done: 'd' } });
    world.minutes(60);
    await world.do({ type: 'order.callback', orderId, result: 'stillDark' }, AGENT);
    world.minutes(1);
    const order = await world.order(orderId);
    const [first, second] = order.cycles.map((cycle) =>
      segmentsOf(order, world.clock.now(), world.dispatch.settings, cycle),
    );
    expect(first!.find((one) => one.name === 'AH')).toMatchObject({ state: 'met', elapsedMs: 0 });
    const rows = order.cycles.map((cycle) => segmentRow(order, cycle, world.clock.now(), world.dispatch.settings));
    expect(rows.map((row) => row['stage'])).toEqual(['recorded', 'atCentre']);
    expect(second!.find((one) => one.name === 'AH')).toMatchObject({ state: 'running', elapsedMs: MINUTE });
    expect(deadlineOf(order, world.dispatch.settings)).toBe(NINE + 105 * MINUTE);
  });
});
