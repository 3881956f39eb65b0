#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { cityGeoJson, formatReport, registerSimulate, startFleet } from '../simulator/cli.js';
import { registerBackup } from './commands/backup.js';
import { registerConfig } from './commands/config.js';
import { registerDecode } from './commands/decode.js';
import { registerDemo } from './commands/demo.js';
import { registerDoctor } from './commands/doctor.js';
import { registerEncode } from './commands/encode.js';
import { registerErase } from './commands/erase.js';
import { registerEvidence } from './commands/evidence.js';
import { registerExplain } from './commands/explain.js';
import { registerMigrate } from './commands/migrate.js';
import { registerPeople } from './commands/people.js';
import { registerServe } from './commands/serve.js';
import { registerTail } from './commands/tail.js';
import { registerTerminal } from './commands/terminal.js';
import { registerTransfer } from './commands/transfer.js';
import { ConfigError } from './config/load.js';
import { version } from './version.js';

/** Exit status: 0 success, 1 failure, 2 bad usage (contract of the command line). */
const FAILED = 1;
const BAD_USAGE = 2;

/** The one binary. Each command registers itself; this file alone may open the door to the simulator. */
export function createProgram(): Command {
  const program = new Command('linecrew')
    .description('Telematics gateway for electric-power repair trucks')
    .version(version)
    .showHelpAfterError('(add --help for what is possible)')
    .exitOverride();
  registerServe(program);
  registerDemo(program, { startFleet, cityGeoJson, formatReport });
  registerSimulate(program);
  registerDecode(program);
  registerEncode(program);
  registerExplain(program);
  registerConfig(program);
  registerDoctor(program);
  registerBackup(program);
  registerMigrate(program);
  registerPeople(program);
  registerTerminal(program);
  registerEvidence(program);
  registerErase(program);
  registerTail(program);
  registerTransfer(program);
  return program;
}

/** Commands made before `exitOverride` was set do not inherit it. */
function overrideExit(command: Command): void {
  command.exitOverride();
  command.commands.forEach(overrideExit);
}

async function main(): Promise<void> {
  const program = createProgram();
  overrideExit(program);
  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : BAD_USAGE;
      return;
    }
    const isUsage = error instanceof ConfigError;
    process.stderr.write(`linecrew: ${(error as Error).message}\n`);
    if (!isUsage && process.env['LINECREW_LOG_LEVEL'] === 'debug') process.stderr.write(`${(error as Error).stack}\n`);
    process.exitCode = isUsage ? BAD_USAGE : FAILED;
  }
}

await main();
