/**
 * When crews were missing (domain.md, "Capacity"): an order that comes to its repair centre, or is assigned, while no
 * crew of its trade is on standby there counts once per cycle, with the time until the first standby crew or D.
 */
import { endAlert, raiseAlert } from './alerts.js';
import { shownDuty } from './duty.js';
import { SAY } from './escalation-words.js';
import { localPlace, WEEKDAYS } from './local-time.js';
import type { Capacity, Order, Vehicle } from './model.js';
import { withOrder } from './order-fold.js';
import { tradesFor } from './organisation.js';
import { folding, type Documents, type Hook, type Hooks, type Reducers } from './tables.js';
import { someOfTrade, tradeKey } from './trade-group.js';
import type { Tx } from './tx.js';

const DAY_MS = 86_400_000;
/** Kept for the threshold, per repair centre; reports read the orders. */
export const SHORTS_KEPT = 200;

interface Short {
  cycle: number;
  at: number;
  trades: string[];
}
interface Ended {
  cycle: number;
  /** Absent where the wait ended because the order left the centre. */
  at?: number;
  because: 'standby' | 'dispatched' | 'left';
}

export const capacityReducers: Reducers = {
  'capacity.short': folding<Short>((docs, { orderId, centreId, data: { cycle, at, trades } }) => {
    withOrder(docs, orderId!, (order) => ({
      ...order,
      capacityCounted: { ...order.capacityCounted, [cycle]: at },
    }));
    const { shorts, waiting, ...rest } = capacityOf(docs, centreId!);
    docs.put('capacity', centreId!, {
      ...rest,
      shorts: [...shorts, at].slice(-SHORTS_KEPT),
      waiting: [...waiting, { orderId: orderId!, cycle, trades }],
    });
  }),
  'capacity.ended': folding<Ended>((docs, { orderId, centreId, data: { cycle, at } }) => {
    if (at !== undefined) {
      withOrder(docs, orderId!, (order) => ({ ...order, capacityMet: { ...order.capacityMet, [cycle]: at } }));
    }
    const { waiting, ...rest } = capacityOf(docs, centreId!);
    docs.put('capacity', centreId!, { ...rest, waiting: waiting.filter((one) => one.orderId !== orderId) });
  }),
  /** The repair centre was told that crews are missing. */
  'capacity.told': folding<{ at: number; alertId: string }>((docs, { centreId, data: { at, alertId } }) => {
    docs.put('capacity', centreId!, { ...capacityOf(docs, centreId!), toldAt: at, alertId });
  }),
};

function capacityOf(docs: Pick<Documents, 'get'>, centreId: string): Readonly<Capacity> {
  return docs.get('capacity', centreId) ?? { shorts: [], waiting: [] };
}

// ---------------------------------------------------------------------------------------------------------------

/** At its centre, with nobody there who could go. */
const comesToCentre: Hook = (tx, { orderId }) => {
  const order = tx.get('order', orderId!);
  if (order) countShort(tx, order);
};

const isAssigned: Hook = (tx, { orderId, data }) => {
  // The same event is also a leg that is taken up again: only a new one is an assignment.
  if (typeof data !== 'object' || data === null || !('leg' in data)) return;
  const order = tx.get('order', orderId!);
  if (!order) return;
  countShort(tx, order);
  endWait(tx, order.id, 'dispatched');
};

const leavesCentre: Hook = (tx, { orderId }) => endWait(tx, orderId!, 'left');

/** Whatever may have put a crew on standby. */
const mayBeFree: Hook = (tx, { vehicleId }) => {
  const vehicle = vehicleId === undefined ? undefined : tx.get('vehicle', vehicleId);
  if (!vehicle || !isOnStandby(tx, vehicle)) return;
  for (const { orderId, trades } of capacityOf(tx, vehicle.repairCentreId).waiting) {
    if (trades.includes(vehicle.trade)) endWait(tx, orderId, 'standby');
  }
};

