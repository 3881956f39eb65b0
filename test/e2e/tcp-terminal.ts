/** Terminals of test/dispatch/delivery/terminals.ts on a real TCP connection, frame by frame. */
import {
  decodeBody,
  decodeDownlink,
  encodeBody,
  encodeUplink,
  limits,
  passthroughType,
  splitBody,
  unwrapPassthrough,
  wrapPassthrough,
  type UplinkBody,
} from '../../protocol/index.js';
import type { Said, SimTerminal } from '../dispatch/delivery/terminals.js';
import { frameOf, generalReply, type TerminalForm } from '../gateway/support/frames.js';
import { TerminalClient } from '../gateway/support/terminal-client.js';

/** Items that a terminal answers with a receipt, and how many of them before it goes silent. */
export interface Patience {
  /** Orders taken; the connection is cut when this many were receipted. */
  orders: number;
}

export class TcpTerminal {
  client!: TerminalClient;
  code: string | undefined;
  #serial = 10;
  #sequence: number;
  #taken = 0;
  #stop = false;
  #pump: Promise<void> | undefined;
  /** Orders receipted over all connections. */
  orders = 0;

  constructor(
    readonly form: TerminalForm,
    readonly app: SimTerminal,
    /** Uplinks are counted also over restarts. */
    firstSequence = 1,
  ) {
    this.#sequence = firstSequence;
  }

  async connect(port: number, patience?: Patience): Promise<void> {
    this.client = await TerminalClient.open(port, this.form);
    if (this.code === undefined) this.code = await this.client.enrol();
    else await this.client.login(this.code);
    this.#taken = 0;
    this.#stop = false;
    for (const said of this.app.greet()) this.say(said);
    this.#pump = this.#answer(patience);
  }

  /** Resolves when the connection is gone. */
  async gone(): Promise<void> {
    await this.#pump;
  }

  async disconnect(): Promise<void> {
    this.#stop = true;
    this.client.socket.destroy();
    await this.client.until(() => this.client.closed, 'the end of the connection');
    await this.#pump;
  }

  /** Sends a protobuf uplink; gives its serial. */
  say(said: Said): number {
    const content = wrapPassthrough(
      encodeUplink({ sequence: this.#sequence++, sentAtMs: Date.now(), body: bodyOf(said) }),
      limits.passthroughListBytes,
    );
    const pieces = splitBody(encodeBody('passthroughUp', this.form.edition, { type: passthroughType, content }), 900);
    if (pieces.length === 1) return this.#send(0x0900, pieces[0]!);
    const first = this.#serial;
    this.#serial += pieces.length;
    const total = pieces.length;
    this.client.send(
      ...pieces.map((piece, i) => frameOf(this.form, 0x0900, first + i, piece, { total, index: i + 1 })),
    );
    return first + total - 1;
  }

  press(eventId: number): number {
    return this.#send(0x0301, Uint8Array.of(eventId));
  }

  #send(messageId: number, body: Uint8Array): number {
    const serial = this.#serial++;
    this.client.send(frameOf(this.form, messageId, serial, body));
    return serial;
  }

  async #answer(patience: Patience | undefined): Promise<void> {
    const { client } = this;
    let parts: Uint8Array[] = [];
    while (!this.#stop) {
      const next = await client
        .until(() => client.closed || client.answers.all.length > this.#taken, 'the next downlink')
        .catch(() => undefined);
      if (client.closed || this.#stop) return;
      if (next === undefined) continue;
      const { messageId, serial, body: part, total, index } = client.answers.all[this.#taken++]!;
      if (messageId !== 0x8900 && messageId !== 0x8300 && messageId !== 0x8301) continue;
      // Parts come in order on one connection; the whole is answered by the serial of its last.
      parts = index > 1 ? [...parts, part] : [part];
      if (index < total) continue;
      const body = Buffer.concat(parts);
      const isOrder = messageId === 0x8300;
      client.send(generalReply(this.form, this.#serial++, serial, messageId, 0));
      let orders = isOrder ? 1 : 0;
      for (const said of this.app.take(deliveryIdOf(messageId, body), [{ messageId, body }])) {
        if (messageId !== 0x8900) continue;
        if (said['orderId'] !== undefined && said['contentVersion'] !== undefined) orders++;
        const uplink = this.say(said);
        // What counts as a receipt was confirmed by the gateway.
        if (patience) await client.acknowledged(0x0900, uplink);
      }
      this.orders += orders;
      if (patience && this.orders >= patience.orders) {
        client.socket.end();
        await client.until(() => client.closed, 'the end of the connection');
        return;
      }
    }
  }
}

/** The id is inside the message; terminals of the tests only repeat it. */
function deliveryIdOf(messageId: number, body: Uint8Array): string {
  if (messageId !== 0x8900) return '';
  const decoded = decodeBody(messageId, 2013, body);
  return decoded?.name === 'passthroughDown' ? decodeDownlink(unwrapPassthrough(decoded.body.content)).deliveryId : '';
}

/** A report of a terminal of the tests in words of terminal.proto. */
export function bodyOf(said: Said): UplinkBody {
  const { type, ofApplication: _ofApplication, ...rest } = said;
  if (type === 'report.receipt') return { kind: 'receipt', deliveryId: '', result: 'ok', ...rest };
  if (type === 'report.holdings') return { kind: 'holdings', ...rest } as UplinkBody;
  if (type === 'report.action') {
    const { deviceAt, ...action } = rest;
    return { kind: 'orderAction', atMs: deviceAt, ...action } as unknown as UplinkBody;
  }
  throw new Error(`no uplink for ${type}`);
}
