/** The one writer of an LMDB store: whatever waits while a transaction is flushed goes into the next one. */
import { StoreError, type StoreErrorCode } from './errors.js';
import type { CommitScope } from './lmdb-commit.js';
import type { RootDatabase } from 'lmdb';

/** Writes of one transaction, so that a long queue does not make one that takes seconds. */
const MAX_GROUP = 1_000;
/** Writes that may wait (a disk that hangs): callers bound themselves, this bounds them all together. */
const MAX_WAITING = 100_000;

interface Write {
  /** Runs inside the transaction. */
  run: (scope: CommitScope) => unknown;
  resolve: (result: unknown) => void;
  reject: (error: unknown) => void;
}

export interface WriterHost {
  /** The open database. Called before each transaction; throws where it cannot be written to now. */
  ready(): Promise<RootDatabase<Buffer, Buffer>>;
  begin(): CommitScope;
  /** The transaction is on disk. */
  flushed(scope: CommitScope): void;
  /** The database is not ready to be written to; it was not touched. */
  refused(error: StoreError): void;
  /** The transaction failed; nothing of it may be assumed, in memory or on disk. */
  failed(error: StoreError): Promise<void>;
}

export class LmdbWriter {
  #waiting: Write[] = [];
  #running: Promise<void> | undefined;

  constructor(private readonly host: WriterHost) {}

  /** Runs `run` in the next transaction; resolves with its result once that is flushed to disk. */
  write<T>(run: (scope: CommitScope) => T): Promise<T> {
    if (this.#waiting.length >= MAX_WAITING) {
      return Promise.reject(new StoreError('unavailable', `${MAX_WAITING} writes wait for the disk already`));
    }
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ run, resolve: resolve as (result: unknown) => void, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when nothing is being written and nothing waits. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async #run(): Promise<void> {
    // Let the rest of this turn join the first group.
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#group();
    this.#running = undefined;
  }

  async #group(): Promise<void> {
    let group: Write[] = [];
    let begun = false;
    let done: { scope: CommitScope; results: unknown[] };
    try {
      const root = await this.host.ready();
      begun = true;
      done = await root.childTransaction(() => {
        group = this.#waiting.splice(0, MAX_GROUP);
        const scope = this.host.begin();
        return { scope, results: group.map((write) => write.run(scope)) };
      });
    } catch (cause) {
      const error = await storeErrorOf(cause);
      if (begun) await this.host.failed(error);
      else this.host.refused(error);
      if (group.length === 0) group = this.#waiting.splice(0, MAX_GROUP);
      for (const write of group) write.reject(error);
      return;
    }
    group.forEach((write, i) => write.resolve(done.results[i]));
    this.host.flushed(done.scope);
  }
}

/** lmdb gives the reason of a failed commit as a second promise, `commitError`. */
async function storeErrorOf(cause: unknown): Promise<StoreError> {
  if (cause instanceof StoreError) return cause;
  const reason: unknown = await (cause as { commitError?: Promise<never> }).commitError?.catch(
    (error: unknown) => error,
  );
  const error = reason instanceof Error ? reason : cause instanceof Error ? cause : new Error(String(cause));
  return new StoreError(codeOf(error), `the store could not write: ${error.message}`, { cause: error });
}

const ERRNO: Record<string, StoreErrorCode> = {
  // errno of Linux, macOS and the BSDs agree on these
  5: 'io',
  27: 'full', // EFBIG: the process may not make files this large
  28: 'full', // ENOSPC
  30: 'readOnly',
  122: 'full', // EDQUOT
  [-30792]: 'full', // MDB_MAP_FULL
  // of the file system, where its probe fails
  EFBIG: 'full',
  ENOSPC: 'full',
  EDQUOT: 'full',
  EROFS: 'readOnly',
};

function codeOf(error: Error & { code?: unknown }): StoreErrorCode {
  const known = ERRNO[String(error.code)];
  if (known) return known;
  if (/no space|MAP_FULL|quota|too large/i.test(error.message)) return 'full';
  if (/read-only/i.test(error.message)) return 'readOnly';
  return 'io';
}
