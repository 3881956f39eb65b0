/**
 * Which steps the rules would allow a principal to take with an order now. Each is tried on documents that are thrown
 * away afterwards, so the answer is the rules' own and there is no second table of what follows what.
 */
import { randomBytes } from 'node:crypto';
import type { OrderCommand } from '../domain/commands.js';
import { decide } from '../domain/decide.js';
import { effectiveOpenLeg } from '../domain/leg-states.js';
import type { Order } from '../domain/model.js';
import { Refusal, type Tx } from '../domain/tx.js';
import type { DispatchPort } from '../ports.js';
import { asCrewOnly, mayDo, type Principal } from '../rights.js';
import { UnitOfWork } from '../unit-of-work.js';

type Probe = Record<string, unknown>;

/**
 * Path of the step → what it is tried with. A target that is not named yet is one that no rule accepts. `edit` is the
 * `PATCH` of the order.
 */
const PROBES: Readonly<Record<string, (order: Order, leg: Probe) => Probe>> = {
  issue: () => ({ type: 'order.issue' }),
  receive: () => ({ type: 'order.receive' }),
  assign: () => ({ type: 'order.assign', vehicleId: NOBODY }),
  'told-by-phone': (_order, leg) => ({ type: 'order.toldByPhone', ...leg }),
  accept: (_order, leg) => ({ type: 'order.accept', ...leg }),
  depart: (_order, leg) => ({ type: 'order.depart', ...leg }),
  arrive: (_order, leg) => ({ type: 'order.arrive', ...leg }),
  work: (_order, leg) => ({ type: 'order.work', ...leg }),
  complete: (_order, leg) => ({ type: 'order.complete', ...leg }),
  record: () => ({ type: 'order.record' }),
  callback: () => ({ type: 'order.callback', result: 'satisfied' }),
  resume: () => ({ type: 'order.resume' }),
  'confirm-recall': () => ({ type: 'order.confirmRecall' }),
  reassign: (_order, leg) => ({ type: 'order.reassign', vehicleId: NOBODY, ...leg }),
  urge: () => ({ type: 'order.urge' }),
  merge: (order) => ({ type: 'order.merge', into: order.id }),
  unmerge: () => ({ type: 'order.unmerge' }),
  suspend: (_order, leg) => ({ type: 'order.suspend', ...leg }),
  wait: () => ({ type: 'order.wait' }),
  recall: (_order, leg) => ({ type: 'order.recall', ...leg }),
  return: () => ({ type: 'order.return' }),
  reject: (_order, leg) => ({ type: 'order.reject', ...leg }),
  withdraw: () => ({ type: 'order.withdraw' }),
  reopen: () => ({ type: 'order.reopen' }),
  edit: () => ({ type: 'order.edit', changes: {} }),
  'status-link': () => ({ type: 'order.statusLink', tokenSha256: '' }),
};
const NOBODY = '-';

/** Refusals that the person overcomes by saying more: which vehicle, which main order, what the record holds, "yes". */
const SAYS_MORE = new Set([
  'unknownVehicle',
  'sameOrder',
  'recordIncomplete',
  'alreadyOnSite',
  'legNeeded',
  'reasonNeeded',
  'noRule',
]);

/** Ends a trial before anything is kept; one for all, since its stack says nothing. */
class Enough extends Error {}
const ENOUGH = new Enough('the trial has said enough');

/**
 * Paths of the steps (`POST /orders/{id}/…`) that the rules would take from this principal now, in the order of work.
 * A step that would only repeat what is known is not among them.
 */
export async function allowedSteps(dispatch: DispatchPort, principal: Principal, order: Order): Promise<string[]> {
  const work = new UnitOfWork(dispatch.store, dispatch.settings, randomBytes);
  const leg = legOf(order, principal);
  const allowed: string[] = [];
  for (const [path, probe] of Object.entries(PROBES)) {
    const command = { reason: 'trial', orderId: order.id, ...probe(order, leg) } as OrderCommand;
    if (mayDo(principal, command.type) && (await wouldDo(work, command, principal, dispatch.clock.now())))
      allowed.push(path);
  }
  return allowed;
}

/** The leg that a step would be about: the crew's own, else the effective one. */
function legOf(order: Order, principal: Principal): { leg?: number } {
  const own = asCrewOnly(principal, 'order.accept');
  const leg = own
    ? order.legs.findLast((one) => one.vehicleId === principal.vehicleId && one.endedAt === undefined)
    : effectiveOpenLeg(order);
  return leg ? { leg: leg.leg } : {};
}

async function wouldDo(work: UnitOfWork, command: OrderCommand, actor: Principal, now: number): Promise<boolean> {
  let changes = false;
  try {
    await work.run({ now, actor }, (tx) => {
      changes = false;
      decide(
        watched(tx, () => (changes = true)),
        command,
      );
      throw ENOUGH;
    });
  } catch (error) {
    if (error instanceof Enough) return changes;
    if (error instanceof Refusal) return SAYS_MORE.has(error.code);
    throw error;
  }
  return changes;
}

/** Notes whether anything but a claim about a time point changes. */
function watched(tx: Tx, onChange: () => void): Tx {
  return {
    now: tx.now,
    actor: tx.actor,
    settings: tx.settings,
    get: (kind, id) => tx.get(kind, id),
    look: (kind, id) => tx.look(kind, id),
    lookAll: (kind, ids) => tx.lookAll(kind, ids),
    emit: (event) => {
      if (!event.type.startsWith('timePoint.') && !event.type.startsWith('evidence.')) onChange();
      tx.emit(event);
    },
    keep: (kind, id, value) => tx.keep(kind, id, value),
    newId: () => tx.newId(),
  };
}
