/** Mosquitto as Debian ships it, on a free loopback port, with a directory of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mosquittoPath } from '../../support/system.js';

export class Mosquitto {
  readonly #directory = mkdtempSync(join(tmpdir(), 'linecrew-mosquitto-'));
  #process: ChildProcess | undefined;

  private constructor(private readonly port: number) {}

  static async start(): Promise<Mosquitto> {
    const broker = new Mosquitto(await freePort());
    await broker.run();
    return broker;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  /** Starts it, or starts it again with what it kept. */
  async run(): Promise<void> {
    const file = join(this.#directory, 'mosquitto.conf');
    const lines = [
      'allow_anonymous true',
      `listener ${this.port} 127.0.0.1`,
      'persistence true',
      `persistence_location ${this.#directory}/`,
    ];
    writeFileSync(file, `${lines.join('\n')}\n${process.getuid?.() === 0 ? 'user root\n' : ''}`);
    const child = spawn(mosquittoPath(), ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process = child;
    for await (const chunk of child.stderr) if (String(chunk).includes('running')) break;
    child.stderr.resume();
  }

  /** Ends it as an operator would; what it must keep is written. */
  async halt(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    await exit;
  }

  async stop(): Promise<void> {
    await this.halt();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const found = (server.address() as AddressInfo).port;
  server.close();
  await once(server, 'close');
  return found;
}
