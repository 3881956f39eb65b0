import { existsSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { parseStoreUrl, withoutPassword } from '../../dispatch/store/store-url.js';
import type { DispatchStore } from '../../dispatch/store/store.js';
import { ConfigError } from '../config/load.js';
import { openConfigured } from '../config/open-configured.js';
import { migrate } from '../migrate/migrate.js';
import { PARTS } from '../migrate/summary.js';
import { configOf } from './serve.js';

/** Progress is said after so many items. */
const SAY_EVERY = 10_000;

/** `linecrew migrate`: everything from one store to another; resumable, verified. */
export function registerMigrate(program: Command): void {
  program
    .command('migrate')
    .description('copy everything from one store to another and verify it (no gateway may run on either)')
    .requiredOption('--from <url>', 'the source: lmdb:DIR or a Redis URL')
    .requiredOption('--to <url>', 'the target, empty: lmdb:DIR or a Redis URL')
    .option('--config <file>', 'configuration file (YAML or JSON): password and durability of Redis')
    .option('--json', 'print the result as JSON')
    .action(async ({ from, to, config: file, json }: { from: string; to: string; config?: string; json?: boolean }) => {
      const { config } = configOf(file === undefined ? {} : { config: file });
      if (placeOf(from) === placeOf(to)) {
        throw new ConfigError(`--from and --to are the same store, ${withoutPassword(from)}: expected two`);
      }
      let said = 0;
      const progress = (part: string, done: number): void => {
        if (done - said >= SAY_EVERY) process.stderr.write(`${part}: ${done}\n`);
        if (done - said >= SAY_EVERY || done < said) said = done;
      };
      const opened: DispatchStore[] = [];
      const open = async (url: string): Promise<DispatchStore> => {
        const store = await openConfigured(config, url);
        opened.push(store);
        return store;
      };
      if (from.startsWith('lmdb:') && !existsSync(from.slice('lmdb:'.length)))
        throw new Error(`there is no store at ${from}`);
      try {
        const [source, target] = [await open(from), await open(to)];
        const { summary, resumed } = await migrate(source, target, { fromUrl: withoutPassword(from), progress });
        if (json) return void process.stdout.write(JSON.stringify({ ok: true, resumed, summary }) + '\n');
        for (const part of PARTS) process.stdout.write(`${part}: ${summary[part].count}, the same in both\n`);
      } finally {
        for (const store of opened) await store.close();
      }
    });
}

/** Where a store is, however its URL writes that. */
function placeOf(url: string): string {
  const where = parseStoreUrl(url);
  if (where.kind === 'lmdb')
    return existsSync(where.directory) ? realpathSync(where.directory) : resolve(where.directory);
  if (where.kind === 'standalone') {
    const { protocol, hostname, port, pathname } = new URL(where.url);
    return JSON.stringify([protocol, hostname, port || '6379', pathname.replace('/', '') || '0']);
  }
  const name = where.kind === 'sentinel' ? where.name : '';
  return JSON.stringify([where.kind, name, where.servers.map(({ host, port }) => `${host}:${port}`).sort()]);
}
