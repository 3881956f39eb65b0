/**
 * Drives the outboxes of the terminals that are connected to this node. What goes next is a pure question about the
 * outbox ({@link nextStep}); the loop asks it whenever the event log tells of a change or a deadline passes, records
 * that the item is written, and writes it. It keeps no state that matters: after a crash the outbox says everything.
 */
import type { StoredEvent } from '../../dispatch/domain/events.js';
import type { DispatchPort } from '../../dispatch/ports.js';
import type { DeliveryLoop, TerminalLink, TransportResult } from '../session/link.js';
import { TerminalFiles } from '../terminal-files.js';
import { OutboxRunner } from './runner.js';

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

export class Deliveries implements DeliveryLoop {
  /** By vehicle; a terminal has one attached link on a node. */
  readonly #runners = new Map<string, OutboxRunner>();
  readonly #ready = new Set<OutboxRunner>();
  #running = 0;
  #follow: { cancel(): void } | undefined;
  #stopped = false;
  readonly #files: Pick<TerminalFiles, 'load'>;
  readonly #idle: (() => void)[] = [];

  constructor(private readonly options: DeliveriesOptions) {
    this.#files = options.files ?? new TerminalFiles(options.dispatch.store);
  }

  /** Starts to follow the event log. */
  async start(): Promise<void> {
    const { dispatch } = this.options;
    this.#follow = dispatch.follow(await dispatch.store.lastPosition(), (events) => this.#heed(events));
  }

  /** Writes nothing any more; resolves when what was begun is recorded. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#follow?.cancel();
    for (const runner of this.#runners.values()) runner.stop();
    this.#runners.clear();
    this.#ready.clear();
    while (this.#running > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  attach(link: TerminalLink): void {
    if (this.#stopped) return;
    this.#runners.get(link.vehicleId)?.stop();
    const { dispatch, node, log } = this.options;
    const files = this.#files;
    const runner = new OutboxRunner({ dispatch, node, log, link, files, wake: (one) => this.#wake(one) });
    this.#runners.set(link.vehicleId, runner);
    this.#wake(runner);
  }

  detach(link: TerminalLink): void {
    const runner = this.#runners.get(link.vehicleId);
    if (runner?.link !== link) return;
    runner.stop();
    this.#runners.delete(link.vehicleId);
    this.#ready.delete(runner);
  }

  receipt(link: TerminalLink, deliveryId: string, _result: TransportResult): void {
    const runner = this.#runners.get(link.vehicleId);
    if (runner?.link === link) runner.answered(deliveryId);
  }

  changed(link: TerminalLink): void {
    const runner = this.#runners.get(link.vehicleId);
    if (runner?.link === link) this.#wake(runner);
  }

  #heed(events: readonly StoredEvent[]): void {
    for (const event of events) {
      const runner = event.vehicleId === undefined ? undefined : this.#runners.get(event.vehicleId);
      if (!runner || !WAKING.has(event.type.slice(0, event.type.indexOf('.')))) continue;
      runner.heed(event);
      this.#wake(runner);
    }
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
      this.#ready.delete(runner);
      this.#running++;
      void runner.run().finally(() => {
        this.#running--;
        // Woken after its last look: it takes its turn again, behind the others.
        if (runner.again && !runner.stopped && !this.#stopped) this.#ready.add(runner);
        if (this.#running === 0) for (const resolve of this.#idle.splice(0)) resolve();
        this.#next();
      });
    }
  }
}

/** First words of the events that can change what an outbox does next. */
const WAKING = new Set(['delivery', 'queue', 'outbox', 'link', 'terminal', 'vehicle']);
