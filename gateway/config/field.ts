import { isIP } from 'node:net';
import { z } from 'zod';
import { StoreError } from '../../dispatch/store/errors.js';
import { parseStoreUrl, withoutPassword } from '../../dispatch/store/store-url.js';

/** One setting: everything that the file, the environment, the flags, `linecrew config` and the docs say about it. */
export interface Setting<T = unknown> {
  /** camelCase key of the configuration file. */
  key: string;
  /** Environment variable; the flag is the same in kebab case without the prefix. */
  env: string;
  /** Turns text (environment, flags) or a JSON value (file) into the value; its message says what was expected. */
  schema: z.ZodType<T>;
  default: T;
  meaning: string;
  /** Shown as `(set)` only. */
  secret?: boolean;
}

/** `LINECREW_HTTP_PORT` for `httpPort`. */
export const envOf = (key: string): string => 'LINECREW_' + key.replace(/[A-Z]/g, (c) => '_' + c).toUpperCase();
/** `--http-port` for `httpPort`. */
export const flagOf = (key: string): string => '--' + key.replace(/[A-Z]/g, (c) => '-' + c.toLowerCase());

const expected = (what: string) => ({ error: () => `expected ${what}` });

export const text = (what = 'a text') => z.string(expected(what)).min(1, expected(what));
export const optionalText = (what = 'a text') => z.string(expected(what)).optional();

const numeric = (what: string) =>
  z.preprocess((v) => (typeof v === 'string' && v.trim() !== '' ? Number(v) : v), z.number(expected(what)));

export const integer = (min: number, max: number, unit = '') => {
  const what = `a whole number from ${min} to ${max}${unit && ' ' + unit}`;
  return numeric(what).refine((n) => Number.isInteger(n) && n >= min && n <= max, expected(what));
};
export const number = (min: number, max: number, unit = '') => {
  const what = `a number from ${min} to ${max}${unit && ' ' + unit}`;
  return numeric(what).refine((n) => Number.isFinite(n) && n >= min && n <= max, expected(what));
};

/** Days, as a number or as `180d` or `3y` (365 days). */
export const days = (min: number) => {
  const what = `a number of days from ${min} to 36500, for example 180, 180d or 3y`;
  return z.preprocess(
    (v) => {
      const match = typeof v === 'string' ? /^(\d+)\s*([dy]?)$/.exec(v.trim()) : undefined;
      return match ? Number(match[1]) * (match[2] === 'y' ? 365 : 1) : v;
    },
    z.int(expected(what)).min(min, expected(what)).max(36_500, expected(what)),
  );
};

/** A TCP port; 0 takes a free one. */
export const port = () => integer(0, 65535, '(0 takes a free port)');
/** A TCP port, or `off`. */
export const portOrOff = () => {
  const what = 'a port from 0 to 65535, or off';
  return z.union([
    z.preprocess((v) => (v === 'off' || v === false ? 'off' : v), z.literal('off')),
    integer(0, 65535),
  ], expected(what)); // prettier-ignore
};

export const choice = <const V extends readonly [string, ...string[]]>(values: V) =>
  z.enum(values, expected(`one of ${values.join(', ')}`));

export const flag = () =>
  z.preprocess(
    (v) => (typeof v === 'string' ? ({ true: true, '1': true, yes: true, on: true, false: false, '0': false, no: false, off: false }[v.toLowerCase()] ?? v) : v),
    z.boolean(expected('true or false')),
  ); // prettier-ignore

export const list = () =>
  z.preprocess(
    (v) => (typeof v === 'string' ? v.split(',').map((s) => s.trim()).filter(Boolean) : v),
    z.array(z.string(), expected('a list of words, separated by commas')),
  ); // prettier-ignore

export const url = (...schemes: string[]) => {
  const what = `a URL that starts with ${schemes.map((s) => s + '://').join(' or ')}`;
  return z
    .string(expected(what))
    .refine((s) => URL.canParse(s) && schemes.includes(new URL(s).protocol.slice(0, -1)), expected(what))
    .optional();
};

/** URL of a dispatch store, in one of the forms that {@link parseStoreUrl} reads. */
export const store = () =>
  z.string(expected('a store URL')).superRefine((url, context) => {
    try {
      parseStoreUrl(url);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      // Name and value stand before it already.
      context.addIssue({
        code: 'custom',
        message: error.message.replace(`store URL ${JSON.stringify(withoutPassword(url))}: `, ''),
      });
    }
  });

/** Ground of the map: tiles by a template, a style, or a file. */
export const baseMap = () => {
  const what = 'a raster template with {z}, {x} and {y}, the http(s) URL of a MapLibre style, or pmtiles:FILE';
  return z
    .string(expected(what))
    .refine((s) => {
      if (s.startsWith('pmtiles:')) return s.length > 'pmtiles:'.length;
      const named = ['{z}', '{x}', '{y}'].filter((name) => s.includes(name)).length;
      const filled = s.replace(/\{[a-z]\}/g, '0');
      return /^https?:\/\//i.test(s) && URL.canParse(filled) && (named === 0 || named === 3);
    }, expected(what))
    .optional();
};

/** Whose X-Forwarded-* headers count: nobody's, those of whatever connects to us, or of these networks. */
export const proxies = () => {
  const what = 'true or false, or addresses and networks (10.0.0.0/8,192.0.2.7) separated by commas';
  const networks = list().pipe(z.array(z.string().refine(isNetwork, expected(what)), expected(what)).min(1, expected(what)));
  return z.union([flag(), networks], expected(what));
}; // prettier-ignore

/** An address, or a network as address/prefix length. */
function isNetwork(words: string): boolean {
  const [address = '', prefix, ...more] = words.split('/');
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address) as 0 | 4 | 6];
  if (bits < 0 || more.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits);
}

/** A time zone that the runtime knows, as in the IANA data base. */
export const timeZone = () =>
  z.string().refine((zone) => {
    try {
      new Intl.DateTimeFormat('en', { timeZone: zone });
      return true;
    } catch {
      return false;
    }
  }, expected('an IANA time zone, for example Asia/Shanghai'));
