/** What a confirmation of Redis is worth, read from the servers' own settings, and what must be waited for. */
import type { Redis } from 'ioredis';
import { StoreError } from './errors.js';
import type { RedisSettings } from './redis-options.js';
import type { Durability } from './store.js';

/** Settings can be changed while the server runs. */
const CHECK_EVERY_MS = 30_000;
/** Longest wait for a replica; then the write is not confirmed. */
const REPLICA_MS = 1_000;
/** Of a command's time: a wait has its answer before the command is given up, and both waits fit in it. */
const REPLICA_SHARE = 0.25;
const FLUSH_SHARE = 0.6;

/** `appendfsync`; `notOnRewrite`: always, except while the server rewrites its file; `off`: no append-only file. */
type Fsync = 'always' | 'notOnRewrite' | 'everysec' | 'no' | 'off' | 'unknown';

interface Server {
  name: string;
  fsync: Fsync;
  hasWaitAof: boolean;
  replicas: number;
  /** `maxmemory-policy` where memory is limited and the policy throws data away. */
  evicts: string | undefined;
}

export class DurabilityGuard {
  #servers: Server[] = [];
  #known: Promise<void> | undefined;
  #checkedAt = 0;

  constructor(
    private readonly masters: () => Redis[],
    private readonly settings: RedisSettings,
  ) {}

  /** The settings are read again before the next write. */
  forget(): void {
    this.#known = undefined;
  }

  /** Resolves when the settings of all masters are known and give what is asked. */
  async ready(): Promise<void> {
    // Again where the connection was lost while they were read.
    for (let known: Promise<void> | undefined; !known || known !== this.#known;) {
      known = this.#current();
      await known;
    }
  }

  #current(): Promise<void> {
    if (!this.#known || performance.now() - this.#checkedAt > CHECK_EVERY_MS) {
      this.#checkedAt = performance.now();
      const known = this.#read();
      this.#known = known;
      known.catch(() => {
        if (this.#known === known) this.#known = undefined;
      });
    }
    return this.#known;
  }

  /** A write is confirmed only when a flush was waited for: the servers answer before that. */
  get waitsForFlush(): boolean {
    const { durability } = this.settings;
    return (
      (durability === 'fsync' || durability === 'replica') && this.#servers.some(({ fsync }) => fsync !== 'always')
    );
  }

  /** Longest wait for a flush: with `everysec` and a busy disk it comes after two seconds. */
  get flushMs(): number {
    return Math.floor(this.settings.commandTimeoutMs * FLUSH_SHARE);
  }

  /** Longest wait for a replica behind each write; undefined where none is asked for. */
  get waitForReplicaMs(): number | undefined {
    if (this.settings.durability !== 'replica') return undefined;
    return Math.min(REPLICA_MS, Math.floor(this.settings.commandTimeoutMs * REPLICA_SHARE));
  }

