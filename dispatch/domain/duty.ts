/** Crew duty: off duty, standby, on break; one crew of a trade on break at a time (domain.md, "Availability"). */
import { raiseCard, settleCards } from './cards.js';
import { deviceTime } from './evidence.js';
import type { DutyState, ShownDuty, Vehicle } from './model.js';
import { vehicleNamed } from './queue.js';
import type { DispatchSettings } from './settings.js';
import {
  folding,
  type Appliers,
  type CommandOf,
  type Deciders,
  type Documents,
  type DueRule,
  type Hooks,
  type Reducer,
  type Reducers,
} from './tables.js';
import { tradeKey, vehiclesOfTrade } from './trade-group.js';
import { Refusal, type Tx } from './tx.js';

interface DutyChanged {
  from: DutyState;
  since: number;
  until?: number;
  reason?: string;
}

export const dutyReducers: Reducers = {
  'duty.offDuty': dutyTo('offDuty'),
  'duty.standby': dutyTo('standby'),
  'duty.onBreak': dutyTo('onBreak'),
  /** Refused while another crew of the trade is on break: waits in turn. */
  'duty.breakAwaited': folding<{ trade: string }>((docs, { vehicleId, data }) => {
    const group = docs.get('tradeGroup', data.trade)!;
    const waiting = [...(group.waiting ?? []).filter((id) => id !== vehicleId), vehicleId!];
    docs.put('tradeGroup', data.trade, { ...group, waiting });
  }),
  /** It is this crew's turn. */
  'duty.breakFree': folding<{ trade: string }>((docs, { vehicleId, data }) => {
    const group = docs.get('tradeGroup', data.trade)!;
    docs.put('tradeGroup', data.trade, { ...group, waiting: (group.waiting ?? []).filter((id) => id !== vehicleId) });
  }),
  /** A request from the terminal was refused; the crew is told why. */
  'duty.refused': () => {},
};

function dutyTo(state: DutyState): Reducer {
  return folding<DutyChanged>((docs, { vehicleId, data: { since, until, reason } }) => {
    const vehicle = docs.get('vehicle', vehicleId!)!;
    const duty: Vehicle['duty'] = { state, since };
    if (until !== undefined) duty.until = until;
    if (reason !== undefined) duty.reason = reason;
    docs.put('vehicle', vehicle.id, { ...vehicle, duty });
    foldGroup(docs, vehicle, state);
  });
}

function foldGroup(docs: Documents, vehicle: Readonly<Vehicle>, state: DutyState): void {
  const key = tradeKey(vehicle);
  const { onBreak, waiting = [], ...group } = docs.get('tradeGroup', key) ?? { vehicleIds: [vehicle.id] };
  const stays = onBreak !== undefined && onBreak !== vehicle.id;
  const now = state === 'onBreak' ? { onBreak: vehicle.id } : stays ? { onBreak } : {};
  docs.put('tradeGroup', key, {
    ...group,
    ...now,
    waiting: state === 'onBreak' ? waiting.filter((id) => id !== vehicle.id) : waiting,
  });
}

export const dutyDeciders: Deciders = {
  'vehicle.duty': (tx, command) => {
    const vehicle = vehicleNamed(tx, command.vehicleId);
    changeDuty(tx, vehicle, command);
    return { vehicleId: vehicle.id, duty: command.to };
  },
};

export const dutyAppliers: Appliers = {
  'rule.movedOnBreak': proposeEnd,
  'report.duty': (tx, report) => {
    const vehicle = tx.get('vehicle', report.vehicleId);
    if (!vehicle) return;
    const offsetMs = tx.get('terminal', report.phone)?.clockOffset?.ms ?? 0;
    const { at } = deviceTime(report.deviceAt, report.receivedAt, vehicle.duty.since, {
      offsetMs,
      lateMs: tx.settings.lateMs,
    });
    try {
      changeDuty(tx, vehicle, { to: report.to, ...(report.reason === undefined ? {} : { reason: report.reason }) }, at);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      tellRefused(tx, vehicle, report.to, error);
    }
  },
};

