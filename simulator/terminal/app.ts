import {
  type Downlink,
  type DownlinkBody,
  type Hello,
  type MqttPosition,
  type OrderUpsert,
  type QueueEntry,
  type Snapshot,
  type UplinkBody,
} from '../../protocol/index.js';
import type { ScreenOrder, TerminalEvent } from './types.js';

export interface AppOptions {
  /** Legs that the terminal can hold; more are answered with `full`. 0: no limit. */
  maxLegs: number;
  software: string;
  device: string;
  language: string;
}

/** Deliveries whose receipts are remembered, so that a repeated one is answered the same way and applied once. */
const rememberedDeliveries = 128;
/** Legs that were taken off and must not come back by a late message. */
const rememberedTombstones = 200;

/** The device below the app, as far as the platform may ask for it. */
export interface AppDevice {
  /** Where the vehicle is now; undefined before the first position. */
  position(): MqttPosition | undefined;
  /** Reports positions every `intervalMs` for `forMs`; 0 goes back to the usual. */
  follow(intervalMs: number, forMs: number, now: number): void;
  restart(now: number): void;
}

type Say = (body: UplinkBody, what: string) => void;
type Tell = (event: TerminalEvent) => void;

/**
 * The dispatch application on a `smart` or `mqtt` terminal: contents, the list with its revision, tombstones. Every
 * delivery is applied once and receipted every time it comes.
 */
export class OrderApp {
  #contents = new Map<string, OrderUpsert>();
  #list: QueueEntry[] = [];
  #revision = 0;
  #tombstones = new Map<string, number>();
  #answered = new Map<string, UplinkBody>();

  constructor(
    readonly options: AppOptions,
    private readonly say: Say,
    private readonly tell: Tell,
    private readonly device: AppDevice,
  ) {}

  get revision(): number {
    return this.#revision;
  }

