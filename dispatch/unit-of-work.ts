/**
 * Documents of one commit: loaded with their versions, changed by events, given to the store as one batch. One unit of
 * work carries one decision (a command) or many in a row (the reports of an ingest position); each decision sees what
 * the ones before it did, and one that was abandoned leaves no trace.
 */
import type { Actor, DomainEvent, IngestRef } from './domain/events.js';
import { runHooks } from './domain/hooks.js';
import type { Docs, DocKind } from './domain/model.js';
import { reduce } from './domain/reduce.js';
import type { DispatchSettings } from './domain/settings.js';
import type { Documents } from './domain/tables.js';
import { NotLoaded, Refusal, type BookkeepingKind, type Tx } from './domain/tx.js';
import { companyOf } from './hints.js';
import { uuidV7, type RandomBytes } from './ids.js';
import { describeDoc } from './indexes.js';
import type { Batch, DispatchStore, DocPut } from './store/store.js';

/** Who decides when, and the proof that its events carry unless they say otherwise. */
export interface DecisionContext {
  now: number;
  actor: Actor;
  deviceAt?: number;
  receivedAt?: number;
  frame?: IngestRef;
}

interface Loaded {
  kind: DocKind;
  id: string;
  version: number;
  value: unknown;
}

/** Events that one decision may cause, its hooks included: more is a loop of hooks, a mistake of ours. */
const MAX_EVENTS_PER_DECISION = 10_000;

export class UnitOfWork {
  readonly #loaded = new Map<string, Loaded>();
  readonly #changed = new Map<string, { kind: DocKind; id: string; value: unknown }>();
  /** What decisions looked at: only that must not have changed meanwhile. */
  readonly #read = new Set<string>();
  readonly events: DomainEvent[] = [];

  constructor(
    private readonly store: Pick<DispatchStore, 'getMany'>,
    readonly settings: DispatchSettings,
    readonly random: RandomBytes,
  ) {}

