/** Steps of a leg taken by people: the crew on its page, the dispatcher "by phone". */
import { openLegFor } from './assignment.js';
import { crossed } from './crossing.js';
import { advanceLeg, endLeg } from './leg.js';
import { isEffective, isOpen, legOf, type Progress } from './leg-states.js';
import type { Leg, Order, Point } from './model.js';
import { centreOf, orderNamed } from './order.js';
import type { StepFields } from './commands.js';
import type { Deciders, Result } from './tables.js';
import type { CrewAction } from './terminal-actions.js';
import { claimForLeg, type NewClaim } from './time-points.js';
import { Refusal, type Tx } from './tx.js';

/** A press on the crew's page that comes this soon is a key with a valid time, not an entry made afterwards. */
const LIVE_MS = 60_000;

export const legStepDeciders: Deciders = {
  'order.accept': step('accept', 'accepted', 'F'),
  'order.depart': step('depart', 'enRoute', 'G'),
  'order.arrive': step('arrive', 'onSite', 'H'),
  'order.complete': step('done', 'workDone', 'I'),
  'order.work': step('work', 'working'),
  'order.shown': (tx, command) => {
    const { order, leg } = effectiveLegFor(tx, command);
    const first = !leg.points.E || leg.points.E.at > tx.now;
    if (first) claimForLeg(tx, order.id, leg.leg, { point: 'E', at: tx.now, rank: 'key', flags: [] });
    advanceLeg(tx, order.id, leg.leg, 'delivered');
    return ref(order, leg);
  },
  'order.toldByPhone': (tx, command) => {
    const { order, leg } = effectiveLegFor(tx, command);
    const at = stepTime(tx, leg, command.at);
    tx.emit({
      type: 'leg.toldByPhone',
      orderId: order.id,
      leg: leg.leg,
      vehicleId: leg.vehicleId,
      ...centreOf(order),
      data: {},
    });
    claimForLeg(tx, order.id, leg.leg, { point: 'E', at, rank: 'entry', flags: ['byPhone'] });
    claimForLeg(tx, order.id, leg.leg, { point: 'F', at, rank: 'entry', flags: ['byPhone'] });
    advanceLeg(tx, order.id, leg.leg, 'accepted');
    return ref(order, leg);
  },
  'order.reject': (tx, command) => {
    const { order, leg } = effectiveLegFor(tx, command);
    if (!command.reason) throw new Refusal('reasonNeeded', 'a crew refuses with a reason', 422);
    if (!REJECTABLE.includes(leg.state)) throw new Refusal('alreadyUnderWay', `leg ${leg.leg} is ${leg.state}`);
    endLeg(tx, order.id, leg.leg, 'rejected', command.reason);
    return ref(order, leg);
  },
};

/** A crew may refuse what it has not set out for. */
export const REJECTABLE: readonly string[] = ['queued', 'sent', 'delivered', 'read', 'accepted', 'suspended'];

/** A step that stamps a point and advances the leg to a state. */
function step(action: CrewAction, to: Progress, point?: Point): (tx: Tx, command: StepFields) => Result {
  return (tx, command) => {
    const taken = takenFromCrew(tx, command, action);
    if (taken) return crossedByPerson(tx, taken, action, point, command.at);
    const { order, leg } = effectiveLegFor(tx, command);
    const at = stepTime(tx, leg, command.at);
    if (point) claimForLeg(tx, order.id, leg.leg, personClaim(tx, point, at, command.at !== undefined));
    const blocked = advanceLeg(tx, order.id, leg.leg, to);
    if (blocked) {
      throw new Refusal(
        'otherOnSite',
        `${leg.vehicleId} is on site of another order; complete or suspend that first`,
        409,
        {
          orderId: blocked.onSiteOf,
          leg: blocked.leg,
        },
      );
    }
    return ref(order, leg);
  };
}

/**
 * The leg that a step names, where that is being recalled or has ended: any step of the crew on its page, and the "done"
 * that a recalled crew says by phone.
 */
function takenFromCrew(
  tx: Tx,
  { orderId, leg: number }: StepFields,
  action: CrewAction,
): { order: Readonly<Order>; leg: Leg } | undefined {
  if (number === undefined) return undefined;
  const order = orderNamed(tx, orderId);
  const leg = legOf(order, number);
  if (!leg || isEffective(leg)) return undefined;
  const doneByPhone = action === 'done' && (leg.state === 'recalling' || leg.state === 'recalled');
  return tx.actor.source === 'crew' || doneByPhone ? { order, leg } : undefined;
}

/**
 * What a person says is kept on its leg, as a key of the terminal is. Where the dispatcher decides what it means, the
 * answer names the card; else the crew is told that the order is not its own any more.
 */
function crossedByPerson(
  tx: Tx,
  { order, leg }: { order: Readonly<Order>; leg: Leg },
  action: CrewAction,
  point: Point | undefined,
  given: number | undefined,
): Result {
  const at = stepTime(tx, leg, given);
  if (point) claimForLeg(tx, order.id, leg.leg, personClaim(tx, point, at, given !== undefined));
  const became = crossed(tx, order, leg, { action, at });
  if (typeof became === 'object') return { ...ref(order, leg), ...became };
  const details = { leg: leg.leg, state: leg.state };
  throw new Refusal('legEnded', `leg ${leg.leg} of order ${order.number} is ${leg.state}`, 409, details, true);
}

/** What a person says about a point: the crew's page, pressed now, is a key; all else is an entry. */
function personClaim(tx: Tx, point: Point, at: number, given: boolean): NewClaim {
  const byCrew = tx.actor.source === 'crew';
  if (byCrew && tx.now - at <= LIVE_MS) return { point, at, rank: 'key', flags: [] };
  const flags: NewClaim['flags'] = byCrew ? [] : ['byPhone'];
  return { point, at, rank: 'entry', flags: given ? [...flags, 'entered'] : flags };
}

function effectiveLegFor(tx: Tx, command: StepFields): { order: Readonly<Order>; leg: Leg } {
  const found = openLegFor(tx, command);
  if (isOpen(found.leg) && !isEffective(found.leg)) {
    throw new Refusal('legRecalling', `leg ${found.leg.leg} is being recalled`, 409, { leg: found.leg.leg });
  }
  return found;
}

/** When a step happened: now, or a time given afterwards between D and now. */
export function stepTime(tx: Tx, leg: Leg, at: number | undefined): number {
  if (at === undefined) return tx.now;
  if (at >= leg.createdAt && at <= tx.now) return at;
  throw new Refusal('timeOutOfRange', 'at must lie between D of the leg and now', 422, {
    from: new Date(leg.createdAt).toISOString(),
    to: new Date(tx.now).toISOString(),
  });
}

function ref(order: Readonly<Order>, leg: Leg): Result {
  return { orderId: order.id, leg: leg.leg, vehicleId: leg.vehicleId };
}
