/**
 * Tells this node's listeners what any node has committed. Redis's publish/subscribe forgets what a lost connection
 * missed: a sweep reads the last position of the event log behind it, and when a subscription stands (again) the last
 * positions of the vehicles that reported since are told.
 */
import type { Cluster, Redis } from 'ioredis';
import { POSITION_WIDTH, PositionBatch, type Position } from './position-batch.js';
import type { RedisConnection } from './redis-connection.js';
import type { RedisKeys } from './redis-keys.js';
import { Packed } from './redis-packing.js';
import type { PositionsMessage } from './redis-positions.js';
import { decodeRows } from './track-block.js';
import type { StoreListener } from './store.js';
import { Watchers } from './watchers.js';

const SWEEP_MS = 1_000;
/** Positions are missed at most this long before a connection is known to be lost. */
const MISSED_MS = 10_000;

/** What the watch reads behind the messages. */
export interface WatchSource {
  now(): number;
  lastPosition(): Promise<number>;
  lastPositions(): Promise<Map<string, Position>>;
}

export class RedisWatch {
  readonly #watchers = new Watchers();
  #subscriber: Redis | Cluster | undefined;
  #sweep: NodeJS.Timeout | undefined;
  #told = 0;
  /** All positions of all nodes are much to read: they are subscribed to only while somebody listens. */
  #hearsPositions = false;
  /** The server counts this node among the subscribers to positions. */
  #isSubscribed = false;
  /** Receipt time from which positions of other nodes may have been missed. */
  #missedSince: number | undefined;

  constructor(
    private readonly redis: RedisConnection,
    private readonly keys: RedisKeys,
    /** Names this node's own messages, which it has told already. */
    private readonly origin: string,
    private readonly source: WatchSource,
  ) {}

