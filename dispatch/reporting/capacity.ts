/** When crews were missing (domain.md, "Capacity"): by half-hour and weekday of the local week. */
import { localPlace } from '../domain/local-time.js';
import type { Order } from '../domain/model.js';
import { iso } from '../views/json.js';
import { median } from './figures.js';

export { localPlace };

export interface CapacityRow extends Record<string, unknown> {
  orderId: string;
  number: string;
  cycle: number;
  at: string;
  /** 1 = Monday … 7 = Sunday, local. */
  weekday: number;
  /** Half-hours since local midnight, 0–47. */
  halfHour: number;
  /** Until the first crew of the trade was on standby there, or D; null while neither is. */
  waitedMs: number | null;
}

/** One row for each order and cycle that found no crew of its trade on standby. */
export function capacityRows(order: Order, zone: string): CapacityRow[] {
  return Object.entries(order.capacityCounted ?? {}).flatMap(([cycleKey, at]) => {
    const number = Number.parseInt(cycleKey, 10);
    const cycle = order.cycles.find((one) => one.cycle === number);
    if (!cycle || typeof at !== 'number') return [];
    const metAt = order.capacityMet?.[cycleKey];
    return {
      orderId: order.id,
      number: order.number,
      cycle: number,
      centreId: order.repairCentreId,
      category: order.fault.category,
      at: iso(at),
      ...localPlace(at, zone),
      waitedMs: metAt === undefined ? null : metAt - at,
    };
  });
}

/** Every half-hour of the week that had one, with the median wait. */
export function capacitySummary(rows: readonly CapacityRow[]): Record<string, unknown>[] {
  const cells = new Map<string, CapacityRow[]>();
  for (const row of rows) {
    const key = `${row.weekday}/${String(row.halfHour).padStart(2, '0')}`;
    cells.set(key, [...(cells.get(key) ?? []), row]);
  }
  return [...cells].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, own]) => ({
    weekday: own[0]!.weekday,
    halfHour: own[0]!.halfHour,
    count: own.length,
    medianWaitMs: median(own.flatMap((row) => row.waitedMs ?? []).sort((a, b) => a - b)),
  })); // prettier-ignore
}

export const CAPACITY_COLUMNS = [
  'number',
  'cycle',
  'centreId',
  'category',
  'at',
  'weekday',
  'halfHour',
  'waitedMs',
] as const;
