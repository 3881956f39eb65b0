/** Orders: creation, content, issue to a repair centre and its acceptance (points A, B, C). */
import { raiseCard, settleCards } from './cards.js';
import { checkStage, emitStage, type Issued, type StageData } from './order-stages.js';
import type { Cycle, Order, RepairCentre, Site } from './model.js';
import { withOrder } from './order-fold.js';
import { centreNamed, FIRST_CENTRE, RULES_ID } from './organisation.js';
import { DEFAULT_ROUTING, route, type RoutingRule } from './routing.js';
import { limitsFor } from './segments.js';
import { folding, type CommandOf, type Deciders, type Reducers } from './tables.js';
import { setOrderPoint } from './time-points.js';
import { Refusal, type Tx } from './tx.js';

interface Received extends StageData {
  order: Order;
  /** The day's counter and its new value. */
  counter: { id: string; value: number };
}
interface Edited {
  changes: CommandOf<'order.edit'>['changes'];
  contentVersion: number;
}

export const orderReducers: Reducers = {
  'order.received': folding<Received>((docs, { data }) => {
    docs.put('order', data.order.id, data.order);
    docs.put('counter', data.counter.id, { value: data.counter.value });
  }),
  'order.edited': folding<Edited>((docs, { orderId, data: { changes, contentVersion } }) => {
    withOrder(docs, orderId!, (order) => ({
      ...order,
      ...changes,
      site: { ...order.site, ...changes.site },
      contentVersion,
      // Ended legs keep what they showed.
      legs: order.legs.map((leg) => (leg.endedAt === undefined ? { ...leg, contentVersion } : leg)),
    }));
  }),
};

export const orderDeciders: Deciders = {
  'order.create': create,
  'order.edit': edit,
  'order.issue': issue,
  'order.reachedCentre': (tx, { orderId }) => {
    const order = orderNamed(tx, orderId);
    if (order.stage === 'issued') reachCentre(tx, order);
    return { orderId };
  },
  'order.receive': (tx, { orderId, at }) => {
    const order = orderNamed(tx, orderId);
    checkStage(order, 'receiving', 'issued', 'atCentre', 'dispatched', 'waiting');
    acceptForCentre(tx, orderId, at);
    return { orderId };
  },
};

export function orderNamed(tx: Tx, id: string): Readonly<Order> {
  const order = tx.get('order', id);
  if (!order) throw new Refusal('unknownOrder', `there is no order ${id}`, 404);
  return order;
}

function create(tx: Tx, command: CommandOf<'order.create'>): { orderId: string; number: string } {
  const { customer, fault, area, priority = 'normal', callEndedAt } = command;
  checkFault(tx, fault.category);
  if (callEndedAt !== undefined && callEndedAt > tx.now) {
    throw new Refusal('timeOutOfRange', 'callEndedAt is in the future', 422);
  }
  checkCallAge(tx, callEndedAt, command.confirm);
  const id = tx.newId();
  const { counter, number } = nextNumber(tx);
  const site: Site = { siteClass: 'town', arrivalMode: 'timed', ...command.site };
  const rule = route({ fault, ...(area === undefined ? {} : { area }) }, routingRules(tx));
  const cycle: Cycle = { cycle: 1, points: {}, issues: [], startedAt: tx.now, callBacks: [] };
  const order: Order = {
    id,
    number,
    stage: 'received',
    customer,
    site,
    fault,
    priority,
    ...(area === undefined ? {} : { area }),
    ...(rule ? { unitKind: rule.unitKind } : {}),
    ...(rule?.repairCentreId === undefined ? {} : { repairCentreId: rule.repairCentreId }),
    createdAt: tx.now,
    createdBy: tx.actor.name,
    contentVersion: 1,
    legs: [],
    cycles: [cycle],
    claims: [],
    subs: [],
    urges: [],
    fired: {},
  };
  tx.emit({ type: 'order.received', orderId: id, data: { from: null, order, counter } satisfies Received });
  const at = callEndedAt ?? tx.now;
  setOrderPoint(tx, order, { point: 'A', at, rank: 'rule', flags: callEndedAt === undefined ? ['created'] : [] });
  if (!rule) askWhoRepairs(tx, order);
  return { orderId: id, number };
}

/** A day or month that was mistyped would break every promise at once. */
function checkCallAge(tx: Tx, callEndedAt: number | undefined, confirm: boolean | undefined): void {
  if (callEndedAt === undefined || confirm || tx.now - callEndedAt <= tx.settings.oldCallMs) return;
  const hours = tx.settings.oldCallMs / 3_600_000;
  const message = `callEndedAt is ${new Date(callEndedAt).toISOString()}, more than ${hours} h ago; confirm expressly`;
  throw new Refusal('callLongAgo', message, 409, { choices: ['confirm'] });
}

/** An order that fits no rule goes to the call centre's attention list, until it is issued or corrected. */
function askWhoRepairs(tx: Tx, order: Readonly<Order>): void {
  raiseCard(tx, {
    id: `attention:${order.id}:noRule`,
    kind: 'attention',
    code: 'noRule',
    message: `no rule says who repairs ${order.fault.category}, ${order.fault.voltage}, area ${order.area ?? 'not given'}`,
    orderId: order.id,
    choices: [],
  });
}

function routingRules(tx: Tx): readonly RoutingRule[] {
  return (tx.get('rules', RULES_ID)?.value['routing'] as RoutingRule[] | undefined) ?? DEFAULT_ROUTING;
}

