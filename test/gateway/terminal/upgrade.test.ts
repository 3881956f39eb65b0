import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeBody, type Body } from '../../../protocol/index.js';
import type { Answer, TerminalForm } from '../support/frames.js';
import type { TerminalClient } from '../support/terminal-client.js';
import { generalReply, messageOf, Rig, TOKEN, type Json } from './support.js';

const UPGRADE = 0x8108;

/** A terminal that joins what it gets: parts by number, over its connections. */
class Flash {
  total = 0;
  firstSerial = -1;
  readonly parts = new Map<number, Buffer>();
  /** Numbers in the order in which they came on the newest connection. */
  came: number[] = [];
  #seen = 0;
  #serial = 2_000;

  constructor(
    readonly form: TerminalForm,
    public client: TerminalClient,
    /** Confirms each part; undefined: keeps silent. */
    public confirm: (part: Answer) => boolean,
    /** Loses what comes. */
    readonly loses: (number: number) => boolean = () => false,
  ) {
    client.socket.on('data', () => this.#look(client));
  }

  reconnected(client: TerminalClient): void {
    this.client = client;
    this.came = [];
    this.#seen = 0;
    client.socket.on('data', () => this.#look(client));
    this.#look(client);
  }

  say(replySerial: number, result = 0): void {
    this.client.send(generalReply(this.form, this.#serial++, replySerial, UPGRADE, result));
  }

  /** 0x0005 (2019). */
  request(parts: number[]): void {
    this.client.send(messageOf(this.form, 'resendDownlink', 0x0005, this.#serial++, { firstSerial: this.firstSerial, parts }));
  }

  ended(result: number): void {
    this.client.send(messageOf(this.form, 'upgradeResult', 0x0108, this.#serial++, { type: 0, result }));
  }

  missing(): number[] {
    return Array.from({ length: this.total }, (_, i) => i + 1).filter((number) => !this.parts.has(number));
  }

  body(): Body<'upgrade'> {
    const bytes = Buffer.concat(Array.from({ length: this.total }, (_, i) => this.parts.get(i + 1)!));
    return decodeBody(UPGRADE, this.form.edition, bytes)!.body as Body<'upgrade'>;
  }

  #look(client: TerminalClient): void {
    const all = client.answers.all;
    for (; this.#seen < all.length; this.#seen++) {
      const part = all[this.#seen]!;
      if (part.messageId !== UPGRADE) continue;
      this.total = part.total;
      const first = (part.serial - part.index + 1) & 0xffff;
      if (this.firstSerial < 0) this.firstSerial = first;
      expect(first).toBe(this.firstSerial);
      this.came.push(part.index);
      if (this.loses(part.index) && !this.parts.has(part.index) && this.came.filter((one) => one === part.index).length === 1) continue;
      this.parts.set(part.index, part.body);
      if (this.confirm(part)) this.say(part.serial);
    }
  }
} // prettier-ignore

describe('upgrade of a terminal', () => {
  let rig: Rig;
  beforeAll(async () => {
    // Nothing here may need another try: parts that are on their way are no missed answer.
    rig = await new Rig({ retryS: '600' }).start();
  });
  afterAll(() => rig.stop());

  const upload = async (bytes: Uint8Array, type = 'application/octet-stream'): Promise<{ status: number; json: Json }> => {
    const response = await fetch(`${rig.gateway.url}/api/v1/terminal-files?name=fw.bin`, {
      method: 'POST', headers: { authorization: `Bearer ${TOKEN}`, 'content-type': type }, body: Uint8Array.from(bytes),
    });
    return { status: response.status, json: await response.json() };
  }; // prettier-ignore
  const start = (vehicle: string, file: string) =>
    rig.call('POST', `/vehicles/${vehicle}/terminal/upgrade`, { file, maker: '70107', version: 'V2.1' });
  const delivery = async (vehicle: string, id: string): Promise<Json> =>
    (await rig.call('GET', `/vehicles/${vehicle}/deliveries`)).json.items.find((item: Json) => item.id === id);

  it('sends a file in parts, sends those again that the terminal asks for, and keeps how it ended', async () => {
    const form: TerminalForm = { phone: '13900000081', edition: 2019 };
    const id = await rig.vehicle(form.phone, 'text');
    const client = await rig.open(form);
    const code = await client.enrol();
    // Loses two parts, and confirms only the whole, by the last serial.
    const flash = new Flash(form, client, () => false, (number) => number === 3 || number === 100);
    const data = randomBytes(150_000);
    const { status, json: file } = await upload(data);
    expect([status, file.bytes, file.name]).toEqual([201, data.length, 'fw.bin']);
    const { status: queued, json } = await start(id, file.id);
    expect(queued).toBe(202);
    await client.until(() => flash.total > 0 && flash.came.length >= flash.total, 'all parts');
    expect(flash.missing()).toEqual([3, 100]);
    flash.request([3, 100]);
    await client.until(() => flash.missing().length === 0, 'the lost parts');
    expect(flash.came.slice(flash.total)).toEqual([3, 100]);
    flash.say((flash.firstSerial + flash.total - 1) & 0xffff);
    await rig.until(async () => (await delivery(id, json.id)).state === 'receipted', 'the receipt');
    const { data: got, ...head } = flash.body();
    expect(Buffer.from(got).equals(data)).toBe(true);
    expect(head).toEqual({ type: 0, maker: '70107', version: 'V2.1' });
    // It restarts with the new version, and says so on its new connection.
    await client.end();
    const again = await rig.open(form);
    await again.login(code);
    flash.reconnected(again);
    flash.ended(0);
    const done = await rig.until(async () => {
      const found = await delivery(id, json.id);
      return found.answer !== undefined && found;
    }, 'the result');
    expect(done.answer).toMatchObject({ message: 'upgradeResult', type: 0, result: 0 });
    const { json: vehicle } = await rig.call('GET', `/vehicles/${id}`);
    expect(vehicle.attributes.upgradeResult.value).toBe('success');
    await again.end();
  }, 60_000); // prettier-ignore

  it('goes on after a break where the terminal confirmed, under the same serials', async () => {
    const form: TerminalForm = { phone: '13900000082', edition: 2013 };
    const id = await rig.vehicle(form.phone);
    const client = await rig.open(form);
    const code = await client.enrol();
    const data = randomBytes(300_000);
    const { json: file } = await upload(data);
    const upTo = 150;
    const flash = new Flash(form, client, ({ index }) => index <= upTo);
    const { json } = await start(id, file.id);
    await client.until(() => flash.parts.has(upTo), 'half of it');
    // What was confirmed is in the log when what comes behind it is answered.
    client.send(messageOf(form, 'heartbeat', 0x0002, 9_000, {}));
    expect(await client.acknowledged(0x0002, 9_000)).toBe(0);
    const first = await rig.until(async () => (await delivery(id, json.id)).progress, 'how far it is');
    expect(first.of).toBe(flash.total);
    await rig.until(async () => (await delivery(id, json.id)).progress?.done === upTo, 'where it stands');
    await client.end();
    expect((await delivery(id, json.id)).state).not.toBe('receipted');
    const second = await rig.open(form);
    await second.login(code);
    flash.confirm = () => true;
    flash.reconnected(second);
    await rig.until(async () => (await delivery(id, json.id)).state === 'receipted', 'the receipt');
    expect(Math.min(...flash.came)).toBe(upTo + 1);
    expect(flash.missing()).toEqual([]);
    expect(Buffer.from(flash.body().data).equals(data)).toBe(true);
    await second.end();
  }, 60_000);

  it('ends with the terminal’s refusal, and refuses what cannot be sent', async () => {
    const form: TerminalForm = { phone: '13900000083', edition: 2013 };
    const id = await rig.vehicle(form.phone);
    const client = await rig.open(form);
    await client.enrol();
    const flash = new Flash(form, client, () => false);
    const { json: file } = await upload(randomBytes(100_000));
    const { json } = await start(id, file.id);
    await client.until(() => flash.parts.size > 10, 'some parts');
    flash.say(flash.firstSerial, 3);
    await rig.until(async () => (await delivery(id, json.id)).result === 'unsupported', 'the refusal');
    expect((await delivery(id, json.id)).state).toBe('refused');

    expect(await start(id, '0'.repeat(32))).toMatchObject({ status: 422, json: { detail: expect.stringContaining('no file') } });
    expect((await upload(new Uint8Array(0))).status).toBe(422);
    expect((await upload(new Uint8Array((4 << 20) + 1))).status).toBe(413);
    expect((await upload(Uint8Array.of(1), 'text/plain')).status).toBe(415);
    const old = await rig.vehicle('13900000084');
    const stranger = await rig.open({ phone: '13900000084', edition: 2011 });
    await stranger.enrol();
    expect((await start(old, file.id)).json.details).toEqual({ reason: 'editionLacks' });
    await stranger.end();
    await client.end();
  }, 30_000); // prettier-ignore

  it('sends a small file in one frame', async () => {
    const form: TerminalForm = { phone: '13900000085', edition: 2019 };
    const id = await rig.vehicle(form.phone, 'text');
    const client = await rig.open(form);
    await client.enrol();
    const { json: file } = await upload(Uint8Array.of(1, 2, 3));
    const { json } = await start(id, file.id);
    const sent = await client.answer(UPGRADE);
    expect(sent.total).toBe(0);
    expect(decodeBody(UPGRADE, 2019, sent.body)!.body).toMatchObject({ version: 'V2.1', data: Uint8Array.of(1, 2, 3) });
    client.send(generalReply(form, 50, sent.serial, UPGRADE, 0));
    await rig.until(async () => (await delivery(id, json.id)).state === 'receipted', 'the receipt');
    await client.end();
  });

  it('keeps the newest files, and is used from the command line', async () => {
    const path = join(rig.directory, 'firmware.bin');
    writeFileSync(path, 'firmware');
    const run = promisify(execFile);
    const options = ['--http', rig.gateway.url, '--token', TOKEN];
    const cli = ['--import', 'tsx', 'gateway/cli.ts', 'terminal-file', path, ...options];
    const { stdout } = await run(process.execPath, cli);
    for (let i = 0; i < 7; i++) await upload(randomBytes(10));
    const { items } = (await rig.call('GET', '/terminal-files')).json;
    expect(items).toHaveLength(8);
    expect(items[0]).toMatchObject({ id: stdout.trim(), name: 'firmware.bin', bytes: 8 });
    await upload(randomBytes(10));
    const kept = (await rig.call('GET', '/terminal-files')).json.items.map((one: Json) => one.id);
    expect(kept).toHaveLength(8);
    expect(kept).not.toContain(stdout.trim());
  }, 60_000);
});
