/** Live vehicles and orders as marks of the map; one filter for list, marks, labels and trails. */
import { computed, signal } from '@preact/signals';
import type { VehicleJson } from '../api/types.js';
import { gatewayNow, now } from '../state/clock.js';
import { orders, vehicles, type LiveOrder } from '../state/live.js';
import { COLUMNS } from '../state/position-table.js';
import { positions, positionsTick } from '../state/positions.js';
import { segmentOf, standing } from '../ui/order-time.js';
import { linkHealth, shownDuty } from '../ui/pieces.js';
import type { FleetMark, OrderMark } from './engine.js';

export interface FleetFilter {
  text: string;
  centre: string;
  trade: string;
  duty: string;
}
export const fleetFilter = signal<FleetFilter>({ text: '', centre: '', trade: '', duty: '' });

function passes(vehicle: VehicleJson, filter: FleetFilter): boolean {
  if (filter.centre && vehicle.repairCentreId !== filter.centre) return false;
  if (filter.trade && vehicle.trade !== filter.trade) return false;
  if (filter.duty && shownDuty(vehicle) !== filter.duty) return false;
  if (!filter.text) return true;
  return `${vehicle.plate} ${vehicle.crew.name} ${vehicle.id}`.toLowerCase().includes(filter.text.toLowerCase());
}

export const filteredVehicles = computed(() => {
  const filter = fleetFilter.value;
  return [...vehicles.value.values()].filter((vehicle) => passes(vehicle, filter));
});

const MOVING_KMH = 3;

/** A mark for each vehicle that passes the filter: made anew when vehicles or the filter change, moved in between. */
const markedVehicles = computed(() =>
  filteredVehicles.value.map((vehicle) => {
    const mark: FleetMark = {
      id: vehicle.id,
      lon: 0,
      lat: 0,
      headingDeg: 0,
      moving: false,
      duty: shownDuty(vehicle),
      link: vehicle.connection.state,
      queue: vehicle.queueLength,
      undelivered: (vehicle.undelivered ?? 0) > 0,
      label: vehicle.plate,
    };
    return { vehicle, mark };
  }),
);

/** Vehicles whose position is known, where they are now. The marks stay the same objects: 20,000 move each second. */
export const fleetMarks = computed<readonly FleetMark[]>(() => {
  void positionsTick.value;
  const at = gatewayNow();
  const numbers = positions.numbers();
  const marks: FleetMark[] = [];
  for (const { vehicle, mark } of markedVehicles.value) {
    const row = positions.rowOf(vehicle.id);
    if (row === undefined) continue;
    const from = row * COLUMNS;
    mark.lat = numbers[from]!;
    mark.lon = numbers[from + 1]!;
    mark.headingDeg = numbers[from + 2]!;
    mark.link = linkHealth(vehicle, at - numbers[from + 5]!);
    mark.moving = mark.link === 'up' && numbers[from + 3]! > MOVING_KMH;
    marks.push(mark);
  }
  return marks;
});

const ON_MAP = new Set(['received', 'issued', 'atCentre', 'dispatched', 'waiting', 'returned']);

export function orderMark(order: LiveOrder, at: number): OrderMark {
  const { remainingMs, tone } = standing(order, at);
  const limit = segmentOf(order, 'AH')?.limitMs ?? 1;
  const minutes = remainingMs === undefined ? '–' : String(Math.trunc(remainingMs / 60_000)).replace('-', '−');
  return {
    id: order.id,
    lon: order.site.lon,
    lat: order.site.lat,
    tone,
    left: remainingMs === undefined ? 0 : Math.max(0, Math.min(1, remainingMs / limit)),
    minutes: order.timePoints.H ? '✓' : minutes,
    urgent: order.priority === 'urgent',
    label: `${order.number.slice(-4)} ${order.site.address}`,
  };
}

export const orderMarks = computed<readonly OrderMark[]>(() => {
  const at = now.value;
  const { centre } = fleetFilter.value;
  return [...orders.value.values()]
    .filter((order) => ON_MAP.has(order.stage) && (!centre || order.repairCentreId === centre))
    .map((order) => orderMark(order, at));
});
