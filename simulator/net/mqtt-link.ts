import { MqttClient } from 'mqtt';
import type { Radio } from '../radio.js';
import type { Outgoing } from '../terminal/wire.js';
import type { FleetClock } from './clock.js';
import type { Link, LinkEvents } from './link.js';
import { RadioStream } from './radio-stream.js';
import type { TcpTarget } from './tcp-link.js';

export interface MqttTarget {
  /** `mqtt://host:port` or `mqtts://…`. */
  url: string;
  terminalId: string;
  secret: string;
  protocolVersion?: 4 | 5;
}

/** Seconds of gateway time between keep-alives. */
const keepAliveS = 60;
const connectTimeoutMs = 10_000;

/** A terminal's MQTT connection through the radio: QoS 1 both ways, last will and birth on `online`. */
export class MqttLink implements Link {
  readonly bytes = { up: 0, down: 0 };
  #client: MqttClient | undefined;
  #stream: RadioStream | undefined;

  constructor(
    private readonly target: MqttTarget,
    private readonly radio: Radio,
    private readonly clock: FleetClock,
    private readonly events: LinkEvents,
  ) {}

  get active(): boolean {
    return this.#client !== undefined;
  }

  connect(): void {
    if (this.#client !== undefined) return;
    const { terminalId, secret, protocolVersion } = this.target;
    const stream = new RadioStream(tcpTarget(this.target.url), this.radio, this.clock);
    this.#stream = stream;
    const client = new MqttClient(() => stream, {
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
      connectTimeout: connectTimeoutMs,
      will: { topic: this.#topic('online'), payload: Buffer.from('0'), qos: 1, retain: true },
    });
    this.#client = client;
    client.on('connect', () => {
      client.subscribe(this.#topic('down'), { qos: 1 }, (error) => {
        if (this.#client !== client) return;
        if (error) {
          this.close(`subscription refused: ${error.message}`);
          return;
        }
        client.publish(this.#topic('online'), '1', { qos: 1, retain: true });
        this.events.connected(this.clock.now());
      });
    });
    client.on('message', (_topic, payload) => {
      if (this.#client !== client) return;
      this.bytes.down += payload.length;
      this.events.received(payload, this.clock.now());
    });
    client.on('error', (error) => this.#gone(client, error.message));
    client.on('close', () => this.#gone(client, 'closed by the broker'));
  }

  send(out: readonly Outgoing[]): void {
    const client = this.#client;
    if (client === undefined) return;
    for (const { bytes, reportId } of out) {
      this.#publish(client, bytes, reportId);
      // A modem that repeats itself: the same message is published a second time.
      if (this.radio.doubles()) this.#publish(client, bytes, undefined);
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
    this.#stream?.link.lose();
  }

  dropDead(): void {
    this.#stream?.link.dropDead();
  }

  #topic(leaf: string): string {
    return `linecrew/v1/t/${this.target.terminalId}/${leaf}`;
  }

  #publish(client: MqttClient, bytes: Uint8Array, reportId: number | undefined): void {
    this.bytes.up += bytes.length;
    client.publish(this.#topic('up'), Buffer.from(bytes), { qos: 1 }, (error) => {
      if (!error && this.#client === client && reportId !== undefined) {
        this.events.acknowledged(reportId, this.clock.now());
      }
    });
  }

  #gone(client: MqttClient, reason: string): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    client.removeAllListeners('message');
    client.removeAllListeners('close');
    // Without DISCONNECT, so that the broker publishes the last will as for a real terminal that drops out.
    this.#stream?.destroy();
    this.#stream = undefined;
    client.end(true);
    this.events.closed(reason, this.clock.now());
  }
}

/** Where a broker listens. @throws Error when the URL is not of MQTT over TCP or TLS */
function tcpTarget(url: string): TcpTarget {
  const { protocol, hostname, port } = new URL(url);
  if (protocol !== 'mqtt:' && protocol !== 'mqtts:') throw new Error(`expected mqtt:// or mqtts://, found ${url}`);
  const isTls = protocol === 'mqtts:';
  const host = hostname.replace(/^\[|\]$/g, '');
  // Simulated terminals trust whatever certificate the gateway under test shows.
  return {
    host,
    port: Number(port || (isTls ? 8883 : 1883)),
    ...(isTls ? { tls: { rejectUnauthorized: false } } : {}),
  };
}
