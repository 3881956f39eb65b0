/** What `linecrew user` and `linecrew token` do: the same functions behind the control socket and on an idle store. */
import type { Accounts } from '../dispatch/accounts.js';
import type { Role } from '../dispatch/domain/events.js';
import type { Account, ApiToken } from '../dispatch/domain/model.js';
import { Refusal } from '../dispatch/domain/tx.js';
import type { ControlHandlers } from './control.js';

const ROLES: readonly Role[] = ['administrator', 'agent', 'supervisor', 'dispatcher', 'crew', 'integrator'];
const LOCAL = 'command line';
const DAY_MS = 86_400_000;

export function peopleHandlers(accounts: Accounts, now: () => number): ControlHandlers {
  return {
    'user.list': async () => (await accounts.list()).map(shownAccount),
    'user.add': async (args) => {
      const account = await accounts.create({
        name: textOf(args, 'name'),
        fullName: optionalTextOf(args, 'fullName'),
        roles: rolesOf(args),
        centres: optionalListOf(args, 'centres'),
        vehicleId: optionalTextOf(args, 'vehicleId'),
        password: textOf(args, 'password'),
      });
      return shownAccount(account);
    },
    'user.password': async (args) => {
      await accounts.edit(textOf(args, 'name'), { password: textOf(args, 'password') });
    },
    'user.disable': async (args) => shownAccount((await accounts.edit(textOf(args, 'name'), { disabled: true })).value),
    'user.enable': async (args) => shownAccount((await accounts.edit(textOf(args, 'name'), { disabled: false })).value),
    'user.remove': (args) => accounts.remove(textOf(args, 'name')),
    'token.list': async () => (await accounts.tokens()).map(shownToken),
    'token.add': async (args) => {
      const { secret, token } = await accounts.createToken(
        {
          name: textOf(args, 'name'),
          roles: rolesOf(args),
          scopes: optionalListOf(args, 'scopes'),
          centres: optionalListOf(args, 'centres'),
          expiresAt: args['days'] === undefined ? undefined : now() + daysOf(args['days']) * DAY_MS,
          vehicleId: optionalTextOf(args, 'vehicleId'),
        },
        LOCAL,
      );
      return { secret, ...shownToken(token) };
    },
    'token.remove': (args) => accounts.removeToken(textOf(args, 'id')),
  };
}

const iso = (at: number | undefined): string | undefined => (at === undefined ? undefined : new Date(at).toISOString());

function shownAccount({ passwordHash: _hidden, createdAt, ...rest }: Account): object {
  return { ...rest, createdAt: iso(createdAt) };
}

function shownToken({ sha256: _hidden, createdAt, expiresAt, ...rest }: ApiToken): object {
  return { ...rest, createdAt: iso(createdAt), expiresAt: iso(expiresAt) };
}

function textOf(args: Record<string, unknown>, key: string): string {
  const value = args[key];
  if (typeof value === 'string' && value !== '') return value;
  throw new Refusal('missing', `the ${key} is missing`, 422);
}

function optionalTextOf(args: Record<string, unknown>, key: string): string | undefined {
  return args[key] === undefined || args[key] === null ? undefined : textOf(args, key);
}

function optionalListOf(args: Record<string, unknown>, key: string): string[] | undefined {
  const value = args[key];
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value;
  throw new Refusal('wrongList', `${key}: expected a list of words`, 422);
}

function rolesOf(args: Record<string, unknown>): Role[] {
  const roles = optionalListOf(args, 'roles') ?? [];
  const unknown = roles.filter((role) => !ROLES.includes(role as Role));
  if (unknown.length > 0)
    throw new Refusal('unknownRole', `roles: ${unknown.join(', ')} — expected some of ${ROLES.join(', ')}`, 422);
  if (roles.length === 0) throw new Refusal('roleNeeded', `roles: expected at least one of ${ROLES.join(', ')}`, 422);
  return roles as Role[];
}

function daysOf(value: unknown): number {
  if (typeof value === 'number' && value > 0 && value <= 3_650) return value;
  throw new Refusal('wrongDays', 'days: expected a number above 0, up to 3650', 422);
}
