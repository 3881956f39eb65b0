/**
 * Waits until what a server has answered is on its disk (WAITAOF), for servers that flush later than they answer. The
 * command blocks its connection until the next flush, up to two seconds: so it has a connection of its own, and all
 * writes that were answered before it is sent share it. What it waits for is the last write of its own connection,
 * a small one made for that: it comes after the others in the server's one order of writes.
 */
import { Cluster, type Redis } from 'ioredis';
import { StoreError } from './errors.js';

/** Where a key is a cluster's business: CRC-16/XMODEM of the tag, or of all, modulo 16,384 (Redis Cluster specification). */
export function slotOf(key: string): number {
  let crc = 0;
  for (const byte of Buffer.from(tagOf(key))) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  }
  return crc & 0x3fff;
}

function tagOf(key: string): string {
  const open = key.indexOf('{');
  const close = key.indexOf('}', open + 1);
  return open >= 0 && close > open + 1 ? key.slice(open + 1, close) : key;
}

/** The master that a client sends a key to; one name for all where there is no cluster. */
export function serverOf(client: Redis | Cluster, key: string): string {
  return client instanceof Cluster ? (client.slots[slotOf(key)]?.[0] ?? '') : '';
}

export class FlushWaiter {
  #client: Redis | Cluster | undefined;
  #connected: Promise<void> | undefined;
  /** By server: changes with each connection that is made or lost, since behind a new one may be a server that lacks the write. */
  readonly #epochs = new Map<string, number>();
  /** By server: the round that is under way, and the one that begins after it. */
  readonly #running = new Map<string, Promise<void>>();
  readonly #next = new Map<string, Promise<void>>();

  /**
   * @param connect makes the connection, not yet connected
   * @param waitMs longest wait for one flush
   */
  constructor(
    private readonly connect: () => Redis | Cluster,
    private readonly waitMs: number,
  ) {}

  /** To be had before a write is sent, and given to {@link flushed} when it was answered. */
  async epoch(server: string): Promise<number> {
    this.#connected ??= this.#connect();
    // Where it cannot be reached the command that follows says so.
    await this.#connected.catch(() => undefined);
    return this.#epochs.get(server) ?? 0;
  }

  /**
   * Resolves when all that the server of `key` had answered at the call is on its disk. Rejects where that takes too
   * long, or where it may be another server by now: one that was started again, or took over.
   * @param server that answered the write (see {@link serverOf})
   */
  async flushed(key: string, server: string, epoch: number): Promise<void> {
    let round = this.#next.get(server);
    if (!round) {
      // A round that is under way may have been sent before the write was answered.
      const before = this.#running.get(server) ?? Promise.resolve();
      round = before.catch(() => undefined).then(() => this.#run(server, key));
      this.#next.set(server, round);
    }
    await round;
    if (epoch !== (this.#epochs.get(server) ?? 0) || serverOf(this.#client!, key) !== server) {
      throw new StoreError('unavailable', 'Redis: a connection was lost before the disk had what it answered');
    }
  }

  close(): void {
    this.#client?.disconnect();
  }

  async #connect(): Promise<void> {
    const client = this.connect();
    this.#client = client;
    if (!(client instanceof Cluster)) {
      this.#heed(client, '');
      return client.connect();
    }
    // Connections to a cluster's servers are made at their first use, which would look like a new one.
    const connecting: Promise<void>[] = [];
    client.on('+node', (node: Redis) => {
      this.#heed(node, `${node.options.host}:${node.options.port}`);
      if (node.status === 'wait') connecting.push(node.connect().catch(() => undefined));
    });
    await client.connect();
    await Promise.all(connecting);
  }

  #heed(client: Redis, server: string): void {
    const changed = (): void => void this.#epochs.set(server, (this.#epochs.get(server) ?? 0) + 1);
    for (const event of ['close', 'ready']) client.on(event, changed);
  }

  #run(server: string, key: string): Promise<void> {
    this.#next.delete(server);
    const running = this.#wait(key).finally(() => {
      if (this.#running.get(server) === running) this.#running.delete(server);
    });
    this.#running.set(server, running);
    return running;
  }

  async #wait(key: string): Promise<void> {
    const pipeline = this.#client!.pipeline().set(`{${tagOf(key)}}:flush`, 1);
    const replies = await pipeline.call('WAITAOF', 1, 0, this.waitMs).exec();
    for (const [error] of replies!) if (error) throw error;
    const [onDisk] = replies![1]![1] as [number, number];
    if (Number(onDisk) < 1) throw new StoreError('unavailable', 'Redis: not on the disk in time (WAITAOF)');
  }
}
