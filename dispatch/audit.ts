/**
 * The audit log: who saw and did what, through which address, with which outcome. Entries are kept in the store in
 * groups, so that a busy console costs one commit a second and not one for each look.
 */
import { randomBytes } from 'node:crypto';
import { uuidV7 } from './ids.js';
import { timeKey } from './indexes.js';
import type { Clock } from './ports.js';
import type { DispatchStore, Page } from './store/store.js';

export interface AuditEntry {
  at: number;
  /** Account, `token:NAME`, `bootstrap`, or `-` for somebody who was not known. */
  by: string;
  via: 'session' | 'token' | 'bootstrap' | 'none';
  address: string;
  method: string;
  /** Path of the route with its parameters filled in; no query, which may hold a customer's phone number. */
  path: string;
  /** What was asked for, as the rights table names it. */
  action: string;
  status: number;
  /** Refusal or problem, where there was one. */
  code?: string;
}

export interface AuditLog {
  note(entry: Omit<AuditEntry, 'at'>): void;
  /** Newest first. */
  read(query: { by?: string; from?: number; to?: number; after?: string; limit: number }): Promise<Page>;
  /** Deletes entries older than `before`; how many. */
  trim(before: number): Promise<number>;
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface AuditDeps {
  store: DispatchStore;
  clock: Clock;
  /** Told when entries could not be kept: how many, and why. */
  onLost: (entries: number, reason: string) => void;
}

/** Written together at the latest after this long. */
const FLUSH_MS = 1_000;
/** Most in one commit. */
const GROUP = 500;
/** Held while the store fails: about ten minutes of a busy office, 5 MiB. */
const MAX_HELD = 20_000;

export function createAuditLog({ store, clock, onLost }: AuditDeps): AuditLog {
  let held: AuditEntry[] = [];
  let writing: Promise<void> | undefined;
  let sequence = 0;
  // The pause is about the machine's disk, not about gateway time.
  const timer = setInterval(() => void flush(), FLUSH_MS);
  timer.unref();

  async function writeAll(): Promise<void> {
    while (held.length > 0) {
      const group = held.slice(0, GROUP);
      const puts = group.map((value) => {
        const id = uuidV7(value.at, randomBytes);
        // Entries of one millisecond stay in the order in which they came.
        const tail = `${timeKey(value.at)}/${String(sequence++).padStart(12, '0')}/${id}`;
        return {
          kind: 'audit',
          id,
          expect: 0,
          value,
          indexes: [
            ['audit', tail],
            ['audit.by', `${value.by}/${tail}`],
          ] as [string, string][],
        };
      });
      try {
        await store.commit({ puts });
      } catch {
        return; // Tried again at the next turn; `note` keeps what is held within its bound.
      }
      held = held.slice(group.length);
    }
  }
  function flush(): Promise<void> {
    writing ??= writeAll().finally(() => (writing = undefined));
    return writing;
  }

  return {
    note(entry) {
      if (held.length >= MAX_HELD) return onLost(1, `${MAX_HELD} entries wait for the store already`);
      held.push({ at: clock.now(), ...entry });
    },
    async read({ by, from, to, after, limit }) {
      await flush();
      const prefix = by === undefined ? '' : `${by}/`;
      return store.scan({
        index: by === undefined ? 'audit' : 'audit.by',
        from: prefix + timeKey(from ?? 0),
        to: prefix + timeKey(to ?? Number.MAX_SAFE_INTEGER),
        limit,
        reverse: true,
        ...(after === undefined ? {} : { after }),
      });
    },
    trim: (before) => trimAudit(store, before),
    flush,
    async close() {
      clearInterval(timer);
      await flush();
      if (held.length > 0) onLost(held.length, 'the store did not take them before the end');
    },
  };
}

/** Deletes entries older than `before` (ms UTC). @returns how many */
export async function trimAudit(store: DispatchStore, before: number): Promise<number> {
  let deleted = 0;
  for (;;) {
    const page = await store.scan({ index: 'audit', to: timeKey(before), limit: GROUP });
    if (page.items.length === 0) return deleted;
    const puts = page.items.map(({ kind, id, version }) => ({
      kind, id, expect: version, value: undefined, indexes: [],
    })); // prettier-ignore
    await store.commit({ puts });
    deleted += puts.length;
  }
}
