/**
 * The one reader of an ingest log: applies what it says to the state, in order, in large batches, and stores its
 * position in the same transaction as the results, so a restart goes on exactly there. It also reads the log of a node
 * that died, under that node's name.
 */
import type { DispatchPort } from '../../dispatch/ports.js';
import { ConflictError } from '../../dispatch/service.js';
import type { TerminalReport } from '../../dispatch/domain/commands.js';
import { inTurns, Turn } from '../../dispatch/store/give-way.js';
import { PositionBatch } from '../../dispatch/store/position-batch.js';
import { StoreError } from '../../dispatch/store/errors.js';
import type { IngestPosition } from '../../dispatch/store/store.js';
import type { GatewayCounters } from '../counters.js';
import type { GatewayLimits } from '../limits.js';
import { unusable, type Translation } from '../translate/translation.js';
import type { AlarmWatch } from './alarm-watch.js';
import type { ClockOffsets } from './clock-offsets.js';
import { GroupDecoder } from './decode-group.js';
import { AttributeSamples, readAttributes } from './attribute-samples.js';
import { holdsParts } from './entry.js';
import { storeMedia } from './media-store.js';
import { PendingParts } from './pending-parts.js';

export interface ReaderOptions {
  dispatch: DispatchPort;
  /** Whose log. */
  node: string;
  limits: GatewayLimits;
  counters: GatewayCounters;
  log: {
    info(fields: Record<string, unknown>, message: string): void;
    warn(fields: Record<string, unknown>, message: string): void;
    error(fields: Record<string, unknown>, message: string): void;
  };
  offsets?: ClockOffsets;
  alarms?: AlarmWatch;
  /** The log of another node: its sequences are not what this node's gauges tell. */
  foreign?: boolean;
}

/** Pauses between tries while the store fails, ms of gateway time. */
const retryMs = 200;
const retryMaxMs = 5_000;
/** What is urgent does not wait for a rest as long as batches are shorter than this, ms of the machine. */
const urgentMs = 50;
/** Bytes of groups that are copied out of the store at once, about: a third of a millisecond. */
const pageBytes = 512 * 1024;
/** Tries of a batch that fails though the store works, before its reports are applied one by one. */
const triesBeforeIsolating = 3;

interface ReadBatch {
  readonly position: IngestPosition;
  readonly translation: Translation;
  /** Times that it failed though the store works. */
  faults: number;
}

