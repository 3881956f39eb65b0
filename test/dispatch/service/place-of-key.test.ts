import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TerminalReport } from '../../../dispatch/domain/commands.js';
import type { MenuEvent } from '../../../dispatch/domain/model.js';
import { PositionBatch } from '../../../dispatch/store/position-batch.js';
import { World } from '../../support/dispatch.js';

/** The site of the World's orders. */
const SITE = { lat: 39.9, lon: 116.4 };
const S = 1000;
const FIX = 0b11;

describe('a key "arrived" from farther than the arrival radius', () => {
  let world: World;
  let orderId: string;
  let sequence = 0;
  beforeEach(async () => {
    world = new World();
    await world.vehicle('v1');
    orderId = await world.orderWith('v1', 'enRoute');
    world.minutes(5);
  });
  afterEach(async () => {
    await world.checkReplay();
    await world.close();
  });

  /** A group of the ingest log: positions of the vehicle and, at their end, a key. */
  async function log(positions: { atMs: number; m: number; kmh: number; status?: number }[], key?: object) {
    const now = world.clock.now();
    const batch = new PositionBatch();
    for (const { atMs, m, kmh, status = FIX } of positions) {
      const lat = Math.round((SITE.lat + m / 111_195) * 1e6);
      batch.add('v1', now + atMs, now, lat, SITE.lon * 1e6, 50, kmh * 10, 0, 0, status, -1);
    }
    const report = {
      type: 'report.action',
      action: 'arrive',
      orderId,
      leg: 1,
      vehicleId: 'v1',
      phone: '13000000001',
      receivedAt: now,
      frame: { node: 'keys', sequence: sequence + 1, index: positions.length },
      dedupKey: `key-${sequence}`,
      ...key,
    };
    const reports = key ? [report as unknown as TerminalReport] : [];
    await world.dispatch.apply(reports, batch, { node: 'keys', sequence: ++sequence });
  }
  const arrival = async () => (await world.leg(orderId)).points.H;

  it('is disputed by the position that came with it, accepted all the same, and keeps its place', async () => {
    await log([{ atMs: 0, m: 900, kmh: 0 }], { deviceAt: world.clock.now() });
    expect((await world.leg(orderId)).state).toBe('onSite');
    expect(await arrival()).toMatchObject({ rank: 'key', flags: ['disputed'] });
    expect((await arrival())!.place!.lat).toBeCloseTo(SITE.lat + 900 / 111_195, 5);
  });

  it('is disputed by a position that is stored already', async () => {
    await log([{ atMs: 0, m: 900, kmh: 0 }]);
    world.clock.advance(10 * S);
    await log([], { deviceAt: world.clock.now() });
    expect((await arrival())!.flags).toEqual(['disputed']);
  });

  it('is not, where the vehicle may have covered the distance since that position', async () => {
    await log([{ atMs: -20 * S, m: 300, kmh: 60 }], { deviceAt: world.clock.now() });
    expect((await arrival())!.flags).toEqual([]);
  });

  it('is not, from within the radius, nor where no fix is near that time', async () => {
    const far = { m: 5000, kmh: 0 };
    await log([{ ...far, atMs: 0, status: 0b1 }, { ...far, atMs: -90 * S }], { deviceAt: world.clock.now() }); // prettier-ignore
    expect((await arrival())!.flags).toEqual([]);
    world.clock.advance(5 * S);
    await log([{ atMs: 0, m: 80, kmh: 0 }], { deviceAt: world.clock.now() });
    expect((await world.leg(orderId)).claims.at(-1)!.flags).toEqual([]);
  });

  it('takes the position of its own time when both come late', async () => {
    const pressed = -240 * S;
    await log([{ atMs: pressed, m: 900, kmh: 0 }, { atMs: 0, m: 10, kmh: 0 }], { deviceAt: world.clock.now() + pressed }); // prettier-ignore
    expect((await arrival())!.flags).toEqual(['late', 'disputed']);
  });

  it('on an event list, whose key carries no time, by the position received last; a late one says nothing', async () => {
    await world.do({ type: 'vehicle.create', id: 'v2', plate: '京A2', repairCentreId: 'centre-1', trade: 'lowVoltage',
      terminal: { phone: '13000000002', profile: 'menu' }, crew: { name: 'c2', members: [] } }); // prettier-ignore
    const second = await world.orderWith('v2', 'enRoute');
    await world.deliver('v2', ({ kind }) => kind === 'revision' || kind === 'order');
    const event = (await world.get('outbox', 'v2')).menu.find((one: MenuEvent) => one.step === 'arrive')!;
    const now = world.clock.now();
    const batch = new PositionBatch();
    const lat = Math.round((SITE.lat + 900 / 111_195) * 1e6);
    batch.add('v2', now - 300 * S, now, SITE.lat * 1e6, SITE.lon * 1e6, 0, 0, 0, 0, FIX, -1);
    batch.add('v2', now - 2 * S, now - S, lat, SITE.lon * 1e6, 0, 0, 0, 0, FIX, -1);
    const report = { type: 'report.menuEvent', eventId: event.id, vehicleId: 'v2', phone: '13000000002', receivedAt: now,
      frame: { node: 'keys', sequence: sequence + 1, index: 2 }, dedupKey: 'menu' }; // prettier-ignore
    await world.dispatch.apply([report as TerminalReport], batch, { node: 'keys', sequence: ++sequence });
    expect((await world.leg(second)).points.H).toMatchObject({
      rank: 'keyWithoutTime',
      flags: ['received', 'disputed'],
    });
  });
});
