/**
 * Events and positions for integrators at an external broker. One node at a time publishes; another takes over when its
 * lease ends and goes on where the broker's last PUBACK was, so nothing is missed and something may come twice.
 */
import type { MqttClient } from 'mqtt';
import type { DispatchPort } from '../../dispatch/ports.js';
import type { Logger } from '../log.js';
import type { MqttCounters } from './counters.js';
import { EventFeed, positionMessage } from './integrators.js';
import type { MqttLimits } from './limits.js';

/** Name of the lease and of the remembered position. */
const LEASE = 'mqtt/events';
const POSITION = 'mqtt.events';
const LEASE_MS = 30_000;

export interface ExternalEventsOptions {
  readonly dispatch: DispatchPort;
  readonly node: string;
  readonly log: Logger;
}

export class ExternalEvents {
  #fence: number | undefined;
  #feed: EventFeed | undefined;
  #positions: { cancel(): void } | undefined;
  #timer: { cancel(): void } | undefined;
  #written = -1;
  #looking: Promise<void> = Promise.resolve();

  constructor(
    private readonly options: ExternalEventsOptions,
    private readonly limits: MqttLimits,
    private readonly counters: MqttCounters,
    private readonly client: MqttClient,
  ) {}

  start(): void {
    const look = (): void => void (this.#looking = this.#look());
    this.#timer = this.options.dispatch.clock.every(LEASE_MS / 3, look);
    this.client.on('connect', look);
    this.client.on('close', () => this.#pause());
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    await this.#looking;
    this.#pause();
    await this.#remember().catch(() => {});
    if (this.#fence !== undefined)
      await this.options.dispatch.store.releaseTerminal(LEASE, this.#fence).catch(() => {});
  }

  /** Takes or keeps the lease; with it, and a connection, publishes. */
  async #look(): Promise<void> {
    const { dispatch, node, log } = this.options;
    const { store, clock } = dispatch;
    try {
      const now = clock.now();
      if (this.#fence !== undefined && !(await store.renewTerminal(LEASE, this.#fence, now, LEASE_MS))) {
        this.#fence = undefined;
        this.#pause();
      }
      if (this.#fence === undefined && !(await store.owner(LEASE, now))) {
        this.#fence = (await store.claimTerminal(LEASE, node, node, now, LEASE_MS)).fence;
      }
      if (this.#fence === undefined) return;
      await this.#remember();
      if (this.client.connected && !this.#feed) await this.#publish();
    } catch (error) {
      log.warn({ err: error, msg: 'events for the MQTT broker wait: the store cannot be asked' });
    }
  }

  async #publish(): Promise<void> {
    const { dispatch } = this.options;
    const known = (await dispatch.store.meta(POSITION)) as number | undefined;
    const after = known ?? (await dispatch.store.lastPosition());
    const feed: EventFeed = new EventFeed({
      dispatch,
      after,
      window: this.limits.eventWindow,
      wants: () => true,
      sent: () => void this.counters.eventsPublished++,
      publish: async ({ topic, payload }) => {
        this.client.publish(topic, payload, { qos: 1 }, (error) => {
          if (!error) feed.acknowledge();
        });
      },
    });
    this.#feed = feed;
    feed.start();
    this.#positions = dispatch.onPositions((batch) => {
      for (let i = 0; i < batch.length && this.client.connected; i++) {
        const { topic, payload } = positionMessage(batch.at(i));
        this.client.publish(topic, payload, { qos: 0 });
      }
    });
  }

  #pause(): void {
    this.#feed?.stop();
    this.#positions?.cancel();
    if (this.#feed) this.#unwritten = this.#feed.acknowledged;
    this.#feed = undefined;
    this.#positions = undefined;
  }
  #unwritten: number | undefined;

  async #remember(): Promise<void> {
    const position = this.#feed?.acknowledged ?? this.#unwritten;
    if (position === undefined || position === this.#written) return;
    await this.options.dispatch.store.setMeta(POSITION, position);
    this.#written = position;
  }
}
