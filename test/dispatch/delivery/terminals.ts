/**
 * Terminals as their makers build them, for tests: they read the bytes of the gateway and answer. What they hold is
 * theirs alone; nothing here looks into the outbox.
 */
import {
  decodeBody,
  decodeDownlink,
  unwrapPassthrough,
  type Downlink,
  type QueueEntry,
} from '../../../protocol/index.js';
import type { OutgoingMessage } from '../../../gateway/session/link.js';

/** A report without what the reader adds (who, when, proof). */
export type Said = Record<string, unknown> & { type: string };

export interface SimTerminal {
  /** Takes one item and answers it. */
  take(deliveryId: string, messages: readonly OutgoingMessage[]): Said[];
  /** What it says by itself after it was authenticated. */
  greet(): Said[];
  /** It loses what it held. */
  reboot(): void;
  /** Orders that the driver sees, in order. */
  shown(): string[];
}

const keyOf = (entry: { orderId: string; leg: number }): string => `${entry.orderId}/${entry.leg}`;

/** A terminal with the app: terminal.proto, as its comments say. */
export class AppTerminal implements SimTerminal {
  readonly contents = new Map<string, QueueEntry>();
  readonly tombstones = new Map<string, number>();
  /** How often the content of each leg came as news. */
  readonly arrived = new Map<string, number>();
  revision = 0;
  list: QueueEntry[] = [];
  readonly notices: string[] = [];

  take(deliveryId: string, messages: readonly OutgoingMessage[]): Said[] {
    return messages.flatMap((message) => this.#takeDownlink(deliveryId, downlinkOf(message)));
  }

  greet(): Said[] {
    return [this.#holdings()];
  }

  reboot(): void {
    this.contents.clear();
    this.tombstones.clear();
    this.list = [];
    this.revision = 0;
  }

  shown(): string[] {
    return this.list.filter((entry) => this.contents.has(keyOf(entry))).map(({ orderId }) => orderId);
  }

  #takeDownlink(deliveryId: string, { body }: Downlink): Said[] {
    const receipt = (more: object): Said[] => [
      { type: 'report.receipt', deliveryId, result: 'ok', ofApplication: true, ...more },
    ];
    switch (body.kind) {
      case 'snapshot': {
        if (body.revision < this.revision) return receipt({ revision: this.revision });
        const missing = body.entries.some((e) => (this.contents.get(keyOf(e))?.contentVersion ?? 0) < e.contentVersion);
        if (missing) return [{ ...this.#holdings(), deliveryId }];
        this.revision = body.revision;
        this.list = body.entries;
        const keep = new Set(body.entries.map(keyOf));
        for (const key of this.contents.keys()) if (!keep.has(key)) this.contents.delete(key);
        return receipt({ revision: body.revision });
      }
      case 'orderUpsert': {
        const { orderId, leg, contentVersion } = body;
        const key = keyOf(body);
        const buried = (this.tombstones.get(key) ?? 0) >= contentVersion;
        const known = this.contents.get(key)?.contentVersion ?? 0;
        if (!buried && contentVersion > known) {
          this.contents.set(key, { orderId, leg, contentVersion });
          this.arrived.set(key, (this.arrived.get(key) ?? 0) + 1);
        }
        return receipt({ orderId, leg, contentVersion });
      }
      case 'remove': {
        const { orderId, leg, contentVersion } = body;
        this.contents.delete(keyOf(body));
        this.tombstones.set(keyOf(body), contentVersion);
        return receipt({ orderId, leg });
      }
      case 'notice':
        this.notices.push(body.text);
        return receipt({});
      case 'urge':
        return receipt({ orderId: body.orderId, leg: body.leg });
      default:
        return [];
    }
  }

  #holdings(): Said {
    // In the order of the list, then what is not listed.
    const listed = this.list.flatMap((entry) => this.contents.get(keyOf(entry)) ?? []);
    const rest = [...this.contents.values()].filter((entry) => !listed.includes(entry));
    return { type: 'report.holdings', revision: this.revision, entries: [...listed, ...rest] };
  }
}

function downlinkOf(message: OutgoingMessage): Downlink {
  if (message.messageId === 0) return decodeDownlink(message.body);
  const decoded = decodeBody(message.messageId, 2013, message.body);
  if (decoded?.name !== 'passthroughDown')
    throw new Error(`an app terminal was sent 0x${message.messageId.toString(16)}`);
  return decodeDownlink(unwrapPassthrough(decoded.body.content));
}

/** A dispatch screen: texts, and an event list whose lines the driver presses. */
export class MenuTerminal implements SimTerminal {
  readonly texts: string[] = [];
  events: { id: number; content: string }[] = [];

  take(deliveryId: string, messages: readonly OutgoingMessage[]): Said[] {
    for (const { messageId, body } of messages) {
      const decoded = decodeBody(messageId, 2013, body);
      if (decoded?.name === 'text') this.texts.push(decoded.body.text);
      else if (decoded?.name === 'eventList') {
        const items = (decoded.body.items ?? []).map(({ id, content = '' }) => ({ id, content }));
        const { setting } = decoded.body;
        if (setting === 0) this.events = [];
        else if (setting === 1) this.events = items;
        else this.events = [...this.events, ...items];
      } else throw new Error(`a screen was sent 0x${messageId.toString(16)}`);
    }
    return [{ type: 'report.receipt', deliveryId, result: 'ok', ofApplication: false }];
  }

  greet(): Said[] {
    return [];
  }

  reboot(): void {
    this.events = [];
  }

  /** Labels of the list, each once, in order. */
  shown(): string[] {
    return [
      ...new Set(
        this.events.filter(({ content }) => content.includes(' ')).map(({ content }) => content.split(' ')[0]!),
      ),
    ];
  }

  /** Event id behind a line. */
  line(content: string): number {
    const event = this.events.find((one) => one.content === content);
    if (!event) throw new Error(`no line ${content}; there are ${this.events.map((one) => one.content).join(', ')}`);
    return event.id;
  }
}
