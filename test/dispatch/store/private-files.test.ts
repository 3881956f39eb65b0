/** Who may read what a store writes. */
import { chmodSync, chownSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLmdb } from '../../../dispatch/store/lmdb.js';
import { registerBackup } from '../../../gateway/commands/backup.js';
import { runCommand } from '../../e2e/run-command.js';

let folder: string;
let umask: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'linecrew-private-'));
  umask = process.umask(0);
});
afterEach(() => {
  process.umask(umask);
  rmSync(folder, { recursive: true });
});

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

/** Modes of a directory and of all in it. */
function modesIn(directory: string): Record<string, string> {
  const entries = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  return Object.fromEntries(['.', ...entries].map((name) => [name, modeOf(join(directory, name))]));
}

async function made(directory: string): Promise<void> {
  const store = await openLmdb(directory);
  await store.appendIngest('node-1', Uint8Array.of(1));
  expect(modesIn(directory)['linecrew.lock']).toBe('600');
  await store.close();
}

describe('what a store writes', () => {
  const OWN = {
    '.': '700',
    'data.mdb': '600',
    'data.mdb-lock': '600',
    ingest: '700',
    'ingest/node=node-1': '700',
    'ingest/node=node-1/000000000000001.log': '600',
  };

  it('is its own user’s alone, whatever the umask', async () => {
    await made(join(folder, 'above', 'store'));
    expect(modesIn(join(folder, 'above', 'store'))).toEqual(OWN);
    expect(modeOf(join(folder, 'above'))).toBe('700');
  });

  it('leaves a directory that was there as its owner made it', async () => {
    const directory = join(folder, 'store');
    mkdirSync(directory, { mode: 0o755 });
    await made(directory);
    expect(modesIn(directory)).toEqual({ ...OWN, '.': '755' });
  });

  it('is no less private in a backup, and restored from one that was open to all', async () => {
    const [directory, copy] = [join(folder, 'store'), join(folder, 'copy')];
    await made(directory);
    await runCommand(registerBackup, directory, ['backup', copy]);
    const { 'data.mdb-lock': _, ...copied } = OWN;
    expect(modesIn(copy)).toEqual(copied);
    for (const [name, mode] of Object.entries(copied)) chmodSync(join(copy, name), mode === '700' ? 0o755 : 0o644);
    await runCommand(registerBackup, directory, ['restore', copy]);
    expect(modesIn(directory)).toEqual(OWN);
  });
});

describe.runIf(process.getuid?.() === 0)('a store of another user that the superuser opens', () => {
  const [USER, GROUP] = [12_345, 54_321];
  const ownersIn = (directory: string): string[] => {
    const entries = ['.', ...readdirSync(directory, { recursive: true, encoding: 'utf8' })];
    const owners = entries.map((name) => lstatSync(join(directory, name))).map(({ uid, gid }) => `${uid}:${gid}`);
    return [...new Set(owners)];
  };

  it('stays that user’s with all that is made in it, while it is open and after', async () => {
    const directory = join(folder, 'store');
    mkdirSync(directory);
    chownSync(directory, USER, GROUP);
    const store = await openLmdb(directory);
    expect(ownersIn(directory)).toEqual([`${USER}:${GROUP}`]);
    await store.appendIngest('node-1', Uint8Array.of(1));
    await store.close();
    expect(ownersIn(directory)).toEqual([`${USER}:${GROUP}`]);
  });

  it('is that user’s again when it is restored; the backup is the superuser’s', async () => {
    const [directory, copy] = [join(folder, 'store'), join(folder, 'copy')];
    mkdirSync(directory);
    chownSync(directory, USER, GROUP);
    await made(directory);
    await runCommand(registerBackup, directory, ['backup', copy]);
    expect(ownersIn(copy)).toEqual(['0:0']);
    await runCommand(registerBackup, directory, ['restore', copy]);
    expect(ownersIn(directory)).toEqual([`${USER}:${GROUP}`]);
  });

  it('keeps its own files where it is its own', async () => {
    await made(join(folder, 'store'));
    expect(ownersIn(join(folder, 'store'))).toEqual(['0:0']);
  });
});

it('says so where no directory can be made', async () => {
  await expect(openLmdb('/proc/linecrew-store')).rejects.toMatchObject({
    code: 'io',
    message: expect.stringContaining('cannot make the store directory /proc/linecrew-store: ENOENT') as string,
  });
});
