/**
 * The ingest logs in LMDB, in an environment of their own: a confirmation never waits for a transaction of the state,
 * and an append needs no turn on the main thread between its hand-over and its flush.
 */
import { join } from 'node:path';
import type { StoreError } from './errors.js';
import { DiskGuard } from './lmdb-disk.js';
import {
  behindPrefix,
  entries,
  keys,
  numberedKey,
  numberOfKey,
  openAnew,
  openTables,
  prefixKey,
  PRESENT,
  type Table,
} from './lmdb-env.js';
import { makePrivateDirectory } from './private-files.js';
import { LmdbWriter } from './lmdb-writer.js';

/** Folder of the environment, inside that of the store. */
const FOLDER = 'ingest';
/** Groups that one transaction removes or moves. */
const GROUPS_AT_ONCE = 1_000;
/** Bytes of groups that one transaction moves, about. */
const MOVED_BYTES = 4 * 1024 * 1024;
const NODE_END = 0;

/** What the logs ask of the state that they belong to. */
export interface LogHost {
  /** Throws where another process has opened the store since. */
  checkOwned(): void;
  /** Applied sequence of a node's log. */
  applied(node: string): number;
}

export class LmdbLog {
  readonly #directory: string;
  readonly #disk: DiskGuard;
  readonly #host: LogHost;
  readonly #writer: LmdbWriter<Map<string, number>>;
  #env: ReturnType<typeof openLog>;
  /** Newest sequence of each node whose log holds, or held since the start, a group. */
  #appended = new Map<string, number>();
  #failure: StoreError | undefined;
  #envOpen = true;
  /** What is in memory is not what is on disk. */
  #stale = false;
  /** A copy is being made, which must hold all that the copy of the state has not applied. */
  #copying: Promise<unknown> = Promise.resolve();

  /** Opens or makes the environment. Throws where lmdb does. */
  constructor(directory: string, host: LogHost) {
    this.#directory = join(directory, FOLDER);
    this.#host = host;
    makePrivateDirectory(this.#directory);
    this.#env = openLog(this.#directory);
    this.#disk = new DiskGuard(this.#directory);
    this.#writer = new LmdbWriter({
      ready: () => this.#ready(),
      transact: (work) => this.#transact(work),
      begin: () => new Map<string, number>(),
      flushed: (appended) => this.#flushed(appended),
      refused: (error) => void (this.#failure = error),
      failed: (error) => this.#failed(error),
    });
    this.#load();
  }

  /** Nodes with a log that holds, or held since the start, a group. */
  get nodes(): Iterable<string> {
    return this.#appended.keys();
  }

  /** Why the last append failed; undefined where it did not. */
  get failure(): StoreError | undefined {
    return this.#failure;
  }

  /** Newest sequence on disk; 0: none is known. */
  appended(node: string): number {
    return this.#appended.get(node) ?? 0;
  }

