import { readFileSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { evidenceHandlers } from '../evidence/handlers.js';
import type { EvidenceSheet } from '../evidence/sheet.js';
import type { Verdict } from '../evidence/verify.js';
import { askStore, withStore, type StoreOptions } from './with-store.js';

/** `linecrew evidence ORDER` and `linecrew verify FILE`. */
export function registerEvidence(program: Command): void {
  withStore(
    program
      .command('evidence <order>')
      .description('the evidence sheet of an order (id or number): every stamp with its proof, and a hash over it'),
  )
    .option('--out <file>', 'write it there instead of standard output')
    .action(async (order: string, { out, ...options }: StoreOptions & { out?: string }) => {
      const sheet = (await ask('evidence.sheet', { order }, options)) as EvidenceSheet;
      const text = JSON.stringify(sheet, undefined, 2) + '\n';
      if (out === undefined) return void process.stdout.write(text);
      writeFileSync(out, text);
      process.stdout.write(`${out}: order ${sheet.order.number}, sha256 ${sheet.sha256}\n`);
    });
  withStore(
    program.command('verify <file>').description('hold an evidence sheet against the store; exit 1 where they differ'),
  )
    .option('--json', 'print the result as JSON')
    .action(async (file: string, { json, ...options }: StoreOptions & { json?: boolean }) => {
      const verdict = (await ask('evidence.verify', { sheet: parsed(file) }, options)) as Verdict;
      process.stdout.write(json ? JSON.stringify(verdict) + '\n' : wordsOf(verdict, file));
      if (!verdict.ok) process.exitCode = 1;
    });
}

const ask = (method: string, args: Record<string, unknown>, options: StoreOptions): Promise<unknown> =>
  askStore(method, args, options, ({ store, now }) => evidenceHandlers(store, now));

function parsed(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`${file} cannot be read as JSON: ${(error as Error).message}`);
  }
}

function wordsOf({ ok, altered, differences, notKept, order }: Verdict, file: string): string {
  const lines = [`${file}: order ${order.number}: ${ok ? 'as the store says' : 'NOT as the store says'}`];
  if (altered) lines.push('  the sheet was changed after it was made: its hash does not fit its content');
  for (const { pointer, sheet, store } of differences)
    lines.push(`  ${pointer}: sheet ${JSON.stringify(sheet)}, store ${JSON.stringify(store)}`);
  if (notKept.length > 0) lines.push(`  not compared, because the store no longer keeps it: ${notKept.join(', ')}`);
  return lines.join('\n') + '\n';
}