  /** Reads documents ahead, so that a decision does not have to be run again for each of them. */
  async load(keys: readonly { kind: DocKind; id: string }[]): Promise<void> {
    const missing = keys.filter(({ kind, id }) => !this.#loaded.has(`${kind}:${id}`));
    if (missing.length === 0) return;
    const found = await this.store.getMany(missing);
    missing.forEach(({ kind, id }, i) => {
      this.#loaded.set(`${kind}:${id}`, { kind, id, version: found[i]?.version ?? 0, value: found[i]?.value });
    });
  }

  /** Version that the store holds of a loaded document; 0 where none exists. */
  async version(kind: DocKind, id: string): Promise<number> {
    await this.load([{ kind, id }]);
    this.#read.add(`${kind}:${id}`);
    return this.#loaded.get(`${kind}:${id}`)!.version;
  }

  /** Runs one decision, again each time a document was missing. What it throws otherwise is thrown; nothing is kept, but of a `Refusal` that says so. */
  async run<T>(context: DecisionContext, rule: (tx: Tx) => T): Promise<T> {
    // The same for every run of this decision: a rule that looks whether its new id is free would never find it loaded.
    const ids: string[] = [];
    for (;;) {
      const attempt = new Attempt(this, context, ids);
      try {
        const result = rule(attempt);
        attempt.settle();
        this.#take(attempt);
        return result;
      } catch (error) {
        if (error instanceof Refusal && error.keepsEvents) this.#take(attempt);
        if (!(error instanceof NotLoaded)) throw error;
        await this.load([...error.keys, ...companyOf(error, attempt.vehicles(), (kind, id) => this.#peekAt(kind, id))]);
      }
    }
  }

  /** Writes the document once more although no event changed it, so that its due time is reckoned anew. */
  touch(kind: DocKind, id: string): void {
    const key = `${kind}:${id}`;
    const loaded = this.#loaded.get(key);
    if (!this.#changed.has(key) && loaded?.value !== undefined) {
      this.#changed.set(key, { kind, id, value: loaded.value });
    }
  }

  peek(key: string): { value: unknown } | undefined {
    return this.#changed.get(key) ?? this.#loaded.get(key);
  }

  #peekAt<K extends DocKind>(kind: K, id: string): Docs[K] | undefined {
    return this.peek(`${kind}:${id}`)?.value as Docs[K] | undefined;
  }

  get isEmpty(): boolean {
    return this.#changed.size === 0 && this.events.length === 0;
  }

  batch(): Batch {
    const puts: DocPut[] = [];
    const checks: { kind: string; id: string; version: number }[] = [];
    for (const [key, { kind, id, version }] of this.#loaded) {
      const change = this.#changed.get(key);
      if (!change) {
        if (this.#read.has(key)) checks.push({ kind, id, version });
      } else if (change.value !== undefined || version > 0) puts.push(this.#put(kind, id, version, change.value));
    }
    return { puts, checks, events: this.events };
  }

  #put(kind: DocKind, id: string, expect: number, value: unknown): DocPut {
    if (value === undefined) return { kind, id, expect, value, indexes: [] };
    return { kind, id, expect, value, ...describeDoc(kind, value as Docs[DocKind], this.settings) };
  }

  #take(attempt: Attempt): void {
    for (const key of attempt.read) this.#read.add(key);
    for (const [key, change] of attempt.changed) this.#changed.set(key, change);
    this.events.push(...attempt.events);
  }
}

/** One try at one decision. */
class Attempt implements Tx, Documents {
  readonly now: number;
  readonly actor: Actor;
  readonly settings: DispatchSettings;
  readonly events: DomainEvent[] = [];
  readonly read = new Set<string>();
  readonly changed = new Map<string, { kind: DocKind; id: string; value: unknown }>();
  #hooked = 0;
  #idsGiven = 0;

  constructor(
    private readonly work: UnitOfWork,
    private readonly context: DecisionContext,
    private readonly ids: string[],
  ) {
    this.now = context.now;
    this.actor = context.actor;
    this.settings = work.settings;
  }

  get<K extends DocKind>(kind: K, id: string): Readonly<Docs[K]> | undefined {
    const value = this.look(kind, id);
    this.read.add(`${kind}:${id}`);
    return value;
  }

  look<K extends DocKind>(kind: K, id: string): Readonly<Docs[K]> | undefined {
    const key = `${kind}:${id}`;
    const held = this.#held(key);
    if (!held) throw new NotLoaded(kind, id);
    return held.value as Docs[K] | undefined;
  }

  #held(key: string): { value: unknown } | undefined {
    return this.changed.get(key) ?? this.work.peek(key);
  }

  /** Those that the rule has looked at so far. */
  vehicles(): string[] {
    return [...this.read].flatMap((key) => (key.startsWith('vehicle:') ? [key.slice('vehicle:'.length)] : []));
  }

  lookAll<K extends DocKind>(kind: K, ids: readonly string[]): (Readonly<Docs[K]> | undefined)[] {
    const [missing, ...more] = ids.filter((id) => !this.#held(`${kind}:${id}`));
    if (missing !== undefined) throw new NotLoaded(kind, missing, more);
    return ids.map((id) => this.look(kind, id));
  }

  put<K extends DocKind>(kind: K, id: string, value: Docs[K]): void {
    this.#write(kind, id, value);
  }

  remove(kind: DocKind, id: string): void {
    this.#write(kind, id, undefined);
  }

  keep<K extends BookkeepingKind>(kind: K, id: string, value: Docs[K]): void {
    this.#write(kind, id, value);
  }

  emit(event: Pick<DomainEvent, 'type' | 'data'> & Partial<DomainEvent>): void {
    const { now, actor, deviceAt, receivedAt, frame } = this.context;
    const full: DomainEvent = {
      source: actor.source,
      by: actor.name,
      receivedAt: receivedAt ?? now,
      committedAt: now,
      ...event,
    };
    if (deviceAt !== undefined) full.deviceAt ??= deviceAt;
    if (frame !== undefined) full.frame ??= frame;
    if (this.events.length >= MAX_EVENTS_PER_DECISION)
      throw new Error(`a decision makes no end of events: ${event.type}`);
    reduce(this, full);
    this.events.push(full);
  }

  newId(): string {
    const id = this.ids[this.#idsGiven] ?? uuidV7(this.now, this.work.random);
    this.ids[this.#idsGiven++] = id;
    return id;
  }

  /** Runs the hooks of all events, of those that hooks emit too. */
  settle(): void {
    while (this.#hooked < this.events.length) runHooks(this, this.events[this.#hooked++]!);
  }

  #write(kind: DocKind, id: string, value: unknown): void {
    const key = `${kind}:${id}`;
    // Its version is needed at the commit: a document is never written blindly.
    if (!this.work.peek(key)) throw new NotLoaded(kind, id);
    this.changed.set(key, { kind, id, value });
  }
}
