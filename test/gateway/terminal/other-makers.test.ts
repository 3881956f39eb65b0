/** What terminals of other makers send beside the standard: taken where it can be, and said clearly where not. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeBody, encodeText, type Edition } from '../../../protocol/index.js';
import { frameOf, locationBody, type TerminalForm } from '../support/frames.js';
import type { TerminalClient } from '../support/terminal-client.js';
import { Rig, type Json } from './support.js';

let rig: Rig;
let count = 0;
beforeAll(async () => {
  rig = await new Rig().start();
});
afterAll(() => rig.stop());

async function terminal(edition: Edition, form?: Partial<TerminalForm>): Promise<{ id: string; form: TerminalForm; client: TerminalClient }> {
  const own = { phone: String(13_900_000_801 + count++), edition, ...form };
  const id = await rig.vehicle(own.phone, 'text');
  return { id, form: own, client: await rig.open(own) };
} // prettier-ignore

/** Province, city, then texts in their widths, filled up behind with `fill`; plate colour and plate. */
function registration(widths: readonly [number, number, number], plate: string, fill = 0): Buffer {
  const texts = ['MAKER', 'M-1', 'X01'].map((text, i) => Buffer.from(text.padEnd(widths[i]!, String.fromCharCode(fill)), 'latin1'));
  return Buffer.concat([Buffer.of(0, 31, 0, 115), ...texts, Buffer.of(plate === '' ? 0 : 2), encodeText(plate)]);
} // prettier-ignore
const W11 = [5, 8, 7] as const;
const W13 = [5, 20, 7] as const;
const W19 = [11, 30, 30] as const;
const NUL = '\0';

describe('registration and authentication', () => {
  it.each<[string, Edition, readonly [number, number, number], string, number]>([
    ['2011, spaces, plate with its NUL', 2011, W11, `沪A12345${NUL}`, 0x20],
    ['2011 without a plate', 2011, W11, '', 0x20],
    ['2013 with a plate in GBK', 2013, W13, '粤B12345', 0],
    ['2013 with a NUL behind the plate', 2013, W13, `粤B12345${NUL}`, 0],
    ['2013 without a plate', 2013, W13, '', 0],
    ['2019', 2019, W19, '沪AD12345', 0],
    ['2019 without a plate', 2019, W19, '', 0],
    ['a long header and the body of 2013', 2019, W13, '沪AD12345', 0],
    ['a long header and the body of 2011', 2019, W11, '沪AD1234', 0x20],
  ])('%s', async (_what, edition, widths, plate, fill) => {
    const { id, form, client } = await terminal(edition);
    client.send(frameOf(form, 0x0100, 7, registration(widths, plate, fill)));
    const { body } = await client.answer(0x8100);
    expect(body.subarray(0, 3).toString('hex')).toBe('000700');
    await client.login(body.subarray(3).toString('latin1'));
    const { value } = (await rig.gateway.dispatch.get('terminal', form.phone))!;
    expect(value.identity).toMatchObject({ maker: 'MAKER', model: 'M-1', terminalId: 'X01' });
    expect(value.edition).toBe(edition);
    const link = async () => (await rig.gateway.dispatch.get('vehicle', id))!.value.link.state;
    await rig.until(async () => (await link()) === 'up', 'the link');
    await client.end();
  });

  it('is malformed where no edition is as short', async () => {
    const { form, client } = await terminal(2013);
    client.send(frameOf(form, 0x0100, 7, registration(W11, '').subarray(0, 24)));
    expect(await client.acknowledged(0x0100, 7)).toBe(2);
    await client.end();
  });

  it.each<[string, Edition, (code: Buffer) => Buffer]>([
    ['2013 with a NUL behind the code', 2013, (code) => Buffer.concat([code, Buffer.of(0)])],
    ['2019 as the standard says', 2019, (code) => Buffer.concat([Buffer.of(code.length), code, Buffer.from('8'.repeat(15)), Buffer.alloc(20)])],
    ['2019 without IMEI and version', 2019, (code) => Buffer.concat([Buffer.of(code.length), code])],
    ['2019 without version', 2019, (code) => Buffer.concat([Buffer.of(code.length), code, Buffer.from('8'.repeat(15))])],
    ['2019 with a short version', 2019, (code) => Buffer.concat([Buffer.of(code.length), code, Buffer.from('8'.repeat(15)), Buffer.from('V1.0')])],
    ['2019 with the code alone', 2019, (code) => code],
    ['2019 with the code alone and a NUL', 2019, (code) => Buffer.concat([code, Buffer.of(0)])],
  ])('%s', async (_what, edition, bodyOf) => {
    const { form, client } = await terminal(edition);
    const code = await client.enrol();
    await client.end();
    const again = await rig.open(form);
    again.send(frameOf(form, 0x0102, 9, bodyOf(Buffer.from(code, 'latin1'))));
    expect(await again.acknowledged(0x0102, 9)).toBe(0);
    again.send(frameOf(form, 0x0002, 10));
    expect(await again.acknowledged(0x0002, 10)).toBe(0);
    await again.end();
  });

  it('a version byte of a later edition is answered with the same', async () => {
    const { form, client } = await terminal(2019);
    const code = await client.enrol();
    await client.end();
    const again = await rig.open(form);
    const body = encodeBody('authenticate', 2019, { token: code, imei: '8'.repeat(15), software: 'V2' });
    again.send(frameOf(form, 0x0102, 9, body, { protocolVersion: 2 }));
    expect(await again.acknowledged(0x0102, 9)).toBe(0);
    await again.end();
  });
}); // prettier-ignore

