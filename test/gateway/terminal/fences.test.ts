import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeBody, type Body } from '../../../protocol/index.js';
import { frameOf, locationBody, type TerminalForm } from '../support/frames.js';
import type { TerminalClient } from '../support/terminal-client.js';
import { answering, person, Rig, type Json } from './support.js';

const SITE = { lat: 39.91, lon: 116.41, address: 'Road 1' };

/** A location with item 0x12: circle crossed. */
function crossing(at: number, areaId: number, direction: 0 | 1): Buffer {
  const item = Buffer.alloc(8);
  item.set([0x12, 6, 1], 0);
  item.writeUInt32BE(areaId, 3);
  item.writeUInt8(direction, 7);
  return Buffer.concat([locationBody({ at, latE6: 39_910_100, lonE6: 116_410_000, alarm: 1 << 20 }), item]);
}

const batchOf = (type: 0 | 1, ...items: Buffer[]): Buffer =>
  Buffer.concat([
    Buffer.of(0, items.length, type),
    ...items.flatMap((item) => [Buffer.of(item.length >> 8, item.length & 255), item]),
  ]);

describe('circles in the terminal', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await new Rig().start();
  });
  afterAll(() => rig.stop());

  const newOrder = async (vehicleId: string, site = SITE): Promise<string> => {
    const { dispatch } = rig.gateway;
    const { result } = await dispatch.execute(
      {
        type: 'order.create', customer: { name: 'Zhao', phone: '13900000000' }, site,
        fault: { category: 'outage', voltage: 'low', description: 'dark' },
      },
      person,
    ); // prettier-ignore
    const orderId = String(result['orderId']);
    await dispatch.execute({ type: 'order.issue', orderId, repairCentreId: 'centre-1' }, person);
    await dispatch.execute({ type: 'order.assign', orderId, vehicleId }, person);
    return orderId;
  };
  const circles = (client: TerminalClient, edition: 2013 | 2019) =>
    client.answers
      .of(0x8600)
      .flatMap(({ body }) => (decodeBody(0x8600, edition, body)!.body as Body<'setCircles'>).areas);
  const order = async (id: string): Promise<Json> => (await rig.call('GET', `/orders/${id}`)).json;

  it('are set for every queued order, stamp the arrival inside a radio hole, and go when the leg ends', async () => {
    const form: TerminalForm = { phone: '13900000041', edition: 2019 };
    const id = await rig.vehicle(form.phone, 'text', { fences: true });
    const client = await rig.open(form);
    await client.enrol();
    answering(client, form);
    const first = await newOrder(id);
    const second = await newOrder(id, { ...SITE, lat: -33.5, lon: -70.6 });
    await client.until(() => circles(client, 2019).length === 2, 'both circles');
    const [one, other] = circles(client, 2019);
    expect(one).toMatchObject({ latitudeE6: 39_910_000, longitudeE6: 116_410_000, radiusM: 100, attributes: 0x28 });
    expect(other).toMatchObject({ latitudeE6: 33_500_000, longitudeE6: 70_600_000, attributes: 0x28 | 0xc0 });
    expect(one!.id).not.toBe(other!.id);

    for (const type of ['order.accept', 'order.depart'] as const)
      await rig.gateway.dispatch.execute({ type, orderId: first }, person);
    const { D } = (await order(first)).timePoints;
    // Entered a while ago where no radio reached: later than D by the terminal's own clock.
    await new Promise((resolve) => setTimeout(resolve, 2_200));
    const at = Math.ceil(Date.parse(D.at) / 1000) * 1000 + 1_000;
    // Passing the site of the other order, and an area of somebody else: both say nothing.
    const body = batchOf(1, crossing(at, other!.id, 0), crossing(at, 4711, 0), crossing(at, one!.id, 0));
    client.send(frameOf(form, 0x0704, 60, body));
    expect(await client.acknowledged(0x0704, 60)).toBe(0);
    const arrived = await rig.until(async () => {
      const found = await order(first);
      return found.timePoints.H && found;
    }, 'the arrival');
    expect(arrived.timePoints.H).toMatchObject({
      at: new Date(at).toISOString(),
      rank: 'terminalFence',
      source: 'fence',
    });
    expect(arrived.legs[0].state).toBe('onSite');
    expect((await order(second)).timePoints.H).toBeUndefined();

    await rig.gateway.dispatch.execute({ type: 'order.complete', orderId: first }, person);
    const removal = await client.answer(0x8601);
    expect(removal.body.readUInt32BE(1)).toBe(one!.id);
    expect(client.answers.of(0x8601)).toHaveLength(1);
    // The same crossing, told once more after the end: it stays evidence, and changes nothing.
    client.send(frameOf(form, 0x0200, 61, crossing(at + 1_000, one!.id, 0)));
    expect(await client.acknowledged(0x0200, 61)).toBe(0);
    await rig.gateway.dispatch.execute({ type: 'order.edit', orderId: second, changes: { site: { lat: 40 } } }, person);
    await client.until(() => circles(client, 2019).length === 3, 'the moved circle');
    expect(circles(client, 2019)[2]).toMatchObject({ id: other!.id, latitudeE6: 40_000_000 });
    expect((await order(first)).timePoints.H.at).toBe(new Date(at).toISOString());
    await client.end();
  }, 30_000);

  it('are not sent to terminals that do not take them', async () => {
    const form: TerminalForm = { phone: '13900000042', edition: 2013 };
    const id = await rig.vehicle(form.phone);
    const client = await rig.open(form);
    await client.enrol();
    answering(client, form);
    await newOrder(id);
    await client.answer(0x8300);
    const { json } = await rig.call('GET', `/vehicles/${id}/deliveries`);
    expect(json.items.map(({ kind }: Json) => kind)).not.toContain('command');
    // Switched on, the circle follows.
    await rig.call('PATCH', `/vehicles/${id}`, { terminal: { options: { fences: true } } });
    await client.until(() => circles(client, 2013).length === 1, 'the circle');
    await client.end();
  });
});
