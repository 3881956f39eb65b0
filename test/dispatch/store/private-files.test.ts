/** Who may read what a store writes. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
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

it('says so where no directory can be made', async () => {
  await expect(openLmdb('/proc/linecrew-store')).rejects.toMatchObject({
    code: 'io',
    message: expect.stringContaining('cannot make the store directory /proc/linecrew-store: ENOENT') as string,
  });
});
