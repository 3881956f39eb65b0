/**
 * What the console knows, kept by the live connection. Events say *what changed*; the changed documents are asked of
 * the server again, so no rule of dispatch is folded a second time in the browser.
 */
import { batch, computed, effect, signal } from '@preact/signals';
import { get, getAll, type PageOf } from '../api/client.js';
import type { AlertJson, CardJson, CentreJson, EventJson, OrderJson, VehicleJson } from '../api/types.js';
import { clockRate, gatewayNow } from './clock.js';
import { LiveConnection } from './connection.js';
import { forgetPositions, takeVehiclePositions } from './positions.js';
import { boxText, watched } from './watched.js';

/** An order with the gateway time at which its running segments were computed. */
export type LiveOrder = OrderJson & { seenAt: number };

/** Stages whose orders are kept in the browser; closed and withdrawn ones are looked up when asked for. */
export const OPEN_STAGES = [
  'received', 'issued', 'atCentre', 'dispatched', 'waiting', 'returned', 'merged', 'repaired', 'recorded',
] as const; // prettier-ignore
const MAX_ORDERS = 2_000;
const MAX_VEHICLES = 50_000;
/** The newest; ended ones are shown below the open ones. */
const MAX_ALERTS = 300;
/** Documents asked for in one request; the API takes no more. */
const AT_ONCE = 100;
/** With more changed documents than this the whole lists cost less: a fleet that comes back after a break of the network. */
const LIST_INSTEAD = 1_000;
const FLUSH_MS = 200;
/** Vehicles outside the map's view are told of this often (gateway time): their links are judged by age, two minutes; nobody sees them move. */
const ELSEWHERE_S = 10;
/** The map has come to rest. */
const REST_MS = 300;

export const orders = signal<ReadonlyMap<string, LiveOrder>>(new Map());
export const vehicles = signal<ReadonlyMap<string, VehicleJson>>(new Map());
export const alerts = signal<ReadonlyMap<string, AlertJson>>(new Map());
export const cards = signal<ReadonlyMap<string, CardJson>>(new Map());
export const centres = signal<readonly CentreJson[]>([]);
export const loaded = signal(false);
export const loadProblem = signal<string | undefined>(undefined);
/** The newest events, newest first, for panels that show what just happened. */
export const recentEvents = signal<readonly EventJson[]>([]);

export const activeAlerts = computed(() =>
  [...alerts.value.values()].filter((alert) => !alert.endedAt).sort((a, b) => b.raisedAt.localeCompare(a.raisedAt)),
);
export const openCards = computed(() => [...cards.value.values()].filter((card) => !card.resolved));

const dirtyOrders = new Set<string>();
const dirtyVehicles = new Set<string>();
let dirtyAlerts = false;
let dirtyCards = false;
let flushTimer: ReturnType<typeof setTimeout> | undefined;
let connectionNow: LiveConnection | undefined;
let stopWatching: () => void = () => undefined;

const seen = (order: OrderJson): LiveOrder => ({ ...order, seenAt: gatewayNow() });

async function loadOrders(): Promise<void> {
  const items = await getAll<OrderJson>(`/orders?stage=${OPEN_STAGES.join(',')}`, MAX_ORDERS);
  orders.value = new Map(items.map((order) => [order.id, seen(order)]));
}
async function loadVehicles(): Promise<void> {
  const items = await getAll<VehicleJson>('/vehicles', MAX_VEHICLES);
  takeVehiclePositions(items);
  vehicles.value = new Map(items.map((vehicle) => [vehicle.id, vehicle]));
}
async function loadAlerts(): Promise<void> {
  const items = await getAll<AlertJson>('/alerts?open=0', MAX_ALERTS, MAX_ALERTS);
  alerts.value = new Map(items.map((alert) => [alert.id, alert]));
}
/** What waits for a person; each list is empty where the account may not see it. */
async function loadCards(): Promise<void> {
  const lists = await Promise.all(
    ['/conflicts', '/attention', '/quarantine'].map((path) => getAll<CardJson>(path, 300).catch(() => [])),
  );
  cards.value = new Map(lists.flat().map((card) => [card.id, card]));
}

async function reload(): Promise<void> {
  try {
    await Promise.all([
      loadOrders(),
      loadVehicles(),
      loadAlerts().catch(() => undefined),
      loadCards(),
      getAll<CentreJson>('/repair-centres', 500).then(
        (items) => (centres.value = items),
        () => undefined,
      ),
    ]);
    batch(() => {
      loaded.value = true;
      loadProblem.value = undefined;
    });
  } catch (error) {
    loadProblem.value = (error as Error).message;
    setTimeout(() => void reload(), 5_000);
  }
}

