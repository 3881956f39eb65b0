/**
 * Unfinished sub-packaged messages of all terminals of one ingest log. Their parts are in the log already; what must
 * survive a restart is only from which sequence on the log has to be read again for them: {@link PendingParts.from}.
 * (Holding back the applied position instead would make one terminal's unfinished photo hold up what all others read.)
 */
import { Reassembler, type Frame, type MediaPacket, type PartResult, type Reassembled } from '../../protocol/index.js';
import type { GatewayCounters } from '../counters.js';
import type { GatewayLimits } from '../limits.js';

interface OfTerminal {
  readonly reassembler: Reassembler;
  /** Sequence of the oldest part that belongs to an unfinished message. */
  from: number;
  lastAt: number;
}

/** Terminals whose last messages are remembered though none is unfinished: 4 bytes for each part of four messages. */
const finishedMax = 2_000;

/** Added to a media id: no message id is as large. */
const packetsOf = 0x0801 * 2 ** 32;

export class PendingParts {
  /** By terminal number, the one whose last part is oldest first. */
  readonly #terminals = new Map<string, OfTerminal>();
  /**
   * The same of terminals without an unfinished message: a part that one sends again after the end belongs to none, and must
   * not become the beginning of the next.
   */
  readonly #finished = new Map<string, OfTerminal>();
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
    return this.#add(frame.phone, sequence, receivedAt, (parts) => parts.add(frame, receivedAt));
  }

  /**
   * A packet of the 2011 draft. Its upload is told by the media id: the serials of its frames say nothing.
   * @returns the body of the whole upload when this was its last packet
   */
  addPacket(phone: string, packet: MediaPacket, sequence: number, receivedAt: number): Uint8Array | undefined {
    const { mediaId, total, index, bytes } = packet;
    return this.#add(phone, sequence, receivedAt, (parts) =>
      parts.addPart(packetsOf + mediaId, total, index, index - 1, bytes, receivedAt),
    )?.body;
  }

  #add(
    phone: string,
    sequence: number,
    receivedAt: number,
    addTo: (parts: Reassembler) => PartResult,
  ): Reassembled | undefined {
    this.#expire(receivedAt);
    const one = this.#terminals.get(phone) ?? this.#finished.get(phone) ?? this.#new(sequence);
    if (one.reassembler.size === 0) one.from = sequence;
    const before = one.reassembler.heldBytes;
    const result = addTo(one.reassembler);
    this.#hold(one.reassembler.heldBytes - before);
    one.lastAt = receivedAt;
    this.#terminals.delete(phone);
    this.#finished.delete(phone);
    (one.reassembler.size > 0 ? this.#terminals : this.#finished).set(phone, one);
    if (this.#finished.size > finishedMax) forgetOldest(this.#finished);
    while (this.#bytes > this.limits.reassemblyBytes && this.#terminals.size > 1) this.#giveUpOldest();
    return result.state === 'complete' ? result.message : undefined;
  }

  /** Forgets all, without counting it as given up: the log is read again. */
  clear(): void {
    this.#terminals.clear();
    this.#finished.clear();
    this.#hold(-this.#bytes);
  }

  #new(sequence: number): OfTerminal {
    return { reassembler: new Reassembler({ maxAgeMs: this.limits.resumeMs }), from: sequence, lastAt: 0 };
  }

  #hold(bytes: number): void {
    this.#bytes += bytes;
    this.counters.partsBytes += bytes;
  }

  #expire(nowMs: number): void {
    for (const { lastAt } of this.#finished.values()) {
      if (nowMs - lastAt < this.limits.resumeMs) break;
      forgetOldest(this.#finished);
    }
    for (const { lastAt } of this.#terminals.values()) {
      if (nowMs - lastAt < this.limits.resumeMs) return;
      this.#giveUpOldest();
    }
  }

  #giveUpOldest(): void {
    const oldest = this.#terminals.entries().next().value;
    if (oldest === undefined) return;
    this.counters.messagesIncomplete += oldest[1].reassembler.size;
    this.#hold(-oldest[1].reassembler.heldBytes);
    this.#terminals.delete(oldest[0]);
  }
}

function forgetOldest(map: Map<string, unknown>): void {
  const oldest = map.keys().next().value;
  if (oldest !== undefined) map.delete(oldest);
}
