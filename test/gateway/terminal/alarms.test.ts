import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { frameOf, locationBody, type TerminalForm } from '../support/frames.js';
import type { TerminalClient } from '../support/terminal-client.js';
import { answering, Rig, type Json } from './support.js';

const SOS = 1;
const OVERSPEED = 2;

describe('alarms of a terminal', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await new Rig().start();
  });
  afterAll(() => rig.stop());

  let serial = 100;
  /** A location, confirmed: it is in the log, and the terminal clears what a reply clears. */
  const say = async (client: TerminalClient, form: TerminalForm, alarm: number, at = Date.now()): Promise<void> => {
    const own = serial++;
    client.send(frameOf(form, 0x0200, own, locationBody({ at, alarm })));
    expect(await client.acknowledged(0x0200, own)).toBe(0);
  };
  const happened = async (vehicleId: string): Promise<string[]> => {
    const { json } = await rig.call('GET', `/events?types=alarm.*,alert.*&limit=500`);
    return json.items
      .filter((event: Json) => event.vehicleId === vehicleId)
      .map(({ type, data }: Json) => `${type} ${data.alarm?.name ?? data.name ?? data.alert?.severity ?? ''}`.trim());
  };
  const alert = async (vehicleId: string): Promise<Json> =>
    (await rig.call('GET', '/alerts?open=0')).json.items.find((one: Json) => one.vehicleId === vehicleId);

  it('are events with begin and end; SOS alerts until a person has acknowledged it, and the terminal hears of that', async () => {
    const form: TerminalForm = { phone: '13900000031', edition: 2013 };
    const id = await rig.vehicle(form.phone);
    const client = await rig.open(form);
    await client.enrol();
    answering(client, form);
    const start = Date.now() - 60_000;
    await say(client, form, 0, start);
    for (let i = 1; i <= 5; i++) await say(client, form, SOS, start + i * 1_000);
    // The answer has cleared the bit.
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    await say(client, form, 0, start + 10_000);
    await rig.until(async () => (await happened(id)).length === 3, 'begin, alert and end');
    expect(await happened(id)).toEqual(['alert.raised sos', 'alarm.raised sos', 'alarm.ended sos']);
    const open = await alert(id);
    expect(open).toMatchObject({ kind: 'sos', severity: 'sos', message: expect.stringContaining('39.900000, 116.400000') });
    expect(open.endedAt).toBeUndefined();
    await rig.call('POST', `/alerts/${encodeURIComponent(open.id)}/acknowledge`);
    expect(await alert(id)).toMatchObject({ endedBecause: 'acknowledged' });
    const confirmed = await client.answer(0x8203);
    expect(confirmed.body.toString('hex')).toBe('0000' + '00000001');
    await client.end();
  }, 20_000); // prettier-ignore

  it('stay on over a restart, show on the vehicle, and end after it', async () => {
    const form: TerminalForm = { phone: '13900000032', edition: 2019 };
    const id = await rig.vehicle(form.phone, 'text');
    const client = await rig.open(form);
    const code = await client.enrol();
    await say(client, form, OVERSPEED | SOS, Date.now() - 30_000);
    const shown = async (): Promise<string[]> =>
      (await rig.call('GET', `/vehicles/${id}`)).json.alarms.map((one: Json) => one.name);
    await rig.until(async () => (await shown()).length === 2, 'the alarms');
    await rig.restart();
    const again = await rig.open(form);
    await again.login(code);
    expect(await shown()).toEqual(['sos', 'overspeed']);
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    await say(again, form, SOS);
    await rig.until(async () => (await shown()).join() === 'sos', 'the end of one');
    expect((await happened(id)).filter((type) => type.startsWith('alarm.'))).toEqual([
      'alarm.raised sos', 'alarm.raised overspeed', 'alarm.ended overspeed',
    ]); // prettier-ignore
    // Acknowledged while the button is still held down: over when it is let go.
    await rig.call('POST', `/alerts/${encodeURIComponent((await alert(id)).id)}/acknowledge`);
    expect((await alert(id)).endedAt).toBeUndefined();
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    await say(again, form, 0);
    await rig.until(async () => (await alert(id)).endedBecause === 'acknowledged', 'the end of the alert');
    await again.end();
  }, 30_000);

  it('are not raised by what comes out of a radio hole, nor by bits without a meaning', async () => {
    const form: TerminalForm = { phone: '13900000033', edition: 2013 };
    const id = await rig.vehicle(form.phone);
    const client = await rig.open(form);
    await client.enrol();
    const place = locationBody({ at: Date.now() - 3_600_000, alarm: SOS | OVERSPEED });
    const batch = Buffer.concat([Buffer.of(0, 1, 1, 0, place.length), place]);
    client.send(frameOf(form, 0x0704, 50, batch));
    expect(await client.acknowledged(0x0704, 50)).toBe(0);
    // Bit 16: reserved in 2013, vibration on small trackers.
    await say(client, form, 0x0001_0000);
    await say(client, form, OVERSPEED);
    await rig.until(async () => (await happened(id)).length > 0, 'the live alarm');
    expect(await happened(id)).toEqual(['alarm.raised overspeed']);
    await client.end();
  });
});
