import type { Command } from 'commander';
import { describeStream, dialectOf, dialects } from '../../protocol/index.js';
import { editionOption, FRAMING_WORDS, framingOption, readInput, UsageError, withUsage } from './input.js';

interface DecodeFlags {
  binary?: boolean;
  edition?: string;
  dialect: string;
  framing: string;
}

/** `linecrew decode`: one JSON object a line for every frame or error; exit status 1 when anything was refused. */
export function registerDecode(program: Command): void {
  program
    .command('decode')
    .description('JT/T 808 frames from arguments or standard input as JSON lines (docs/decode-format.md)')
    .argument('[hex...]', 'frames as hex, one or several in each; without any, standard input is read')
    .option('--binary', 'standard input holds the bytes themselves')
    .option('--edition <year>', 'edition of frames with a short header: 2011 or 2013')
    .option('--dialect <name>', `how vendor items are read: ${Object.keys(dialects).join(', ')}`, 'common')
    .option('--framing <name>', FRAMING_WORDS, 'auto')
    .action((hex: string[], flags: DecodeFlags) => withUsage(() => decode(hex, flags)));
}

async function decode(hex: string[], flags: DecodeFlags): Promise<void> {
  const { dialect: name } = flags;
  const framing = framingOption(flags.framing);
  const dialect = dialectOf(name);
  if (dialect === undefined)
    throw new UsageError(`--dialect: expected ${Object.keys(dialects).join(', ')}, found ${name}`);
  const options = { ...editionOption(flags.edition), dialect, framing } as const;
  const input = await readInput(hex, flags.binary === true);
  // Arguments are pieces of one stream: parts of a sub-packaged message may be given one by one.
  const found = describeStream(new Uint8Array(Buffer.concat(input)), options);
  for (const one of found) process.stdout.write(`${JSON.stringify(one)}\n`);
  if (found.some((one) => 'error' in one)) process.exitCode = 1;
}
