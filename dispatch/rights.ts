/**
 * Who may do what: one table from command or query to roles, and the rule of scope (repair centres, a crew's own
 * vehicle). The HTTP API asks here for every route, every event of the stream and every webhook; nothing else decides.
 */
import type { Command } from './domain/commands.js';
import type { Actor, Role } from './domain/events.js';
import type { Order } from './domain/model.js';

export const ROLES = ['administrator', 'agent', 'supervisor', 'dispatcher', 'crew', 'integrator'] as const;

/** What a token's scopes speak about. `mqtt:read` is for the broker: it opens no HTTP route. */
export const AREAS = [
  'orders',
  'vehicles',
  'organisation',
  'people',
  'alerts',
  'events',
  'webhooks',
  'reports',
  'operations',
] as const;
export type Area = (typeof AREAS)[number];
export const SCOPES = [...AREAS.flatMap((area) => [`${area}:read`, `${area}:write`] as const), 'mqtt:read'] as const;
export type Scope = (typeof SCOPES)[number];

export interface Right {
  roles: readonly Role[];
  area: Area;
  kind: 'read' | 'write';
}

const read = (area: Area, ...roles: Role[]): Right => ({ roles, area, kind: 'read' });
const write = (area: Area, ...roles: Role[]): Right => ({ roles, area, kind: 'write' });

const OFFICE = ['administrator', 'agent', 'supervisor', 'dispatcher', 'integrator'] as const;
const EVERYONE = ROLES;
const CALL_CENTRE = ['agent', 'supervisor', 'integrator'] as const;

const COMMANDS = {
  'order.create': write('orders', ...CALL_CENTRE),
  'order.edit': write('orders', ...CALL_CENTRE, 'dispatcher'),
  'order.issue': write('orders', 'supervisor', 'integrator'),
  'order.receive': write('orders', 'dispatcher'),
  'order.reachedCentre': write('orders', 'dispatcher', 'integrator'),
  'order.return': write('orders', 'dispatcher'),
  'order.assign': write('orders', 'dispatcher'),
  'order.accept': write('orders', 'dispatcher', 'crew'),
  'order.reject': write('orders', 'dispatcher', 'crew'),
  'order.recall': write('orders', 'dispatcher'),
  'order.confirmRecall': write('orders', 'dispatcher'),
  'order.reassign': write('orders', 'dispatcher'),
  'order.suspend': write('orders', 'dispatcher'),
  'order.resume': write('orders', 'dispatcher', 'crew'),
  'order.wait': write('orders', 'dispatcher'),
  'order.urge': write('orders', ...CALL_CENTRE, 'dispatcher'),
  'order.statusLink': write('orders', ...CALL_CENTRE, 'dispatcher'),
  'order.merge': write('orders', 'agent', 'supervisor', 'dispatcher'),
  'order.unmerge': write('orders', 'agent', 'supervisor', 'dispatcher'),
  'order.withdraw': write('orders', ...CALL_CENTRE, 'dispatcher'),
  'order.erase': write('orders', 'administrator'),
  'order.depart': write('orders', 'dispatcher', 'crew'),
  'order.arrive': write('orders', 'dispatcher', 'crew'),
  'order.work': write('orders', 'dispatcher', 'crew'),
  'order.complete': write('orders', 'dispatcher', 'crew'),
  'order.record': write('orders', 'dispatcher', 'crew'),
  'order.callback': write('orders', ...CALL_CENTRE),
  'order.reopen': write('orders', ...CALL_CENTRE),
  'order.shown': write('orders', 'crew'),
  'order.toldByPhone': write('orders', 'dispatcher'),
  'vehicle.create': write('vehicles', 'administrator'),
  'vehicle.edit': write('vehicles', 'administrator', 'dispatcher'),
  'vehicle.delete': write('vehicles', 'administrator'),
  'vehicle.reorder': write('vehicles', 'dispatcher'),
  'vehicle.message': write('vehicles', 'dispatcher'),
  'vehicle.duty': write('vehicles', 'dispatcher', 'crew'),
  'vehicle.resend': write('vehicles', 'dispatcher'),
  'delivery.cancel': write('vehicles', 'dispatcher'),
  'delivery.command': write('vehicles', 'dispatcher', 'administrator'),
  'terminal.block': write('vehicles', 'dispatcher', 'administrator'),
  'terminal.unblock': write('vehicles', 'dispatcher', 'administrator'),
  'terminal.rotate': write('vehicles', 'dispatcher', 'administrator'),
  'terminal.acceptSwap': write('vehicles', 'dispatcher', 'administrator'),
  'centre.put': write('organisation', 'administrator'),
  'unit.put': write('organisation', 'administrator'),
  'rules.put': write('organisation', 'administrator'),
  'alert.acknowledge': write('alerts', 'agent', 'supervisor', 'dispatcher', 'administrator'),
  'card.resolve': write('alerts', 'agent', 'supervisor', 'dispatcher', 'administrator'),
} satisfies Record<Command['type'], Right>;

