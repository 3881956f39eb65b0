/** People, API tokens, the audit log. */
import { z } from 'zod';
import { MIN_PASSWORD_LENGTH } from '../../accounts.js';
import type { AuditEntry } from '../../audit.js';
import type { Account } from '../../domain/model.js';
import { mayGrant, ROLES, SCOPES, withinCentres, type Principal } from '../../rights.js';
import { accountView, auditView, tokenView } from '../../views/people.js';
import { etagOf } from '../http/etag.js';
import { Problem } from '../http/problem.js';
import { Answer, route, type Route } from '../http/route.js';
import { DEFAULT_PAGE, fromTo, id, name, pageOf, pageQuery, timeIn, timeOut } from '../schemas/common.js';
import type { RouteDeps } from './deps.js';

const TAG = 'People and tokens';
const role = z.enum(ROLES);
const roles = z.array(role).min(1).max(ROLES.length);
const accountName = z
  .string()
  .regex(/^[\p{L}\p{N}_.@-]{1,64}$/u, { error: () => 'expected 1–64 letters, digits and _ . @ -' });
const password = z.string().min(MIN_PASSWORD_LENGTH).max(256);
const centres = z.array(id).min(1).max(500).meta({ description: 'Limits to these repair centres; absent = all' });
const byName = z.strictObject({ name: accountName });

const userIn = z.strictObject({
  name: accountName,
  fullName: name.optional(),
  roles,
  centres: centres.optional(),
  vehicleId: id.optional(),
  password,
});
const userEdit = z.strictObject({
  fullName: name.optional(),
  roles: roles.optional(),
  centres: centres.nullable().optional(),
  vehicleId: id.nullable().optional(),
  password: password.optional(),
  disabled: z.boolean().optional(),
});
const user = z.object({
  name: z.string(),
  version: z.int(),
  fullName: z.string(),
  roles: z.array(role),
  centres: z.array(z.string()).optional(),
  vehicleId: z.string().optional(),
  disabled: z.boolean(),
  createdAt: timeOut,
});
const tokenIn = z.strictObject({
  name,
  roles,
  scopes: z
    .array(z.enum(SCOPES))
    .min(1)
    .optional()
    .meta({ description: 'Limits the roles’ rights; absent = all of them' }),
  centres: centres.optional(),
  vehicleId: id.optional(),
  expiresAt: timeIn.optional(),
});
const token = z.object({
  id: z.string(),
  name: z.string(),
  roles: z.array(role),
  scopes: z.array(z.string()).optional(),
  centres: z.array(z.string()).optional(),
  vehicleId: z.string().optional(),
  createdAt: timeOut,
  createdBy: z.string(),
  expiresAt: timeOut.optional(),
});
const auditEntry = z.looseObject({ at: timeOut, by: z.string(), action: z.string(), status: z.int() });

