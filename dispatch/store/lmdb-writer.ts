/** The one writer of an LMDB store: whatever waits while a transaction is flushed goes into the next one. */
import { storeErrorOf } from './disk-errors.js';
import { StoreError } from './errors.js';

/** Writes of one transaction, so that a long queue does not make one that takes seconds. */
const MAX_GROUP = 1_000;
/** Writes that may wait (a disk that hangs): callers bound themselves, this bounds them all together. */
const MAX_WAITING = 100_000;

interface Write<Scope> {
  /** Runs inside the transaction. */
  run: (scope: Scope) => unknown;
  /** It may take several turns of the event loop, and has a transaction of its own. */
  alone: boolean;
  resolve: (result: unknown) => void;
  reject: (error: unknown) => void;
}

export interface WriterHost<Scope> {
  /** Called before each transaction; throws where the database cannot be written to now. */
  ready(): Promise<void>;
  /** Runs `work` as one transaction; resolves with its result when that is on disk. */
  transact<T>(work: () => T | Promise<T>): Promise<T>;
  begin(): Scope;
  /** The transaction is on disk. */
  flushed(scope: Scope): void;
  /** The database is not ready to be written to; it was not touched. */
  refused(error: StoreError): void;
  /** The transaction failed; nothing of it may be assumed, in memory or on disk. */
  failed(error: StoreError): Promise<void>;
}

export class LmdbWriter<Scope> {
  #waiting: Write<Scope>[] = [];
  #running: Promise<void> | undefined;

  constructor(private readonly host: WriterHost<Scope>) {}

  /** Runs `run` in the next transaction; resolves with its result once that is flushed to disk. */
  write<T>(run: (scope: Scope) => T): Promise<T> {
    return this.#enqueue(run, false);
  }

  /**
   * The same in a transaction of its own, which `run` may keep open over several turns of the event loop. Readers see
   * what it has written meanwhile, before it is flushed.
   */
  writeInTurns<T>(run: (scope: Scope) => T | Promise<T>): Promise<T> {
    return this.#enqueue<T>(run, true);
  }

  #enqueue<T>(run: (scope: Scope) => unknown, alone: boolean): Promise<T> {
    if (this.#waiting.length >= MAX_WAITING) {
      return Promise.reject(new StoreError('unavailable', `${MAX_WAITING} writes wait for the disk already`));
    }
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ run, alone, resolve: resolve as (result: unknown) => void, reject });
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
    let group: Write<Scope>[] = [];
    let begun = false;
    let done: { scope: Scope; results: unknown[] };
    try {
      await this.host.ready();
      begun = true;
      done = await this.host.transact(() => {
        group = this.#take();
        const scope = this.host.begin();
        const results = group.map((write) => write.run(scope));
        // Others than the one that is alone never give a promise.
        return results[0] instanceof Promise
          ? results[0].then((result: unknown) => ({ scope, results: [result] }))
          : { scope, results };
      });
    } catch (cause) {
      const error = await storeErrorOf(cause);
      if (begun) await this.host.failed(error);
      else this.host.refused(error);
      if (group.length === 0) group = this.#take();
      for (const write of group) write.reject(error);
      return;
    }
    group.forEach((write, i) => write.resolve(done.results[i]));
    this.host.flushed(done.scope);
  }

  /** What goes into the next transaction: all that waits, up to one that must be alone. */
  #take(): Write<Scope>[] {
    const alone = this.#waiting.findIndex((write) => write.alone);
    const count = alone < 0 ? MAX_GROUP : Math.max(1, Math.min(alone, MAX_GROUP));
    return this.#waiting.splice(0, count);
  }
}
