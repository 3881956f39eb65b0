/**
 * Which parts of sub-packaged messages have arrived, to ask for the missing ones. Bodies are not kept here: every part
 * goes to the ingest log on its own, and the reader joins them.
 */
import { limits as wireLimits, type MediaPacket } from '../../protocol/index.js';
import type { GatewayLimits } from '../limits.js';

interface Watched {
  readonly messageId: number;
  readonly total: number;
  /** Serial of part 1; of an upload in the packets of 2011, which have serials of any kind, its media id. */
  readonly firstSerial: number;
  /** The packets of the 2011 draft: serial of the newest one, which a request for missing ones quotes. */
  packetSerial: number | undefined;
  /** A bit for each part up to the highest that came: a declared total costs nothing. */
  seen: Uint8Array;
  received: number;
  /** When a part came last, and when that or a request for parts was, ms. */
  partAt: number;
  lastAt: number;
  asked: number;
  /** First four body bytes of part 1, once that has come. */
  head: number | undefined;
}

export interface MissingRequest {
  readonly messageId: number;
  readonly firstSerial: number;
  /** First four body bytes of part 1 (of a 0x0801: the media id); undefined while that is missing. */
  readonly head: number | undefined;
  readonly numbers: readonly number[];
  /** Serial to quote where the upload comes in the packets of 2011. */
  readonly packetSerial: number | undefined;
}

const resumeMarginMs = 30_000;

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
    const firstSerial = (serial - (index - 1)) & 0xffff;
    return this.#arrived(messageId, total, firstSerial, undefined, index, nowMs, head);
  }

  /** A packet of the 2011 draft (reference 5.7), which came under `serial`. */
  packet({ mediaId, total, index }: MediaPacket, serial: number, nowMs: number): PartState {
    return this.#arrived(0x0801, total, mediaId, serial, index, nowMs, mediaId);
  }

  #arrived(
    messageId: number,
    total: number,
    firstSerial: number,
    packetSerial: number | undefined,
    index: number,
    nowMs: number,
    head: number,
  ): PartState {
    if (index < 1 || index > total || total > wireLimits.reassemblyParts) return 'refused';
    this.#expire(nowMs);
    const inPackets = packetSerial !== undefined;
    let one = this.#find(messageId, total, firstSerial, inPackets);
    if (one === undefined) {
      one = {
        messageId,
        total,
        firstSerial,
        packetSerial,
        seen: noParts,
        received: 0,
        partAt: nowMs,
        lastAt: nowMs,
        asked: 0,
        head: undefined,
      };
      if (this.#watched.length >= this.limits.watchedMessages) this.#watched.shift();
      this.#watched.push(one);
    }
    one.partAt = one.lastAt = nowMs;
    one.packetSerial = packetSerial;
    if (index === 1 || inPackets) one.head = head;
    if (hasSeen(one, index)) return 'again';
    setSeen(one, index);
    if (++one.received < total) return 'new';
    this.#watched.splice(this.#watched.indexOf(one), 1);
    this.completedHead = one.head ?? 0;
    return 'complete';
  }

  /** No closure: a terminal that sends nothing but parts comes here thousands of times a second. */
  #find(messageId: number, total: number, firstSerial: number, inPackets: boolean): Watched | undefined {
    for (const one of this.#watched) {
      if (one.firstSerial !== firstSerial || one.messageId !== messageId || one.total !== total) continue;
      if ((one.packetSerial !== undefined) === inPackets) return one;
    }
    return undefined;
  }

  /** The terminal is back after a break: what is missing is asked for again. */
  askAnew(): void {
    for (const one of this.#watched) one.asked = 0;
  }

  /** Before the reader gives them up: what it has dropped must not be called complete here. */
  #expire(nowMs: number): void {
    const before = nowMs - this.limits.resumeMs + resumeMarginMs;
    for (const one of this.#watched) {
      if (one.partAt > before) continue;
      this.#watched = this.#watched.filter(({ partAt }) => partAt > before);
      return;
    }
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
    this.#expire(nowMs);
    const requests: MissingRequest[] = [];
    for (const one of [...this.#watched]) {
      if (nowMs - one.lastAt < wireLimits.reassemblyQuietMs) continue;
      if (one.asked >= this.limits.missingRequests) {
        this.#watched.splice(this.#watched.indexOf(one), 1);
        continue;
      }
      const numbers: number[] = [];
      for (let index = 1; index <= one.total && numbers.length < wireLimits.missingPartsPerRequest; index++) {
        if (!hasSeen(one, index)) numbers.push(index);
      }
      one.asked++;
      one.lastAt = nowMs;
      const { messageId, firstSerial, head, packetSerial } = one;
      requests.push({ messageId, firstSerial, head, numbers, packetSerial });
    }
    return requests;
  }
}

const noParts = new Uint8Array(0);

function hasSeen({ seen }: Watched, index: number): boolean {
  return ((seen[(index - 1) >> 3] ?? 0) & (1 << ((index - 1) & 7))) !== 0;
}

function setSeen(one: Watched, index: number): void {
  const at = (index - 1) >> 3;
  if (at >= one.seen.length) {
    const grown = new Uint8Array(Math.min((one.total + 7) >> 3, Math.max(8, 2 * (at + 1))));
    grown.set(one.seen);
    one.seen = grown;
  }
  one.seen[at]! |= 1 << ((index - 1) & 7);
}
