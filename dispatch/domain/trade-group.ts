/**
 * Which vehicles are of one trade in one repair centre. Kept in pages, so that a decision that asks for somebody of the
 * trade reads a page of names and not ten thousand; the first page is in the group's own document.
 */
import type { Docs, Vehicle } from './model.js';
import type { Documents } from './tables.js';
import type { Tx } from './tx.js';

/** Vehicles of a page: a few kilobytes, read in some microseconds. Most groups have one page. */
export const TRADE_PAGE = 100;

/** Crews of one trade in one repair centre: who may be on break is decided among them. */
export function tradeKey(vehicle: Pick<Vehicle, 'repairCentreId' | 'trade'>): string {
  return `${vehicle.repairCentreId}/${vehicle.trade}`;
}

/** Id of page `number` (from 1) behind the group's own. */
export function tradePageKey(key: string, number: number): string {
  return `${key}/${number}`;
}

/** Ids of as many pages behind this one as come before them: who goes through all of them asks a few times. */
export function pagesBehind(pageId: string): string[] {
  const slash = pageId.lastIndexOf('/');
  const number = Number(pageId.slice(slash + 1));
  return Array.from({ length: number }, (_, i) => tradePageKey(pageId.slice(0, slash), number + 1 + i));
}

export function joinTrade(docs: Documents, vehicle: Readonly<Vehicle>): void {
  const key = tradeKey(vehicle);
  const group = groupOf(docs, key);
  const first = [...group.vehicleIds, vehicle.id];
  // More than one vehicle only where the group is from a version that had no pages.
  const behind = first.splice(TRADE_PAGE);
  let pages = group.pages ?? 0;
  for (const id of behind) {
    if (pages === 0 || pageOf(docs, key, pages).length >= TRADE_PAGE) pages++;
    putPage(docs, key, pages, [...pageOf(docs, key, pages), id]);
  }
  docs.put('tradeGroup', key, { ...group, vehicleIds: first, ...(pages > 0 ? { pages } : {}) });
}

/** The last vehicle of the last page takes the place of the one that leaves: all pages but the last stay full. */
export function leaveTrade(docs: Documents, vehicle: Readonly<Vehicle>): void {
  const key = tradeKey(vehicle);
  const { pages = 0 } = groupOf(docs, key);
  let left = pages;
  for (let page = 0; page <= pages; page++) {
    if (!pageOf(docs, key, page).includes(vehicle.id)) continue;
    const last = [...pageOf(docs, key, pages)];
    const moved = last.pop()!;
    putPage(docs, key, pages, last);
    putPage(docs, key, page, pageOf(docs, key, page).map((id) => (id === vehicle.id ? moved : id))); // prettier-ignore
    if (last.length === 0) left = Math.max(0, pages - 1);
    break;
  }
  const { onBreak, waiting = [], vehicleIds } = groupOf(docs, key);
  docs.put('tradeGroup', key, {
    vehicleIds,
    ...(left === 0 ? {} : { pages: left }),
    ...(onBreak === undefined || onBreak === vehicle.id ? {} : { onBreak }),
    waiting: waiting.filter((id) => id !== vehicle.id),
  });
}

type Reader = Pick<Documents, 'get'>;

function groupOf(docs: Reader, key: string): Readonly<Docs['tradeGroup']> {
  return docs.get('tradeGroup', key) ?? { vehicleIds: [] };
}

/** Vehicles of page `number`; page 0 is the group's own. */
function pageOf(docs: Reader, key: string, number: number): readonly string[] {
  if (number === 0) return groupOf(docs, key).vehicleIds;
  return docs.get('tradePage', tradePageKey(key, number))?.vehicleIds ?? [];
}

function putPage(docs: Documents, key: string, number: number, vehicleIds: string[]): void {
  if (number === 0) docs.put('tradeGroup', key, { ...groupOf(docs, key), vehicleIds });
  else if (vehicleIds.length > 0) docs.put('tradePage', tradePageKey(key, number), { vehicleIds });
  else docs.remove('tradePage', tradePageKey(key, number));
}

/**
 * True when one of the group's vehicles is as `is` says. It is as it is at this moment ({@link Tx.look}): every receipt
 * changes a vehicle, and an assignment that had to be decided again for each of them would never be done on a busy day.
 */
export function someOfTrade(tx: Tx, key: string, is: (vehicle: Readonly<Vehicle>) => boolean): boolean {
  const { vehicleIds, pages = 0 } = tx.look('tradeGroup', key) ?? { vehicleIds: [] };
  const anyOf = (ids: readonly string[]): boolean =>
    tx.lookAll('vehicle', ids).some((vehicle) => vehicle !== undefined && is(vehicle));
  // On a quiet day it is one of the first; on a bad one all are asked, and more of them are read together each time.
  for (let at = 0, count = 4; at < vehicleIds.length; at += count, count *= 2) {
    if (anyOf(vehicleIds.slice(at, at + count))) return true;
  }
  for (let first = 1, count = 1; first <= pages; first += count, count *= 2) {
    const length = Math.min(count, pages - first + 1);
    const keys = Array.from({ length }, (_, i) => tradePageKey(key, first + i));
    if (anyOf(tx.lookAll('tradePage', keys).flatMap((page) => page?.vehicleIds ?? []))) return true;
  }
  return false;
}

/** The group's vehicles one after another, for a rule that must hold: it stands on each that it took ({@link Tx.get}). */
export function* vehiclesOfTrade(tx: Tx, key: string): Generator<Readonly<Vehicle>> {
  const { pages = 0 } = groupOf(tx, key);
  for (let page = 0; page <= pages; page++) {
    for (const id of pageOf(tx, key, page)) {
      const vehicle = tx.get('vehicle', id);
      if (vehicle) yield vehicle;
    }
  }
}
