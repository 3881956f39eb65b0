/**
 * A message of many parts on its way to a terminal (an upgrade, reference 5.5): its frames are made when they are written,
 * a window at a time, so that a slow link holds no megabytes; what the terminal has confirmed is remembered over breaks of
 * its connection, and only the rest goes out again, under the same serials.
 */
import { encodeFrame, limits as wireLimits, type Identity } from '../../protocol/index.js';
import type { OutgoingMessage } from './link.js';

/** What outlives a connection. */
export interface LongProgress {
  readonly deliveryId: string;
  readonly firstSerial: number;
  readonly bytes: number;
  /** 1: the terminal has this part. */
  readonly has: Uint8Array;
  /** Confirms each part, not only the whole. */
  each: boolean;
}

/** What a confirmed serial means: one part, or all of the message. */
export type LongAnswer = 'part' | 'whole';

const partBytes = wireLimits.downlinkBodyBytes;

/** Number of frames of a body. */
export const partsOf = (bytes: number): number => Math.max(1, Math.ceil(bytes / partBytes));

export class LongSend {
  readonly parts: number;
  /** Next part of the current round. */
  #next = 0;
  /** When a part was written or confirmed last, ms. */
  #lastAt: number;

  constructor(
    private readonly message: OutgoingMessage,
    private readonly identity: Identity,
    readonly progress: LongProgress,
    nowMs: number,
  ) {
    this.parts = progress.has.length;
    this.#lastAt = nowMs;
  }

  get serials(): [number, number] {
    const { firstSerial } = this.progress;
    return [firstSerial, (firstSerial + this.parts - 1) & 0xffff];
  }

  /** All parts of this round are written. */
  get written(): boolean {
    return this.#find(this.#next) === this.parts;
  }

  /** Parts that the terminal confirmed, or that are written where it confirms only the whole. */
  get done(): number {
    const { each, has } = this.progress;
    return has.reduce((sum, one, at) => sum + (one === 1 || (!each && at < this.#next) ? 1 : 0), 0);
  }

  /** Still writing, or the terminal said something not long ago: no answer is missed yet. */
  isBusy(nowMs: number, quietMs: number): boolean {
    return !this.written || nowMs - this.#lastAt < quietMs;
  }

  /**
   * The next frames, of about so many body bytes.
   * @param confirmed what was written and is not confirmed counts too: for terminals that confirm each part
   */
  window(limit: number, confirmed: boolean, nowMs: number): Uint8Array[] {
    const frames: Uint8Array[] = [];
    const bytes = limit - (confirmed ? this.#unconfirmed() * partBytes : 0);
    for (
      let at = this.#find(this.#next);
      at < this.parts && frames.length * partBytes < bytes;
      at = this.#find(at + 1)
    ) {
      frames.push(this.#frame(at));
      this.#next = at + 1;
    }
    if (frames.length > 0) this.#lastAt = nowMs;
    return frames;
  }

  /** Another round: everything that the terminal has not confirmed. */
  again(): void {
    this.#next = 0;
  }

  /** 0x0005: these are missing, by number from 1, and so the others have arrived; none named asks for all. */
  requested(numbers: readonly number[], nowMs: number): void {
    const { has } = this.progress;
    const sent = this.#next;
    if (numbers.length === 0) has.fill(0);
    else has.fill(1, 0, sent);
    for (const number of numbers) if (number >= 1 && number <= this.parts) has[number - 1] = 0;
    this.#next = 0;
    this.#lastAt = nowMs;
  }

  /**
   * 0x0001 with result 0. Terminals confirm each part or only the whole, and then quote the first or the last serial
   * (reference 2.9): a part in the middle, or the first while others are still to be written, tells the one kind.
   */
  confirmed(serial: number, nowMs: number): LongAnswer {
    const { progress } = this;
    const at = (serial - progress.firstSerial) & 0xffff;
    this.#lastAt = nowMs;
    const { written } = this;
    const ofWhole = (at === 0 && written) || at === this.parts - 1;
    if (!ofWhole) progress.each = true;
    progress.has[at] = 1;
    if (progress.has.every((one) => one === 1)) return 'whole';
    return written && ofWhole && !progress.each ? 'whole' : 'part';
  }

  #unconfirmed(): number {
    let count = 0;
    for (let i = 0; i < this.#next; i++) count += 1 - this.progress.has[i]!;
    return count;
  }

  /** First part from `at` on that the terminal has not confirmed. */
  #find(at: number): number {
    const found = this.progress.has.indexOf(0, at);
    return found < 0 ? this.parts : found;
  }

  #frame(at: number): Uint8Array {
    const { message, identity, progress, parts } = this;
    return encodeFrame({
      messageId: message.messageId,
      ...identity,
      serial: (progress.firstSerial + at) & 0xffff,
      body: message.body.subarray(at * partBytes, (at + 1) * partBytes),
      ...(parts > 1 ? { total: parts, index: at + 1 } : {}),
    });
  }
}

/** The progress of terminals whose connection broke; one for all sessions of a node. */
export class LongSends {
  /** By terminal number, the one used last at the end. */
  readonly #kept = new Map<string, LongProgress>();

  constructor(private readonly most: number) {}

  get size(): number {
    return this.#kept.size;
  }

  /** Goes on where the delivery stood, or begins it with serials from `take`. */
  begin(phone: string, deliveryId: string, bytes: number, take: (parts: number) => number): LongProgress {
    const before = this.#kept.get(phone);
    this.#kept.delete(phone);
    const same = before?.deliveryId === deliveryId && before.bytes === bytes;
    const parts = partsOf(bytes);
    const progress = same
      ? before
      : { deliveryId, firstSerial: take(parts), bytes, has: new Uint8Array(parts), each: false };
    this.#kept.set(phone, progress);
    for (const other of this.#kept.keys()) {
      if (this.#kept.size <= this.most) break;
      this.#kept.delete(other);
    }
    return progress;
  }

  /** It ended: nothing will be resumed. */
  end(phone: string, deliveryId: string): void {
    if (this.#kept.get(phone)?.deliveryId === deliveryId) this.#kept.delete(phone);
  }
}
