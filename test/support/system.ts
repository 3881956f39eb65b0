import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A program that the tests drive, and the Debian packages that bring it. */
interface Need {
  programs: string[];
  packages: string[];
}

const NEEDS = {
  redis: { programs: ['redis-server', 'redis-cli'], packages: ['redis-server', 'redis-tools'] },
  chromium: { programs: ['chromium'], packages: ['chromium', 'fonts-noto-cjk'] },
  mosquitto: { programs: ['mosquitto', 'mosquitto_pub'], packages: ['mosquitto', 'mosquitto-clients'] },
  haproxy: { programs: ['haproxy'], packages: ['haproxy'] },
  curl: { programs: ['curl'], packages: ['curl'] },
  openssl: { programs: ['openssl'], packages: ['openssl'] },
} satisfies Record<string, Need>;

/** The program's path, or undefined. Debian keeps some servers in /usr/sbin, which people's PATH often lacks. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  for (const folder of folders) {
    try {
      const path = join(folder || '.', name);
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

const missing = (need: Need): boolean => need.programs.some((program) => !findProgram(program));

/**
 * Makes sure that the servers and the browser which the tests use are there: installs them as root on Debian, else says
 * exactly what to install. A test run that silently leaves half of itself out proves nothing.
 */
export function ensureSystem(): void {
  const packages = Object.values(NEEDS)
    .filter(missing)
    .flatMap((need) => need.packages);
  if (packages.length === 0) return;
  const line = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  const canInstall = process.getuid?.() === 0 && findProgram('apt-get');
  if (!canInstall)
    throw new Error(`The tests need programs that are not here. On Debian or Ubuntu, as root:\n  ${line}`);
  process.stderr.write(`installing for the tests: ${packages.join(' ')}\n`);
  // Debian starts a server that it installs; the tests start their own, so this one must not.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  spawnSync('apt-get', ['update'], { stdio: 'ignore', env });
  execFileSync('apt-get', ['install', '-y', '--no-install-recommends', ...packages], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env,
  });
  const still = Object.values(NEEDS)
    .filter(missing)
    .flatMap((need) => need.programs);
  if (still.length > 0)
    throw new Error(`installed ${packages.join(' ')}, but these are still missing: ${still.join(', ')}`);
}

function need(name: keyof typeof NEEDS): string {
  const path = findProgram(NEEDS[name].programs[0]!);
  if (path) return path;
  ensureSystem();
  return findProgram(NEEDS[name].programs[0]!)!;
}

export const redisServerPath = (): string => need('redis');
export const chromiumPath = (): string => need('chromium');
export const haproxyPath = (): string => need('haproxy');
export const mosquittoPath = (): string => need('mosquitto');
