import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { Radio, Transmission } from '../radio.js';
import type { Outgoing } from '../terminal/wire.js';
import type { FleetClock } from './clock.js';
import { DelayQueue } from './delay-queue.js';
import type { Link, LinkEvents } from './link.js';

export interface TcpTarget {
  host: string;
  port: number;
  /** JT/T 808 over TLS. */
  tls?: ConnectionOptions;
  /** Bytes of a stream, not frames: the radio keeps their order and repeats none. */
  isStream?: boolean;
}

/** A TCP connection whose bytes pass through the radio. */
export class TcpLink implements Link {
  readonly bytes = { up: 0, down: 0 };
  #socket: Socket | undefined;
  #open = false;
  /** The network has forgotten the connection: everything is swallowed. */
  #dead = false;
  readonly #onTheWay: DelayQueue;
  readonly #onTheWayDown: DelayQueue;

  constructor(
    private readonly target: TcpTarget,
    private readonly radio: Radio,
    private readonly clock: FleetClock,
    private readonly events: LinkEvents,
  ) {
    this.#onTheWay = new DelayQueue(clock);
    this.#onTheWayDown = new DelayQueue(clock);
  }

  get active(): boolean {
    return this.#socket !== undefined;
  }

  connect(): void {
    if (this.#socket !== undefined) return;
    const { host, port, tls } = this.target;
    const socket = tls === undefined ? connectTcp({ host, port }) : connectTls({ ...tls, host, port });
    this.#socket = socket;
    this.#dead = false;
    socket.setNoDelay(true);
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      if (this.#socket !== socket) return;
      this.#open = true;
      const now = this.clock.now();
      this.radio.connected(now);
      this.events.connected(now);
    });
    socket.on('data', (chunk: Buffer) => this.#down(socket, chunk));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#gone(socket, error.code ?? error.message));
    socket.on('close', () => this.#gone(socket, 'closed by the platform'));
  }

  send(out: readonly Outgoing[]): void {
    if (!this.#open || this.#socket === undefined) return;
    const now = this.clock.now();
    for (const { bytes } of out) {
      if (this.#dead || this.radio.silent) return;
      const fate = this.radio.up(bytes, now, this.target.isStream);
      if (fate === 'dead') {
        this.#dead = true;
        return;
      }
      for (const one of fate) this.#onTheWay.add(one.at, () => this.#put(one));
    }
  }

  close(reason: string): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    if (this.#dead || this.radio.silent) {
      // The other end must not learn of it: no FIN gets through. The socket is let go without one.
      this.#abandon(socket);
      this.#gone(socket, reason);
      return;
    }
    this.#gone(socket, reason);
    socket.destroy();
  }

  radioOff(silent: boolean): void {
    this.radio.off(silent ? 'silent' : 'closed');
    if (!silent) this.close('radio off');
  }

  radioOn(): void {
    this.radio.on();
  }

  /** A hole in the network: the connection is dead, nobody is told. */
  lose(): void {
    this.#dead = true;
  }

  dropDead(): void {
    if (this.#dead) this.close('dead');
  }

  #put({ bytes, then }: Transmission): void {
    const socket = this.#socket;
    if (socket === undefined || this.#dead || this.radio.silent) return;
    this.bytes.up += bytes.length;
    socket.write(bytes);
    if (then === 'halfOpen') this.#dead = true;
    if (then === 'cut') {
      this.#gone(socket, 'cut');
      // What was written goes out, then the connection ends in the middle of the frame.
      socket.end(() => socket.destroy());
    }
  }

  #down(socket: Socket, chunk: Uint8Array): void {
    if (this.#socket !== socket || this.#dead || this.radio.silent) return;
    this.bytes.down += chunk.length;
    const { at, bytes } = this.radio.down(chunk, this.clock.now());
    this.#onTheWayDown.add(at, () => {
      if (this.#socket === socket && !this.#dead && !this.radio.silent) this.events.received(bytes, this.clock.now());
    });
  }

  #gone(socket: Socket, reason: string): void {
    if (this.#socket !== socket) return;
    this.#socket = undefined;
    this.#open = false;
    this.#onTheWay.clear();
    this.#onTheWayDown.clear();
    this.events.closed(reason, this.clock.now());
  }

  /** Keeps a dead connection open for a while, so that the platform really sees a half-open one. */
  #abandon(socket: Socket): void {
    socket.removeAllListeners('data');
    socket.removeAllListeners('close');
    socket.resume();
    abandoned.add(socket);
    socket.on('close', () => abandoned.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.unref();
    // More than this nobody can hold; the oldest is really closed.
    if (abandoned.size > mostAbandoned) {
      const oldest = abandoned.values().next().value!;
      abandoned.delete(oldest);
      oldest.destroy();
    }
  }
}

const abandoned = new Set<Socket>();
const mostAbandoned = 500;

/** Closes the half-open connections that simulated terminals left behind. */
export function closeAbandoned(): void {
  for (const socket of abandoned) socket.destroy();
  abandoned.clear();
}
