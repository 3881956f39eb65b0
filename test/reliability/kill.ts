/**
 * `npm run kill -- --times 200 [--terminals 20] [--json]`: kills a gateway under load at random instants, restarts it
 * and holds what the API shows against what was confirmed. Exit status 1, and the store kept, when they differ.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runKills } from './kills.js';

const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '10' },
    terminals: { type: 'string', default: '20' },
    json: { type: 'boolean', default: false },
  },
});
const times = Number(values.times);
const terminals = Number(values.terminals);
if (!(times >= 1) || !(terminals >= 1)) {
  process.stderr.write('usage: npm run kill -- [--times N] [--terminals N] [--json]\n');
  process.exit(2);
}
const directory = mkdtempSync(join(tmpdir(), 'linecrew-kill-'));
const say = (words: string): void => void process.stderr.write(`${words}\n`);
const figures = await runKills({ times, terminals, directory, random: Math.random, say });
const { missing, doubled, restartMs, ...counts } = figures;
if (values.json) process.stdout.write(JSON.stringify(figures) + '\n');
else {
  process.stdout.write(
    `${counts.kills} kills: ${counts.positions} locations, ${counts.reports} reports and ${counts.orders} orders were confirmed; ` +
      `missing ${missing.length}, twice ${doubled.length}; event log of ${counts.events} events; ` +
      `ready again after ${Math.round(restartMs.median)} ms (median), ${Math.round(restartMs.max)} ms (longest)\n`,
  );
}
if (missing.length + doubled.length > 0) {
  for (const one of [...missing.map((m) => `missing: ${m}`), ...doubled.map((d) => `twice: ${d}`)].slice(0, 50))
    say(one);
  say(`the store is kept at ${directory}`);
  process.exitCode = 1;
} else rmSync(directory, { recursive: true, force: true });
