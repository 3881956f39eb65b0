/** A terminal with the app on a real MQTT connection, through mqtt.js. */
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { decodeDownlink, encodeUplink } from '../../protocol/index.js';
import { AppTerminal, type Said } from '../dispatch/delivery/terminals.js';
import { bodyOf } from './tcp-terminal.js';

export const SECRET = 'a secret of sixteen';

export class MqttTruck {
  client!: MqttClient;
  #sequence = 1;
  /** Orders receipted, over all connections. */
  orders = 0;

  constructor(
    readonly phone: string,
    readonly app = new AppTerminal(),
  ) {}

  topic(what: string): string {
    return `linecrew/v1/t/${this.phone}/${what}`;
  }

  /** @param stopAfter the connection is cut when this many orders were receipted */
  async connect(url: string, stopAfter = Infinity, more: IClientOptions = {}): Promise<void> {
    const { phone } = this;
    this.client = await connectAsync(url, {
      clientId: phone, username: phone, password: SECRET, clean: false, reconnectPeriod: 0,
      will: { topic: this.topic('online'), payload: Buffer.from('0'), qos: 1, retain: true }, ...more,
    }); // prettier-ignore
    const { client } = this;
    client.on('message', (_topic, payload) => {
      for (const said of this.app.take('', [{ messageId: 0, body: payload }])) {
        const isOrder = said['contentVersion'] !== undefined && said['orderId'] !== undefined;
        void this.say(withId(said, payload)).then(() => {
          if (isOrder && ++this.orders >= stopAfter) client.stream.destroy();
        }, () => {}); // prettier-ignore
      }
    });
    await client.publishAsync(this.topic('online'), '1', { qos: 1, retain: true });
    await client.subscribeAsync(this.topic('down'), { qos: 1 });
    for (const said of this.app.greet()) await this.say(said);
  }

  /** Resolves with the PUBACK. */
  async say(said: Said): Promise<void> {
    const uplink = encodeUplink({ sequence: this.#sequence++, sentAtMs: Date.now(), body: bodyOf(said) });
    await this.client.publishAsync(this.topic('up'), Buffer.from(uplink), { qos: 1 });
  }

  /** Resolves when the connection is gone. */
  async gone(): Promise<void> {
    if (this.client.disconnected) return;
    await new Promise<void>((resolve) => this.client.once('close', () => resolve()));
  }

  async disconnect(): Promise<void> {
    await this.client.endAsync(true);
  }
}

/** The receipt repeats the id that is inside the message. */
function withId(said: Said, payload: Uint8Array): Said {
  return said.type === 'report.receipt' || said['deliveryId'] === ''
    ? { ...said, deliveryId: decodeDownlink(payload).deliveryId }
    : said;
}
