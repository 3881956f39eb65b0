/** Passwords of people as scrypt hashes (RFC 7914): N = 2^15, r = 8, p = 1 (32 MiB and about 0.1 s each). */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { availableParallelism } from 'node:os';

const LOG_N = 15;
const R = 8;
const P = 1;
const KEY_BYTES = 32;
/**
 * At once, because each takes 32 MiB and a thread of the pool that the store's commits use too; the last processor is
 * left to the terminals.
 */
const AT_ONCE = Math.max(1, Math.min(2, availableParallelism() - 1));
/** Waiting in all, beyond which a sign-in is refused at once: about five seconds of work. */
const MAX_WAITING = 100;
/** Waiting from one address: who floods waits behind himself. */
const MAX_WAITING_EACH = 20;

/** More sign-ins wait than the machine can check in good time. */
export class TooManySignIns extends Error {}

let running = 0;
let waitingInAll = 0;
/** By where they come from; the first address has its turn next. */
const waiting = new Map<string, (() => void)[]>();

async function limited<T>(from: string, work: () => Promise<T>): Promise<T> {
  if (running < AT_ONCE) running++;
  // The one that ends hands its place over.
  else await new Promise<void>((turn) => queue(from, turn));
  try {
    return await work();
  } finally {
    const next = takeNext();
    if (next) next();
    else running--;
  }
}

function queue(from: string, turn: () => void): void {
  const own = waiting.get(from) ?? [];
  if (waitingInAll >= MAX_WAITING || own.length >= MAX_WAITING_EACH) {
    throw new TooManySignIns(`${waitingInAll} sign-ins wait already, ${own.length} of them from one address`);
  }
  own.push(turn);
  waiting.set(from, own);
  waitingInAll++;
}

/** Addresses take turns. */
function takeNext(): (() => void) | undefined {
  for (const [from, turns] of waiting) {
    const next = turns.shift();
    waiting.delete(from);
    if (turns.length > 0) waiting.set(from, turns);
    waitingInAll--;
    return next;
  }
  return undefined;
}

/** Passwords that wait to be checked (a gauge of `/metrics`). */
export const passwordsWaiting = (): number => waitingInAll;

function derive(from: string, password: string, salt: Buffer, logN: number, r: number, p: number): Promise<Buffer> {
  const N = 2 ** logN;
  return limited(
    from,
    () =>
      new Promise((done, fail) => {
        scrypt(password.normalize('NFKC'), salt, KEY_BYTES, { N, r, p, maxmem: 256 * N * r }, (error, key) =>
          error ? fail(error) : done(key),
        );
      }),
  );
}

/** `scrypt$logN$r$p$salt$key`, the last two base64url. @throws {TooManySignIns} */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive('', password, salt, LOG_N, R, P);
  return ['scrypt', LOG_N, R, P, salt.toString('base64url'), key.toString('base64url')].join('$');
}

/** A hash that no password has: checked for names that do not exist, so that they take as long as those that do. */
const NOBODY = [
  'scrypt',
  LOG_N,
  R,
  P,
  randomBytes(16).toString('base64url'),
  randomBytes(KEY_BYTES).toString('base64url'),
].join('$');

/**
 * Whether the password is the hash's, compared in constant time.
 * @param from the address that asks
 * @throws {TooManySignIns}
 */
export async function verifyPassword(password: string, hash: string | undefined, from: string): Promise<boolean> {
  const [scheme, logN, r, p, salt, key] = (hash ?? NOBODY).split('$');
  if (scheme !== 'scrypt' || !salt || !key) return false;
  const expected = Buffer.from(key, 'base64url');
  const actual = await derive(from, password, Buffer.from(salt, 'base64url'), Number(logN), Number(r), Number(p));
  return expected.length === actual.length && timingSafeEqual(actual, expected) && hash !== undefined;
}
