import { invalid } from './errors.js';

/** Shards over which vehicles, terminals and blobs are spread: enough for any cluster, few enough for one pipeline. */
export const SHARDS = 64;

/** Between the tag of a blob's key and its name. */
export const BLOB_MARK = ':blob:';

/** Names of all keys. Live business state has one hash tag, so that one Lua function is one commit. */
export class RedisKeys {
  readonly docs: string;
  readonly heads: string;
  readonly index: string;
  readonly due: string;
  readonly state: string;
  readonly events: string;
  readonly refs: string;
  /** Events that stand in the place of others: a stream's entries cannot be changed. */
  readonly rewritten: string;
  readonly applied: string;
  readonly nodes: string;
  readonly meta: string;
  readonly probe: string;
  /** Keys of `commit.lua` in its order. */
  readonly commit: string[];
  readonly committedChannel: string;
  readonly positionsChannel: string;

  constructor(private readonly prefix: string) {
    if (!/^[\w.:-]{1,100}$/.test(prefix)) {
      throw invalid(
        `the prefix of the Redis keys must be 1 to 100 of A-Z a-z 0-9 _ . : -, got ${JSON.stringify(prefix)}`,
      );
    }
    const main = (name: string) => `{${prefix}}:${name}`;
    this.docs = main('docs');
    this.heads = main('heads');
    this.index = main('index');
    this.due = main('due');
    this.state = main('state');
    this.events = main('events');
    this.refs = main('refs');
    this.rewritten = main('rewritten');
    this.applied = main('applied');
    this.nodes = main('nodes');
    this.meta = main('meta');
    this.probe = main('probe');
    const once = ['idempotency', 'expiry', 'commits', 'commit-expiry'].map(main);
    this.commit = [
      this.docs,
      this.heads,
      this.index,
      this.due,
      this.state,
      this.events,
      this.refs,
      ...once,
      this.applied,
    ];
    this.committedChannel = main('committed');
    this.positionsChannel = main('positions');
  }

  get idempotency(): string {
    return this.commit[7]!;
  }

  /** Ingest log of a node: a slot of its own for each. */
  log(node: string): string {
    return `{${this.prefix}:log:${encodeURIComponent(node)}}`;
  }

  /** A key on the server that holds a node's ingest log. */
  logProbe(node: string): string {
    return `${this.log(node)}:probe`;
  }

  last(shard: number): string {
    return `${this.#tag(shard)}:last`;
  }

  hours(vehicleId: string): string {
    return `${this.#tag(shardOf(vehicleId))}:hours:${vehicleId}`;
  }

  /** Beginning of the keys of a vehicle's tracks; the hour follows. */
  tracks(vehicleId: string): string {
    return `${this.#tag(shardOf(vehicleId))}:track:${vehicleId}:`;
  }

  leases(terminal: string): string {
    return `${this.#tag(shardOf(terminal))}:leases`;
  }

  fence(terminal: string): string {
    return `${this.#tag(shardOf(terminal))}:fence`;
  }

  blob(name: string): string {
    return `${this.#tag(shardOf(name))}${BLOB_MARK}${name}`;
  }

  /** Pattern that all blobs match, and nothing else does. */
  get everyBlob(): string {
    return `{${this.prefix}:*}${BLOB_MARK}*`;
  }

  #tag(shard: number): string {
    return `{${this.prefix}:${shard}}`;
  }
}

/** FNV-1a over the UTF-16 units: spread, not secrecy. The value is stored data's place: never change it. */
export function shardOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % SHARDS;
}
