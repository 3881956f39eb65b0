/**
 * `npm run sim -- --seed N` replays one world and prints what happened in it; `--seeds FROM-TO` runs many and prints the
 * seeds that fail; `--storm long` makes every storm a long one (`short`: short). Exit status 1 when something that must
 * hold did not.
 */
import { parseArgs } from 'node:util';
import { simulate, type Storm } from './world.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1-100' },
    storm: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const storm = stormOf(values.storm);

if (values.seed !== undefined) await one(Number(values.seed));
else await many(...range(values.seeds));

async function one(seed: number): Promise<void> {
  const { trace, faults, counts } = await simulate(seed, storm);
  for (const line of trace) say(line);
  say(`\nseed ${seed}: ${JSON.stringify(counts)}`);
  for (const fault of faults) say(`FAULT  ${fault}`);
  if (faults.length > 0) process.exitCode = 1;
}

async function many(from: number, to: number): Promise<void> {
  const startedAt = performance.now();
  let failed = 0;
  for (let seed = from; seed <= to; seed++) {
    const { faults } = await simulate(seed, storm);
    if (faults.length === 0) continue;
    failed += 1;
    if (values.json) say(JSON.stringify({ seed, faults }));
    else say(`seed ${seed}: ${faults.slice(0, 3).join('; ')}`);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const count = to - from + 1;
  if (!values.json)
    say(
      `${count} seeds, ${failed} failed, ${seconds.toFixed(1)} s (${((seconds / count) * 1000).toFixed(0)} ms a seed)`,
    );
  if (failed > 0) process.exitCode = 1;
}

function range(text: string): [number, number] {
  const found = /^(\d+)(?:-(\d+))?$/.exec(text);
  if (found === null) throw new Error(`--seeds: expected FROM-TO, found "${text}"`);
  return [Number(found[1]), Number(found[2] ?? found[1])];
}

function stormOf(text: string | undefined): Storm | undefined {
  if (text === undefined || text === 'short' || text === 'long') return text;
  throw new Error(`--storm: expected short or long, found "${text}"`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
