/** One Redis server, Sentinel group or Cluster: commands, scripts by SHA, and waiting for what a confirmation needs. */
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { StoreError } from './errors.js';
import { DurabilityGuard } from './redis-durability.js';
import { redisError } from './redis-errors.js';
import { FlushWaiter, serverOf } from './redis-flush.js';
import type { RedisSettings } from './redis-options.js';
import type { Script } from './redis-scripts.js';
import { withoutPassword, type StoreUrl } from './store-url.js';

export type RedisUrl = Exclude<StoreUrl, { kind: 'lmdb' }>;
export type Arg = string | Buffer | number;

const MAX_RETRY_DELAY_MS = 1_000;
/** Longest time of a command on a cluster, redirections and the wait for a flush included, in times of one command. */
const CLUSTER_TIMES = 3;

export class RedisConnection {
  readonly client: Redis | Cluster;
  readonly #guard: DurabilityGuard;
  readonly #flush: FlushWaiter;
  #closed = false;
  #lastError: Error | undefined;
  /** Commands that were sent and not answered, on a connection that is not a cluster's (that one tells by itself). */
  readonly #sent = new Set<(error: StoreError) => void>();
  /** Writes pass the guard in the order of their calls. */
  #gate: Promise<void> = Promise.resolve();

  constructor(
    readonly where: RedisUrl,
    private readonly settings: RedisSettings,
  ) {
    this.client = connect(where, settings);
    // Errors come back with each command; an 'error' event without a listener would end the process.
    this.client.on('error', (error: Error) => (this.#lastError = error));
    this.#guard = new DurabilityGuard(() => this.masters(), settings);
    this.#flush = new FlushWaiter(() => this.duplicate(), this.#guard.flushMs);
    this.client.on('close', () => this.#lost());
    // Behind a new connection may be another server, with other settings and without the scripts.
    for (const event of ['close', 'ready', '+node', '-node']) this.client.on(event, () => this.#guard.forget());
  }

  /** First contact; rejects with what is wrong where there is none within the command's time. */
  async open(): Promise<void> {
    try {
      await withTimeout(this.client.connect(), this.settings.commandTimeoutMs);
    } catch (error) {
      // A first connection that fails is tried again in the background; the guard's commands wait for it.
      if (this.client.status === 'end') throw this.#unreachable(error);
    }
    try {
      await this.#guard.ready();
    } catch (error) {
      if (error instanceof StoreError && error.code === 'unavailable') throw error;
      throw this.#unreachable(error);
    }
  }

  get durability() {
    return this.#guard.durability();
  }

  /** Keys of one command must be in one slot. */
  get isCluster(): boolean {
    return this.where.kind === 'cluster';
  }

  /** Servers that take writes. */
  masters(): Redis[] {
    return this.client instanceof Cluster ? this.client.nodes('master') : [this.client];
  }

  /** A command that changes nothing, or only what need not outlive the server. */
  async call(command: string, key: string, ...args: Arg[]): Promise<unknown> {
    return this.#mapped(() => this.client.callBuffer(command, key, ...args));
  }

  /** A script that changes nothing, or only what need not outlive the server. */
  async script(script: Script, keys: string[], args: Arg[]): Promise<unknown> {
    return this.#loaded(script, (name, text) => this.call(name, text, keys.length, ...keys, ...args));
  }

  /** A command that writes; resolves when the write is as durable as the configuration asks. */
  async write(command: string, key: string, ...args: Arg[]): Promise<unknown> {
    return this.#write(key, command, key, ...args);
  }

  /** @param key of the server that must have it */
  #write(key: string, command: string, ...args: [Arg, ...Arg[]]): Promise<unknown> {
    return this.#mapped(async () => {
      const passed = this.#gate.then(() => this.#guard.ready());
      this.#gate = passed.catch(() => undefined);
      await passed;
      if (!this.#guard.waitsForFlush) return this.#confirmedByReplica(command, args);
      const server = serverOf(this.client, key);
      const epoch = await this.#flush.epoch(server);
      const reply = await this.#confirmedByReplica(command, args);
      await this.#flush.flushed(key, server, epoch);
      return reply;
    });
  }

  /** Sends a command; where the configuration asks for it, one replica has what it wrote. */
  async #confirmedByReplica(command: string, args: [Arg, ...Arg[]]): Promise<unknown> {
    const { waitForReplicaMs } = this.#guard;
    if (waitForReplicaMs === undefined) return this.client.callBuffer(command, ...args);
    // WAIT speaks of the connection it comes on, so it goes right behind the write in one pipeline, to one server.
    const pipeline = this.client.pipeline().callBuffer(command, ...args);
    const [written, waited] = (await pipeline.call('WAIT', 1, waitForReplicaMs).exec())!;
    const failed = written![0] ?? waited![0];
    if (failed) throw failed;
    if (Number(waited![1]) < 1) throw new StoreError('unavailable', 'Redis: no replica had it in time (WAIT)');
    return written![1];
  }

  /** A script that writes; resolves when the write is as durable as the configuration asks. */
  async writeScript(script: Script, keys: string[], args: Arg[]): Promise<unknown> {
    return this.#loaded(script, (name, text) => this.#write(keys[0]!, name, text, keys.length, ...keys, ...args));
  }

  /** All keys of all masters that match the pattern; one may come twice. Reads the whole server: for rare use. */
  async keysMatching(pattern: string): Promise<string[]> {
    const found: string[] = [];
    for (const master of this.masters()) {
      let cursor = '0';
      do {
        const [next, keys] = await this.#mapped(() => master.scan(cursor, 'MATCH', pattern, 'COUNT', 1_000));
        found.push(...keys);
        cursor = next;
      } while (cursor !== '0');
    }
    return found;
  }

  /** A connection of its own for subscriptions. */
  duplicate(): Redis | Cluster {
    const other = connect(this.where, this.settings);
    other.on('error', () => undefined);
    return other;
  }

  async close(): Promise<void> {
    this.#closed = true;
    // `quit` lets what was sent be answered first; a server that is away must not hold up the end.
    await withTimeout(this.client.quit(), this.settings.commandTimeoutMs).catch(() => undefined);
    this.client.disconnect();
    this.#flush.close();
  }

  /** Runs a script by its SHA; a server that does not know it (new, or started again) is given the text. */
  async #loaded(script: Script, run: (command: string, text: string) => Promise<unknown>): Promise<unknown> {
    try {
      return await run('evalsha', script.sha);
    } catch (error) {
      if (!isNoScript(error)) throw error;
      return run('eval', script.source);
    }
  }

