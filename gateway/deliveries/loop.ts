/**
 * Drives the outboxes of the terminals that are connected to this node. What goes next is a pure question about the
 * outbox ({@link nextStep}); the loop asks it whenever the event log tells of a change or a deadline passes, records
 * that the item is written, and writes it. It keeps no state that matters: after a crash the outbox says everything.
 */
import type { Decision, DecisionEnd } from '../../dispatch/decision.js';
import type { StoredEvent } from '../../dispatch/domain/events.js';
import type { DispatchPort } from '../../dispatch/ports.js';
import type { DeliveryLoop, TerminalLink, TransportResult } from '../session/link.js';
import { TerminalFiles } from '../terminal-files.js';
import { OutboxRunner, type RunnerOptions } from './runner.js';

export interface DeliveriesOptions {
  dispatch: DispatchPort;
  /** Name of this node, as in `link.up`. */
  node: string;
  log: {
    warn(fields: Record<string, unknown>, message: string): void;
    error(fields: Record<string, unknown>, message: string): void;
  };
  /** Where functions find the files that they send; by default those of the store. */
  files?: Pick<TerminalFiles, 'load'>;
}

/** Outboxes that are worked on at the same time: enough to keep the store busy, few enough not to flood it. */
const RUNNING_AT_ONCE = 64;

/**
 * An outbox is looked at again at least this often, ms of gateway time: a wake-up may be lost where a promoted replica of
 * the store lacks the end of the event log and gives its positions anew. As rare as the tries of what has no answer.
 */
const SWEEP_MS = 300_000;
const SWEEP_TICK_MS = 5_000;

export class Deliveries implements DeliveryLoop {
  /** By vehicle; a terminal has one attached link on a node. */
  readonly #links = new Map<string, TerminalLink>();
  /** Of the links with something to do, by vehicle: most outboxes are empty most of the time. */
  readonly #runners = new Map<string, OutboxRunner>();
  readonly #ready = new Set<OutboxRunner>();
  #running = 0;
  #follow: { cancel(): void } | undefined;
  #joined: { cancel(): void } | undefined;
  #sweep: { cancel(): void } | undefined;
  /** The links that this sweep has not looked at, when it began, and how many it has. */
  #unswept: Iterator<TerminalLink, undefined> = this.#links.values();
  #sweepBeganAt = 0;
  #swept = 0;
  #stopped = false;
  readonly #runnerOptions: RunnerOptions;
  readonly #idle: (() => void)[] = [];

  constructor(private readonly options: DeliveriesOptions) {
    const { dispatch, node, log, files = new TerminalFiles(dispatch.store) } = options;
    this.#runnerOptions = { dispatch, node, log, files, wake: (runner) => this.#wake(runner) };
  }

  /** Starts to follow the event log, and to take part in what is decided here. */
  async start(): Promise<void> {
    const { dispatch } = this.options;
    this.#follow = dispatch.follow(await dispatch.store.lastPosition(), (events) => this.#heed(events));
    this.#joined = dispatch.beforeCommit((decision) => this.#join(decision));
    this.#sweepBeganAt = dispatch.clock.now();
    this.#sweep = dispatch.clock.every(SWEEP_TICK_MS, () => this.#sweepOn());
  }

