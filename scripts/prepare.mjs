// Runs after `npm ci`: leaves the package built. In an install without development packages the published dist/ is used as it is.
import { existsSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
if (!existsSync(new URL('../node_modules/typescript/package.json', import.meta.url))) {
  if (existsSync(new URL('../dist/gateway/cli.js', import.meta.url))) process.exit(0);
  console.error('linecrew: the development packages are needed to build; run npm ci without --omit=dev');
  process.exit(1);
}
const done = spawnSync('npm', ['run', 'build', '--silent'], {
  cwd: root,
  stdio: 'inherit',
  shell: process.platform === 'win32',
});
process.exit(done.status ?? 1);
