import type { ConnectionOptions } from 'node:tls';

/**
 * What Redis must have done before something is confirmed:
 * - `fsync`: written to the disk of the master: `appendfsync always`, or `WAITAOF` where the server has it (7.2)
 * - `replica`: that, and one replica has it (`WAIT 1`)
 * - `everysec`: in the append-only file; a crash of the machine may lose the last second
 * - `relaxed`: nothing; what the server's settings give
 *
 * With `fsync`, `replica` and `everysec` a server that cannot give it is refused.
 */
export type RedisDurability = 'fsync' | 'replica' | 'everysec' | 'relaxed';

export interface RedisStoreOptions {
  /** Wall clock, ms UTC, for the life of idempotency keys. */
  now?: () => number;
  /** Default `fsync`. */
  durability?: RedisDurability;
  /** Where it is not in the URL. */
  password?: string;
  /** TLS for Sentinel and Cluster, or a private authority with `rediss:`. */
  tls?: ConnectionOptions;
  /** Beginning of all keys: installations that share a server need different ones. Default `linecrew`. */
  prefix?: string;
  /** Longest wait for one answer. Default 5,000 ms. */
  commandTimeoutMs?: number;
  /** Longest time that a commit is tried again while the server is away. Default 10,000 ms. */
  commitTimeoutMs?: number;
}

export interface RedisSettings {
  now: () => number;
  durability: RedisDurability;
  password: string | undefined;
  tls: ConnectionOptions | undefined;
  prefix: string;
  commandTimeoutMs: number;
  commitTimeoutMs: number;
}

export function redisSettings(options: RedisStoreOptions): RedisSettings {
  return {
    now: options.now ?? Date.now,
    durability: options.durability ?? 'fsync',
    password: options.password,
    tls: options.tls,
    prefix: options.prefix ?? 'linecrew',
    commandTimeoutMs: options.commandTimeoutMs ?? 5_000,
    commitTimeoutMs: options.commitTimeoutMs ?? 10_000,
  };
}
