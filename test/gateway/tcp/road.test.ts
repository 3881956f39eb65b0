import { afterEach, describe, expect, it } from 'vitest';
import type { Position } from '../../../dispatch/store/position-batch.js';
import { authentication, frameOf, locationBody, registration, type TerminalForm } from '../support/frames.js';
import {
  addVehicle,
  startGatewayWorld,
  type GatewayWorld,
  type GatewayWorldOptions,
} from '../support/gateway-world.js';
import { TerminalClient } from '../support/terminal-client.js';

let world: GatewayWorld;
const clients: TerminalClient[] = [];
const start = async (options?: GatewayWorldOptions) => (world = await startGatewayWorld(options));
const open = async (form: TerminalForm, how?: { allowHalfOpen: boolean }) => {
  const client = await TerminalClient.open(world.port, form, how);
  clients.push(client);
  return client;
};
afterEach(async () => {
  for (const client of clients.splice(0)) client.socket.destroy();
  await world.stop();
});

async function trackOf(vehicleId: string): Promise<Position[]> {
  const found: Position[] = [];
  for await (const position of world.store.track(vehicleId, 0, Date.now() + 86_400_000)) found.push(position);
  return found;
}

const at = Math.floor(Date.now() / 1000) * 1000 - 60_000;

describe.each([2011, 2013, 2019] as const)('a terminal of %d on a real socket', (edition) => {
  it('registers, authenticates, and reports positions that are stored before they are confirmed', async () => {
    await start();
    const form = { phone: '13800138000', edition };
    const vehicleId = await addVehicle(world.dispatch, form.phone);
    const client = await open(form);
    await client.enrol();
    for (let i = 0; i < 5; i++)
      client.send(frameOf(form, 0x0200, 10 + i, locationBody({ at: at + i * 1000, latE6: 39_900_000 + i })));
    for (let i = 0; i < 5; i++) expect(await client.acknowledged(0x0200, 10 + i)).toBe(0);
    await world.gateway.caughtUp();
    const track = await trackOf(vehicleId);
    expect(track.map(({ deviceAt, latE6 }) => [deviceAt, latE6])).toEqual(
      [0, 1, 2, 3, 4].map((i) => [at + i * 1000, 39_900_000 + i]),
    );
    expect(track[0]).toMatchObject({
      lonE6: 116_400_000,
      altitudeM: 50,
      headingDeg: 90,
      mileageDeciKm: 0x1234,
      status: 3,
    });
    expect((await world.dispatch.get('terminal', form.phone))!.value).toMatchObject({ edition, vehicleId });
    expect(world.deliveries.links.map(({ phone }) => phone)).toEqual([form.phone]);
  });
});

const form = { phone: '13800138001', edition: 2013 } as const;