const QUERIES = {
  'order.read': read('orders', ...EVERYONE),
  'order.candidates': read('orders', 'dispatcher', 'supervisor', 'administrator'),
  'order.photo': write('orders', 'dispatcher', 'crew'),
  'vehicle.read': read('vehicles', ...EVERYONE),
  'vehicle.track': read('vehicles', ...OFFICE),
  'vehicle.deliveries': read('vehicles', ...EVERYONE),
  'vehicle.alarms': read('vehicles', ...EVERYONE),
  'terminal.maintain': write('vehicles', 'administrator'),
  'terminal.read': read('vehicles', 'administrator', 'dispatcher'),
  'organisation.read': read('organisation', ...OFFICE),
  'rules.read': read('organisation', ...OFFICE),
  'user.read': read('people', 'administrator'),
  'user.write': write('people', 'administrator'),
  'token.read': read('people', 'administrator'),
  'token.write': write('people', 'administrator'),
  'audit.read': read('people', 'administrator'),
  'alert.read': read('alerts', ...OFFICE),
  'card.read': read('alerts', ...OFFICE),
  'event.read': read('events', ...EVERYONE),
  'event.stream': read('events', ...EVERYONE),
  'webhook.read': read('webhooks', 'administrator', 'integrator'),
  'webhook.write': write('webhooks', 'administrator', 'integrator'),
  'report.read': read('reports', 'administrator', 'supervisor', 'dispatcher', 'integrator'),
  'metrics.read': read('operations', 'administrator', 'integrator'),
} satisfies Record<string, Right>;

export const RIGHTS = { ...COMMANDS, ...QUERIES };
export type Action = keyof typeof RIGHTS;

/** Who asks: an actor of the domain, and what narrows the rights further. */
export interface Principal extends Actor {
  via: 'session' | 'token' | 'bootstrap';
  /** Account name, token id or `bootstrap`: what idempotency keys, limits and the audit log go by. */
  id: string;
  /** Of a token; undefined leaves the roles as they are. */
  scopes?: readonly string[];
  /** When the credential ends (ms UTC of gateway time). */
  expiresAt?: number;
}

/** True when the roles and scopes allow the command or query at all; the object's scope is checked beside it. */
export function mayDo(principal: Principal, action: Action): boolean {
  const right: Right = RIGHTS[action];
  if (principal.via === 'bootstrap') return true;
  if (!principal.roles.some((role) => right.roles.includes(role))) return false;
  return principal.scopes === undefined || principal.scopes.includes(`${right.area}:${right.kind}`);
}

/** True when only the crew role allows it: then it is about the crew's own vehicle and nothing else. */
export function asCrewOnly(principal: Principal, action: Action): boolean {
  const right: Right = RIGHTS[action];
  if (principal.via === 'bootstrap') return false;
  return !principal.roles.some((role) => role !== 'crew' && right.roles.includes(role));
}

/** What of an object decides who may see it. */
export interface Whereabouts {
  centreId?: string | undefined;
  /** Centres that had the object earlier, and may still look at it. */
  formerCentreIds?: readonly string[];
  vehicleIds?: readonly string[];
}

/** Whether the object lies in the principal's scope for this action. */
export function inScope(principal: Principal, action: Action, where: Whereabouts): boolean {
  if (asCrewOnly(principal, action)) {
    return principal.vehicleId !== undefined && (where.vehicleIds ?? []).includes(principal.vehicleId);
  }
  const centres = principal.centres;
  if (centres === undefined) return true;
  if (where.centreId !== undefined && centres.includes(where.centreId)) return true;
  return (where.formerCentreIds ?? []).some((id) => centres.includes(id));
}

/** Of an order: its centre, every centre that it was ever issued to, the vehicles of its legs. */
export function whereaboutsOf(order: Order): Whereabouts {
  const formerCentreIds = order.cycles.flatMap((cycle) => cycle.issues.map((issue) => issue.centreId));
  return { centreId: order.repairCentreId, formerCentreIds, vehicleIds: order.legs.map((leg) => leg.vehicleId) };
}

/**
 * Whether a client of this kind makes point C when it gets an order of the centre (domain.md, `atCentre`): a person
 * signed in as dispatcher for the centre or for all, or a token that is bound to that centre. A token for all centres
 * is the call centre's, or automation: it does not stand for a repair centre.
 */
export function standsForCentre(principal: Principal, centreId: string): boolean {
  const right: Right = RIGHTS['order.reachedCentre'];
  // By role alone: a wall screen that may only look has the order all the same.
  if (!principal.roles.some((role) => right.roles.includes(role))) return false;
  if (principal.centres !== undefined) return principal.centres.includes(centreId);
  return principal.via === 'session' && principal.roles.includes('dispatcher');
}

/** Whether these centres (absent = all) are among the principal's own: which accounts and tokens it may see. */
export function withinCentres(principal: Principal, centres: readonly string[] | null | undefined): boolean {
  const own = principal.centres;
  return own === undefined || (centres !== undefined && centres !== null && centres.every((id) => own.includes(id)));
}

/**
 * Whether somebody may give this to an account or token: nobody gives more than they have themselves. Accounts have no
 * scopes, so a token that is limited by scopes cannot make or change any.
 */
export function mayGrant(
  principal: Principal,
  { centres, scopes }: { centres?: readonly string[] | null | undefined; scopes?: readonly string[] | undefined },
): boolean {
  const own = principal.scopes;
  const narrower = own === undefined || (scopes !== undefined && scopes.every((scope) => own.includes(scope)));
  return narrower && withinCentres(principal, centres);
}
