import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Order } from '../../../dispatch/domain/model.js';
import { ERASED, ERASED_PHONE, withoutCustomer } from '../../../dispatch/domain/erase.js';
import { eraseCustomer } from '../../../dispatch/erasure.js';
import { capacityRows } from '../../../dispatch/reporting/capacity.js';
import { segmentRow } from '../../../dispatch/reporting/segments.js';
import { sweep } from '../../../gateway/retention.js';
import { AGENT, World } from '../../support/dispatch.js';

const customer = { name: 'Zhao Qian', phone: '13911112222' };
const site = { lat: 39.912345, lon: 116.456789, address: 'Willow Lane 7, flat 3' };
const fault = { category: 'outage', voltage: 'low', description: 'the lady on the third floor is ill' } as const;
/** What nobody may read any more. */
const SECRETS = /Zhao Qian|13911112222|Willow|third floor|Sun Li|13933334444|rang twice|was rude|39\.912|116\.456/;
const administrator = { source: 'api', name: 'root', roles: ['administrator'] } as const;
const DAY = 86_400_000;

let world: World;
beforeEach(async () => {
  world = new World();
  await world.vehicle('v1');
});
afterEach(() => world.close());

const eraser = () => ({
  execute: (command: { type: 'order.erase'; orderId: string }) => world.dispatch.execute(command, administrator),
  may: () => true,
});

async function closedOrder(): Promise<string> {
  const orderId = await world.orderWith('v1', 'accepted', { customer, site, fault });
  await world.do({ type: 'order.urge', orderId, note: 'rang twice' }, AGENT);
  await world.do(
    { type: 'order.edit', orderId, changes: { customer: { name: 'Sun Li', phone: '13933334444' } } },
    AGENT,
  );
  await world.do({ type: 'order.edit', orderId, changes: { customer } }, AGENT);
  await world.do({ type: 'order.suspend', orderId, reason: 'Sun Li works till noon' });
  await world.do({ type: 'order.resume', orderId });
  for (const step of ['depart', 'arrive', 'work', 'complete'] as const) {
    world.minutes(5);
    await world.do({ type: `order.${step}`, orderId });
    if (step === 'depart') await refusedUnderWay(orderId);
  }
  const media = {
    id: `m-${orderId}`, vehicleId: 'v1', blob: `media/${orderId}`, bytes: 1, kind: 'image', contentType: 'image/jpeg',
    mediaId: 1, channel: 1, event: 'driver', receivedAt: world.clock.now(), place: { lat: site.lat, lon: site.lon },
    orderId, leg: 1,
  }; // prettier-ignore
  await world.store.putBlob(media.blob, new Uint8Array([1]));
  await world.report({ type: 'report.media', vehicleId: 'v1', media });
  const photo = `${'a'.repeat(64)}.jpg`;
  await world.store.putBlob(`photo/${orderId}/${photo}`, new Uint8Array([1]));
  await world.do({ type: 'order.record', orderId, record: { cause: 'fuse', done: 'replaced', photos: [photo] } });
  await world.do({ type: 'order.callback', orderId, result: 'satisfied', words: 'was rude' }, AGENT);
  expect((await world.order(orderId)).stage).toBe('closed');
  return orderId;
}

/** The crew's words end on a card, and in the bytes of a frame that nobody could use. */
async function refusedUnderWay(orderId: string): Promise<void> {
  const refusal = { type: 'report.action' as const, vehicleId: 'v1', orderId, action: 'reject', reason: 'the dog of Willow Lane' }; // prettier-ignore
  await world.report({ ...refusal, leg: 1 }, { ...refusal, leg: 7 });
  const card = (await world.cards()).find(({ code }) => code === 'refusedUnderWay')!;
  await world.do({ type: 'card.resolve', cardId: card.id, choice: 'ignore', note: 'Zhao Qian holds it' });
}

const everything = async (): Promise<string> => {
  const docs: unknown[] = [];
  for await (const doc of world.store.everyDoc()) docs.push(doc);
  return JSON.stringify([docs, await world.events()]);
};

