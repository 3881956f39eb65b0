import { once } from 'node:events';
import { connect } from 'node:net';
import { stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeBody, encodeFrame, FrameSplitter, fromHex, phoneToRaw } from '../../../protocol/index.js';
import { importFile } from '../../../gateway/transfer/transfer.js';
import { frameOf, identity, locationBody, type TerminalForm } from '../support/frames.js';
import { Rig, type Json } from './support.js';

/** A 0x5501 as a tracker sent it: number 856009001017. */
const SHORT_SERIAL = '7e55018c418560090010174701022106242122348476113550490700001c06000000074e0000000000000308100000100102020200000a030000000b0803363839363037650c0600000001000afa7e'; // prettier-ignore

describe('vendor framing and dialects', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await new Rig({ vendorFraming: 'true' }).start();
  });
  afterAll(() => rig.stop());

  const vehicle = async (id: string): Promise<Json> => (await rig.call('GET', `/vehicles/${id}`)).json;

  it('speaks the 0xE7 framing with numbers of 7 bytes, both ways and over the ingest log', async () => {
    const phone = '93900000000061';
    const id = await rig.vehicle(phone);
    const socket = connect(rig.gateway.ports.tcp!, '127.0.0.1');
    await once(socket, 'connect');
    const got: { messageId: number; body: Buffer }[] = [];
    const splitter = new FrameSplitter({ framing: 'e7' });
    socket.on('data', (chunk) => {
      expect(chunk[0]).toBe(0xe7);
      splitter.push(chunk, {
        frame: ({ messageId, body, phone: to }) => {
          expect(to).toBe(phone);
          got.push({ messageId, body: Buffer.from(body) });
        },
        refused: (error) => {
          throw error;
        },
      });
    });
    const header = { versionFlag: false, protocolVersion: 0, phoneRaw: phoneToRaw(phone, 7) };
    const send = (messageId: number, serial: number, body: Uint8Array): void =>
      void socket.write(encodeFrame({ messageId, serial, body, ...header }));
    const answer = (messageId: number): Promise<Buffer> =>
      rig.until(async () => got.find((one) => one.messageId === messageId)?.body, `0x${messageId.toString(16)}`);
    send(0x0100, 1, encodeBody('register', 2013, { province: 11, city: 100, plateColour: 1, plate: '京A12345', ...identity }));
    const registered = await answer(0x8100);
    expect(registered[2]).toBe(0);
    send(0x0102, 2, registered.subarray(3));
    expect((await answer(0x8001)).toString('hex')).toBe('0002' + '0102' + '00');
    // Bytes that this framing escapes, in the position.
    const at = Math.floor(Date.now() / 1000) * 1000;
    send(0x0200, 3, locationBody({ at, latE6: 0x01e7e63e, lonE6: 116_400_000 }));
    const shown = await rig.until(async () => {
      const found = await vehicle(id);
      return found.lastPosition !== null && found;
    }, 'the position');
    expect(shown.lastPosition).toMatchObject({ lat: 0x01e7e63e / 1e6, deviceAt: new Date(at).toISOString() });
    // A command reaches it in its own framing.
    await rig.call('POST', `/vehicles/${id}/terminal/follow`, { intervalS: 0 });
    expect((await answer(0x8202)).toString('hex')).toBe('0000');
    socket.destroy();
  }, 20_000); // prettier-ignore

  it('answers sentences that ask for the time, and private messages with a serial of one byte', async () => {
    const form: TerminalForm = { phone: '856009001017', edition: 2013 };
    const id = await rig.vehicle(form.phone);
    const client = await rig.open(form);
    await client.enrol();
    // What comes now is no frame of the standard.
    client.socket.removeAllListeners('data');
    const chunks: Buffer[] = [];
    client.socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    client.socket.write('(7591225008,1,001,BASE,2,TIME)');
    await rig.until(async () => /\(7591225008,1,001,BASE,2,20\d{12}\)/.test(Buffer.concat(chunks).toString('latin1')), 'the time');
    client.socket.write(fromHex(SHORT_SERIAL));
    await rig.until(async () => Buffer.concat(chunks).toString('hex').includes('4401'), 'the 0x4401');
    const shown = await rig.until(async () => {
      const found = await vehicle(id);
      return found.lastPosition !== null && found;
    }, 'the position');
    expect(shown.lastPosition).toMatchObject({ lat: expect.closeTo(22.58, 1), lon: expect.closeTo(113.92, 1) });
    await client.end();
  }, 20_000); // prettier-ignore

  it('shows vendor values as the terminal’s dialect reads them', async () => {
    const form: TerminalForm = { phone: '13900000063', edition: 2013 };
    const id = await rig.vehicle(form.phone);
    const client = await rig.open(form);
    await client.enrol();
    const at = Math.floor(Date.now() / 1000) * 1000;
    // 0x61: supply voltage, 0x31: satellites.
    const items = fromHex('6102' + '04ce' + '3101' + '0b');
    client.send(frameOf(form, 0x0200, 5, Buffer.concat([locationBody({ at }), items])));
    const shown = await rig.until(async () => {
      const { attributes } = await vehicle(id);
      return attributes.powerV !== undefined && attributes;
    }, 'the values');
    expect(shown).toEqual({
      powerV: { value: 12.3, at: new Date(at).toISOString() },
      satellites: { value: 11, at: new Date(at).toISOString() },
    });
    await client.end();

    const standard: TerminalForm = { phone: '13900000064', edition: 2013 };
    const other = await rig.vehicle(standard.phone, 'menu', { dialect: 'standard' });
    const second = await rig.open(standard);
    await second.enrol();
    second.send(frameOf(standard, 0x0200, 5, Buffer.concat([locationBody({ at }), items])));
    const kept = await rig.until(async () => {
      const { attributes } = await vehicle(other);
      return attributes.satellites !== undefined && attributes;
    }, 'the values');
    expect(Object.keys(kept)).toEqual(['satellites']);
    await second.end();
  });

  it('reads vendor values of batches, of passthrough and of private messages too', async () => {
    const form: TerminalForm = { phone: '13900000065', edition: 2013 };
    const id = await rig.vehicle(form.phone);
    const client = await rig.open(form);
    await client.enrol();
    const at = Math.floor(Date.now() / 1000) * 1000 - 3_600_000;
    const place = (secondsLater: number, volts: string): Buffer =>
      Buffer.concat([locationBody({ at: at + secondsLater * 1000 }), fromHex(`6102${volts}`)]);
    // Out of order: the newest by its own time tells.
    const items = [place(0, '0400'), place(60, '04ce'), place(30, '0500')].flatMap((one) => [Buffer.of(0, one.length), one]);
    client.send(frameOf(form, 0x0704, 5, Buffer.concat([Buffer.of(0, 3, 1), ...items])));
    // Trouble codes of one system (0x0900, type 0xF0, second kind).
    const codes = Buffer.concat([
      Buffer.of(0xf0), Buffer.alloc(8), Buffer.of(2, 0, 1), Buffer.alloc(4), Buffer.of(0, 1), Buffer.alloc(8), Buffer.of(0, 5),
      Buffer.from('P0123'),
    ]);
    client.send(frameOf(form, 0x0900, 6, codes));
    // A private message with the battery's percent and a time.
    client.send(frameOf(form, 0x0210, 7, Buffer.concat([Buffer.of(87), fromHex('260314093045')])));
    const shown = await rig.until(async () => {
      const { attributes } = await vehicle(id);
      return Object.keys(attributes).length === 3 && attributes;
    }, 'all values');
    expect(shown.powerV).toEqual({ value: 12.3, at: new Date(at + 60_000).toISOString() });
    expect(shown.dtcs.value).toEqual(['P0123']);
    expect(shown.batteryPercent.value).toBe(87);
    await client.end();
  }); // prettier-ignore

  it('refuses a dialect that is not known, with those that are', async () => {
    const known = 'one of common, standard, tracker, lock, obd';
    const phone = '13900000066';
    const id = await rig.vehicle(phone);
    const edited = await rig.call('PATCH', `/vehicles/${id}`, { terminal: { options: { dialect: 'nonsense' } } });
    expect(edited).toMatchObject({ status: 422, json: { code: 'invalidBody', errors: [{ pointer: '#/terminal/options/dialect', expected: known }] } });
    expect((await vehicle(id)).terminal.options?.dialect).toBeUndefined();
    const file = stringify({
      vehicles: [{
        id: 'v-import', plate: '京A1', terminal: { phone: '13900000067', options: { dialect: 'nonsense' } }, repairCentreId: 'centre-1',
        trade: 'lowVoltage', crew: { name: 'x', members: [] },
      }],
    });
    const imported = await importFile(rig.gateway.dispatch, file, 'yaml', false);
    expect(imported.applied).toBe(false);
    expect(imported.errors).toEqual([
      { line: 7, field: expect.stringContaining('dialect'), message: expect.stringMatching(/common.*standard.*tracker.*lock.*obd/) },
    ]);
  }); // prettier-ignore
});
