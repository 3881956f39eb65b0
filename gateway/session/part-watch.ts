/**
 * Which parts of sub-packaged messages have arrived, to ask for the missing ones. Bodies are not kept here: every part
 * goes to the ingest log on its own, and the reader joins them.
 */
import { limits as wireLimits } from '../../protocol/index.js';
import type { GatewayLimits } from '../limits.js';

interface Watched {
  readonly messageId: number;
  readonly total: number;
  readonly firstSerial: number;
  readonly seen: Uint8Array;
  received: number;
  lastAt: number;
  asked: number;
  head: number;
}

export interface MissingRequest {
  readonly firstSerial: number;
  readonly numbers: readonly number[];
}

/** `new`, `complete` (this was the last missing one), `again` (had it), `refused` (no such part). */
export type PartState = 'new' | 'complete' | 'again' | 'refused';

export class PartWatch {
  #watched: Watched[] = [];
  /** First four body bytes of part 1 of the message that was completed last (of a 0x0801: the media id). */
  completedHead = 0;

  constructor(private readonly limits: GatewayLimits) {}

  get size(): number {
    return this.#watched.length;
  }

  /** @param head the first four body bytes of this part */
  arrived(messageId: number, total: number, index: number, serial: number, nowMs: number, head: number): PartState {
    if (index < 1 || index > total || total > wireLimits.reassemblyParts) return 'refused';
    const firstSerial = (serial - (index - 1)) & 0xffff;
    let one = this.#watched.find(
      (w) => w.messageId === messageId && w.total === total && w.firstSerial === firstSerial,
    );
    if (one === undefined) {
      one = {
        messageId,
        total,
        firstSerial,
        seen: new Uint8Array(total),
        received: 0,
        lastAt: nowMs,
        asked: 0,
        head: 0,
      };
      if (this.#watched.length >= this.limits.watchedMessages) this.#watched.shift();
      this.#watched.push(one);
    }
    one.lastAt = nowMs;
    if (index === 1) one.head = head;
    if (one.seen[index - 1] === 1) return 'again';
    one.seen[index - 1] = 1;
    if (++one.received < total) return 'new';
    this.#watched.splice(this.#watched.indexOf(one), 1);
    this.completedHead = one.head;
    return 'complete';
  }

  /** Parts that were thought to be safe are not: the terminal sends them again, and all counting starts anew. */
  forget(): void {
    this.#watched = [];
  }

  /** When the next request is due, or Infinity. */
  nextMs(): number {
    let next = Infinity;
    for (const one of this.#watched) next = Math.min(next, one.lastAt + wireLimits.reassemblyQuietMs);
    return next;
  }

  /** Requests that are due now; a message that was asked for often enough, or is too old, is given up. */
  due(nowMs: number): MissingRequest[] {
    const requests: MissingRequest[] = [];
    for (const one of [...this.#watched]) {
      if (nowMs - one.lastAt < wireLimits.reassemblyQuietMs) continue;
      if (one.asked >= this.limits.missingRequests) {
        this.#watched.splice(this.#watched.indexOf(one), 1);
        continue;
      }
      const numbers: number[] = [];
      for (let i = 0; i < one.total && numbers.length < wireLimits.missingPartsPerRequest; i++) {
        if (one.seen[i] === 0) numbers.push(i + 1);
      }
      one.asked++;
      one.lastAt = nowMs;
      requests.push({ firstSerial: one.firstSerial, numbers });
    }
    return requests;
  }
}
