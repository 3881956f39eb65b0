/** The raw bytes behind an event, read again from the ingest log. */
import type { IngestRef } from '../../dispatch/domain/events.js';
import type { DispatchStore } from '../../dispatch/store/store.js';
import { GroupCursor, GroupError } from '../ingest/entry.js';

export interface FoundFrame {
  /** As the log holds it: the unescaped frame of JT/T 808, or the payload of MQTT. */
  bytesHex: string;
  kind: string;
  receivedAt: number;
}

/** Reads frames of one evidence sheet; a group is read once. */
export class FrameReader {
  readonly #groups = new Map<string, Promise<Uint8Array | undefined>>();

  constructor(private readonly store: Pick<DispatchStore, 'readIngest'>) {}

  /** Undefined where the log no longer holds it (retention), or cannot be read there. */
  async read({ node, sequence, index }: IngestRef): Promise<FoundFrame | undefined> {
    const key = `${node}/${sequence}`;
    let group = this.#groups.get(key);
    if (!group) this.#groups.set(key, (group = this.#load(node, sequence)));
    const bytes = await group;
    return bytes && entryAt(bytes, index);
  }

  async #load(node: string, sequence: number): Promise<Uint8Array | undefined> {
    const [first] = await this.store.readIngest(node, sequence - 1, 1);
    return first?.sequence === sequence ? first.group : undefined;
  }
}

function entryAt(group: Uint8Array, index: number): FoundFrame | undefined {
  const cursor = new GroupCursor();
  try {
    cursor.open(group);
    while (cursor.next()) {
      if (cursor.index < index) continue;
      const { start, end, kind, receivedAt } = cursor;
      return { bytesHex: Buffer.from(group.subarray(start, end)).toString('hex'), kind, receivedAt };
    }
  } catch (error) {
    if (!(error instanceof GroupError)) throw error;
  }
  return undefined;
}
