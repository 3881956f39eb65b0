/** Who may connect to the embedded broker: terminals by their secret or certificate, integrators by a token. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { AuthenticateError } from 'aedes';
import type { Accounts } from '../../dispatch/accounts.js';
import type { ApiToken } from '../../dispatch/domain/model.js';
import type { DispatchPort } from '../../dispatch/ports.js';
import type { TerminalFacts } from '../session/sink.js';
import type { TerminalGateway } from '../terminal-gateway.js';
import { MQTT_SCOPE } from './integrators.js';

/** MQTT return codes of a refused connection (3.1.1, 3.2.2.3). */
export const UNAVAILABLE = 3;
const BAD_LOGIN = 4;
const NOT_AUTHORIZED = 5;

export interface LoginDeps {
  readonly dispatch: DispatchPort;
  readonly accounts: Pick<Accounts, 'token'>;
  readonly terminals: Pick<TerminalGateway, 'directory'>;
}

/** Terminals sign in with their number, of 20 digits at most as in a 2019 header; anybody else is an integrator. */
export function isTerminalName(user: string): boolean {
  return /^\d{1,20}$/.test(user);
}

/** The facts of a terminal that proved itself. Rejects with an `AuthenticateError` otherwise, or as the store does. */
export async function terminalLogin(
  { dispatch, terminals }: LoginDeps,
  conn: Duplex,
  clientId: string,
  phone: string,
  password: Buffer | undefined,
): Promise<TerminalFacts> {
  const filed = (await dispatch.get('terminal', phone))?.value;
  const proved = filed && (hasCertificate(conn, phone) || isSecret(password, filed.secret?.sha256));
  if (!filed || !proved) throw refusal(BAD_LOGIN, 'wrong number or password');
  if (clientId !== phone) throw refusal(NOT_AUTHORIZED, `the client id must be the user name ${phone}`);
  if (filed.blocked) throw refusal(NOT_AUTHORIZED, 'the terminal is blocked');
  const facts = await terminals.directory.lookup(phone);
  if (!facts) throw refusal(BAD_LOGIN, 'no such terminal');
  return facts;
}

/** The token of an integrator. Rejects as `terminalLogin`. */
export async function integratorLogin(
  { accounts }: LoginDeps,
  user: string,
  password: Buffer | undefined,
): Promise<ApiToken> {
  const token = password && (await accounts.token(password.toString('utf8')));
  if (!token || token.name !== user) throw refusal(BAD_LOGIN, 'wrong token name or token');
  if (!token.scopes?.includes(MQTT_SCOPE)) throw refusal(NOT_AUTHORIZED, `the token lacks the scope ${MQTT_SCOPE}`);
  return token;
}

export function refusal(returnCode: number, message: string): AuthenticateError {
  return Object.assign(new Error(message), { returnCode });
}

/** Compares hashes in constant time. */
function isSecret(password: Buffer | undefined, sha256: string | undefined): boolean {
  if (!password || sha256 === undefined) return false;
  const given = createHash('sha256').update(password).digest();
  const known = Buffer.from(sha256, 'hex');
  return known.length === given.length && timingSafeEqual(known, given);
}

/** A verified client certificate whose common name is the terminal's number. */
function hasCertificate(conn: Duplex, phone: string): boolean {
  return conn instanceof TLSSocket && conn.authorized && conn.getPeerCertificate().subject?.CN === phone;
}
