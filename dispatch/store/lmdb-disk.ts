/**
 * Looks at the disk before LMDB writes to it. A write that fails inside LMDB is answered as it should be most of the
 * time, but lmdb 3.5 formats its message about it into a buffer that is too short (`mdb_page_flush`), which can end the
 * process. So a disk is taken for full before it is, a read-only one is noticed first, and after any failure nothing is
 * given to LMDB until the disk has taken a probe.
 */
import { accessSync, constants, statfsSync } from 'node:fs';
import { open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { StoreError } from './errors.js';

/** Free space that is not used up: above the largest group of writes (32 MiB of reports) and what its pages cost. */
const RESERVE_BYTES = 64 * 1024 * 1024;
/** How old a look may be, ms. It costs some 10 µs and touches no disk. */
const LOOK_MS = 20;
/** More than a page, so that a quota in blocks shows. */
const PROBE_BYTES = 64 * 1024;

export class DiskGuard {
  #lookedAt = -Infinity;

  constructor(private readonly directory: string) {}

  /**
   * Resolves when the disk may be written to.
   * @param failed the last write failed: a probe is written and flushed first
   * @throws {StoreError} `full`; {@link Error} of the file system where it is read-only or the probe fails
   */
  async check(failed: boolean): Promise<void> {
    if (!failed && performance.now() - this.#lookedAt < LOOK_MS) return;
    accessSync(this.directory, constants.W_OK);
    const { bavail, bsize } = statfsSync(this.directory);
    const free = bavail * bsize;
    if (free < RESERVE_BYTES) {
      const mib = (bytes: number): string => `${Math.floor(bytes / 2 ** 20)} MiB`;
      const words = `${mib(free)} are free on the disk of ${this.directory}, ${mib(RESERVE_BYTES)} are needed`;
      throw new StoreError('full', `the store could not write: ${words}`);
    }
    if (failed) await this.#probe();
    this.#lookedAt = performance.now();
  }

  async #probe(): Promise<void> {
    const path = join(this.directory, 'linecrew.probe');
    const file = await open(path, 'w');
    try {
      await file.writeFile(Buffer.alloc(PROBE_BYTES, 1));
      await file.datasync();
    } finally {
      await file.close();
      await unlink(path);
    }
  }
}
