/** A truck with a display and an event menu (JT/T 808), as tests of the console drive it. */
import { expect } from 'vitest';
import { decodeBody, encodeParameter } from '../../protocol/index.js';
import {
  frameOf,
  generalReply,
  locationBody,
  messageOf,
  type Answer,
  type TerminalForm,
} from '../gateway/support/frames.js';
import { TerminalClient } from '../gateway/support/terminal-client.js';
import { answering } from '../gateway/terminal/support.js';
import type { Service } from './support.js';

const UPGRADE = 0x8108;

/** Where it stands, and where orders are. */
export const SITE = { lat: 31.2304, lon: 121.4737 };

/** A terminal with a menu that answers everything, or nothing while `silent`. */
export class MenuTruck {
  readonly form: TerminalForm;
  client!: TerminalClient;
  silent = false;
  readonly parameters = new Map<number, Uint8Array>();
  /** Parts of an upgrade that it confirms; those behind it waits with. */
  partsTaken = Infinity;
  readonly #parts = new Map<number, { serial: number; body: Uint8Array }>();
  #serial = 30_000;

  constructor(
    private readonly service: Service,
    readonly id: string,
    readonly plate: string,
    phone: string,
  ) {
    this.form = { phone, edition: 2013 };
    for (const { id: name, value } of [
      encodeParameter('heartbeatInterval', 60, 2013),
      encodeParameter('plate', plate, 2013),
    ])
      this.parameters.set(name, value);
  }

  async start(): Promise<this> {
    await this.service.do({
      type: 'vehicle.create', id: this.id, plate: this.plate, terminal: { phone: this.form.phone, profile: 'menu' },
      repairCentreId: 'centre-1', trade: 'lowVoltage', language: 'en',
      crew: { name: `crew of ${this.plate}`, members: [{ name: 'Li', phone: '13700000001' }] },
    }); // prettier-ignore
    this.client = await TerminalClient.open(this.service.gateway.ports.tcp!, this.form);
    await this.client.enrol();
    answering(this.client, this.form, (asked, serial) => this.#reply(asked, serial));
    return this;
  }

  #reply({ messageId, serial: replySerial, index, body }: Answer, serial: number): Uint8Array[] | undefined {
    const { form } = this;
    if (this.silent) return [];
    if (messageId === UPGRADE) {
      this.#parts.set(index, { serial: replySerial, body });
      return index <= this.partsTaken ? undefined : [];
    }
    if (messageId === 0x8104) {
      const parameters = [...this.parameters].map(([id, value]) => ({ id, value }));
      return [messageOf(form, 'parameters', 0x0104, serial, { replySerial, parameters, trailing: new Uint8Array(0) })];
    }
    if (messageId === 0x8103) {
      const set = decodeBody(messageId, 2013, body);
      if (set?.name === 'setParameters')
        for (const { id, value } of set.body.parameters) this.parameters.set(id, value);
    }
    return undefined;
  }

  #next(): number {
    return (this.#serial = (this.#serial + 1) & 0xffff);
  }

  /** A position, with the alarm word of 0x0200. */
  async report(alarm = 0, at = Date.now()): Promise<void> {
    const serial = this.#next();
    this.client.send(frameOf(this.form, 0x0200, serial, locationBody({ at, latE6: SITE.lat * 1e6, lonE6: SITE.lon * 1e6, alarm }))); // prettier-ignore
    expect(await this.client.acknowledged(0x0200, serial)).toBe(0);
  }

  /** A key of the menu: the newest line that was shown for this order and step. */
  press(line: string): void {
    const lists = this.client.answers.of(0x8301).map(({ body }) => decodeBody(0x8301, 2013, body));
    const items = lists.flatMap((one) => (one?.name === 'eventList' ? (one.body.items ?? []) : []));
    const found = items.findLast(({ content = '' }) => content.includes(line));
    if (!found) throw new Error(`the menu has no line "${line}"`);
    this.client.send(frameOf(this.form, 0x0301, this.#next(), Uint8Array.of(found.id)));
  }

  /** Confirms the parts that it waited with, and those to come. */
  takeAllParts(): void {
    const waiting = [...this.#parts].filter(([index]) => index > this.partsTaken);
    this.partsTaken = Infinity;
    for (const [, { serial }] of waiting) this.client.send(generalReply(this.form, this.#next(), serial, UPGRADE, 0));
  }

  joinedParts(total: number): Uint8Array {
    return Buffer.concat(Array.from({ length: total }, (_, i) => this.#parts.get(i + 1)!.body));
  }

  /** 0x0108: 0 success, 1 failure, 2 cancelled. */
  tellUpgradeResult(result: number): void {
    this.client.send(messageOf(this.form, 'upgradeResult', 0x0108, this.#next(), { type: 0, result }));
  }

  answerQuestion(asked: Answer, answerId: number): void {
    const body = { replySerial: asked.serial, answerId };
    this.client.send(messageOf(this.form, 'questionAnswer', 0x0302, this.#next(), body));
  }

  /** One photo in one frame. */
  async uploadPhoto(mediaId: number, bytes: Uint8Array): Promise<void> {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(mediaId, 0);
    head.writeUInt8(1, 7);
    const place = locationBody({ at: Date.now(), latE6: SITE.lat * 1e6, lonE6: SITE.lon * 1e6 }).subarray(0, 28);
    this.client.send(frameOf(this.form, 0x0801, this.#next(), Buffer.concat([head, place, bytes])));
    await this.service.until(
      async () => (await this.service.gateway.dispatch.scan({ index: 'media.vehicle', limit: 9 })).items.length > 0,
      'the photo',
    );
  }
}
