/**
 * Last positions and tracks on Redis, spread over shards by vehicle. A batch is a few Lua calls. A track
 * of an hour is a string to which frames are appended, so that two nodes may write the same vehicle; reading merges them,
 * and the node that writes puts them into one from time to time.
 */
import { createHash } from 'node:crypto';
import { giveWay } from './give-way.js';
import { latestRows, rowFromBytes } from './last-position.js';
import { POSITION_WIDTH, type Position, type PositionBatch } from './position-batch.js';
import type { RedisConnection } from './redis-connection.js';
import { shardOf, SHARDS, type RedisKeys } from './redis-keys.js';
import { frame, framesOf, ShardPart } from './redis-packing.js';
import { scripts } from './redis-scripts.js';
import { hourOf, mergeBlocks, mergedView, positionAt, positionsOf, type BlockRows } from './track-block.js';

/** Frames of one hour after which they are put into one: a frame's head costs about as much as five positions. */
const FRAMES_BEFORE_COMPACTION = 64;
/** A track of an hour that is longer has so many rows in each frame that their heads do not count. */
const LONGEST_COMPACTED_BYTES = 1_000_000;
/** Hours of a track that one read fetches. */
const HOURS_PER_READ = 24;
/** Positions of one call of `positions.lua`: a millisecond or two of the server, in which it does nothing else. */
const CALL_BYTES = 128 * 1024;
/** Vehicles that one command names when they are trimmed or read. */
const PER_STEP = 500;

/** Where a vehicle's positions stand. */
interface Place {
  readonly shard: number;
  /** The hour that it is in, and the frames that this node appended to it. */
  hour: number;
  frames: number;
}

/** What other nodes are told of a batch; a block is valid during the call. */
export interface PositionsMessage {
  add(vehicleId: string, block: Uint8Array): void;
}

export class RedisPositions {
  /** One entry per vehicle that this node applied. */
  readonly #places = new Map<string, Place>();
  readonly #toCompact = new Map<string, { vehicleId: string; hour: number }>();
  #compacting: Promise<void> | undefined;

  constructor(
    private readonly redis: RedisConnection,
    private readonly keys: RedisKeys,
  ) {}

  /**
   * Adds a batch (rows as {@link BlockRows}); doing it again changes nothing. What is packed is sent at once, so that the
   * server works while the rest is packed.
   * @param message is told the blocks of the new rows
   */
  async put(batch: PositionBatch, groups: readonly BlockRows[], message?: PositionsMessage): Promise<void> {
    const latest = latestRows(batch);
    const sent: Promise<unknown>[] = [];
    let packed: ShardPart[] = [];
    let bytes = 0;
    for (const [shard, ofShard] of this.#byShard(groups)) {
      const part = new ShardPart(this.keys.last(shard));
      let before = -1;
      for (const { vehicleId, hour, rows } of ofShard) {
        const vehicle = batch.vehicleOf[rows[0]!]!;
        const lastAt = vehicle === before ? undefined : latest[vehicle]! * POSITION_WIDTH;
        const block = mergedView(undefined, batch, rows);
        part.add(vehicleId, batch.numbers, lastAt, hour, block);
        message?.add(vehicleId, block);
        before = vehicle;
      }
      packed.push(part);
      bytes += part.bytes;
      const full = bytes >= CALL_BYTES;
      // A server that is no cluster's takes several shards at once.
      if (!full && !this.redis.isCluster) continue;
      sent.push(this.#send(packed));
      packed = [];
      if (!full) continue;
      bytes = 0;
      await giveWay();
    }
    if (packed.length > 0) sent.push(this.#send(packed));
    await Promise.all(sent);
    for (const { vehicleId, hour } of groups) this.#count(vehicleId, hour);
  }

  async last(vehicleIds?: readonly string[]): Promise<Map<string, Position>> {
    const positions = new Map<string, Position>();
    const add = (vehicleId: string, bytes: Buffer | null) => {
      if (bytes) positions.set(vehicleId, positionAt(vehicleId, rowFromBytes(bytes.subarray(8)), 0));
    };
    if (vehicleIds) {
      const byShard = new Map<number, string[]>();
      for (const id of vehicleIds) {
        const shard = shardOf(id);
        const ids = byShard.get(shard);
        if (ids) ids.push(id);
        else byShard.set(shard, [id]);
      }
      await Promise.all(
        [...byShard].map(async ([shard, ids]) => {
          const found = (await this.redis.call('hmget', this.keys.last(shard), ...ids)) as (Buffer | null)[];
          found.forEach((bytes, i) => add(ids[i]!, bytes));
        }),
      );
    } else {
      await Promise.all(
        allShards().map(async (shard) => {
          const found = (await this.redis.call('hgetall', this.keys.last(shard))) as Record<string, Buffer>;
          for (const [vehicleId, bytes] of Object.entries(found)) add(vehicleId, bytes);
        }),
      );
    }
    return positions;
  }

  async *track(vehicleId: string, from: number, to: number): AsyncIterable<Position> {
    const hours = await this.#hours(vehicleId, from, to);
    for (let i = 0; i < hours.length; i += HOURS_PER_READ) {
      const some = hours.slice(i, i + HOURS_PER_READ);
      const tracks = await this.redis.call('mget', ...tracksOf(this.keys, vehicleId, some));
      for (const bytes of tracks as (Buffer | null)[]) {
        if (bytes) yield* positionsOf(vehicleId, mergeBlocks(framesOf(bytes)), from, to);
      }
    }
  }

  /** Deletes the hours that end at or before `before`; gives their number. */
  async trim(before: number): Promise<number> {
    const hour = Math.max(0, hourOf(before));
    let deleted = 0;
    for (const shard of allShards()) {
      const vehicles = ((await this.redis.call('hkeys', this.keys.last(shard))) as Buffer[]).map(String);
      for (let i = 0; i < vehicles.length; i += PER_STEP) {
        const counts = await Promise.all(
          vehicles
            .slice(i, i + PER_STEP)
            .map((id) =>
              this.redis.writeScript(scripts.trimTrack, [this.keys.hours(id)], [hour, this.keys.tracks(id)]),
            ),
        );
        deleted += counts.reduce<number>((sum, count) => sum + Number(count), 0);
      }
    }
    return deleted;
  }

  /** Resolves when nothing is being compacted; what waits is left to readers. */
  async close(): Promise<void> {
    this.#toCompact.clear();
    await this.#compacting;
  }

  async #hours(vehicleId: string, from: number, to: number): Promise<string[]> {
    const bounds = [hourOf(from), hourOf(to - 1)].map((hour) =>
      Number.isFinite(hour) ? hour : hour > 0 ? '+inf' : '-inf',
    );
    return ((await this.redis.call('zrangebyscore', this.keys.hours(vehicleId), ...bounds)) as Buffer[]).map(String);
  }

  /** Groups of one vehicle stay together, in their order. */
  #byShard(groups: readonly BlockRows[]): Map<number, BlockRows[]> {
    const shards = new Map<number, BlockRows[]>();
    for (const group of groups) {
      const { shard } = this.#place(group.vehicleId);
      const ofShard = shards.get(shard);
      if (ofShard) ofShard.push(group);
      else shards.set(shard, [group]);
    }
    return shards;
  }

