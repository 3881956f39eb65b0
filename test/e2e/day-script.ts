/**
 * The script of a day and what its report must say, reckoned from the script alone: nothing here asks the gateway.
 * Times are ms of gateway time; keys carry them as device times, so they are exact whatever the machine's load.
 */

export const MINUTE = 60_000;
export const CENTRES = ['centre-1', 'centre-2', 'centre-3'] as const;
export const CREWS = 10;
/** More than two only where the machine has time for them: LINECREW_DAY_ORDERS=10 is a day of 300 orders. */
const ORDERS_PER_CREW = Number(process.env['LINECREW_DAY_ORDERS'] ?? 2);
/** These two have one order less: they ask for a break afterwards. */
export const ON_BREAK = { granted: 8, refused: 7 };
/** Out of reach for a while; presses its keys all the same. */
export const HOLE = { crew: 4, from: 7 * MINUTE, to: 14 * MINUTE };
/** Presses no key for departure and arrival: its positions say it. */
export const BY_POSITION = 5;
/** Gives its first order to another crew. */
export const REASSIGNED = { from: 2, to: 3 };
const CYCLE_MS = 6 * MINUTE;
const BASE = { lat: 31, lon: 121 };

export interface Work {
  acceptAt: number;
  departAt: number;
  arriveAt: number;
  doneAt: number;
}

export interface PlannedOrder {
  centre: string;
  /** Position in which the centre gets it. */
  index: number;
  crew: number;
  /** Place in the crew's day, from 0. */
  place: number;
  site: { lat: number; lon: number; address: string };
  /** Minutes of driving; the last order of some crews is far away, and was written down late. */
  driveMin: number;
  writtenLateMin: number;
}

export const vehicleOf = (centre: string, crew: number): string => `${centre}-truck-${crew}`;
export const phoneOf = (centre: string, crew: number): string =>
  String(13_000_000_000 + CENTRES.indexOf(centre as (typeof CENTRES)[number]) * 100 + crew);

/** The orders of one centre, in the order in which they come: each crew's first, each crew's second, … */
export function plannedOrders(centre: string): PlannedOrder[] {
  const orders: PlannedOrder[] = [];
  for (let place = 0; place < ORDERS_PER_CREW; place++) {
    for (let crew = 0; crew < CREWS; crew++) {
      const isShort = crew === ON_BREAK.granted || crew === ON_BREAK.refused;
      if (isShort && place === ORDERS_PER_CREW - 1) continue;
      const isFar = place === ORDERS_PER_CREW - 1 && crew % 3 === 0;
      orders.push({
        centre,
        index: orders.length,
        crew,
        place,
        site: siteOf(centre, crew, place),
        driveMin: isFar ? 29 : 2 + ((crew + place) % 3) * 0.5,
        writtenLateMin: isFar ? 10 : 0,
      });
    }
  }
  return orders;
}

/** Every site has a street of its own, 3 km from the next. */
function siteOf(centre: string, crew: number, place: number): PlannedOrder['site'] {
  const lat = BASE.lat + 0.03 * (place + 1);
  const lon = BASE.lon + 0.2 * CENTRES.indexOf(centre as (typeof CENTRES)[number]) + 0.01 * crew;
  return { lat: Math.round(lat * 1e6) / 1e6, lon: Math.round(lon * 1e6) / 1e6, address: `${centre} ${crew}-${place}` };
}
export const depotOf = (centre: string, crew: number): { lat: number; lon: number } => siteOf(centre, crew, -1);

/** What the crew does about its `nth` order of the day, from 0. All in whole seconds, as JT/T 808 tells time. */
export function workOf(startAt: number, order: PlannedOrder, nth: number): Work {
  const departAt = startAt + nth * CYCLE_MS + 20_000 + order.crew * 1_000;
  const arriveAt = departAt + order.driveMin * MINUTE;
  return { acceptAt: startAt + 5_000 + nth * 1_000, departAt, arriveAt, doneAt: arriveAt + 90_000 };
}

export interface Figures {
  count: number;
  breached: number;
  medianMs: number | null;
}

/** Count, breaches and the median of some lengths against one limit. */
export function figuresOf(lengths: readonly number[], limitMin: number): Figures {
  const sorted = [...lengths].sort((a, b) => a - b);
  const half = sorted.length / 2;
  const medianMs =
    sorted.length === 0 ? null
    : Number.isInteger(half) ? (sorted[half - 1]! + sorted[half]!) / 2
    : sorted[Math.floor(half)]!; // prettier-ignore
  return { count: lengths.length, breached: lengths.filter((one) => one > limitMin * MINUTE).length, medianMs };
}

/** Orders that found nobody on standby: each crew is free until its first order; one is given to a busy crew later. */
export const shortsOf = (orders: readonly PlannedOrder[]): number => orders.length - CREWS + 1;