  /** Writes nothing any more; resolves when what was begun is recorded. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#follow?.cancel();
    this.#joined?.cancel();
    this.#sweep?.cancel();
    for (const runner of this.#runners.values()) runner.stop();
    this.#runners.clear();
    this.#links.clear();
    this.#ready.clear();
    while (this.#running > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  attach(link: TerminalLink): void {
    if (this.#stopped) return;
    this.#drop(link.vehicleId);
    this.#links.set(link.vehicleId, link);
    this.#wake(this.#runnerOf(link));
  }

  detach(link: TerminalLink): void {
    if (this.#links.get(link.vehicleId) !== link) return;
    this.#drop(link.vehicleId);
    this.#links.delete(link.vehicleId);
  }

  receipt(link: TerminalLink, deliveryId: string, _result: TransportResult): void {
    if (this.#links.get(link.vehicleId) === link) this.#runnerOf(link).answered(deliveryId);
  }

  changed(link: TerminalLink): void {
    if (this.#links.get(link.vehicleId) === link) this.#wake(this.#runnerOf(link));
  }

  #heed(events: readonly StoredEvent[]): void {
    for (const event of events) {
      const link = event.vehicleId === undefined ? undefined : this.#links.get(event.vehicleId);
      if (!link || !WAKING.has(event.type.slice(0, event.type.indexOf('.')))) continue;
      const runner = this.#runnerOf(link);
      runner.heed(event);
      this.#wake(runner);
    }
  }

  /** Looks at the links whose turn it is, so that each has one in {@link SWEEP_MS}, spread over that time. */
  #sweepOn(): void {
    const passedMs = this.options.dispatch.clock.now() - this.#sweepBeganAt;
    const due = Math.ceil(this.#links.size * Math.min(1, passedMs / SWEEP_MS));
    for (; this.#swept < due; this.#swept++) {
      const next = this.#unswept.next();
      if (next.done === true) break;
      this.#wake(this.#runnerOf(next.value));
    }
    // Or the clock was set back.
    if (passedMs < SWEEP_MS && passedMs >= 0) return;
    this.#unswept = this.#links.values();
    this.#sweepBeganAt += passedMs;
    this.#swept = 0;
  }

  #runnerOf(link: TerminalLink): OutboxRunner {
    let runner = this.#runners.get(link.vehicleId);
    if (runner === undefined) {
      runner = new OutboxRunner(this.#runnerOptions, link);
      this.#runners.set(link.vehicleId, runner);
    }
    return runner;
  }

  #drop(vehicleId: string): void {
    const runner = this.#runners.get(vehicleId);
    if (runner === undefined) return;
    runner.stop();
    this.#runners.delete(vehicleId);
    this.#ready.delete(runner);
  }

  #wake(runner: OutboxRunner): void {
    if (this.#stopped || runner.stopped) return;
    runner.again = true;
    if (!runner.running) this.#ready.add(runner);
    this.#next();
  }

  #next(): void {
    for (const runner of this.#ready) {
      if (this.#running >= RUNNING_AT_ONCE) return;
      this.#begin(runner);
      void runner.run().finally(() => this.#end(runner));
    }
  }

  #begin(runner: OutboxRunner): void {
    this.#ready.delete(runner);
    this.#running++;
    runner.running = true;
  }

  #end(runner: OutboxRunner): void {
    runner.running = false;
    this.#running--;
    // Woken after its last look: it takes its turn again, behind the others.
    if (runner.again && !runner.stopped && !this.#stopped) this.#ready.add(runner);
    else if (runner.isDone && !runner.stopped) this.#drop(runner.link.vehicleId);
    if (this.#running === 0) for (const resolve of this.#idle.splice(0)) resolve();
    this.#next();
  }

  /**
   * What a decision queues for a terminal that is connected here, and waits for nothing, is recorded as written in the
   * same commit and goes out as soon as that is durable. All else is left to the loop.
   */
  async #join(decision: Decision): Promise<DecisionEnd | undefined> {
    const ends: DecisionEnd[] = [];
    for (const vehicleId of queuedFor(decision)) {
      const link = this.#links.get(vehicleId);
      if (!link || this.#stopped || this.#running >= RUNNING_AT_ONCE) continue;
      const runner = this.#runnerOf(link);
      if (runner.running) continue;
      // Until the commit has ended the loop does not look at it.
      this.#begin(runner);
      const begun = await runner.begin(decision);
      if (!begun) {
        this.#end(runner);
        continue;
      }
      ends.push((committed) => {
        const written = committed ? runner.run(begun) : Promise.resolve();
        void written.finally(() => this.#end(runner));
      });
    }
    return ends.length === 0 ? undefined : (committed) => ends.forEach((end) => end(committed));
  }
}

/** Vehicles for whose terminals a decision queues something. */
function queuedFor({ events }: Decision): Set<string> {
  const ids = events.map(({ type, vehicleId }) => (type === 'delivery.queued' ? vehicleId : undefined));
  return new Set(ids.filter((id) => id !== undefined));
}

/** First words of the events that can change what an outbox does next. */
const WAKING = new Set(['delivery', 'queue', 'outbox', 'link', 'terminal', 'vehicle']);
