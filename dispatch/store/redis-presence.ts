/** Leases of terminals, roles and ingest logs on Redis, each with a fence that only grows. */
import type { RedisConnection } from './redis-connection.js';
import type { RedisKeys } from './redis-keys.js';
import { scripts } from './redis-scripts.js';
import type { Lease } from './store.js';

export class RedisPresence {
  constructor(
    private readonly redis: RedisConnection,
    private readonly keys: RedisKeys,
  ) {}

  async claim(
    terminal: string,
    node: string,
    connection: string,
    now: number,
    leaseMs: number,
  ): Promise<{ fence: number; before?: Lease }> {
    const keys = [this.keys.leases(terminal), this.keys.fence(terminal)];
    const args = [terminal, node, connection, now, Math.ceil(now + leaseMs)];
    const [fence, before] = (await this.redis.script(scripts.claimTerminal, keys, args)) as [Buffer, Buffer];
    return before.length > 0
      ? { fence: Number(fence), before: JSON.parse(before.toString()) as Lease }
      : { fence: Number(fence) };
  }

  async renew(terminal: string, fence: number, now: number, leaseMs: number): Promise<boolean> {
    const args = [terminal, fence, Math.ceil(now + leaseMs)];
    return Number(await this.redis.script(scripts.renewTerminal, [this.keys.leases(terminal)], args)) === 1;
  }

  async release(terminal: string, fence: number): Promise<void> {
    await this.redis.script(scripts.releaseTerminal, [this.keys.leases(terminal)], [terminal, fence]);
  }

  async owner(terminal: string, now: number): Promise<Lease | undefined> {
    const stored = (await this.redis.call('hget', this.keys.leases(terminal), terminal)) as Buffer | null;
    const lease = stored ? (JSON.parse(stored.toString()) as Lease) : undefined;
    return lease && lease.until > now ? lease : undefined;
  }
}
