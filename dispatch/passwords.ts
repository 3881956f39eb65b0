/** Passwords of people as scrypt hashes (RFC 7914): N = 2^15, r = 8, p = 1 (32 MiB and about 0.1 s each). */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

const LOG_N = 15;
const R = 8;
const P = 1;
const KEY_BYTES = 32;
/** At once, because each takes 32 MiB and a thread of the pool that the store's commits use too. */
const AT_ONCE = 2;
/** Waiting, beyond which a sign-in is refused at once: about five seconds of work. */
const MAX_WAITING = 100;

/** More sign-ins wait than the machine can check in good time. */
export class TooManySignIns extends Error {}

let running = 0;
const waiting: (() => void)[] = [];

async function limited<T>(work: () => Promise<T>): Promise<T> {
  if (running < AT_ONCE) running++;
  else {
    if (waiting.length >= MAX_WAITING) throw new TooManySignIns(`${MAX_WAITING} sign-ins wait already`);
    // The one that ends hands its place over.
    await new Promise<void>((turn) => waiting.push(turn));
  }
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next) next();
    else running--;
  }
}

function derive(password: string, salt: Buffer, logN: number, r: number, p: number): Promise<Buffer> {
  const N = 2 ** logN;
  return limited(
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
  const key = await derive(password, salt, LOG_N, R, P);
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

/** Whether the password is the hash's, compared in constant time. @throws {TooManySignIns} */
export async function verifyPassword(password: string, hash: string | undefined): Promise<boolean> {
  const [scheme, logN, r, p, salt, key] = (hash ?? NOBODY).split('$');
  if (scheme !== 'scrypt' || !salt || !key) return false;
  const expected = Buffer.from(key, 'base64url');
  const actual = await derive(password, Buffer.from(salt, 'base64url'), Number(logN), Number(r), Number(p));
  return expected.length === actual.length && timingSafeEqual(actual, expected) && hash !== undefined;
}
