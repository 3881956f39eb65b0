import type { Command } from 'commander';
import { flagOf } from '../config/field.js';
import { loadConfig, type Loaded } from '../config/load.js';
import { SETTINGS, type SettingKey } from '../config/settings.js';
import { createLog } from '../log.js';
import { startGateway, type Gateway } from '../main.js';

/** A flag for every setting, so that nothing can be set in one place only. Secrets have none: flags show in `ps`. */
export function addSettingFlags(command: Command): Command {
  command.option('--config <file>', 'configuration file (YAML or JSON)');
  for (const key of Object.keys(SETTINGS) as SettingKey[]) {
    if ('secret' in SETTINGS[key]) continue;
    command.option(`${flagOf(key)} <value>`, SETTINGS[key].meaning);
  }
  return command;
}

/** Configuration from the command's flags, the environment and the file. */
export function configOf(options: Record<string, string | undefined>): Loaded {
  const { config: file, ...flags } = options;
  return loadConfig({ file, flags });
}

/** `linecrew serve`: the gateway until it is told to stop. */
export function registerServe(program: Command): void {
  addSettingFlags(
    program.command('serve').description('run the gateway: terminals (TCP, TLS, MQTT), dispatch, API, console'),
  ).action(async (options: Record<string, string | undefined>) => {
    const { config, warnings } = configOf(options);
    const log = createLog(config.logLevel);
    for (const warning of warnings) log.warn({ msg: warning });
    const gateway = await startGateway(config, { log });
    await untilStopped(gateway);
  });
}

/** A stop that takes longer than this is no longer graceful. */
const STOP_MS = 25_000;

/** Resolves after SIGTERM or SIGINT and a graceful stop; a second signal ends the process at once. */
export async function untilStopped(gateway: Pick<Gateway, 'stop' | 'log'>): Promise<void> {
  await new Promise<void>((done) => {
    let asked = false;
    const onSignal = (signal: string): void => {
      if (asked) process.exit(1);
      asked = true;
      gateway.log.info({ signal, msg: 'stopping' });
      const late = setTimeout(() => {
        gateway.log.error({ msg: 'did not stop in time' });
        process.exit(1);
      }, STOP_MS);
      void gateway.stop().finally(() => {
        clearTimeout(late);
        done();
      });
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}
