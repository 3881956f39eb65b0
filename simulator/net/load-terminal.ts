import { connect, type Socket } from 'node:net';
import {
  decodeBody,
  encodeBody,
  encodeFrame,
  FrameSplitter,
  messages,
  phoneToRaw,
  type Edition,
  type Frame,
  type Identity,
} from '../../protocol/index.js';
import type { Place } from '../geo.js';
import type { RosterEntry } from '../roster.js';
import { locationBody } from '../terminal/codec.js';
import type { FleetClock } from './clock.js';

export interface KeptPosition {
  at: number;
  latE6: number;
  lonE6: number;
}

/** Where a terminal connects, and as what. */
export interface LoadTarget {
  host: string;
  port: number;
  /** Own address that it connects from; undefined: the system's choice. */
  from: string | undefined;
  clock: FleetClock;
  edition: Edition;
}

/** What a terminal tells the load generator. Times are ms of the machine. */
export interface LoadEvents {
  connected(): void;
  /** Logged in, so long after its first attempt to connect. */
  online(afterMs: number): void;
  /** Its registration or its code was refused: it tries no more. */
  refused(): void;
  /** Confirmed with result 0, so long after it was due. */
  confirmed(delayMs: number, position: KeptPosition): void;
  /** The socket failed, by error code. */
  failed(code: string): void;
  /** The connection is gone, and not by {@link LoadTerminal.close}. */
  closed(wasOnline: boolean): void;
}

/** Unconfirmed reports of one terminal; when a server answers none, the oldest are given up (and stay unconfirmed). */
const mostWaiting = 512;

interface Waiting {
  dueAt: number;
  position: KeptPosition;
}

/** The least that is a terminal: login and positions. */
export class LoadTerminal {
  #socket: Socket | undefined;
  #splitter = new FrameSplitter();
  #serial = 0;
  #online = false;
  #startedAt: number | undefined;
  /** Code of its registration: like a real terminal it registers once. */
  #code: string | undefined;
  readonly #waiting = new Map<number, Waiting>();
  readonly #identity: Identity;
  readonly #start: Place;
  #made = 0;
  #lastAt = 0;

  constructor(
    private readonly target: LoadTarget,
    private readonly entry: RosterEntry,
    private readonly events: LoadEvents,
  ) {
    const { edition } = target;
    this.#identity = {
      versionFlag: edition === 2019,
      protocolVersion: edition === 2019 ? 1 : 0,
      phoneRaw: phoneToRaw(entry.phone, edition === 2019 ? 10 : 6),
    };
    this.#start = entry.start ?? { lat: 36.6, lon: 101.3 };
  }

  /** Opens a connection and logs in on it. */
  connect(): void {
    const { host, port, from } = this.target;
    // Counts from the first attempt: a server that sends terminals away cannot hide behind their patience.
    this.#startedAt ??= performance.now();
    this.#splitter = new FrameSplitter();
    const socket = connect({ host, port, ...(from === undefined ? {} : { localAddress: from }) });
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('connect', () => {
      this.events.connected();
      if (this.#code === undefined) this.#register();
      else this.#authenticate(this.#code);
    });
    const sink = { frame: (frame: Frame) => this.#frame(frame), refused: () => undefined };
    socket.on('data', (chunk) => this.#splitter.push(chunk, sink));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.events.failed(error.code ?? error.message);
      socket.destroy();
    });
    socket.on('close', () => this.#closed(socket));
  }

  /** False when the terminal is not logged in. */
  report(dueAt: number): boolean {
    if (!this.#online) return false;
    const { clock, edition } = this.target;
    // One position a second and terminal on the wire; faster schedules step the clock by themselves.
    const at = Math.max(Math.floor(clock.now() / 1000) * 1000, this.#lastAt + 1000);
    this.#lastAt = at;
    this.#made += 1;
    const lat = Math.round((this.#start.lat + (this.#made % 1000) * 1e-5) * 1e6) / 1e6;
    const lon = Math.round(this.#start.lon * 1e6) / 1e6;
    const reading = {
      at,
      fix: true,
      lat,
      lon,
      altitudeM: 50,
      speedKmh: 36,
      headingDeg: 0,
      ignition: true,
      odometerKm: 1000 + this.#made / 100,
      fuelL: 40,
      satellites: 11,
    };
    const serial = this.#send('location', locationBody(reading, 0, 0, edition));
    this.#waiting.set(serial, { dueAt, position: { at, latE6: Math.round(lat * 1e6), lonE6: Math.round(lon * 1e6) } });
    if (this.#waiting.size > mostWaiting) this.#waiting.delete(this.#waiting.keys().next().value!);
    return true;
  }

  close(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
  }

  #send<K extends 'register' | 'authenticate' | 'location' | 'terminalAck'>(
    name: K,
    body: Parameters<typeof encodeBody<K>>[2],
  ): number {
    const serial = this.#serial;
    this.#serial = (serial + 1) & 0xffff;
    const encoded = encodeBody(name, this.target.edition, body);
    this.#socket!.write(encodeFrame({ ...this.#identity, messageId: messages[name].id, serial, body: encoded }));
    return serial;
  }

  #register(): void {
    const { maker, model, terminalId, plate } = this.entry;
    this.#send('register', { province: 0, city: 0, maker, model, terminalId, plateColour: 2, plate });
  }

  #authenticate(token: string): void {
    this.#send('authenticate', { token, imei: this.entry.imei, software: 'sim-1' });
  }

  #frame(frame: Frame): void {
    // What came behind the end is nobody's any more.
    if (this.#socket === undefined) return;
    const { bytes, bodyStart, messageId } = frame;
    if (messageId === 0x8001) {
      const replySerial = (bytes[bodyStart]! << 8) | bytes[bodyStart + 1]!;
      const replyId = (bytes[bodyStart + 2]! << 8) | bytes[bodyStart + 3]!;
      this.#answered(replySerial, replyId, bytes[bodyStart + 4]!);
    } else if (messageId === 0x8100) this.#registered(frame.body);
    else {
      const { serial } = frame;
      this.#send('terminalAck', { replySerial: serial, replyId: messageId, result: 3 });
    }
  }

  #registered(body: Uint8Array): void {
    const decoded = decodeBody(0x8100, this.target.edition, body);
    if (decoded?.name !== 'registerAnswer') return;
    const { result, token } = decoded.body;
    if (result !== 0 || token === undefined) return this.events.refused();
    this.#code = token;
    this.#authenticate(token);
  }

  #answered(serial: number, id: number, result: number): void {
    if (id === 0x0102) {
      if (result !== 0) return this.events.refused();
      this.#online = true;
      this.events.online(performance.now() - this.#startedAt!);
      return;
    }
    const waiting = this.#waiting.get(serial);
    if (id !== 0x0200 || waiting === undefined) return;
    this.#waiting.delete(serial);
    if (result === 0) this.events.confirmed(performance.now() - waiting.dueAt, waiting.position);
  }

  #closed(socket: Socket): void {
    if (this.#socket !== socket) return;
    const wasOnline = this.#online;
    this.#online = false;
    this.#socket = undefined;
    this.#startedAt = wasOnline ? undefined : this.#startedAt;
    this.events.closed(wasOnline);
  }
}
