import mqtt, { type MqttClient } from 'mqtt';
import type { Radio, Transmission } from '../radio.js';
import type { Outgoing } from '../terminal/wire.js';
import type { FleetClock } from './clock.js';
import { DelayQueue } from './delay-queue.js';
import type { Link, LinkEvents } from './link.js';

export interface MqttTarget {
  /** `mqtt://host:port` or `mqtts://…`. */
  url: string;
  terminalId: string;
  secret: string;
  protocolVersion?: 4 | 5;
}

/** Seconds of gateway time between keep-alives. */
const keepAliveS = 60;

/** A terminal's MQTT connection: QoS 1 both ways, last will and birth on `online`. */
export class MqttLink implements Link {
  readonly bytes = { up: 0, down: 0 };
  #client: MqttClient | undefined;
  readonly #onTheWay: DelayQueue;
  readonly #onTheWayDown: DelayQueue;

  constructor(
    private readonly target: MqttTarget,
    private readonly radio: Radio,
    private readonly clock: FleetClock,
    private readonly events: LinkEvents,
  ) {
    this.#onTheWay = new DelayQueue(clock);
    this.#onTheWayDown = new DelayQueue(clock);
  }

  get active(): boolean {
    return this.#client !== undefined;
  }

  connect(): void {
    if (this.#client !== undefined) return;
    const { url, terminalId, secret, protocolVersion } = this.target;
    const topic = (leaf: string): string => `linecrew/v1/t/${terminalId}/${leaf}`;
    const client = mqtt.connect(url, {
      clientId: terminalId,
      username: terminalId,
      password: secret,
      protocolVersion: protocolVersion ?? 4,
      clean: true,
      // The terminal has its own outbox and its own pauses: the library keeps and repeats nothing.
      reconnectPeriod: 0,
      resubscribe: false,
      queueQoSZero: false,
      keepalive: Math.max(1, Math.round(keepAliveS / this.clock.rate)),
      connectTimeout: 10_000,
      will: { topic: topic('online'), payload: Buffer.from('0'), qos: 1, retain: true },
    });
    this.#client = client;
    client.on('connect', () => {
      client.subscribe(topic('down'), { qos: 1 }, (error) => {
        if (this.#client !== client) return;
        if (error) {
          this.close(`subscription refused: ${error.message}`);
          return;
        }
        client.publish(topic('online'), '1', { qos: 1, retain: true });
        this.radio.connected(this.clock.now());
        this.events.connected(this.clock.now());
      });
    });
    client.on('message', (_topic, payload) => this.#down(client, payload));
    client.on('error', (error) => this.#gone(client, error.message));
    client.on('close', () => this.#gone(client, 'closed by the broker'));
  }

  send(out: readonly Outgoing[]): void {
    const client = this.#client;
    if (client === undefined) return;
    for (const { bytes, reportId } of out) {
      if (this.radio.silent) return;
      const fate = this.radio.up(bytes, this.clock.now());
      if (fate === 'dead') return;
      for (const one of fate) this.#onTheWay.add(one.at, () => this.#publish(client, one, reportId));
    }
  }

  close(reason: string): void {
    const client = this.#client;
    if (client === undefined) return;
    this.#gone(client, reason);
  }

  radioOff(silent: boolean): void {
    this.radio.off(silent ? 'silent' : 'closed');
    if (!silent) this.close('radio off');
  }

  radioOn(): void {
    this.radio.on();
  }

  lose(): void {
    this.close('no network');
  }

  dropDead(): void {
    // A lost MQTT connection is closed at once: there is none that only seems to live.
  }

  #down(client: MqttClient, payload: Uint8Array): void {
    if (this.#client !== client || this.radio.silent) return;
    this.bytes.down += payload.length;
    const { at, bytes } = this.radio.down(payload, this.clock.now());
    this.#onTheWayDown.add(at, () => {
      if (this.#client === client) this.events.received(bytes, this.clock.now());
    });
  }

  #publish(client: MqttClient, { bytes, then }: Transmission, reportId: number | undefined): void {
    if (this.#client !== client || this.radio.silent) return;
    if (then !== undefined) {
      this.close(then);
      return;
    }
    this.bytes.up += bytes.length;
    const topic = `linecrew/v1/t/${this.target.terminalId}/up`;
    client.publish(topic, Buffer.from(bytes), { qos: 1 }, (error) => {
      if (!error && this.#client === client && reportId !== undefined) {
        this.events.acknowledged(reportId, this.clock.now());
      }
    });
  }

  #gone(client: MqttClient, reason: string): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    this.#onTheWay.clear();
    this.#onTheWayDown.clear();
    client.removeAllListeners('message');
    client.removeAllListeners('close');
    // Without DISCONNECT, so that the broker publishes the last will as for a real terminal that drops out.
    client.stream.destroy();
    client.end(true);
    this.events.closed(reason, this.clock.now());
  }
}
