/**
 * kill -9 at random instants under load: real terminals on TCP send locations and business reports, a call centre makes
 * orders over HTTP; each keeps what was not confirmed and sends it again to the next process. In the end the API must
 * show everything that was ever confirmed, and nothing twice.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { encodeBody, toHex } from '../../protocol/index.js';
import { ackText, frameOf, locationBody } from '../gateway/support/frames.js';
import { TerminalClient } from '../gateway/support/terminal-client.js';
import { GatewayProcess } from './gateway-process.js';

export interface KillOptions {
  times: number;
  terminals: number;
  /** Of the store; kept, so that a failed run can be looked at. */
  directory: string;
  /** Numbers in [0, 1): when to kill. */
  random: () => number;
  say?: (words: string) => void;
}

export interface KillFigures {
  kills: number;
  /** Confirmed by 0x8001 (locations, reports) or 201 (orders). */
  positions: number;
  reports: number;
  orders: number;
  /** Events in the log, from 1 on without a hole. */
  events: number;
  /** What was confirmed and is not there, or is there twice: must be empty. */
  missing: string[];
  doubled: string[];
  /** From the start of a process to `ready`, ms: median and longest, of the restarts. */
  restartMs: { median: number; max: number };
}

const IN_FLIGHT = 8;
/** One report to so many locations. */
const REPORT_EVERY = 10;
const FIRST_LAT_E6 = 30_000_000;
const DAY_MS = 86_400_000;
/** The load runs so long before the kill, ms. */
const SHORTEST_MS = 50;
const LONGEST_MS = 1_000;
/** Every so many kills comes whether the terminals are logged in again or not. */
const LOGIN_KILL = 5;

/** Numbers its messages; a message is one second of device time, so 4 days of them fit behind now. */
class Terminal {
  readonly form: { phone: string; edition: 2013 };
  readonly confirmed = new Set<number>();
  readonly #waiting = new Map<number, Uint8Array>();
  #lately: Uint8Array[] = [];
  #next = 0;
  #code: string | undefined;

  constructor(
    readonly phone: string,
    private readonly beginning: number,
  ) {
    this.form = { phone, edition: 2013 };
  }

  /** Against one process, until the connection breaks. */
  async run(port: number): Promise<void> {
    const client = await TerminalClient.open(port, this.form);
    if (this.#code === undefined) this.#code = await client.enrol();
    else await client.login(this.#code, SERIALS);
    // What was confirmed a moment ago comes again too: the process may have died before the terminal read the answer.
    client.send(...this.#waiting.values(), ...this.#lately);
    while (!client.closed) {
      while (this.#waiting.size < IN_FLIGHT) client.send(this.#make());
      await client.until(() => client.closed || client.answers.all.length > 0, 'an answer');
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

/** The call centre: one order after another, each with a key of its own, until it is taken. */
class CallCentre {
  readonly confirmed = new Map<string, string>();
  #next = 0;

  /** Until the process is gone. */
  async run(gateway: GatewayProcess, gone: () => boolean): Promise<void> {
    while (!gone()) {
      const description = descriptionOf(this.#next);
      try {
        const order = await gateway.ask<{ id: string }>(
          'POST',
          '/orders',
          {
            customer: { name: 'Zhao', phone: '13900000000' },
            site: { lat: 31.2, lon: 121.4, address: 'Renmin Rd 1' },
            fault: { category: 'outage', voltage: 'low', description },
          },
          { 'idempotency-key': description },
        );
        this.confirmed.set(description, order.id);
        this.#next++;
      } catch (error) {
        if (!gone() && !(error instanceof TypeError)) throw error;
        // Killed meanwhile: the same order is asked for again, of the next process.
        await pause(10);
      }
    }
  }
}
const descriptionOf = (n: number): string => `kill-run-order-${n}`;

/** Runs everything; rejects only when the run itself fails, not when something was lost. */
export async function runKills({
  times,
  terminals,
  directory,
  random,
  say = () => {},
}: KillOptions): Promise<KillFigures> {
  const beginning = Math.floor(Date.now() / 1000) * 1000 - 4 * DAY_MS;
  const fleet = Array.from(
    { length: terminals },
    (_, i) => new Terminal(`138${String(i).padStart(8, '0')}`, beginning),
  );
  const centre = new CallCentre();
  const starts: number[] = [];

  let gateway = await GatewayProcess.start(directory);
  try {
    for (const { phone } of fleet) await gateway.addVehicle(phone, phone);
    for (let kill = 1; kill <= times; kill++) {
      let gone = false;
      const { tcp } = gateway.ports;
      const running = [...fleet.map((one) => one.run(tcp).catch(() => {})), centre.run(gateway, () => gone)];
      // Most kills meet a fleet at work, some meet its logins.
      if (kill % LOGIN_KILL !== 0) await confirmedMore(fleet);
      await pause(SHORTEST_MS + random() * (LONGEST_MS - SHORTEST_MS));
      gone = true;
      await gateway.kill();
      await Promise.all(running);
      gateway = await GatewayProcess.start(directory);
      starts.push(gateway.startMs);
      say(`kill ${kill}: ${totalOf(fleet)} messages and ${centre.confirmed.size} orders confirmed so far`);
    }
    const found = await compare(gateway, fleet, centre, beginning);
    const sorted = starts.sort((a, b) => a - b);
    const restartMs = { median: sorted[sorted.length >> 1] ?? 0, max: sorted.at(-1) ?? 0 };
    return { kills: times, ...found, restartMs };
  } finally {
    await gateway.stop();
  }
}

const totalOf = (fleet: readonly Terminal[]): number => fleet.reduce((sum, { confirmed }) => sum + confirmed.size, 0);

async function confirmedMore(fleet: readonly Terminal[]): Promise<void> {
  const before = totalOf(fleet);
  for (const end = Date.now() + 20_000; totalOf(fleet) === before; await pause(10)) {
    if (Date.now() > end) throw new Error('nothing was confirmed within 20 s');
  }
}

type Found = Omit<KillFigures, 'kills' | 'restartMs'>;

async function compare(
  gateway: GatewayProcess,
  fleet: Terminal[],
  centre: CallCentre,
  beginning: number,
): Promise<Found> {
  await caughtUp(gateway);
  const found: Found = { positions: 0, reports: 0, orders: centre.confirmed.size, events: 0, missing: [], doubled: [] };
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
    const order = await gateway.ask<{ id: string }>('GET', `/orders/${id}`).catch(() => undefined);
    if (order?.id !== id || !orders.has(description)) found.missing.push(`order ${description}`);
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
