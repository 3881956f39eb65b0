import { afterAll, beforeAll, expect, it } from 'vitest';
import type { LegState } from '../../dispatch/domain/model.js';
import { replay } from '../../dispatch/domain/reduce.js';
import type { StoredEvent } from '../../dispatch/domain/events.js';
import { AppTerminal } from '../dispatch/delivery/terminals.js';
import { frameOf, locationBody } from '../gateway/support/frames.js';
import {
  BY_POSITION, CENTRES, CREWS, depotOf, figuresOf, HOLE, MINUTE, ON_BREAK, phoneOf, plannedOrders, REASSIGNED, shortsOf,
  vehicleOf, workOf, type PlannedOrder, type Work,
} from './day-script.js'; // prettier-ignore
import { Service } from './support.js';
import { TcpTerminal } from './tcp-terminal.js';

/**
 * A day in the life of three repair centres at clock rate 60, through the gateway's public doors: HTTP for the offices,
 * TCP for the trucks. What the reports say is held against figures reckoned from the script; at the end the event log,
 * replayed, gives the stored state.
 */
const TOKEN = 'a-token-for-the-day-in-the-life';
type Json = Record<string, unknown>;

/** An order of the day with what the script knows of it. */
interface Ran extends PlannedOrder {
  id: string;
  callEndedAt: number;
  /** Gateway time before and after the assignment was asked for: D lies between. */
  assigned: [number, number];
  /** Who does the work in the end, and as which of the day's orders. */
  by: number;
  work?: Work;
}

let service: Service;
const trucks = new Map<string, TcpTerminal>();
beforeAll(async () => {
  service = await new Service({ clockRate: '60', apiToken: TOKEN, idleS: '86400', loginS: '600' }).start();
});
afterAll(async () => {
  for (const truck of trucks.values()) truck.client.socket.destroy();
  await service.stop();
});

const now = (): number => service.gateway.dispatch.clock.now();
const second = (at: number): number => Math.floor(at / 1000) * 1000;

async function http(method: string, path: string, body?: unknown): Promise<{ status: number; json: Json }> {
  const response = await fetch(`${service.gateway.url}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${TOKEN}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, json: (await response.json()) as Json };
}
async function ok(method: string, path: string, body?: unknown): Promise<Json> {
  const { status, json } = await http(method, path, body);
  if (status >= 400) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(json)}`);
  return json;
}
const post = (path: string, body: unknown = {}): Promise<Json> => ok('POST', path, body);

/** Resolves when gateway time is there. */
function at(time: number): Promise<void> {
  return new Promise((resolve) => void service.gateway.dispatch.clock.after(Math.max(0, time - now()), resolve));
}

async function legsWhere(orders: readonly Ran[], states: readonly LegState[]): Promise<boolean> {
  const found = await service.gateway.dispatch.getMany('order', orders.map(({ id }) => id)); // prettier-ignore
  return found.every((one) => states.includes(one!.value.legs.at(-1)!.state));
}

async function openDepot(centre: string): Promise<void> {
  if (centre !== 'centre-1') await ok('PUT', `/repair-centres/${centre}`, { name: centre });
  for (let crew = 0; crew < CREWS; crew++) {
    const phone = phoneOf(centre, crew);
    await post('/vehicles', {
      id: vehicleOf(centre, crew), plate: `京A${phone.slice(-5)}`, terminal: { phone, profile: 'smart' },
      repairCentreId: centre, trade: 'lowVoltage', crew: { name: `crew ${crew}`, members: [{ name: 'Li' }] },
    }); // prettier-ignore
    const truck = new TcpTerminal({ phone, edition: 2013 }, new AppTerminal());
    await truck.connect(service.gateway.ports.tcp!);
    trucks.set(vehicleOf(centre, crew), truck);
  }
}

async function callsComeIn(centre: string): Promise<Ran[]> {
  const ran: Ran[] = [];
  for (const planned of plannedOrders(centre)) {
    const callEndedAt = second(now()) - planned.writtenLateMin * MINUTE - (planned.index % 5) * 1_000;
    const id = await report(planned.site, callEndedAt);
    await post(`/orders/${id}/issue`, { repairCentreId: centre });
    const before = now();
    await post(`/orders/${id}/assign`, { vehicleId: vehicleOf(centre, planned.crew) });
    ran.push({ ...planned, id, callEndedAt, assigned: [before, now()], by: planned.crew });
  }
  return ran;
}

