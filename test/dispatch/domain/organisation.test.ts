import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { World } from '../../support/dispatch.js';

describe('organisation', () => {
  let world: World;
  beforeEach(() => void (world = new World()));
  afterEach(async () => {
    await world.checkReplay();
    await world.close();
  });
  const base = {
    type: 'vehicle.create' as const,
    plate: '京A1',
    repairCentreId: 'centre-1',
    trade: 'cable',
    crew: { name: 'c', members: [] },
  };

  it('a vehicle brings its terminal, whose number is a key without leading zeros and whose secret is not kept', async () => {
    const { vehicleId } = await world.do({
      ...base,
      terminal: { phone: '013900000001', secret: 'a-very-long-secret', profile: 'mqtt' },
    });
    const terminal = await world.get('terminal', '13900000001');
    expect(terminal).toMatchObject({ vehicleId, profile: 'mqtt', statedProfile: 'mqtt' });
    expect(terminal.secret!.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.stringify(await world.events())).not.toContain('a-very-long-secret');
    expect(await world.vehicleDoc(vehicleId as string)).toMatchObject({
      duty: { state: 'standby' },
      queue: { revision: 0, entries: [] },
    });
  });

  it.each([
    ['a number that is taken', { terminal: { phone: '13000000001' } }, 'phoneTaken', 409],
    ['an id that is taken', { id: 'v1', terminal: { phone: '2' } }, 'vehicleExists', 409],
    ['letters in the number', { terminal: { phone: '12a' } }, 'badPhone', 422],
    ['an unknown centre', { terminal: { phone: '3' }, repairCentreId: 'x' }, 'unknownCentre', 422],
    ['an unknown trade', { terminal: { phone: '4' }, trade: 'x' }, 'unknownTrade', 422],
    ['an unknown unit', { terminal: { phone: '5' }, unitId: 'x' }, 'unknownUnit', 422],
  ])('refuses %s', async (_name, change, code, status) => {
    await world.vehicle('v1');
    expect(await world.refused({ ...base, ...change })).toMatchObject({ code, status });
  });

  it('an edit moves the terminal to another number and the crew to another trade', async () => {
    await world.vehicle('v1');
    await world.do({
      type: 'vehicle.edit',
      vehicleId: 'v1',
      changes: { plate: '京B2', trade: 'cable', terminal: { phone: '777' } },
    });
    expect(await world.vehicleDoc('v1')).toMatchObject({ plate: '京B2', trade: 'cable', terminal: { phone: '777' } });
    expect((await world.get('terminal', '777')).vehicleId).toBe('v1');
    expect(await world.dispatch.get('terminal', '13000000001')).toBeUndefined();
    expect((await world.get('tradeGroup', 'centre-1/cable')).vehicleIds).toEqual(['v1']);
    expect((await world.get('tradeGroup', 'centre-1/lowVoltage')).vehicleIds).toEqual([]);
    await world.do({
      type: 'vehicle.edit',
      vehicleId: 'v1',
      changes: { terminal: { profile: null, options: { maxEvents: 8 } } },
    });
    expect(await world.get('terminal', '777')).toMatchObject({ options: { maxEvents: 8, maxTextBytes: 500 } });
    expect((await world.get('terminal', '777')).statedProfile).toBeUndefined();
  });

  it('a vehicle is deleted only without orders', async () => {
    await world.vehicle('v1');
    const orderId = await world.orderWith('v1');
    expect(await world.refused({ type: 'vehicle.delete', vehicleId: 'v1' })).toMatchObject({ code: 'openLegs' });
    await world.do({ type: 'order.reject', orderId, reason: 'x' });
    await world.do({ type: 'vehicle.delete', vehicleId: 'v1' });
    expect(await world.dispatch.get('vehicle', 'v1')).toBeUndefined();
    expect(await world.dispatch.get('terminal', '13000000001')).toBeUndefined();
  });

  it('centres and units keep what an edit does not name', async () => {
    await world.do({ type: 'centre.put', centre: { id: 'c2', name: 'North' } });
    await world.do({ type: 'centre.put', centre: { id: 'c2', limits: { EF: 3 } } });
    expect(await world.get('centre', 'c2')).toMatchObject({
      name: 'North',
      limits: { EF: 3 },
      siteClasses: ['town', 'country', 'remote'],
    });
    await world.do({
      type: 'unit.put',
      unit: { id: 'u1', kind: 'cityStation', managers: [{ name: 'Sun', phone: '1' }] },
    });
    expect(await world.get('unit', 'u1')).toMatchObject({ kind: 'cityStation', managers: [{ name: 'Sun' }] });
  });

  it('a new store has centre-1', async () => {
    await world.dispatch.start();
    expect(await world.get('centre', 'centre-1')).toMatchObject({ id: 'centre-1', automaticMode: false });
  });
});