describe('a customer’s data', () => {
  it('is in no document and no event any more; what reports are made of stays', async () => {
    const orderId = await closedOrder();
    expect(await everything()).toMatch(SECRETS);
    const report = async (): Promise<unknown> => {
      const order = await world.order(orderId);
      const rows = order.cycles.map((cycle) => segmentRow(order, cycle, world.clock.now(), world.dispatch.settings));
      return [rows, capacityRows(order, world.dispatch.settings.timeZone)];
    };
    const before = { report: JSON.stringify(await report()), order: await world.order(orderId) };

    const result = await eraseCustomer(world.dispatch, { phone: customer.phone }, eraser());
    expect(result).toMatchObject({ erased: [before.order.number], open: [], photos: 2 });
    expect(result.events).toBeGreaterThan(2);

    expect(await everything()).not.toMatch(SECRETS);
    expect(await world.dispatch.get('media', `m-${orderId}`)).toBeUndefined();
    for await (const blob of world.store.everyBlob()) expect(blob).not.toContain(orderId);
    const codes = (await world.cards()).map(({ code, message, data }) => [code, message, data]);
    expect(codes.sort()).toEqual([
      ['refusedUnderWay', ERASED, {}],
      ['unknownOrder', ERASED, {}],
    ]);
    const after = await world.order(orderId);
    expect(after).toMatchObject({
      customer: { name: ERASED, phone: ERASED_PHONE },
      site: { address: ERASED, lat: 39.91, lon: 116.46 },
      number: before.order.number,
      stage: 'closed',
      erasedAt: world.clock.now(),
    });
    expect(JSON.stringify(await report())).toBe(before.report);
    const times = ({ cycles, legs }: Order): unknown =>
      [...cycles, ...legs].map(({ points }) => Object.entries(points).map(([point, stamp]) => [point, stamp.at]));
    expect(times(after)).toEqual(times(before.order));
    await world.checkReplay();
    const last = (await world.events()).at(-1)!;
    expect(last).toMatchObject({ type: 'order.erased', orderId, by: 'root' });
    await expect(eraseCustomer(world.dispatch, { phone: customer.phone }, eraser())).rejects.toMatchObject({ code: 'unknownOrder' }); // prettier-ignore
    // Asking again by number finishes what was cut short, and changes nothing that is done.
    const again = await eraseCustomer(world.dispatch, { number: after.number }, eraser());
    expect(again).toMatchObject({ erased: [after.number], events: 0, photos: 0 });
  });

  it('stays in an order that has not ended, which is named', async () => {
    await closedOrder();
    const openId = await world.newOrder({ customer, site, fault });
    const result = await eraseCustomer(world.dispatch, { phone: customer.phone }, eraser());
    expect(result.open).toEqual([(await world.order(openId)).number]);
    expect(result.erased).toHaveLength(1);
    expect(await world.order(openId)).toMatchObject({ customer, site });
    expect(await world.refused({ type: 'order.erase', orderId: openId }, administrator)).toMatchObject({
      code: 'orderOpen',
    });
  });

  it('is deleted by itself when the retention of closed orders is over, photos before', async () => {
    const keep = { retentionPositions: 900, retentionFrames: 900, retentionAudit: 900, retentionPhotos: 10, retentionOrders: 30 }; // prettier-ignore
    const quiet = { info: () => {}, error: () => {} };
    const orderId = await closedOrder();
    const openId = await world.newOrder({ customer, site, fault });
    const [photo] = (await world.order(orderId)).cycles[0]!.record!.photos;
    const hasPhoto = async () => (await world.store.getBlob(`photo/${orderId}/${photo}`)) !== undefined;
    world.clock.advance(9 * DAY);
    await sweep(world.dispatch, keep, quiet);
    expect(await hasPhoto()).toBe(true);
    world.clock.advance(2 * DAY);
    await sweep(world.dispatch, keep, quiet);
    expect(await hasPhoto()).toBe(false);
    expect(await world.order(orderId)).toMatchObject({ customer });
    world.clock.advance(20 * DAY);
    await sweep(world.dispatch, keep, quiet);
    expect((await world.order(orderId)).erasedAt).toBe(world.clock.now());
    expect(await world.order(openId)).toMatchObject({ customer });
    // The open one holds the mark: when it has ended, it is not forgotten.
    await world.do({ type: 'order.withdraw', orderId: openId, reason: 'duplicate' }, AGENT);
    await sweep(world.dispatch, keep, quiet);
    expect((await world.order(openId)).erasedAt).toBe(world.clock.now());
    expect(await everything()).not.toMatch(SECRETS);
  });
});

it('erasing twice is erasing once', () => {
  const value = { order: { customer, site, fault, list: [{ note: 'x', at: 5 }], place: { lat: 1.23456, lon: 2 } } };
  expect(withoutCustomer(withoutCustomer(value))).toEqual(withoutCustomer(value));
  expect(withoutCustomer(null)).toBe(null);
});
