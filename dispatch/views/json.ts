/** From documents to JSON of the API: times as ISO 8601 UTC, nothing secret. */

export const iso = (at: number): string => new Date(at).toISOString();
export const isoOrUndefined = (at: number | undefined): string | undefined => (at === undefined ? undefined : iso(at));

/** Keys that never leave the program, wherever they are. */
const SECRET = new Set([
  'sha256',
  'codeSha256',
  'passwordHash',
  'secret',
  'secrets',
  'codes',
  'statusToken',
  'csrf',
  'password',
  'authCode',
]);
/** Keys whose numbers are times. */
const TIME = /^(at|since|until|from|to)$|[a-z]At$/;
/** Numbers below are no times of ours (2001-09-09). */
const FIRST_TIME = 1e12;

const isTime = (key: string, value: unknown): value is number =>
  typeof value === 'number' && value >= FIRST_TIME && value < 8.64e15 && TIME.test(key);

/** A copy with every time as ISO 8601 and without secrets; for data whose shape belongs to somebody else. */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, entry] of Object.entries(value)) {
    if (SECRET.has(key)) continue;
    copy[key] = isTime(key, entry) ? iso(entry) : plain(entry);
  }
  return copy;
}

/** As `plain`, for objects. */
export const plainObject = (value: object | null | undefined): Record<string, unknown> =>
  plain(value ?? {}) as Record<string, unknown>;
