/** Where the terminal is, its link and clock, restarting it, doors (reference 3.10, 3.11, 5.3). */
import { z } from 'zod';
import { EncodeError } from '../../protocol/index.js';
import { CLOCK_COMMAND } from '../../dispatch/domain/terminal-evidence.js';
import { message, terminalFunction, type TerminalFunction } from './function.js';

const nothing = z.strictObject({});
const confirmed = z.strictObject({
  confirm: z.literal(true).meta({ description: 'The terminal forgets its settings, its server among them' }),
});

const position = terminalFunction({
  name: 'position',
  title: 'Ask where it is now',
  since: 2011,
  arguments: nothing,
  render: (_args, edition) => [message('locationQuery', edition, {})],
  app: () => ({ kind: 'positionRequest' }),
});

const clockOffset = terminalFunction({
  name: CLOCK_COMMAND,
  title: 'Measure how far the terminal’s clock is off',
  since: 2011,
  arguments: nothing,
  // A position written now bears the terminal's time of now.
  render: (_args, edition) => [message('locationQuery', edition, {})],
  app: () => ({ kind: 'positionRequest' }),
});

/** A day: longer is a change of the default interval, which is a parameter. */
const followMaxS = 86_400;
const followS = 600;

const follow = terminalFunction({
  name: 'follow',
  title: 'Follow closely for a while: a position every few seconds',
  since: 2011,
  arguments: z.strictObject({
    intervalS: z.int().min(0).max(3_600).meta({ description: 'Seconds between positions; 0 ends it' }),
    forS: z.int().min(1).max(followMaxS).optional().meta({ description: 'How long, seconds; default 600' }),
  }),
  render: ({ intervalS, forS = followS }, edition) => [
    message('track', edition, intervalS === 0 ? { intervalS } : { intervalS, validityS: forS }),
  ],
  app: ({ intervalS, forS = followS }) => ({ kind: 'follow', intervalS, forS: intervalS === 0 ? 0 : forS }),
});

const linkTest = terminalFunction({
  name: 'link-test',
  title: 'Test the link',
  since: 2019,
  arguments: nothing,
  render: (_args, edition) => [message('linkTest', edition, {})],
});

const RESET = 4;
const FACTORY_RESET = 5;

const restart = terminalFunction({
  name: 'restart',
  title: 'Restart the terminal',
  since: 2011,
  arguments: nothing,
  once: true,
  render: (_args, edition) => [message('control', edition, { command: RESET, parameters: [] })],
  app: () => ({ kind: 'restart' }),
});

const factoryReset = terminalFunction({
  name: 'factory-reset',
  title: 'Reset the terminal to what the factory set',
  since: 2011,
  arguments: confirmed,
  once: true,
  render: (_args, edition) => [message('control', edition, { command: FACTORY_RESET, parameters: [] })],
});

/** By edition the polarity differs: 2013 bit 0 set locks, 2019 parameter 0 locks. */
const doors = terminalFunction({
  name: 'doors',
  title: 'Lock or unlock the doors',
  since: 2011,
  arguments: z.strictObject({ lock: z.boolean() }),
  render: ({ lock }, edition) => [
    message(
      'vehicleControl',
      edition,
      edition === 2019 ? { controls: [{ id: 1, parameter: lock ? 0 : 1 }] } : { flags: lock ? 1 : 0 },
      0x0500,
    ),
  ],
});

const callBack = terminalFunction({
  name: 'call-back',
  title: 'Have the terminal call a telephone number',
  since: 2011,
  arguments: z.strictObject({
    number: z.string().regex(/^\+?[0-9]{3,20}$/, { error: () => 'expected 3 to 20 digits' }),
    listenOnly: z.boolean().optional(),
  }),
  render({ number, listenOnly }, edition) {
    if (number.length > 20) throw new EncodeError('number', 'a terminal takes at most 20 characters');
    return [message('callBack', edition, { flag: listenOnly ? 1 : 0, number })];
  },
});

/** Types that an operator confirms (reference 3.10); 0 as serial: all alarms of these types. */
const confirmAlarm = terminalFunction({
  name: 'confirm-alarm',
  title: 'Tell the terminal that a person has handled its alarms',
  since: 2013,
  arguments: z.strictObject({
    bits: z.array(z.union([0, 3, 20, 21, 22, 27, 28].map((bit) => z.literal(bit)))).min(1),
  }),
  render: ({ bits }, edition) => [
    message('confirmAlarm', edition, {
      alarmSerial: 0,
      types: bits.reduce((word, bit) => (word | (1 << bit)) >>> 0, 0),
    }),
  ],
});

export const controlFunctions: readonly TerminalFunction[] = [
  position,
  follow,
  clockOffset,
  linkTest,
  restart,
  factoryReset,
  doors,
  callBack,
  confirmAlarm,
];
