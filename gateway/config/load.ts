import { readFileSync } from 'node:fs';
import { parse as parseYaml } from 'yaml';
import { MIN_PASSWORD_LENGTH } from '../../dispatch/accounts.js';
import { withoutPassword } from '../../dispatch/store/store-url.js';
import { envOf, flagOf } from './field.js';
import { SETTINGS, type Config, type SettingKey } from './settings.js';

/** Where a value came from, weakest first. */
export type Origin = 'default' | 'file' | 'environment' | 'flag';

/** A wrong setting: which key, from where, what it was, what was expected. Nothing has started yet. */
export class ConfigError extends Error {}

export interface Loaded {
  config: Config;
  origins: Record<SettingKey, Origin>;
  /** `LINECREW_` variables that mean nothing here: not fatal, because other programs may use the prefix, but said. */
  warnings: string[];
}

export interface Sources {
  /** Flags by setting key, as text. */
  flags?: Partial<Record<string, string>>;
  env?: NodeJS.ProcessEnv;
  /** Configuration file (YAML or JSON); else `LINECREW_CONFIG`. */
  file?: string;
}

const KEYS = Object.keys(SETTINGS) as SettingKey[];

/**
 * Puts the configuration together: defaults < file < environment < flags.
 * @throws {ConfigError} that names every wrong key, its origin, its value and what was expected; also for unknown keys
 * of the file (with the nearest known one), because a misspelt setting is a wrong one.
 */
export function loadConfig(sources: Sources = {}): Loaded {
  const env = sources.env ?? process.env;
  const wrong: string[] = [];
  const warnings: string[] = [];
  const file = readFile(sources.file ?? env['LINECREW_CONFIG'], wrong);
  refuseUnknown(Object.keys(file), KEYS, (k) => `configuration file: unknown key "${k}"`, wrong);
  const known = [...KEYS.map(envOf), 'LINECREW_CONFIG'];
  const ours = Object.keys(env).filter((k) => k.startsWith('LINECREW_'));
  refuseUnknown(ours, known, (k) => `environment: unknown variable ${k}`, warnings);

  const config: Record<string, unknown> = {};
  const origins = {} as Record<SettingKey, Origin>;
  for (const key of KEYS) {
    const [origin, raw] = pick(key, sources.flags ?? {}, env, file);
    origins[key] = origin;
    config[key] = origin === 'default' ? SETTINGS[key].default : check(key, origin, raw, wrong);
  }
  if (wrong.length === 0) crossCheck(config as Config, wrong);
  if (wrong.length > 0) throw new ConfigError(wrong.join('\n'));
  return { config: config as Config, origins, warnings };
}

function pick(
  key: SettingKey,
  flags: Partial<Record<string, string>>,
  env: NodeJS.ProcessEnv,
  file: Record<string, unknown>,
): [Origin, unknown] {
  if (flags[key] !== undefined) return ['flag', flags[key]];
  const fromEnv = env[envOf(key)];
  // An empty variable is what a compose file makes of an unset one.
  if (fromEnv !== undefined && fromEnv !== '') return ['environment', fromEnv];
  if (file[key] !== undefined && file[key] !== null) return ['file', file[key]];
  return ['default', undefined];
}

function check(key: SettingKey, origin: Origin, raw: unknown, wrong: string[]): unknown {
  const parsed = SETTINGS[key].schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const name = origin === 'flag' ? flagOf(key) : origin === 'environment' ? envOf(key) : `configuration file, ${key}`;
  const shown =
    'secret' in SETTINGS[key] && SETTINGS[key].secret
      ? '(hidden)'
      : JSON.stringify(typeof raw === 'string' ? withoutPassword(raw) : raw);
  wrong.push(`${name}: ${shown} — ${parsed.error.issues[0]?.message ?? 'not valid'}`);
  return undefined;
}

/** What only shows when settings are seen together. */
function crossCheck(c: Config, wrong: string[]): void {
  const together = (a: SettingKey, b: SettingKey): void => {
    if ((c[a] === undefined) !== (c[b] === undefined))
      wrong.push(`${envOf(a)} and ${envOf(b)} go together: set both or none`);
  };
  together('httpTlsCert', 'httpTlsKey');
  together('tlsCert', 'tlsKey');
  for (const key of ['tlsPort', 'mqttTlsPort'] as const) {
    if (c[key] !== 'off' && !c.tlsCert)
      wrong.push(`${envOf(key)} is ${c[key]}: it needs LINECREW_TLS_CERT and LINECREW_TLS_KEY`);
  }
  const loopback = ['127.0.0.1', '::1', 'localhost'].includes(c.httpHost);
  if (!loopback && !c.httpTlsCert && !c.trustProxy && !c.httpInsecure) {
    wrong.push(
      `LINECREW_HTTP_HOST: ${JSON.stringify(c.httpHost)} is reachable from other machines — expected LINECREW_HTTP_TLS_CERT and ` +
        '_KEY, or LINECREW_TRUST_PROXY=true behind a proxy with TLS, or LINECREW_HTTP_INSECURE=true to allow it all the same',
    );
  }
  const reachable = !loopback || c.trustProxy || c.publicUrl !== undefined;
  if (reachable && c.adminPassword !== undefined && [...c.adminPassword].length < MIN_PASSWORD_LENGTH) {
    wrong.push(
      `LINECREW_ADMIN_PASSWORD: (hidden) — expected ${MIN_PASSWORD_LENGTH} characters or more, because the console is ` +
        'reachable from other machines (LINECREW_HTTP_HOST, _TRUST_PROXY or _PUBLIC_URL); or leave it out: one is made ' +
        'and shown once at the first start',
    );
  }
}

function readFile(path: string | undefined, wrong: string[]): Record<string, unknown> {
  if (!path) return {};
  try {
    const value: unknown = parseYaml(readFileSync(path, 'utf8'));
    if (value === null || value === undefined) return {};
    if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
    wrong.push(`configuration file ${path}: expected keys and values`);
  } catch (error) {
    wrong.push(`configuration file ${path}: ${(error as Error).message}`);
  }
  return {};
}

function refuseUnknown(given: string[], known: string[], say: (key: string) => string, wrong: string[]): void {
  for (const key of given) {
    if (known.includes(key)) continue;
    const near = known.map((k) => [distance(key, k), k] as const).sort((a, b) => a[0] - b[0])[0];
    wrong.push(say(key) + (near && near[0] <= 4 ? ` — did you mean ${near[1]}?` : ' — see `linecrew config`'));
  }
}

/** Edit distance (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length]!;
}
