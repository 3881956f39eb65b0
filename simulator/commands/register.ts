import type { Command } from 'commander';
import { readScenario, runFleet, withOptions } from './fleet-run.js';
import { guarded } from './guarded.js';
import { registerLoad } from './load.js';
import { addCommonOptions, type CommonOptions } from './options.js';
import { registerRecord, registerReplay } from './replay.js';

/** Registers `linecrew simulate …` and `linecrew record`. */
export function registerSimulate(program: Command): void {
  const simulate = program
    .command('simulate')
    .description('simulated trucks, crews and terminals against a gateway’s public ports');
  const fleets = {
    drive: 'trucks on the streets, orders as they come',
    chaos: 'bad radio, reboots, half-open connections: what was confirmed must be there, once',
    storm: 'a typhoon day: hundreds of calls in half an hour',
    day: 'a working day without dispatchers: calls, assignment, call-back',
    training: 'calls for a trainee at the console, crews that make mistakes',
    'old-terminals': 'event-list screens of JT/T 808-2011',
  } as const;
  for (const [name, description] of Object.entries(fleets)) {
    addCommonOptions(simulate.command(name).description(description)).action((options: CommonOptions) =>
      guarded(() => {
        const scenario = readScenario(options.scenario === undefined ? { name } : { file: options.scenario });
        return runFleet(withOptions(scenario, options), options);
      }),
    );
  }
  registerLoad(simulate);
  registerReplay(simulate);
  registerRecord(program);
}
