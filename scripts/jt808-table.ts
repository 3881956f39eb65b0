/**
 * docs/jt808.md from the declarations: every message with its editions, reply and fields, the parameters, the
 * additional items and the bits. A test compares the file with what this gives.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  alarmBits,
  companionMessages,
  editions,
  extraItems,
  hasMessage,
  messages,
  parameters,
  statusBits,
  type Edition,
  type MessageDeclaration,
  type MessageName,
} from '../protocol/index.js';
import type { Field } from '../protocol/field/index.js';
import { USES } from './jt808-support.js';

const hex = (value: number, digits: number): string => `0x${value.toString(16).toUpperCase().padStart(digits, '0')}`;

/** A field as `name type`, e.g. `replySerial WORD, extras list of (id BYTE, value …)`. */
function fieldWords(field: Field<unknown>, edition: Edition): string {
  const { shape } = field;
  switch (shape.kind) {
    case 'uint':
      return { 1: 'BYTE', 2: 'WORD', 4: 'DWORD' }[shape.bytes] + (shape.unit === undefined ? '' : ` (${shape.unit})`);
    case 'bcd':
      return `BCD[${shape.digits / 2}]`;
    case 'text':
      return shape.bytes === undefined ? 'text' : `text[${shape.bytes}]`;
    case 'bytes':
      return shape.bytes === undefined ? 'bytes' : `bytes[${shape.bytes}]`;
    case 'joined':
      return `texts joined by \`${shape.separator}\``;
    case 'struct':
      return structWords(shape.fields, edition);
    case 'list':
      return `${fieldWords(shape.count, edition)} count and list of (${fieldWords(shape.item, edition)})`;
    case 'items':
      return `list of (${fieldWords(shape.item, edition)})`;
    case 'twice':
      return `${fieldWords(shape.whole, edition)} and ${fieldWords(shape.inPacket, edition)} (in packet)`;
    case 'countOf':
      return `${fieldWords(shape.count, edition)} count of ${shape.list}`;
    case 'sized':
      return `${fieldWords(shape.length, edition)} length and ${fieldWords(shape.item, edition)}`;
    case 'byEdition':
      return fieldWords(shape.pick(edition), edition);
    case 'since':
      return edition >= shape.edition ? fieldWords(shape.item, edition) : '';
    case 'until':
      return edition <= shape.edition ? fieldWords(shape.item, edition) : '';
    case 'when':
      return wrapped(fieldWords(shape.item, edition), 'conditional');
    case 'optional':
      return wrapped(fieldWords(shape.item, edition), 'optional');
    case 'either':
      return fieldWords(shape.first, edition);
  }
}

const wrapped = (words: string, note: string): string => (words === '' ? '' : `${words}, ${note}`);

function structWords(fields: Readonly<Record<string, Field<unknown>>>, edition: Edition): string {
  return Object.entries(fields)
    .map(([name, field]) => [name, fieldWords(field, edition)] as const)
    .filter(([, words]) => words !== '')
    .map(([name, words]) => `${name} ${words}`)
    .join('; ');
}

function editionCell(one: MessageDeclaration, edition: Edition): string {
  if (!hasMessage(one, edition)) return '–';
  return one.withdrawn === true && edition === 2019 ? 'as 2013' : 'yes';
}

function messageTable(direction: 'up' | 'down'): string[] {
  const rows = Object.entries(messages as Record<string, MessageDeclaration>)
    .filter(([, one]) => one.direction === direction)
    .map(([name, one]) => {
      const cells = editions.map((edition) => editionCell(one, edition));
      const reply = one.reply === undefined ? '–' : hex(one.reply, 4);
      const use = USES[name as MessageName];
      return `| ${hex(one.id, 4)} | \`${name}\` | ${one.title} | ${cells.join(' | ')} | ${reply} | ${use} |`;
    });
  return ['| id | name | message | 2011 | 2013 | 2019 | reply | use |', '|---|---|---|---|---|---|---|---|', ...rows];
}

function companionTable(): string[] {
  const rows = Object.entries(companionMessages).map(([id, { title, standard, direction }]) => {
    return `| ${hex(Number(id), 4)} | ${direction} | ${title} | ${standard} |`;
  });
  return ['| id | direction | message | standard |', '|---|---|---|---|', ...rows];
}

