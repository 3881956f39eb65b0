/**
 * One file of an ingest log. Zeros are written ahead of the records, so that an append overwrites blocks that the file
 * has already: it is one write and one flush of the data, without one of the file system's journal.
 */
import { constants } from 'node:fs';
import { open, truncate, unlink, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { eachRecord, type LogRecord } from './log-records.js';
import { PRIVATE_FILE } from './private-files.js';

/** Linux flushes the data of a write before it says that it is done: one call where there would be two. */
const FLUSHING = process.platform === 'linux' ? constants.O_DSYNC : 0;
/** Zeros that are written at once ahead of the records. */
const AHEAD_BYTES = 1024 * 1024;
const ZEROS = Buffer.alloc(AHEAD_BYTES);
/** Distance of the places that are kept in memory, so that a read begins near what it looks for. */
const PLACE_BYTES = 256 * 1024;

export class Segment {
  /** Behind the last record that is on disk; undefined: an earlier process wrote the file, and it was not read. */
  end: number | undefined;
  /** Up to here the file has blocks. */
  #ahead = 0;
  #extending: Promise<void> | undefined;
  /** Some records: pairs of sequence and place. */
  readonly #places: number[] = [];
  #file: FileHandle | undefined;

  /** @param first sequence of its first record, or below it */
  constructor(
    readonly path: string,
    readonly first: number,
  ) {}

  /** Makes the file, with room ahead. Rejects with the error of the file system, having left no file. */
  async begin(): Promise<void> {
    this.end = 0;
    this.#file = await open(
      this.path,
      constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC | FLUSHING,
      PRIVATE_FILE,
    );
    try {
      await this.#extend();
      await syncDirectory(dirname(this.path));
    } catch (error) {
      await this.close().catch(() => undefined);
      await unlink(this.path).catch(() => undefined);
      throw error;
    }
  }

  /**
   * Writes records behind the last one; on disk when it resolves. When it rejects, the file takes no more.
   * @param first sequence of the first
   */
  async append(records: readonly Uint8Array[], first: number): Promise<void> {
    let bytes = 0;
    for (const { length } of records) bytes += length;
    const start = this.end!;
    const end = start + bytes;
    if (end > this.#ahead) await this.#extending;
    await writeFlushed(this.#file!, records, start);
    this.end = end;
    this.#notice(first, start);
    this.#ahead = Math.max(this.#ahead, end);
    // Where that fails, so will the write that needs the room, and says so.
    if (this.#ahead - end < AHEAD_BYTES) {
      this.#extending ??= this.#extend()
        .catch(() => undefined)
        .finally(() => (this.#extending = undefined));
    }
  }

  /** Reads all of a file that an earlier process left. @returns sequence of its last record; undefined: it has none */
  async scan(): Promise<number | undefined> {
    let last: number | undefined;
    let behind = 0;
    await this.read(0, ({ sequence, end }) => {
      last = sequence;
      behind = end;
      return true;
    });
    this.end = behind;
    return last;
  }

  /** Gives `visit` the records from `sequence` on, until it says false. */
  async read(sequence: number, visit: (record: LogRecord) => boolean): Promise<void> {
    const file = await open(this.path, constants.O_RDONLY);
    try {
      const to = this.end ?? (await file.stat()).size;
      await eachRecord(file, this.#placeBefore(sequence), to, (record) => {
        this.#notice(record.sequence, record.start);
        return record.sequence < sequence || visit(record);
      });
    } finally {
      await file.close();
    }
  }

  /** Takes no more; cuts off what is behind the last record. */
  async seal(): Promise<void> {
    await this.close();
    if (this.end !== undefined) await truncate(this.path, this.end);
  }

  async close(): Promise<void> {
    await this.#extending;
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async remove(): Promise<void> {
    await this.close().catch(() => undefined);
    await unlink(this.path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }

  async #extend(): Promise<void> {
    const file = this.#file!;
    const from = this.#ahead;
    await writeFlushed(file, [ZEROS], from);
    this.#ahead = from + ZEROS.length;
  }

  /** Place of a record at or before that of `sequence`. */
  #placeBefore(sequence: number): number {
    let low = 0;
    let high = this.#places.length / 2;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#places[middle * 2]! <= sequence) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 0 : this.#places[low * 2 - 1]!;
  }

  #notice(sequence: number, start: number): void {
    if (start - (this.#places.at(-1) ?? -Infinity) >= PLACE_BYTES) this.#places.push(sequence, start);
  }
}

/** Writes to a file that was opened with {@link FLUSHING}. A disk that is nearly full takes a part and says so only at the next write. */
async function writeFlushed(file: FileHandle, pieces: readonly Uint8Array[], at: number): Promise<void> {
  let left = pieces;
  for (let place = at; left.length > 0;) {
    const { bytesWritten } = await file.writev(left, place);
    place += bytesWritten;
    left = without(left, bytesWritten);
  }
  if (!FLUSHING) await file.datasync();
}

function without(pieces: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let rest = bytes;
  let whole = 0;
  while (whole < pieces.length && pieces[whole]!.length <= rest) rest -= pieces[whole++]!.length;
  if (whole === pieces.length) return [];
  return [pieces[whole]!.subarray(rest), ...pieces.slice(whole + 1)];
}

/** Makes the names of new files last. Windows flushes them with the files. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const directory = await open(path, constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
