import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Mutant } from './mutants.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const parts = ['protocol', 'dispatch', 'gateway', 'simulator', 'test/simulation', 'package.json', 'tsconfig.json'];

/**
 * Runs the simulation on a copy of the code with one mistake in it.
 * @param seeds `7` or `1-20`; runs to the end of the range
 * @returns the faults by seed
 */
export async function runMutant(mutant: Mutant, seeds: string): Promise<{ seed: number; faults: string[] }[]> {
  const folder = mkdtempSync(join(tmpdir(), 'linecrew-mutant-'));
  try {
    for (const part of parts) {
      cpSync(join(root, part), join(folder, part), { recursive: true, filter: (path) => !path.includes('/console/') });
    }
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    const file = join(folder, mutant.file);
    const source = readFileSync(file, 'utf8');
    const places = source.split(mutant.find).length - 1;
    if (places !== 1) throw new Error(`${mutant.file} has ${places} places for the mistake "${mutant.name}"`);
    writeFileSync(
      file,
      source.replace(mutant.find, () => mutant.replace),
    );
    const output = await run(folder, ['--import', 'tsx', 'test/simulation/run.ts', '--seeds', seeds, '--json']);
    return output
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as { seed: number; faults: string[] });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(cwd: string, args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => {
      // 0: nothing was caught, 1: something was; anything else, or nothing said, is a mutant that does not even run.
      if (code === 0 || (code === 1 && output !== '')) resolve(output);
      else reject(new Error(`the mutant does not run (exit ${code}): ${errors.slice(-2000)}`));
    });
  });
}
