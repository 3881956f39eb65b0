/** Latest position of every vehicle: a table of numbers outside the signals, renewed by the live worker. */
import { signal } from '@preact/signals';
import type { VehicleJson } from '../api/types.js';
import { gatewayNow } from './clock.js';
import { tellLiveWorker, whenPositions } from './live-thread.js';
import { COLUMNS, type PositionRow } from './position-table.js';

export interface LivePosition {
  lat: number;
  lon: number;
  headingDeg: number;
  speedKmh: number;
  /** ms UTC. */
  deviceAt: number;
  receivedAt: number;
}

const rows = new Map<string, number>();
let values = new Float64Array(0);
let epoch = 0;

/** Rises when positions changed, at most twice a second; not while nobody looks. */
export const positionsTick = signal(0);
let missed = false;
function changed(): void {
  missed = document.hidden;
  if (!missed) positionsTick.value += 1;
}
document.addEventListener('visibilitychange', () => missed && changed());

whenPositions((snapshot) => {
  if (snapshot.epoch !== epoch) return;
  for (const id of snapshot.added) rows.set(id, rows.size);
  values = snapshot.values;
  changed();
});

function at(row: number): LivePosition {
  const from = row * COLUMNS;
  return {
    lat: values[from]!,
    lon: values[from + 1]!,
    headingDeg: values[from + 2]!,
    speedKmh: values[from + 3]!,
    deviceAt: values[from + 4]!,
    receivedAt: values[from + 5]!,
  };
}

export const positions = {
  get(id: string): LivePosition | undefined {
    const row = rows.get(id);
    return row === undefined ? undefined : at(row);
  },
  /** Where a vehicle stands in `numbers()`, for loops over the whole fleet; it stays there until sign-out. */
  rowOf(id: string): number | undefined {
    return rows.get(id);
  },
  /** The rows' numbers, `COLUMNS` each, as they are now. */
  numbers(): Float64Array {
    return values;
  },
};

/** Receipt of the newest position that is known, ms UTC: how far behind the map is, for who measures it. */
export function newestPositionAt(): number {
  let newest = 0;
  for (let i = 5; i < values.length; i += COLUMNS) newest = Math.max(newest, values[i]!);
  return newest;
}

export function takeVehiclePositions(vehicles: readonly VehicleJson[]): void {
  const known = vehicles.flatMap(({ id, lastPosition: p }): PositionRow[] =>
    p ? [[id, p.lat, p.lon, p.headingDeg, p.speedKmh, Date.parse(p.deviceAt), Date.parse(p.receivedAt)]] : [],
  );
  if (known.length > 0) tellLiveWorker({ type: 'put', rows: known });
}

export function forgetPositions(): void {
  epoch += 1;
  rows.clear();
  values = new Float64Array(0);
  tellLiveWorker({ type: 'forget', epoch });
}

/** Age of the last position, ms: health of the link. */
export function positionAgeMs(id: string): number | undefined {
  const row = rows.get(id);
  return row === undefined ? undefined : gatewayNow() - values[row * COLUMNS + 5]!;
}
