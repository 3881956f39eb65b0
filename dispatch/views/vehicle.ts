/** Vehicles as contract.md shows them, with what other documents know: terminal, queue, last position, link. */
import { shownDuty } from '../domain/duty.js';
import { isOpen } from '../domain/leg-states.js';
import type { Alarms, Attributes, Leg, Order, Outbox, Terminal, Vehicle } from '../domain/model.js';
import type { DispatchSettings } from '../domain/settings.js';
import type { DispatchPort, Versioned } from '../ports.js';
import type { Position } from '../store/position-batch.js';
import { iso, isoOrUndefined, plainObject } from './json.js';
import { positionView } from './position.js';

export interface VehicleFacts {
  terminal: Terminal | undefined;
  outbox: Outbox | undefined;
  lastPosition: Position | undefined;
  alarms: Alarms | undefined;
  attributes: Attributes | undefined;
  orders: ReadonlyMap<string, Order>;
  now: number;
  settings: DispatchSettings;
}

const UNDELIVERED: readonly Leg['state'][] = ['queued', 'sent'];

/** Loads what a page of vehicles shows, in a handful of reads. */
export async function vehicleViews(
  dispatch: DispatchPort,
  vehicles: readonly Versioned<'vehicle'>[],
): Promise<Record<string, unknown>[]> {
  const ids = vehicles.map(({ value }) => value.id);
  const orderIds = [...new Set(vehicles.flatMap(({ value }) => value.queue.entries.map((entry) => entry.orderId)))];
  const [terminals, outboxes, positions, alarms, attributes, orders] = await Promise.all([
    dispatch.getMany(
      'terminal',
      vehicles.map(({ value }) => value.terminal.phone),
    ),
    dispatch.getMany('outbox', ids),
    dispatch.lastPositions(ids),
    dispatch.getMany('alarms', ids),
    dispatch.getMany('attributes', ids),
    dispatch.getMany('order', orderIds),
  ]);
  const byId = new Map(orders.flatMap((order) => (order ? [[order.value.id, order.value] as const] : [])));
  return vehicles.map((vehicle, i) =>
    vehicleView(vehicle, {
      terminal: terminals[i]?.value,
      outbox: outboxes[i]?.value,
      lastPosition: positions.get(vehicle.value.id),
      alarms: alarms[i]?.value,
      attributes: attributes[i]?.value,
      orders: byId,
      now: dispatch.clock.now(),
      settings: dispatch.settings,
    }),
  );
}

export function vehicleView(
  { value: vehicle, version }: Versioned<'vehicle'>,
  facts: VehicleFacts,
): Record<string, unknown> {
  const { duty, link, queue, crew } = vehicle;
  const legs = openLegsOf(vehicle, facts.orders);
  const lastContactAt = Math.max(link.state === 'never' ? 0 : link.since, facts.lastPosition?.receivedAt ?? 0);
  return {
    id: vehicle.id,
    version,
    plate: vehicle.plate,
    terminal: terminalView(vehicle.terminal.phone, facts.terminal),
    repairCentreId: vehicle.repairCentreId,
    unitId: vehicle.unitId,
    trade: vehicle.trade,
    crew,
    sharesOffice: vehicle.sharesOffice,
    language: vehicle.language,
    toBeConfirmed: vehicle.toBeConfirmed,
    duty: {
      state: duty.state,
      shown: shownDuty(vehicle, facts.now, facts.settings),
      since: iso(duty.since),
      until: isoOrUndefined(duty.until),
      reason: duty.reason,
    },
    connection: {
      state: link.state,
      since: iso(link.since),
      address: link.address,
      node: link.node,
      ...(lastContactAt > 0 ? { lastContactAt: iso(lastContactAt) } : {}),
    },
    queue: {
      revision: queue.revision,
      confirmedRevision: queue.confirmedRevision,
      confirmedAt: isoOrUndefined(queue.confirmedAt),
      orderIds: queue.entries.map((entry) => entry.orderId),
    },
    queueLength: queue.entries.length,
    undelivered: legs.filter((leg) => UNDELIVERED.includes(leg.state)).length,
    lastPosition: facts.lastPosition ? positionView(facts.lastPosition) : null,
    alarms: Object.values(facts.alarms?.active ?? {}).map(({ bit, name, since }) => ({ bit, name, since: iso(since) })),
    attributes: Object.fromEntries(
      Object.entries(facts.attributes?.values ?? {}).map(([name, { value, at }]) => [name, { value, at: iso(at) }]),
    ),
    createdAt: iso(vehicle.createdAt),
  };
}

function openLegsOf(vehicle: Vehicle, orders: ReadonlyMap<string, Order>): Leg[] {
  return vehicle.queue.entries.flatMap(
    ({ orderId, leg }) => orders.get(orderId)?.legs.filter((one) => one.leg === leg && isOpen(one)) ?? [],
  );
}

/** What people need to know of the terminal; its codes and secret are never shown. */
export function terminalView(phone: string, terminal: Terminal | undefined): Record<string, unknown> {
  if (!terminal) return { phone };
  const { clockOffset, secret, ...rest } = terminal;
  return {
    ...plainObject(rest),
    phone,
    hasSecret: secret !== undefined,
    registered: terminal.identity !== undefined,
    ...(clockOffset ? { clockOffsetMs: clockOffset.ms, clockMeasuredAt: iso(clockOffset.measuredAt) } : {}),
  };
}
