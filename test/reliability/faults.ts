/**
 * `npm run faults -- [--seconds 10] [--terminals 20] [--only NAME,…] [--json]`: lets disk and clock of a gateway at work
 * go wrong one after the other, and holds what the API shows in the end against what was confirmed. Exit status 1 when
 * they differ. Linux, with a C compiler.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FAULTS, runFaults } from './faulting.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    terminals: { type: 'string', default: '20' },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const seconds = Number(values.seconds);
const terminals = Number(values.terminals);
const faults = FAULTS.filter(({ name }) => values.only === undefined || values.only.split(',').includes(name));
if (!(seconds > 0) || !(terminals >= 1) || faults.length === 0) {
  process.stderr.write(`usage: npm run faults -- [--seconds S] [--terminals N] [--only ${FAULTS.map(({ name }) => name).join(',')}]\n`); // prettier-ignore
  process.exit(2);
}
const directory = mkdtempSync(join(tmpdir(), 'linecrew-faults-'));
const say = (words: string): void => void process.stderr.write(`${words}\n`);
try {
  const figures = await runFaults({ faults, terminals, lastsMs: seconds * 1000, directory, say });
  const { rows, missing, doubled, ...counts } = figures;
  if (values.json) process.stdout.write(JSON.stringify(figures) + '\n');
  else {
    const ms = (value: number): string => String(Math.round(value));
    process.stdout.write(
      `| fault, ${seconds} s | /readyz meanwhile | messages confirmed meanwhile | restarts | next message / order confirmed after its end, ms |\n|---|---|---|---|---|\n` +
        rows
          .map(
            (row) =>
              `| ${row.words} | ${row.ready ? 'ready' : 'not ready'} | ${row.confirmedDuring} | ${row.restarts} | ${ms(row.messageAfterMs)} / ${ms(row.orderAfterMs)} |\n`,
          )
          .join('') +
        `${counts.positions} locations, ${counts.reports} reports, ${counts.orders} orders and ${counts.withdrawn} withdrawals were confirmed; ` +
        `missing ${missing.length}, twice ${doubled.length}; event log of ${counts.events} events\n`,
    );
  }
  for (const one of [...missing.map((m) => `missing: ${m}`), ...doubled.map((d) => `twice: ${d}`)].slice(0, 50))
    say(one);
  if (missing.length + doubled.length > 0) process.exitCode = 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