/** A terminal gets no refusal: its crew is told, and where the dispatcher may decide, a card asks. */
function tellRefused(tx: Tx, vehicle: Readonly<Vehicle>, to: DutyState, { code, message, details }: Refusal): void {
  const ref = { vehicleId: vehicle.id, centreId: vehicle.repairCentreId };
  tx.emit({ type: 'duty.refused', ...ref, data: { to, code, message, details } });
  if (code !== 'nobodyLeft') return;
  raiseCard(tx, {
    id: `proposal:${vehicle.id}:break`,
    kind: 'proposal',
    code: 'breakNeedsConfirmation',
    message,
    vehicleId: vehicle.id,
    choices: ['grant', 'refuse'],
  });
}

/** Proposed, not decided: the crew may be driving to its meal. */
function proposeEnd(tx: Tx, { vehicleId, at }: { vehicleId: string; at: number }): void {
  const vehicle = tx.get('vehicle', vehicleId);
  if (vehicle?.duty.state !== 'onBreak' || at < vehicle.duty.since) return;
  raiseCard(tx, {
    id: `proposal:${vehicleId}:breakMoved`,
    kind: 'proposal',
    code: 'breakMoved',
    message: `${vehicle.crew.name} is on break, but ${vehicle.plate} is under way; is the break over?`,
    vehicleId,
    choices: ['endBreak', 'ignore'],
    data: { at },
  });
}

type DutyWish = Pick<CommandOf<'vehicle.duty'>, 'to' | 'reason' | 'until' | 'confirm'>;

export function changeDuty(
  tx: Tx,
  vehicle: Readonly<Vehicle>,
  { to, reason, until, confirm }: DutyWish,
  since = tx.now,
): void {
  const from = vehicle.duty.state;
  if (until !== undefined && until <= tx.now) throw new Refusal('timeOutOfRange', 'until is in the past', 422);
  if (from === to && (to !== 'onBreak' || until === undefined)) return;
  if (to === 'offDuty') checkNoOrders(vehicle);
  if (to === 'onBreak' && from !== 'onBreak') checkBreak(tx, vehicle, confirm);
  const limit = to === 'onBreak' ? { until: until ?? tx.now + tx.settings.breakLimitMin * 60_000 } : {};
  const data: DutyChanged = {
    from,
    since: from === to ? vehicle.duty.since : since,
    ...limit,
    ...(reason === undefined ? {} : { reason }),
  };
  tx.emit({ type: `duty.${to}`, vehicleId: vehicle.id, centreId: vehicle.repairCentreId, data });
  settleCards(tx, `proposal:${vehicle.id}:break`, to);
  settleCards(tx, `proposal:${vehicle.id}:breakMoved`, to);
  if (to === 'onBreak' && from !== 'onBreak') proposeQueued(tx, vehicle);
  if (from === 'onBreak' && to !== 'onBreak') callNext(tx, vehicle);
}

function checkNoOrders(vehicle: Readonly<Vehicle>): void {
  const { entries } = vehicle.queue;
  if (entries.length === 0) return;
  throw new Refusal('openLegs', `${vehicle.id} still has ${entries.length} orders`, 409, { legs: entries });
}

/** Granted atomically: the document of the trade is part of the decision. */
function checkBreak(tx: Tx, vehicle: Readonly<Vehicle>, confirm: boolean | undefined): void {
  if (vehicle.duty.state === 'offDuty') throw new Refusal('offDuty', `the crew of ${vehicle.id} is off duty`);
  if (vehicle.active) {
    throw new Refusal('underWay', `the crew of ${vehicle.id} is ${vehicle.active.state}`, 409, { ...vehicle.active });
  }
  const trade = tradeKey(vehicle);
  const group = tx.get('tradeGroup', trade);
  if (group?.onBreak !== undefined && group.onBreak !== vehicle.id) {
    const other = tx.get('vehicle', group.onBreak);
    const name = other?.crew.name ?? group.onBreak;
    tx.emit({ type: 'duty.breakAwaited', vehicleId: vehicle.id, centreId: vehicle.repairCentreId, data: { trade } });
    const place = (tx.get('tradeGroup', trade)?.waiting ?? []).indexOf(vehicle.id) + 1;
    throw new Refusal(
      'otherOnBreak',
      `${name} is on break; one crew of a trade at a time`,
      409,
      { vehicleId: group.onBreak, crew: name, place },
      true,
    );
  }
  if (confirm) return;
  for (const other of vehiclesOfTrade(tx, trade)) if (other.id !== vehicle.id && isFree(other)) return;
  throw new Refusal(
    'nobodyLeft',
    `no other crew for ${vehicle.trade} would be on standby; the dispatcher confirms`,
    409,
    {
      choices: ['confirm'],
    },
  );
}

