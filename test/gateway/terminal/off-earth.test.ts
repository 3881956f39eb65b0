/** A fix that cannot be counts as no fix, by whichever road it came, and its bytes are kept for a person. */
import { connectAsync } from 'mqtt';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodeBody, encodeUplink, wrapPassthrough, type UplinkBody } from '../../../protocol/index.js';
import { frameOf, locationBody, type TerminalForm } from '../support/frames.js';
import { mqttPosition, positionUplink } from '../support/uplinks.js';
import { person, Rig, type Json } from './support.js';

const SECRET = 'a secret of sixteen';
const at = Math.floor(Date.now() / 1000) * 1000 - 60_000;
let rig: Rig;
beforeAll(async () => {
  rig = await new Rig({ mqttPort: '0', mqttHost: '127.0.0.1' }).start();
});
afterAll(() => rig.stop());

const pieces = (vehicleId: string, count: number): Promise<[string, string][]> =>
  rig.until(async () => {
    const cards = (await rig.call('GET', '/quarantine')).json.items;
    const own = cards.filter((card: Json) => card.vehicleId === vehicleId).flatMap(({ data }: Json) => data.items);
    return own.length >= count && own.map(({ message, bytesHex }: Json) => [message, bytesHex]);
  }, 'the quarantine');
/** Place and fix of every position of the vehicle. */
async function places(vehicleId: string): Promise<[number, number, boolean][]> {
  const found: [number, number, boolean][] = [];
  for await (const one of rig.gateway.dispatch.store.track(vehicleId, at, at + 600_000)) {
    found.push([one.latE6, one.lonE6, (one.status & 2) !== 0]);
  }
  return found;
}
const nowhere = [0, 0, false];

async function mqtt(phone: string): Promise<{ id: string; say: (payload: Uint8Array) => Promise<void>; end: () => Promise<void> }> {
  const id = `v-${phone}`;
  await rig.gateway.dispatch.execute(
    {
      type: 'vehicle.create', id, plate: '京A12345', terminal: { phone, secret: SECRET, profile: 'mqtt' }, repairCentreId: 'centre-1',
      trade: 'lowVoltage', crew: { name: 'crew', members: [] },
    },
    person,
  );
  const login = { clientId: phone, username: phone, password: SECRET, reconnectPeriod: 0 };
  const client = await connectAsync(`mqtt://127.0.0.1:${rig.gateway.ports.mqtt}`, login);
  const say = async (payload: Uint8Array) =>
    void (await client.publishAsync(`linecrew/v1/t/${phone}/up`, Buffer.from(payload), { qos: 1 }));
  return { id, say, end: () => client.endAsync(true) };
} // prettier-ignore

it('in a 0x0200', async () => {
  const form: TerminalForm = { phone: '13900000701', edition: 2019 };
  const id = await rig.vehicle(form.phone, 'text');
  const client = await rig.open(form);
  await client.enrol();
  const body = locationBody({ at, latE6: 91_000_000 });
  client.send(frameOf(form, 0x0200, 9, body));
  expect(await client.acknowledged(0x0200, 9)).toBe(0);
  expect(await pieces(id, 1)).toEqual([
    ['a fix at latitude 91, longitude 116.4', Buffer.from(body).toString('hex')],
  ]);
  expect(await places(id)).toEqual([nowhere]);
  await client.end();
}); // prettier-ignore

it('in a private message inside 0x0900', async () => {
  const form: TerminalForm = { phone: '13900000702', edition: 2013 };
  const id = await rig.vehicle(form.phone, 'smart');
  const client = await rig.open(form);
  await client.enrol();
  const payload = positionUplink(1, at, { lat: 31, lon: -181 });
  const content = wrapPassthrough(payload);
  client.send(frameOf(form, 0x0900, 9, encodeBody('passthroughUp', 2013, { type: 0xfa, content })));
  expect(await client.acknowledged(0x0900, 9)).toBe(0);
  expect(await pieces(id, 1)).toEqual([['a fix at latitude 31, longitude -181', payload.toString('hex')]]);
  expect(await places(id)).toEqual([nowhere]);
  await client.end();
});

it('over MQTT: positions, an alarm, and where a key was pressed', async () => {
  const { id, say, end } = await mqtt('13900000703');
  const positions = [mqttPosition(at), mqttPosition(at + 1000, { lat: 90.000001 }), mqttPosition(at + 2000, { lon: 181 })];
  // Without a fix a terminal may say anything: that is nothing for a person.
  const none = mqttPosition(at + 3000, { lat: 123, lon: 456, status: 1 });
  const uplink = (sequence: number, body: UplinkBody) => encodeUplink({ sequence, sentAtMs: at, body });
  const batch = uplink(1, { kind: 'positions', positions: [...positions, none] });
  await say(batch);
  // One piece for the whole payload, whatever else in it cannot be.
  expect(await pieces(id, 1)).toEqual([
    ['a fix at latitude 90.000001, longitude 116.4', Buffer.from(batch).toString('hex')],
  ]);
  expect(await places(id)).toEqual([[39_900_000, 116_400_000, true], nowhere, nowhere, nowhere]);

  await say(uplink(2, { kind: 'alarm', alarm: 'sos', active: true, atMs: at + 4000, lat: -95, lon: 10 }));
  const { json } = await rig.call('POST', '/orders', {
    customer: { name: 'x', phone: '1' },
    site: { lat: 39.9, lon: 116.4, address: 'x' },
    fault: { category: 'other', voltage: 'low', description: 'x' },
  });
  await rig.call('POST', `/orders/${json.id}/issue`, { repairCentreId: 'centre-1' });
  const assigned = await rig.call('POST', `/orders/${json.id}/assign`, { vehicleId: id });
  expect(assigned.status, JSON.stringify(assigned.json)).toBe(200);
  await say(uplink(3, { kind: 'orderAction', orderId: json.id, leg: 1, action: 'accept', atMs: Date.now(), lat: 0, lon: 200 }));
  const said = (await pieces(id, 3)).map(([message]) => message);
  expect(said.slice(1)).toEqual(['a fix at latitude -95, longitude 10', 'a fix at latitude 0, longitude 200']);
  const leg = async () => (await rig.call('GET', `/orders/${json.id}`)).json.legs[0].state;
  await rig.until(async () => (await leg()) === 'accepted', 'the action');
  const alarms = await rig.call('GET', `/vehicles/${id}`);
  expect(JSON.stringify(alarms.json)).toContain('sos');
  const metrics = await (await rig.fetch('GET', '/metrics')).text();
  for (const [limit, now] of [['alarmedVehicles', 1], ['tails', 0]] as const)
    expect(metrics).toContain(`linecrew_gateway_held{limit="${limit}"} ${now}\n`);
  expect(metrics).toContain('linecrew_gateway_held_max{limit="tails"} 16\n');
  expect(metrics).not.toContain('linecrew_gateway_held_max{limit="alarmedVehicles"}');
  for (const name of ['parts_bytes 0', 'log_lines_left_out_total 0']) expect(metrics).toContain(`linecrew_gateway_${name}\n`);
  await end();
}); // prettier-ignore
