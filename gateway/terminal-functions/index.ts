/** All functions of terminals by name, and which of them a terminal has. */
import type { Terminal } from '../../dispatch/domain/model.js';
import { areaFunctions } from './areas.js';
import { controlFunctions } from './control.js';
import { cutOffFunctions } from './cut-off.js';
import { driverFunctions } from './driver.js';
import type { TerminalFunction } from './function.js';
import { fenceFunctions } from './fences.js';
import { mediaFunctions } from './media.js';
import { parameterFunctions } from './parameters.js';
import { send } from './send.js';
import { serviceFunctions } from './service.js';
import { upgrade } from './upgrade.js';

export type { TerminalFunction } from './function.js';

/** What people may ask for. */
export const terminalFunctions: readonly TerminalFunction[] = [
  ...parameterFunctions,
  ...controlFunctions,
  ...driverFunctions,
  ...mediaFunctions,
  ...areaFunctions,
  ...serviceFunctions,
  ...cutOffFunctions,
  upgrade,
  send,
];

const byName = new Map([...terminalFunctions, ...fenceFunctions].map((one) => [one.name, one]));

export function functionOf(name: string): TerminalFunction | undefined {
  return byName.get(name);
}

/** The edition that a terminal is spoken to in: 2013 until it has registered (reference 10.4). */
export function editionOf(terminal: Pick<Terminal, 'edition'>): 2011 | 2013 | 2019 {
  return terminal.edition ?? 2013;
}

/** Why a terminal does not have a function: a stable code and words. Undefined: it has. */
export function lacks(
  one: TerminalFunction,
  terminal: Pick<Terminal, 'edition' | 'profile' | 'options'>,
): { code: 'notJt808' | 'editionLacks' | 'withdrawn' | 'noScreen'; words: string } | undefined {
  const edition = editionOf(terminal);
  if (terminal.profile === 'mqtt') {
    if (one.app) return undefined;
    return { code: 'notJt808', words: `${one.name} needs JT/T 808; this terminal speaks MQTT` };
  }
  if (one.screen && terminal.profile === 'tracker') {
    return { code: 'noScreen', words: `${one.name} needs a screen; this terminal is a tracker` };
  }
  if (one.since > edition) {
    return { code: 'editionLacks', words: `${one.name} exists since ${one.since}; this terminal speaks ${edition}` };
  }
  if (one.until !== undefined && one.until < edition) {
    const words = `${one.name} exists until ${one.until}; this terminal speaks ${edition}`;
    return { code: 'editionLacks', words };
  }
  if (one.withdrawn && edition === 2019 && terminal.options.withdrawn !== true) {
    const words = `the 2019 edition withdrew ${one.name}; set the terminal’s option “withdrawn” if it has it all the same`;
    return { code: 'withdrawn', words };
  }
  return undefined;
}