async function report(site: PlannedOrder['site'], callEndedAt: number): Promise<string> {
  const { id } = await post('/orders', {
    customer: { name: 'Zhao', phone: '13900000000' },
    site,
    fault: { category: 'outage', voltage: 'low', description: '停电' },
    callEndedAt: new Date(callEndedAt).toISOString(),
  });
  return id as string;
}

/** One crew's day: keys at their times, or positions; out of reach, the keys wait. */
async function drive(centre: string, crew: number, startAt: number, orders: readonly Ran[]): Promise<void> {
  const truck = trucks.get(vehicleOf(centre, crew))!;
  const waiting: (() => void)[] = [];
  let reachable = true;
  const say = (send: () => void): void => void (reachable ? send() : waiting.push(send));
  const leg = ({ id }: Ran): number => (id === reassigned.get(centre) ? 2 : 1);
  const press = async (order: Ran, action: string, time: number): Promise<void> => {
    await at(time);
    say(() => truck.say({ type: 'report.action', orderId: order.id, leg: leg(order), action, deviceAt: time }));
  };
  const hole = async (): Promise<void> => {
    await at(startAt + HOLE.from);
    reachable = false;
    await truck.disconnect();
    await at(startAt + HOLE.to);
    await truck.connect(service.gateway.ports.tcp!);
    reachable = true;
    for (const send of waiting.splice(0)) send();
  };
  const inHole = crew === HOLE.crew ? hole() : Promise.resolve();
  for (const order of orders) await press(order, 'accept', order.work!.acceptAt);
  let from = depotOf(centre, crew);
  for (const order of orders) {
    const { departAt, arriveAt, doneAt } = order.work!;
    if (crew === BY_POSITION) {
      await track(truck, from, order.site, departAt, arriveAt);
      from = order.site;
    } else {
      await press(order, 'depart', departAt);
      await press(order, 'arrive', arriveAt);
    }
    await press(order, 'done', doneAt);
  }
  await inHole;
}

/** Stands, drives, stands: what a truck's positions are, the first instants of both runs among them. */
async function track(truck: TcpTerminal, from: Place, to: Place, departAt: number, arriveAt: number): Promise<void> {
  const along = (part: number): Place => ({ lat: from.lat + (to.lat - from.lat) * part, lon: from.lon + (to.lon - from.lon) * part }); // prettier-ignore
  const fixes: [number, Place, number][] = [
    [departAt - 10_000, from, 0],
    [departAt, along(0.01), 30],
    [departAt + 20_000, along(0.3), 60],
    [arriveAt - 15_000, along(0.9), 40],
    [arriveAt, to, 0],
    [arriveAt + 20_000, to, 0],
    [arriveAt + 40_000, to, 0],
  ];
  for (const [time, { lat, lon }, kmh] of fixes) {
    await at(time);
    const place = { at: time, latE6: Math.round(lat * 1e6), lonE6: Math.round(lon * 1e6), speedDeciKmh: kmh * 10 };
    truck.client.send(frameOf(truck.form, 0x0200, (serial = (serial % 60_000) + 1), locationBody(place)));
  }
}
let serial = 20_000;
interface Place {
  lat: number;
  lon: number;
}
/** Centre → the order that was given to another crew. */
const reassigned = new Map<string, string>();

