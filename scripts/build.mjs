// Builds dist/: protobuf code, TypeScript, the files that the program reads at run time, the console.
import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const quick = process.argv.includes('--server');

run('node', 'scripts/build-proto.mjs');
for (const folder of ['protocol', 'dispatch', 'gateway', 'simulator'])
  rmSync(join(root, 'dist', folder), { recursive: true, force: true });
run(bin('typescript/bin/tsc'), '-p', 'tsconfig.build.json');
copy('protocol/mqtt/generated', ['.js', '.d.ts', '.json']);
copy('protocol/mqtt', ['.proto']);
copy('dispatch/store/scripts', ['.lua']);
copy('simulator/scenarios', ['.yaml']);
if (!quick && existsSync(join(root, 'dispatch/console/vite.config.ts'))) {
  run(bin('vite/bin/vite.js'), 'build', '--logLevel', 'warn', '-c', 'dispatch/console/vite.config.ts');
}

function bin(path) {
  return join(root, 'node_modules', path);
}

function run(program, ...args) {
  const [file, rest] = program === 'node' ? [process.execPath, args] : [process.execPath, [program, ...args]];
  const { status } = spawnSync(file, rest, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

/** Copies the files of one folder that have one of the endings. */
function copy(folder, endings) {
  const from = join(root, folder);
  if (!existsSync(from)) return;
  cpSync(from, join(root, 'dist', folder), {
    recursive: true,
    filter: (path) => !/\.[a-z]+$/.test(path) || endings.some((ending) => path.endsWith(ending)),
  });
}
