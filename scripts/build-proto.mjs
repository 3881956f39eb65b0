// Generates protocol/mqtt/generated/terminal.js and .d.ts from terminal.proto with pbjs (static code, no reflection at
// run time). Skips when both are newer than the .proto file and this script; `--force` generates anyway.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const source = join(root, 'protocol/mqtt/terminal.proto');
const folder = join(root, 'protocol/mqtt/generated');
const outputs = [join(folder, 'terminal.js'), join(folder, 'terminal.d.ts')];

/** @returns {boolean} true when nothing has to be generated */
function upToDate() {
  const newest = Math.max(statSync(source).mtimeMs, statSync(fileURLToPath(import.meta.url)).mtimeMs);
  return outputs.every((file) => existsSync(file) && statSync(file).mtimeMs >= newest);
}

/** Generates when needed. @returns {boolean} true when something was generated */
export function buildProto(force = false) {
  if (!force && upToDate()) return false;
  mkdirSync(folder, { recursive: true });
  const require = createRequire(import.meta.url);
  const pbjs = join(dirname(require.resolve('protobufjs-cli/package.json')), 'bin/pbjs');
  // Written beside and renamed, so that a process which reads them meanwhile never sees half a file.
  const temporary = join(folder, `terminal.${process.pid}.js`);
  const flags = ['-t', 'static-module', '-w', 'esm', '--dts', '--no-verify', '--no-delimited', '--no-service'];
  execFileSync(process.execPath, [pbjs, ...flags, '-o', temporary, source], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  renameSync(temporary.replace(/\.js$/, '.d.ts'), outputs[1]);
  renameSync(temporary, outputs[0]);
  return true;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const done = buildProto(process.argv.includes('--force'));
  console.log(done ? 'protocol/mqtt/generated: generated' : 'protocol/mqtt/generated: up to date');
}
