/** How crews spent a period: duty from the events of the log, work from the legs of their orders. */
import type { StoredEvent } from '../domain/events.js';
import type { DutyState, Leg, Order, Vehicle } from '../domain/model.js';

export interface DutyRow extends Record<string, unknown> {
  vehicleId: string;
  /** On call, with or without orders; the next two lie within it. */
  standbyMs: number;
  enRouteMs: number;
  onSiteMs: number;
  onBreakMs: number;
  offDutyMs: number;
  breaks: number;
  ordersDone: number;
}
export interface DutyPeriod {
  from: number;
  to: number;
}

interface Spell {
  state: DutyState;
  from: number;
}

/** Takes the events of duty from the beginning of the period on, in order. */
export class DutyTally {
  readonly #spells = new Map<string, Spell[]>();

  constructor(private readonly period: DutyPeriod) {}

  take({ type, vehicleId, data }: StoredEvent): void {
    const state = type.slice('duty.'.length);
    if (vehicleId === undefined || (state !== 'standby' && state !== 'onBreak' && state !== 'offDuty')) return;
    const { from, since } = data as { from: DutyState; since: number };
    const spells = this.#spells.get(vehicleId) ?? [{ state: from, from: this.period.from }];
    const { from: begun } = spells.at(-1)!;
    spells.push({ state, from: Math.max(since, begun) });
    this.#spells.set(vehicleId, spells);
  }

  /** `until` is the end of the period, or now where that is earlier. */
  row(vehicle: Vehicle, orders: readonly Order[], until: number): DutyRow {
    const begin = Math.min(until, Math.max(this.period.from, vehicle.createdAt));
    const spells = this.#spells.get(vehicle.id) ?? [{ state: vehicle.duty.state, from: begin }];
    const spent: Record<DutyState, number> = { standby: 0, onBreak: 0, offDuty: 0 };
    spells.forEach(({ state, from }, i) => (spent[state] += overlap(from, spells[i + 1]?.from, begin, until)));
    const legs = orders.flatMap((order) => order.legs.filter((leg) => leg.vehicleId === vehicle.id));
    const sum = (of: (leg: Leg) => [number | undefined, number | undefined]): number =>
      legs.reduce((total, leg) => total + overlap(...of(leg), begin, until), 0);
    return {
      vehicleId: vehicle.id,
      plate: vehicle.plate,
      centreId: vehicle.repairCentreId,
      crew: vehicle.crew.name,
      trade: vehicle.trade,
      standbyMs: spent.standby,
      enRouteMs: sum(({ points: { G, H, I }, endedAt }) => [G?.at, H?.at ?? I?.at ?? endedAt]),
      onSiteMs: sum(({ points: { H, I }, endedAt }) => [H?.at, I?.at ?? endedAt]),
      onBreakMs: spent.onBreak,
      offDutyMs: spent.offDuty,
      breaks: spells.filter(({ state, from }) => state === 'onBreak' && from >= begin && from < until).length,
      ordersDone: legs.filter(({ points: { I } }) => I !== undefined && I.at >= begin && I.at < until).length,
    };
  }
}

function overlap(from: number | undefined, to: number | undefined, begin: number, until: number): number {
  return from === undefined ? 0 : Math.max(0, Math.min(to ?? until, until) - Math.max(from, begin));
}

/** Sums by repair centre. */
export function dutySummary(rows: readonly DutyRow[]): Record<string, unknown>[] {
  const centres = [...new Set(rows.map((row) => String(row['centreId'])))].sort();
  return centres.map((centreId) => {
    const own = rows.filter((row) => row['centreId'] === centreId);
    const sums = Object.fromEntries(SUMMED.map((key) => [key, own.reduce((total, row) => total + row[key], 0)]));
    return { centreId, crews: own.length, ...sums };
  });
}

const SUMMED = ['standbyMs', 'enRouteMs', 'onSiteMs', 'onBreakMs', 'offDutyMs', 'breaks', 'ordersDone'] as const;
export const DUTY_COLUMNS = ['vehicleId', 'plate', 'centreId', 'crew', 'trade', ...SUMMED] as const;
