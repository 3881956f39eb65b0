/** A whole gateway in a process of its own, as an operator runs it: started, killed, asked over HTTP. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Ports } from '../../gateway/main.js';

export const TOKEN = 'a-bootstrap-token-of-the-reliability-runs';

const program = fileURLToPath(new URL('../e2e/serve-child.ts', import.meta.url));

export class GatewayProcess {
  private constructor(
    readonly child: ChildProcess,
    readonly ports: Ports & { tcp: number },
    /** From the start of the process until it said `ready`, ms. */
    readonly startMs: number,
    /** Lines of its log, by level. */
    readonly logged: Record<string, number>,
  ) {}

  /**
   * @param env settings beside the store's directory, free ports and the bootstrap token
   * @param cpu the only processor that it may use (Linux `taskset`)
   */
  static async start(
    directory: string,
    { env = {}, cpu }: { env?: Record<string, string>; cpu?: number } = {},
  ): Promise<GatewayProcess> {
    const startedAt = performance.now();
    const command = [process.execPath, '--import', 'tsx', program];
    if (cpu !== undefined) command.unshift('taskset', '-c', String(cpu));
    const child = spawn(command[0]!, command.slice(1), {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env, LINECREW_STORE: `lmdb:${directory}`, LINECREW_HTTP_PORT: '0', LINECREW_TCP_PORT: '0',
        LINECREW_TCP_HOST: '127.0.0.1', LINECREW_MQTT_PORT: 'off', LINECREW_API_TOKEN: TOKEN,
        LINECREW_ADMIN_PASSWORD: 'a long enough password', ...env,
      },
    }); // prettier-ignore
    const logged: Record<string, number> = {};
    const lines = createInterface({ input: child.stdout });
    const ports = await new Promise<Ports & { tcp: number }>((resolve, reject) => {
      child.once('exit', (status) => reject(new Error(`the gateway ended with ${status} before it was ready`)));
      lines.on('line', (line) => {
        const entry = JSON.parse(line) as { level: string; msg: string } & Ports & { tcp: number };
        logged[entry.level] = (logged[entry.level] ?? 0) + 1;
        if (entry.msg === 'ready') resolve(entry);
      });
    });
    return new GatewayProcess(child, ports, performance.now() - startedAt, logged);
  }

  /** Asks the API as the bootstrap token; @throws unless it answers with 2xx */
  async ask<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
    const reply = await this.request(method, path, body, headers);
    const text = await reply.text();
    if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  request(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    const json: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
    return fetch(`http://127.0.0.1:${this.ports.http}${path.startsWith('/metrics') ? path : `/api/v1${path}`}`, {
      method,
      headers: { authorization: `Bearer ${TOKEN}`, ...json, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  /** Values of /metrics by name with labels. */
  async metrics(): Promise<Map<string, number>> {
    const text = await (await this.request('GET', '/metrics')).text();
    const rows = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(rows.map((row) => [row.slice(0, row.lastIndexOf(' ')), Number(row.slice(row.lastIndexOf(' ')))]));
  }

  async addVehicle(id: string, phone: string): Promise<void> {
    await this.ask('POST', '/vehicles', {
      id, plate: `京A${phone.slice(-5)}`, terminal: { phone }, repairCentreId: 'centre-1', trade: 'lowVoltage',
      crew: { name: 'crew', members: [] }, sharesOffice: false,
    }); // prettier-ignore
  }

  /** Resident memory without pages of files, MiB; undefined where the system does not say (Linux does). */
  ownMemoryMb(): number | undefined {
    try {
      const kB = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${this.child.pid}/status`, 'utf8'))?.[1];
      return kB === undefined ? undefined : Number(kB) / 1024;
    } catch {
      return undefined;
    }
  }

  /** SIGKILL: no time to do anything. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** SIGTERM, and the whole way down. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const { child } = this;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }
}
