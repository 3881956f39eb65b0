import { connect, type Socket } from 'node:net';
import {
  encodeBody,
  encodeFrame,
  decodeBody,
  FrameSplitter,
  messages,
  phoneToRaw,
  type Edition,
  type Frame,
  type Identity,
} from '../../protocol/index.js';
import { Histogram } from '../histogram.js';
import type { RosterEntry } from '../roster.js';
import { locationBody } from '../terminal/codec.js';
import type { Place } from '../geo.js';
import type { FleetClock } from './clock.js';

export interface LoadOptions {
  host: string;
  port: number;
  clock: FleetClock;
  /** Terminals of this process. */
  roster: readonly RosterEntry[];
  edition: Edition;
  /** Machine seconds between the reports of one terminal. */
  everyS: number;
  /** New connections a second. */
  connectsPerSecond: number;
  /** Terminals (from the first) whose confirmed positions are kept for the final check. */
  kept: number;
}

/** What the load generator has seen so far. */
export interface LoadCounts {
  connected: number;
  online: number;
  /** Due by the schedule. */
  due: number;
  sent: number;
  confirmed: number;
  /** Due while the terminal had no login: a slow or refusing server cannot hide here. */
  unsent: number;
  refused: number;
  closed: number;
}

export interface KeptPosition {
  at: number;
  latE6: number;
  lonE6: number;
}

/** Unconfirmed reports of one terminal; when a server answers none, the oldest are given up (and stay unconfirmed). */
const mostWaiting = 512;
const tickMs = 5;
/** A terminal whose connection ended before its login tries again so much later, ms of the machine. */
const againMs = [1_000, 5_000] as const;

/**
 * Thousands of plain terminals that only report, on a fixed schedule: each report is due at its time whatever became of
 * the one before, and its delay counts from that time (open loop).
 */
export class LoadGenerator {
  readonly delays = new Histogram();
  readonly loginMs = new Histogram();
  readonly counts: LoadCounts = {
    connected: 0,
    online: 0,
    due: 0,
    sent: 0,
    confirmed: 0,
    unsent: 0,
    refused: 0,
    closed: 0,
  };
  readonly kept = new Map<string, KeptPosition[]>();
  /** What kept connections from being made, by error code (`EMFILE`, `ECONNREFUSED` …). */
  readonly errors: Record<string, number> = {};
  readonly #terminals: LoadTerminal[];
  #timer: NodeJS.Timeout | undefined;
  #reporting = false;
  #startAt = 0;
  /** Index into the schedule: report number `#next` is that of terminal `#next % n`. */
  #next = 0;
  #connecting = 0;
  #connectCredit = 0;

  constructor(readonly options: LoadOptions) {
    this.#terminals = options.roster.map((entry, index) => new LoadTerminal(this, entry, index < options.kept));
    for (const entry of options.roster.slice(0, options.kept)) this.kept.set(entry.phone, []);
  }

