import { cpSync, existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { openStore } from '../../dispatch/store/open.js';
import { makeOwn, makePrivate, makePrivateDirectory, takeOwnerOf } from '../../dispatch/store/private-files.js';
import { ConfigError } from '../config/load.js';
import { callGateway, NotRunning } from '../control.js';
import { configOf } from './serve.js';

/** `linecrew backup DIR` and `restore DIR`: a consistent copy of the embedded store while it runs, and back. */
export function registerBackup(program: Command): void {
  for (const [name, what, act] of [
    ['backup', 'copy the embedded store, consistently, while the gateway runs', backup],
    ['restore', 'put a copy back in place of the store (no gateway may run)', restore],
  ] as const) {
    program
      .command(`${name} <directory>`)
      .description(what)
      .option('--config <file>', 'configuration file (YAML or JSON)')
      .option('--store <url>', 'the store: lmdb:DIR')
      .option('--json', 'print the result as JSON')
      .action(async (directory: string, options: { config?: string; store?: string; json?: boolean }) => {
        const { json, ...rest } = options;
        const target = resolve(directory);
        await act(storeDirectory(configOf(rest).config.store, name), target);
        process.stdout.write(
          json ? JSON.stringify({ ok: true, directory: target }) + '\n' : `${name}: done, ${target}\n`,
        );
      });
  }
}

/** Directory of an embedded store; @throws {ConfigError} for another kind, which has its own tools. */
export function storeDirectory(url: string, command: string): string {
  if (!url.startsWith('lmdb:')) {
    throw new ConfigError(
      `${command} works on an embedded store; LINECREW_STORE is ${url.split(':')[0]}: — expected lmdb:DIR`,
    );
  }
  return resolve(url.slice('lmdb:'.length));
}

async function backup(from: string, to: string): Promise<void> {
  if (existsSync(to) && readdirSync(to).length > 0)
    throw new Error(`${to} is not empty: expected a new or empty directory`);
  if (!existsSync(from)) throw new Error(`there is no store at ${from}`);
  makePrivateDirectory(to);
  let copy: unknown;
  try {
    copy = await callGateway(from, 'copy');
  } catch (error) {
    if (!(error instanceof NotRunning)) throw error;
    const store = await openStore(`lmdb:${from}`, {});
    try {
      return await store.backup(to);
    } finally {
      await store.close();
    }
  }
  fetchCopy(join(from, (copy as { name: string }).name), to);
}

/** Moves what the gateway has copied; to another disk it is copied once more. It belongs to who asked for it. */
function fetchCopy(copy: string, to: string): void {
  try {
    for (const name of readdirSync(copy)) {
      try {
        renameSync(join(copy, name), join(to, name));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
        cpSync(join(copy, name), join(to, name), { recursive: true });
      }
    }
    makePrivate(to);
    makeOwn(to);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

async function restore(to: string, from: string): Promise<void> {
  if (!existsSync(from) || readdirSync(from).length === 0) throw new Error(`there is no backup at ${from}`);
  const running = await callGateway(to, 'ping').then(
    () => true,
    (error: unknown) => {
      if (error instanceof NotRunning) return false;
      throw error;
    },
  );
  if (running) throw new Error(`a gateway runs on ${to}: stop it first`);
  // Opening the copy proves that it is a whole store of a format that this version reads, before anything is replaced.
  await (await openStore(`lmdb:${from}`, {})).close();
  await replaceDirectory(to, from);
}

/** The old store stays beside the new one until that one opened; then it is kept as `….before-restore`. */
async function replaceDirectory(to: string, from: string): Promise<void> {
  const old = `${to}.before-restore`;
  if (existsSync(to) && readdirSync(to).length > 0) {
    if (existsSync(old)) throw new Error(`${old} is left from an earlier restore: move it away first`);
    renameSync(to, old);
  } else rmSync(to, { recursive: true, force: true });
  makePrivateDirectory(to);
  if (existsSync(old)) takeOwnerOf(to, old);
  cpSync(from, to, { recursive: true });
  makePrivate(to);
  await (await openStore(`lmdb:${to}`, {})).close();
}