  /** What the driver sees, in order: the list as far as contents are there, then contents that no list names yet. */
  orders(): ScreenOrder[] {
    const shown: ScreenOrder[] = [];
    const listed = new Set<string>();
    for (const entry of this.#list) {
      const key = legKey(entry.orderId, entry.leg);
      listed.add(key);
      const content = this.#contents.get(key);
      if (content !== undefined) shown.push(toScreen(key, content));
    }
    for (const [key, content] of this.#contents) if (!listed.has(key)) shown.push(toScreen(key, content));
    return shown;
  }

  /** The first messages after every connection. */
  connected(): void {
    this.say(this.#hello(), 'hello');
    this.say(this.#holdings(), 'holdings');
  }

  #hello(): Hello {
    const { software, device, maxLegs, language } = this.options;
    const capabilities = ['question', 'position', 'follow', 'restart'];
    return { kind: 'hello', software, device, maxLegs, maxTextChars: 400, capabilities, language };
  }

  /** A reboot of a terminal that keeps its list only in memory. */
  forget(): void {
    this.#contents.clear();
    this.#list = [];
    this.#revision = 0;
    this.#tombstones.clear();
    this.#answered.clear();
  }

  received(downlink: Downlink, now: number): void {
    const { deliveryId, body } = downlink;
    const earlier = deliveryId === '' ? undefined : this.#answered.get(deliveryId);
    if (earlier !== undefined && body.kind !== 'snapshot') {
      this.say(earlier, 'receipt');
      return;
    }
    const answer = this.#apply(deliveryId, body, now);
    if (deliveryId === '' || answer === undefined) return;
    this.#answered.delete(deliveryId);
    this.#answered.set(deliveryId, answer);
    dropOldest(this.#answered, rememberedDeliveries);
    this.say(answer, answer.kind === 'holdings' ? 'holdings' : answer.kind === 'receipt' ? 'receipt' : 'answer');
  }

  #apply(deliveryId: string, body: DownlinkBody, now: number): UplinkBody | undefined {
    switch (body.kind) {
      case 'orderUpsert':
        return this.#upsert(deliveryId, body, now);
      case 'snapshot':
        return this.#show(deliveryId, body, now);
      case 'remove': {
        const { orderId, leg, reason, contentVersion } = body;
        const key = legKey(orderId, leg);
        this.#tombstones.set(key, Math.max(contentVersion, this.#tombstones.get(key) ?? 0));
        dropOldest(this.#tombstones, rememberedTombstones);
        this.#list = this.#list.filter((entry) => legKey(entry.orderId, entry.leg) !== key);
        this.#drop(key, now, reason);
        return { kind: 'receipt', deliveryId, result: 'ok', orderId, leg };
      }
      case 'urge': {
        const { orderId, leg, text } = body;
        const number = this.#contents.get(legKey(orderId, leg))?.number ?? '';
        this.tell({ at: now, type: 'urge', number, ...(text === undefined ? {} : { text }) });
        return { kind: 'receipt', deliveryId, result: 'ok', orderId, leg };
      }
      case 'notice':
        this.tell({ at: now, type: 'notice', text: body.text, urgent: body.urgent });
        return { kind: 'receipt', deliveryId, result: 'ok' };
      case 'question':
        this.tell({ at: now, type: 'question', deliveryId, question: body });
        return { kind: 'receipt', deliveryId, result: 'ok' };
      case 'positionRequest': {
        const position = this.device.position();
        if (position) return { kind: 'positions', deliveryId, positions: [position] };
        return { kind: 'receipt', deliveryId, result: 'refused', detail: 'no position yet' };
      }
      case 'describe':
        return { ...this.#hello(), deliveryId, firmware: 'simulated 1' };
      case 'follow':
        this.device.follow(body.intervalS * 1000, body.forS * 1000, now);
        return { kind: 'receipt', deliveryId, result: 'ok' };
      case 'restart':
        this.device.restart(now);
        return { kind: 'receipt', deliveryId, result: 'ok' };
      case 'unknown':
        return { kind: 'receipt', deliveryId, result: 'unsupported' };
    }
  }

  #upsert(deliveryId: string, content: OrderUpsert, now: number): UplinkBody {
    const { orderId, leg, contentVersion } = content;
    const key = legKey(orderId, leg);
    const answer = { kind: 'receipt', deliveryId, result: 'ok', orderId, leg, contentVersion } as const;
    // A tombstone covers versions up to its own: what it covers is confirmed, so that the platform stops, and not shown.
    if (contentVersion <= (this.#tombstones.get(key) ?? -1)) return answer;
    const held = this.#contents.get(key);
    if (held !== undefined && held.contentVersion >= contentVersion) {
      return { ...answer, contentVersion: held.contentVersion };
    }
    const { maxLegs } = this.options;
    if (held === undefined && maxLegs > 0 && this.#contents.size >= maxLegs) {
      return { ...answer, result: 'full', detail: `${maxLegs} orders are held` };
    }
    this.#tombstones.delete(key);
    this.#contents.set(key, content);
    this.tell({ at: now, type: 'order', order: toScreen(key, content), again: held !== undefined });
    return answer;
  }

  #show(deliveryId: string, snapshot: Snapshot, now: number): UplinkBody {
    if (snapshot.revision >= this.#revision) {
      this.#revision = snapshot.revision;
      this.#list = [...snapshot.entries];
      const named = new Set(snapshot.entries.map((entry) => legKey(entry.orderId, entry.leg)));
      for (const key of [...this.#contents.keys()]) if (!named.has(key)) this.#drop(key, now, undefined);
      const numbers = this.orders().map((order) => order.number);
      this.tell({ at: now, type: 'list', revision: snapshot.revision, numbers });
    }
    const complete = this.#list.every((entry) => {
      const held = this.#contents.get(legKey(entry.orderId, entry.leg));
      return held !== undefined && held.contentVersion >= entry.contentVersion;
    });
    if (complete) return { kind: 'receipt', deliveryId, result: 'ok', revision: this.#revision };
    return this.#holdings(deliveryId);
  }

  #drop(key: string, now: number, reason: string | undefined): void {
    const content = this.#contents.get(key);
    if (content === undefined) return;
    this.#contents.delete(key);
    const { number, orderId, leg } = content;
    this.tell({ at: now, type: 'removed', key, number, orderId, leg, ...(reason === undefined ? {} : { reason }) });
  }

  #holdings(deliveryId?: string): UplinkBody {
    const entries = [...this.#contents.values()].map(({ orderId, leg, contentVersion }) => ({
      orderId,
      leg,
      contentVersion,
    }));
    return {
      kind: 'holdings',
      revision: this.#revision,
      entries,
      ...(deliveryId === undefined ? {} : { deliveryId }),
    };
  }
}

export function legKey(orderId: string, leg: number): string {
  return `${orderId}/${leg}`;
}

function toScreen(key: string, content: OrderUpsert): ScreenOrder {
  const { orderId, leg, contentVersion, number, address, lat, lon, priority } = content;
  return {
    key,
    number,
    address,
    orderId,
    leg,
    contentVersion,
    urgent: priority === 'urgent',
    steps: ['accept', 'depart', 'arrive', 'done', 'refuse'],
    ...(lat === undefined || lon === undefined ? {} : { place: { lat, lon } }),
  };
}

export function dropOldest<K, V>(map: Map<K, V>, most: number): void {
  while (map.size > most) map.delete(map.keys().next().value as K);
}
