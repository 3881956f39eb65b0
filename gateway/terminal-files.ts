/** Files for terminals (upgrades): the newest few, by the hash of their bytes. */
import { createHash } from 'node:crypto';
import type { DispatchStore } from '../dispatch/store/store.js';

export interface TerminalFile {
  id: string;
  name: string;
  bytes: number;
  uploadedAt: number;
  uploadedBy: string;
}

/** Bytes of one file: 4,700 parts; firmware of terminals has 0.3 to 3 MB. */
export const TERMINAL_FILE_BYTES = 4 << 20;
/** Files kept; the oldest makes room. */
export const TERMINAL_FILES_KEPT = 8;
const META = 'terminalFiles';

export const terminalFileBlob = (id: string): string => `terminal-file/${id}`;

export class TerminalFiles {
  /** One after the other: the list is read and written as a whole. */
  #last: Promise<unknown> = Promise.resolve();
  readonly #loaded = new Map<string, Uint8Array>();

  constructor(private readonly store: DispatchStore) {}

  async list(): Promise<TerminalFile[]> {
    return ((await this.store.meta(META)) as { items?: TerminalFile[] } | undefined)?.items ?? [];
  }

  /** Keeps a file; the same bytes again are the same file, under the newer name. */
  put(bytes: Uint8Array, about: Omit<TerminalFile, 'id' | 'bytes'>): Promise<TerminalFile> {
    const work = this.#last.then(() => this.#put(bytes, about));
    this.#last = work.catch(() => undefined);
    return work;
  }

  async #put(bytes: Uint8Array, about: Omit<TerminalFile, 'id' | 'bytes'>): Promise<TerminalFile> {
    const id = createHash('sha256').update(bytes).digest('hex').slice(0, 32);
    const file = { id, bytes: bytes.length, ...about };
    await this.store.putBlob(terminalFileBlob(id), bytes);
    const all = [...(await this.list()).filter((one) => one.id !== id), file];
    const gone = all.splice(0, Math.max(0, all.length - TERMINAL_FILES_KEPT));
    await this.store.setMeta(META, { items: all });
    for (const { id: old } of gone) await this.store.deleteBlob(terminalFileBlob(old));
    return file;
  }

  /** The bytes under a blob's name; two files stay at hand, so that a fleet is sent one copy. */
  async load(blob: string): Promise<Uint8Array | undefined> {
    const known = this.#loaded.get(blob);
    if (known !== undefined) return known;
    const bytes = await this.store.getBlob(blob);
    if (bytes === undefined) return undefined;
    this.#loaded.set(blob, bytes);
    for (const other of this.#loaded.keys()) {
      if (this.#loaded.size <= 2) break;
      this.#loaded.delete(other);
    }
    return bytes;
  }
}
