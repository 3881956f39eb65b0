/** Several gateways in processes of their own behind load balancers, and people who use any of them. */
import { fork, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Ports } from '../../gateway/main.js';
import { Balancer } from '../support/balancer.js';
import { tick } from '../support/redis.js';

export const TOKEN = 'a-token-of-the-tests-with-every-right';
/** How long a request is tried on one node after the other; outages of Redis are shorter. */
const PATIENCE_MS = 30_000;

interface Node {
  child: ChildProcess;
  ports: Ports;
}

export class Nodes {
  readonly nodes = new Map<string, Node>();
  /** What all nodes said, those that ended too. */
  readonly #said: string[] = [];

  private constructor(
    private readonly env: Record<string, string>,
    /** Where terminals connect. */
    readonly terminals: Balancer,
    /** Where people and systems connect. */
    readonly api: Balancer,
  ) {}

  /** @param env settings of all nodes, with `LINECREW_STORE` */
  static async start(names: readonly string[], env: Record<string, string>): Promise<Nodes> {
    const nodes = new Nodes(env, await Balancer.start(), await Balancer.start());
    await Promise.all(names.map((name) => nodes.run(name)));
    return nodes;
  }

  /** Warnings and errors of all nodes, for a test that failed. */
  complaints(): string {
    const lines = this.#said.join('').split('\n');
    const complaints = lines.filter((line) => line !== '' && !/"level":"(info|debug)"/.test(line));
    return complaints.map(shortened).join('\n');
  }

  get names(): string[] {
    return [...this.nodes.keys()];
  }

  get url(): string {
    return `http://127.0.0.1:${this.api.port}`;
  }

  urlOf(name: string): string {
    return `http://127.0.0.1:${this.nodes.get(name)!.ports.http}`;
  }

  /**
   * Starts a node, or starts it again; resolves when it is ready and the balancers know it.
   *
   * @param more settings of this start alone
   */
  async run(name: string, more: Record<string, string> = {}): Promise<void> {
    const script = fileURLToPath(new URL('./node-child.ts', import.meta.url));
    const child = fork(script, [], {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: {
        ...process.env, LINECREW_NODE_ID: name, LINECREW_HTTP_PORT: '0', LINECREW_TCP_PORT: '0', LINECREW_TCP_HOST: '127.0.0.1',
        LINECREW_MQTT_PORT: 'off', LINECREW_API_TOKEN: TOKEN, LINECREW_ADMIN_PASSWORD: 'a long enough password', ...this.env, ...more,
      },
    }); // prettier-ignore
    const said = this.#said;
    for (const stream of [child.stdout!, child.stderr!]) stream.setEncoding('utf8').on('data', (text: string) => said.push(text)); // prettier-ignore
    const failed = once(child, 'exit').then(() => {
      throw new Error(`node ${name} did not start:\n${said.join('')}`);
    });
    const [ports] = (await Promise.race([once(child, 'message'), failed])) as [Ports];
    failed.catch(() => {});
    this.nodes.set(name, { child, ports });
    this.terminals.add(name, ports.tcp!);
    this.api.add(name, ports.http);
  }

  /** kill -9. */
  async kill(name: string): Promise<void> {
    await this.#end(name, 'SIGKILL');
  }

  /** SIGTERM, as a rolling restart does; gives the exit status. */
  drain(name: string): Promise<number | null> {
    return this.#end(name, 'SIGTERM');
  }

  async #end(name: string, signal: NodeJS.Signals): Promise<number | null> {
    const { child } = this.nodes.get(name)!;
    const exited = once(child, 'exit') as Promise<[number | null]>;
    child.kill(signal);
    const [status] = await exited;
    this.nodes.delete(name);
    this.terminals.remove(name);
    this.api.remove(name);
    return status;
  }

  /** Asks nodes in turn until one answers without an error of its own; a POST has one idempotency key for all of them. */
  async ask<T>(method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown): Promise<T> {
    const headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` };
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (method === 'POST') headers['idempotency-key'] = randomUUID();
    let last: unknown;
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end;) {
      const { names } = this;
      const node = names[Math.floor(Math.random() * names.length)];
      if (node === undefined) throw new Error('no node runs');
      try {
        const response = await fetch(`${this.urlOf(node)}/api/v1${path}`, {
          method,
          headers,
          signal: AbortSignal.timeout(10_000),
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        const text = await response.text();
        if (response.ok) return JSON.parse(text) as T;
        last = `${response.status} ${text}`;
        if (response.status < 500) throw new Refused(`${method} ${path}: ${last}`);
      } catch (error) {
        if (error instanceof Refused) throw error;
        last = error;
      }
      await tick();
    }
    throw new Error(`no node answers ${method} ${path}: ${String(last)}`);
  }

  async stop(): Promise<void> {
    await Promise.all(this.names.map((name) => this.kill(name)));
    await Promise.all([this.terminals.stop(), this.api.stop()]);
  }
}

class Refused extends Error {}

/** A line of the log without stacks; what is no line of the log as it is. */
function shortened(line: string): string {
  try {
    const { err, ...rest } = JSON.parse(line) as { err?: { message: string } };
    return JSON.stringify({ ...rest, ...(err && { err: err.message }) }).slice(0, 400);
  } catch {
    return line;
  }
}

/** Waits until `look` gives something; for what no event tells. */
export async function until<T>(
  look: () => Promise<T | undefined | false> | T | undefined | false,
  what: string,
  withinMs: number,
): Promise<T> {
  // prettier-ignore
  for (const end = Date.now() + withinMs; ;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`it did not happen within ${withinMs} ms: ${what}`);
    await tick();
  }
}