describe('on the road', () => {
  const at = Math.floor(Date.now() / 1000) * 1000 - 60_000;
  const place = (seconds: number) => locationBody({ at: at + seconds * 1000 }).subarray(0, 28);
  const track = async (id: string): Promise<number[]> => {
    const found: number[] = [];
    for await (const { deviceAt } of rig.gateway.dispatch.store.track(id, at, at + 600_000)) found.push((deviceAt - at) / 1000);
    return found;
  };

  it.each<[string, string]>([
    ['no items', ''],
    ['an id alone', '01'],
    ['an item cut in its value', '0104' + '0000'],
    ['an item cut behind a whole one', '010400001234' + '3001'],
    ['a length beyond the end', 'ff64' + 'aabb'],
    ['a length that is not that of the table', '0102' + 'aabb'],
    ['an item without a value', 'fe00'],
    ['an id of 0 and one twice', '0001ff' + '3001' + '10' + '3001' + '11'],
    ['items that nobody knows', 'e70811223344' + '55667788' + 'eb0400030102'],
    ['padding of zeros', '00000000'],
  ])('takes a location with %s', async (_what, items) => {
    const { id, form, client } = await terminal(2013);
    await client.enrol();
    client.send(frameOf(form, 0x0200, 20, Buffer.concat([place(1), Buffer.from(items, 'hex')])));
    expect(await client.acknowledged(0x0200, 20)).toBe(0);
    await rig.until(async () => (await track(id)).length === 1, 'the position');
    expect((await rig.call('GET', '/quarantine')).json.items.filter(({ vehicleId }: Json) => vehicleId === id)).toEqual([]);
    await client.end();
  });

  it('says what of a message it cannot use: encrypted and unknown 3, too short 2; and what comes between is taken', async () => {
    const { id, form, client } = await terminal(2013);
    await client.enrol();
    const wire = Buffer.from(frameOf(form, 0x0200, 21, place(1)));
    const broken = Buffer.from(frameOf(form, 0x0200, 22, place(2)));
    broken[20]! ^= 1;
    client.send(
      // Flags in runs, as some keep their line alive; a checksum that is wrong once in a while is not answered.
      Buffer.of(0x7e, 0x7e), wire, Buffer.of(0x7e, 0x7e, 0x7e), broken,
      frameOf(form, 0x0200, 23, place(3), { encryption: 1 }),
      frameOf(form, 0x0f01, 24, place(4)),
      frameOf(form, 0x0200, 25, place(5).subarray(0, 27)),
      frameOf(form, 0x0002, 26, Buffer.of(90, 28, 1)),
      frameOf(form, 0x0200, 27, place(7)),
    );
    const results = [[0x0200, 21, 0], [0x0200, 23, 3], [0x0f01, 24, 3], [0x0200, 25, 2], [0x0002, 26, 0], [0x0200, 27, 0]] as const;
    for (const [messageId, serial, result] of results) expect(await client.acknowledged(messageId, serial)).toBe(result);
    expect(client.answers.acks().some((one) => one.startsWith('0200:22='))).toBe(false);
    await rig.until(async () => (await track(id)).length === 2, 'the positions');
    expect(await track(id)).toEqual([1, 7]);
    await client.end();
  });

  it('takes a reserved bit of the properties word, and a number with all its leading zeros', async () => {
    const { id, form, client } = await terminal(2019);
    await client.enrol();
    const plain = Buffer.from(frameOf(form, 0x0200, 30, place(1)));
    // Bit 15, and the checksum that follows from it.
    plain[3]! ^= 0x80;
    plain[plain.length - 2]! ^= 0x80;
    client.send(plain);
    expect(await client.acknowledged(0x0200, 30)).toBe(0);
    await rig.until(async () => (await track(id)).length === 1, 'the position');
    await client.end();
  });

  it('takes escapes at both ends of the content', async () => {
    const { id, form, client } = await terminal(2013);
    await client.enrol();
    // Serials until the checksum is a flag, and an escape: nothing of a frame is safe from them.
    const ends = new Map<string, Uint8Array>();
    for (let serial = 100; ends.size < 2; serial++) {
      const wire = frameOf(form, 0x0200, serial, place(ends.size));
      const last = Buffer.from(wire.subarray(-3, -1)).toString('hex');
      if ((last === '7d01' || last === '7d02') && !ends.has(last)) ends.set(last, wire);
    }
    for (const wire of ends.values()) client.send(wire);
    await rig.until(async () => (await track(id)).length === 2, 'the positions');
    // The first bytes of the content: an id that begins with a flag is unknown, and answered all the same.
    client.send(frameOf(form, 0x7e7d, 40));
    expect(await client.acknowledged(0x7e7d, 40)).toBe(3);
    await client.end();
  });
}); // prettier-ignore
