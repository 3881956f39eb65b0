/**
 * Tells dispatch that links went up and down, in the background: a bounded number at the same time, the newest of each
 * vehicle only, repeated while the store fails.
 */
import type { LinkCommand } from '../dispatch/domain/commands.js';
import { Refusal } from '../dispatch/domain/tx.js';
import type { DispatchPort } from '../dispatch/ports.js';
import { GatewayCounters } from './counters.js';
import { gatewayActor } from './directory.js';
import type { GatewayLimits } from './limits.js';

/** Machine-independent pause before a failed command is tried again, ms of gateway time. */
const retryMs = 1_000;

export class LinkReports {
  /** Waiting commands, oldest first; a newer one for the same thing takes the place of the older. */
  readonly #waiting = new Map<string, LinkCommand>();
  /** Subjects whose command runs now: the next one of the same subject waits for it, or down could overtake up. */
  readonly #running = new Set<string>();
  #idle: (() => void)[] = [];
  #stopped = false;

  constructor(
    private readonly dispatch: DispatchPort,
    private readonly limits: GatewayLimits,
    private readonly log: { warn(fields: Record<string, unknown>, message: string): void },
    private readonly counters = new GatewayCounters(),
  ) {}

  /** Commands with the same `subject` replace each other while they wait. */
  report(subject: string, command: LinkCommand): void {
    if (this.#stopped) return;
    this.#waiting.delete(subject);
    if (this.#waiting.size >= this.limits.linkCommandsWaiting) {
      const [oldest] = this.#waiting.keys();
      this.#waiting.delete(oldest!);
      this.counters.linkReportsDropped++;
      this.log.warn({ subject: oldest }, 'too many link reports wait: the oldest was dropped');
    }
    this.#waiting.set(subject, command);
    this.#next();
  }

  /** Resolves when all that was reported is in the log, or has failed after {@link stop}. */
  async drained(): Promise<void> {
    while (this.#running.size > 0 || this.#waiting.size > 0) {
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
  }

  /** Takes no further reports; what fails from now on is not repeated, nor is what waits behind it tried. */
  stop(): void {
    this.#stopped = true;
  }

  #next(): void {
    for (const [subject, command] of this.#waiting) {
      if (this.#running.size >= this.limits.linkCommands) break;
      if (this.#running.has(subject)) continue;
      this.#waiting.delete(subject);
      this.#running.add(subject);
      void this.#run(subject, command);
    }
    this.counters.linkReportsWaiting = this.#waiting.size;
    if (this.#running.size > 0 || this.#waiting.size > 0) return;
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }

  async #run(subject: string, command: LinkCommand): Promise<void> {
    let again = false;
    try {
      await this.dispatch.execute(command, gatewayActor);
    } catch (error) {
      if (error instanceof Refusal) this.log.warn({ subject, code: error.code }, error.message);
      else {
        again = !this.#stopped;
        // The store fails: who looks after this node's links when it is gone says what the others would have said.
        if (this.#stopped) this.#waiting.clear();
        this.log.warn({ subject, err: error }, 'a link report failed');
      }
    }
    if (again) {
      this.dispatch.clock.after(retryMs, () => {
        if (!this.#waiting.has(subject) && !this.#stopped) this.#waiting.set(subject, command);
        this.#running.delete(subject);
        this.#next();
      });
      return;
    }
    this.#running.delete(subject);
    this.#next();
  }
}
