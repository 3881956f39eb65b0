/** One process per store directory: a lock file that a crash cannot leave locked. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StoreError } from './errors.js';
import { makePrivateDirectory, PRIVATE_FILE } from './private-files.js';

const FILE = 'linecrew.lock';

interface Holder {
  pid: number;
  /** What tells this process from an earlier one with the same number: boot and start time, where the system says. */
  started: string;
}

/**
 * Takes the directory for this process; gives the release. The lock of a process that no longer runs is taken over.
 * Throws `StoreError` `locked` with the holder's pid, or `readOnly`, `full`, `io` where the directory takes no file.
 */
export function lockDirectory(directory: string): () => void {
  const file = join(directory, FILE);
  const own: Holder = { pid: process.pid, started: startOf(process.pid) ?? '' };
  try {
    makePrivateDirectory(directory);
  } catch (error) {
    throw new StoreError('io', `cannot make the store directory ${directory}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  for (let attempt = 0; ; attempt++) {
    try {
      writeFileSync(file, JSON.stringify(own), { flag: 'wx', mode: PRIVATE_FILE });
      return () => {
        if (sameHolder(readHolder(file), own)) rmSync(file, { force: true });
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        const code = (error as NodeJS.ErrnoException).code === 'EROFS' ? 'readOnly' : 'io';
        throw new StoreError(code, `cannot lock the store directory ${directory}: ${(error as Error).message}`, {
          cause: error,
        });
      }
    }
    const holder = readHolder(file);
    if (attempt > 0 || (holder && isRunning(holder))) {
      const who = holder ? `process ${holder.pid}` : 'another process';
      throw new StoreError(
        'locked',
        `store directory ${directory} is in use by ${who}; LMDB takes one gateway process (several nodes need Redis)`,
      );
    }
    rmSync(file, { force: true });
  }
}

function readHolder(file: string): Holder | undefined {
  try {
    const holder = JSON.parse(readFileSync(file, 'utf8')) as Partial<Holder>;
    return Number.isInteger(holder.pid) ? { pid: holder.pid!, started: holder.started ?? '' } : undefined;
  } catch {
    // Gone, or cut short by a crash while it was written: nobody holds it.
    return undefined;
  }
}

function sameHolder(a: Holder | undefined, b: Holder): boolean {
  return a?.pid === b.pid && a.started === b.started;
}

function isRunning(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const started = startOf(holder.pid);
  return started === undefined || holder.started === '' || started === holder.started;
}

/** Boot id and start time of a process, `dead` for a zombie; undefined where the system does not say (not Linux). */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold spaces; behind it stand the state and, 19 fields on, the start time (proc(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const started = fields[19];
    if (fields[0] === 'Z') return 'dead';
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${started}`;
  } catch {
    return undefined;
  }
}
