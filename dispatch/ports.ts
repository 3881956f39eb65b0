/**
 * What the rest of the program uses of dispatch: the service's doors. The HTTP API and the gateway know these and
 * nothing behind them.
 */
import type { Join } from './decision.js';
import type { TerminalReport } from './domain/commands.js';
import type { Actor, StoredEvent } from './domain/events.js';
import type { Docs, DocKind } from './domain/model.js';
import type { DispatchSettings } from './domain/settings.js';
import type { AnyCommand } from './domain/tables.js';
import type { DispatchStore, IngestPosition, Page, Scan } from './store/store.js';
import type { Position, PositionBatch } from './store/position-batch.js';

/** The one clock: gateway time runs `rate` times as fast as the machine's (contract.md, LINECREW_CLOCK_RATE). */
export interface Clock {
  readonly rate: number;
  /** ms UTC of gateway time. */
  now(): number;
  /** Calls back after `ms` of gateway time; the handle's `cancel` is safe to call twice. */
  after(ms: number, call: () => void): { cancel(): void };
  every(ms: number, call: () => void): { cancel(): void };
}

export interface CommandOptions {
  /** Same key, same answer; a retry changes nothing. */
  idempotencyKey?: string;
  /** `If-Match`: the command is refused (412) unless the named document is at this version. */
  ifVersion?: { kind: DocKind; id: string; version: number };
}

export interface CommandOutcome {
  /** What the command made or changed, by id: `{orderId, leg, vehicleId, alertId, deliveryId, …}`. */
  result: Record<string, unknown>;
  /** Positions of its events in the log; empty where nothing changed. */
  events: StoredEvent[];
  /** True when the idempotency key had been used: `result` is the first answer. */
  repeated: boolean;
}

export type Versioned<K extends DocKind> = { value: Docs[K]; version: number };

export interface DispatchPort {
  readonly store: DispatchStore;
  readonly clock: Clock;
  readonly settings: DispatchSettings;

  /** Decides and commits. Throws `Refusal` with code, words and status; retries conflicts by itself. */
  execute(command: AnyCommand, actor: Actor, options?: CommandOptions): Promise<CommandOutcome>;
  /**
   * Decides commands in their order, each on what those before it did, and commits them together: all or, where one is
   * refused (its `Refusal` is thrown), none. For many small changes of documents that they share, such as an import; a
   * few hundred at once at most, since the store does nothing else meanwhile.
   */
  executeAll(commands: readonly AnyCommand[], actor: Actor): Promise<void>;
  /**
   * Calls `join` with each decision of {@link execute} that changes something, before it is committed, and waits for it;
   * once more where it was decided again. What `join` adds is in the same commit.
   */
  beforeCommit(join: Join): { cancel(): void };
  /**
   * Applies what the reader of an ingest log made of its groups up to `applied`, in one commit with that position.
   * Rules never reject a report: what cannot be applied becomes evidence, a card or quarantine. Rejects with
   * `ConflictError` of kind `ingest` where another reader has moved the log's position (see `IngestPosition.after`).
   */
  apply(reports: readonly TerminalReport[], positions: PositionBatch, applied: IngestPosition): Promise<void>;

  /** Applies what rules found by themselves (positions, time), behind the ingest log; finding it twice changes nothing. */
  note(reports: readonly TerminalReport[]): Promise<void>;

  get<K extends DocKind>(kind: K, id: string): Promise<Versioned<K> | undefined>;
  getMany<K extends DocKind>(kind: K, ids: readonly string[]): Promise<(Versioned<K> | undefined)[]>;
  scan(scan: Scan): Promise<Page>;
  eventsAfter(after: number, limit: number, ref?: string): Promise<StoredEvent[]>;
  /** Newest first: see `DispatchStore.eventsBefore`. */
  eventsBefore(before: number | undefined, limit: number, ref: string): Promise<StoredEvent[]>;
  lastPositions(vehicleIds?: readonly string[]): Promise<Map<string, Position>>;
  /** Every event once, in order, from `after` on, then live, until cancelled. Slow listeners are waited for. */
  follow(after: number, on: (events: StoredEvent[]) => void | Promise<void>): { cancel(): void };
  /** Positions as they are applied, coalesced to the newest per vehicle. */
  onPositions(on: (batch: PositionBatch) => void): { cancel(): void };
}