describe('one terminal', () => {
  it('is shown online and offline', async () => {
    await start();
    const vehicleId = await addVehicle(world.dispatch, form.phone);
    const client = await open(form);
    await client.enrol();
    const linkState = async () => (await world.dispatch.get('vehicle', vehicleId))!.value.link.state;
    await expect.poll(linkState).toBe('up');
    await client.end();
    await expect.poll(linkState).toBe('down');
    expect(world.deliveries.log).toEqual([`attach ${form.phone}`, `detach ${form.phone}`]);
  });

  it('keeps its code over a restart of the gateway, and its old code until the new one was used', async () => {
    await start();
    await addVehicle(world.dispatch, form.phone);
    const first = await open(form);
    const oldCode = await first.enrol();
    first.send(registration(form, 7));
    const second = await first.until(() => first.answers.of(0x8100)[1], 'a second code');
    const newCode = second.body.subarray(3).toString('latin1');
    expect(newCode).not.toBe(oldCode);
    await first.end();

    const again = await open(form);
    await again.login(oldCode);
    await again.end();
    const withNew = await open(form);
    await withNew.login(newCode);
    await withNew.end();
    const late = await open(form);
    late.send(authentication(form, 3, oldCode));
    expect(await late.acknowledged(0x0102, 3)).toBe(1);
  });

  it('gets result 4 when another device registers under its number', async () => {
    await start();
    await addVehicle(world.dispatch, form.phone);
    await (await open(form)).enrol();
    const other = await open(form);
    other.send(registration(form, 1, { maker: 'OTHER', model: 'X', terminalId: 'Y' }));
    const { body } = await other.answer(0x8100);
    expect(body.toString('hex')).toBe('000104');
  });

  it('that is unknown is refused, or becomes a vehicle to be confirmed under open enrolment', async () => {
    await start();
    const client = await open(form);
    client.send(registration(form, 1));
    expect((await client.answer(0x8100)).body[2]).toBe(4);
    await world.stop();
    await start({ enrolment: 'open' });
    const welcome = await open(form);
    await welcome.enrol();
    welcome.send(frameOf(form, 0x0200, 5, locationBody({ at })));
    expect(await welcome.acknowledged(0x0200, 5)).toBe(0);
    await world.gateway.caughtUp();
    const { vehicleId } = (await world.dispatch.get('terminal', form.phone))!.value;
    expect((await world.dispatch.get('vehicle', vehicleId))!.value.toBeConfirmed).toBe(true);
    expect(await trackOf(vehicleId)).toHaveLength(1);
  });

  it('is let in as soon as its vehicle is on file, though it was asked about before', async () => {
    await start();
    const early = await open(form);
    early.send(registration(form, 1));
    expect((await early.answer(0x8100)).body[2]).toBe(4);
    await addVehicle(world.dispatch, form.phone);
    const client = await open(form);
    await client.enrol();
  });

  it('is cut when it is blocked, and stays out', async () => {
    await start();
    await addVehicle(world.dispatch, form.phone);
    const client = await open(form);
    const code = await client.enrol();
    const operator = { source: 'api', name: 'test', roles: ['administrator'] } as const;
    await world.dispatch.execute({ type: 'terminal.block', phone: form.phone, reason: 'stolen' }, operator);
    await client.until(() => client.closed, 'the end of the connection');
    const again = await open(form);
    again.send(authentication(form, 1, code));
    expect(await again.acknowledged(0x0102, 1)).toBe(1);
  });
});

describe('two connections of one terminal', () => {
  it('the newer with a valid code takes over, the older is closed, and its late frames are still taken', async () => {
    await start();
    const vehicleId = await addVehicle(world.dispatch, form.phone);
    const older = await open(form, { allowHalfOpen: true });
    const code = await older.enrol();
    const newer = await open(form);
    await newer.login(code);
    await older.until(() => older.socket.readableEnded, 'the end of what the gateway sends');
    older.socket.write(frameOf(form, 0x0200, 50, locationBody({ at })));
    older.socket.end();
    await older.until(() => older.closed, 'the end of the connection');
    newer.send(frameOf(form, 0x0200, 51, locationBody({ at: at + 1000 })));
    expect(await newer.acknowledged(0x0200, 51)).toBe(0);
    await world.gateway.caughtUp();
    expect(await trackOf(vehicleId)).toHaveLength(2);
    expect(world.deliveries.links).toHaveLength(1);
    await expect.poll(async () => (await world.dispatch.get('vehicle', vehicleId))!.value.link.state).toBe('up');
    expect(world.gateway.counters.takeOvers).toBe(1);
  });

  it('a stranger with a wrong code changes nothing', async () => {
    await start();
    await addVehicle(world.dispatch, form.phone);
    const owner = await open(form);
    await owner.enrol();
    const stranger = await open(form);
    stranger.send(authentication(form, 1, 'guess'));
    expect(await stranger.acknowledged(0x0102, 1)).toBe(1);
    owner.send(frameOf(form, 0x0200, 9, locationBody({ at })));
    expect(await owner.acknowledged(0x0200, 9)).toBe(0);
    expect(owner.closed).toBe(false);
  });
});