it('a day in the life', { timeout: 300_000 }, async () => {
  await ok('PUT', '/rules', { trades: { outage: ['lowVoltage'] } });
  const dayFrom = now() - 60 * MINUTE;
  await Promise.all(CENTRES.map(openDepot));
  const ran = (await Promise.all(CENTRES.map(callsComeIn))).flat();
  await service.until(() => legsWhere(ran, ['delivered']), 'every order is on its truck', 120_000);

  // Somebody else can be there sooner; the customer calls again; a neighbour reports the same outage.
  const duplicates = new Map<string, { id: string; callEndedAt: number }>();
  const lost = new Map<string, [number, number]>();
  for (const centre of CENTRES) {
    const moved = ran.find((one) => one.centre === centre && one.crew === REASSIGNED.from && one.place === 0)!;
    const before = now();
    await post(`/orders/${moved.id}/reassign`, { vehicleId: vehicleOf(centre, REASSIGNED.to) });
    lost.set(moved.id, [before - moved.assigned[1], now() - moved.assigned[0]]);
    reassigned.set(centre, moved.id);
    moved.by = REASSIGNED.to;
    const urged = ran.find((one) => one.centre === centre && one.index === 1)!;
    for (let i = 0; i < 2; i++) await post(`/orders/${urged.id}/urge`, { note: 'again' });
    const main = ran.find((one) => one.centre === centre && one.index === 0)!;
    const callEndedAt = second(now()) - 2_000;
    const id = await report(main.site, callEndedAt);
    await post(`/orders/${id}/issue`, { repairCentreId: centre });
    await post(`/orders/${id}/merge`, { into: main.id });
    duplicates.set(main.id, { id, callEndedAt });
  }
  await service.until(() => legsWhere(ran, ['delivered']), 'the reassigned orders are on their new trucks', 120_000);

  const startAt = second(now()) + 30_000;
  const shifts = CENTRES.flatMap((centre) => Array.from({ length: CREWS }, (_one, crew) => ({ centre, crew })));
  const days = shifts.map(({ centre, crew }) => {
    const own = ran.filter((one) => one.centre === centre && one.by === crew);
    // What came from another crew was put at the end of the queue.
    own.sort((a, b) => Number(a.crew !== crew) - Number(b.crew !== crew) || a.index - b.index);
    own.forEach((order, nth) => (order.work = workOf(startAt, order, nth)));
    return drive(centre, crew, startAt, own);
  });
  await Promise.all([...days, ...CENTRES.map((centre) => breaks(centre, ran))]);
  await service.until(() => legsWhere(ran, ['workDone']), 'all the work is done', 120_000);
  await Promise.all(CENTRES.map((centre) => callBacks(ran.filter((one) => one.centre === centre))));

  await checkSegments(ran, duplicates, lost, dayFrom);
  await checkDeliveries(ran, dayFrom);
  await checkCapacity(ran, dayFrom);
  await checkDuty(ran, dayFrom);
  for (const truck of trucks.values()) await truck.disconnect();
  await checkReplay();
});

/** Two crews of one trade ask for a break: one gets it, the other is told who has it. */
async function breaks(centre: string, ran: readonly Ran[]): Promise<void> {
  const crews = [ON_BREAK.granted, ON_BREAK.refused];
  const own = ran.filter((one) => one.centre === centre && crews.includes(one.by));
  await service.until(() => legsWhere(own, ['workDone']), 'both crews are free', 120_000);
  const [first, second] = crews.map((crew) => `/vehicles/${vehicleOf(centre, crew)}/duty`) as [string, string];
  await post(first, { to: 'onBreak', reason: 'lunch' });
  const refused = await http('POST', second, { to: 'onBreak' });
  expect(refused).toMatchObject({ status: 409, json: { code: 'otherOnBreak' } });
  expect(String(refused.json['detail'])).toContain(`crew ${ON_BREAK.granted}`);
  await at(now() + 2 * MINUTE);
  await post(first, { to: 'standby' });
}

/** The office files the records and calls back; one customer never answers. */
async function callBacks(ran: readonly Ran[]): Promise<void> {
  for (const { id, index } of ran) {
    await post(`/orders/${id}/record`, { record: { cause: 'fuse', done: 'replaced' } });
    if (index !== 3) await post(`/orders/${id}/callback`, { result: 'satisfied' });
    else for (let i = 0; i < 3; i++) await post(`/orders/${id}/callback`, { result: 'noAnswer' });
  }
}

interface SegmentItem {
  orderId: string;
  stage: string;
  vehicleId?: string;
  H?: string;
  kept: string;
  segments: Record<string, { elapsedMs: number; limitMs: number; state: string }>;
}

async function reportOf<T>(name: string, from: number, more = ''): Promise<{ items: T[]; summary: Json[] }> {
  const query = `from=${new Date(from).toISOString()}&to=${new Date(now() + MINUTE).toISOString()}${more}`;
  const answer = await ok('GET', `/reports/${name}?${query}`);
  expect(answer['truncated']).toBe(false);
  return answer as unknown as { items: T[]; summary: Json[] };
}

