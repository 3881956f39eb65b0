/**
 * The ladder (domain.md, "Escalation"): who is told to do what, after how long. What may become due is read off the
 * order alone, so it survives restarts and moves with late evidence; each step fires once, because what fired is
 * written on the order; what no longer holds ends for everybody.
 */
import { endAlert, raiseAlert, type NewAlert } from './alerts.js';
import { SAY } from './escalation-words.js';
import { isEffective, isOpen } from './leg-states.js';
import type { Alert, Leg, Order, Point, Vehicle } from './model.js';
import { segmentsOf, type Segment } from './segments.js';
import type { DispatchSettings } from './settings.js';
import { timePointsOf } from './time-points.js';
import { folding, type DueRule, type Hooks, type Reducers } from './tables.js';
import type { Tx } from './tx.js';

const MINUTE_MS = 60_000;
const NOT_ACCEPTED: readonly Leg['state'][] = ['queued', 'sent', 'delivered', 'read'];
const NOT_DELIVERED: readonly Leg['state'][] = ['queued', 'sent'];
const LIVE: readonly Order['stage'][] = ['received', 'issued', 'atCentre', 'dispatched', 'waiting', 'returned'];

/** One step that will be due, or is. Its id names it on the order for ever. */
interface Step {
  id: string;
  at: number;
  fire(tx: Tx, order: Readonly<Order>): void;
}

export const escalationReducers: Reducers = {
  /** A step without an alert of its own was done. */
  'escalation.done': folding<{ step: string }>((docs, { orderId, data }) => {
    const order = docs.get('order', orderId!)!;
    docs.put('order', order.id, { ...order, fired: { ...order.fired, [data.step]: '' } });
  }),
  /** The crew is reminded in the cab: the outbox follows this event. */
  'order.reminded': folding<{ step: string }>((docs, { orderId, data }) => {
    const order = docs.get('order', orderId!)!;
    docs.put('order', order.id, { ...order, fired: { ...order.fired, [data.step]: '' } });
  }),
  'vehicle.unreachable': folding<{ since: number }>((docs, { vehicleId, committedAt }) => {
    const vehicle = docs.get('vehicle', vehicleId!)!;
    docs.put('vehicle', vehicle.id, { ...vehicle, link: { ...vehicle.link, toldAt: committedAt } });
  }),
  'segment.atRisk': folding<unknown>(() => {}),
  'segment.breached': folding<unknown>(() => {}),
  'segment.cleared': folding<unknown>(() => {}),
};

// ---------------------------------------------------------------------------------------------------------------
// What is or will be due

function stepsOf(order: Readonly<Order>, settings: DispatchSettings): Step[] {
  if (!LIVE.includes(order.stage)) return [];
  return [...centreSteps(order, settings), ...crewSteps(order, settings), ...segmentSteps(order, settings)];
}

/** Issued, not accepted by a person of the repair centre. */
function centreSteps(order: Readonly<Order>, { escalation }: DispatchSettings): Step[] {
  const cycle = order.cycles.at(-1)!;
  const issue = cycle.issues.at(-1);
  if (!issue || order.receivedBy || (order.stage !== 'issued' && order.stage !== 'atCentre')) return [];
  const id = `centre:${order.id}:${cycle.cycle}.${cycle.issues.length}`;
  const at = issue.at + escalation.centreNotAcceptedMin * MINUTE_MS;
  return [
    {
      id,
      at,
      fire: (tx) =>
        raise(tx, order, { id, kind: 'centreNotAccepted', severity: 'warning', told: [{ level: 'callCentre' }] }),
    },
  ];
}

