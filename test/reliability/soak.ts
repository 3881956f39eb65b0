/**
 * `npm run soak -- --minutes 60 [--terminals 500] [--interval-ms 1000] [--out docs]`: a steady load, a sample every ten
 * seconds, written to soak.csv and soak.svg. Exit status 1 when something grew or a confirmation never came.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { toCsv, toSvg } from './soak-graph.js';
import { soak, trends } from './soaking.js';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    terminals: { type: 'string', default: '500' },
    'interval-ms': { type: 'string', default: '1000' },
    out: { type: 'string', default: 'docs' },
  },
});
const seconds = Number(values.minutes) * 60;
const terminals = Number(values.terminals);
const intervalMs = Number(values['interval-ms']);
if (!(seconds > 0 && terminals > 0 && intervalMs > 0)) {
  process.stderr.write('usage: npm run soak -- [--minutes N] [--terminals N] [--interval-ms N] [--out DIRECTORY]\n');
  process.exit(2);
}
const directory = mkdtempSync(join(tmpdir(), 'linecrew-soak-'));
try {
  const { samples, lost, unanswered } = await soak({
    seconds, terminals, intervalMs, sampleSeconds: Math.min(10, seconds / 12), directory,
    sampled: ({ seconds: at, rssMb, ownMb, heapMb, handles, p99Ms }) =>
      void process.stderr.write(`${at} s: RSS ${rssMb.toFixed(0)} MiB, own ${ownMb.toFixed(0)} MiB, heap ${heapMb.toFixed(0)} MiB, ${handles} handles, p99 ${p99Ms.toFixed(1)} ms\n`),
  }); // prettier-ignore
  const title = `${terminals} terminals, one location every ${intervalMs} ms each, ${Number(values.minutes)} minutes`;
  writeFileSync(join(values.out, 'soak.csv'), toCsv(samples));
  writeFileSync(join(values.out, 'soak.svg'), toSvg(samples, title));
  for (const { what, early, late, bound, ok } of trends(samples)) {
    process.stdout.write(`${ok ? 'ok  ' : 'GREW'} ${what}: ${early.toFixed(1)} early, ${late.toFixed(1)} late (bound ${bound.toFixed(1)})\n`); // prettier-ignore
    if (!ok) process.exitCode = 1;
  }
  process.stdout.write(`connections lost ${lost}, confirmations that never came ${unanswered}\n`);
  if (lost + unanswered > 0) process.exitCode = 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
