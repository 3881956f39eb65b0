/** Private Redis servers for tests: on free loopback ports, in temporary directories, gone at the end. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { findProgram } from './system.js';

const HOST = '127.0.0.1';
/** What a server, or a Sentinel, says when it takes connections. */
const READY = /Ready to accept connections|Sentinel ID is/;

/** Settings of redis.conf by name. */
export type RedisConfig = Record<string, string | number>;

/** An append-only file that is flushed before each answer: what the store asks for by default. */
export const DURABLE: RedisConfig = { appendonly: 'yes', appendfsync: 'always' };

/** The server's program; throws with what to install where there is none. */
export function redisProgram(): string {
  const program = findProgram('redis-server') ?? findProgram('valkey-server');
  if (!program) throw new Error('these tests need redis-server: apt-get install redis-server');
  return program;
}

export class RedisServer {
  #process: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    readonly directory: string,
    private readonly config: RedisConfig,
    private readonly sentinelFile?: string,
  ) {}

  static async start(config: RedisConfig = DURABLE): Promise<RedisServer> {
    const directory = await mkdtemp(join(tmpdir(), 'linecrew-redis-'));
    const server = new RedisServer(await freePort(), directory, config);
    await server.run();
    return server;
  }

  /** A Sentinel with a configuration file that it may change. */
  static async startSentinel(port: number, configFile: string): Promise<RedisServer> {
    const server = new RedisServer(port, dirname(configFile), {}, configFile);
    await server.run();
    return server;
  }

  get url(): string {
    return `redis://${HOST}:${this.port}`;
  }

  get address(): string {
    return `${HOST}:${this.port}`;
  }

  /** Starts it, or starts it again on the same port and data; resolves when it takes connections. */
  async run(): Promise<void> {
    const program = redisProgram();
    const settings: RedisConfig = { bind: HOST, port: this.port, dir: this.directory, ...this.config };
    if (!this.sentinelFile) settings['save'] = '';
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, ...String(value).split(' ')]);
    const first = this.sentinelFile ? [this.sentinelFile, '--sentinel'] : [];
    const process_ = spawn(program, [...first, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
    this.#process = process_;
    const said: string[] = [];
    const ready = (async () => {
      for await (const line of createInterface({ input: process_.stdout })) {
        said.push(line);
        if (READY.test(line)) break;
      }
      if (!READY.test(said.at(-1) ?? '')) throw new Error(`redis-server did not start:\n${said.join('\n')}`);
    })();
    await ready;
    // The rest of what it says is of no use, but must be read.
    process_.stdout.resume();
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  /** Ends it at once, as a crash does. The data stays. */
  async kill(): Promise<void> {
    const process_ = this.#process;
    if (!process_ || process_.exitCode !== null || process_.signalCode !== null) return;
    const exited = once(process_, 'exit');
    process_.kill('SIGKILL');
    await exited;
  }

  /** Runs a command on a connection of its own. */
  async command(name: string, ...args: (string | number)[]): Promise<unknown> {
    const client = new Redis(this.port, HOST);
    try {
      return await client.call(name, ...args);
    } finally {
      client.disconnect();
    }
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }
}

export class RedisCluster {
  private constructor(readonly servers: RedisServer[]) {}

  /** A cluster of real servers, the slots shared out evenly; `replicas` for each master. */
  static async start(masters = 3, replicas = 0, config: RedisConfig = DURABLE): Promise<RedisCluster> {
    const servers = await Promise.all(
      Array.from({ length: masters * (1 + replicas) }, async () =>
        RedisServer.start({
          ...config,
          'cluster-enabled': 'yes',
          'cluster-node-timeout': 2_000,
          'cluster-port': await freePort(),
        }),
      ),
    );
    const cluster = new RedisCluster(servers);
    const create = ['--cluster', 'create', ...servers.map(({ address }) => address)];
    try {
      await promisify(execFile)(findProgram('redis-cli') ?? 'redis-cli', [
        ...create,
        '--cluster-replicas',
        String(replicas),
        '--cluster-yes',
      ]);
      await cluster.settled();
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  get url(): string {
    return `redis-cluster://${this.servers.map(({ address }) => address).join(',')}`;
  }

  /** Resolves when every server says that all slots are served. */
  async settled(): Promise<void> {
    for (const server of this.servers) {
      while (!String(await server.command('CLUSTER', 'INFO')).includes('cluster_state:ok')) await tick();
    }
  }

  async clear(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.command('FLUSHALL')));
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
  }
}

/** Until something that only asking tells: a short pause between two questions. */
export function tick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
