/** Phone book, info menu, driver's card, tachograph (reference 4.4, 4.6, 4.8, 5.8). */
import { z } from 'zod';
import { fromHex } from '../../protocol/index.js';
import { message, terminalFunction, type TerminalFunction } from './function.js';

const CALLS = { incoming: 1, outgoing: 2, both: 3 } as const;
const digits = z.string().regex(/^\+?[0-9*#]{1,20}$/, { error: () => 'expected 1 to 20 digits' });

/** Numbers of the setting byte that list messages share; `clear` removes all, and nothing may follow it. */
const SETTINGS = { clear: 0, replace: 1, append: 2, modify: 3 } as const;
const setting = z.enum(Object.keys(SETTINGS) as [keyof typeof SETTINGS]).meta({
  description: 'replace the list, append to it, modify what is in it, or clear it',
});

/** @throws unless exactly a cleared list is empty */
const fits = ({ setting: how, ...rest }: { setting: string } & Record<string, unknown>): boolean =>
  Object.values(rest).every((list) => (how === 'clear') === (list === undefined));
const listRule = { error: () => 'a list that is cleared has no entries, any other has some' };

const phoneBook = terminalFunction({
  name: 'phone-book',
  title: 'Set the terminal’s phone book',
  since: 2011,
  screen: true,
  arguments: z
    .strictObject({
      setting,
      contacts: z
        .array(
          z.strictObject({
            number: digits,
            name: z.string().trim().min(1).max(40),
            calls: z
              .enum(Object.keys(CALLS) as [keyof typeof CALLS])
              .optional()
              .meta({ description: 'Default both' }),
          }),
        )
        .min(1)
        .max(255)
        .optional(),
    })
    .refine(fits, listRule),
  render: ({ setting: how, contacts = [] }, edition) => [
    message('phoneBook', edition, {
      setting: SETTINGS[how],
      contacts: contacts.map(({ number, name, calls = 'both' }) => ({ flag: CALLS[calls], number, name })),
    }),
  ],
});

const type = z.int().min(0).max(255);

const infoMenu = terminalFunction({
  name: 'info-menu',
  title: 'Set the menu of informations that the driver can ask for',
  since: 2011,
  withdrawn: true,
  screen: true,
  arguments: z
    .strictObject({
      setting,
      items: z
        .array(z.strictObject({ type, name: z.string().trim().min(1).max(60) }))
        .min(1)
        .max(255)
        .optional(),
    })
    .refine(fits, listRule),
  render: ({ setting: how, items }, edition) => [
    message('infoMenu', edition, { setting: SETTINGS[how], ...(items === undefined ? {} : { items }) }),
  ],
});

const infoSend = terminalFunction({
  name: 'info-send',
  title: 'Send an information of the menu',
  since: 2011,
  withdrawn: true,
  screen: true,
  arguments: z.strictObject({ type, text: z.string().trim().min(1).max(500) }),
  render: ({ type: of, text }, edition) => [message('infoService', edition, { type: of, content: text })],
});

const driverIdentity = terminalFunction({
  name: 'driver-identity',
  title: 'Ask whose card is in the reader',
  since: 2013,
  arguments: z.strictObject({}),
  render: (_args, edition) => [message('queryDriver', edition, {})],
});

/** Two hex digits a byte; a block of GB/T 19056 has at most 1 KiB. */
const block = z
  .string()
  .regex(/^([0-9a-fA-F]{2}){0,1024}$/, { error: () => 'expected at most 1024 bytes as hex' })
  .meta({ description: 'Data block of GB/T 19056 as hex' });
const command = z.int().min(0).max(255).meta({ description: 'Number of the command in GB/T 19056' });

const recorderQuery = terminalFunction({
  name: 'recorder-query',
  title: 'Read records of the tachograph',
  since: 2011,
  arguments: z.strictObject({ command, data: block.optional() }),
  render: ({ command: of, data = '' }, edition) => [
    message('recorderQuery', edition, { command: of, data: fromHex(data) }),
  ],
});

const recorderSet = terminalFunction({
  name: 'recorder-set',
  title: 'Set a value of the tachograph',
  since: 2011,
  arguments: z.strictObject({ command, data: block }),
  render: ({ command: of, data }, edition) => [message('recorderSet', edition, { command: of, data: fromHex(data) })],
});

export const serviceFunctions: readonly TerminalFunction[] = [
  phoneBook,
  infoMenu,
  infoSend,
  driverIdentity,
  recorderQuery,
  recorderSet,
];
