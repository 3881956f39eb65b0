/** Latest position of every vehicle, outside the signals: 20,000 change a second, the map reads them once a second. */
import { signal } from '@preact/signals';
import type { PositionJson, VehicleJson } from '../api/types.js';
import { gatewayNow } from './clock.js';

export interface LivePosition {
  lat: number;
  lon: number;
  headingDeg: number;
  speedKmh: number;
  /** ms UTC. */
  deviceAt: number;
  receivedAt: number;
}

export const positions = new Map<string, LivePosition>();
/** Rises once a second when positions changed. */
export const positionsTick = signal(0);
let dirty = false;

setInterval(() => {
  if (!dirty || document.hidden) return;
  dirty = false;
  positionsTick.value += 1;
}, 1000);

function put(id: string, p: PositionJson): void {
  const receivedAt = Date.parse(p.receivedAt);
  const known = positions.get(id);
  if (known && known.receivedAt > receivedAt) return;
  positions.set(id, {
    lat: p.lat,
    lon: p.lon,
    headingDeg: p.headingDeg,
    speedKmh: p.speedKmh,
    deviceAt: Date.parse(p.deviceAt),
    receivedAt,
  });
  dirty = true;
}

export function takeVehiclePositions(vehicles: readonly VehicleJson[]): void {
  for (const vehicle of vehicles) if (vehicle.lastPosition) put(vehicle.id, vehicle.lastPosition);
}

/** A batch of the stream: `[{vehicleId, lat, lon, …}]`. */
export function takePositionBatch(data: unknown): void {
  const items = (Array.isArray(data) ? data : (data as { items?: unknown[] }).items) as
    (PositionJson & { vehicleId: string })[] | undefined;
  for (const item of items ?? []) put(item.vehicleId, item);
}

/** Link health by the age of the last position, ms. */
export function positionAgeMs(id: string): number | undefined {
  const p = positions.get(id);
  return p ? gatewayNow() - p.receivedAt : undefined;
}
