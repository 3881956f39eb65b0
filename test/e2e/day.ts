import { expect } from 'vitest';
import type { StoredEvent } from '../../dispatch/domain/events.js';
import { AppTerminal } from '../dispatch/delivery/terminals.js';
import { frameOf, locationBody } from '../gateway/support/frames.js';
import { checkCapacity, checkDeliveries, checkDuty, checkSegments, type Day, type Ran } from './day-reports.js';
import {
  BY_POSITION, CENTRES, CREWS, departureOf, depotOf, HOLE, MINUTE, ON_BREAK, phoneOf, plannedOrders, REASSIGNED,
  vehicleOf, workOf, type PlannedOrder,
} from './day-script.js'; // prettier-ignore
import { Service } from './support.js';
import { TcpTerminal } from './tcp-terminal.js';

/**
 * A day in the life of three repair centres at clock rate 60, through the gateway's public doors: HTTP for the offices,
 * TCP for the trucks. Orders come in, are worked on, recorded and called back all day. What the reports say is held
 * against figures reckoned from the script; at the end the event log, replayed, gives the stored state.
 */
const TOKEN = 'a-token-for-the-day-in-the-life';
type Json = Record<string, unknown>;

let service: Service;
/** What the log has said of each order, and who waits to hear it. */
const heard = new Set<string>();
const waiting = new Map<string, (() => void)[]>();
const trucks = new Map<string, TcpTerminal>();
/** Centre → the order that was given to another crew. */
const reassigned = new Map<string, string>();

function hear({ type, orderId, leg }: StoredEvent): void {
  if (orderId === undefined) return;
  const what = nameOf(type, orderId, leg);
  heard.add(what);
  for (const wake of waiting.get(what) ?? []) wake();
  waiting.delete(what);
}
const nameOf = (type: string, orderId: string, leg?: number): string => `${type} ${orderId}/${leg ?? ''}`;

/** Resolves when the log says so, or has said so. */
async function event(type: string, orderId: string, leg?: number): Promise<void> {
  const what = nameOf(type, orderId, leg);
  if (heard.has(what)) return;
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`it did not happen: ${what}`)), 240_000);
    const wake = (): void => {
      clearTimeout(late);
      resolve();
    };
    waiting.set(what, [...(waiting.get(what) ?? []), wake]);
  });
}

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

/** An order as the day knows it before the customer calls. */
function expected(planned: PlannedOrder): Ran {
  let arrivedOnTruck = (): void => {};
  const onTruck = new Promise<void>((resolve) => (arrivedOnTruck = resolve));
  return { ...planned, id: '', callEndedAt: 0, assigned: [0, 0], by: planned.crew, onTruck, arrivedOnTruck };
}

