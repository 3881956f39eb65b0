import { connect, type Socket } from 'node:net';
import {
  declarationOf,
  decodeBody,
  detectEdition,
  encodeBody,
  encodeFrame,
  FrameSplitter,
  messages,
  type Body,
  type Edition,
  type Frame,
  type Identity,
} from '../../protocol/index.js';
import type { Piece } from '../capture/recording.js';
import { Histogram } from '../histogram.js';

export interface ReplayOptions {
  host: string;
  port: number;
  pieces: readonly Piece[];
  /** Recorded seconds in a second of the machine; Infinity: as fast as possible. */
  speed: number;
  /** Pace of files without times: pieces a second at speed 1. */
  perSecond: number;
  /**
   * Log in by an own registration instead of the recorded one, whose code no other platform knows. False: every byte
   * exactly as recorded.
   */
  login: boolean;
  /** How long to wait for the last answers, ms of the machine. */
  drainMs: number;
}

export interface ReplayReport {
  connections: number;
  /** Terminals that were let in, and that were not. */
  loggedIn: number;
  refused: number;
  bytes: number;
  frames: number;
  /** Frames that want an answer by the standard, those that got one, and how many of those were a refusal. */
  expecting: number;
  answered: number;
  answeredWithError: number;
  delayMs: ReturnType<Histogram['summary']>;
}

const registerSerial = 0xfffe;
const authenticateSerial = 0xffff;

/** Sends a recording to a platform and counts what is answered. */
export class Replay {
  readonly #connections = new Map<number, ReplayConnection>();
  readonly #delays = new Histogram();
  readonly #counts = { bytes: 0, frames: 0, expecting: 0, answered: 0, answeredWithError: 0, loggedIn: 0, refused: 0 };
  #stopped = false;

  constructor(readonly options: ReplayOptions) {}

  /** Pieces sent so far; for a progress display. */
  done = 0;

  async run(): Promise<ReplayReport> {
    const { pieces, speed, perSecond } = this.options;
    const startedAt = performance.now();
    let at = 0;
    for (const [index, piece] of pieces.entries()) {
      at = piece.ms ?? (index * 1000) / perSecond;
      const waitMs = startedAt + at / speed - performance.now();
      if (waitMs > 1) await this.#pause(waitMs);
      if (this.#stopped) break;
      await this.#send(piece);
      this.done = index + 1;
    }
    await this.#drain();
    for (const connection of this.#connections.values()) connection.close();
    return { connections: this.#connections.size, ...this.#counts, delayMs: this.#delays.summary() };
  }

  stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }

  #wake: (() => void) | undefined;

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #send(piece: Piece): Promise<void> {
    if (piece.kind === 'down') return;
    let connection = this.#connections.get(piece.connection);
    if (piece.kind === 'close') {
      connection?.finish();
      return;
    }
    if (connection === undefined) {
      connection = new ReplayConnection(
        this.options,
        this.#counts,
        this.#delays,
        this.#registrationOf(piece.connection),
      );
      this.#connections.set(piece.connection, connection);
    }
    if (piece.kind === 'up') await connection.send(piece.bytes);
  }

  /** The first registration that the recording holds for this connection. */
  #registrationOf(connection: number): Body<'register'> | undefined {
    let found: Body<'register'> | undefined;
    const splitter = new FrameSplitter();
    const sink = {
      frame: (frame: Frame): void => {
        if (frame.messageId !== 0x0100 || found !== undefined) return;
        const decoded = decodeBody(0x0100, detectEdition(frame), frame.body);
        if (decoded?.name === 'register') found = decoded.body;
      },
      refused: () => undefined,
    };
    for (const piece of this.options.pieces) {
      if (piece.connection !== connection || piece.kind !== 'up') continue;
      splitter.push(piece.bytes, sink);
      if (found !== undefined) break;
    }
    return found;
  }

  async #drain(): Promise<void> {
    const until = performance.now() + this.options.drainMs;
    while (!this.#stopped && performance.now() < until && this.#counts.answered < this.#counts.expecting) {
      await this.#pause(20);
    }
  }
}

type Counts = Omit<ReplayReport, 'connections' | 'delayMs'>;

class ReplayConnection {
  readonly #socket: Socket;
  readonly #up = new FrameSplitter();
  readonly #down = new FrameSplitter();
  readonly #ready: Promise<void>;
  readonly #waiting = new Map<number, { id: number; at: number }>();
  #identity: Identity | undefined;
  #edition: Edition = 2013;
  #loggedIn: Promise<boolean> | undefined;
  #onLogin: ((accepted: boolean) => void) | undefined;