export function peopleRoutes({ accounts, audit }: RouteDeps): Route[] {
  const readUser = async (principal: Principal, of: string): Promise<{ value: Account; version: number }> => {
    const found = await accounts.find(of);
    if (found && withinCentres(principal, found.value.centres)) return found;
    throw new Problem('notFound', `there is no account "${of}"`);
  };
  const showUser = async (principal: Principal, of: string, status = 200): Promise<Answer> => {
    const { value, version } = await readUser(principal, of);
    return new Answer(status, accountView(value, version), { etag: etagOf(version) });
  };
  const mustGrant = (principal: Principal, grant: Parameters<typeof mayGrant>[1]): void => {
    if (mayGrant(principal, grant)) return;
    throw new Problem(
      'notAllowed',
      `${principal.name} may not give more rights than it has: name centres and scopes within its own`,
      {
        details: { centres: principal.centres ?? null, scopes: principal.scopes ?? null },
      },
    );
  };
  /** The account as it is, where the principal may change it at all. */
  const changeable = async (principal: Principal, of: string): Promise<Account> => {
    const { value } = await readUser(principal, of);
    mustGrant(principal, { centres: value.centres });
    return value;
  };

  return [
    route({
      method: 'GET',
      path: '/users',
      tag: TAG,
      right: 'user.read',
      audit: true,
      summary: 'Accounts',
      responses: { 200: { description: 'All accounts', schema: pageOf(user) } },
      async handler({ principal }) {
        const names = (await accounts.list()).filter(({ centres }) => withinCentres(principal, centres));
        const found = await Promise.all(names.map((account) => accounts.find(account.name)));
        return { items: found.flatMap((one) => (one ? [accountView(one.value, one.version)] : [])) };
      },
    }),
    route({
      method: 'POST',
      path: '/users',
      tag: TAG,
      right: 'user.write',
      body: userIn,
      summary: 'Make an account',
      responses: { 201: { description: 'The account', schema: user } },
      async handler({ body, principal }) {
        mustGrant(principal, { centres: body.centres });
        await accounts.create(body);
        return showUser(principal, body.name, 201);
      },
    }),
    route({
      method: 'GET',
      path: '/users/{name}',
      tag: TAG,
      right: 'user.read',
      audit: true,
      params: byName,
      summary: 'One account',
      responses: { 200: { description: 'The account', schema: user } },
      handler: ({ params, principal }) => showUser(principal, params.name),
    }),
    route({
      method: 'PATCH',
      path: '/users/{name}',
      tag: TAG,
      right: 'user.write',
      params: byName,
      body: userEdit,
      summary: 'Change an account; another password or other rights end its sessions',
      responses: { 200: { description: 'The account', schema: user } },
      async handler({ params, body, ifMatch, principal }) {
        const before = await changeable(principal, params.name);
        mustGrant(principal, { centres: body.centres === undefined ? before.centres : body.centres });
        await accounts.edit(params.name, body, ifMatch);
        return showUser(principal, params.name);
      },
    }),
    route({
      method: 'DELETE',
      path: '/users/{name}',
      tag: TAG,
      right: 'user.write',
      params: byName,
      summary: 'Delete an account',
      responses: { 204: { description: 'It is gone' } },
      async handler({ params, ifMatch, principal }) {
        await changeable(principal, params.name);
        await accounts.remove(params.name, ifMatch);
        return new Answer(204);
      },
    }),
    route({
      method: 'DELETE',
      path: '/users/{name}/sessions',
      tag: TAG,
      right: 'user.write',
      params: byName,
      summary: 'Sign the person out everywhere',
      responses: { 200: { description: 'How many sessions ended', schema: z.object({ ended: z.int() }) } },
      async handler({ params, principal }) {
        await changeable(principal, params.name);
        return { ended: await accounts.endSessions(params.name) };
      },
    }),
    route({
      method: 'GET',
      path: '/tokens',
      tag: TAG,
      right: 'token.read',
      audit: true,
      summary: 'API tokens, without their secrets',
      responses: { 200: { description: 'All tokens', schema: pageOf(token) } },
      async handler({ principal }) {
        const own = (await accounts.tokens()).filter(({ centres }) => withinCentres(principal, centres));
        return { items: own.map(tokenView) };
      },
    }),
    route({
      method: 'POST',
      path: '/tokens',
      tag: TAG,
      right: 'token.write',
      body: tokenIn,
      secretFields: ['secret'],
      summary: 'Make an API token; `secret` is shown this once',
      responses: { 201: { description: 'The token', schema: token.extend({ secret: z.string().optional() }) } },
      async handler({ body, principal }) {
        mustGrant(principal, body);
        const made = await accounts.createToken(body, principal.name);
        return new Answer(201, { ...tokenView(made.token), secret: made.secret });
      },
    }),
    route({
      method: 'DELETE',
      path: '/tokens/{id}',
      tag: TAG,
      right: 'token.write',
      params: z.strictObject({ id }),
      summary: 'End a token',
      responses: { 204: { description: 'It is gone' } },
      async handler({ params, principal }) {
        const own = (await accounts.tokens()).find(({ id: one }) => one === params.id);
        if (!own || !withinCentres(principal, own.centres))
          throw new Problem('notFound', `there is no token "${params.id}"`);
        await accounts.removeToken(params.id);
        return new Answer(204);
      },
    }),
    route({
      method: 'GET',
      path: '/audit',
      tag: TAG,
      right: 'audit.read',
      summary: 'Who saw and did what, newest first',
      query: z.strictObject({
        ...pageQuery,
        ...fromTo,
        by: z.string().max(200).optional(),
        action: z.string().max(60).optional(),
      }),
      responses: { 200: { description: 'A page of entries', schema: pageOf(auditEntry) } },
      async handler({ query, principal }) {
        if (!withinCentres(principal, undefined))
          throw new Problem('notAllowed', 'the audit log is about all repair centres');
        const { by, from, to, after } = query;
        const found = await audit.read({
          limit: query.limit ?? DEFAULT_PAGE,
          ...(by === undefined ? {} : { by }),
          ...(from === undefined ? {} : { from }),
          ...(to === undefined ? {} : { to }),
          ...(after === undefined ? {} : { after }),
        });
        const entries = found.items.map((item) => item.value as AuditEntry);
        const items = entries
          .filter((entry) => query.action === undefined || entry.action === query.action)
          .map(auditView);
        return { items, ...(found.next === undefined ? {} : { next: found.next }) };
      },
    }),
  ];
}
