/**
 * The script of a day and what its report must say, reckoned from the script alone: nothing here asks the gateway.
 * Times are ms of gateway time; keys carry them as device times, so they are exact whatever the machine's load.
 */

export const MINUTE = 60_000;
export const CENTRES = ['centre-1', 'centre-2', 'centre-3'] as const;
export const CREWS = 10;
/** They ask for a break when their work is done. */
export const ON_BREAK = { granted: 8, refused: 7 };
/** Out of reach for a while; presses its keys all the same. */
export const HOLE = { crew: 4, from: 7 * MINUTE, to: 14 * MINUTE };
/** Presses no key for departure and arrival: its positions say it. */
export const BY_POSITION = 5;
/** Gives its first order to another crew. */
export const REASSIGNED = { from: 2, to: 3 };
/** Orders by crew in each centre: 100 in all. */
const ORDERS_OF = [6, 14, 14, 6, 14, 6, 6, 14, 14, 6];
/** From one departure to the next. Positions need time between two orders: they measure the terminal's clock too. */
const cycleOf = (crew: number): number => (crew === BY_POSITION ? 8 : 4) * MINUTE;
/** An order comes in this many departures before its own: these are on the truck when the shift begins. */
export const AHEAD = 3;
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
  /** After the beginning of the shift; before it, where that is not later. */
  comesAfterMs: number;
  site: { lat: number; lon: number; address: string };
  /** Minutes of driving; the last order of some crews is far away, and was written down late. */
  driveMin: number;
  writtenLateMin: number;
}

export const vehicleOf = (centre: string, crew: number): string => `${centre}-truck-${crew}`;
export const phoneOf = (centre: string, crew: number): string =>
  String(13_000_000_000 + CENTRES.indexOf(centre as (typeof CENTRES)[number]) * 100 + crew);

/** The orders of one centre, in the order in which they come. */
export function plannedOrders(centre: string): PlannedOrder[] {
  const orders: Omit<PlannedOrder, 'index'>[] = [];
  for (let place = 0; place < Math.max(...ORDERS_OF); place++) {
    for (let crew = 0; crew < CREWS; crew++) {
      if (place >= ORDERS_OF[crew]!) continue;
      const isFar = place === ORDERS_OF[crew]! - 1 && crew % 3 === 0;
      orders.push({
        centre,
        crew,
        place,
        comesAfterMs: (place - AHEAD) * cycleOf(crew),
        site: siteOf(centre, crew, place),
        driveMin: isFar ? 29 : 2 + ((crew + place) % 3) * 0.25,
        writtenLateMin: isFar ? 15 : 0,
      });
    }
  }
  orders.sort((a, b) => Math.max(0, a.comesAfterMs) - Math.max(0, b.comesAfterMs));
  return orders.map((order, index) => ({ ...order, index }));
}

/** Every site has a street of its own, 3 km from the next. */
function siteOf(centre: string, crew: number, place: number): PlannedOrder['site'] {
  const lat = BASE.lat + 0.03 * (place + 1);
  const lon = BASE.lon + 0.2 * CENTRES.indexOf(centre as (typeof CENTRES)[number]) + 0.01 * crew;
  return { lat: Math.round(lat * 1e6) / 1e6, lon: Math.round(lon * 1e6) / 1e6, address: `${centre} ${crew}-${place}` };
}
export const depotOf = (centre: string, crew: number): { lat: number; lon: number } => siteOf(centre, crew, -1);

/** When the crew means to set out for its `nth` order of the day, from 0. Whole seconds, as JT/T 808 tells time. */
export const departureOf = (startAt: number, crew: number, nth: number): number =>
  startAt + nth * cycleOf(crew) + 20_000 + crew * 1_000;

/** What the crew does about an order for which it sets out then. */
export function workOf(order: PlannedOrder, acceptAt: number, departAt: number): Work {
  const arriveAt = departAt + order.driveMin * MINUTE;
  return { acceptAt, departAt, arriveAt, doneAt: arriveAt + MINUTE };
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