/** Assigned, not accepted: the cab, then the office and the managers by and by, then the next best crew. */
function crewSteps(order: Readonly<Order>, { escalation: ladder }: DispatchSettings): Step[] {
  return order.legs
    .filter((leg) => isEffective(leg) && NOT_ACCEPTED.includes(leg.state))
    .flatMap((leg) => {
      const from = leg.points.D?.at ?? leg.createdAt;
      const step = (name: string, afterMin: number, fire: (tx: Tx, id: string) => void): Step => {
        const id = `${name}:${order.id}:${leg.leg}`;
        return { id, at: from + afterMin * MINUTE_MS, fire: (tx) => fire(tx, id) };
      };
      const steps = [
        step('remind', ladder.remindCrewMin, (tx, id) =>
          tx.emit({ type: 'order.reminded', ...refsOf(order, leg), data: { step: id } }),
        ),
        step('phone', ladder.phoneCrewMin, (tx, id) => tellManager(tx, order, leg, id, 0)),
        step('manager', ladder.secondManagerMin, (tx, id) => tellManager(tx, order, leg, id, 1)),
        step('next', ladder.nextCrewMin, (tx, id) =>
          raise(tx, order, {
            id,
            kind: 'nextCrew',
            severity: 'warning',
            told: [{ level: 'repairCentre' }],
            ...vehicleOf(leg),
          }),
        ),
      ];
      if (!NOT_DELIVERED.includes(leg.state)) return steps;
      return [...steps, step('reach', ladder.unreachableS / 60, (tx, id) => checkReach(tx, order, leg, id))];
    });
}

/** A segment at 80 % of its limit, and past it. R is a sum of lost time: it is reported, not waited for. */
function segmentSteps(order: Readonly<Order>, settings: DispatchSettings): Step[] {
  const cycle = order.cycles.at(-1)!;
  return segmentsOf(order, 0, settings, cycle).flatMap((segment) => {
    const { name, startAt, running, limitMs } = segment;
    if (!running || startAt === undefined || limitMs <= 0) return [];
    const about = `${order.id}:${cycle.cycle}.${cycle.issues.length}.${cycle.effectiveLeg ?? 0}:${name}`;
    const step = (kind: 'segmentAtRisk' | 'segmentBreached', at: number): Step => {
      const id = `${kind}:${about}`;
      return { id, at, fire: (tx) => tellSegment(tx, order, segment, id, kind) };
    };
    return [
      step('segmentAtRisk', startAt + limitMs * settings.warnAtPart),
      // A limit is kept to its last millisecond; past it begins with the next.
      step('segmentBreached', startAt + limitMs + 1),
    ];
  });
}

// ---------------------------------------------------------------------------------------------------------------
// Firing

type RaisedFor = Pick<NewAlert, 'id' | 'kind' | 'severity' | 'told'> & {
  vehicleId?: string;
  words?: Record<string, string | number>;
};

function raise(tx: Tx, order: Readonly<Order>, { words = {}, ...alert }: RaisedFor): void {
  const centre = order.repairCentreId === undefined ? {} : { centreId: order.repairCentreId };
  const plate = alert.vehicleId === undefined ? '' : (tx.get('vehicle', alert.vehicleId)?.plate ?? '');
  const said = { number: order.number, plate, ...words };
  const message = SAY[tx.settings.language](alert.kind, said);
  raiseAlert(tx, { ...alert, ...centre, orderId: order.id, message, values: said });
}

/** The repair centre phones the crew; the managers of the crew (else of its unit) are shown one after the other. */
function tellManager(tx: Tx, order: Readonly<Order>, leg: Leg, id: string, which: 0 | 1): void {
  const vehicle = tx.get('vehicle', leg.vehicleId);
  const unit = vehicle?.unitId === undefined ? undefined : tx.get('unit', vehicle.unitId);
  const managers = vehicle && vehicle.crew.managers.length > 0 ? vehicle.crew.managers : (unit?.managers ?? []);
  const manager = managers[which];
  const told: Alert['told'] = [{ level: 'repairCentre' }];
  if (manager) told.push({ level: 'manager', ...manager });
  const words = { manager: manager ? `${manager.name} ${manager.phone ?? ''}`.trim() : '—' };
  raise(tx, order, {
    id,
    kind: which === 0 ? 'crewNotAccepted' : 'crewStillNotAccepted',
    severity: 'warning',
    told,
    words,
    ...vehicleOf(leg),
  });
}

