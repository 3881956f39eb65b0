/** Phone book, info menu, driver's card, tachograph, and any message by its name. */
import { choice, lines, number, text, type Fields, type FunctionLook } from './function-look.js';

const setting = choice('setting', 'arg.listSetting', 'listSetting', ['replace', 'append', 'modify', 'clear']);

/** `first, rest` of a line. */
function halves(line: string): [string, string] {
  const [, first = line, rest = ''] = /^([^,，]*)[,，](.*)$/.exec(line) ?? [];
  return [first.trim(), rest.trim()];
}

/** A list that is cleared has no entries. */
const listOf = (fields: Fields, name: string, entry: (line: string) => object): Record<string, unknown> => ({
  setting: fields.setting,
  ...(fields.setting === 'clear' ? {} : { [name]: ((fields[name] ?? []) as string[]).map(entry) }),
});

export const SERVICE_FUNCTIONS: readonly FunctionLook[] = [
  { name: 'driver-identity', icon: 'user', rare: true, arguments: [] },
  {
    name: 'phone-book',
    icon: 'phone',
    rare: true,
    arguments: [setting, lines('contacts', 'arg.contacts')],
    given: (fields) =>
      listOf(fields, 'contacts', (line) => {
        const [phone, name] = halves(line);
        return { number: phone, name };
      }),
  },
  {
    name: 'info-menu',
    icon: 'list',
    rare: true,
    arguments: [setting, lines('items', 'arg.infoItems')],
    given: (fields) =>
      listOf(fields, 'items', (line) => {
        const [type, name] = halves(line);
        return { type: Number(type), name };
      }),
  },
  {
    name: 'info-send',
    icon: 'message',
    rare: true,
    arguments: [
      number('type', 'arg.infoType', 0, 255),
      { name: 'text', kind: 'long', label: 'arg.text', required: true },
    ],
  },
  {
    name: 'recorder-query',
    icon: 'report',
    rare: true,
    arguments: [number('command', 'arg.recorderCommand', 0, 255), text('data', 'arg.hexData')],
  },
  {
    name: 'recorder-set',
    icon: 'pen',
    rare: true,
    arguments: [
      number('command', 'arg.recorderCommand', 0, 255),
      { name: 'data', kind: 'long', label: 'arg.hexData', required: true },
    ],
    confirm: true,
  },
  {
    name: 'send',
    icon: 'out',
    rare: true,
    maintenance: true,
    arguments: [text('message', 'arg.message', 'required'), { name: 'body', kind: 'long', label: 'arg.messageBody' }],
    given: ({ message, body }) => ({
      message,
      ...(body === undefined ? {} : { body: JSON.parse(body as string) as unknown }),
    }),
    confirm: true,
  },
];
