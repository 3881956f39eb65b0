/** What crews do on their terminals, and what rules find for them (domain.md, "Events from the terminal are forgiving"). */
import { quarantine, raiseCard } from './cards.js';
import type { PlaceOfKey } from './commands.js';
import { crossed } from './crossing.js';
import { deviceTime } from './evidence.js';
import { distanceM } from './geo.js';
import { advanceLeg, endLeg, furthest, moveLeg, resumeLeg } from './leg.js';
import { isAtLeast, isEffective, legOf, type Progress } from './leg-states.js';
import { REJECTABLE } from './leg-steps.js';
import type { Leg, Order, Point, Rank, StampFlag } from './model.js';
import { centreOf } from './order.js';
import type { Appliers } from './tables.js';
import { claimForLeg } from './time-points.js';
import type { Tx } from './tx.js';

export type CrewAction = 'read' | 'accept' | 'reject' | 'depart' | 'arrive' | 'work' | 'done' | 'suspend' | 'resume';

/** One key press, resolved to a leg. */
export interface TerminalAction {
  vehicleId: string;
  phone: string;
  receivedAt: number;
  orderId: string;
  leg: number;
  action: CrewAction;
  /** Absent where the message carries no time (0x0301). */
  deviceAt?: number;
  reason?: string;
  /** Where the vehicle was. */
  at?: PlaceOfKey;
}

const MEANS: Record<Exclude<CrewAction, 'reject' | 'suspend' | 'resume'>, { to: Progress; point?: Point }> = {
  read: { to: 'read' },
  accept: { to: 'accepted', point: 'F' },
  depart: { to: 'enRoute', point: 'G' },
  arrive: { to: 'onSite', point: 'H' },
  work: { to: 'working' },
  done: { to: 'workDone', point: 'I' },
};

export const actionAppliers: Appliers = {
  'report.action': applyAction,
  'rule.departed': (tx, report) => {
    applyFinding(tx, report, {
      point: 'G',
      to: 'enRoute',
      rank: 'serverFence',
      at: report.at,
      flags: report.flags ?? [],
    });
  },
  'rule.arrived': (tx, report) => {
    const until = report.until === undefined ? {} : { until: report.until };
    applyFinding(tx, report, {
      point: 'H',
      to: 'onSite',
      rank: 'serverFence',
      at: report.at,
      flags: report.flags ?? [],
      ...until,
    });
  },
  'report.fence': (tx, report) => {
    if (report.direction === 'in') arrivedByFence(tx, report);
  },
  'rule.stoodAtOther': (tx, { orderId, leg, vehicleId, at }) => {
    const order = tx.get('order', orderId);
    if (!order) return;
    raiseCard(tx, {
      id: `proposal:${orderId}:${leg}:stoodAtOther`,
      kind: 'proposal',
      code: 'stoodAtOther',
      message: `${vehicleId} stands at the site of ${order.number}, which is not the order that it works on`,
      orderId,
      leg,
      vehicleId,
      choices: ['arrived', 'ignore'],
      data: { at },
    });
  },
};

/** Applies a key press; never refuses. */
export function applyAction(tx: Tx, action: TerminalAction): void {
  const leg = legAddressed(tx, action);
  const order = tx.get('order', action.orderId);
  if (!leg || !order) {
    quarantine(tx, {
      code: 'unknownOrder',
      message: `${action.vehicleId} reports ${action.action} for an order or leg that it does not have`,
      vehicleId: action.vehicleId,
      orderId: action.orderId,
      leg: action.leg,
      about: action.action,
      data: { action: action.action, ...(action.deviceAt === undefined ? {} : { deviceAt: action.deviceAt }) },
    });
    return;
  }
  keepClaim(tx, order, leg, action);
  const now = legOf(tx.get('order', order.id)!, leg.leg)!;
  if (isEffective(now)) workOn(tx, order, now, action);
  else reportCrossed(tx, order, now, action);
}

function legAddressed(
  tx: Tx,
  { orderId, leg, vehicleId }: { orderId: string; leg: number; vehicleId: string },
): Leg | undefined {
  const order = tx.get('order', orderId);
  const found = order && legOf(order, leg);
  return found?.vehicleId === vehicleId ? found : undefined;
}

function timeOf(
  tx: Tx,
  { phone, deviceAt, receivedAt }: { phone: string; deviceAt?: number; receivedAt: number },
  leg: Leg,
) {
  const offsetMs = tx.get('terminal', phone)?.clockOffset?.ms ?? 0;
  return deviceTime(deviceAt, receivedAt, leg.createdAt, { offsetMs, lateMs: tx.settings.lateMs });
}

