/** A whole gateway with its HTTP API, and terminals on real sockets. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../../gateway/config/load.js';
import { createLog } from '../../../gateway/log.js';
import { startGateway, type Gateway } from '../../../gateway/main.js';
import type { TerminalOptions, ProfileName } from '../../../dispatch/domain/model.js';
import { generalReply, messageOf, type Answer, type TerminalForm } from '../support/frames.js';
import { TerminalClient } from '../support/terminal-client.js';

export const TOKEN = 'bootstrap-token-of-the-terminal-tests';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers of the API, looked at by path
export type Json = any;

export const person = { source: 'dispatcher', name: 'wang', roles: ['administrator', 'dispatcher', 'agent', 'supervisor'] } as const; // prettier-ignore

export class Rig {
  gateway!: Gateway;
  readonly directory = mkdtempSync(join(tmpdir(), 'linecrew-terminal-'));

  constructor(private readonly flags: Record<string, string> = {}) {}

  async start(): Promise<this> {
    const flags = {
      store: `lmdb:${this.directory}`, httpPort: '0', tcpPort: '0', tcpHost: '127.0.0.1', mqttPort: 'off',
      adminPassword: 'a long enough password', apiToken: TOKEN, ...this.flags,
    }; // prettier-ignore
    const { config } = loadConfig({ flags, env: {} });
    this.gateway = await startGateway(config, { log: createLog('silent') });
    return this;
  }

  async restart(): Promise<void> {
    await this.gateway.stop();
    await this.start();
  }

  async stop(): Promise<void> {
    await this.gateway.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }

  async vehicle(phone: string, profile: ProfileName = 'menu', options: Partial<TerminalOptions> = {}): Promise<string> {
    const id = `v-${phone}`;
    await this.gateway.dispatch.execute(
      {
        type: 'vehicle.create', id, plate: '京A12345', terminal: { phone, profile, options }, repairCentreId: 'centre-1',
        trade: 'lowVoltage', crew: { name: 'crew', members: [{ name: 'Li' }] },
      },
      person,
    ); // prettier-ignore
    return id;
  }

  async fetch(method: string, path: string, body?: unknown): Promise<Response> {
    return fetch(`${this.gateway.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${TOKEN}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async call(method: string, path: string, body?: unknown): Promise<{ status: number; json: Json }> {
    const response = await this.fetch(method, `/api/v1${path}`, body);
    return { status: response.status, json: await response.json() };
  }

  /** Looks again and again until something is there. */
  async until<T>(look: () => Promise<T | undefined | false>, what: string): Promise<T> {
    for (const end = Date.now() + 15_000; ;) {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      if (Date.now() > end) throw new Error(`it did not happen: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  open(form: TerminalForm): Promise<TerminalClient> {
    return TerminalClient.open(this.gateway.ports.tcp!, form);
  }
}

/** A terminal that answers every downlink at once with 0x0001, and some with what `replies` says. */
export function answering(
  client: TerminalClient,
  form: TerminalForm,
  replies: (answer: Answer, serial: number) => Uint8Array[] | undefined = () => undefined,
): { stop(): void } {
  let seen = 0;
  let serial = 1000;
  let stopped = false;
  const look = (): void => {
    while (!stopped && seen < client.answers.all.length) {
      const answer = client.answers.all[seen++]!;
      if ([0x8001, 0x8100, 0x8003, 0x8800].includes(answer.messageId)) continue;
      const frames = replies(answer, serial++) ?? [generalReply(form, serial++, answer.serial, answer.messageId, 0)];
      if (frames.length > 0) client.send(...frames);
    }
  };
  client.socket.on('data', look);
  look();
  return { stop: () => void (stopped = true) };
}

export { generalReply, messageOf };