function checkFault(tx: Tx, category: string): void {
  if (tx.settings.categories.includes(category)) return;
  const expected = tx.settings.categories.join(', ');
  throw new Refusal('unknownCategory', `fault.category is ${category}; expected one of ${expected}`, 422);
}

/** `YYYYMMDD-NNNN` by local day; five digits after 9999. */
function nextNumber(tx: Tx): { counter: { id: string; value: number }; number: string } {
  const day = localDay(tx.now, tx.settings.timeZone);
  const id = `order:${day}`;
  const value = (tx.get('counter', id)?.value ?? 0) + 1;
  return { counter: { id, value }, number: `${day}-${String(value).padStart(4, '0')}` };
}

/** `YYYYMMDD` of a moment in a time zone. */
export function localDay(at: number, timeZone: string): string {
  let format = dayFormats.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
    dayFormats.set(timeZone, format);
  }
  return format.format(at).replaceAll('-', '');
}
/** Making a format takes a millisecond; a gateway has one time zone. */
const dayFormats = new Map<string, Intl.DateTimeFormat>();

function edit(tx: Tx, { orderId, changes }: CommandOf<'order.edit'>): { orderId: string; contentVersion: number } {
  const order = orderNamed(tx, orderId);
  if (order.stage === 'closed' || order.stage === 'withdrawn') {
    throw new Refusal('wrongStage', `order ${order.number} is ${order.stage}`, 409, { stage: order.stage });
  }
  if (changes.fault) checkFault(tx, changes.fault.category);
  const contentVersion = order.contentVersion + 1;
  tx.emit({ type: 'order.edited', orderId, ...centreOf(order), data: { changes, contentVersion } satisfies Edited });
  askAgain(tx, orderId);
  return { orderId, contentVersion };
}

/** What was corrected may fit a rule now, or none any more. */
function askAgain(tx: Tx, orderId: string): void {
  const order = tx.get('order', orderId)!;
  if (order.stage !== 'received' && order.stage !== 'returned') return;
  if (route(order, routingRules(tx))) settleCards(tx, `attention:${orderId}:noRule`, 'edited');
  else askWhoRepairs(tx, order);
}

/**
 * The rules say it, unless a person does.
 * @throws {Refusal} `noRule` (409) where neither does: the order stays on the call centre's attention list
 */
function centreFor(
  tx: Tx,
  order: Readonly<Order>,
  named: string | undefined,
): { centre: Readonly<RepairCentre>; unitKind?: string } {
  const rule = route(order, routingRules(tx));
  if (!rule && named === undefined) {
    askWhoRepairs(tx, order);
    const message = `no rule says who repairs order ${order.number}; name its repair centre`;
    throw new Refusal('noRule', message, 409, { missing: ['repairCentreId'] }, true);
  }
  const centre = centreNamed(tx, named ?? rule?.repairCentreId ?? order.repairCentreId ?? FIRST_CENTRE);
  return { centre, ...(rule ? { unitKind: rule.unitKind } : {}) };
}

function issue(
  tx: Tx,
  { orderId, repairCentreId }: CommandOf<'order.issue'>,
): { orderId: string; repairCentreId: string } {
  const order = orderNamed(tx, orderId);
  checkStage(order, 'issuing', 'received', 'returned');
  const { centre, unitKind } = centreFor(tx, order, repairCentreId);
  const again = order.stage === 'returned';
  const data: Issued = {
    from: order.stage,
    centreId: centre.id,
    at: tx.now,
    by: tx.actor.name,
    limitsMin: limitsFor(tx.settings, centre, order.site.siteClass),
    ...(unitKind === undefined ? {} : { unitKind }),
    ...(again ? { causedBy: returnedBecauseOfCall(order) ? 'callCentre' : 'repairCentre' } : {}),
  };
  tx.emit({ type: 'order.issued', orderId, centreId: centre.id, data });
  setOrderPoint(tx, tx.get('order', orderId)!, { point: 'B', at: tx.now, rank: 'rule', flags: [] });
  settleCards(tx, `attention:${orderId}:noRule`, 'issued');
  return { orderId, repairCentreId: centre.id };
}

/** Wrong unit or missing data are the call centre's to answer for; other returns are the repair centre's. */
function returnedBecauseOfCall(order: Readonly<Order>): boolean {
  return order.reason?.code === 'wrongUnit' || order.reason?.code === 'dataMissing';
}

function reachCentre(tx: Tx, order: Readonly<Order>, at = tx.now): void {
  emitStage(tx, order, 'atCentre');
  setOrderPoint(tx, tx.get('order', order.id)!, { point: 'C', at, rank: 'rule', flags: [] });
}

/** A person accepts for the centre: implied by assigning and by returning. C is now if the order was not there yet. */
export function acceptForCentre(tx: Tx, orderId: string, at = tx.now): void {
  const order = tx.get('order', orderId)!;
  const issuedAt = order.cycles.at(-1)!.issues.at(-1)?.at ?? order.createdAt;
  if (at < issuedAt || at > tx.now) throw new Refusal('timeOutOfRange', 'at must lie between B and now', 422);
  if (order.stage === 'issued') reachCentre(tx, order, at);
  if (order.receivedBy) return;
  tx.emit({ type: 'order.acceptedByCentre', orderId, ...centreOf(order), data: { name: tx.actor.name, at } });
}

export function centreOf(order: Pick<Order, 'repairCentreId'>): { centreId?: string } {
  return order.repairCentreId === undefined ? {} : { centreId: order.repairCentreId };
}
