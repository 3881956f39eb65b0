/** Signing in and out, and who one is. */
import { z } from 'zod';
import type { Account, Session } from '../../domain/model.js';
import { ROLES } from '../../rights.js';
import { iso } from '../../views/json.js';
import { Problem } from '../http/problem.js';
import { Answer, route, type Context, type Route } from '../http/route.js';
import { timeOut } from '../schemas/common.js';
import { networkOf, SignInThrottle } from '../throttle.js';
import type { RouteDeps } from './deps.js';

const TAG = 'Session';
const me = z.object({
  name: z.string(),
  fullName: z.string().optional(),
  roles: z.array(z.enum(ROLES)),
  scopes: z.array(z.string()).optional(),
  centres: z.array(z.string()).optional(),
  vehicleId: z.string().optional(),
  via: z.enum(['session', 'token', 'bootstrap']),
  expiresAt: timeOut.optional(),
  csrf: z.string().optional().meta({ description: 'To be sent in X-CSRF-Token with every change' }),
  now: timeOut.meta({ description: 'Gateway time' }),
  clockRate: z.number(),
});

export function sessionRoutes({ accounts, config, cookieName, dispatch, log, ...deps }: RouteDeps): Route[] {
  const throttle = new SignInThrottle(dispatch.store, () => dispatch.clock.now());
  const cookie = { path: '/', httpOnly: true, sameSite: 'lax', secure: config.secureCookies } as const;
  type AnyContext = Context<unknown, unknown, unknown>;

  const describe = async (context: AnyContext, session?: Session): Promise<Record<string, unknown>> => {
    const { principal } = context;
    const account =
      principal.via === 'session' || session ? await accounts.find(session?.account ?? principal.id) : undefined;
    const who = account?.value ?? principal;
    return {
      name: account?.value.name ?? principal.name,
      fullName: account?.value.fullName,
      roles: who.roles,
      scopes: principal.scopes && principal.scopes.length > 0 ? principal.scopes : undefined,
      centres: who.centres,
      vehicleId: who.vehicleId,
      via: session ? 'session' : principal.via,
      expiresAt: session
        ? iso(session.expiresAt)
        : principal.expiresAt === undefined
          ? undefined
          : iso(principal.expiresAt),
      csrf: session?.csrf,
      now: iso(dispatch.clock.now()),
      clockRate: dispatch.clock.rate,
    };
  };

  const open = async (context: AnyContext, name: string): Promise<Session> => {
    // Whoever was signed in with this browser is no longer.
    const before = await deps.authenticator.look(context.request).catch(() => undefined);
    if (before?.session) await accounts.endSession(before.session.id);
    const { secret, session } = await accounts.openSession(name);
    context.reply.setCookie(cookieName, secret, cookie);
    return session;
  };

  const note = (context: AnyContext, by: string, action: string, status: number): void =>
    deps.audit.note({
      by,
      via: 'none',
      address: context.request.ip,
      method: context.request.method,
      path: '/session',
      action,
      status,
    });

  /**
   * The account where the password is right. The attempt is counted before it costs anything.
   * @throws {Problem} `tooManyAttempts`
   */
  const checked = async (context: AnyContext, name: string, password: string): Promise<Account | undefined> => {
    const { ip } = context.request;
    const admission = await throttle.admit(name, ip);
    if (!admission.admitted) {
      deps.signInThrottled();
      // Once for each pause: who hammers must not fill the store.
      if (!admission.told) note(context, name, 'session.throttled', 429);
      const seconds = String(Math.ceil(admission.waitMs / 1000 / dispatch.clock.rate));
      throw new Problem('tooManyAttempts', `too many failed sign-ins; try again in ${seconds} s`, {
        headers: { 'retry-after': seconds },
      });
    }
    const account = await accounts.verify(name, password, networkOf(ip));
    if (account) await throttle.succeeded(name, ip);
    else deps.signInFailed();
    return account;
  };

  return [
    route({
      method: 'POST',
      path: '/session',
      tag: TAG,
      right: 'public',
      summary: 'Sign in with name and password',
      description: 'Sets the session cookie (HttpOnly, SameSite=Lax). Too many failures are 429 with `Retry-After`.',
      body: z.strictObject({ name: z.string().min(1).max(64), password: z.string().min(1).max(256) }),
      responses: { 201: { description: 'Who signed in', schema: me } },
      async handler(context) {
        const { name, password } = context.body;
        const { ip } = context.request;
        const account = await checked(context, name, password);
        if (!account) {
          note(context, name, 'session.refused', 401);
          log.warn({ name, address: ip }, 'a sign-in was refused');
          throw new Problem('wrongCredentials', 'name or password is wrong, or the account is disabled');
        }
        const session = await open(context, account.name);
        note(context, account.name, 'session.opened', 201);
        return new Answer(201, await describe(context, session));
      },
    }),
    route({
      method: 'DELETE',
      path: '/session',
      tag: TAG,
      right: 'signedIn',
      summary: 'Sign out',
      responses: { 204: { description: 'Signed out' } },
      async handler({ request, reply }) {
        const session = request.identity?.session;
        if (session) await accounts.endSession(session.id);
        reply.clearCookie(cookieName, cookie);
        return new Answer(204);
      },
    }),
    route({
      method: 'GET',
      path: '/me',
      tag: TAG,
      right: 'signedIn',
      summary: 'Who I am and what I may see',
      responses: { 200: { description: 'Account or token', schema: me } },
      handler: (context) => describe(context, context.request.identity?.session),
    }),
    route({
      method: 'PUT',
      path: '/me/password',
      tag: TAG,
      right: 'signedIn',
      summary: 'Change my password; ends my other sessions',
      body: z.strictObject({ oldPassword: z.string().min(1).max(256), newPassword: z.string().min(10).max(256) }),
      responses: { 201: { description: 'A new session', schema: me } },
      async handler(context) {
        const { principal, body } = context;
        if (principal.via !== 'session') throw new Problem('notAllowed', 'a token has no password');
        if (!(await checked(context, principal.id, body.oldPassword)))
          throw new Problem('wrongCredentials', 'the old password is wrong');
        await accounts.edit(principal.id, { password: body.newPassword });
        return new Answer(201, await describe(context, await open(context, principal.id)));
      },
    }),
    route({
      method: 'GET',
      path: '/sign-in/{token}',
      root: true,
      tag: TAG,
      right: 'public',
      hidden: true,
      summary: 'A one-time link: opens the console signed in',
      params: z.strictObject({ token: z.string().min(20).max(100) }),
      produces: ['text/html', 'application/json'],
      responses: {
        303: { description: 'To the console' },
        204: { description: 'A look ahead; the link is not used up' },
      },
      async handler(context) {
        // A look ahead by a browser or a chat program must not use the link up.
        if (
          context.request.method === 'HEAD' ||
          /prefetch|preview/i.test(String(context.request.headers['sec-purpose'] ?? ''))
        )
          return new Answer(204);
        const name = await accounts.useSignInLink(context.params.token);
        if (name === undefined) throw new Problem('linkUsed', 'the link was used, has run out, or never existed');
        await open(context, name);
        note(context, name, 'session.link', 303);
        return new Answer(303, undefined, { location: '/' });
      },
    }),
  ];
}