async function checkSegments(
  ran: readonly Ran[],
  duplicates: ReadonlyMap<string, { id: string; callEndedAt: number }>,
  lost: ReadonlyMap<string, [number, number]>,
  from: number,
): Promise<void> {
  const { items } = await reportOf<SegmentItem>('segments', from);
  expect(items).toHaveLength(ran.length + duplicates.size);
  const byId = new Map(items.map((item) => [item.orderId, item]));
  const promised = new Map<string, number>();
  for (const order of ran) {
    const item = byId.get(order.id)!;
    const { departAt, arriveAt, acceptAt } = order.work!;
    const what = `${order.centre} order ${order.index} by crew ${order.by}`;
    expect([item.stage, item.vehicleId, item.H], what).toEqual(['closed', vehicleOf(order.centre, order.by), new Date(arriveAt).toISOString()]); // prettier-ignore
    const { AH, GH, FG, R } = item.segments;
    promised.set(order.id, arriveAt - order.callEndedAt);
    expect([AH!.elapsedMs, GH!.elapsedMs], what).toEqual([arriveAt - order.callEndedAt, arriveAt - departAt]);
    // Positions measure the clock of the terminal, which then corrects its keys.
    if (order.by !== BY_POSITION) expect(FG!.elapsedMs, what).toBe(departAt - acceptAt);
    const [least, most] = lost.get(order.id) ?? [0, 0];
    expect(R!.elapsedMs, what).toBeGreaterThanOrEqual(least);
    expect(R!.elapsedMs, what).toBeLessThanOrEqual(most);
    expect(item.kept, what).toBe(arriveAt - order.callEndedAt > 45 * MINUTE ? 'breached' : 'met');
    const sub = duplicates.get(order.id);
    if (!sub) continue;
    promised.set(sub.id, arriveAt - sub.callEndedAt);
    expect(byId.get(sub.id)!.segments['AH']!.elapsedMs, `${what}, merged`).toBe(arriveAt - sub.callEndedAt);
  }
  for (const { orderId, segments } of items) {
    const { AH, ...parts } = segments;
    const sum = Object.values(parts).reduce((total, part) => total + part.elapsedMs, 0);
    expect(sum, orderId).toBe(AH!.elapsedMs);
  }

  // By centre and by crew: counts, breaches and medians as the script gives them.
  const expected = (of: readonly Ran[]): Record<string, unknown> => ({
    AH: figuresOf(of.map(({ id }) => promised.get(id)!), 45), // prettier-ignore
    GH: figuresOf(of.map(({ work }) => work!.arriveAt - work!.departAt), 28), // prettier-ignore
  });
  const crews = await reportOf('segments', from, '&by=crew');
  for (const [crew, own] of grouped(ran, (one) => vehicleOf(one.centre, one.by)))
    expect(figuresIn(crews.summary, crew), crew).toEqual(expected(own));
  for (const centre of CENTRES) {
    const { summary } = await reportOf('segments', from, `&centre=${centre}`);
    const own = ran.filter((one) => one.centre === centre);
    const all = [...own, ...own.flatMap(({ id, ...rest }) => (duplicates.has(id) ? [{ ...rest, id: duplicates.get(id)!.id }] : []))]; // prettier-ignore
    expect(figuresIn(summary), centre).toEqual(expected(all));
    expect(figuresIn(summary)['AH']!.breached, 'the script has breaches and promises kept').toBeGreaterThan(0);
  }
}

function figuresIn(summary: readonly Json[], group?: string): Record<string, { breached: number }> {
  const rows = summary.filter((row) => row['group'] === group && (row['name'] === 'AH' || row['name'] === 'GH'));
  return Object.fromEntries(
    rows.map(({ name, count, breached, medianMs }) => [name, { count, breached, medianMs } as { breached: number }]),
  );
}

function grouped<T>(all: readonly T[], by: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) groups.set(by(one), [...(groups.get(by(one)) ?? []), one]);
  return groups;
}