  async #mapped<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new StoreError('closed', 'the store is closed');
    try {
      if (this.client instanceof Redis) return await (this.client.status === 'ready' ? this.#answered(work) : work());
      // A cluster's client sends a command on until a server takes it; nobody waits for that without end.
      return await withTimeout(work(), CLUSTER_TIMES * this.settings.commandTimeoutMs);
    } catch (error) {
      throw redisError(error);
    }
  }

  /** ioredis leaves what was sent before a connection was lost to its timeout; this tells at once. */
  #answered<T>(work: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#sent.add(reject);
      void work()
        .then(resolve, reject)
        .finally(() => this.#sent.delete(reject));
    });
  }

  #lost(): void {
    const error = new StoreError('unavailable', 'Redis: the connection was lost before the answer came');
    for (const reject of this.#sent) reject(error);
    this.#sent.clear();
  }

  #unreachable(error: unknown): StoreError {
    const place = this.where.kind === 'standalone' ? withoutPassword(this.where.url) : servers(this.where);
    // The connection's own error says more than that of a command which waited for it.
    const { message } = redisError(this.#lastError ?? error);
    return new StoreError('unavailable', `no Redis at ${place}: ${message}`, { cause: error });
  }
}

function servers(where: Exclude<RedisUrl, { kind: 'standalone' }>): string {
  return `${where.kind} ${where.servers.map(({ host, port }) => `${host}:${port}`).join(',')}`;
}

function isNoScript(error: unknown): boolean {
  return error instanceof StoreError && error.message.includes('NOSCRIPT');
}

function connect(where: RedisUrl, settings: RedisSettings): Redis | Cluster {
  const common: RedisOptions = {
    lazyConnect: true,
    protocol: 2,
    commandTimeout: settings.commandTimeoutMs,
    connectTimeout: settings.commandTimeoutMs,
    // While the server is away commands wait for a few attempts to connect, then fail.
    maxRetriesPerRequest: 3,
    retryStrategy: (times) => Math.min(times * 50, MAX_RETRY_DELAY_MS),
    // What was sent and not answered is decided here, not sent again behind our back.
    autoResendUnfulfilledCommands: false,
    // After a failover the old master answers READONLY: look for the new one.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    ...(settings.tls ? { tls: settings.tls } : {}),
    ...(settings.password !== undefined ? { password: settings.password } : {}),
  };
  if (where.kind === 'standalone') return new Redis(where.url, common);
  const login = { username: where.username, password: where.password ?? settings.password };
  if (where.kind === 'sentinel') {
    return new Redis({
      ...common,
      ...login,
      sentinels: where.servers,
      name: where.name,
      enableTLSForSentinelMode: settings.tls !== undefined,
      sentinelRetryStrategy: (times) => Math.min(times * 50, MAX_RETRY_DELAY_MS),
    });
  }
  const { retryStrategy: _, lazyConnect: __, ...node } = common;
  return new Cluster(where.servers, {
    lazyConnect: true,
    redisOptions: { ...node, ...login },
    clusterRetryStrategy: (times) => Math.min(times * 50, MAX_RETRY_DELAY_MS),
    retryDelayOnFailover: 100,
    slotsRefreshTimeout: settings.commandTimeoutMs,
    slotsRefreshInterval: 5_000,
  });
}

async function withTimeout<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new StoreError('timeout', `Redis: no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
