/** Frames as terminals send them, and what the gateway answered, for tests. */
import {
  encodeBody,
  encodeFrame,
  FrameSplitter,
  msToTime,
  phoneToRaw,
  toHex,
  type Body,
  type Edition,
  type MessageName,
  type FrameSpec,
} from '../../../protocol/index.js';

export interface TerminalForm {
  readonly phone: string;
  readonly edition: Edition;
}

/** The header values of a terminal. */
export function headerOf({ phone, edition }: TerminalForm) {
  const versionFlag = edition === 2019;
  return { versionFlag, protocolVersion: versionFlag ? 1 : 0, phoneRaw: phoneToRaw(phone, versionFlag ? 10 : 6) };
}

export function frameOf(
  form: TerminalForm,
  messageId: number,
  serial: number,
  body: Uint8Array = new Uint8Array(0),
  more: Partial<FrameSpec> = {},
): Uint8Array {
  return encodeFrame({ messageId, serial, body, ...headerOf(form), ...more });
}

export function messageOf<K extends MessageName>(
  form: TerminalForm,
  name: K,
  id: number,
  serial: number,
  body: Body<K>,
) {
  return frameOf(form, id, serial, encodeBody(name, form.edition, body));
}

export const identity = { maker: 'ABCDE', model: 'T-1', terminalId: 'X000001' };

export function registration(form: TerminalForm, serial: number, who = identity, plate = '京A12345'): Uint8Array {
  const body = { province: 11, city: 100, plateColour: 1, plate, ...who };
  return messageOf(form, 'register', 0x0100, serial, body);
}

export function authentication(form: TerminalForm, serial: number, token: string): Uint8Array {
  const device = form.edition === 2019 ? { imei: '860000000000001', software: '1.0' } : {};
  return messageOf(form, 'authenticate', 0x0102, serial, { token, ...device });
}

export interface Place {
  at: number;
  latE6?: number;
  lonE6?: number;
  speedDeciKmh?: number;
  alarm?: number;
}

/** Body of a 0x0200: ignition on, fix. */
export function locationBody({ at, latE6 = 39_900_000, lonE6 = 116_400_000, speedDeciKmh = 0, alarm = 0 }: Place) {
  const body = Buffer.alloc(28 + 6);
  body.writeUInt32BE(alarm, 0);
  body.writeUInt32BE(3, 4);
  body.writeUInt32BE(latE6, 8);
  body.writeUInt32BE(lonE6, 12);
  body.writeUInt16BE(50, 16);
  body.writeUInt16BE(speedDeciKmh, 18);
  body.writeUInt16BE(90, 20);
  Buffer.from(msToTime(at), 'hex').copy(body, 22);
  Buffer.from('010400001234', 'hex').copy(body, 28);
  return body;
}

/** A frame from the gateway, taken apart. */
export interface Answer {
  messageId: number;
  serial: number;
  phone: string;
  versionFlag: boolean;
  total: number;
  index: number;
  body: Buffer;
}

/** Collects what the gateway sends. */
export class Answers {
  readonly all: Answer[] = [];
  readonly #splitter = new FrameSplitter();

  push(bytes: Uint8Array): void {
    this.#splitter.push(bytes, {
      frame: ({ messageId, serial, phone, versionFlag, total, index, body }) => {
        this.all.push({ messageId, serial, phone, versionFlag, total, index, body: Buffer.from(body) });
      },
      refused: (error) => {
        throw error;
      },
    });
  }

  /** The 0x8001 answers as `id:serial=result`. */
  acks(): string[] {
    return this.all.filter(({ messageId }) => messageId === 0x8001).map(({ body }) => ackText(body));
  }

  of(messageId: number): Answer[] {
    return this.all.filter((answer) => answer.messageId === messageId);
  }
}

export function ackText(body: Uint8Array): string {
  const [s1, s0, i1, i0, result] = body as unknown as [number, number, number, number, number];
  return `${toHex(Uint8Array.of(i1, i0))}:${(s1 << 8) | s0}=${result}`;
}

/** 0x0001. */
export function generalReply(form: TerminalForm, serial: number, replySerial: number, replyId: number, result: number) {
  const body = Buffer.alloc(5);
  body.writeUInt16BE(replySerial, 0);
  body.writeUInt16BE(replyId, 2);
  body.writeUInt8(result, 4);
  return frameOf(form, 0x0001, serial, body);
}
