import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StoredEvent } from '../../../dispatch/domain/events.js';
import { AGENT, DISPATCHER, World } from '../../support/dispatch.js';

describe('the service', () => {
  let world: World;
  beforeEach(() => void (world = new World()));
  afterEach(async () => {
    await world.checkReplay();
    await world.close();
  });
  const create = {
    type: 'order.create' as const,
    customer: { name: 'Z', phone: '1' },
    site: { lat: 1, lon: 1, address: '' },
    fault: { category: 'outage', voltage: 'low' as const, description: '' },
  };

  it('gives each of many simultaneous orders a number of its own', async () => {
    const outcomes = await Promise.all(Array.from({ length: 12 }, () => world.dispatch.execute(create, AGENT)));
    const numbers = outcomes.map((outcome) => outcome.result['number']).toSorted();
    expect(numbers).toEqual(Array.from({ length: 12 }, (_, i) => `20260302-${String(i + 1).padStart(4, '0')}`));
  });

  it('numbers the events of a command as the log holds them', async () => {
    const { events } = await world.dispatch.execute(create, AGENT);
    expect(events.map((event) => event.type)).toEqual(['order.received', 'timePoint.claimed', 'timePoint.set']);
    expect(events).toEqual(await world.events());
    expect(events[0]).toMatchObject({ source: 'callCentre', by: 'agent', committedAt: world.clock.now() });
  });

  it('same idempotency key, same answer; also for requests that meet', async () => {
    const options = { idempotencyKey: 'k' };
    const [first, meeting] = await Promise.all([
      world.dispatch.execute(create, AGENT, options),
      world.dispatch.execute(create, AGENT, options),
    ]);
    const later = await world.dispatch.execute(create, AGENT, options);
    expect(meeting.result).toEqual(first.result);
    expect([first.repeated, meeting.repeated].toSorted()).toEqual([false, true]);
    expect(later).toMatchObject({ repeated: true, events: [], result: first.result });
    expect((await world.store.scan({ index: 'orders', limit: 10 })).items).toHaveLength(1);
  });

  it('If-Match: refused unless the document is at the version', async () => {
    const orderId = await world.newOrder();
    const command = { type: 'order.issue' as const, orderId };
    const ifVersion = { kind: 'order' as const, id: orderId, version: 7 };
    await expect(world.dispatch.execute(command, AGENT, { ifVersion })).rejects.toMatchObject({
      status: 412,
      code: 'changedMeanwhile',
    });
    await world.dispatch.execute(command, AGENT, { ifVersion: { ...ifVersion, version: 1 } });
  });

  it('a refused command leaves nothing behind', async () => {
    await world.vehicle('v1');
    const orderId = await world.orderWith('v1', 'onSite');
    const second = await world.orderWith('v1', 'accepted');
    const before = (await world.events()).length;
    await world.refused({ type: 'order.depart', orderId: second });
    await world.refused({ type: 'order.withdraw', orderId, reason: 'x' });
    expect(await world.events()).toHaveLength(before);
  });

  it('many commands at once: each sees those before it; where one is refused none is done', async () => {
    const create = (id: string, phone: string) => ({
      type: 'vehicle.create' as const,
      id,
      plate: id,
      terminal: { phone },
      crew: { name: id, members: [] },
      repairCentreId: 'centre-1',
      trade: 'lowVoltage',
    });
    await world.vehicle('v0');
    const before = await world.store.lastPosition();
    await expect(
      world.dispatch.executeAll([create('a', '1'), create('b', '2'), create('c', '1')], DISPATCHER),
    ).rejects.toMatchObject({ code: 'phoneTaken' });
    expect(await world.store.lastPosition()).toBe(before);
    const edit = { type: 'vehicle.edit' as const, vehicleId: 'a', changes: { plate: 'new' } };
    await world.dispatch.executeAll([create('a', '1'), create('b', '2'), edit], DISPATCHER);
    expect(await world.get('vehicle', 'a')).toMatchObject({ plate: 'new' });
    const events = (await world.events()).slice(before).filter(({ type }) => type.startsWith('vehicle.'));
    expect(events.map(({ type, vehicleId }) => `${vehicleId} ${type}`)).toEqual([
      'a vehicle.created',
      'b vehicle.created',
      'a vehicle.edited',
    ]);
  });

  it('an unknown command is refused in words', async () => {
    expect(await world.refused({ type: 'order.explode' } as never)).toMatchObject({
      code: 'unknownCommand',
      status: 422,
    });
  });

  it('applies reports with their position in one commit, each once', async () => {
    await world.vehicle('v1');
    const orderId = await world.orderWith('v1');
    const report = {
      type: 'report.action' as const,
      vehicleId: 'v1',
      orderId,
      leg: 1,
      action: 'accept',
      dedupKey: 'a',
    };
    await world.report(report, { ...report, action: 'depart', dedupKey: 'b' }, report);
    expect(await world.store.ingestState('n')).toMatchObject({ applied: 3 });
    const leg = await world.leg(orderId);
    expect(leg.state).toBe('enRoute');
    expect(leg.claims.map((claim) => claim.point)).toEqual(['D', 'F', 'G']);
    expect(leg.claims[1]).toMatchObject({ source: 'terminal', by: '13000000001' });
    const accepted = (await world.events()).find((event) => event.type === 'leg.accepted');
    expect(accepted!.frame).toMatchObject({ node: 'n' });
  });

  it('keeps a window of 256 applied uplinks per terminal', async () => {
    await world.vehicle('v1');
    const orderId = await world.orderWith('v1');
    const report = { type: 'report.action' as const, vehicleId: 'v1', orderId, leg: 1, action: 'read' };
    await world.report(...Array.from({ length: 300 }, (_, i) => ({ ...report, dedupKey: `d${i}` })));
    expect((await world.get('window', '13000000001')).seen).toHaveLength(256);
  });

  it('follows the log: every event once, in order, the past and then live', async () => {
    await world.newOrder();
    const seen: StoredEvent[] = [];
    const until = (count: number) =>
      new Promise<void>((resolve) => {
        const look = (): void => void (seen.length >= count ? resolve() : setTimeout(look, 5));
        look();
      });
    const handle = world.dispatch.follow(0, async (events) => {
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(...events);
    });
    await until(3);
    await world.newOrder();
    await until(6);
    handle.cancel();
    await world.newOrder();
    expect(seen.map((event) => event.position)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('gives a follower that failed the same events again', async () => {
    await world.newOrder();
    let failed = false;
    const positions = await new Promise<number[]>((resolve) => {
      world.dispatch.follow(0, (events) => {
        if (!failed) {
          failed = true;
          throw new Error('once');
        }
        resolve(events.map((event) => event.position));
      });
    });
    expect(positions).toEqual([1, 2, 3]);
  });

  it('decides with the guard first', async () => {
    const { Refusal } = await import('../../../dispatch/domain/tx.js');
    const guarded = new World({}, undefined, (_tx, command) => {
      if (command.type === 'order.create') throw new Refusal('notAllowed', 'no', 403);
    });
    expect(await guarded.refused(create, DISPATCHER)).toMatchObject({ status: 403 });
    await guarded.close();
  });
});