  /** Opens the connections at the wanted pace; resolves when all are logged in or refused, or after `timeoutMs`. */
  async connect(timeoutMs: number): Promise<void> {
    const until = performance.now() + timeoutMs;
    let last = performance.now();
    while (performance.now() < until) {
      const now = performance.now();
      this.#connectCredit += ((now - last) / 1000) * this.options.connectsPerSecond;
      last = now;
      while (this.#connectCredit >= 1 && this.#connecting < this.#terminals.length) {
        this.#connectCredit -= 1;
        this.#terminals[this.#connecting++]!.connect();
      }
      if (this.counts.online + this.counts.refused >= this.#terminals.length) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Starts the schedule: every terminal once per period, evenly spread. */
  report(): void {
    this.#reporting = true;
    this.#startAt = performance.now();
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  /** Ends the schedule; resolves when everything sent is confirmed, or after `drainMs`. */
  async drain(drainMs: number): Promise<void> {
    this.#reporting = false;
    clearInterval(this.#timer);
    const until = performance.now() + drainMs;
    while (performance.now() < until && this.counts.confirmed < this.counts.sent) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  close(): void {
    clearInterval(this.#timer);
    for (const terminal of this.#terminals) terminal.close();
  }

  #tick(): void {
    if (!this.#reporting) return;
    const stepMs = (this.options.everyS * 1000) / this.#terminals.length;
    const now = performance.now();
    for (;;) {
      const dueAt = this.#startAt + this.#next * stepMs;
      if (dueAt > now) return;
      const terminal = this.#terminals[this.#next % this.#terminals.length]!;
      this.#next += 1;
      this.counts.due += 1;
      if (!terminal.report(dueAt)) this.counts.unsent += 1;
    }
  }
}

interface Waiting {
  dueAt: number;
  position: KeptPosition;
}

/** The least that is a terminal: login and positions. */
class LoadTerminal {
  #socket: Socket | undefined;
  #splitter = new FrameSplitter();
  #serial = 0;
  #online = false;
  #startedAt = 0;
  readonly #waiting = new Map<number, Waiting>();
  readonly #identity: Identity;
  readonly #start: Place;
  #made = 0;
  #lastAt = 0;
  #again: NodeJS.Timeout | undefined;
  #refused = false;

  constructor(
    private readonly load: LoadGenerator,
    private readonly entry: RosterEntry,
    private readonly keeps: boolean,
  ) {
    const { edition } = load.options;
    this.#identity = {
      versionFlag: edition === 2019,
      protocolVersion: edition === 2019 ? 1 : 0,
      phoneRaw: phoneToRaw(entry.phone, edition === 2019 ? 10 : 6),
    };
    this.#start = entry.start ?? { lat: 36.6, lon: 101.3 };
  }

  connect(): void {
    const { host, port } = this.load.options;
    // Counts from the first attempt: a server that sends terminals away cannot hide behind their patience.
    this.#startedAt ||= performance.now();
    this.#splitter = new FrameSplitter();
    const socket = connect({ host, port });
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('connect', () => {
      this.load.counts.connected += 1;
      const { maker, model, terminalId, plate } = this.entry;
      this.#send('register', { province: 0, city: 0, maker, model, terminalId, plateColour: 2, plate });
    });
    const sink = { frame: (frame: Frame) => this.#frame(frame), refused: () => undefined };
    socket.on('data', (chunk) => this.#splitter.push(chunk, sink));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const code = error.code ?? error.message;
      this.load.errors[code] = (this.load.errors[code] ?? 0) + 1;
      socket.destroy();
    });
    socket.on('close', () => this.#closed(socket));
  }

  /** False when the terminal is not logged in. */
  report(dueAt: number): boolean {
    if (!this.#online) return false;
    const { clock, edition } = this.load.options;
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
    this.load.counts.sent += 1;
    return true;
  }

  close(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    clearTimeout(this.#again);
    socket?.destroy();
  }

  #send<K extends 'register' | 'authenticate' | 'location' | 'terminalAck'>(
    name: K,
    body: Parameters<typeof encodeBody<K>>[2],
  ): number {
    const serial = this.#serial;
    this.#serial = (serial + 1) & 0xffff;
    const encoded = encodeBody(name, this.load.options.edition, body);
    this.#socket!.write(encodeFrame({ ...this.#identity, messageId: messages[name].id, serial, body: encoded }));
    return serial;
  }

  #frame(frame: Frame): void {
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
    const decoded = decodeBody(0x8100, this.load.options.edition, body);
    if (decoded?.name !== 'registerAnswer') return;
    const { result, token } = decoded.body;
    if (result === 0 && token !== undefined) {
      this.#send('authenticate', { token, imei: this.entry.imei, software: 'sim-1' });
    } else this.#refuse();
  }

  #answered(serial: number, id: number, result: number): void {
    const { counts, delays, loginMs } = this.load;
    if (id === 0x0102) {
      if (result !== 0) return this.#refuse();
      this.#online = true;
      counts.online += 1;
      loginMs.record(performance.now() - this.#startedAt);
      return;
    }
    const waiting = this.#waiting.get(serial);
    if (id !== 0x0200 || waiting === undefined) return;
    this.#waiting.delete(serial);
    if (result !== 0) return;
    counts.confirmed += 1;
    delays.record(performance.now() - waiting.dueAt);
    if (this.keeps) this.load.kept.get(this.entry.phone)!.push(waiting.position);
  }

  #refuse(): void {
    this.#refused = true;
    this.load.counts.refused += 1;
  }

  #closed(socket: Socket): void {
    const wasOnline = this.#online;
    if (wasOnline) this.load.counts.online -= 1;
    this.#online = false;
    if (this.#socket !== socket) return;
    this.#socket = undefined;
    this.load.counts.closed += 1;
    if (wasOnline || this.#refused) return;
    const [from, to] = againMs;
    this.#again = setTimeout(() => this.connect(), from + Math.random() * (to - from));
  }
}
