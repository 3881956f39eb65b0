/** Ingest logs on Redis: a Stream for each node, in a slot of its own; one entry is one group. */
import { StoreError } from './errors.js';
import { RecentGroups } from './recent-groups.js';
import type { RedisConnection } from './redis-connection.js';
import type { RedisKeys } from './redis-keys.js';
import { sequenceOf } from './redis-replies.js';
import { scripts } from './redis-scripts.js';

/** A log that is appended to is listed again this often: another node may have forgotten it. Machine time, ms. */
const LISTED_MS = 600_000;

/** Groups of a node that are kept here: some seconds of as many reports as one process takes. */
const RECENT_BYTES = 16 * 1024 * 1024;

interface LogEnd {
  /** Highest sequence that is known. */
  last: number;
  /** The log itself ends before it. */
  isShort: boolean;
}

export class RedisIngest {
  /** Nodes whose log is listed already, with the highest sequence known; one entry per node that this process appends for. */
  readonly #listed = new Map<string, { end: Promise<LogEnd>; at: number }>();
  /** By node, as {@link #listed}. */
  readonly #recent = new Map<string, RecentGroups>();

  constructor(
    private readonly redis: RedisConnection,
    /** For groups to append, and nothing else. */
    private readonly log: RedisConnection,
    private readonly keys: RedisKeys,
  ) {}

  /** Nodes that this process appends for. */
  get appendsFor(): string[] {
    return [...this.#listed.keys()];
  }

  async append(node: string, group: Buffer): Promise<number> {
    const end = await this.#list(node);
    // Redis counts the sequence, so it follows the order in which the groups were sent. A log that lacks its end (a
    // promoted replica, a trimmed log that was copied) would count from an older one on: what is not above all that was
    // ever applied would not be read.
    const next = (): string => `0-${end.last + 1}`;
    let sequence = await this.#xadd(node, end.isShort ? next() : '0-*', group);
    while (sequence === undefined || sequence <= end.last) {
      sequence = (await this.#xadd(node, next(), group)) ?? (await this.#xadd(node, '0-*', group));
    }
    Object.assign(end, { last: sequence, isShort: false });
    let recent = this.#recent.get(node);
    if (!recent) this.#recent.set(node, (recent = new RecentGroups(RECENT_BYTES)));
    recent.add(sequence, group);
    return sequence;
  }

  async read(node: string, after: number, limit: number): Promise<{ sequence: number; group: Uint8Array }[]> {
    const recent = this.#recent.get(node)?.after(after, limit) ?? [];
    if (recent.length > 0) return recent;
    const reply = await this.redis.call('xrange', this.keys.log(node), `(0-${after}`, '+', 'COUNT', limit);
    return (reply as [Buffer, [Buffer, Buffer]][]).map(([id, [, group]]) => ({ sequence: sequenceOf(id), group }));
  }

  async state(node: string): Promise<{ appended: number; applied: number }> {
    const [applied, appended] = await Promise.all([this.#applied(node), this.#appended(node)]);
    return { appended: Math.max(appended, applied), applied };
  }

  async nodes(): Promise<string[]> {
    return ((await this.redis.call('smembers', this.keys.nodes)) as Buffer[]).map(String).sort();
  }

  /** Deletes groups up to `sequence`, never one that is not applied. */
  async trim(node: string, sequence: number): Promise<void> {
    const upTo = Math.min(sequence, await this.#applied(node));
    this.#recent.get(node)?.trim(upTo);
    await this.redis.write('xtrim', this.keys.log(node), 'MINID', `0-${upTo + 1}`);
  }

  /** Deletes a log that holds nothing, and takes its node off the list. */
  async forget(node: string): Promise<boolean> {
    const { appended, applied } = await this.state(node);
    if (appended > applied || !Number(await this.redis.writeScript(scripts.forgetLog, [this.keys.log(node)], []))) {
      return false;
    }
    await this.redis.write('srem', this.keys.nodes, node);
    this.#listed.delete(node);
    this.#recent.delete(node);
    // What was appended meanwhile must be found.
    if ((await this.#appended(node)) === 0) return true;
    await this.redis.write('sadd', this.keys.nodes, node);
    return false;
  }

  /** Where the log ends; before the first group of a node others can find its log. */
  #list(node: string): Promise<LogEnd> {
    const known = this.#listed.get(node);
    const at = performance.now();
    if (known && at - known.at < LISTED_MS) return known.end;
    const listed = this.redis.write('sadd', this.keys.nodes, node);
    // The end of a log that is being appended to is known here, and only here.
    const end = listed.then(() => known?.end ?? this.#endOf(node));
    this.#listed.set(node, { end, at });
    end.catch(() => this.#listed.delete(node));
    return end;
  }

  async #endOf(node: string): Promise<LogEnd> {
    const [{ appended: last }, inLog] = await Promise.all([this.state(node), this.#appended(node)]);
    return { last, isShort: inLog < last };
  }

  async #applied(node: string): Promise<number> {
    return Number(await this.redis.call('hget', this.keys.applied, node));
  }

  /** The sequence given; undefined where the log has one already that is not below the id asked for. */
  async #xadd(node: string, id: string, group: Buffer): Promise<number | undefined> {
    try {
      return sequenceOf((await this.log.write('xadd', this.keys.log(node), id, 'g', group)) as Buffer);
    } catch (error) {
      if (error instanceof StoreError && error.message.includes('equal or smaller')) return undefined;
      throw error;
    }
  }

  async #appended(node: string): Promise<number> {
    try {
      const info = (await this.redis.call('xinfo', 'STREAM', this.keys.log(node))) as (Buffer | number)[];
      const at = info.findIndex((name) => String(name) === 'last-generated-id');
      return sequenceOf(info[at + 1] as Buffer);
    } catch (error) {
      if (error instanceof StoreError && error.message.includes('no such key')) return 0;
      throw error;
    }
  }
}