  add(listener: StoreListener): () => void {
    const remove = this.#watchers.add(listener);
    if (!this.#subscriber) this.#start();
    else if (listener.positions && !this.#hearsPositions) {
      this.#missedSince ??= this.source.now();
      if (this.#subscriber.status === 'ready') void this.#subscribe(this.#subscriber);
    }
    return () => {
      remove();
      if (this.#watchers.size === 0) this.close();
      else if (this.#hearsPositions && !this.#watchers.wantsPositions) {
        this.#hearsPositions = false;
        this.#isSubscribed = false;
        this.#subscriber?.unsubscribe(this.keys.positionsChannel).catch(() => undefined);
      }
    };
  }

  committed(position: number): void {
    if (position <= this.#told) return;
    this.#told = position;
    this.#watchers.committed(position);
  }

  positions(batch: PositionBatch): void {
    this.#watchers.positions(batch);
  }

  /** A batch as one message for the other nodes. */
  message(): WatchMessage {
    return new WatchMessage(this.origin);
  }

  /**
   * Whether a message of positions would reach another node: it holds all of them, which nobody sends, and no server
   * reads, for nothing. In a cluster each server knows its own subscribers alone: there it is always sent.
   */
  async othersHearPositions(): Promise<boolean> {
    if (this.redis.isCluster) return true;
    try {
      const channel = this.keys.positionsChannel;
      const [, count] = (await this.redis.call('pubsub', 'NUMSUB', channel)) as [Buffer, number];
      return count > (this.#isSubscribed ? 1 : 0);
    } catch {
      return true;
    }
  }

  close(): void {
    clearInterval(this.#sweep);
    this.#subscriber?.disconnect();
    this.#subscriber = undefined;
    this.#hearsPositions = false;
    this.#isSubscribed = false;
  }

  #start(): void {
    const subscriber = this.redis.duplicate();
    this.#subscriber = subscriber;
    subscriber.on('messageBuffer', (channel: Buffer, message: Buffer) => {
      if (channel.toString() === this.keys.committedChannel) this.committed(Number(message));
      else this.#positionsOf(message);
    });
    this.#missedSince = this.source.now();
    subscriber.on('close', () => {
      this.#missedSince ??= this.source.now() - MISSED_MS;
      if (this.#subscriber === subscriber) this.#isSubscribed = false;
    });
    subscriber.on('ready', () => void this.#subscribe(subscriber));
    void subscriber.connect().catch(() => this.#retry(subscriber));
    this.#sweep = setInterval(() => void this.#look(), SWEEP_MS).unref();
  }

  /** Doing it again changes nothing; its answer tells that from now on nothing is missed. */
  async #subscribe(subscriber: Redis | Cluster): Promise<void> {
    try {
      this.#hearsPositions = this.#watchers.wantsPositions;
      const channels = [this.keys.committedChannel, ...(this.#hearsPositions ? [this.keys.positionsChannel] : [])];
      await subscriber.subscribe(...channels);
      this.#isSubscribed = this.#hearsPositions && this.#subscriber === subscriber;
      await this.#look();
      if (this.#hearsPositions) await this.#tellMissed();
    } catch {
      this.#retry(subscriber);
    }
  }

  async #tellMissed(): Promise<void> {
    const since = this.#missedSince;
    if (since === undefined) return;
    this.#missedSince = undefined;
    const batch = new PositionBatch();
    for (const p of (await this.source.lastPositions()).values()) {
      if (p.receivedAt < since) continue;
      const { vehicleId, deviceAt, receivedAt, latE6, lonE6, altitudeM, speedDeciKmh, headingDeg, alarm, status } = p;
      batch.add(
        vehicleId,
        deviceAt,
        receivedAt,
        latE6,
        lonE6,
        altitudeM,
        speedDeciKmh,
        headingDeg,
        alarm,
        status,
        p.mileageDeciKm,
      );
    }
    if (batch.length > 0 && this.#subscriber) this.#watchers.positions(batch);
  }

  #retry(subscriber: Redis | Cluster): void {
    if (this.#subscriber !== subscriber) return;
    this.close();
    setTimeout(() => {
      if (!this.#subscriber && this.#watchers.size > 0) this.#start();
    }, SWEEP_MS).unref();
  }

  async #look(): Promise<void> {
    try {
      const last = await this.source.lastPosition();
      // A promoted replica may lack the end of the log.
      if (last < this.#told) this.#told = last;
      this.committed(last);
    } catch {
      // The server is away: the next sweep looks again.
    }
  }

  #positionsOf(message: Buffer): void {
    let at = 0;
    const readText = () => {
      const end = at + 2 + message.readUInt16LE(at);
      const found = message.toString('utf8', at + 2, end);
      at = end;
      return found;
    };
    if (readText() === this.origin) return;
    const batch = new PositionBatch();
    while (at < message.length) {
      const vehicleId = readText();
      const end = at + 4 + message.readUInt32LE(at);
      addRows(batch, vehicleId, decodeRows(message.subarray(at + 4, end)));
      at = end;
    }
    this.#watchers.positions(batch);
  }
}

/** Name of the node that sends, then vehicle and block, each with its length. */
class WatchMessage implements PositionsMessage {
  readonly #packed = new Packed();

  constructor(origin: string) {
    this.#packed.name(origin);
  }

  add(vehicleId: string, block: Uint8Array): void {
    this.#packed.name(vehicleId);
    this.#packed.u32(block.length);
    this.#packed.append(block);
  }

  bytes(): Buffer {
    return this.#packed.bytes();
  }
}

function addRows(batch: PositionBatch, vehicleId: string, n: Float64Array): void {
  for (let i = 0; i < n.length; i += POSITION_WIDTH) {
    batch.add(
      vehicleId,
      n[i]!,
      n[i + 1]!,
      n[i + 2]!,
      n[i + 3]!,
      n[i + 4]!,
      n[i + 5]!,
      n[i + 6]!,
      n[i + 7]!,
      n[i + 8]!,
      n[i + 9]!,
    );
  }
}
