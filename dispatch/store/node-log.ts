/**
 * The ingest log of one node: files of records (see log-segment.ts), named after the first sequence in them. A process
 * writes only to files that it began, so what a crash left is never written to again.
 */
import { mkdir, readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { storeErrorOf } from './disk-errors.js';
import { StoreError } from './errors.js';
import { recordHeader, type LogRecord } from './log-records.js';
import { Segment } from './log-segment.js';

/** A file that has grown this large is the last one no longer. */
const SEGMENT_BYTES = 64 * 1024 * 1024;
/** Nor is one this old, ms of the machine: what is trimmed goes by files. */
const SEGMENT_MS = 86_400_000;
/** Groups that one flush takes, so that a long queue does not make one that takes seconds. */
const MAX_FLUSH = 1_000;
/** Groups that may wait (a disk that hangs): callers bound themselves, this bounds them all together. */
const MAX_WAITING = 100_000;
const NAME = /^(\d{15})\.log$/;

interface Waiting {
  group: Uint8Array;
  resolve: (sequence: number) => void;
  reject: (error: StoreError) => void;
}

export interface NodeLogHost {
  /** Called before each flush; rejects where nothing may be written now. */
  ready(failed: boolean): Promise<void>;
  /** Sequences up to this one are used. */
  applied(): number;
}

export class NodeLog {
  readonly #directory: string;
  readonly #host: NodeLogHost;
  readonly #segments: Segment[] = [];
  #active: Segment | undefined;
  #activeSince = 0;
  #appended = 0;
  #trimmed = 0;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;
  #failed = false;

  constructor(directory: string, host: NodeLogHost) {
    this.#directory = directory;
    this.#host = host;
  }

  /** Newest sequence that was on disk; 0: none was. */
  get appended(): number {
    return this.#appended;
  }

  /** Whether groups that were not trimmed are on disk. */
  get holds(): boolean {
    return this.#segments.length > 0 && this.#appended > this.#trimmed;
  }

  /** The last append failed. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Reads what an earlier process left, and cuts off what it was writing when it ended. */
  async open(): Promise<void> {
    const names = (await readdir(this.#directory)).filter((name) => NAME.test(name)).sort();
    for (const name of names) {
      this.#segments.push(new Segment(join(this.#directory, name), Number(NAME.exec(name)![1])));
    }
    while (this.#segments.length > 0) {
      const last = this.#segments.at(-1)!;
      const sequence = await last.scan();
      if (sequence !== undefined) {
        this.#appended = sequence;
        return last.seal();
      }
      await last.remove();
      this.#segments.pop();
    }
    await rmdir(this.#directory);
  }

  /** Durable when it resolves; gives the sequence. `group` must not change before. */
  append(group: Uint8Array): Promise<number> {
    if (this.#waiting.length >= MAX_WAITING) {
      return Promise.reject(new StoreError('unavailable', `${MAX_WAITING} groups wait for the disk already`));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ group, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Puts a group under a sequence above the newest: of a log that is moved here. Not beside {@link append}. */
  async put(groups: readonly { sequence: number; group: Uint8Array }[]): Promise<void> {
    for (let from = 0; from < groups.length;) {
      let to = from + 1;
      while (to < groups.length && groups[to]!.sequence === groups[to - 1]!.sequence + 1) to++;
      // Sequences of a file follow each other.
      if (groups[from]!.sequence !== this.#appended + 1) await this.#rotate();
      await this.#flush(groups.slice(from, to).map(({ group }) => group), groups[from]!.sequence); // prettier-ignore
      from = to;
    }
  }

  /** Groups behind `after`, as views of memory that nobody writes to again. */
  async read(after: number, limit: number): Promise<{ sequence: number; group: Uint8Array }[]> {
    const found: { sequence: number; group: Uint8Array }[] = [];
    const upTo = this.#appended;
    const segments = [...this.#segments];
    let next = Math.max(after, this.#trimmed) + 1;
    for (const [i, segment] of segments.entries()) {
      // What a file holds of the sequences of the one behind it was never confirmed.
      const last = Math.min(upTo, (segments[i + 1]?.first ?? Infinity) - 1);
      if (last < next || found.length >= limit) continue;
      await this.#reading(segment, next, ({ sequence, group }) => {
        if (sequence > last) return false;
        found.push({ sequence, group });
        return found.length < limit && sequence < last;
      });
      next = last + 1;
    }
    return found;
  }

  async #reading(segment: Segment, from: number, visit: (record: LogRecord) => boolean): Promise<void> {
    try {
      await segment.read(from, visit);
    } catch (error) {
      // Trimmed meanwhile.
      if (!this.#segments.includes(segment)) return;
      throw new StoreError('io', `cannot read ${segment.path}: ${(error as Error).message}`, { cause: error });
    }
  }

  /** Removes the groups up to `sequence`: from what is read at once, from the disk with the last group of their file. */
  async trim(sequence: number): Promise<void> {
    this.#trimmed = Math.max(this.#trimmed, Math.min(sequence, this.#appended));
    for (let oldest = this.#segments[0]; oldest !== undefined; oldest = this.#segments[0]) {
      const behind = this.#segments[1]?.first ?? this.#appended + 1;
      if (behind > this.#trimmed + 1 || (oldest === this.#active && this.#running)) return;
      this.#segments.shift();
      if (oldest === this.#active) this.#active = undefined;
      await oldest.remove();
    }
  }

  /** Files of the log and how much of each counts (undefined: all), for a copy. */
  get files(): { path: string; bytes: number | undefined }[] {
    return this.#segments.map(({ path, end }) => ({ path, bytes: end }));
  }

  async close(): Promise<void> {
    while (this.#running) await this.#running;
    await this.#active?.seal();
    this.#active = undefined;
  }

  async #run(): Promise<void> {
    // Let the rest of this turn join the first flush.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const some = this.#waiting.splice(0, MAX_FLUSH);
      try {
        const first = Math.max(this.#appended, this.#host.applied()) + 1;
        await this.#host.ready(this.#failed);
        await this.#flush(some.map(({ group }) => group), first); // prettier-ignore
        some.forEach(({ resolve }, i) => resolve(first + i));
      } catch (cause) {
        this.#failed = true;
        const error = await storeErrorOf(cause);
        for (const { reject } of some) reject(error);
      }
    }
    this.#running = undefined;
  }

  async #flush(groups: readonly Uint8Array[], first: number): Promise<void> {
    const segment = await this.#writable(first);
    const records = groups.flatMap((group, i) => [recordHeader(first + i, group), group]);
    try {
      await segment.append(records, first);
    } catch (error) {
      await this.#abandon(segment);
      throw error;
    }
    this.#failed = false;
    this.#appended = first + groups.length - 1;
  }

  async #writable(first: number): Promise<Segment> {
    const active = this.#active;
    if (active) {
      const isFull = active.end! >= SEGMENT_BYTES || performance.now() - this.#activeSince > SEGMENT_MS;
      if (!isFull) return active;
      await this.#rotate();
    }
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const segment = new Segment(join(this.#directory, `${String(first).padStart(15, '0')}.log`), first);
    await segment.begin();
    this.#segments.push(segment);
    this.#activeSince = performance.now();
    return (this.#active = segment);
  }

  async #rotate(): Promise<void> {
    const active = this.#active;
    this.#active = undefined;
    await active?.seal();
  }

  /**
   * What a failed flush left of its records is not known, and the system may have forgotten that they are not on disk: the
   * file counts as far as it was flushed before, and the next group begins another.
   */
  async #abandon(segment: Segment): Promise<void> {
    this.#active = undefined;
    await segment.close().catch(() => undefined);
    if (segment.end! > 0) return;
    this.#segments.pop();
    // Where that fails too, the next group begins the same file anew.
    await segment.remove().catch(() => undefined);
  }
}