  async durability(): Promise<Durability> {
    await this.ready().catch((error: unknown) => {
      if (this.#servers.length === 0) throw error;
    });
    return describe(this.#servers, this.settings.durability);
  }

  async #read(): Promise<void> {
    const servers = await Promise.all(this.masters().map(readServer));
    if (servers.length === 0) throw new StoreError('unavailable', 'Redis: no master is known');
    this.#servers = servers;
    const lacking = servers.flatMap((server) => lacks(server, this.settings.durability));
    if (lacking.length > 0) {
      throw new StoreError(
        'unavailable',
        `Redis may lose what it has confirmed: ${lacking.join('; ')}. ` +
          `Change the server, or ask for less than durability '${this.settings.durability}'`,
      );
    }
  }
}

function lacks(server: Server, durability: RedisSettings['durability']): string[] {
  if (durability === 'relaxed') return [];
  const { name, fsync, evicts } = server;
  const lacking: string[] = [];
  if (evicts) lacking.push(`${name} throws data away when memory is short (maxmemory-policy ${evicts})`);
  if (fsync === 'off') lacking.push(`${name} keeps no append-only file (appendonly no)`);
  else if (durability === 'everysec') {
    if (fsync === 'no') lacking.push(`${name} leaves writing to the system (appendfsync no)`);
  } else if (fsync === 'no') {
    lacking.push(`${name} leaves flushing to the system (appendfsync no): nothing tells when it is done`);
  } else if (fsync !== 'always' && !server.hasWaitAof) {
    const said: Partial<Record<Fsync, string>> = {
      unknown: 'does not show its appendfsync',
      notOnRewrite: 'flushes nothing while it rewrites its file (no-appendfsync-on-rewrite yes)',
    };
    lacking.push(
      `${name} ${said[fsync] ?? `has appendfsync ${fsync}`} and no WAITAOF (needs appendfsync always, or Redis 7.2)`,
    );
  }
  return lacking;
}

function describe(servers: readonly Server[], durability: RedisSettings['durability']): Durability {
  const warnings: string[] = [];
  const fsyncs = new Set(servers.map(({ fsync }) => fsync));
  for (const { name, evicts } of servers) {
    if (evicts) warnings.push(`${name} throws data away when memory is short (maxmemory-policy ${evicts})`);
  }
  if (durability === 'replica') {
    for (const { name, replicas } of servers) if (replicas === 0) warnings.push(`${name} has no replica`);
    return {
      level: 'failover',
      words:
        'survives a crash of the machine; survives a failover, best effort: a replica has it before it is confirmed ' +
        '(WAIT 1), but Redis may promote another one',
      warnings,
    };
  }
  if (durability === 'fsync' || (fsyncs.size === 1 && fsyncs.has('always'))) {
    return {
      level: 'crash',
      words:
        'survives a crash of the machine: written to the append-only file and flushed to the disk before it is ' +
        'confirmed; a failover to a replica may lose what that has not received',
      warnings,
    };
  }
  if (fsyncs.has('off')) {
    const words = 'lost when a Redis server ends: it keeps no append-only file (appendonly no)';
    return { level: 'none', words, warnings: [words, ...warnings] };
  }
  const words =
    'survives a crash of Redis; a crash of its machine may lose the last seconds (appendfsync is not always)';
  return { level: 'process', words, warnings: [words, ...warnings] };
}

async function readServer(server: Redis): Promise<Server> {
  const { host, port } = server.options;
  const info = await server.info();
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  // While it reads its append-only file a server says that it keeps none.
  if (field('loading') === '1') throw new StoreError('unavailable', `Redis: ${host}:${port} is loading its data`);
  const version = (field('redis_version') ?? '0').split('.').map(Number);
  const config = await readConfig(server);
  const limited = Number(config?.get('maxmemory') ?? field('maxmemory') ?? 0) > 0;
  const policy = config?.get('maxmemory-policy') ?? field('maxmemory_policy') ?? 'noeviction';
  return {
    name: `${host}:${port}`,
    fsync: field('aof_enabled') === '0' ? 'off' : fsyncOf(config),
    hasWaitAof: version[0]! > 7 || (version[0] === 7 && version[1]! >= 2),
    replicas: Number(field('connected_slaves') ?? 0),
    evicts: limited && policy !== 'noeviction' ? policy : undefined,
  };
}

function fsyncOf(config: Map<string, string> | undefined): Fsync {
  const fsync = (config?.get('appendfsync') as Fsync | undefined) ?? 'unknown';
  return fsync === 'always' && config?.get('no-appendfsync-on-rewrite') === 'yes' ? 'notOnRewrite' : fsync;
}

/** Undefined where the account may not read the settings (managed servers often forbid CONFIG). */
async function readConfig(server: Redis): Promise<Map<string, string> | undefined> {
  try {
    const all = (
      await Promise.all(
        ['append*', 'no-append*', 'maxmemory*'].map(
          (names) => server.call('CONFIG', 'GET', names) as Promise<string[]>,
        ),
      )
    ).flat();
    return new Map(all.flatMap((name, i) => (i % 2 === 0 ? [[name, all[i + 1]!] as const] : [])));
  } catch (error) {
    if (error instanceof Error && /^(NOPERM|ERR)/.test(error.message)) return undefined;
    throw error;
  }
}
