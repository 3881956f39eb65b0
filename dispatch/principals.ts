/** From accounts, tokens and the bootstrap token to who acts, and with which rights. */
import type { Role } from './domain/events.js';
import type { Account, ApiToken } from './domain/model.js';
import { dropUndefined } from './objects.js';
import type { Principal } from './rights.js';

/** Source of a person's commands, from what they are (domain.md, "Who works with it"). */
function sourceOf(roles: readonly Role[]): Principal['source'] {
  if (roles.includes('dispatcher')) return 'dispatcher';
  if (roles.includes('agent') || roles.includes('supervisor')) return 'callCentre';
  return roles.includes('crew') ? 'crew' : 'dispatcher';
}

export function principalOfAccount(account: Account, expiresAt: number): Principal {
  const { name, roles, centres, vehicleId } = account;
  const scope = { ...(centres ? { centres } : {}), ...(vehicleId ? { vehicleId } : {}) };
  return { via: 'session', id: name, name, source: sourceOf(roles), roles, expiresAt, ...scope };
}

export function principalOfToken(token: ApiToken): Principal {
  const { id, name, roles, scopes, centres, vehicleId, expiresAt } = token;
  const source = roles.every((role) => role === 'crew') ? 'crew' : 'api';
  return {
    via: 'token',
    id,
    source,
    roles,
    ...dropUndefined({ scopes, centres, vehicleId, expiresAt }),
    name: `token:${name}`,
  };
}

/** LINECREW_API_TOKEN: every right, in every centre. */
export function bootstrapPrincipal(): Principal {
  const roles: Role[] = ['administrator', 'agent', 'supervisor', 'dispatcher', 'integrator'];
  return { via: 'bootstrap', id: 'bootstrap', name: 'bootstrap', source: 'api', roles };
}
