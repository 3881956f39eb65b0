import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PositionRules } from '../../../dispatch/automation.js';
import { segmentCells, segmentRow } from '../../../dispatch/reporting/segments.js';
import { PositionBatch } from '../../../dispatch/store/position-batch.js';
import { crewOf, NINE, World } from '../../support/dispatch.js';

const S = 1000;
/** The site of the World's orders. */
const SITE = { lat: 39.9, lon: 116.4 };
const FIX_AND_IGNITION = 0b11;

interface Point {
  /** Seconds after nine. */
  at: number;
  /** Metres north of the site. */
  m: number;
  kmh: number;
}
/** A drive from 3 km away that leaves at 70 s, comes in at 190 s and stands from then on. */
const DRIVE: Point[] = [
  { at: 10, m: 3000, kmh: 0 },
  { at: 60, m: 3000, kmh: 0 },
  { at: 70, m: 2950, kmh: 30 },
  { at: 100, m: 2400, kmh: 60 },
  { at: 160, m: 500, kmh: 60 },
  { at: 180, m: 120, kmh: 20 },
  { at: 190, m: 40, kmh: 2 },
  { at: 205, m: 40, kmh: 0 },
  { at: 225, m: 40, kmh: 0 },
];

describe('The rules of positions', () => {
  let world: World;
  let rules: PositionRules | undefined;
  let sequence = 1000;
  const failures: unknown[] = [];
  beforeEach(async () => {
    world = new World();
    await world.vehicle('v1');
  });
  afterEach(async () => {
    await rules?.stop();
    rules = undefined;
    expect(failures.splice(0)).toEqual([]);
    await world.checkReplay();
    await world.close();
  });

  async function watch(): Promise<void> {
    rules = new PositionRules(world.dispatch, { error: (fields) => failures.push(fields) });
    await rules.start();
  }
  /** Hands positions on as the reader does: live ones arrive a second after they were made. */
  async function drive(points: Point[], receivedAtS?: number, clockMs = 0): Promise<void> {
    for (const group of receivedAtS === undefined ? points.map((one) => [one]) : [points]) {
      const batch = new PositionBatch();
      for (const { at, m, kmh } of group) {
        const received = NINE + (receivedAtS ?? at + 1) * S;
        if (received > world.clock.now()) world.clock.advance(received - world.clock.now());
        batch.add(
          'v1',
          NINE + at * S + clockMs,
          received,
          Math.round((SITE.lat + m / 111_195) * 1e6),
          SITE.lon * 1e6,
          50,
          kmh * 10,
          180,
          0,
          FIX_AND_IGNITION,
          -1,
        );
      }
      await world.dispatch.apply([], batch, { node: 'positions', sequence: ++sequence });
    }
  }
  /** The crew presses a key, so many seconds after nine. */
  const press = (orderId: string, action: 'arrive' | 'done', atS: number) =>
    world.report({ type: 'report.action', vehicleId: 'v1', orderId, leg: 1, action, deviceAt: NINE + atS * S });
  const stamp = async (orderId: string, point: 'G' | 'H') => (await world.leg(orderId)).points[point];
  const arrived = async (orderId: string) =>
    vi.waitFor(async () => expect((await world.leg(orderId)).state).toBe('onSite'), 5000);

  it('depart and arrive an accepted order without a key: each at the first instant of its run', async () => {
    await watch();
    const orderId = await world.orderWith('v1', 'accepted');
    await drive(DRIVE);
    await arrived(orderId);
    expect(await stamp(orderId, 'G')).toMatchObject({ at: NINE + 70 * S, rank: 'serverFence', source: 'fence' });
    expect(await stamp(orderId, 'H')).toMatchObject({ at: NINE + 190 * S, rank: 'serverFence', source: 'fence' });
  });

  it.each([
    ['behind', -1_200_000, 'live'],
    ['ahead', 1_200_000, 'live'],
    ['behind', -1_200_000, 'after a restart'],
  ])('correct positions by the clock of a terminal that is %s (%i ms), %s', async (_where, clockMs, when) => {
    await world.do({ type: 'link.clockOffset', phone: (await world.vehicleDoc('v1')).terminal.phone, ms: clockMs });
    if (when === 'live') await watch();
    const orderId = await world.orderWith('v1', 'accepted');
    await drive(DRIVE, undefined, clockMs);
    if (when !== 'live') await watch();
    await arrived(orderId);
    const own = { rank: 'serverFence', flags: ['corrected'] };
    expect(await stamp(orderId, 'G')).toMatchObject({ at: NINE + 70 * S, ...own });
    expect(await stamp(orderId, 'H')).toMatchObject({ at: NINE + 190 * S, ...own });
  });

  it('take when a position came where its own time lies ahead and nothing is known of the clock', async () => {
    await watch();
    const orderId = await world.orderWith('v1', 'accepted');
    await drive(DRIVE, undefined, 3_600_000);
    await arrived(orderId);
    expect(await stamp(orderId, 'G')).toMatchObject({ at: NINE + 71 * S, flags: ['received'] });
    expect(await stamp(orderId, 'H')).toMatchObject({ at: NINE + 191 * S, flags: ['received'] });
  });

  it('find later what the track says of an order that was done while no node ran them', async () => {
    await watch();
    const orderId = await world.orderWith('v1', 'accepted');
    await world.orderWith('v1', 'accepted');
    world.clock.advance(10 * S);
    await vi.waitFor(async () => expect(await world.store.meta('position-rules')).toBeDefined());
    await rules!.stop();
    await drive(DRIVE);
    await press(orderId, 'done', 226);
    expect(await stamp(orderId, 'H')).toMatchObject({ rank: 'implied' });
    await watch();
    await vi.waitFor(async () =>
      expect(await stamp(orderId, 'H')).toMatchObject({ at: NINE + 190 * S, rank: 'serverFence' }),
    );
    expect(await stamp(orderId, 'G')).toMatchObject({ at: NINE + 70 * S, rank: 'serverFence' });
  });

  it.each(['named', 'too many to name'])('find after a crash what came late just before it, of an order that had ended (%s)', async (how) => {
    await watch();
    const orderId = await world.orderWith('v1', 'accepted');
    world.clock.advance(230 * S);
    await press(orderId, 'done', 226);
    world.clock.advance(900 * S);
    // All that came before is folded, and that is stored.
    await vi.waitFor(async () => {
      world.clock.advance(10 * S);
      expect(await world.store.meta('position-rules')).toMatchObject({ followed: await world.store.lastPosition() });
    });
    expect(await stamp(orderId, 'H')).toMatchObject({ rank: 'implied' });
    await drive(DRIVE, 1_200);
    if (how !== 'named') {
      const others = new PositionBatch();
      for (let n = 0; n < 1_500; n++) others.add(`other-${n}`, NINE, NINE + 1_200 * S, 0, 0, 0, 0, 0, 0, FIX_AND_IGNITION, -1);
      await world.dispatch.apply([], others, { node: 'positions', sequence: ++sequence });
    }
    // What was gathered is gone, and so is what the service remembers.
    await rules!.stop();
    expect(await stamp(orderId, 'H')).toMatchObject({ rank: 'implied' });
    const again = world.gateway('positions');
    const more = new PositionBatch();
    more.add('other', NINE, world.clock.now(), 0, 0, 0, 0, 0, 0, FIX_AND_IGNITION, -1);
    await again.apply([], more, { node: 'positions', sequence: ++sequence });
    await watch();
    await vi.waitFor(async () => {
      world.clock.advance(2 * S);
      expect(await stamp(orderId, 'H')).toMatchObject({ at: NINE + 190 * S, rank: 'serverFence' });
    });
    expect(await stamp(orderId, 'G')).toMatchObject({ at: NINE + 70 * S, rank: 'serverFence' });
    // What is folded is forgotten when something else is written down.
    await vi.waitFor(async () => {
      world.clock.advance(70 * S);
      await again.apply([], more, { node: 'positions', sequence: ++sequence });
      const marks = (await world.store.meta('position-rules.late.positions')) as { vehicles: object };
      expect(Object.keys(marks.vehicles)).toEqual(['other']);
    });
  }); // prettier-ignore

  it('leave an order alone that the crew has not accepted', async () => {
    await watch();
    const orderId = await world.orderWith('v1');
    await world.do({ type: 'order.shown', orderId }, crewOf('v1'));
    await drive(DRIVE);
    await rules!.stop();
    expect((await world.leg(orderId)).state).toBe('delivered');
  });

  it('find after a restart what the track says, and once', async () => {
    const orderId = await world.orderWith('v1', 'accepted');
    await drive(DRIVE);
    expect((await world.leg(orderId)).state).toBe('accepted');
    await watch();
    await arrived(orderId);
    expect(await stamp(orderId, 'H')).toMatchObject({ at: NINE + 190 * S });
    const before = await world.dispatch.store.lastPosition();
    await rules!.stop();
    await watch();
    await rules!.stop();
    const again = (await world.events())
      .slice(before)
      .filter((event) => event.type === 'leg.onSite' || event.type === 'timePoint.set');
    expect(again).toEqual([]);
  });

  it('find what the track says of an order that was done before they came to watch it', async () => {
    // On a busy machine the rules follow the log late.
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    const follow: typeof world.dispatch.follow = (after, on) =>
      world.dispatch.follow(after, async (events) => {
        await gate;
        await on(events);
      });
    rules = new PositionRules({ ...world.dispatch, follow }, { error: (fields) => failures.push(fields) });
    await rules.start();
    const orderId = await world.orderWith('v1', 'accepted');
    await world.orderWith('v1', 'accepted');
    await drive(DRIVE);
    await press(orderId, 'done', 226);
    expect((await world.leg(orderId)).state).toBe('workDone');
    release();
    await vi.waitFor(async () => {
      world.clock.advance(2 * S);
      expect(await stamp(orderId, 'H')).toMatchObject({ at: NINE + 190 * S, rank: 'serverFence' });
    }, 5000);
    expect(await stamp(orderId, 'G')).toMatchObject({ at: NINE + 70 * S, rank: 'serverFence' });
  });

  it('run a batch from a radio hole through the rules in device order', async () => {
    await watch();
    const orderId = await world.orderWith('v1', 'accepted');
    await drive(DRIVE.slice(0, 2));
    await drive([...DRIVE.slice(2)].reverse(), 900);
    world.clock.advance(5 * S);
    await arrived(orderId);
    expect(await stamp(orderId, 'G')).toMatchObject({ at: NINE + 70 * S });
    expect(await stamp(orderId, 'H')).toMatchObject({ at: NINE + 190 * S });
    expect((await stamp(orderId, 'H'))?.flags).toContain('late');
  });

  it('let the key win over the fence where the key lies within the standing run', async () => {
    await watch();
    const orderId = await world.orderWith('v1', 'accepted');
    await drive(DRIVE);
    await arrived(orderId);
    await press(orderId, 'arrive', 220);
    expect(await stamp(orderId, 'H')).toMatchObject({ at: NINE + 220 * S, rank: 'key' });
    // Reports show the difference: it was pressed 30 s after the vehicle stood.
    const order = await world.order(orderId);
    const row = segmentRow(order, order.cycles[0]!, world.clock.now(), world.dispatch.settings);
    expect(row.arrivalKeyLateMs).toBe(30 * S);
    expect(segmentCells(row)).toMatchObject({ arrivalKeyLateMs: 30 * S });
  });

  it('work for a text terminal from delivery on, since nobody can accept: F is implied', async () => {
    await world.do({ type: 'vehicle.edit', vehicleId: 'v1', changes: { terminal: { profile: 'text' } } });
    await watch();
    const orderId = await world.orderWith('v1');
    await world.do({ type: 'order.shown', orderId }, crewOf('v1'));
    await drive(DRIVE);
    await arrived(orderId);
    expect((await world.leg(orderId)).points.F).toMatchObject({ rank: 'implied' });
  });

  it.each(['live', 'after a restart'])(
    'depart for the second order from where the first was done, not from where both were accepted (%s)',
    async (when) => {
      const first = await world.orderWith('v1', 'accepted');
      const second = await world.orderWith('v1', 'accepted', {
        site: { ...SITE, lat: SITE.lat - 0.02, address: 'Road 2' },
      });
      if (when === 'live') await watch();
      await drive(DRIVE);
      if (when === 'live') await arrived(first);
      await world.do({ type: 'order.complete', orderId: first }, crewOf('v1'));
      const doneAt = (await world.leg(first)).points.I!.at;
      const S0 = (doneAt - NINE) / S;
      await drive([
        { at: S0 + 60, m: 40, kmh: 0 },
        { at: S0 + 90, m: 0, kmh: 30 },
        { at: S0 + 120, m: -400, kmh: 50 },
        { at: S0 + 150, m: -900, kmh: 50 },
      ]);
      if (when !== 'live') await watch();
      await vi.waitFor(async () => expect((await world.leg(second)).state).toBe('enRoute'), 5000);
      expect(await stamp(second, 'G')).toMatchObject({ at: doneAt + 90 * S, rank: 'serverFence' });
    },
  );

  it('propose, and change nothing, when the vehicle stands at the site of another queued order', async () => {
    await watch();
    const first = await world.orderWith('v1', 'accepted', { site: { lat: 39.99, lon: 116.4, address: 'Road 2' } });
    const other = await world.orderWith('v1', 'accepted');
    await drive(DRIVE);
    await vi.waitFor(
      async () => expect((await world.cards()).filter((card) => card.orderId === other)).toHaveLength(1),
      5000,
    );
    expect((await world.leg(other)).state).toBe('accepted');
    expect((await world.leg(first)).state).toBe('enRoute');
  });
});
