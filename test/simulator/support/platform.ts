import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import {
  decodeBody,
  DecodeError,
  detectEdition,
  encodeBody,
  encodeFrame,
  FrameSplitter,
  type Body,
  type DecodedMessage,
  type Edition,
  type Frame,
  type Identity,
  type MessageName,
  messages,
} from '../../../protocol/index.js';

/** A frame as the platform saw it. */
export interface Seen {
  id: number;
  serial: number;
  phone: string;
  body: Uint8Array;
  /** Undefined where it is unknown, and of a part that says nothing alone. */
  message: DecodedMessage | undefined;
}

/**
 * The platform's side of one connection, written for tests: reads frames, answers registration, authentication and
 * reports as a good platform does, unless `answers` says otherwise.
 */
export class PlatformSide {
  readonly seen: Seen[] = [];
  /** False: not even a confirmation. */
  answers = true;
  /** Number of the part of long messages that never arrives. */
  losesPart: number | undefined;
  /** Result of registrations and of authentications. */
  registerResult = 0;
  authResult = 0;
  code = 'code-1';
  #splitter = new FrameSplitter();
  #identity: Identity | undefined;
  #edition: Edition = 2013;
  #serial = 100;

  constructor(private readonly send: (bytes: Uint8Array) => void) {}

  push(bytes: Uint8Array): void {
    this.#splitter.push(bytes, {
      frame: (frame) => this.#frame(frame),
      refused: (error) => {
        throw error;
      },
    });
  }

  /** A new connection of the same terminal. */
  reset(): void {
    this.#splitter = new FrameSplitter();
  }

  of(id: number): Seen[] {
    return this.seen.filter((one) => one.id === id);
  }

  /** Sends a message down; gives its serial. With `serial` it repeats an earlier one. */
  say<K extends MessageName>(name: K, body: Body<K>, serial = this.#serial++): number {
    const encoded = encodeBody(name, this.#edition, body);
    this.send(encodeFrame({ ...this.#identity!, messageId: messages[name].id, serial, body: encoded }));
    return serial;
  }

  #read(id: number, body: Uint8Array, isPart: boolean): DecodedMessage | undefined {
    try {
      return decodeBody(id, this.#edition, body);
    } catch (error) {
      if (isPart && error instanceof DecodeError) return undefined;
      throw error;
    }
  }

  #frame(frame: Frame): void {
    const isPart = frame.total > 0;
    if (isPart && frame.index === this.losesPart) return;
    this.#identity = frame.identity(this.#identity);
    this.#edition = detectEdition(frame, this.#edition);
    const body = frame.body.slice();
    const { messageId: id, serial, phone } = frame;
    this.seen.push({ id, serial, phone, body, message: this.#read(id, body, isPart) });
    if (!this.answers) return;
    if (id === 0x0100) {
      const token = this.registerResult === 0 ? { token: this.code } : {};
      this.say('registerAnswer', { replySerial: serial, result: this.registerResult, ...token });
    } else if (id !== 0x0001 && id !== 0x0201) {
      this.say('platformAck', { replySerial: serial, replyId: id, result: id === 0x0102 ? this.authResult : 0 });
    }
  }
}

/** A TCP listener with a {@link PlatformSide} for every terminal, by phone of its first frame. */
export class TestPlatform {
  readonly sides: PlatformSide[] = [];
  /** Address of the peer of each connection, in their order. */
  readonly peers: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Called for every new connection's side. */
  onSide: (side: PlatformSide) => void = () => {};

  constructor() {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      const side = new PlatformSide((bytes) => socket.write(bytes));
      this.sides.push(side);
      this.peers.push(socket.remoteAddress ?? '');
      this.onSide(side);
      socket.on('data', (chunk) => side.push(chunk));
      socket.on('error', () => socket.destroy());
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  listen(): Promise<number> {
    return new Promise((resolve) => {
      this.#server.listen(0, '127.0.0.1', () => resolve((this.#server.address() as AddressInfo).port));
    });
  }

  dropAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): Promise<void> {
    this.dropAll();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