function isFree(vehicle: Readonly<Vehicle>): boolean {
  return vehicle.duty.state === 'standby' && vehicle.queue.entries.length === 0;
}

/** Queued legs that the crew has not accepted when its break starts are proposed for another vehicle. */
function proposeQueued(tx: Tx, vehicle: Readonly<Vehicle>): void {
  for (const entry of vehicle.queue.entries) {
    const leg = tx.get('order', entry.orderId)?.legs.find((one) => one.leg === entry.leg);
    if (leg && NOT_ACCEPTED.includes(leg.state)) proposeOther(tx, vehicle, entry.orderId, entry.leg);
  }
}
const NOT_ACCEPTED: readonly string[] = ['queued', 'sent', 'delivered', 'read'];

function proposeOther(tx: Tx, vehicle: Readonly<Vehicle>, orderId: string, leg: number): void {
  raiseCard(tx, {
    id: `proposal:${orderId}:${leg}:crewOnBreak`,
    kind: 'proposal',
    code: 'crewOnBreak',
    message: `${vehicle.crew.name} is on break and has not accepted ${tx.get('order', orderId)?.number ?? orderId}; another vehicle?`,
    orderId,
    leg,
    vehicleId: vehicle.id,
    choices: ['seen'],
  });
}

/** The refused wait in turn: the first of them is told. */
function callNext(tx: Tx, vehicle: Readonly<Vehicle>): void {
  const trade = tradeKey(vehicle);
  const [next] = tx.get('tradeGroup', trade)?.waiting ?? [];
  if (next !== undefined) {
    tx.emit({ type: 'duty.breakFree', vehicleId: next, centreId: vehicle.repairCentreId, data: { trade } });
  }
}

export const dutyHooks: Hooks = {
  /** Orders that come during a break are proposed for another vehicle. */
  'leg.queued': (tx, { vehicleId, orderId, leg }) => {
    const vehicle = tx.get('vehicle', vehicleId!);
    if (vehicle?.duty.state === 'onBreak') proposeOther(tx, vehicle, orderId!, leg!);
  },
  'leg.accepted': settleProposal,
  'leg.recalling': settleProposal,
  'leg.rejected': settleProposal,
};

function settleProposal(tx: Tx, { type, orderId, leg }: { type: string; orderId?: string; leg?: number }): void {
  settleCards(tx, `proposal:${orderId}:${leg}:crewOnBreak`, type);
}

/** A break ends by its time limit; the crew is on standby again. */
export const dutyDueRule: DueRule<'vehicle'> = {
  kind: 'vehicle',
  name: 'breakLimit',
  dueAt: ({ duty }) => (duty.state === 'onBreak' ? duty.until : undefined),
  tick(tx, id) {
    const vehicle = tx.get('vehicle', id);
    if (vehicle?.duty.state !== 'onBreak' || (vehicle.duty.until ?? Infinity) > tx.now) return;
    changeDuty(tx, vehicle, { to: 'standby', reason: 'limit' });
  },
};

/** Duty as people see it: the last four are derived from the vehicle's legs and link. */
export function shownDuty(vehicle: Readonly<Vehicle>, now: number, settings: DispatchSettings): ShownDuty {
  const { duty, link, active, queue } = vehicle;
  if (duty.state === 'offDuty') return 'offDuty';
  const silentMs = settings.escalation.unreachableS * 1000;
  if (link.state === 'down' && now - link.since > silentMs) return 'unreachable';
  if (active) return active.state;
  if (duty.state === 'onBreak') return 'onBreak';
  return queue.entries.some((entry) => !entry.recalling) ? 'tasked' : 'standby';
}
