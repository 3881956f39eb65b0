/**
 * Those who remember what was confirmed to them: terminals on TCP, a call centre on HTTP. Each keeps what was not
 * confirmed and sends it again; in the end {@link compare} holds what the API shows against what they remember.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { encodeBody, toHex } from '../../protocol/index.js';
import { ackText, frameOf, locationBody } from '../gateway/support/frames.js';
import { TerminalClient } from '../gateway/support/terminal-client.js';
import type { GatewayProcess } from './gateway-process.js';

export interface Found {
  /** Confirmed by 0x8001 (locations, reports), 201 (orders) or 200 (orders withdrawn). */
  positions: number;
  reports: number;
  orders: number;
  withdrawn: number;
  /** Events in the log, from 1 on without a hole. */
  events: number;
  /** What was confirmed and is not there, or is there twice: must be empty. */
  missing: string[];
  doubled: string[];
}

const IN_FLIGHT = 8;
/** One report to so many locations. */
const REPORT_EVERY = 10;
const FIRST_LAT_E6 = 30_000_000;
const DAY_MS = 86_400_000;
/** One order of so many is withdrawn again. */
const WITHDRAW_EVERY = 3;

/** Numbers its messages; a message is one second of device time, so 4 days of them fit behind now. */
export class WitnessTerminal {
  readonly form: { phone: string; edition: 2013 };
  readonly confirmed = new Set<number>();
  readonly #waiting = new Map<number, Uint8Array>();
  #lately: Uint8Array[] = [];
  #next = 0;
  #code: string | undefined;

  /**
   * @param beginning device time of its first message, ms
   * @param resendMs sends again what was not confirmed in this time; absent: only with a new connection
   */
  constructor(
    readonly phone: string,
    private readonly beginning: number,
    private readonly resendMs = Infinity,
  ) {
    this.form = { phone, edition: 2013 };
  }

  /** Messages that were sent and are not confirmed. */
  get open(): number {
    return this.#waiting.size;
  }