  /** Durable when it resolves; gives the sequence. `group` must not change before. */
  append(node: string, group: Uint8Array): Promise<number> {
    const value = Buffer.from(group.buffer, group.byteOffset, group.byteLength);
    return this.#writer.write((appended) => {
      const before = appended.get(node) ?? Math.max(this.appended(node), this.#host.applied(node));
      appended.set(node, before + 1);
      void this.#env.groups.put(numberedKey(node, before + 1), value);
      return before + 1;
    });
  }

  read(node: string, after: number, limit: number): { sequence: number; group: Uint8Array }[] {
    const range = { lower: numberedKey(node, after + 1), upper: behindPrefix(node), limit };
    return entries(this.#open().groups, range).map(({ key, value }) => ({ sequence: numberOfKey(key), group: value }));
  }

  /** Whether a node's log holds groups on disk. */
  holds(node: string): boolean {
    return keys(this.#open().groups, { lower: prefixKey(node), upper: behindPrefix(node), limit: 1 }).length > 0;
  }

  /** Removes the groups up to `sequence`. */
  async trim(node: string, sequence: number): Promise<void> {
    await this.#copying;
    const range = { lower: prefixKey(node), upper: numberedKey(node, sequence + 1), limit: GROUPS_AT_ONCE };
    for (let found = keys(this.#open().groups, range); found.length > 0; found = keys(this.#open().groups, range)) {
      const some = found;
      await this.#writer.write(() => {
        for (const key of some) void this.#env.groups.remove(key);
      });
    }
  }

  /**
   * Takes over groups that an earlier version kept in the environment of the state.
   * @param remove removes groups there, durably
   */
  async adopt(old: Table, remove: (keys: readonly Buffer[]) => Promise<void>): Promise<void> {
    for (;;) {
      const some: { key: Buffer; value: Buffer }[] = [];
      let bytes = 0;
      for (const { key, value } of old.getRange({ start: Buffer.of(0), limit: GROUPS_AT_ONCE })) {
        some.push({ key, value });
        bytes += value.length;
        if (bytes >= MOVED_BYTES) break;
      }
      if (some.length === 0) return;
      // There first, then not here: a crash between moves them once more.
      await this.#writer.write(() => {
        for (const { key, value } of some) void this.#env.groups.put(key, value);
      });
      await remove(some.map(({ key }) => key));
      this.#load();
    }
  }

  /** Whether it can be written to: writes a probe where the last write failed. */
  async check(): Promise<void> {
    this.#open();
    if (this.#failure) await this.#writer.write(() => void this.#env.groups.put(PROBE, PRESENT));
  }

  /** A copy for a store in `directory` whose state was copied just before. Until it ends, nothing is trimmed. */
  async copyAfter(state: Promise<unknown>, directory: string): Promise<void> {
    const copying = state.then(() => {
      makePrivateDirectory(join(directory, FOLDER));
      return this.#open().root.backup(join(directory, FOLDER, 'data.mdb'), false);
    });
    this.#copying = copying.catch(() => undefined);
    await copying;
  }

  async close(): Promise<void> {
    await this.#writer.idle();
    if (this.#envOpen) await this.#env.root.close();
  }

  #open() {
    if (!this.#envOpen && this.#failure) throw this.#failure;
    return this.#env;
  }

  async #ready(): Promise<void> {
    await this.#disk.check(this.#failure !== undefined);
    if (this.#stale) await this.#reopen();
    this.#host.checkOwned();
  }

  /** Without a call back inside the transaction: the write thread goes from the first put to the flush by itself. */
  async #transact<T>(work: () => T | Promise<T>): Promise<T> {
    let result: T | Promise<T>;
    await this.#env.root.batch(() => {
      result = work();
    });
    return result!;
  }

  #flushed(appended: ReadonlyMap<string, number>): void {
    this.#failure = undefined;
    for (const [node, sequence] of appended) this.#appended.set(node, sequence);
  }

  /** As in the environment of the state: what a failed write left is only known by reading it again. */
  async #failed(error: StoreError): Promise<void> {
    this.#failure = error;
    this.#stale = true;
    // Where that fails too, it is tried again before the next write.
    await this.#reopen().catch(() => undefined);
  }

  async #reopen(): Promise<void> {
    const open = (): void => {
      this.#env = openLog(this.#directory);
      this.#envOpen = true;
    };
    if (this.#envOpen) {
      this.#envOpen = false;
      await openAnew(this.#env.root, open);
    } else open();
    this.#load();
    this.#stale = false;
  }

  /** The newest sequence of each node. */
  #load(): void {
    const { groups } = this.#env;
    for (let upper: Buffer | undefined = Buffer.of(0xff); ;) {
      const [newest]: Buffer[] = keys(groups, { lower: AFTER_PROBE, upper, reverse: true, limit: 1 });
      if (newest === undefined) return;
      const node = newest.subarray(0, newest.indexOf(NODE_END)).toString();
      this.#appended.set(node, Math.max(this.appended(node), numberOfKey(newest)));
      upper = prefixKey(node);
    }
  }
}

/** The key of no group: the name is empty. */
const PROBE = prefixKey('');
const AFTER_PROBE = Buffer.of(1);

function openLog(directory: string) {
  return openTables(directory, ['groups']);
}
