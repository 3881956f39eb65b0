/**
 * Last positions and tracks on Redis, spread over shards by vehicle. A batch is a few Lua calls, one per shard. A track
 * of an hour is a string to which frames are appended, so that two nodes may write the same vehicle; reading merges them,
 * and the node that writes puts them into one from time to time.
 */
import { createHash } from 'node:crypto';
import { lastPositionRank, latestRows, rowFromBytes, rowNumbers } from './last-position.js';
import { POSITION_WIDTH, type Position, type PositionBatch } from './position-batch.js';
import type { Arg, RedisConnection } from './redis-connection.js';
import { shardOf, SHARDS, type RedisKeys } from './redis-keys.js';
import { scripts } from './redis-scripts.js';
import { hourOf, mergeBlock, mergeBlocks, positionAt, positionsOf, type BlockRows } from './track-block.js';

/** Frames of one hour after which they are put into one: a frame's head costs about as much as five positions. */
const FRAMES_BEFORE_COMPACTION = 64;
/** A track of an hour that is longer has so many rows in each frame that their heads do not count. */
const LONGEST_COMPACTED_BYTES = 1_000_000;
/** Hours of a track that one read fetches. */
const HOURS_PER_READ = 24;
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
    const shards = new Map<number, { last: Arg[]; keys: string[]; frames: Arg[] }>();
    const shard = (vehicleId: string) => {
      const number = shardOf(vehicleId);
      let found = shards.get(number);
      if (!found) shards.set(number, (found = { last: [], keys: [], frames: [] }));
      return found;
    };
    latestRows(batch).forEach((row, vehicle) => {
      const vehicleId = batch.vehicles[vehicle]!;
      if (row >= 0) shard(vehicleId).last.push(vehicleId, rankedBytes(rowNumbers(batch, row)));
    });
    const blocks = groups.map(({ vehicleId, hour, rows }) => {
      const block = mergeBlock(undefined, batch, rows);
      const { keys, frames } = shard(vehicleId);
      keys.push(this.keys.hours(vehicleId), `${this.keys.tracks(vehicleId)}${hour}`);
      frames.push(hour, frame(block));
      return block;
    });
    await Promise.all(
      [...shards].map(([number, { last, keys, frames }]) =>
        this.redis.writeScript(
          scripts.positions,
          [this.keys.last(number), ...keys],
          [last.length / 2, ...last, ...frames],
        ),
      ),
    );
    for (const { vehicleId, hour } of groups) this.#count(vehicleId, hour);
    return blocks;
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

/** Rank and numbers as `positions.lua` compares them. */
function rankedBytes(row: Float64Array): Buffer {
  const ranked = new Float64Array(1 + POSITION_WIDTH);
  ranked[0] = lastPositionRank(row, 0);
  ranked.set(row, 1);
  return Buffer.from(ranked.buffer);
}

function frame(block: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(4 + block.length);
  bytes.writeUInt32LE(block.length, 0);
  bytes.set(block, 4);
  return bytes;
}

function framesOf(bytes: Buffer): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  for (let at = 0; at + 4 <= bytes.length;) {
    const length = bytes.readUInt32LE(at);
    blocks.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return blocks;
}
