/** From a request to a principal: bearer token, or session cookie with CSRF token. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Accounts } from '../../accounts.js';
import type { Session } from '../../domain/model.js';
import { bootstrapPrincipal, principalOfAccount, principalOfToken } from '../../principals.js';
import type { Principal } from '../../rights.js';
import { Problem } from './problem.js';

export interface Identity {
  principal: Principal;
  /** Where it is a person with a cookie. */
  session?: Session;
}

export interface AuthenticatorDeps {
  accounts: Accounts;
  bootstrapToken?: string | undefined;
  cookieName: string;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

export class Authenticator {
  readonly #bootstrap: Buffer | undefined;

  constructor(private readonly deps: AuthenticatorDeps) {
    this.#bootstrap = deps.bootstrapToken ? digest(deps.bootstrapToken) : undefined;
  }

  /**
   * Who sends the request. A token counts before a cookie; an unsafe method with a cookie needs the CSRF token.
   * @throws {Problem} `signInNeeded`, `invalidToken`, `csrfNeeded`
   */
  async identify(request: FastifyRequest): Promise<Identity> {
    const identity = await this.look(request);
    if (!identity) {
      throw new Problem('signInNeeded', 'send Authorization: Bearer TOKEN, or sign in and send the session cookie', {
        headers: { 'www-authenticate': 'Bearer realm="linecrew"' },
      });
    }
    if (identity.session && !SAFE.has(request.method)) checkCsrf(request, identity.session);
    return identity;
  }

  /** As `identify`, undefined where nobody is named. */
  async look(request: FastifyRequest): Promise<Identity | undefined> {
    const header = request.headers.authorization;
    if (header !== undefined) return { principal: await this.#bearer(header) };
    const secret = request.cookies[this.deps.cookieName];
    const found = secret ? await this.deps.accounts.session(secret) : undefined;
    return found && { principal: principalOfAccount(found.account, found.session.expiresAt), session: found.session };
  }

  async #bearer(header: string): Promise<Principal> {
    const secret = /^Bearer +([\x21-\x7e]{1,512})$/i.exec(header)?.[1];
    if (secret !== undefined) {
      if (this.#bootstrap && timingSafeEqual(this.#bootstrap, digest(secret))) return bootstrapPrincipal();
      const token = await this.deps.accounts.token(secret);
      if (token) return principalOfToken(token);
    }
    throw new Problem('invalidToken', 'the token is unknown, was removed, or has run out', {
      headers: { 'www-authenticate': 'Bearer realm="linecrew", error="invalid_token"' },
    });
  }
}

function checkCsrf(request: FastifyRequest, session: Session): void {
  const given = request.headers['x-csrf-token'];
  if (typeof given === 'string' && timingSafeEqual(digest(given), digest(session.csrf))) return;
  throw new Problem('csrfNeeded', 'send the session’s CSRF token in X-CSRF-Token (GET /api/v1/me shows it)', {
    errors: [{ header: 'X-CSRF-Token', detail: given === undefined ? 'is missing' : 'is not the session’s' }],
  });
}
