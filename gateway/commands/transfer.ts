import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import type { Command } from 'commander';
import { createDispatch } from '../../dispatch/service.js';
import { dispatchSettings } from '../config/dispatch-settings.js';
import { ConfigError } from '../config/load.js';
import type { FileFormat } from '../transfer/file.js';
import { transferHandlers, type ImportResult } from '../transfer/transfer.js';
import { askStore, withStore, type StoreOptions } from './with-store.js';

/** `linecrew import FILE` and `linecrew export vehicles|crews|rules`. */
export function registerTransfer(program: Command): void {
  withStore(
    program
      .command('import <file>')
      .description('vehicles, crews and rules from CSV or YAML; changes nothing where a line is wrong'),
  )
    .option('--dry-run', 'only say what would change')
    .option('--json', 'print the result as JSON')
    .action(async (file: string, { dryRun, json, ...options }: StoreOptions & { dryRun?: boolean; json?: boolean }) => {
      const args = { text: readFileSync(file, 'utf8'), format: formatOf(file), dryRun: dryRun === true };
      const result = (await ask('import', args, options)) as ImportResult;
      process.stdout.write(json ? JSON.stringify(result) + '\n' : wordsOf(result, file));
      if (result.errors.length > 0) process.exitCode = 1;
    });
  withStore(program.command('export <what>').description('vehicles, crews or rules, to be imported again'))
    .option('--format <format>', 'csv or yaml (default: csv, for rules yaml)')
    .action(async (what: string, { format, ...options }: StoreOptions & { format?: string }) => {
      const args = { what, format: format ?? (what === 'rules' ? 'yaml' : 'csv') };
      const { text } = (await ask('export', args, options)) as { text: string };
      process.stdout.write(text);
    });
}

function ask(method: string, args: Record<string, unknown>, options: StoreOptions): Promise<unknown> {
  return askStore(method, args, options, ({ store, clock, config }) => {
    const silent = { warn: () => {}, error: () => {} };
    return transferHandlers(createDispatch({ store, clock, settings: dispatchSettings(config), random: randomBytes, log: silent })); // prettier-ignore
  });
}

function formatOf(file: string): FileFormat {
  const extension = extname(file).toLowerCase();
  if (extension === '.csv') return 'csv';
  if (extension === '.yaml' || extension === '.yml') return 'yaml';
  throw new ConfigError(`${file}: expected a name that ends in .csv, .yaml or .yml`);
}

function wordsOf({ errors, applied, created, changed, unchanged, rules }: ImportResult, file: string): string {
  if (errors.length > 0) {
    const lines = errors.map(({ line, field, message }) => `${file}:${line}: ${field ? `${field}: ` : ''}${message}`);
    return `${lines.join('\n')}\nnothing was changed\n`;
  }
  const counts = `${created.length} new, ${changed.length} changed, ${unchanged.length} as they were; rules ${rules}`;
  return `${file}: ${counts}${applied ? '' : ' (dry run: nothing was changed)'}\n`;
}
