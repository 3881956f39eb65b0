import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodeBody, toHex } from '../../protocol/index.js';
import { ackText, frameOf, locationBody } from './support/frames.js';
import { startGatewayWorld } from './support/gateway-world.js';
import { TerminalClient } from './support/terminal-client.js';

/** Kills; more of them with `LINECREW_KILLS=200`. */
const kills = Number(process.env['LINECREW_KILLS'] ?? 3);
const terminals = 10;
const inFlight = 8;
const phones = Array.from({ length: terminals }, (_, i) => `1380013800${i}`);
const beginning = Math.floor(Date.now() / 1000) * 1000 - 3_600_000;

let directory: string;
const children = new Set<ChildProcess>();
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'linecrew-kill-'));
});
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

async function startChild(): Promise<{ child: ChildProcess; port: number }> {
  const script = fileURLToPath(new URL('./support/gateway-child.ts', import.meta.url));
  const child = fork(script, [directory, ...phones], { execArgv: ['--import', 'tsx'] });
  children.add(child);
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return { child, port };
}

/** A terminal that keeps what was not confirmed and sends it again; every tenth message is a broken business message. */
class Terminal {
  readonly form: { phone: string; edition: 2013 };
  /** Serial → message, of all that was ever made. */
  readonly made: { serial: number; wire: Uint8Array; position: boolean; body: Uint8Array }[] = [];
  readonly confirmed = new Set<number>();
  code: string | undefined;

  constructor(readonly phone: string) {
    this.form = { phone, edition: 2013 };
  }

  /** Runs against a gateway until the connection breaks. */
  async run(port: number): Promise<void> {
    const client = await TerminalClient.open(port, this.form);
    if (this.code === undefined) this.code = await client.enrol();
    else await client.login(this.code, 60_000);
    // Unconfirmed first, and some that were confirmed once more: a gateway may have died before the answer.
    const again = this.made.filter(({ serial }) => !this.confirmed.has(serial));
    client.send(...[...again, ...this.made.slice(-5)].map(({ wire }) => wire));
    let waiting = again.length;
    let heard = 0;
    while (!client.closed) {
      while (waiting < inFlight) {
        client.send(this.#next());
        waiting++;
      }
      await client.until(() => client.closed || client.answers.all.length > heard, 'an answer');
      for (const { messageId, body } of client.answers.all.slice(heard)) {
        const known = messageId === 0x8001 && /^0(200|900):(\d+)=[02]$/.exec(ackText(body));
        if (!known || this.confirmed.has(Number(known[2]))) continue;
        this.confirmed.add(Number(known[2]));
        waiting--;
      }
      heard = client.answers.all.length;
    }
  }

  #next(): Uint8Array {
    const serial = this.made.length + 10;
    const position = serial % 10 !== 0;
    const body = position
      ? locationBody({ at: beginning + serial * 1000, latE6: 39_000_000 + serial })
      : Buffer.from(
          encodeBody('passthroughUp', 2013, {
            type: 0xfa,
            content: Buffer.concat([Buffer.from('4c4301ff', 'hex'), Buffer.of(serial >> 8, serial & 255)]),
          }),
        );
    const wire = frameOf(this.form, position ? 0x0200 : 0x0900, serial, body);
    this.made.push({ serial, wire, position, body });
    return wire;
  }
}

it(
  `keeps everything that it confirmed, once, through ${kills} kills under load`,
  { timeout: 60_000 + kills * 10_000 },
  async () => {
    const fleet = phones.map((phone) => new Terminal(phone));
    for (let i = 0; i < kills; i++) {
      const { child, port } = await startChild();
      const running = Promise.all(fleet.map((terminal) => terminal.run(port).catch(() => {})));
      await new Promise((resolve) => setTimeout(resolve, 400 + Math.random() * 600));
      child.kill('SIGKILL');
      await running;
      children.delete(child);
    }
    const total = fleet.reduce((sum, { confirmed }) => sum + confirmed.size, 0);
    expect(total).toBeGreaterThan(kills * terminals);

    const world = await startGatewayWorld({ directory });
    try {
      await world.gateway.caughtUp();
      const quarantined = new Map<string, number>();
      for (let after = 0; ;) {
        const events = await world.dispatch.eventsAfter(after, 1_000);
        if (events.length === 0) break;
        after = events.at(-1)!.position;
        for (const { type, data } of events) {
          if (type !== 'evidence.quarantined') continue;
          const { bytesHex } = (data as { card: { bytesHex: string } }).card;
          quarantined.set(bytesHex, (quarantined.get(bytesHex) ?? 0) + 1);
        }
      }
      expect(quarantined.size).toBeGreaterThan(0);
      expect([...quarantined.values()].filter((times) => times !== 1)).toEqual([]);
      for (const { phone, made, confirmed } of fleet) {
        const track = new Map<number, number>();
        for await (const { latE6 } of world.store.track(`v-${phone}`, 0, Date.now() + 86_400_000)) {
          track.set(latE6, (track.get(latE6) ?? 0) + 1);
        }
        expect([...track.values()].filter((times) => times !== 1)).toEqual([]);
        const bodies = [...quarantined.keys()];
        const missing = made.filter(({ serial, position, body }) => {
          if (!confirmed.has(serial)) return false;
          return position ? !track.has(39_000_000 + serial) : !bodies.some((hex) => hex.endsWith(toHex(body)));
        });
        expect(missing).toEqual([]);
      }
    } finally {
      await world.stop(true);
    }
  },
);