function tellSegment(
  tx: Tx,
  order: Readonly<Order>,
  segment: Segment,
  id: string,
  kind: 'segmentAtRisk' | 'segmentBreached',
): void {
  const { name, limitMs, responsible } = segment;
  // Late evidence says that something began long ago: that is recorded, and nobody phones about it any more.
  if (name !== 'AH' && beganLate(order, segment, tx.now)) {
    tx.emit({ type: 'escalation.done', ...refsOf(order), data: { step: id } });
    return;
  }
  const type = kind === 'segmentAtRisk' ? 'segment.atRisk' : 'segment.breached';
  const vehicle = vehicleWorking(order);
  tx.emit({ type, ...refsOf(order), data: { name, limitMs, responsible, cycle: order.cycles.at(-1)!.cycle } });
  const levels: Alert['told'][number]['level'][] =
    responsible === 'everyone'
      ? ['callCentre', 'repairCentre']
      : responsible === 'crew'
        ? ['repairCentre', 'crew']
        : responsible === 'network'
          ? ['maintenance', 'repairCentre']
          : [responsible];
  raise(tx, order, {
    id,
    kind,
    severity: kind === 'segmentAtRisk' ? 'warning' : 'breach',
    told: levels.map((level) => ({ level })),
    words: { segment: name, minutes: Math.round(limitMs / MINUTE_MS) },
    ...vehicle,
  });
}

/** Older than this, nobody is told to phone about it (domain.md, "late"). */
const TOO_OLD_MS = 15 * MINUTE_MS;

/** The segment was past its limit for long when its beginning became known. */
function beganLate(order: Readonly<Order>, { name, startAt, limitMs }: Segment, now: number): boolean {
  const start = timePointsOf(order)[name[0] as Point];
  const pastAt = (startAt ?? now) + limitMs;
  return start !== undefined && start.committedAt > pastAt && now - pastAt > TOO_OLD_MS;
}

/** Assigned to a vehicle that is away: told once, a minute after the assignment. */
function checkReach(tx: Tx, order: Readonly<Order>, leg: Leg, id: string): void {
  const vehicle = tx.get('vehicle', leg.vehicleId);
  const awayMs = vehicle?.link.state === 'up' ? 0 : tx.now - (vehicle?.link.since ?? 0);
  tx.emit({ type: 'escalation.done', ...refsOf(order, leg), data: { step: id } });
  if (awayMs >= tx.settings.escalation.unreachableS * 1000) unreachable(tx, order, leg);
}

function unreachable(tx: Tx, order: Readonly<Order>, leg: Leg): void {
  const id = `unreachable:${order.id}:${leg.leg}`;
  raise(tx, order, {
    id,
    kind: 'unreachable',
    severity: 'warning',
    told: [{ level: 'repairCentre' }],
    ...vehicleOf(leg),
  });
}

const vehicleOf = (leg: Leg): { vehicleId: string; leg: number } => ({ vehicleId: leg.vehicleId, leg: leg.leg });

function vehicleWorking(order: Readonly<Order>): { vehicleId?: string } {
  const leg = order.legs.find((one) => one.leg === order.cycles.at(-1)!.effectiveLeg);
  return leg ? { vehicleId: leg.vehicleId } : {};
}

function refsOf(
  order: Readonly<Order>,
  leg?: Leg,
): { orderId: string; centreId?: string; leg?: number; vehicleId?: string } {
  return {
    orderId: order.id,
    ...(order.repairCentreId === undefined ? {} : { centreId: order.repairCentreId }),
    ...(leg ? vehicleOf(leg) : {}),
  };
}

// ---------------------------------------------------------------------------------------------------------------
// By time

export const orderEscalation: DueRule<'order'> = {
  kind: 'order',
  name: 'escalation',
  dueAt: (order, settings) => {
    let earliest: number | undefined;
    for (const { id, at } of stepsOf(order, settings)) {
      if (!(id in order.fired) && (earliest === undefined || at < earliest)) earliest = at;
    }
    return earliest;
  },
  tick: (tx, id) => {
    const due = stepsOf(tx.get('order', id)!, tx.settings).filter((step) => step.at <= tx.now);
    for (const step of due) {
      const order = tx.get('order', id)!;
      if (!(step.id in order.fired)) step.fire(tx, order);
    }
  },
};

