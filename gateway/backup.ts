/**
 * The copy that `linecrew backup` fetches. The gateway often may write nowhere but into its store's directory (a user of
 * its own, `ProtectSystem=strict`, a private /tmp), so it copies to there, and who called moves the copy to where it is to be.
 */
import { readdirSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { DispatchStore } from '../dispatch/store/store.js';

const PREFIX = 'backup-';

/** Copies the embedded store to a new directory inside its own; gives the name of that. Rejects when the disk does. */
export async function copyBeside(store: DispatchStore, directory: string): Promise<{ name: string }> {
  const copy = await mkdtemp(join(directory, PREFIX));
  try {
    await store.backup(copy);
  } catch (error) {
    await rm(copy, { recursive: true, force: true });
    throw error;
  }
  return { name: basename(copy) };
}

/** Deletes copies that nobody fetched, because the caller was killed: before the first one can be made. */
export function dropLeftCopies(directory: string): void {
  for (const name of readdirSync(directory)) {
    if (name.startsWith(PREFIX)) rmSync(join(directory, name), { recursive: true, force: true });
  }
}
