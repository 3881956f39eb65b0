import { DecodeError, fromHex, type FramingName } from '../../protocol/index.js';

/** Bytes of what a command was given: hex arguments, or standard input as hex text or, with `binary`, as it is. */
export async function readInput(words: readonly string[], binary: boolean): Promise<Uint8Array[]> {
  if (words.length > 0) return words.map(parseHex);
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  const all = Buffer.concat(chunks);
  if (binary) return [new Uint8Array(all)];
  return [parseHex(all.toString('latin1'))];
}

/** A wrong use of the command line; the CLI root answers with exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly exitCode = 2;
}

/** Bytes of a hex argument. @throws {UsageError} */
export function parseHex(text: string): Uint8Array {
  try {
    return fromHex(text);
  } catch (error) {
    throw error instanceof DecodeError ? new UsageError(`not hex: ${error.message}`) : error;
  }
}

/** Runs a command's work; a wrong use is written to standard error and sets exit status 2. */
export async function withUsage(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`error: ${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}

const editionsByName = { '2011': 2011, '2013': 2013 } as const;

/** The value of `--edition`: of short headers, a long one says itself that it is of 2019. */
export function editionOption(value: string | undefined): { edition?: 2011 | 2013 } {
  if (value === undefined) return {};
  const edition = editionsByName[value as keyof typeof editionsByName];
  if (edition === undefined) throw new UsageError(`--edition: expected 2011 or 2013, found ${value}`);
  return { edition };
}

/** What `--framing` takes. */
export const FRAMING_WORDS = 'flags and escapes: standard, e7 (0xE7 flags), or auto: as the first byte tells';

/** The value of `--framing`. */
export function framingOption(value: string): FramingName | 'auto' {
  if (value === 'auto' || value === 'standard' || value === 'e7') return value;
  throw new UsageError(`--framing: expected auto, standard or e7, found ${value}`);
}
