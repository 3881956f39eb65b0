import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Radio, Transmission } from '../../simulator/radio.js';
import type { Random } from '../../simulator/index.js';
import type { SimTime } from './time.js';

/** The platform's end of a simulated connection: what `TerminalConnection` uses of a socket. */
export class SimSocket extends EventEmitter {
  writable = true;
  writableLength = 0;
  writableNeedDrain = false;
  #paused = false;
  #kept: Buffer[] = [];
  #closed = false;

  constructor(
    private readonly down: (bytes: Uint8Array) => void,
    private readonly ended: () => void,
  ) {
    super();
  }

  asSocket(): Socket {
    return this as unknown as Socket;
  }

  write(bytes: Uint8Array): boolean {
    if (this.writable) this.down(bytes);
    return true;
  }

  pause(): this {
    this.#paused = true;
    return this;
  }

  resume(): this {
    this.#paused = false;
    for (const bytes of this.#kept.splice(0)) this.emit('data', bytes);
    return this;
  }

  end(): this {
    this.writable = false;
    this.ended();
    return this;
  }

  destroy(): this {
    this.writable = false;
    this.ended();
    this.gone();
    return this;
  }

  /** Bytes of the terminal arrive. */
  arrive(bytes: Uint8Array): void {
    if (this.#closed) return;
    if (this.#paused) this.#kept.push(Buffer.from(bytes));
    else this.emit('data', Buffer.from(bytes));
  }

  /** The connection is over for the platform. */
  gone(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.writable = false;
    this.emit('close');
  }
}

/** Where connections are accepted: a gateway process, or none. */
export interface Door {
  accept(socket: SimSocket, address: string): void;
  acceptMqtt(client: MqttClientEnd): Promise<MqttSession>;
}

/** The terminal's end of an MQTT connection, as the platform sees it. */
export interface MqttClientEnd {
  phone: string;
  secret: string;
  address: string;
  /** A publication on its topic; false when it is not connected any more. */
  down(payload: Uint8Array): boolean;
  /** The platform ends the connection. */
  ended(): void;
}

/** The platform's end of an MQTT connection. */
export interface MqttSession {
  /** The terminal has subscribed to its topic. */
  listens(): void;
  /** A publication with QoS 1; `acknowledged` is its PUBACK. */
  publish(payload: Uint8Array, acknowledged: () => void): void;
  /** The connection is over for the platform. */
  gone(): void;
}

/** One thing to be sent. */
export interface Sent {
  bytes: Uint8Array;
  reportId?: number;
}

export interface SimLinkEvents {
  connected(): void;
  received(bytes: Uint8Array): void;
  /** Over MQTT: a report's publication was acknowledged. */
  acknowledged(reportId: number): void;
  closed(reason: string): void;
}

/** A terminal's connection through the radio. */
export interface Link {
  readonly radio: Radio;
  /** Trying to connect, or connected. */
  readonly active: boolean;
  connect(): void;
  send(out: Sent): void;
  close(reason: string): void;
  lose(): void;
  platformDied(door: Door, silent: boolean): void;
  heal(): void;
}

/**
 * The terminal's end: a byte stream through the radio, with everything that the radio does to it. Bytes of a frame may
 * arrive in pieces, a connection may die without a word.
 */
export class SimLink implements Link {
  #door: Door | undefined;
  #socket: SimSocket | undefined;
  #open = false;
  #dead = false;

  constructor(
    private readonly time: SimTime,
    readonly radio: Radio,
    private readonly random: Random,
    private readonly door: () => Door | undefined,
    private readonly address: string,
    private readonly events: SimLinkEvents,
  ) {}

  get active(): boolean {
    return this.#socket !== undefined;
  }

  connect(): void {
    if (this.#socket !== undefined) return;
    const socket: SimSocket = new SimSocket(
      (bytes) => this.#down(socket, bytes),
      () => this.#later(this.random.between(5, 80), () => this.#closedByPlatform(socket)),
    );
    this.#socket = socket;
    this.#dead = false;
    this.#later(this.random.between(20, 200), () => {
      if (this.#socket !== socket) return;
      const door = this.door();
      if (door === undefined) {
        this.#gone(socket, 'refused');
        return;
      }
      this.#door = door;
      door.accept(socket, this.address);
      this.#open = true;
      this.radio.connected(this.time.now());
      this.events.connected();
    });
  }

  send({ bytes: frame }: Sent): void {
    const socket = this.#socket;
    if (socket === undefined || !this.#open || this.#dead || this.radio.silent) return;
    const fate = this.radio.up(frame, this.time.now());
    if (fate === 'dead') {
      this.#dead = true;
      return;
    }
    for (const one of fate) this.#later(one.at - this.time.now(), () => this.#put(socket, one));
  }

  close(reason: string): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    const silent = this.#dead || this.radio.silent;
    this.#gone(socket, reason);
    if (!silent) this.#later(this.random.between(5, 100), () => socket.gone());
  }

  /** The network swallows the connection; nobody is told. */
  lose(): void {
    this.#dead = true;
  }

  /** The gateway's machine is gone; the terminal hears of it at once (RST) or never. */
  platformDied(door: Door, silent: boolean): void {
    const socket = this.#socket;
    if (socket === undefined || this.#door !== door) return;
    if (silent) this.#dead = true;
    else this.#later(this.random.between(5, 100), () => this.#gone(socket, 'reset'));
  }

  /** After the faults: a swallowed connection is given up now instead of by and by. */
  heal(): void {
    if (this.#dead) this.close('dead');
    this.radio.heal();
  }

  #put(socket: SimSocket, { bytes, then }: Transmission): void {
    if (this.#socket !== socket || this.#dead || this.radio.silent) return;
    const split = this.random.int(0, bytes.length);
    socket.arrive(bytes.subarray(0, split));
    socket.arrive(bytes.subarray(split));
    if (then === 'halfOpen') this.#dead = true;
    if (then === 'cut') {
      this.#gone(socket, 'cut');
      socket.gone();
    }
  }

  #down(socket: SimSocket, bytes: Uint8Array): void {
    if (this.#socket !== socket || this.#dead || this.radio.silent) return;
    const copy = bytes.slice();
    const { at } = this.radio.down(copy, this.time.now());
    this.#later(at - this.time.now(), () => {
      if (this.#socket === socket && !this.#dead && !this.radio.silent) this.events.received(copy);
    });
  }

  #closedByPlatform(socket: SimSocket): void {
    if (this.#dead) return;
    this.#gone(socket, 'closed by the platform');
    socket.gone();
  }

  #gone(socket: SimSocket, reason: string): void {
    if (this.#socket !== socket) return;
    this.#socket = undefined;
    this.#door = undefined;
    this.#open = false;
    this.events.closed(reason);
  }

  #later(ms: number, call: () => void): void {
    this.time.after(ms, call);
  }
}
