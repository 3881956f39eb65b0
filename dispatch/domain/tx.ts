import type { Actor, DomainEvent } from './events.js';
import type { Docs, DocKind } from './model.js';

/**
 * What a rule sees and does while it decides: documents as they stand inside this decision, and events that change
 * them at once, so that a later rule of the same decision sees the earlier one's result. A rule is a plain function of
 * (tx, command); it reads no clock and does no I/O. `get` of a document that is not loaded yet abandons the attempt
 * with {@link NotLoaded}; the service loads it and runs the whole rule again on fresh state.
 */
export interface Tx {
  /** Gateway time of this decision, ms UTC. One decision, one time. */
  readonly now: number;
  readonly actor: Actor;
  readonly settings: import('./settings.js').DispatchSettings;
  /** The document, or undefined when none exists. Read-only: only events change it. */
  get<K extends DocKind>(kind: K, id: string): Readonly<Docs[K]> | undefined;
  /**
   * Like `get`, but what is decided does not depend on it: the commit stands when somebody changes the document
   * meanwhile. For figures about many documents that each change all the time, never for a rule that must hold.
   */
  look<K extends DocKind>(kind: K, id: string): Readonly<Docs[K]> | undefined;
  /** {@link look} at many, which are read together. */
  lookAll<K extends DocKind>(kind: K, ids: readonly string[]): (Readonly<Docs[K]> | undefined)[];
  /** Records the event and folds it into the documents that it names. Source, by, times default from actor and now. */
  emit(event: Pick<DomainEvent, 'type' | 'data'> & Partial<DomainEvent>): void;
  /**
   * Writes a document that is bookkeeping, not state: it is no fold over events and replaying the log does not make it
   * (windows of applied uplinks, running state of the position rules).
   */
  keep<K extends BookkeepingKind>(kind: K, id: string, value: Docs[K]): void;
  /** A new unique id (UUIDv7 from tx.now and injected randomness), for orders, deliveries, alerts. */
  newId(): string;
}

export const BOOKKEEPING_KINDS = ['window', 'automation', 'attributes'] as const;
export type BookkeepingKind = (typeof BOOKKEEPING_KINDS)[number];

/** Thrown by {@link Tx.get} and its like; never caught by rules. It steers and is never shown, so it keeps no stack. */
export class NotLoaded extends Error {
  constructor(
    readonly kind: DocKind,
    readonly id: string,
    /** Others of the kind that are missing too. */
    readonly more: readonly string[] = [],
  ) {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(`document ${kind}:${id} is not loaded yet`);
    Error.stackTraceLimit = limit;
  }

  /** All that is missing. */
  get keys(): { kind: DocKind; id: string }[] {
    return [this.id, ...this.more].map((id) => ({ kind: this.kind, id }));
  }
}

/** A step that the rules refuse: a stable code and the reason in words (API: 409, RFC 9457). */
export class Refusal extends Error {
  constructor(
    /** Stable, camelCase: `legNeeded`, `alreadyOnSite`, `queueFull`, … */
    readonly code: string,
    /** In words, for a dispatcher. */
    message: string,
    /** 409 unless the thing does not exist (404) or the input itself is wrong (422) or not allowed (403). */
    readonly status: 403 | 404 | 409 | 412 | 422 = 409,
    /** Facts for the caller: open legs, the other crew's name, choices. */
    readonly details: Record<string, unknown> = {},
    /** What the rule emitted before it refused is committed all the same (a refused crew takes its place in the line). */
    readonly keepsEvents: boolean = false,
  ) {
    super(message);
  }
}
