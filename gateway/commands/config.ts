import type { Command } from 'commander';
import { envOf, flagOf } from '../config/field.js';
import { loadConfig, type Origin } from '../config/load.js';
import { SETTINGS, type SettingKey } from '../config/settings.js';
import { readTlsFiles } from '../config/tls-files.js';

/** One line of `linecrew config`. */
interface Shown {
  key: string;
  env: string;
  flag: string;
  default: unknown;
  value: unknown;
  origin: Origin;
  meaning: string;
}

/** `linecrew config`: every setting with its meaning and what it is now; `--check` only validates. */
export function registerConfig(program: Command): void {
  program
    .command('config')
    .description('show every setting: key, environment variable, default, meaning, current value (secrets hidden)')
    .option('--config <file>', 'configuration file (YAML or JSON)')
    .option('--check', 'only validate, certificates and keys too; exit 2 with what is wrong')
    .option('--json', 'as a JSON array')
    .action((options: { config?: string; check?: boolean; json?: boolean }) => {
      const { config, origins, warnings } = loadConfig({ file: options.config });
      for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
      if (options.check) readTlsFiles(config);
      if (options.check)
        return void process.stdout.write(options.json ? '{"ok":true}\n' : 'the configuration is valid\n');
      const rows = (Object.keys(SETTINGS) as SettingKey[]).map((key): Shown => ({
        key,
        env: envOf(key),
        flag: flagOf(key),
        default: SETTINGS[key].default ?? null,
        value: shownValue(key, config[key]),
        origin: origins[key],
        meaning: SETTINGS[key].meaning,
      }));
      process.stdout.write((options.json ? JSON.stringify(rows, null, 2) : rows.map(asText).join('\n')) + '\n');
    });
}

function shownValue(key: SettingKey, value: unknown): unknown {
  if ('secret' in SETTINGS[key]) return value === undefined ? null : '(hidden)';
  // Passwords inside a store or broker URL are secrets too.
  return typeof value === 'string' ? value.replace(/(:\/\/[^/@:]*):.*@/, '$1:(hidden)@') : (value ?? null);
}

function word(value: unknown): string {
  if (value === null || value === undefined) return '–';
  if (Array.isArray(value)) return value.map(word).join(',');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const asText = (row: Shown): string =>
  `${row.env}\n    ${row.meaning}\n    now ${word(row.value)} (${row.origin}); default ${word(row.default)}; file key ${row.key}; flag ${row.flag}`;