/** A vehicle that went away with legs that it does not have yet. */
export const vehicleEscalation: DueRule<'vehicle'> = {
  kind: 'vehicle',
  name: 'escalation',
  dueAt: ({ link, queue }, { escalation }) =>
    link.state === 'down' && link.toldAt === undefined && queue.entries.length > 0
      ? link.since + escalation.unreachableS * 1000
      : undefined,
  tick: (tx, id) => {
    const vehicle = tx.get('vehicle', id)!;
    const at = vehicleEscalation.dueAt(vehicle, tx.settings);
    if (at === undefined || at > tx.now) return;
    const orders = vehicle.queue.entries.map((entry) => [tx.get('order', entry.orderId), entry.leg] as const);
    tx.emit({
      type: 'vehicle.unreachable',
      vehicleId: id,
      centreId: vehicle.repairCentreId,
      data: { since: vehicle.link.since },
    });
    for (const [order, number] of orders) {
      const leg = order?.legs.find((one) => one.leg === number);
      if (order && leg && isOpen(leg) && NOT_DELIVERED.includes(leg.state)) unreachable(tx, order, leg);
    }
  },
};

// ---------------------------------------------------------------------------------------------------------------
// By what happens

/** Ends what no longer holds, after any event of an order. */
function settle(tx: Tx, orderId: string): void {
  const order = tx.get('order', orderId);
  if (!order) return;
  const raised = Object.entries(order.fired).flatMap(([id, alertId]) => (alertId === '' ? [] : [id]));
  // Most orders never had an alert: what holds of them need not be reckoned at each of their events.
  if (raised.length === 0) return;
  const holding = new Set(stepsOf(order, tx.settings).map((step) => step.id));
  const now = segmentsOf(order, tx.now, tx.settings);
  for (const id of raised) {
    if (holding.has(id)) continue;
    const kind = id.slice(0, id.indexOf(':'));
    if (kind === 'segmentAtRisk' || kind === 'segmentBreached') endSegment(tx, order, id, kind, now);
    else if (kind === 'unreachable') endReached(tx, order, id);
    else if (ENDED_BY_ORDER.includes(kind)) endAlert(tx, id, 'happened');
  }
}

const ENDED_BY_ORDER = ['centre', 'phone', 'manager', 'next'];

function endSegment(tx: Tx, order: Readonly<Order>, id: string, kind: string, segments: Segment[]): void {
  const alert = tx.get('alert', id);
  if (!alert || alert.endedAt !== undefined) return;
  const name = id.slice(id.lastIndexOf(':') + 1);
  const segment = segments.find((one) => one.name === name);
  // The end is known now, and by its own time the limit was kept: the breach did not happen.
  const kept = kind === 'segmentBreached' && segment?.state === 'met';
  if (kept)
    tx.emit({
      type: 'segment.cleared',
      ...refsOf(order),
      data: { name, elapsedMs: segment.elapsedMs, limitMs: segment.limitMs },
    });
  endAlert(tx, id, kept ? 'lateEvidence' : 'happened');
}

function endReached(tx: Tx, order: Readonly<Order>, id: string): void {
  const leg = order.legs.find((one) => one.leg === Number(id.slice(id.lastIndexOf(':') + 1)));
  if (!leg || !isOpen(leg) || !NOT_DELIVERED.includes(leg.state)) endAlert(tx, id, 'happened');
}

const settleOrder = (tx: Tx, event: { orderId?: string }): void => {
  if (event.orderId !== undefined) settle(tx, event.orderId);
};

/** Types after which an alert may have lost its reason. */
const SETTLING = [
  'timePoint.set',
  'order.acceptedByCentre',
  'order.issued',
  'order.dispatched',
  'order.returned',
  'order.waiting',
  'order.merged',
  'order.withdrawn',
  'order.repaired',
  'order.recorded',
  'order.closed',
  'order.reopened',
  'leg.delivered',
  'leg.read',
  'leg.accepted',
  'leg.enRoute',
  'leg.onSite',
  'leg.working',
  'leg.workDone',
  'leg.completed',
  'leg.suspended',
  'leg.recalling',
  'leg.recalled',
  'leg.rejected',
  'leg.expired',
];

/** The vehicle is back: nobody needs to look for it. */
function endAway(tx: Tx, event: { vehicleId?: string }): void {
  const vehicle: Readonly<Vehicle> | undefined =
    event.vehicleId === undefined ? undefined : tx.get('vehicle', event.vehicleId);
  for (const { orderId, leg } of vehicle?.queue.entries ?? [])
    endAlert(tx, `unreachable:${orderId}:${leg}`, 'reachable');
}

export const escalationHooks: Hooks = {
  ...Object.fromEntries(SETTLING.map((type) => [type, settleOrder])),
  'link.up': endAway,
};
