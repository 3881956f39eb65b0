/**
 * Last positions and tracks on Redis, spread over shards by vehicle. A batch is a few Lua calls. A track
 * of an hour is a string to which frames are appended, so that two nodes may write the same vehicle; reading merges them,
 * and the node that writes puts them into one from time to time.
 */
import { createHash } from 'node:crypto';
import { latestRows, rowFromBytes } from './last-position.js';
import { POSITION_WIDTH, type Position, type PositionBatch } from './position-batch.js';
import type { RedisConnection } from './redis-connection.js';
import { shardOf, SHARDS, type RedisKeys } from './redis-keys.js';
import { frame, framesOf, ShardPart } from './redis-packing.js';
import { scripts } from './redis-scripts.js';
import { hourOf, mergeBlock, mergeBlocks, positionAt, positionsOf, type BlockRows } from './track-block.js';

/** Frames of one hour after which they are put into one: a frame's head costs about as much as five positions. */
const FRAMES_BEFORE_COMPACTION = 64;
/** A track of an hour that is longer has so many rows in each frame that their heads do not count. */
const LONGEST_COMPACTED_BYTES = 1_000_000;
/** Hours of a track that one read fetches. */
const HOURS_PER_READ = 24;
/** Positions of one call of `positions.lua`: a few milliseconds of the server. */
const CALL_BYTES = 256 * 1024;
/** Vehicles that one command names when they are trimmed or read. */
const PER_STEP = 500;

export class RedisPositions {
  /** The hour that a vehicle is in and the frames that this node appended to it; one entry per vehicle it applied. */
  readonly #current = new Map<string, { hour: number; frames: number }>();
  readonly #toCompact = new Map<string, { vehicleId: string; hour: number }>();
  #compacting: Promise<void> | undefined;

  constructor(
    private readonly redis: RedisConnection,
    private readonly keys: RedisKeys,
  ) {}

  /** Adds a batch (rows as {@link BlockRows}); doing it again changes nothing. Gives the blocks of the new rows. */
  async put(batch: PositionBatch, groups: readonly BlockRows[]): Promise<Uint8Array[]> {
    const parts = new Map<number, ShardPart>();
    const partOf = (vehicleId: string): ShardPart => {
      const shard = shardOf(vehicleId);
      let part = parts.get(shard);
      if (!part) parts.set(shard, (part = new ShardPart(this.keys.last(shard))));
      return part;
    };
    latestRows(batch).forEach((row, vehicle) => {
      const vehicleId = batch.vehicles[vehicle]!;
      if (row >= 0) partOf(vehicleId).addLast(vehicleId, batch.numbers, row * POSITION_WIDTH);
    });
    const blocks = groups.map(({ vehicleId, hour, rows }) => {
      const block = mergeBlock(undefined, batch, rows);
      const keys = [this.keys.hours(vehicleId), `${this.keys.tracks(vehicleId)}${hour}`] as const;
      partOf(vehicleId).addBlock(keys, hour, block);
      return block;
    });
    await Promise.all(
      this.#calls([...parts.values()]).map((some) =>
        this.redis.writeScript(
          scripts.positions,
          some.flatMap(({ keys }) => keys),
          some.flatMap((part) => part.args()),
        ),
      ),
    );
    for (const { vehicleId, hour } of groups) this.#count(vehicleId, hour);
    return blocks;
  }

  /**
   * Parts that go in one call. A server that is no cluster's takes several shards at once: each call is flushed to the
   * disk on its own. Their size is bounded, since nothing else runs meanwhile.
   */
  #calls(parts: readonly ShardPart[]): ShardPart[][] {
    if (this.redis.isCluster) return parts.map((part) => [part]);
    const calls: ShardPart[][] = [];
    let bytes = Infinity;
    for (const part of parts) {
      if (bytes + part.bytes > CALL_BYTES) {
        calls.push([]);
        bytes = 0;
      }
      calls.at(-1)!.push(part);
      bytes += part.bytes;
    }
    return calls;
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

  #count(vehicleId: string, hour: number): void {
    const current = this.#current.get(vehicleId);
    if (!current || hour > current.hour) {
      if (current && current.frames > 1) this.#compactLater(vehicleId, current.hour);
      this.#current.set(vehicleId, { hour, frames: 1 });
    } else if (hour === current.hour && ++current.frames >= FRAMES_BEFORE_COMPACTION) {
      current.frames = 1;
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