function keepClaim(tx: Tx, order: Readonly<Order>, leg: Leg, action: TerminalAction): void {
  const { action: what } = action;
  const point = what === 'reject' || what === 'suspend' || what === 'resume' ? undefined : MEANS[what].point;
  if (!point) return;
  const time = timeOf(tx, action, leg);
  const flags = point === 'H' && isFar(tx, order, action) ? [...time.flags, 'disputed' as const] : time.flags;
  const rank: Rank = time.valid ? 'key' : 'keyWithoutTime';
  const { receivedAt, deviceAt, at: place } = action;
  claimForLeg(tx, order.id, leg.leg, {
    point,
    at: time.at,
    rank,
    flags,
    receivedAt,
    ...(deviceAt === undefined ? {} : { deviceAt }),
    ...(place === undefined ? {} : { place: { lat: place.lat, lon: place.lon } }),
  });
}

/** A key "arrived" from farther than the arrival radius: accepted for the work flow, its stamp is disputed. */
function isFar(tx: Tx, order: Readonly<Order>, { at }: TerminalAction): boolean {
  return at !== undefined && distanceM(at, order.site) - (at.withinM ?? 0) > tx.settings.arrival.radiusM;
}

function workOn(tx: Tx, order: Readonly<Order>, leg: Leg, action: TerminalAction): void {
  if (action.action === 'reject') return reject(tx, order, leg, action);
  if (action.action === 'suspend') return suspendByCrew(tx, order, leg);
  if (action.action === 'resume') return resumeByCrew(tx, order, leg);
  const { to } = MEANS[action.action];
  const blocked = advanceLeg(tx, order.id, leg.leg, to);
  if (!blocked) return;
  raiseCard(tx, {
    id: `proposal:${order.id}:${leg.leg}:otherOnSite`,
    kind: 'proposal',
    code: 'otherOnSite',
    message: `the crew of ${leg.vehicleId} reports ${action.action} for ${order.number} while it is on site of another order`,
    orderId: order.id,
    leg: leg.leg,
    vehicleId: leg.vehicleId,
    choices: ['suspendOther', 'ignore'],
    data: { other: blocked, action: action.action },
  });
}

function reject(tx: Tx, order: Readonly<Order>, leg: Leg, { reason = 'refused' }: TerminalAction): void {
  if (!REJECTABLE.includes(leg.state)) {
    raiseCard(tx, {
      id: `proposal:${order.id}:${leg.leg}:refusedUnderWay`,
      kind: 'proposal',
      code: 'refusedUnderWay',
      message: `the crew of ${leg.vehicleId} refuses ${order.number}, for which it is ${leg.state}: ${reason}`,
      orderId: order.id,
      leg: leg.leg,
      vehicleId: leg.vehicleId,
      choices: ['recall', 'ignore'],
      data: { reason },
    });
    return;
  }
  endLeg(tx, order.id, leg.leg, 'rejected', reason);
}

/** On site only the dispatcher suspends. */
function suspendByCrew(tx: Tx, order: Readonly<Order>, leg: Leg): void {
  if (leg.state === 'accepted' || leg.state === 'enRoute')
    moveLeg(tx, order.id, leg.leg, 'suspended', { reason: 'crew' });
}

/** As by departing for it; what waits for the customer, parts or permission is taken up by the repair centre. */
function resumeByCrew(tx: Tx, order: Readonly<Order>, leg: Leg): void {
  if (leg.state === 'suspended' && order.stage !== 'waiting') resumeLeg(tx, order.id, leg.leg);
}

/** An action on a leg that is being recalled or has ended. */
function reportCrossed(tx: Tx, order: Readonly<Order>, leg: Leg, action: TerminalAction): void {
  const time = timeOf(tx, action, leg);
  const became = crossed(tx, order, leg, { action: action.action, ...(time.valid ? { at: time.at } : {}) });
  if (became !== 'notValid') return;
  tx.emit({
    type: 'leg.notValid',
    orderId: order.id,
    leg: leg.leg,
    vehicleId: leg.vehicleId,
    ...centreOf(order),
    data: { action: action.action },
  });
}

interface Finding {
  point: 'G' | 'H';
  to: Progress;
  rank: Rank;
  at: number;
  flags: StampFlag[];
  until?: number;
}

/** A fence in the terminal was entered: H by the terminal's own clock. */
export function arrivedByFence(
  tx: Tx,
  report: Parameters<typeof timeOf>[1] & Parameters<typeof applyFinding>[1],
): void {
  const leg = legAddressed(tx, report);
  if (!leg) return;
  const time = timeOf(tx, report, leg);
  applyFinding(tx, report, { point: 'H', to: 'onSite', rank: 'terminalFence', at: time.at, flags: time.flags });
}

/** What a fence says: evidence on its leg; it advances the leg only while that is the effective one. */
function applyFinding(tx: Tx, report: { orderId: string; leg: number; vehicleId: string }, finding: Finding): void {
  const leg = legAddressed(tx, report);
  if (!leg) return;
  const { to, ...claim } = finding;
  claimForLeg(tx, report.orderId, report.leg, claim);
  const now = legOf(tx.get('order', report.orderId)!, report.leg)!;
  if (isEffective(now) && now.state !== 'suspended' && !isAtLeast(furthest(now), 'workDone'))
    advanceLeg(tx, report.orderId, report.leg, to);
}
