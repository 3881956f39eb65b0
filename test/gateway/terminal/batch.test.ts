import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FrameSplitter, splitBody } from '../../../protocol/index.js';
import { frameOf, locationBody, type TerminalForm } from '../support/frames.js';
import { Rig, TOKEN, type Json } from './support.js';

describe('positions in bulk', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await new Rig().start();
  });
  afterAll(() => rig.stop());

  const track = async (vehicle: string, query = ''): Promise<Json[]> => {
    const response = await fetch(`${rig.gateway.url}/api/v1/vehicles/${vehicle}/track${query}`, {
      headers: { authorization: `Bearer ${TOKEN}`, accept: 'application/x-ndjson' },
    });
    const text = (await response.text()).trim();
    return text === '' ? [] : text.split('\n').map((line) => JSON.parse(line));
  };

  it.each([2013, 2019] as const)('takes a batch of a thousand points in parts, in %i, each once and in order', async (edition) => {
    const form: TerminalForm = { phone: `1390000009${edition === 2013 ? 1 : 2}`, edition };
    const id = await rig.vehicle(form.phone, 'text');
    const client = await rig.open(form);
    await client.enrol();
    const from = Math.floor(Date.now() / 1000) * 1000 - 3_600_000;
    const points = Array.from({ length: 1_000 }, (_, i) => locationBody({ at: from + i * 1_000, latE6: 39_000_000 + i }));
    const items = points.flatMap((one) => [Buffer.of(0, one.length), one]);
    const parts = splitBody(Buffer.concat([Buffer.of(1_000 >> 8, 1_000 & 255, 1), ...items]), 1_000);
    const frames = parts.map((part, i) => frameOf(form, 0x0704, 100 + i, part, { total: parts.length, index: i + 1 }));
    // One part twice, and two of them the wrong way round.
    [frames[3], frames[4]] = [frames[4]!, frames[3]!];
    client.send(...frames, frames[0]!);
    expect(await client.acknowledged(0x0704, 100 + parts.length - 1)).toBe(0);
    const found = await rig.until(async () => {
      const rows = await track(id);
      return rows.length >= 1_000 && rows;
    }, 'the track');
    expect(found.map(({ lat }) => lat)).toEqual(points.map((_, i) => (39_000_000 + i) / 1e6));
    expect(found.map(({ deviceAt }) => Date.parse(deviceAt))).toEqual(points.map((_, i) => from + i * 1_000));
    await client.end();
  });

  it('takes what is whole of a damaged batch and of a fix that cannot be, and keeps the rest for a person', async () => {
    const form: TerminalForm = { phone: '13900000094', edition: 2013 };
    const id = await rig.vehicle(form.phone);
    const client = await rig.open(form);
    await client.enrol();
    const from = Math.floor(Date.now() / 1000) * 1000 - 600_000;
    const point = (i: number, latE6 = 39_000_000 + i) => locationBody({ at: from + i * 1_000, latE6 });
    const item = (body: Uint8Array): Buffer => Buffer.concat([Buffer.of(0, body.length), body]);
    const batch = (count: number, ...rest: Uint8Array[]): Buffer => Buffer.concat([Buffer.of(0, count, 1), ...rest]);
    const cut = item(point(2)).subarray(0, 20);
    client.send(
      frameOf(form, 0x0704, 20, batch(3, item(point(0)), item(point(1)), cut)),
      frameOf(form, 0x0704, 21, batch(2, item(point(3)))),
      frameOf(form, 0x0704, 22, batch(3, item(point(4)), Buffer.of(0, 4, 0xde, 0xad, 0xbe, 0xef), item(point(5)))),
      // As many as it says, and more behind them: nothing is lost.
      frameOf(form, 0x0704, 23, batch(1, item(point(6)), Buffer.of(0))),
      frameOf(form, 0x0200, 24, point(7, 91_000_000)),
    );
    for (const serial of [20, 21, 22, 23]) expect(await client.acknowledged(0x0704, serial)).toBe(0);
    expect(await client.acknowledged(0x0200, 24)).toBe(0);
    const rows = await rig.until(async () => {
      const found = await track(id);
      return found.length === 7 && found;
    }, 'what is whole');
    expect(rows.map(({ deviceAt }) => (Date.parse(deviceAt) - from) / 1_000)).toEqual([0, 1, 3, 4, 5, 6, 7]);
    // One card for the vehicle, with every piece of evidence on it.
    const pieces = [
      ['2 of the 3 locations of a batch are whole (value at byte 75)', cut.toString('hex')],
      ['1 of the 2 locations of a batch are whole (value at byte 0)', batch(2, item(point(3))).toString('hex')],
      ['2 of the 3 locations of a batch are whole (value at byte 39)', `0004deadbeef${item(point(5)).toString('hex')}`],
      ['a fix at latitude 91, longitude 116.4', Buffer.from(point(7, 91_000_000)).toString('hex')],
    ];
    const items = await rig.until(async () => {
      const cards = (await rig.call('GET', '/quarantine')).json.items;
      const own = cards.filter(({ vehicleId }: Json) => vehicleId === id).flatMap(({ data }: Json) => data.items);
      return own.length === pieces.length && own;
    }, 'the quarantine');
    expect(items.map(({ message, bytesHex }: Json) => [message, bytesHex])).toEqual(pieces);
    await client.end();
  });

  it('takes what is in a compressed upload as if it had come by itself, and quarantines what does not inflate', async () => {
    const form: TerminalForm = { phone: '13900000093', edition: 2013 };
    const id = await rig.vehicle(form.phone);
    const client = await rig.open(form);
    await client.enrol();
    const at = Math.floor(Date.now() / 1000) * 1000 - 60_000;
    /** Header and body as they are before escapes and checksum. */
    const content = (of: TerminalForm): Uint8Array => {
      let plain = new Uint8Array(0);
      const refused = (error: Error): never => {
        throw error;
      };
      const wire = frameOf(of, 0x0200, 7, locationBody({ at, latE6: 39_123_456 }));
      new FrameSplitter().push(wire, { frame: (frame) => (plain = Uint8Array.from(frame.copyContent())), refused });
      return plain;
    };
    const upload = (serial: number, data: Uint8Array): Uint8Array => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(data.length);
      return frameOf(form, 0x0901, serial, Buffer.concat([length, data]));
    };
    client.send(
      upload(5, gzipSync(content(form))),
      upload(6, gzipSync(content({ ...form, phone: '13911111111' }))),
      upload(7, Buffer.from('no gzip')),
    );
    for (const serial of [5, 6, 7]) expect(await client.acknowledged(0x0901, serial)).toBe(0);
    const rows = await rig.until(async () => {
      const found = await track(id);
      return found.length > 0 && found;
    }, 'the position');
    expect(rows).toMatchObject([{ lat: 39.123456, deviceAt: new Date(at).toISOString() }]);
    const cards = await rig.until(async () => {
      const { items } = (await rig.call('GET', '/quarantine')).json;
      const own = items.filter(({ vehicleId }: Json) => vehicleId === id);
      return own.length === 2 && own;
    }, 'the quarantine');
    const said = JSON.stringify(cards);
    expect(said).toContain('13911111111');
    expect(said).toContain('do not inflate');
    await client.end();
  });
}); // prettier-ignore