/** The fields of a message by edition; editions with the same fields share a row. */
function fieldTable(): string[] {
  const rows: string[] = ['| id | editions | fields |', '|---|---|---|'];
  for (const one of Object.values(messages as Record<string, MessageDeclaration>)) {
    const byWords = new Map<string, Edition[]>();
    for (const edition of editions.filter((year) => hasMessage(one, year))) {
      const words = fieldWords(one.body, edition) || 'empty';
      byWords.set(words, [...(byWords.get(words) ?? []), edition]);
    }
    for (const [words, years] of byWords) rows.push(`| ${hex(one.id, 4)} | ${years.join(', ')} | ${words} |`);
  }
  return rows;
}

function parameterTable(): string[] {
  const rows = parameters.map(({ id, name, title, type, typeIn2011, unit, since, until, critical }) => {
    const years = `${since}${until === undefined ? '' : ` to ${until}`}`;
    const width = typeIn2011 === undefined ? type : `${type} (2011: ${typeIn2011})`;
    return `| ${hex(id, 4)} | \`${name}\` | ${title} | ${width} | ${unit ?? ''} | ${years} | ${critical ? 'yes' : ''} |`;
  });
  const head = [
    '| id | name | parameter | type | unit | since | cuts the terminal off when wrong |',
    '|---|---|---|---|---|---|---|',
  ];
  return [...head, ...rows];
}

function extraTable(): string[] {
  const rows = Object.entries(extraItems).map(([id, { name, title, since, field }]) => {
    return `| ${hex(Number(id), 2)} | \`${name}\` | ${title} | ${fieldWords(field, 2019)} | ${since} |`;
  });
  return ['| id | name | item | value | since |', '|---|---|---|---|---|', ...rows];
}

function bitTable(of: (edition: Edition) => Readonly<Record<number, string>>): string[] {
  const rows: string[] = ['| bit | 2011 | 2013 | 2019 |', '|---|---|---|---|'];
  for (let bit = 0; bit < 32; bit++) {
    const cells = editions.map((edition) => of(edition)[bit] ?? '');
    if (cells.some((cell) => cell !== '')) rows.push(`| ${bit} | ${cells.join(' | ')} |`);
  }
  return rows;
}

/** The whole document. */
export function jt808Document(): string {
  const sections: [string, string, string[]][] = [
    [
      'From the terminal',
      'The reply is what the terminal waits for; “–”: none is due. The use is what the gateway does with it.',
      messageTable('up'),
    ],
    [
      'To the terminal',
      'The reply is what the terminal sends; “–”: none is due. A name as use is a function of `linecrew terminal`.',
      messageTable('down'),
    ],
    [
      'Of companion standards',
      'Known by name; their bodies are kept as bytes. Uplinks are answered with 0x8001.',
      companionTable(),
    ],
    [
      'Fields',
      'BYTE, WORD and DWORD are unsigned, high byte first. Texts are GBK (GB18030); lengths count bytes.',
      fieldTable(),
    ],
    [
      'Parameters',
      'For `setParameters` and `parameters`. 0x0110 to 0x01FF hold 8 bytes each: CAN sampling by id.',
      parameterTable(),
    ],
    [
      'Additional items of a location',
      'Other items are kept as hex; vendor items are read by the dialect of the terminal.',
      extraTable(),
    ],
    ['Alarm flags', 'Bits without a name are reserved.', bitTable(alarmBits)],
    ['Status bits', 'Bits 8 and 9 together are the load: 00 empty, 01 half, 11 full.', bitTable(statusBits)],
  ];
  const intro = [
    '# JT/T 808 messages',
    '',
    'Generated from the declarations in `protocol/jt808/` by `npx tsx scripts/jt808-table.ts --write`; do not edit.',
    '',
    'Every message below is decoded, encoded and explained in each edition that has it. “as 2013”: the 2019 edition lists',
    'the id without a body; the 2013 body is used in the 2019 header, for terminals that support it. “2011” is the strict',
    'approval draft with its repeated counts; a terminal with a short header is otherwise spoken to as 2013.',
  ];
  const parts = sections.map(([title, note, table]) => [`## ${title}`, '', note, '', ...table].join('\n'));
  return `${[intro.join('\n'), ...parts].join('\n\n')}\n`;
}

export const jt808DocumentFile = join(dirname(fileURLToPath(import.meta.url)), '../docs/jt808.md');

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--write')) writeFileSync(jt808DocumentFile, jt808Document());
  else if (readFileSync(jt808DocumentFile, 'utf8') !== jt808Document()) {
    console.error('docs/jt808.md is not what the declarations say: npx tsx scripts/jt808-table.ts --write');
    process.exitCode = 1;
  }
}