  constructor(
    private readonly options: ReplayOptions,
    private readonly counts: Counts,
    private readonly delays: Histogram,
    private readonly registration: Body<'register'> | undefined,
  ) {
    this.#socket = connect({ host: options.host, port: options.port });
    this.#socket.setNoDelay(true);
    this.#ready = new Promise((resolve, reject) => {
      this.#socket.once('connect', () => resolve());
      this.#socket.once('error', reject);
    });
    // Who sends is told; a connection that never sends harms nobody.
    this.#ready.catch(() => undefined);
    const sink = { frame: (frame: Frame) => this.#answer(frame), refused: () => undefined };
    this.#socket.on('data', (chunk) => this.#down.push(chunk, sink));
    this.#socket.on('error', () => this.#socket.destroy());
    this.#socket.on('close', () => this.#onLogin?.(false));
  }

  async send(bytes: Uint8Array): Promise<void> {
    await this.#ready;
    const frames: { bytes: Uint8Array; id: number; serial: number }[] = [];
    this.#up.push(bytes, {
      frame: (frame) => {
        this.#identity ??= frame.identity();
        this.#edition = detectEdition(frame, this.#edition);
        const { messageId: id, serial, total, index } = frame;
        const part = total > 0 ? { total, index } : {};
        const identity = frame.identity(this.#identity);
        frames.push({
          id,
          serial,
          bytes: encodeFrame({ ...identity, messageId: id, serial, body: frame.body, ...part }),
        });
      },
      refused: () => undefined,
    });
    if (!this.options.login) {
      for (const frame of frames) this.#expect(frame.id, frame.serial);
      this.#write(bytes);
      return;
    }
    for (const frame of frames) {
      if (!(await this.#login())) return;
      if (frame.id === 0x0100 || frame.id === 0x0102) continue;
      this.#expect(frame.id, frame.serial);
      this.#write(frame.bytes);
    }
  }

  /** The terminal's side ends as it did in the recording, once what is on the way has been answered. */
  finish(): void {
    setTimeout(() => this.#socket.end(), this.options.drainMs).unref();
  }

  close(): void {
    this.#socket.destroy();
  }

  #write(bytes: Uint8Array): void {
    this.counts.bytes += bytes.length;
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  #expect(id: number, serial: number): void {
    this.counts.frames += 1;
    if (declarationOf(id)?.reply === undefined) return;
    this.counts.expecting += 1;
    this.#waiting.set(serial, { id, at: performance.now() });
  }

  #login(): Promise<boolean> {
    this.#loggedIn ??= new Promise<boolean>((resolve) => {
      this.#onLogin = (accepted) => {
        this.#onLogin = undefined;
        if (accepted) this.counts.loggedIn += 1;
        else this.counts.refused += 1;
        resolve(accepted);
      };
      const unknown = {
        province: 0,
        city: 0,
        maker: 'LCSIM',
        model: 'REPLAY',
        terminalId: 'REPLAY1',
        plateColour: 2,
        plate: '',
      };
      this.#say('register', registerSerial, this.registration ?? unknown);
    });
    return this.#loggedIn;
  }

  #say<K extends 'register' | 'authenticate'>(name: K, serial: number, body: Body<K>): void {
    const encoded = encodeBody(name, this.#edition, body);
    this.#socket.write(encodeFrame({ ...this.#identity!, messageId: messages[name].id, serial, body: encoded }));
  }

  #answer(frame: Frame): void {
    if (frame.messageId !== 0x8001 && frame.messageId !== 0x8100) return;
    const decoded = decodeBody(frame.messageId, this.#edition, frame.body);
    if (decoded?.name === 'registerAnswer') {
      const { replySerial, result, token } = decoded.body;
      if (this.options.login && replySerial === registerSerial) {
        if (result === 0 && token !== undefined) {
          this.#say('authenticate', authenticateSerial, { token, imei: '000000000000000', software: 'replay' });
        } else this.#onLogin?.(false);
        return;
      }
      this.#confirmed(0x0100, replySerial, result);
    }
    if (decoded?.name !== 'platformAck') return;
    const { replySerial, replyId, result } = decoded.body;
    if (this.options.login && replyId === 0x0102 && replySerial === authenticateSerial) this.#onLogin?.(result === 0);
    else this.#confirmed(replyId, replySerial, result);
  }

  #confirmed(id: number, serial: number, result: number): void {
    const waiting = this.#waiting.get(serial);
    if (waiting?.id !== id) return;
    this.#waiting.delete(serial);
    this.counts.answered += 1;
    if (result !== 0 && result !== 4) this.counts.answeredWithError += 1;
    this.delays.record(performance.now() - waiting.at);
  }
}
