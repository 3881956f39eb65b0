/** A read-only client of the embedded broker, and where it is in the event log. */
import type { ApiToken } from '../../dispatch/domain/model.js';
import type { StoredEvent } from '../../dispatch/domain/events.js';
import type { DispatchPort } from '../../dispatch/ports.js';
import { EventFeed, mayRead, positionMessage, wantedBy } from './integrators.js';
import type { MqttLimits } from './limits.js';

export interface IntegratorOptions {
  readonly dispatch: DispatchPort;
  readonly token: ApiToken;
  readonly after: number;
  readonly limits: MqttLimits;
  readonly publish: (topic: string, payload: string, qos: 0 | 1) => Promise<void>;
  readonly canSend: () => boolean;
  /** Everything up to this position was acknowledged. */
  readonly progress: (position: number) => void;
  readonly sent: () => void;
}

export class IntegratorClient {
  /** Granted QoS by filter. */
  readonly #filters = new Map<string, 0 | 1>();
  #feed: EventFeed | undefined;
  #positions: { cancel(): void } | undefined;

  constructor(private readonly options: IntegratorOptions) {}

  wants(topic: string): boolean {
    return wantedBy(this.#filters.keys(), topic);
  }

  subscribe(subscriptions: readonly { topic: string; qos: number }[]): void {
    for (const { topic, qos } of subscriptions) this.#filters.set(topic, qos === 0 ? 0 : 1);
    if ([...this.#filters.keys()].some((filter) => filter.startsWith('linecrew/v1/events/'))) this.#startEvents();
    if ([...this.#filters.keys()].some((filter) => filter.startsWith('linecrew/v1/positions/'))) this.#startPositions();
  }

  unsubscribe(topics: readonly string[]): void {
    for (const topic of topics) this.#filters.delete(topic);
  }

  /** A PUBACK came. */
  acknowledged(): void {
    this.#feed?.acknowledge();
    if (this.#feed) this.options.progress(this.#feed.acknowledged);
  }

  stop(): void {
    this.#feed?.stop();
    this.#positions?.cancel();
  }

  #startEvents(): void {
    if (this.#feed) return;
    const { dispatch, after, limits, publish, sent, token } = this.options;
    const feed = new EventFeed({
      dispatch,
      after,
      window: limits.eventWindow,
      sent,
      wants: (topic, event: StoredEvent) => this.wants(topic) && mayRead(token, event.centreId),
      publish: async ({ topic, payload }) => {
        const qos = this.#qosOf(topic);
        await publish(topic, payload, qos);
        // Nobody acknowledges QoS 0: written is as good as it gets.
        if (qos === 0) this.acknowledged();
      },
    });
    this.#feed = feed;
    feed.start();
  }

  #qosOf(topic: string): 0 | 1 {
    for (const [filter, qos] of this.#filters) if (qos === 1 && wantedBy([filter], topic)) return 1;
    return 0;
  }

  /** The newest position of each vehicle that moved, QoS 0: a client that is slow misses some, not the newest for long. */
  #startPositions(): void {
    if (this.#positions) return;
    const { dispatch, publish, canSend, token } = this.options;
    this.#positions = dispatch.onPositions((batch) => {
      for (let i = 0; i < batch.length && canSend(); i++) {
        const position = batch.at(i);
        const { topic, payload } = positionMessage(position);
        if (!this.wants(topic)) continue;
        void this.#mayReadVehicle(token, position.vehicleId)
          .then((may) => (may ? publish(topic, payload, 0) : undefined))
          .catch(() => {});
      }
    });
  }

  async #mayReadVehicle(token: ApiToken, vehicleId: string): Promise<boolean> {
    if (token.centres === undefined) return true;
    const vehicle = await this.options.dispatch.get('vehicle', vehicleId);
    return mayRead(token, vehicle?.value.repairCentreId);
  }
}

type Cursors = Record<string, { position: number; at: number }>;

/** Written down this often (gateway time): after a crash an integrator gets the last seconds again. */
const WRITE_MS = 1_000;

/** Where each client that keeps its session is in the event log, by token; kept in the store. */
export class IntegratorCursors {
  readonly #changed = new Map<string, Cursors>();
  #timer: { cancel(): void } | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly dispatch: DispatchPort,
    private readonly perToken: number,
  ) {}

  /** Where a client begins: where it was, or now. */
  async begin(tokenId: string, clientId: string, keep: boolean): Promise<number> {
    await this.flush();
    const known = (await this.#load(tokenId))[clientId];
    const position = keep && known ? known.position : await this.dispatch.store.lastPosition();
    if (keep) {
      this.note(tokenId, clientId, position);
      await this.flush();
    }
    return position;
  }

  note(tokenId: string, clientId: string, position: number): void {
    const cursors = this.#changed.get(tokenId) ?? {};
    cursors[clientId] = { position, at: this.dispatch.clock.now() };
    this.#changed.set(tokenId, cursors);
    this.#timer ??= this.dispatch.clock.after(WRITE_MS, () => void this.flush().catch(() => {}));
  }

  /** Writes what changed. Rejects when the store cannot; it is tried again with the next change. */
  flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#writing = this.#writing.catch(() => {}).then(() => this.#write());
    return this.#writing;
  }

  async #write(): Promise<void> {
    for (const [tokenId, changes] of [...this.#changed]) {
      this.#changed.delete(tokenId);
      try {
        const merged = Object.entries({ ...(await this.#load(tokenId)), ...changes });
        const newest = merged.sort(([, a], [, b]) => b.at - a.at).slice(0, this.perToken);
        await this.dispatch.store.setMeta(keyOf(tokenId), Object.fromEntries(newest));
      } catch (error) {
        this.#changed.set(tokenId, { ...changes, ...this.#changed.get(tokenId) });
        throw error;
      }
    }
  }

  async #load(tokenId: string): Promise<Cursors> {
    return ((await this.dispatch.store.meta(keyOf(tokenId))) as Cursors | undefined) ?? {};
  }
}

function keyOf(tokenId: string): string {
  return `mqtt.cursors.${tokenId}`;
}
