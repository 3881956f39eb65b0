/** Directories and files of a store are for its own user: they hold customers' data, positions and sign-in secrets. */
import { chmodSync, chownSync, existsSync, lchownSync, lstatSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** Read and write for the owner alone. */
export const PRIVATE_FILE = 0o600;
const PRIVATE_DIRECTORY = 0o700;

/**
 * Makes a directory, and those above it that are missing, for this user alone whatever the umask. One that exists keeps
 * the mode that its owner gave it. Throws the error of the file system.
 */
export function makePrivateDirectory(directory: string): void {
  const path = resolve(directory);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  // Not with `recursive`: Node tries for ever where the parent is there but takes no directory, as in /proc.
  if (!existsSync(dirname(path))) makePrivateDirectory(dirname(path));
  mkdirSync(path, { mode: PRIVATE_DIRECTORY });
  chmodSync(path, PRIVATE_DIRECTORY);
}

/** Closes to others what was copied into a directory from elsewhere. Throws the error of the file system. */
export function makePrivate(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    if (entry.isDirectory()) chmodSync(join(entry.parentPath, entry.name), PRIVATE_DIRECTORY);
    else if (entry.isFile()) chmodSync(join(entry.parentPath, entry.name), PRIVATE_FILE);
  }
}

/**
 * A store of another user that the superuser opened (`sudo linecrew user …`) stays that user's: what was made in it goes to
 * the owner of the directory. Does nothing for anybody else. Throws the error of the file system.
 */
export function giveToOwner(directory: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(directory);
  if (uid === 0) return;
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    const path = join(directory, name);
    if (lstatSync(path).uid === 0) lchownSync(path, uid, gid);
  }
}

/** What the superuser took over from another user's process is the superuser's; does nothing for anybody else. */
export function makeOwn(directory: string): void {
  if (process.getuid?.() !== 0) return;
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' }))
    lchownSync(join(directory, name), 0, 0);
}

/** Gives a new directory the owner that the one before it had, where the superuser made it; see {@link giveToOwner}. */
export function takeOwnerOf(directory: string, before: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(before);
  chownSync(directory, uid, gid);
}