/** Every leg was delivered once, every recall confirmed. */
async function checkDeliveries(ran: readonly Ran[], from: number): Promise<void> {
  const { summary, items } = await reportOf<{ kind: string; orderId?: string; state: string }>('deliveries', from);
  const of = (kind: string): Json | undefined => summary.find((row) => row['kind'] === kind);
  const legs = ran.length + reassigned.size;
  expect(of('order')).toMatchObject({ count: legs, receipted: legs, refused: 0, unanswered: 0 });
  // A truck back from the hole may still show what its crew has done meanwhile, and is told to remove it: no re-dispatch.
  const taken = new Set(reassigned.values());
  const recalls = items.filter(({ kind, orderId }) => kind === 'recall' && taken.has(orderId!));
  expect(recalls.map(({ state }) => state)).toEqual([...taken].map(() => 'receipted'));
  expect(of('recall')!['receipted']).toBe(of('recall')!['count']);
}

async function checkCapacity(ran: readonly Ran[], from: number): Promise<void> {
  for (const centre of CENTRES) {
    const own = ran.filter((one) => one.centre === centre);
    const { items, summary } = await reportOf<{ waitedMs: number }>('capacity', from, `&centre=${centre}`);
    expect(items, centre).toHaveLength(shortsOf(own));
    expect(summary.reduce((total, row) => total + Number(row['count']), 0)).toBe(items.length);
    const longest = Math.max(...own.map(({ assigned: [before, after] }) => after - before));
    for (const { waitedMs } of items) expect(waitedMs).toBeLessThanOrEqual(longest);
  }
  const missing: unknown[] = [];
  for (let after = ''; ;) {
    const page = await ok('GET', `/alerts?limit=500${after}`);
    missing.push(
      ...(page['items'] as Json[]).filter(({ kind }) => kind === 'crewsMissing').map(({ centreId }) => centreId),
    );
    if (typeof page['next'] !== 'string') break;
    after = `&after=${encodeURIComponent(page['next'])}`;
  }
  expect(missing.sort()).toEqual([...CENTRES]);
}

interface DutyItem {
  vehicleId: string;
  enRouteMs: number;
  onSiteMs: number;
  ordersDone: number;
  breaks: number;
}

async function checkDuty(ran: readonly Ran[], from: number): Promise<void> {
  const { items } = await reportOf<DutyItem>('duty', from);
  expect(items).toHaveLength(CENTRES.length * CREWS);
  for (const { vehicleId, enRouteMs, onSiteMs, ordersDone, breaks: taken } of items) {
    const own = ran.filter((one) => vehicleOf(one.centre, one.by) === vehicleId);
    const sum = (of: (work: Work) => number): number => own.reduce((total, { work }) => total + of(work!), 0);
    expect([ordersDone, enRouteMs], vehicleId).toEqual([own.length, sum((work) => work.arriveAt - work.departAt)]);
    expect(taken, vehicleId).toBe(vehicleId.endsWith(`-${ON_BREAK.granted}`) ? 1 : 0);
    // Keys of a terminal whose clock was measured are corrected by it.
    if (own[0]!.by !== BY_POSITION) expect(onSiteMs, vehicleId).toBe(sum((work) => work.doneAt - work.arriveAt));
  }
}

/** State is what the events say: everything that the day produced, replayed. */
async function checkReplay(): Promise<void> {
  const { store } = service.gateway.dispatch;
  const asJson = (value: unknown): unknown => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));
  for (;;) {
    const last = await store.lastPosition();
    const events: StoredEvent[] = [];
    while (events.length < last) events.push(...(await store.eventsAfter(events.length, 1_000)));
    const replayed = [...replay(events).all];
    const differing: string[] = [];
    for (const [key, value] of replayed) {
      const colon = key.indexOf(':');
      const stored = await store.get(key.slice(0, colon), key.slice(colon + 1));
      if (JSON.stringify(sorted(asJson(stored?.value))) !== JSON.stringify(sorted(asJson(value)))) differing.push(key);
    }
    // Rules still run: what they changed meanwhile is compared at the new end of the log.
    if ((await store.lastPosition()) !== last) continue;
    expect(differing).toEqual([]);
    expect(replayed.length).toBeGreaterThan(100);
    return;
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => [k, sorted(v)])); // prettier-ignore
}
