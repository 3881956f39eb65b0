// Long fuzz run of the decoders: `node scripts/fuzz.mjs --minutes 10 [--seed 1]`. Minutes are processor time. The
// frames are our own examples and, where they lie beside the checkout, the collected ones. Exit status 1 on a finding.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { register } from 'tsx/esm/api';

register();
const { fuzz } = await import('./fuzz-protocol.ts');
const { fromHex } = await import('../protocol/index.ts');

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string', default: '1' } },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed);
if (!(minutes > 0) || !Number.isInteger(seed)) {
  console.error('usage: node scripts/fuzz.mjs [--minutes N] [--seed N]');
  process.exit(2);
}

const folders = [join(root, 'test/fixtures/frames'), join(root, '../shared/frames')].filter((one) => existsSync(one));
const frames = folders.flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').trim().split('\n'))
    .map((line) => fromHex(JSON.parse(line).hex)),
);

const usedMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
try {
  const result = fuzz(frames, seed, (inputs) => inputs % 256 === 0 && usedMs() >= minutes * 60_000);
  const cpuMinutes = (usedMs() / 60_000).toFixed(1);
  console.log(JSON.stringify({ seed, sources: frames.length, cpuMinutes: Number(cpuMinutes), ...result }));
} catch (error) {
  console.error(String(error.message));
  process.exitCode = 1;
}