  /** Against one process, until the connection breaks; with `quiet` it sends nothing new any more. */
  async run(port: number, quiet: () => boolean = () => false): Promise<void> {
    const client = await TerminalClient.open(port, this.form);
    if (this.#code === undefined) this.#code = await client.enrol();
    else await client.login(this.#code, SERIALS);
    // What was confirmed a moment ago comes again too: the process may have died before the terminal read the answer.
    client.send(...this.#waiting.values(), ...this.#lately);
    for (let sentAt = performance.now(); !client.closed;) {
      while (!quiet() && this.#waiting.size < IN_FLIGHT) client.send(this.#make());
      if (quiet() && this.#waiting.size === 0) return void client.socket.destroy();
      const late = (): boolean => performance.now() - sentAt >= this.resendMs;
      await client.until(() => client.closed || client.answers.all.length > 0 || late(), 'an answer');
      if (client.answers.all.length > 0) sentAt = performance.now();
      else if (late()) {
        sentAt = performance.now();
        client.send(...this.#waiting.values());
      }
      for (const { messageId, body } of client.answers.all.splice(0)) {
        const known = messageId === 0x8001 && /^0(200|900):(\d+)=[02]$/.exec(ackText(body));
        if (known) this.#confirm(Number(known[2]));
      }
    }
  }

  /** Serials come round; among those in flight they are unique. */
  #confirm(serial: number): void {
    for (const [n, wire] of this.#waiting) {
      if (n % SERIALS !== serial) continue;
      this.#waiting.delete(n);
      this.confirmed.add(n);
      this.#lately = [...this.#lately.slice(-4), wire];
      return;
    }
  }

  #make(): Uint8Array {
    const n = this.#next++;
    const wire = isReport(n)
      ? frameOf(this.form, 0x0900, n % SERIALS, reportBody(n))
      : frameOf(
          this.form,
          0x0200,
          n % SERIALS,
          locationBody({ at: this.beginning + n * 1000, latE6: FIRST_LAT_E6 + n }),
        );
    this.#waiting.set(n, wire);
    return wire;
  }
}
/** 0xffff is kept for the login. */
const SERIALS = 0xffff;
const isReport = (n: number): boolean => n % REPORT_EVERY === 0;

/** Our passthrough with a body that no version knows: kept as evidence, so its bytes show in the event log; answered 2. */
function reportBody(n: number): Uint8Array {
  const content = Buffer.from('4c4301ff00000000', 'hex');
  content.writeUInt32BE(n, 4);
  return encodeBody('passthroughUp', 2013, { type: 0xfa, content });
}

const CONTENT_DIGITS = 16;
/** The end of its bytes, which is what makes it another report. */
const nameOfReport = (n: number): string => toHex(reportBody(n)).slice(-CONTENT_DIGITS);

/**
 * The call centre: one order after another, each with a key of its own, until it is taken; some are withdrawn again. A
 * store that does not take it now (503) is asked again.
 */
export class CallCentre {
  readonly confirmed = new Map<string, string>();
  /** Ids of orders whose withdrawal was confirmed. */
  readonly withdrawn = new Set<string>();
  #next = 0;

  /** Until the process is gone, or nobody calls any more. */
  async run(gateway: Pick<GatewayProcess, 'request'>, gone: () => boolean): Promise<void> {
    while (!gone()) {
      const description = descriptionOf(this.#next);
      const order = await this.#asked<{ id: string }>(gateway, gone, '/orders', description, {
        customer: { name: 'Zhao', phone: '13900000000' },
        site: { lat: 31.2, lon: 121.4, address: 'Renmin Rd 1' },
        fault: { category: 'outage', voltage: 'low', description },
      });
      if (order === undefined) continue;
      this.confirmed.set(description, order.id);
      if (this.#next % WITHDRAW_EVERY === 0) {
        const key = `${description}-withdrawn`;
        const done = await this.#asked(gateway, gone, `/orders/${order.id}/withdraw`, key, { reason: 'duplicate' });
        if (done === undefined) continue;
        this.withdrawn.add(order.id);
      }
      this.#next++;
    }
  }

  /** Undefined: not confirmed; the same is asked again, with the same key. */
  async #asked<T>(
    gateway: Pick<GatewayProcess, 'request'>,
    gone: () => boolean,
    path: string,
    key: string,
    body: object,
  ): Promise<T | undefined> {
    try {
      const reply = await gateway.request('POST', path, body, { 'idempotency-key': key });
      const text = await reply.text();
      if (reply.ok) return JSON.parse(text) as T;
      if (reply.status !== 503) throw new Error(`POST ${path}: ${reply.status} ${text}`);
    } catch (error) {
      if (!gone() && !(error instanceof TypeError)) throw error;
      // Killed meanwhile: the same is asked for again, of the next process.
    }
    await pause(10);
    return undefined;
  }
}
const descriptionOf = (n: number): string => `order-of-the-run-${n}`;

/** Messages confirmed so far. */
export const totalOf = (fleet: readonly WitnessTerminal[]): number =>
  fleet.reduce((sum, { confirmed }) => sum + confirmed.size, 0);

/** Resolves when something was confirmed after the call. @throws {Error} when nothing is within 20 s */
export async function confirmedMore(fleet: readonly WitnessTerminal[]): Promise<void> {
  const before = totalOf(fleet);
  for (const end = Date.now() + 20_000; totalOf(fleet) === before; await pause(10)) {
    if (Date.now() > end) throw new Error('nothing was confirmed within 20 s');
  }
}

/** What the API shows, against what was confirmed. */
export async function compare(
  gateway: GatewayProcess,
  fleet: readonly WitnessTerminal[],
  centre: CallCentre,
  beginning: number,
): Promise<Found> {
  await caughtUp(gateway);
  const found: Found = {
    positions: 0,
    reports: 0,
    orders: centre.confirmed.size,
    withdrawn: centre.withdrawn.size,
    events: 0,
    missing: [],
    doubled: [],
  };
  const evidence = await readEvents(gateway, found);
  for (const { phone, confirmed } of fleet) {
    const track = counted(await trackOf(gateway, phone), (at) => (at - beginning) / 1000);
    for (const [n, count] of track) if (count > 1) found.doubled.push(`position ${n} of ${phone}`);
    for (const n of confirmed) {
      if (isReport(n)) found.reports++;
      else found.positions++;
      const there = isReport(n) ? evidence.has(`${phone} ${nameOfReport(n)}`) : track.has(n);
      if (!there) found.missing.push(`${isReport(n) ? 'report' : 'position'} ${n} of ${phone}`);
    }
  }
  const orders = counted(await allOrders(gateway), ({ fault }) => fault.description);
  for (const [description, count] of orders) if (count > 1) found.doubled.push(`order ${description}`);
  for (const [description, id] of centre.confirmed) {
    const order = await gateway.ask<{ id: string; stage: string }>('GET', `/orders/${id}`).catch(() => undefined);
    if (order?.id !== id || !orders.has(description)) found.missing.push(`order ${description}`);
    else if (centre.withdrawn.has(id) && order.stage !== 'withdrawn')
      found.missing.push(`withdrawal of ${description}`);
  }
  return found;
}

/** The reader has applied all that is in the ingest log. */
async function caughtUp(gateway: GatewayProcess): Promise<void> {
  for (const end = Date.now() + 120_000; Date.now() < end; await pause(100)) {
    const metrics = await gateway.metrics();
    const behind =
      metrics.get('linecrew_gateway_sequence_appended')! - metrics.get('linecrew_gateway_sequence_applied')!;
    if (behind === 0) return;
  }
  throw new Error('the reader did not catch up within two minutes');
}

/** Evidence by `vehicle bytes`; holes of the log and evidence that is there twice go into `found`. */
async function readEvents(gateway: GatewayProcess, found: Found): Promise<Set<string>> {
  interface Page {
    items: { position: number; type: string; vehicleId?: string; data: { card?: { bytesHex?: string } } }[];
    lastPosition: number;
  }
  const evidence = new Set<string>();
  for (;;) {
    const { items, lastPosition } = await gateway.ask<Page>('GET', `/events?limit=500&after=${found.events}`);
    for (const { position, type, vehicleId, data } of items) {
      if (position !== found.events + 1) found.missing.push(`event ${found.events + 1}`);
      found.events = position;
      if (type !== 'evidence.quarantined') continue;
      const key = `${vehicleId} ${data.card?.bytesHex?.slice(-CONTENT_DIGITS)}`;
      if (evidence.has(key)) found.doubled.push(`report ${key}`);
      evidence.add(key);
    }
    if (items.length === 0 || found.events >= lastPosition) return evidence;
  }
}

async function trackOf(gateway: GatewayProcess, vehicleId: string): Promise<number[]> {
  const query = `from=${new Date(0).toISOString()}&to=${new Date(Date.now() + DAY_MS).toISOString()}`;
  const reply = await gateway.request('GET', `/vehicles/${vehicleId}/track?${query}`, undefined, {
    accept: 'application/x-ndjson',
  });
  const lines = (await reply.text()).split('\n').filter((line) => line !== '');
  return lines.map((line) => Date.parse((JSON.parse(line) as { deviceAt: string }).deviceAt));
}

interface OrderShown {
  fault: { description: string };
}
async function allOrders(gateway: GatewayProcess): Promise<OrderShown[]> {
  const orders: OrderShown[] = [];
  for (let after = ''; ;) {
    const page = await gateway.ask<{ items: OrderShown[]; next?: string }>('GET', `/orders?limit=500${after}`);
    orders.push(...page.items);
    if (page.next === undefined) return orders;
    after = `&after=${encodeURIComponent(page.next)}`;
  }
}

function counted<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, number> {
  const counts = new Map<K, number>();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return counts;
}
