import type { Command } from 'commander';
import { createInterface } from 'node:readline';
import { DecodeError, dialectOf, dialects, fromHex, StreamDescriber, type Described } from '../../protocol/index.js';
import { editionOption, FRAMING_WORDS, framingOption, parseHex, UsageError, withUsage } from './input.js';

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
  const stream = new StreamDescriber(options);
  const print = (found: readonly (Described | RefusedLine)[]): void => {
    for (const one of found) process.stdout.write(`${JSON.stringify(one)}\n`);
    if (found.some((one) => 'error' in one)) process.exitCode = 1;
  };
  // Arguments are pieces of one stream: parts of a sub-packaged message may be given one by one.
  if (hex.length > 0) for (const bytes of hex.map(parseHex)) print(stream.push(bytes));
  else if (flags.binary === true) for await (const chunk of process.stdin) print(stream.push(chunk as Buffer));
  else {
    let line = 0;
    for await (const text of createInterface({ input: process.stdin.setEncoding('latin1') })) {
      print(pushLine(stream, text, ++line));
    }
  }
  if (stream.totalBytes === 0 && process.exitCode !== 1) throw new UsageError('nothing to decode: the input is empty');
  print(stream.end());
}

/** A line of standard input that is no hex. */
interface RefusedLine {
  error: 'not_hex';
  /** From 1. */
  line: number;
  /** Bytes of the input before the line. */
  offset: number;
  detail: string;
}

/** A line that is not hex costs nothing but itself. */
function pushLine(stream: StreamDescriber, text: string, line: number): (Described | RefusedLine)[] {
  try {
    return stream.push(fromHex(text));
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return [{ error: 'not_hex', line, offset: stream.totalBytes, detail: error.message }];
  }
}
