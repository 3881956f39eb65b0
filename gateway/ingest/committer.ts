/**
 * The one gate: collects the uplinks of all sessions while the previous append runs, appends them as one group, and
 * tells each session once how many of its uplinks became durable. Nothing is confirmed before that.
 */
import type { GatewayCounters } from '../counters.js';
import type { GatewayLimits } from '../limits.js';
import { entryKinds, GroupWriter, type EntryKind } from './entry.js';

/** The ingest log, as far as the committer needs it. */
export interface IngestLog {
  appendIngest(node: string, group: Uint8Array): Promise<number>;
}

/** Somebody whose uplinks go through the gate. `group` and `slot` belong to the committer; they start at 0. */
export interface Appender {
  /** Number of the group that this appender's newest entry went into. */
  group: number;
  /** Its place among the appenders of that group. */
  slot: number;
  /**
   * The group is durable, or is not (then its entries must not be confirmed; the terminal sends them again). Called
   * once for each group, in order, with the number of this appender's entries in it. Must not throw.
   */
  committed(entries: number, durable: boolean, nowMs: number): void;
}

/**
 * `taken`; `takenFull`: taken, but stop reading until the next `committed`; `shed`: not taken, must stay unanswered.
 */
export type AppendOutcome = 'taken' | 'takenFull' | 'shed';

export interface CommitterOptions {
  log: IngestLog;
  node: string;
  limits: GatewayLimits;
  counters: GatewayCounters;
  /** Gateway time, ms. */
  now: () => number;
  /** Runs the call after what is being read now; `setImmediate` unless simulated. */
  soon?: (call: () => void) => void;
  /** Runs the call after `ms` of gateway time. */
  after: (ms: number, call: () => void) => void;
  /** A group is durable up to this sequence; `urgent`: it holds more than plain locations. */
  appended?: (sequence: number, urgent: boolean) => void;
  /** An append failed; said once for each failure. */
  failed?: (error: unknown) => void;
}

interface Group {
  readonly writer: GroupWriter;
  number: number;
  readonly appenders: Appender[];
  readonly counts: number[];
}

export class Committer {
  readonly #options: CommitterOptions;
  #filling: Group = newGroup();
  #spare: Group = newGroup();
  #groupNumber = 1;
  #appending = false;
  #scheduled = false;
  /** Pause before the next try while the store fails; 0 while it works. */
  #retryMs = 0;
  #idle: (() => void)[] = [];

  constructor(options: CommitterOptions) {
    this.#options = options;
    this.#filling.number = this.#groupNumber;
  }

  /** When the append under way began, ms of the process: whether a disk hangs is no matter of gateway time. */
  #appendingAt: number | undefined;

  /** How long the append under way has taken, ms of machine time; 0: none is. */
  get appendingMs(): number {
    return this.#appendingAt === undefined ? 0 : performance.now() - this.#appendingAt;
  }

  /** True after an append failed, until one works. */
  get failing(): boolean {
    return this.#retryMs > 0;
  }

  /**
   * Puts one entry into the next group; copies `bytes[start..end)`.
   * @param vehicle from `vehiclePrefix`
   * @param context for kinds that have one (see entry.ts)
   */
  append(
    appender: Appender,
    kind: EntryKind,
    edition: 2011 | 2013 | 2019,
    vehicle: Uint8Array,
    context: string | Uint8Array | undefined,
    bytes: Uint8Array,
    start: number,
    end: number,
    nowMs: number,
    vendorHeader = false,
  ): AppendOutcome {
    const { limits, counters } = this.#options;
    const group = this.#filling;
    if (group.writer.size >= (this.#retryMs > 0 ? limits.groupFailingBytes : limits.groupHardBytes)) {
      counters.framesShed++;
      return 'shed';
    }
    group.writer.add(entryKinds[kind], edition, nowMs, vehicle, context, bytes, start, end, vendorHeader);
    counters.entriesAppended++;
    if (appender.group === group.number) group.counts[appender.slot]!++;
    else {
      appender.group = group.number;
      appender.slot = group.appenders.push(appender) - 1;
      group.counts.push(1);
    }
    this.#schedule();
    return group.writer.size >= limits.groupSoftBytes && this.#retryMs === 0 ? 'takenFull' : 'taken';
  }

  /** One entry on its own; resolves with whether it is durable. */
  appendAndWait(
    kind: EntryKind,
    vehicle: Uint8Array,
    context: string | undefined,
    bytes: Uint8Array,
    nowMs: number,
  ): Promise<boolean> {
    return new Promise((resolve) => {
      const appender: Appender = { group: 0, slot: 0, committed: (_entries, durable) => resolve(durable) };
      const outcome = this.append(appender, kind, 2013, vehicle, context, bytes, 0, bytes.length, nowMs);
      if (outcome === 'shed') resolve(false);
    });
  }

  /**
   * Resolves when nothing waits and nothing is being appended; while the store fails, when nothing is being appended:
   * what waits then is not confirmed, and its terminals have it.
   */
  async drained(): Promise<void> {
    while (this.#appending || (this.#filling.writer.count > 0 && !this.failing)) {
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
  }

  #schedule(): void {
    if (this.#scheduled || this.#appending) return;
    this.#scheduled = true;
    const run = (): void => {
      this.#scheduled = false;
      void this.#append();
    };
    if (this.#retryMs > 0) this.#options.after(this.#retryMs, run);
    else (this.#options.soon ?? setImmediate)(run);
  }

  async #append(): Promise<void> {
    const { log, node, counters, limits, now } = this.#options;
    const group = this.#filling;
    const filling = this.#spare;
    filling.number = ++this.#groupNumber;
    this.#filling = filling;
    this.#appending = true;
    counters.bytesWaiting = group.writer.size;
    const startedAt = now();
    this.#appendingAt = performance.now();
    let sequence = 0;
    let failure: unknown;
    try {
      sequence = await log.appendIngest(node, group.writer.group());
      this.#retryMs = 0;
    } catch (error) {
      failure = error ?? new Error('the append failed');
      this.#retryMs = Math.min(limits.appendRetryMaxMs, Math.max(limits.appendRetryMs, this.#retryMs * 2));
    }
    const endedAt = now();
    this.#appendingAt = undefined;
    counters.appendMs += endedAt - startedAt;
    this.#count(group, failure === undefined);
    if (failure === undefined) {
      counters.sequenceAppended = sequence;
      this.#options.appended?.(sequence, group.writer.urgent);
    } else this.#options.failed?.(failure);
    this.#tell(group, failure === undefined, endedAt);
    group.writer.reset();
    group.appenders.length = 0;
    group.counts.length = 0;
    this.#spare = group;
    this.#appending = false;
    if (this.#filling.writer.count > 0) this.#schedule();
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }

  #tell(group: Group, durable: boolean, nowMs: number): void {
    const { appenders, counts } = group;
    for (let i = 0; i < appenders.length; i++) appenders[i]!.committed(counts[i]!, durable, nowMs);
  }

  #count(group: Group, durable: boolean): void {
    const { counters } = this.#options;
    counters.bytesWaiting = 0;
    if (durable) {
      counters.groupsDurable++;
      counters.groupBytes += group.writer.size;
      counters.entriesDurable += group.writer.count;
    } else {
      counters.groupsFailed++;
      counters.entriesNotDurable += group.writer.count;
    }
  }
}

function newGroup(): Group {
  return { writer: new GroupWriter(), number: 0, appenders: [], counts: [] };
}
