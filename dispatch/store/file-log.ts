/**
 * The ingest logs of a store in a directory: files beside the tables of the state, so a confirmation waits for no
 * transaction of the state, and an append costs one write and one flush.
 */
import { copyFile, mkdir, readdir, truncate, unlink } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { storeErrorOf } from './disk-errors.js';
import { invalid } from './errors.js';
import { DiskGuard } from './lmdb-disk.js';
import { numberOfKey, openTables, type Table } from './lmdb-env.js';
import { NodeLog } from './node-log.js';
import { makePrivateDirectory } from './private-files.js';

/** Folder of the logs, inside that of the store. */
const FOLDER = 'ingest';
/** Folders of nodes begin with it, so that none is called like a file of an earlier format. */
const NODE_FOLDER = 'node=';
/** Longest name of a node, as it stands in the name of its folder: file systems take 255 bytes. */
const MAX_NAME = 200;
/** Groups that are moved at once. */
const MOVED_GROUPS = 1_000;
/** Bytes of groups that are moved at once, about. */
const MOVED_BYTES = 4 * 1024 * 1024;
const NODE_END = 0;

/** What the logs ask of the state that they belong to. */
export interface LogHost {
  /** Throws where another process has opened the store since. */
  checkOwned(): void;
  /** Applied sequence of a node's log. */
  applied(node: string): number;
}

export class FileLog {
  readonly #directory: string;
  readonly #disk: DiskGuard;
  readonly #host: LogHost;
  readonly #logs = new Map<string, NodeLog>();
  /** A copy is being made, which must hold all that the copy of the state has not applied. */
  #copying: Promise<unknown> = Promise.resolve();

  /** Makes the folder. Throws the error of the file system. */
  constructor(directory: string, host: LogHost) {
    this.#directory = join(directory, FOLDER);
    this.#host = host;
    makePrivateDirectory(this.#directory);
    this.#disk = new DiskGuard(this.#directory);
  }

  /** Reads what an earlier process left. */
  async open(): Promise<void> {
    for (const name of await readdir(this.#directory)) {
      if (!name.startsWith(NODE_FOLDER)) continue;
      const node = decodeURIComponent(name.slice(NODE_FOLDER.length));
      const log = this.#make(node);
      await log.open();
      if (log.appended > 0) this.#logs.set(node, log);
    }
  }

  /** Nodes with a log that holds, or held since the start, a group. */
  get nodes(): Iterable<string> {
    return [...this.#logs].filter(([, log]) => log.appended > 0).map(([node]) => node);
  }

  /** Newest sequence on disk; 0: none is known. */
  appended(node: string): number {
    return this.#logs.get(node)?.appended ?? 0;
  }

  /**
   * Durable when it resolves; gives the sequence. `group` must not change before.
   * @throws {StoreError} `invalid` where no folder can have the node's name
   */
  append(node: string, group: Uint8Array): Promise<number> {
    return this.#of(node).append(group);
  }

  async read(node: string, after: number, limit: number): Promise<{ sequence: number; group: Uint8Array }[]> {
    return (await this.#logs.get(node)?.read(after, limit)) ?? [];
  }

  /** Whether a node's log holds groups on disk. */
  holds(node: string): boolean {
    return this.#logs.get(node)?.holds ?? false;
  }

  /** Removes the groups up to `sequence`. */
  async trim(node: string, sequence: number): Promise<void> {
    await this.#copying;
    await this.#logs.get(node)?.trim(sequence);
  }

  /**
   * Takes over the groups that earlier versions kept in LMDB: among the tables of the state, later in an environment of
   * their own.
   * @param tables those of the state
   * @param remove removes groups there, durably
   */
  async adopt(tables: Table, remove: (keys: readonly Buffer[]) => Promise<void>): Promise<void> {
    await this.#move(tables, remove);
    const file = join(this.#directory, 'data.mdb');
    if (!existsSync(file)) return;
    const { root, groups } = openTables(this.#directory, ['groups']);
    try {
      await this.#move(groups, async (keys) => {
        await root.batch(() => {
          for (const key of keys) void groups.remove(key);
        });
      });
    } finally {
      await root.close();
    }
    await unlink(file);
    await unlink(`${file}-lock`).catch(() => undefined);
  }

  /** Whether it can be written to: writes a probe where the last write failed. */
  async check(): Promise<void> {
    if (![...this.#logs.values()].some(({ failed }) => failed)) return;
    await this.#disk.check(true).catch(async (cause: unknown) => {
      throw await storeErrorOf(cause);
    });
  }

  /** A copy for a store in `directory` whose state was copied just before. Until it ends, nothing is trimmed. */
  async copyAfter(state: Promise<unknown>, directory: string): Promise<void> {
    const copying = state.then(() => this.#copy(join(directory, FOLDER)));
    this.#copying = copying.catch(() => undefined);
    await copying;
  }

  async close(): Promise<void> {
    for (const log of this.#logs.values()) await log.close();
  }

  async #copy(to: string): Promise<void> {
    makePrivateDirectory(to);
    for (const [node, log] of this.#logs) {
      if (!log.holds) continue;
      const folder = join(to, folderOf(node));
      await mkdir(folder);
      for (const { path, bytes } of log.files) {
        const copy = join(folder, basename(path));
        await copyFile(path, copy);
        if (bytes !== undefined) await truncate(copy, bytes);
      }
    }
  }

  /** From a table of an earlier format: there first, then not here, so that a crash between moves them once more. */
  async #move(from: Table, remove: (keys: readonly Buffer[]) => Promise<void>): Promise<void> {
    for (;;) {
      const found: { key: Buffer; value: Buffer }[] = [];
      let bytes = 0;
      for (const { key, value } of from.getRange({ start: Buffer.of(0), limit: MOVED_GROUPS })) {
        found.push({ key, value });
        bytes += value.length;
        if (bytes >= MOVED_BYTES) break;
      }
      if (found.length === 0) return;
      for (let rest = found; rest.length > 0;) {
        const node = nodeOf(rest[0]!.key);
        const other = rest.findIndex(({ key }) => nodeOf(key) !== node);
        await this.#put(node, other < 0 ? rest : rest.slice(0, other));
        rest = other < 0 ? [] : rest.slice(other);
      }
      await remove(found.map(({ key }) => key));
    }
  }

  async #put(node: string, entries: readonly { key: Buffer; value: Buffer }[]): Promise<void> {
    // A probe of an earlier version has no node.
    if (node === '') return;
    const log = this.#of(node);
    const groups = entries.map(({ key, value }) => ({ sequence: numberOfKey(key), group: value }));
    await log.put(groups.filter(({ sequence }) => sequence > log.appended));
  }

  #of(node: string): NodeLog {
    let log = this.#logs.get(node);
    if (log === undefined) this.#logs.set(node, (log = this.#make(node)));
    return log;
  }

  #make(node: string): NodeLog {
    const host = this.#host;
    return new NodeLog(join(this.#directory, folderOf(node)), {
      applied: () => host.applied(node),
      ready: async (failed) => {
        await this.#disk.check(failed);
        host.checkOwned();
      },
    });
  }
}

function nodeOf(key: Buffer): string {
  return key.subarray(0, key.indexOf(NODE_END)).toString();
}

function folderOf(node: string): string {
  const name = encodeURIComponent(node);
  if (name.length > MAX_NAME) {
    throw invalid(`node must have at most ${MAX_NAME} characters as a part of an address, got ${name.length}`);
  }
  return NODE_FOLDER + name;
}