  #place(vehicleId: string): Place {
    let place = this.#places.get(vehicleId);
    if (!place) {
      place = { shard: shardOf(vehicleId), hour: -Infinity, frames: 0 };
      this.#places.set(vehicleId, place);
    }
    return place;
  }

  #send(parts: readonly ShardPart[]): Promise<unknown> {
    const keys = parts.map(({ lastKey }) => lastKey);
    const args = parts.map((part) => part.arg());
    const sent = this.redis.writeScript(scripts.positions, keys, args);
    // It is awaited when all are sent; until then nobody else hears of a failure.
    sent.catch(() => undefined);
    return sent;
  }

  #count(vehicleId: string, hour: number): void {
    const place = this.#place(vehicleId);
    if (hour > place.hour) {
      if (place.frames > 1) this.#compactLater(vehicleId, place.hour);
      place.hour = hour;
      place.frames = 1;
    } else if (hour === place.hour && ++place.frames >= FRAMES_BEFORE_COMPACTION) {
      place.frames = 1;
      this.#compactLater(vehicleId, hour);
    }
  }

  #compactLater(vehicleId: string, hour: number): void {
    this.#toCompact.set(`${vehicleId} ${hour}`, { vehicleId, hour });
    this.#compacting ??= this.#compactAll();
  }

  /** One after the other: this is upkeep and must not stand in the way. */
  async #compactAll(): Promise<void> {
    for (const [name, { vehicleId, hour }] of this.#toCompact) {
      this.#toCompact.delete(name);
      try {
        await this.#compact(`${this.keys.tracks(vehicleId)}${hour}`);
      } catch {
        // The frames stay as they are: they are only longer to read.
      }
    }
    this.#compacting = undefined;
  }

  async #compact(key: string): Promise<void> {
    if (Number(await this.redis.call('strlen', key)) > LONGEST_COMPACTED_BYTES) return;
    const bytes = (await this.redis.call('get', key)) as Buffer | null;
    if (!bytes) return;
    const blocks = framesOf(bytes);
    if (blocks.length < 2) return;
    const sha = createHash('sha1').update(bytes).digest('hex');
    await this.redis.writeScript(scripts.compactTrack, [key], [sha, frame(mergeBlocks(blocks))]);
  }
}

function tracksOf(keys: RedisKeys, vehicleId: string, hours: readonly string[]): [string, ...string[]] {
  return hours.map((hour) => `${keys.tracks(vehicleId)}${hour}`) as [string, ...string[]];
}

function allShards(): number[] {
  return Array.from({ length: SHARDS }, (_, shard) => shard);
}