export const capacityHooks: Hooks = {
  'order.atCentre': comesToCentre,
  'order.reopened': comesToCentre,
  'leg.queued': isAssigned,
  'order.returned': leavesCentre,
  'order.withdrawn': leavesCentre,
  'order.merged': leavesCentre,
  'order.repaired': leavesCentre,
  'duty.standby': mayBeFree,
  'queue.changed': mayBeFree,
  'link.up': mayBeFree,
  'vehicle.created': mayBeFree,
  'vehicle.edited': mayBeFree,
};

function countShort(tx: Tx, order: Readonly<Order>): void {
  const { cycle } = order.cycles.at(-1)!;
  const centreId = order.repairCentreId;
  if (centreId === undefined || order.capacityCounted?.[cycle] !== undefined) return;
  const trades = tradesFor(tx, order.fault.category);
  const isFree = (vehicle: Readonly<Vehicle>): boolean => isOnStandby(tx, vehicle, order.id);
  if (trades.some((trade) => someOfTrade(tx, tradeKey({ repairCentreId: centreId, trade }), isFree))) return;
  const data: Short = { cycle, at: tx.now, trades };
  tx.emit({ type: 'capacity.short', orderId: order.id, centreId, data });
  tellCentre(tx, centreId);
}

/** The crew that this very order was given to was on standby until then. */
function isOnStandby(tx: Tx, vehicle: Readonly<Vehicle>, except?: string): boolean {
  const entries = vehicle.queue.entries.filter((entry) => entry.orderId !== except);
  return shownDuty({ ...vehicle, queue: { ...vehicle.queue, entries } }, tx.now, tx.settings) === 'standby';
}

function endWait(tx: Tx, orderId: string, because: Ended['because']): void {
  const order = tx.get('order', orderId);
  const centreId = order?.repairCentreId;
  if (!order || centreId === undefined) return;
  const waits = capacityOf(tx, centreId).waiting.find((one) => one.orderId === orderId);
  if (!waits) return;
  const data: Ended = { cycle: waits.cycle, because, ...(because === 'left' ? {} : { at: tx.now }) };
  tx.emit({ type: 'capacity.ended', orderId, centreId, data });
}

/** Over the threshold the repair centre is told that crews are missing, and when; once in the time that it counts. */
function tellCentre(tx: Tx, centreId: string): void {
  const { threshold, days } = tx.settings.capacity;
  const { shorts, toldAt, alertId } = capacityOf(tx, centreId);
  const from = tx.now - days * DAY_MS;
  const lately = shorts.filter((at) => at > from);
  if (lately.length <= threshold || (toldAt !== undefined && toldAt > from)) return;
  if (alertId !== undefined) endAlert(tx, alertId, 'toldAgain');
  const id = `crewsMissing:${centreId}:${tx.now}`;
  const words = { count: lately.length, days, when: whenOf(lately, tx.settings.timeZone) };
  const message = SAY[tx.settings.language]('crewsMissing', words);
  raiseAlert(tx, {
    id,
    kind: 'crewsMissing',
    centreId,
    severity: 'warning',
    told: [{ level: 'repairCentre' }],
    message,
    values: words,
  });
  tx.emit({ type: 'capacity.told', centreId, data: { at: tx.now, alertId: id } });
}

/** The half-hours of the week in which it happened most, `Mon 09:00 (2)`. */
function whenOf(times: readonly number[], zone: string): string {
  const counts = new Map<string, number>();
  for (const at of times) {
    const { weekday, halfHour } = localPlace(at, zone);
    const clock = `${String(Math.floor(halfHour / 2)).padStart(2, '0')}:${halfHour % 2 === 0 ? '00' : '30'}`;
    const key = `${WEEKDAYS[weekday - 1]!} ${clock}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const most = [...counts].sort((a, b) => b[1] - a[1]).slice(0, PLACES_TOLD);
  return most.map(([place, count]) => `${place} (${count})`).join(', ');
}
const PLACES_TOLD = 5;
