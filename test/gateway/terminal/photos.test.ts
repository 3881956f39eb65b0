import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeBody, splitBody } from '../../../protocol/index.js';
import { frameOf, locationBody, type TerminalForm } from '../support/frames.js';
import type { TerminalClient } from '../support/terminal-client.js';
import { messageOf, person, Rig, type Json } from './support.js';

const PLACE = { latE6: 39_912_345, lonE6: 116_412_345 };

/** A picture of so many bytes, as far as anybody looks. */
function jpeg(bytes: number): Buffer {
  return Buffer.concat([Buffer.of(0xff, 0xd8, 0xff, 0xe0), randomBytes(bytes - 6), Buffer.of(0xff, 0xd9)]);
}

/** Frames of a 0x0801 (2013, 2019): head, location, data; parts of 900 bytes with serials from `firstSerial` on. */
function upload(form: TerminalForm, mediaId: number, data: Uint8Array, firstSerial: number, takenAt = Date.now()) {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(mediaId, 0);
  head.writeUInt8(1, 7);
  const body = Buffer.concat([head, locationBody({ at: takenAt, ...PLACE }).subarray(0, 28), data]);
  const parts = splitBody(body, 900);
  return parts.map((part, i) =>
    frameOf(form, 0x0801, (firstSerial + i) & 0xffff, part, parts.length > 1 ? { total: parts.length, index: i + 1 } : {}),
  );
} // prettier-ignore

const requests = (client: TerminalClient): number[][] =>
  client.answers
    .of(0x8800)
    .map(({ body }) => decodeBody(0x8800, 2013, body)!.body as { missing?: number[] })
    .map(({ missing }) => missing ?? []);

