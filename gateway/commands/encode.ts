import type { Command } from 'commander';
import { encodeJson, EncodeError, toHex } from '../../protocol/index.js';
import { withUsage } from './input.js';

/** `linecrew encode`: JSON lines in, hex out, one frame a line; exit status 1 when a line could not be encoded. */
export function registerEncode(program: Command): void {
  program
    .command('encode')
    .description('JSON lines as hex frames: what decode prints, or a name with its body (docs/decode-format.md)')
    .argument('[json...]', 'messages as JSON; without any, standard input is read, one a line')
    .action((words: string[]) => withUsage(() => encode(words)));
}

async function encode(words: string[]): Promise<void> {
  const lines = words.length > 0 ? words : (await readText()).split('\n');
  lines.forEach((line, i) => {
    if (line.trim() === '') return;
    try {
      for (const frame of encodeJson(JSON.parse(line))) process.stdout.write(`${toHex(frame)}\n`);
    } catch (error) {
      const isJson = !(error instanceof SyntaxError);
      if (isJson && !(error instanceof EncodeError)) throw error;
      process.stderr.write(`line ${i + 1}${isJson ? '' : ' is no JSON'}: ${(error as Error).message}\n`);
      process.exitCode = 1;
    }
  });
}

async function readText(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