function takeEvents(events: EventJson[]): void {
  for (const event of events) {
    if (event.orderId) dirtyOrders.add(event.orderId);
    // Of a merge the main order shows something too.
    if (typeof event.data.into === 'string') dirtyOrders.add(event.data.into);
    if (event.vehicleId) dirtyVehicles.add(event.vehicleId);
    if (event.type.startsWith('alert.')) dirtyAlerts = true;
    if (/^(card|conflict|evidence|attention|proposal|terminal)\./.test(event.type)) dirtyCards = true;
  }
  recentEvents.value = [...events].reverse().concat(recentEvents.value).slice(0, 200);
  flushTimer ??= setTimeout(() => void flush(), FLUSH_MS);
}

async function flush(): Promise<void> {
  flushTimer = undefined;
  const orderIds = [...dirtyOrders];
  const vehicleIds = [...dirtyVehicles];
  const [withAlerts, withCards] = [dirtyAlerts, dirtyCards];
  dirtyOrders.clear();
  dirtyVehicles.clear();
  dirtyAlerts = dirtyCards = false;
  const work: Promise<unknown>[] = [
    orderIds.length > LIST_INSTEAD ? loadOrders() : refreshOrders(orderIds),
    vehicleIds.length > LIST_INSTEAD ? loadVehicles() : refreshVehicles(vehicleIds),
  ];
  if (withAlerts) work.push(loadAlerts());
  if (withCards) work.push(loadCards());
  const results = await Promise.allSettled(work);
  // A failed refresh is tried again: what is shown must not stay behind what is known.
  if (results[0]?.status === 'rejected') for (const id of orderIds) dirtyOrders.add(id);
  if (results[1]?.status === 'rejected') for (const id of vehicleIds) dirtyVehicles.add(id);
  if (results.some((result) => result.status === 'rejected')) flushTimer ??= setTimeout(() => void flush(), 3_000);
}

/** The documents of these ids; those that are gone, or not to be seen, are left out. */
async function some<T>(path: string, ids: readonly string[]): Promise<T[]> {
  const found: T[] = [];
  for (let from = 0; from < ids.length; from += AT_ONCE) {
    const these = ids
      .slice(from, from + AT_ONCE)
      .map(encodeURIComponent)
      .join(',');
    found.push(...(await get<PageOf<T>>(`${path}?ids=${these}`)).items);
  }
  return found;
}

export async function refreshOrders(ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const found = await some<OrderJson>('/orders', ids);
  const next = new Map(orders.value);
  const open = found.filter(({ stage }) => (OPEN_STAGES as readonly string[]).includes(stage));
  const present = new Set(open.map(({ id }) => id));
  for (const id of ids) if (!present.has(id)) next.delete(id);
  for (const order of open) next.set(order.id, seen(order));
  orders.value = next;
}

export async function refreshVehicles(ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const found = await some<VehicleJson>('/vehicles', ids);
  takeVehiclePositions(found);
  const present = new Set(found.map(({ id }) => id));
  const next = new Map(vehicles.value);
  // Those that stay keep their place in the lists.
  for (const id of ids) if (!present.has(id)) next.delete(id);
  for (const vehicle of found) next.set(vehicle.id, vehicle);
  vehicles.value = next;
}

/** Takes an order that a command answered with, before its event comes. */
export function takeOrder(order: OrderJson): void {
  orders.value = new Map(orders.value).set(order.id, seen(order));
}
export const refreshAlerts = loadAlerts;
export const refreshCards = loadCards;

function streamQuery(): string {
  const box = watched.peek();
  const elsewhereS = Math.max(1, Math.round(ELSEWHERE_S / clockRate.peek()));
  return `positions=1&form=rows&elsewhere=${elsewhereS}${box ? `&bbox=${boxText(box)}` : ''}`;
}

export function startLive(): void {
  stopLive();
  const live = new LiveConnection(streamQuery, { onEvents: takeEvents, onLook: loadVehicles, onReload: reload });
  connectionNow = live;
  stopWatching = effect(() => {
    void watched.value;
    const timer = setTimeout(() => live.queryChanged(), REST_MS);
    return () => clearTimeout(timer);
  });
  live.start();
}
export function stopLive(): void {
  stopWatching();
  connectionNow?.stop();
  connectionNow = undefined;
  forgetPositions();
  batch(() => {
    orders.value = new Map();
    vehicles.value = new Map();
    alerts.value = new Map();
    cards.value = new Map();
    loaded.value = false;
  });
}
