import type { Radio, Transmission } from '../../simulator/radio.js';
import type { Random } from '../../simulator/index.js';
import type { Door, Link, MqttSession, Sent, SimLinkEvents } from './network.js';
import type { SimTime } from './time.js';

/** One connection, from the attempt to its end. */
interface Connection {
  door: Door | undefined;
  session: MqttSession | undefined;
  /** The CONNACK has come. */
  open: boolean;
}

/**
 * The terminal's end of an MQTT connection through the radio: publications one by one and their PUBACKs, each of which may
 * be late, doubled or lost with the connection.
 */
export class SimMqttLink implements Link {
  #connection: Connection | undefined;
  #dead = false;

  constructor(
    private readonly time: SimTime,
    readonly radio: Radio,
    private readonly random: Random,
    private readonly door: () => Door | undefined,
    private readonly login: { phone: string; secret: string; address: string },
    private readonly events: SimLinkEvents,
  ) {}

  get active(): boolean {
    return this.#connection !== undefined;
  }

  connect(): void {
    if (this.#connection !== undefined) return;
    const connection: Connection = { door: undefined, session: undefined, open: false };
    this.#connection = connection;
    this.#dead = false;
    this.#later(this.random.between(20, 200), () => this.#knock(connection));
  }

  send({ bytes, reportId }: Sent): void {
    const connection = this.#connection;
    if (!connection?.open || this.#dead || this.radio.silent) return;
    const fate = this.radio.up(bytes, this.time.now());
    if (fate === 'dead') {
      this.#dead = true;
      return;
    }
    for (const one of fate) this.#later(one.at - this.time.now(), () => this.#publish(connection, one, reportId));
  }

  close(reason: string): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    const silent = this.#dead || this.radio.silent;
    this.#gone(connection, reason);
    if (!silent) this.#later(this.random.between(5, 100), () => connection.session?.gone());
  }

  lose(): void {
    this.#dead = true;
  }

  platformDied(door: Door, silent: boolean): void {
    const connection = this.#connection;
    if (connection === undefined || connection.door !== door) return;
    if (silent) this.#dead = true;
    else this.#later(this.random.between(5, 100), () => this.#gone(connection, 'reset'));
  }

  heal(): void {
    if (this.#dead) this.close('dead');
    this.radio.heal();
  }

  #knock(connection: Connection): void {
    if (this.#connection !== connection) return;
    const door = this.door();
    if (door === undefined) {
      this.#gone(connection, 'refused');
      return;
    }
    connection.door = door;
    const end = {
      ...this.login,
      down: (payload: Uint8Array) => this.#down(connection, payload),
      ended: () => this.#later(this.random.between(5, 80), () => this.#closedByPlatform(connection)),
    };
    door.acceptMqtt(end).then(
      (session) => {
        connection.session = session;
        this.#later(this.random.between(20, 100), () => this.#opened(connection, session));
      },
      () => this.#later(this.random.between(5, 80), () => this.#gone(connection, 'refused')),
    );
  }

  /** CONNACK, then the subscription. */
  #opened(connection: Connection, session: MqttSession): void {
    if (this.#connection !== connection) {
      session.gone();
      return;
    }
    if (this.#dead || this.radio.silent) return;
    connection.open = true;
    this.radio.connected(this.time.now());
    session.listens();
    this.events.connected();
  }

  #publish(connection: Connection, { bytes, then }: Transmission, reportId: number | undefined): void {
    if (this.#connection !== connection || this.#dead || this.radio.silent) return;
    // A packet that is cut is none; the broker ends the connection.
    if (then === 'cut') {
      this.#gone(connection, 'cut');
      connection.session?.gone();
      return;
    }
    connection.session?.publish(bytes.slice(), () => this.#acknowledge(connection, reportId));
    if (then === 'halfOpen') this.#dead = true;
  }

  #acknowledge(connection: Connection, reportId: number | undefined): void {
    this.#fromPlatform(connection, new Uint8Array(4), () => {
      if (reportId !== undefined) this.events.acknowledged(reportId);
    });
  }

  #down(connection: Connection, payload: Uint8Array): boolean {
    if (this.#connection !== connection) return false;
    const copy = payload.slice();
    this.#fromPlatform(connection, copy, () => this.events.received(copy));
    return true;
  }

  #fromPlatform(connection: Connection, bytes: Uint8Array, arrived: () => void): void {
    if (this.#connection !== connection || this.#dead || this.radio.silent) return;
    const { at } = this.radio.down(bytes, this.time.now());
    this.#later(at - this.time.now(), () => {
      if (this.#connection === connection && !this.#dead && !this.radio.silent) arrived();
    });
  }

  #closedByPlatform(connection: Connection): void {
    connection.session?.gone();
    if (!this.#dead) this.#gone(connection, 'closed by the platform');
  }

  #gone(connection: Connection, reason: string): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    connection.open = false;
    this.events.closed(reason);
  }

  #later(ms: number, call: () => void): void {
    this.time.after(ms, call);
  }
}
