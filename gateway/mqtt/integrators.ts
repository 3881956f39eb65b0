/**
 * What other systems follow over MQTT: events of orders and positions of vehicles as CloudEvents JSON, from the event
 * log. Events come at least once and in order; a client that asks to keep its session goes on where its last PUBACK was.
 */
import type { StoredEvent } from '../../dispatch/domain/events.js';
import type { ApiToken } from '../../dispatch/domain/model.js';
import type { DispatchPort } from '../../dispatch/ports.js';
import type { Position } from '../../dispatch/store/position-batch.js';
import { cloudEvent } from '../../dispatch/webhooks/webhooks.js';
import { covers, eventTopic, positionTopic } from './topics.js';

/** Scope that an API token needs for MQTT. */
export const MQTT_SCOPE = 'mqtt:read';

export interface OutgoingEvent {
  topic: string;
  payload: string;
}

/** The message of an event; undefined for events of no order, which have no topic. */
export function eventMessage(event: StoredEvent): OutgoingEvent | undefined {
  if (event.orderId === undefined) return undefined;
  return { topic: eventTopic(event.orderId), payload: JSON.stringify(cloudEvent(event)) };
}

/** The newest position of a vehicle as a CloudEvent. Degrees WGS-84, times ISO 8601 UTC. */
export function positionMessage(position: Position): OutgoingEvent {
  const { vehicleId, deviceAt, receivedAt, latE6, lonE6, altitudeM, speedDeciKmh, headingDeg } = position;
  const payload = {
    specversion: '1.0',
    id: `pos_${vehicleId}_${deviceAt}`,
    source: '/linecrew',
    type: 'linecrew.position',
    time: new Date(deviceAt).toISOString(),
    subject: `vehicles/${vehicleId}`,
    datacontenttype: 'application/json',
    data: {
      vehicleId,
      deviceAt: new Date(deviceAt).toISOString(),
      receivedAt: new Date(receivedAt).toISOString(),
      lat: latE6 / 1e6,
      lon: lonE6 / 1e6,
      altitudeM,
      speedKmh: speedDeciKmh / 10,
      headingDeg,
    },
  };
  return { topic: positionTopic(vehicleId), payload: JSON.stringify(payload) };
}

export interface FeedOptions {
  readonly dispatch: DispatchPort;
  /** Position in the event log to go on from. */
  readonly after: number;
  /** Whether somebody wants this topic, and may see what is on it. */
  readonly wants: (topic: string, event: StoredEvent) => boolean;
  /** Hands the message over; resolves when it was taken for sending. Rejects when it cannot be. */
  readonly publish: (message: OutgoingEvent) => Promise<void>;
  /** Events on their way without an acknowledgement. */
  readonly window: number;
  readonly sent: () => void;
}

/** The event log as a stream of acknowledged messages: keeps a window open and knows up to where all is acknowledged. */
export class EventFeed {
  /** Everything up to here was acknowledged, or concerned nobody. */
  acknowledged: number;
  /** Positions on their way, in order; a message without acknowledgement is not in here. */
  readonly #open: number[] = [];
  #read: number;
  #room: () => void = () => {};
  #follow: { cancel(): void } | undefined;
  #stopped = false;

  constructor(private readonly options: FeedOptions) {
    this.acknowledged = options.after;
    this.#read = options.after;
  }

  start(): void {
    this.#follow = this.options.dispatch.follow(this.options.after, (events) => this.#take(events));
  }

  stop(): void {
    this.#stopped = true;
    this.#follow?.cancel();
    this.#room();
  }

  /** The oldest message on its way was acknowledged (MQTT 3.1.1, 4.6: PUBACKs come in order). */
  acknowledge(): void {
    const position = this.#open.shift();
    if (position === undefined) return;
    this.acknowledged = this.#open.length === 0 ? this.#read : position;
    this.#room();
  }

  async #take(events: readonly StoredEvent[]): Promise<void> {
    for (const event of events) {
      if (this.#stopped) return;
      // A batch that failed half way is given again; what went out is not sent twice.
      if (event.position <= this.#read) continue;
      const message = eventMessage(event);
      if (message && this.options.wants(message.topic, event)) {
        while (this.#open.length >= this.options.window && !this.#stopped) {
          await new Promise<void>((resolve) => (this.#room = resolve));
        }
        if (this.#stopped) return;
        this.#open.push(event.position);
        try {
          await this.options.publish(message);
        } catch (error) {
          this.#open.pop();
          throw error;
        }
        this.options.sent();
      }
      this.#read = event.position;
      if (this.#open.length === 0) this.acknowledged = event.position;
    }
  }
}

/** Which of its events and positions a token may see: all, or those of its repair centres. */
export function mayRead(token: Pick<ApiToken, 'centres'>, centreId: string | undefined): boolean {
  return token.centres === undefined || (centreId !== undefined && token.centres.includes(centreId));
}

export function wantedBy(filters: Iterable<string>, topic: string): boolean {
  for (const filter of filters) if (covers(filter, topic)) return true;
  return false;
}
