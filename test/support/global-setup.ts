import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ensureSystem } from './system.js';

/** Once before all tests: what they need from the system, and the generated protobuf code. */
export default function setup(): void {
  ensureSystem();
  execFileSync(process.execPath, [fileURLToPath(new URL('../../scripts/build-proto.mjs', import.meta.url))], {
    stdio: 'ignore',
  });
}