describe('photos of a terminal', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await new Rig().start();
  });
  afterAll(() => rig.stop());

  const photos = async (vehicle: string, query = ''): Promise<Json[]> =>
    (await rig.call('GET', `/vehicles/${vehicle}/photos${query}`)).json.items;

  it('takes a photo of 200 kB in parts, asks for the lost one, and serves it with place and time', async () => {
    const form: TerminalForm = { phone: '13900000021', edition: 2013 };
    const id = await rig.vehicle(form.phone);
    const client = await rig.open(form);
    await client.enrol();
    const data = jpeg(200_000);
    const takenAt = Math.floor(Date.now() / 1000) * 1000 - 5_000;
    // Serials wrap inside the message.
    const frames = upload(form, 0x0a0b0c0d, data, 65_500, takenAt);
    expect(frames.length).toBeGreaterThan(200);
    const lost = 100;
    client.send(...frames.filter((_, i) => i !== lost - 1));
    const asked = await client.answer(0x8800);
    expect(decodeBody(0x8800, 2013, asked.body)!.body).toEqual({ mediaId: 0x0a0b0c0d, missing: [lost] });
    expect(await photos(id)).toEqual([]);
    client.send(frames[lost - 1]!);
    const done = await client.until(() => client.answers.of(0x8800)[1], 'the end of the upload');
    expect(done.body.toString('hex')).toBe('0a0b0c0d');
    // Every part was confirmed.
    expect(new Set(client.answers.acks()).size).toBeGreaterThanOrEqual(frames.length);

    const [photo] = await rig.until(async () => (await photos(id)).length === 1 && photos(id), 'the photo');
    expect(photo).toMatchObject({
      kind: 'image', contentType: 'image/jpeg', bytes: data.length, mediaId: 0x0a0b0c0d, channel: 1, event: 'command',
      takenAt: new Date(takenAt).toISOString(), lat: 39.912345, lon: 116.412345,
    }); // prettier-ignore
    const served = await rig.fetch('GET', photo.url);
    expect(served.headers.get('content-type')).toBe('image/jpeg');
    expect(served.headers.get('content-length')).toBe(String(data.length));
    expect(served.headers.get('last-modified')).toBe(new Date(takenAt).toUTCString());
    expect(served.headers.get('geo-position')).toBe('39.912345;116.412345');
    expect(Buffer.from(await served.arrayBuffer()).equals(data)).toBe(true);
    const other = await rig.vehicle('13900000029');
    expect((await rig.call('GET', `/vehicles/${other}/photos/${photo.id}`)).status).toBe(404);
    await client.end();
  }, 40_000);

  it('goes on where the connection broke off', async () => {
    const form: TerminalForm = { phone: '13900000022', edition: 2019 };
    const id = await rig.vehicle(form.phone, 'text');
    const first = await rig.open(form);
    const code = await first.enrol();
    const data = jpeg(9_000);
    const frames = upload(form, 7, data, 300);
    first.send(...frames.slice(0, 4));
    expect(await first.acknowledged(0x0801, 303)).toBe(0);
    await first.end();
    const second = await rig.open(form);
    await second.login(code);
    const missing = await second.until(() => requests(second).find((numbers) => numbers.length > 0), 'the request');
    expect(missing).toEqual(frames.map((_, i) => i + 1).slice(4));
    second.send(...frames.slice(4));
    await second.until(() => requests(second).some((numbers) => numbers.length === 0), 'the end of the upload');
    await rig.until(async () => (await photos(id)).length === 1, 'the photo');
    await second.end();
  }, 40_000);

  it('joins the packets of the 2011 draft over a break and a restart, and asks for lost ones in its form', async () => {
    const form: TerminalForm = { phone: '13900000025', edition: 2011 };
    const id = await rig.vehicle(form.phone);
    const first = await rig.open(form);
    const code = await first.enrol();
    // Zeros, as in the middle of pictures: no location is to be seen in them.
    const data = Buffer.concat([jpeg(3_000).subarray(0, 2_998), Buffer.alloc(5_000), jpeg(4_000).subarray(4)]);
    const mediaId = 0x01020304;
    const packets = splitBody(data, 700);
    const total = packets.length;
    expect(total).toBeGreaterThan(15);
    // Serials with gaps: other frames go between the packets.
    const frames = packets.map((part, i) => {
      const body = { mediaId, type: 0, format: 0, event: 1, channel: 2, totalPackets: total, packetId: i + 1, data: part };
      return messageOf(form, 'mediaData', 0x0801, 500 + 3 * i, body);
    });
    const lost = [2, 6];
    const early = 8;
    first.send(...frames.slice(0, early).filter((_, i) => !lost.includes(i + 1)));
    expect(await first.acknowledged(0x0801, 500 + 3 * (early - 1))).toBe(0);
    await first.end();
    await rig.restart();
    const second = await rig.open(form);
    await second.login(code);
    second.send(...frames.slice(early));
    const asked = await second.until(() => second.answers.of(0x8800)[0], 'the request');
    // What came before the restart is asked for too: nobody remembers which packets came, and twice does no harm.
    const request = decodeBody(0x8800, 2011, asked.body)!.body as { replySerial: number; mediaId: number; missing: number[] };
    expect(request).toMatchObject({ replySerial: 500 + 3 * (total - 1), mediaId });
    expect(request.missing).toEqual(expect.arrayContaining(lost));
    second.send(...request.missing.map((number) => frames[number - 1]!));
    const done = await second.until(() => second.answers.of(0x8800)[1], 'the end of the upload');
    expect(decodeBody(0x8800, 2011, done.body)!.body).toMatchObject({ mediaId, missing: [] });
    const [photo] = await rig.until(async () => (await photos(id)).length > 0 && photos(id), 'the photo');
    expect(photo).toMatchObject({ mediaId, channel: 2, event: 'timed', bytes: data.length });
    const served = await rig.fetch('GET', photo.url);
    expect(Buffer.from(await served.arrayBuffer()).equals(data)).toBe(true);
    await second.end();
  }, 60_000); // prettier-ignore

  it('keeps a photo with the order on whose site it was taken, once however often it comes', async () => {
    const form: TerminalForm = { phone: '13900000023', edition: 2013 };
    const id = await rig.vehicle(form.phone);
    const { dispatch } = rig.gateway;
    const { result } = await dispatch.execute(
      {
        type: 'order.create', customer: { name: 'Zhao', phone: '13900000000' },
        site: { lat: 39.9, lon: 116.4, address: 'Road 1' }, fault: { category: 'outage', voltage: 'low', description: 'dark' },
      },
      person,
    ); // prettier-ignore
    const orderId = String(result['orderId']);
    await dispatch.execute({ type: 'order.issue', orderId, repairCentreId: 'centre-1' }, person);
    await dispatch.execute({ type: 'order.assign', orderId, vehicleId: id }, person);
    for (const type of ['order.accept', 'order.depart', 'order.arrive'] as const)
      await dispatch.execute({ type, orderId }, person);
    const client = await rig.open(form);
    await client.enrol();
    const data = jpeg(500);
    client.send(...upload(form, 9, data, 100), ...upload(form, 9, data, 101));
    await client.until(() => client.answers.of(0x8800).length === 2, 'both answers');
    const [photo] = await rig.until(async () => (await photos(id)).length > 0 && photos(id), 'the photo');
    expect(photo).toMatchObject({ orderId, leg: 1 });
    await rig.gateway.dispatch.get('media', photo.id);
    expect(await photos(id, `?order=${orderId}`)).toHaveLength(1);
    expect(await photos(id, '?order=another')).toHaveLength(0);
    const { json } = await rig.call('GET', `/orders/${orderId}`);
    expect(json.events.map(({ type }: Json) => type)).toContain('media.received');
    await client.end();
  });

  it('refuses what is damaged or too large, and says why', async () => {
    const form: TerminalForm = { phone: '13900000024', edition: 2013 };
    const id = await rig.vehicle(form.phone);
    const client = await rig.open(form);
    await client.enrol();
    client.send(...upload(form, 1, Buffer.from('no picture at all'), 10));
    client.send(...upload(form, 2, jpeg(400).subarray(0, 300), 11));
    // More parts than a message may have.
    client.send(frameOf(form, 0x0801, 12, Buffer.alloc(50), { total: 9_000, index: 1 }));
    expect(await client.acknowledged(0x0801, 12)).toBe(2);
    const cards = await rig.until(async () => {
      const { items } = (await rig.call('GET', '/quarantine')).json;
      const [card] = items.filter(({ vehicleId, code }: Json) => vehicleId === id && code === 'damagedMedia');
      return card?.data.count === 2 && card.data.items;
    }, 'the quarantine');
    const said = cards.map(({ message }: Json) => message).join('\n');
    expect(said).toContain('upload 1 of 17 bytes is damaged: it does not begin as a JPEG picture does');
    expect(said).toMatch(/upload 2 of 300 bytes is damaged: .*cut off/);
    expect(await photos(id)).toEqual([]);
    await client.end();
  });
});