/** The customer calls; the order is written, issued and assigned. */
async function callComesIn(order: Ran): Promise<void> {
  order.callEndedAt = second(now()) - order.writtenLateMin * MINUTE - (order.index % 5) * 1_000;
  const id = await report(order.site, order.callEndedAt);
  await post(`/orders/${id}/issue`, { repairCentreId: order.centre });
  const before = now();
  await post(`/orders/${id}/assign`, { vehicleId: vehicleOf(order.centre, order.crew) });
  order.assigned = [before, now()];
  order.id = id;
  await event('leg.delivered', id, 1);
  order.arrivedOnTruck();
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

/**
 * One crew's day: keys at their times, or positions; out of reach, the keys wait. A crew sets out when it means to, or
 * when it has the order, if that is later.
 */
async function drive(centre: string, crew: number, startAt: number, orders: readonly Ran[]): Promise<void> {
  const truck = trucks.get(vehicleOf(centre, crew))!;
  const unsaid: (() => void)[] = [];
  let reachable = true;
  const press = async (order: Ran, action: string, time: number): Promise<void> => {
    await at(time);
    const say = (): void => void truck.say({ type: 'report.action', orderId: order.id, leg: legOf(order), action, deviceAt: time }); // prettier-ignore
    if (reachable) say();
    else unsaid.push(say);
  };
  const hole = async (): Promise<void> => {
    await at(startAt + HOLE.from);
    reachable = false;
    await truck.disconnect();
    await at(startAt + HOLE.to);
    await truck.connect(service.gateway.ports.tcp!);
    reachable = true;
    for (const say of unsaid.splice(0)) say();
  };
  const inHole = crew === HOLE.crew ? hole() : Promise.resolve();
  // Accepted as soon as the truck shows it, long before it is its turn.
  const accepting = orders.map(async (order) => {
    await order.onTruck;
    const acceptAt = Math.max(startAt, second(now()) + 1_000);
    await press(order, 'accept', acceptAt);
    return acceptAt;
  });
  let from: Place = depotOf(centre, crew);
  let freeAt = startAt;
  for (const [nth, order] of orders.entries()) {
    const acceptAt = await accepting[nth]!;
    const departAt = Math.max(departureOf(startAt, crew, nth), acceptAt + 5_000, freeAt + 20_000);
    order.work = workOf(order, acceptAt, departAt);
    const { arriveAt, doneAt } = order.work;
    if (crew === BY_POSITION) {
      await track(truck, from, order.site, departAt, arriveAt);
      from = order.site;
    } else {
      await press(order, 'depart', departAt);
      await press(order, 'arrive', arriveAt);
    }
    await press(order, 'done', doneAt);
    freeAt = doneAt;
  }
  await inHole;
}
const legOf = ({ centre, id }: Ran): number => (id === reassigned.get(centre) ? 2 : 1);

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

/** The day from its first minute to the last, on a gateway of its own. */
export async function liveThrough(): Promise<void> {
  service = await new Service({ clockRate: '60', apiToken: TOKEN, idleS: '86400', loginS: '600' }).start();
  try {
    service.gateway.dispatch.follow(0, (events) => events.forEach(hear));
    await day();
  } finally {
    for (const truck of trucks.values()) truck.client.socket.destroy();
    await service.stop();
  }
}

async function day(): Promise<void> {
  await ok('PUT', '/rules', { trades: { outage: ['lowVoltage'] } });
  const dayFrom = now() - 60 * MINUTE;
  await Promise.all(CENTRES.map(openDepot));
  const ran = CENTRES.flatMap((centre) => plannedOrders(centre).map(expected));
  const ofCentre = (centre: string): Ran[] => ran.filter((one) => one.centre === centre);
  await Promise.all(
    CENTRES.map(async (centre) => {
      for (const order of ofCentre(centre)) if (order.comesAfterMs < 0) await callComesIn(order);
    }),
  );

  // Somebody else can be there sooner; the customer calls again; a neighbour reports the same outage.
  const duplicates = new Map<string, { id: string; callEndedAt: number }>();
  const lost = new Map<string, [number, number]>();
  for (const centre of CENTRES) {
    const [main, urged] = ofCentre(centre) as [Ran, Ran];
    const moved = ofCentre(centre).find((one) => one.crew === REASSIGNED.from && one.place === 0)!;
    const before = now();
    await post(`/orders/${moved.id}/reassign`, { vehicleId: vehicleOf(centre, REASSIGNED.to) });
    lost.set(moved.id, [before - moved.assigned[1], now() - moved.assigned[0]]);
    reassigned.set(centre, moved.id);
    moved.by = REASSIGNED.to;
    for (let i = 0; i < 2; i++) await post(`/orders/${urged.id}/urge`, { note: 'again' });
    const callEndedAt = second(now()) - 2_000;
    const id = await report(main.site, callEndedAt);
    await post(`/orders/${id}/issue`, { repairCentreId: centre });
    await post(`/orders/${id}/merge`, { into: main.id });
    duplicates.set(main.id, { id, callEndedAt });
  }
  await Promise.all([...reassigned.values()].map((id) => event('leg.delivered', id, 2)));

  const startAt = second(now()) + 30_000;
  const shifts = CENTRES.flatMap((centre) => Array.from({ length: CREWS }, (_one, crew) => ({ centre, crew })));
  const days = shifts.map(({ centre, crew }) => {
    const own = ofCentre(centre).filter((one) => one.by === crew);
    // What came from another crew is behind what was on the truck then.
    const place = ({ crew: first, comesAfterMs }: Ran): number => (first !== crew ? -0.5 : comesAfterMs);
    own.sort((a, b) => place(a) - place(b));
    return drive(centre, crew, startAt, own);
  });
  await Promise.all([
    ...days,
    ...CENTRES.flatMap((centre) => [
      callsComeIn(ofCentre(centre), startAt),
      callBacks(ofCentre(centre)),
      breaks(centre, ofCentre(centre)),
    ]),
  ]);

  const facts: Day = { ran, duplicates, lost, reassigned, from: dayFrom, ok, now };
  await checkSegments(facts);
  await checkDeliveries(facts);
  await checkCapacity(facts);
  await checkDuty(facts);
  for (const truck of trucks.values()) await truck.disconnect();
  await service.checkReplay();
}

/** The orders that come in while the crews work. */
async function callsComeIn(orders: readonly Ran[], startAt: number): Promise<void> {
  const calls: Promise<void>[] = [];
  for (const order of orders) {
    if (order.comesAfterMs < 0) continue;
    await at(startAt + order.comesAfterMs);
    calls.push(callComesIn(order));
  }
  await Promise.all(calls);
}

/** Two crews of one trade ask for a break: one gets it, the other is told who has it. */
async function breaks(centre: string, ran: readonly Ran[]): Promise<void> {
  const crews = [ON_BREAK.granted, ON_BREAK.refused];
  for (const order of ran.filter((one) => crews.includes(one.by))) await done(order);
  const [first, second] = crews.map((crew) => `/vehicles/${vehicleOf(centre, crew)}/duty`) as [string, string];
  await post(first, { to: 'onBreak', reason: 'lunch' });
  const refused = await http('POST', second, { to: 'onBreak' });
  expect(refused).toMatchObject({ status: 409, json: { code: 'otherOnBreak' } });
  expect(String(refused.json['detail'])).toContain(`crew ${ON_BREAK.granted}`);
  await at(now() + 2 * MINUTE);
  await post(first, { to: 'standby' });
}

/** The crew has reported its work. */
async function done(order: Ran): Promise<void> {
  await order.onTruck;
  await event('order.repaired', order.id);
}

/** The office files each record and calls back; one customer never answers. */
async function callBacks(ran: readonly Ran[]): Promise<void> {
  await Promise.all(
    ran.map(async (order) => {
      await done(order);
      await post(`/orders/${order.id}/record`, { record: { cause: 'fuse', done: 'replaced' } });
      if (order.index !== 3) await post(`/orders/${order.id}/callback`, { result: 'satisfied' });
      else for (let i = 0; i < 3; i++) await post(`/orders/${order.id}/callback`, { result: 'noAnswer' });
    }),
  );
}
