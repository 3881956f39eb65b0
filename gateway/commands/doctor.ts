import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { openClock } from '../../dispatch/clock.js';
import { ConfigError } from '../config/load.js';
import type { Config } from '../config/settings.js';
import { callGateway, NotRunning } from '../control.js';
import { checkAccess, checkCertificates, checkSpace, checkStore, type Finding } from '../doctor/checks.js';
import { readTlsFiles } from '../config/tls-files.js';
import { openConfigured } from '../config/open-configured.js';
import { configOf } from './serve.js';

/** `linecrew doctor`: is everything in order? Looks through the running gateway where one has the store open. */
export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description(
      'check settings, store, free space, clock and certificates; exit 1 when something is wrong, 2 when it is a setting',
    )
    .option('--config <file>', 'configuration file (YAML or JSON)')
    .option('--store <url>', 'the store')
    .option('--json', 'findings as a JSON array')
    .action(async ({ json, ...options }: { config?: string; store?: string; json?: boolean }) => {
      const findings = await examine(options);
      process.stdout.write(json ? JSON.stringify(findings, null, 2) + '\n' : findings.map(line).join(''));
      const failures = findings.filter((one) => one.level === 'failure');
      if (failures.length > 0) process.exitCode = failures.some((one) => one.about === 'settings') ? 2 : 1;
    });
}

const SIGN = { ok: 'ok     ', warning: 'WARNING', failure: 'FAILURE' };
const line = ({ level, about, words }: Finding): string => `${SIGN[level]}  ${about.padEnd(11)}  ${words}\n`;

async function examine(options: { config?: string; store?: string }): Promise<Finding[]> {
  let config: Config;
  try {
    config = configOf(options).config;
    readTlsFiles(config);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.split('\n').map((words) => ({ level: 'failure', about: 'settings', words }));
  }
  const settings: Finding = { level: 'ok', about: 'settings', words: 'every setting is valid' };
  return [
    settings,
    ...checkSpace(config),
    ...checkAccess(config),
    ...checkCertificates(config, Date.now()),
    ...(await storeFindings(config)),
  ];
}

async function storeFindings(config: Config): Promise<Finding[]> {
  try {
    if (config.store.startsWith('lmdb:')) {
      try {
        return (await callGateway(config.store.slice('lmdb:'.length), 'doctor')) as Finding[];
      } catch (error) {
        if (!(error instanceof NotRunning)) throw error;
      }
      // Opening would make one.
      const directory = resolve(config.store.slice('lmdb:'.length));
      if (!existsSync(join(directory, 'data.mdb')))
        return [{ level: 'failure', about: 'store', words: `there is no store at ${directory}: serve makes one` }];
    }
    const store = await openConfigured(config);
    try {
      return await checkStore(store, (await openClock(store, config.clockRate)).now());
    } finally {
      await store.close();
    }
  } catch (error) {
    return [{ level: 'failure', about: 'store', words: (error as Error).message }];
  }
}
