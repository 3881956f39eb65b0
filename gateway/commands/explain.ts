import type { Command } from 'commander';
import { explainFrame, type ExplainRow } from '../../protocol/index.js';
import { editionOption, FRAMING_WORDS, framingOption, readInput, withUsage } from './input.js';

interface ExplainFlags {
  binary?: boolean;
  edition?: string;
  framing: string;
  json?: boolean;
}

/** `linecrew explain`: every byte with offset, field, meaning and value; exit status 1 when anything was refused. */
export function registerExplain(program: Command): void {
  program
    .command('explain')
    .description('every byte of JT/T 808 frames in words')
    .argument('[hex...]', 'frames as hex; without any, standard input is read')
    .option('--binary', 'standard input holds the bytes themselves')
    .option('--edition <year>', 'edition of frames with a short header: 2011 or 2013')
    .option('--framing <name>', FRAMING_WORDS, 'auto')
    .option('--json', 'one JSON object a row')
    .action((hex: string[], flags: ExplainFlags) => withUsage(() => explain(hex, flags)));
}

async function explain(hex: string[], flags: ExplainFlags): Promise<void> {
  const { edition } = editionOption(flags.edition);
  const framing = framingOption(flags.framing);
  const input = await readInput(hex, flags.binary === true);
  const rows = explainFrame(new Uint8Array(Buffer.concat(input)), edition, framing);
  const text = flags.json === true ? rows.map((row) => JSON.stringify(row)).join('\n') : table(rows);
  process.stdout.write(`${text}\n`);
  if (rows.some(({ field }) => field === 'refused' || field === 'unterminated')) process.exitCode = 1;
}

const longestHex = 36;

function table(rows: ExplainRow[]): string {
  const cells = rows.map(({ offset, hex, field, meaning, value }) => [
    String(offset),
    (hex.length > longestHex ? `${hex.slice(0, longestHex)}…` : hex).replace(/(..)(?=.)/g, '$1 '),
    field,
    meaning,
    value,
  ]);
  const all = [['offset', 'bytes', 'field', 'meaning', 'value'], ...cells];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => row[column]!.length)));
  return all
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