export class IngestReader {
  readonly #options: ReaderOptions;
  readonly #attributes = new AttributeSamples();
  #parts!: PendingParts;
  #decoder!: GroupDecoder;
  /** Sequence up to which a restart reads the log again for unfinished messages; undefined: stored as none. */
  #storedFrom: number | undefined;
  #appended = 0;
  #applied = 0;
  #groupBytes = 4096;
  #batch: ReadBatch | undefined;
  /** Positions of the last batch: the next one is about as large. */
  #batchSize = 256;
  /** Something that people may wait for came since the last read. */
  #urgent = false;
  #resting = false;
  /** How long the last batch took, ms of the machine. */
  #steppedMs = 0;
  #waiters: { sequence: number; resolve: () => void }[] = [];
  #wake: () => void = () => {};
  #stopping = false;
  #running: Promise<void> | undefined;

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#forget();
  }

  /** Everything up to here is applied. */
  get applied(): number {
    return this.#applied;
  }

  /** Nothing that this reader knows of is left to apply. */
  get isCaughtUp(): boolean {
    return this.#applied >= this.#appended;
  }

  /** Reads where it stood, takes up what was unfinished, and begins. */
  async start(): Promise<void> {
    await this.#standWhereTheStoreStands();
    this.#running = this.#run();
  }

  /** The log holds groups up to `sequence`; `urgent`: with something that people may wait for. */
  appended(sequence: number, urgent = true): void {
    if (sequence > this.#appended) this.#appended = sequence;
    if (urgent) this.#urgent = true;
    if (!this.#resting || (urgent && this.#steppedMs < urgentMs)) this.#wake();
  }

  /** Resolves when all up to `sequence` (default: all that is in the log now) is applied: then reads see it. */
  caughtUp(sequence = this.#appended): Promise<void> {
    if (this.#applied >= sequence || this.#stopping) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiters.push({ sequence, resolve });
      this.#wake();
    });
  }

  /** Stops after the batch that is being applied. What is left stays in the log. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake();
    await this.#running;
    this.#parts.clear();
    for (const { resolve } of this.#waiters) resolve();
    this.#waiters = [];
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#stopping;) {
      if (this.#batch === undefined && this.#applied >= this.#appended) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        continue;
      }
      try {
        const startedAt = performance.now();
        await this.#step();
        failures = 0;
        this.#steppedMs = performance.now() - startedAt;
        await this.#rest();
      } catch (error) {
        if (await this.#wasOvertaken(error)) continue;
        this.#failed(error);
        await this.#pause(Math.min(retryMaxMs, retryMs * 2 ** Math.min(failures++, 10)));
      }
    }
  }

  /** A batch is decoded once and kept until it is applied: its parts were taken note of and must not be counted twice. */
  async #step(): Promise<void> {
    const batch = (this.#batch ??= await this.#read());
    await this.#storeFrom();
    await this.#storeMedia(batch.translation);
    await this.#readAttributes(batch.translation);
    const { reports, positions } = batch.translation;
    if (batch.faults < triesBeforeIsolating) {
      await this.#options.dispatch.apply(reports, positions, batch.position);
    } else await this.#isolate(batch);
    this.#batch = undefined;
    this.#advance(batch.position.sequence, batch.translation);
  }

  /** The bytes of uploads first, so that what the commit names is there. Done once for a batch, however often it is tried. */
  async #storeMedia({ media, reports }: Translation): Promise<void> {
    if (media === undefined || media.length === 0) return;
    reports.push(...(await storeMedia(this.#options.dispatch, media)));
    media.length = 0;
  }

  async #readAttributes({ samples, reports }: Translation): Promise<void> {
    if (samples === undefined || samples.length === 0) return;
    reports.push(...(await readAttributes(this.#options.dispatch, samples)));
    samples.length = 0;
  }

  async #read(): Promise<ReadBatch> {
    const { dispatch, node, limits, alarms } = this.#options;
    const fits = Math.max(1, Math.min(limits.readGroups, Math.floor(limits.readBytes / this.#groupBytes)));
    this.#urgent = false;
    const translation: Translation = {
      reports: [],
      positions: new PositionBatch(this.#batchSize),
      media: [],
      samples: [],
      attributes: this.#attributes,
      ...(alarms && { alarms }),
    };
    const after = this.#applied;
    let sequence = after;
    let bytes = 0;
    const turn = new Turn();
    while (sequence - after < fits && bytes < limits.readBytes) {
      // A page at a time: copying all of them out of the store would hold up what terminals wait for.
      const page = Math.max(1, Math.min(fits - (sequence - after), Math.floor(pageBytes / this.#groupBytes)));
      const reading = dispatch.store.readIngest(node, sequence, page);
      // What is decoded is applied, whatever becomes of the next page.
      const groups = sequence === after ? await reading : await reading.catch(() => []);
      this.#missing(sequence, groups);
      await inTurns(this.#decode(groups, translation));
      for (const { group } of groups) bytes += group.length;
      sequence = groups.at(-1)?.sequence ?? sequence;
      if (groups.length < page) break;
      if (turn.isOver) await turn.giveWay();
    }
    if (sequence === after) throw new Error(`groups ${after + 1} to ${this.#appended} are not in the log`);
    this.#batchSize = Math.max(256, translation.positions.length);
    this.#groupBytes = Math.max(1, bytes / (sequence - after));
    return { position: { node, sequence, after }, translation, faults: 0 };
  }

  /** Groups that were not applied are not there: the disk gave back something else than what was written. */
  #missing(after: number, groups: readonly { sequence: number }[]): void {
    let before = after;
    for (const { sequence } of groups) {
      if (sequence > before + 1) {
        const { log, node, counters } = this.#options;
        counters.groupsMissing += sequence - before - 1;
        log.error({ node, from: before + 1, to: sequence - 1 }, 'groups of the ingest log are damaged: they are lost');
      }
      before = sequence;
    }
  }

  *#decode(groups: readonly { sequence: number; group: Uint8Array }[], into: Translation): Generator<void> {
    for (const { sequence, group } of groups) {
      yield* this.#decoder.decode(sequence, group, into);
      yield;
    }
  }

  /**
   * A batch costs something for each vehicle in it, however many positions that vehicle has: a reader that rests in
   * proportion to its work makes few, large batches under load, and is back at once when there is little to do.
   */
  async #rest(): Promise<void> {
    const { limits } = this.#options;
    const ms = Math.min(limits.readRestMaxMs, this.#steppedMs * limits.readRest);
    if (this.#waiters.length > 0 || (this.#urgent && this.#steppedMs < urgentMs)) return;
    this.#resting = true;
    await new Promise<void>((resolve) => {
      // The machine's time: it is the machine that rests.
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#resting = false;
  }

  /** What another reader applied counts, as does an own commit whose answer was lost: this one goes on behind it. */
  async #wasOvertaken(error: unknown): Promise<boolean> {
    if (!isOvertaken(error)) return false;
    const { log, node } = this.#options;
    const before = this.#applied;
    try {
      this.#batch = undefined;
      this.#parts.clear();
      this.#forget();
      await this.#standWhereTheStoreStands();
      log.warn({ node, applied: this.#applied }, 'the ingest log was applied further already; going on behind that');
      this.#tellApplied();
      return this.#applied !== before;
    } catch {
      return false;
    }
  }

  #forget(): void {
    const { node, limits, counters, offsets, log } = this.#options;
    this.#parts = new PendingParts(limits, counters);
    this.#decoder = new GroupDecoder({ node, parts: this.#parts, counters, log, ...(offsets && { offsets }) });
  }

  async #standWhereTheStoreStands(): Promise<void> {
    const { node } = this.#options;
    const { store } = this.#options.dispatch;
    const { appended, applied } = await store.ingestState(node);
    this.#applied = applied;
    this.#appended = Math.max(this.#appended, appended);
    const { counters, foreign } = this.#options;
    if (!foreign) Object.assign(counters, { sequenceAppended: this.#appended, sequenceApplied: applied });
    const stored = (await store.meta(metaKey(node))) as { partsFrom?: number } | undefined;
    this.#storedFrom = stored?.partsFrom;
    if (this.#storedFrom !== undefined) await this.#recall(this.#storedFrom);
  }

  #failed(error: unknown): void {
    const { log, node, counters } = this.#options;
    counters.applyFailures++;
    if (this.#batch !== undefined && !isTransient(error)) this.#batch.faults++;
    const position = this.#batch?.position ?? { node, after: this.#applied };
    log.error({ err: error, position }, 'the ingest log could not be applied; trying again');
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#options.dispatch.clock.after(ms, resolve);
      this.#wake = () => {
        // Somebody who waits for the end of the log may hurry.
        if (!this.#stopping && this.#waiters.length === 0) return;
        timer.cancel();
        resolve();
      };
    });
  }

  /**
   * Something in a batch makes the service fail: each report on its own, and what fails again is put in quarantine, so
   * that one entry never holds up the rest. The position moves only with the last step.
   */
  async #isolate({ translation, position }: ReadBatch): Promise<void> {
    const { dispatch, node, log, counters } = this.#options;
    for (const report of translation.reports) {
      try {
        await dispatch.note([report]);
      } catch (error) {
        if (isTransient(error)) throw error;
        counters.entriesPoisoned++;
        log.error({ err: error, node, report }, 'a report cannot be applied: quarantined');
        await dispatch.note([quarantined(report, error)]).catch((again: unknown) => {
          if (isTransient(again)) throw again;
          log.error({ err: again, node, report }, 'nor can its quarantine be written: it is only in the log');
        });
      }
    }
    const { positions } = translation;
    try {
      await dispatch.apply([], positions, position);
    } catch (error) {
      if (isTransient(error)) throw error;
      log.error({ err: error, node, position, positions: positions.length }, 'positions cannot be applied: skipped');
      await dispatch.apply([], new PositionBatch(1), position);
    }
  }

  #advance(sequence: number, { reports, positions }: Translation): void {
    const { counters, foreign } = this.#options;
    this.#applied = sequence;
    if (!foreign) counters.sequenceApplied = sequence;
    counters.positionsApplied += positions.length;
    counters.reportsApplied += reports.length;
    this.#tellApplied();
  }

  #tellApplied(): void {
    if (this.#waiters.length === 0) return;
    const waiting = this.#waiters;
    this.#waiters = waiting.filter((waiter) => waiter.sequence > this.#applied);
    for (const waiter of waiting) if (waiter.sequence <= this.#applied) waiter.resolve();
  }

  /**
   * Before the position moves past a part, the store knows from where to read again for it. A stored sequence that is
   * too low only makes a restart read more, so it is taken back only when nothing is unfinished.
   */
  async #storeFrom(): Promise<void> {
    const { from } = this.#parts;
    const { dispatch, node } = this.#options;
    if (
      from === undefined ? this.#storedFrom === undefined : this.#storedFrom !== undefined && this.#storedFrom <= from
    ) {
      return;
    }
    await dispatch.store.setMeta(metaKey(node), from === undefined ? {} : { partsFrom: from });
    this.#storedFrom = from;
  }

  async #recall(from: number): Promise<void> {
    const { dispatch, node, limits } = this.#options;
    for (let after = from - 1; after < this.#applied;) {
      const groups = await dispatch.store.readIngest(node, after, Math.min(limits.readGroups, 64));
      if (groups.length === 0) return;
      for (const { sequence, group } of groups) {
        after = sequence;
        if (sequence <= this.#applied && holdsParts(group)) this.#decoder.recall(sequence, group);
      }
    }
  }
}

/** Another reader moved the position of this log. */
function isOvertaken(error: unknown): boolean {
  return error instanceof ConflictError && error.document.kind === 'ingest';
}

/** The store may work again later, or others were faster; anything else is about the batch. */
function isTransient(error: unknown): boolean {
  return error instanceof ConflictError || (error instanceof StoreError && error.code !== 'invalid');
}

/** What is left of a report that the service cannot apply: itself, as bytes. */
function quarantined(report: TerminalReport, error: unknown): TerminalReport {
  const { vehicleId, phone, receivedAt, frame = { node: '', sequence: 0, index: 0 } } = report;
  const bytes = Buffer.from(JSON.stringify(report));
  const message = error instanceof Error ? error.message : String(error);
  return unusable({ vehicleId, phone, receivedAt, frame }, 'notApplicable', message, bytes, 0, bytes.length);
}

function metaKey(node: string): string {
  return `ingest.${node}`;
}
