import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Docs } from '../../../dispatch/domain/model.js';
import { World } from '../../support/dispatch.js';
import { MenuTerminal } from './terminals.js';
import { Wire } from './wire.js';

const phone = '13000000001';
const vehicleId = 'v1';
const identity = { maker: 'M', model: 'X', terminalId: 'd1' };
const hash = (name: string): string => name.padEnd(64, '0');
let world: World;

beforeEach(async () => {
  world = new World();
  await world.vehicle(vehicleId, { terminal: { phone } });
});
afterEach(async () => {
  await world.checkReplay();
  await world.close();
});

const terminal = (): Promise<Docs['terminal']> => world.get('terminal', phone);
const register = (code: string, more: object = {}) =>
  world.do({
    type: 'link.register', phone, identity, edition: 2013, plate: '京A1', address: '192.0.2.1', enrolment: 'known',
    codeSha256: hash(code), ...more,
  }); // prettier-ignore
const use = (code: string) => world.do({ type: 'link.authenticated', phone, codeSha256: hash(code), edition: 2013 });
const codes = async (): Promise<string[]> => (await terminal()).codes.map(({ sha256 }) => sha256.replace(/0+$/, ''));
const linkUp = (fence: number, node = 'n') =>
  world.do({ type: 'link.up', vehicleId, phone, address: '192.0.2.1', transport: 'tcp', node, fence });

describe('who a terminal is', () => {
  it('is bound by its first registration; the same three get a fresh code, others a card', async () => {
    expect(await register('a')).toEqual({ result: 0, vehicleId });
    expect((await terminal()).identity).toEqual(identity);
    expect(await register('b', { identity: { ...identity, terminalId: 'd2' } })).toMatchObject({
      result: 4,
      reason: 'otherIdentity',
    });
    await register('c', { identity: { ...identity, terminalId: 'd2' } });
    const page = await world.store.scan({ index: 'cards', limit: 10 });
    const cards = page.items.map(({ value }) => value as Docs['card']).filter(({ kind }) => kind === 'swapped');
    expect(cards).toHaveLength(1);
    expect(await codes()).toEqual(['a']);
  });

  it('keeps the old code until the new one was used', async () => {
    await register('a');
    await use('a');
    await register('b');
    expect(await codes()).toEqual(['a', 'b']);
    await use('a');
    expect(await codes()).toEqual(['a', 'b']);
    await use('b');
    expect(await codes()).toEqual(['b']);
    expect(
      (await world.refused({ type: 'link.authenticated', phone, codeSha256: hash('a'), edition: 2013 })).code,
    ).toBe('codeReplaced');
  });

  it('keeps few codes, whatever registers how often; the one in use stays', async () => {
    await register('a');
    await use('a');
    for (const code of ['b', 'c', 'd', 'e']) await register(code);
    expect(await codes()).toEqual(['a', 'd', 'e']);
  });

  it.each([
    [2011, 'menu'],
    [2013, 'menu'],
    [2019, 'text'],
  ] as const)('of edition %i is taken for %s until somebody states it', async (edition, profile) => {
    await register('a', { edition });
    expect((await terminal()).profile).toBe(profile);
    await world.do({ type: 'vehicle.edit', vehicleId, changes: { terminal: { profile: 'smart' } } });
    await register('b', { edition });
    expect((await terminal()).profile).toBe('smart');
  });

  it('is unknown under known enrolment, and becomes a vehicle to be confirmed under open enrolment', async () => {
    const stranger = { phone: '13999999999' };
    expect(await register('a', stranger)).toEqual({ result: 4, reason: 'unknownTerminal' });
    const made = await register('a', { ...stranger, enrolment: 'open' });
    expect(made).toMatchObject({ result: 0 });
    const vehicle = await world.vehicleDoc(String(made['vehicleId']));
    expect(vehicle).toMatchObject({
      toBeConfirmed: true,
      repairCentreId: 'centre-1',
      terminal: { phone: '13999999999' },
    });
  });

  it('is refused while it is blocked', async () => {
    await world.do({ type: 'terminal.block', phone, reason: 'stolen' });
    expect(await register('a')).toMatchObject({ result: 4, reason: 'blocked' });
    await world.do({ type: 'terminal.unblock', phone });
    expect(await register('a')).toMatchObject({ result: 0 });
  });

  it('swapped: the new device registers, the old one’s codes are dead, every leg stays', async () => {
    await register('a');
    const orderId = await world.orderWith(vehicleId);
    await register('b', { identity: { ...identity, terminalId: 'd2' } });
    await world.do({ type: 'terminal.acceptSwap', phone });
    expect(await codes()).toEqual([]);
    expect(await register('c', { identity: { ...identity, terminalId: 'd2' } })).toMatchObject({ result: 0 });
    expect(await world.queue(vehicleId)).toEqual([orderId]);
    expect((await world.refused({ type: 'terminal.acceptSwap', phone })).code).toBe('noSwap');
  });
});

describe('whether it is there', () => {
  it('an older session cannot end a newer one’s link', async () => {
    await linkUp(1);
    await linkUp(2);
    await world.do({ type: 'link.down', vehicleId, phone, reason: 'idle', fence: 1 });
    expect((await world.vehicleDoc(vehicleId)).link.state).toBe('up');
    await world.do({ type: 'link.down', vehicleId, phone, reason: 'idle', fence: 2 });
    expect((await world.vehicleDoc(vehicleId)).link.state).toBe('down');
  });

  it('only the node that holds the session writes', async () => {
    await world.orderWith(vehicleId);
    await linkUp(1, 'a');
    const item = (await world.get('outbox', vehicleId)).items.find(({ state }) => state === 'queued')!;
    const written = { type: 'delivery.written', vehicleId, deliveryId: item.id, node: 'b' } as const;
    expect((await world.refused(written)).code).toBe('notOwner');
    await world.do({ ...written, node: 'a' });
    expect((await world.refused({ ...written, node: 'a' })).code).toBe('notNext');
  });

  it('three take-overs in ten minutes: orders go to neither until a person decides', async () => {
    await register('a');
    const wire = new Wire(world, vehicleId, phone, new MenuTerminal());
    await wire.connect();
    await world.orderWith(vehicleId);
    const takeOver = () => world.do({ type: 'link.takenOver', vehicleId, phone, from: '192.0.2.1', by: '192.0.2.2' });
    await takeOver();
    world.minutes(11);
    await takeOver();
    await takeOver();
    expect((await terminal()).contested).toBeUndefined();
    world.minutes(1);
    await takeOver();
    expect((await terminal()).contested).toMatchObject({ addresses: ['192.0.2.1', '192.0.2.2'] });
    const item = (await wire.outbox()).items.find(({ state }) => state === 'queued')!;
    const written = { type: 'delivery.written', vehicleId, deliveryId: item.id, node: 'n' } as const;
    expect((await world.refused(written)).code).toBe('held');
    await world.do({ type: 'card.resolve', cardId: `contested:${phone}`, choice: 'keepNewest' });
    await wire.settle();
    expect((await world.vehicleDoc(vehicleId)).queue.confirmedRevision).toBeGreaterThan(0);
  });

  it('a clock that is off by more than a minute is a note for maintenance, once', async () => {
    const measure = (ms: number) => world.do({ type: 'link.clockOffset', phone, ms });
    await measure(30_000);
    expect(await world.cards()).toEqual([]);
    await measure(90_000);
    await measure(91_000);
    expect((await world.cards()).map(({ code }) => code)).toEqual(['clockOffset']);
    expect((await terminal()).clockOffset?.ms).toBe(90_000);
  });
});
