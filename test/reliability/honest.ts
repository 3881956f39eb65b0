/** Honest terminals at a steady rate, and how long each of their locations waits for its 0x8001. */
import type { Socket } from 'node:net';
import { frameOf, locationBody } from '../gateway/support/frames.js';
import { TerminalClient } from '../gateway/support/terminal-client.js';

/** What was confirmed since the last look. */
export interface Window {
  sent: number;
  confirmed: number;
  /** From the write of a frame to its confirmation, ms. */
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
  /** Connections that ended by themselves since the beginning. */
  lost: number;
}

/** Sending is spread evenly over the interval in ticks of this length, ms. */
const TICK_MS = 10;
const ENROL_AT_ONCE = 20;
const DAY_MS = 86_400_000;

interface Member {
  client: TerminalClient;
  phone: string;
  serial: number;
  /** When the frames were written whose confirmation is still out; confirmations come in their order. */
  sentAt: number[];
}

export class HonestFleet {
  readonly #members: Member[] = [];
  #latencies: number[] = [];
  #sent = 0;
  #lost = 0;
  #stopping = false;
  #timer: NodeJS.Timeout | undefined;
  /** Confirmed since the beginning, and frames whose confirmation never came before the connection ended. */
  confirmed = 0;
  unanswered = 0;

  static phoneOf(index: number): string {
    return `139${String(index).padStart(8, '0')}`;
  }

  /** Enrols the terminals, whose vehicles must be on file. */
  static async open(port: number, terminals: number): Promise<HonestFleet> {
    const fleet = new HonestFleet();
    for (let from = 0; from < terminals; from += ENROL_AT_ONCE) {
      const some = Array.from({ length: Math.min(ENROL_AT_ONCE, terminals - from) }, (_, i) => from + i);
      await Promise.all(some.map((index) => fleet.#enter(port, HonestFleet.phoneOf(index))));
    }
    return fleet;
  }

  get sockets(): Socket[] {
    return this.#members.map(({ client }) => client.socket);
  }

  /** Each terminal sends one location in every interval. */
  start(intervalMs: number): void {
    const startedAt = performance.now();
    let due = 0;
    this.#timer = setInterval(() => {
      const target = ((performance.now() - startedAt) / intervalMs) * this.#members.length;
      // A machine that stood still does not make up for it by a burst that no fleet would send.
      if (target - due > this.#members.length) due = target - this.#members.length;
      for (; due < target; due++) this.#send(this.#members[Math.floor(due) % this.#members.length]!);
    }, TICK_MS);
  }

  window(): Window {
    const sorted = this.#latencies.sort((a, b) => a - b);
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
    const seen = { sent: this.#sent, confirmed: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
    this.#latencies = [];
    this.#sent = 0;
    return { ...seen, lost: this.#lost };
  }

  /** Sends nothing more, waits for what is on its way, and goes. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(
      this.#members.map(({ client, sentAt }) =>
        client.until(() => client.closed || sentAt.length === 0, 'the last 0x8001'),
      ),
    );
    this.#stopping = true;
    for (const { client } of this.#members) client.socket.destroy();
  }

  async #enter(port: number, phone: string): Promise<void> {
    const client = await TerminalClient.open(port, { phone, edition: 2013 });
    await client.enrol();
    client.answers.all.length = 0;
    const member: Member = { client, phone, serial: 10, sentAt: [] };
    this.#members.push(member);
    // After the client's own listener, which has taken the bytes apart.
    client.socket.on('data', () => this.#heard(member));
    client.socket.on('close', () => {
      if (this.#stopping) return;
      this.#lost++;
      this.unanswered += member.sentAt.length;
    });
  }

  #send(member: Member): void {
    const { client, sentAt } = member;
    if (client.closed) return;
    member.serial = (member.serial + 1) & 0xffff;
    // A second of device time each, so that the track keeps every one of them.
    const at = Math.floor((Date.now() - DAY_MS) / 1000) * 1000 + this.#sent * 1000;
    client.send(frameOf(client.form, 0x0200, member.serial, locationBody({ at })));
    sentAt.push(performance.now());
    this.#sent++;
  }

  #heard({ client, sentAt }: Member): void {
    const now = performance.now();
    for (const { messageId } of client.answers.all.splice(0)) {
      if (messageId !== 0x8001) continue;
      const at = sentAt.shift();
      if (at === undefined) continue;
      this.#latencies.push(now - at);
      this.confirmed++;
    }
  }
}
