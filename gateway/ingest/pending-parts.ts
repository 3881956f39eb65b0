/**
 * Unfinished sub-packaged messages of all terminals of one ingest log. Their parts are in the log already; what must
 * survive a restart is only from which sequence on the log has to be read again for them: {@link PendingParts.from}.
 * (Holding back the applied position instead would make one terminal's unfinished photo hold up what all others read.)
 */
import { Reassembler, type Frame, type Reassembled } from '../../protocol/index.js';
import type { GatewayCounters } from '../counters.js';
import type { GatewayLimits } from '../limits.js';

interface OfTerminal {
  readonly reassembler: Reassembler;
  /** Sequence of the oldest part that belongs to an unfinished message. */
  from: number;
  lastAt: number;
}

export class PendingParts {
  /** By terminal number, the one whose last part is oldest first. */
  readonly #terminals = new Map<string, OfTerminal>();
  #bytes = 0;

  constructor(
    private readonly limits: GatewayLimits,
    private readonly counters: GatewayCounters,
  ) {}

  get size(): number {
    return this.#terminals.size;
  }

  /** The log must be read again from this sequence on after a restart; undefined: nothing is unfinished. */
  get from(): number | undefined {
    let from: number | undefined;
    for (const one of this.#terminals.values()) if (from === undefined || one.from < from) from = one.from;
    return from;
  }

  /** @returns the whole message when this was its last part */
  add(frame: Frame, sequence: number, receivedAt: number): Reassembled | undefined {
    this.#expire(receivedAt);
    const { phone } = frame;
    const known = this.#terminals.get(phone);
    const one = known ?? {
      reassembler: new Reassembler({ maxAgeMs: this.limits.resumeMs }),
      from: sequence,
      lastAt: receivedAt,
    };
    const before = one.reassembler.heldBytes;
    const result = one.reassembler.add(frame, receivedAt);
    this.#bytes += one.reassembler.heldBytes - before;
    one.lastAt = receivedAt;
    this.#terminals.delete(phone);
    if (one.reassembler.size > 0) this.#terminals.set(phone, one);
    while (this.#bytes > this.limits.reassemblyBytes && this.#terminals.size > 1) this.#giveUpOldest();
    return result.state === 'complete' ? result.message : undefined;
  }

  #expire(nowMs: number): void {
    for (const { lastAt } of this.#terminals.values()) {
      if (nowMs - lastAt < this.limits.resumeMs) return;
      this.#giveUpOldest();
    }
  }

  #giveUpOldest(): void {
    const oldest = this.#terminals.entries().next().value;
    if (oldest === undefined) return;
    this.counters.messagesIncomplete += oldest[1].reassembler.size;
    this.#bytes -= oldest[1].reassembler.heldBytes;
    this.#terminals.delete(oldest[0]);
  }
}
