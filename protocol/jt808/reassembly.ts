import { copyBytes } from '../bytes/copy.js';
import { limits } from '../limits.js';
import type { Frame } from './frame.js';

/** A sub-packaged message of which parts are missing; what 0x8003 (or 0x8800) asks for. */
export interface MissingParts {
  readonly messageId: number;
  /** Serial of part 1 of the message. */
  readonly firstSerial: number;
  readonly total: number;
  /** Numbers of the missing parts, ascending, at most `limits.missingPartsPerRequest`. */
  readonly missing: readonly number[];
  /** Time at which the last part came. */
  readonly lastPartAt: number;
}

/** A whole message: the bodies of its parts joined in order. */
export interface Reassembled {
  readonly messageId: number;
  readonly firstSerial: number;
  readonly total: number;
  readonly body: Uint8Array;
}

/**
 * What became of one part: `waiting` for others, `complete`, `doubled` (had it already, or the message was complete a
 * moment ago: answer it again), or `refused` for a number outside 1..total or a message beyond the limits.
 */
export type PartResult =
  | { readonly state: 'waiting' | 'doubled' }
  | { readonly state: 'complete'; readonly message: Reassembled }
  | { readonly state: 'refused'; readonly reason: 'index' | 'parts' | 'bytes' };

interface Pending {
  readonly messageId: number;
  readonly total: number;
  readonly firstSerial: number;
  readonly parts: (Uint8Array | undefined)[];
  readonly serials: number[];
  received: number;
  bytes: number;
  lastPartAt: number;
}

/** A complete message, by the hashes of its parts: after a restart a terminal may use the same serials for another. */
interface Finished {
  readonly at: number;
  readonly hashes: Uint32Array;
}

export interface ReassemblerLimits {
  readonly maxParts: number;
  readonly maxBytes: number;
  readonly maxMessages: number;
  readonly maxAgeMs: number;
}

const defaults: ReassemblerLimits = {
  maxParts: limits.reassemblyParts,
  maxBytes: limits.reassemblyBytes,
  maxMessages: limits.reassemblyMessages,
  maxAgeMs: limits.reassemblyAgeMs,
};

/**
 * Joins the parts of sub-packaged messages of one terminal (reference 2.9). A message is (id, total, first serial);
 * parts may come doubled and in any order. Pure: no clock, no timer; the caller gives `now` and asks for what is
 * overdue. When a limit is reached the oldest unfinished message makes room.
 */
export class Reassembler {
  private readonly pending = new Map<string, Pending>();
  /** The last complete messages: a part sent again after the end is not the start of a new message. */
  private readonly finished = new Map<string, Finished>();
  private bytes = 0;
  private readonly bounds: ReassemblerLimits;

  constructor(bounds: Partial<ReassemblerLimits> = {}) {
    this.bounds = { ...defaults, ...bounds };
  }

  /** Unfinished messages. */
  get size(): number {
    return this.pending.size;
  }

  /** Body bytes held for unfinished messages. */
  get heldBytes(): number {
    return this.bytes;
  }

  /** Takes one sub-packaged frame (`frame.total > 0`); copies its body. */
  add(frame: Frame, now: number): PartResult {
    return this.addPart(frame.messageId, frame.total, frame.index, frame.serial, frame.body, now);
  }

  /** The same from plain values, for frames that are no longer at hand. Copies `body`. */
  addPart(messageId: number, total: number, index: number, serial: number, body: Uint8Array, now: number): PartResult {
    if (index < 1 || index > total) return { state: 'refused', reason: 'index' };
    if (total > this.bounds.maxParts) return { state: 'refused', reason: 'parts' };
    if (body.length > this.bounds.maxBytes) return { state: 'refused', reason: 'bytes' };
    this.expire(now);
    const firstSerial = (serial - (index - 1)) & 0xffff;
    const key = keyOf(messageId, total, firstSerial);
    const finished = this.finished.get(key);
    if (finished !== undefined) {
      if (finished.hashes[index - 1] === hash(body)) return { state: 'doubled' };
      this.finished.delete(key);
    }
    const exact = this.pending.get(key);
    let message = exact ?? this.findLoose(messageId, total, index, serial, now);
    if (message === undefined) {
      if (this.pending.size >= this.bounds.maxMessages) this.dropOldest();
      message = {
        messageId,
        total,
        firstSerial,
        // Not made for `total` parts beforehand: anybody can declare thousands and send one.
        parts: [],
        serials: [],
        received: 0,
        bytes: 0,
        lastPartAt: now,
      };
      this.pending.set(key, message);
    }
    if (message.parts[index - 1] !== undefined) return { state: 'doubled' };
    const ownKey = keyOf(messageId, total, message.firstSerial);
    while (this.bytes + body.length > this.bounds.maxBytes && this.pending.size > 1) this.dropOldest(ownKey);
    if (this.bytes + body.length > this.bounds.maxBytes) {
      this.remove(ownKey, message);
      return { state: 'refused', reason: 'bytes' };
    }
    message.parts[index - 1] = copyBytes(body);
    message.serials[index - 1] = serial;
    message.received += 1;
    message.bytes += body.length;
    message.lastPartAt = now;
    this.bytes += body.length;
    if (message.received < total) return { state: 'waiting' };
    this.remove(ownKey, message);
    this.remember(ownKey, { at: now, hashes: Uint32Array.from(message.parts, (part) => hash(part!)) });
    return { state: 'complete', message: { messageId, total, firstSerial: message.firstSerial, body: join(message) } };
  }

  /** Messages whose last part is at least `quietMs` old: ask for what they miss. */
  missing(now: number, quietMs: number = limits.reassemblyQuietMs): MissingParts[] {
    const found: MissingParts[] = [];
    for (const { messageId, firstSerial, total, parts, serials, lastPartAt } of this.pending.values()) {
      if (now - lastPartAt < quietMs) continue;
      const missing: number[] = [];
      for (let i = 0; i < total && missing.length < limits.missingPartsPerRequest; i++) {
        if (parts[i] === undefined) missing.push(i + 1);
      }
      found.push({ messageId, firstSerial: serials[0] ?? firstSerial, total, missing, lastPartAt });
    }
    return found;
  }

  /** Gives up messages that are too old. @returns how many */
  expire(now: number): number {
    let dropped = 0;
    for (const [key, message] of this.pending) {
      if (now - message.lastPartAt < this.bounds.maxAgeMs) continue;
      this.remove(key, message);
      dropped += 1;
    }
    for (const [key, { at }] of this.finished) if (now - at >= this.bounds.maxAgeMs) this.finished.delete(key);
    return dropped;
  }

  /** Takes back that a message was complete, because it could not be stored: its parts may come again as new ones. */
  forget(message: Pick<Reassembled, 'messageId' | 'total' | 'firstSerial'>): void {
    this.finished.delete(keyOf(message.messageId, message.total, message.firstSerial));
  }

  /**
   * Some terminals count other frames between the parts: their serials rise with the part numbers, but not by one. Such
   * a part belongs to the unfinished message whose serials it fits between, when no message fits exactly. Not to one that
   * has rested: what is left of an old batch would be joined with half of a new one, and both would be lost.
   */
  private findLoose(messageId: number, total: number, index: number, serial: number, now: number): Pending | undefined {
    for (const message of this.pending.values()) {
      if (message.messageId !== messageId || message.total !== total) continue;
      if (now - message.lastPartAt > looseRestMs) continue;
      if (message.parts[index - 1] === undefined && fitsBetween(message.serials, index - 1, serial)) return message;
    }
    return undefined;
  }

  private dropOldest(except?: string): void {
    for (const [key, message] of this.pending) {
      if (key === except) continue;
      this.remove(key, message);
      return;
    }
  }

  private remove(key: string, message: Pending): void {
    this.pending.delete(key);
    this.bytes -= message.bytes;
  }

  private remember(key: string, message: Finished): void {
    this.finished.set(key, message);
    if (this.finished.size <= this.bounds.maxMessages) return;
    const oldest = this.finished.keys().next().value;
    if (oldest !== undefined) this.finished.delete(oldest);
  }
}

function keyOf(messageId: number, total: number, firstSerial: number): string {
  return `${messageId}/${total}/${firstSerial}`;
}

/** Frames that a terminal may send between two parts of one message. */
const looseSerialGap = 256;
/** Longest rest between two parts of such a message, ms: it is sent in one go, over a slow radio. */
const looseRestMs = 30_000;

/** True when `serial` rises with the part numbers of what was received, without large gaps. */
function fitsBetween(serials: readonly number[], at: number, serial: number): boolean {
  for (let i = 0; i < serials.length; i++) {
    const other = serials[i];
    if (other === undefined) continue;
    const parts = Math.abs(at - i);
    const distance = at > i ? (serial - other) & 0xffff : (other - serial) & 0xffff;
    if (distance < parts || distance > parts * looseSerialGap) return false;
  }
  return true;
}

/** FNV-1a, 32 bits: tells a part that is sent again from another one; nothing is trusted to it beyond that. */
function hash(bytes: Uint8Array): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) value = Math.imul(value ^ bytes[i]!, 0x01000193);
  return value >>> 0;
}

function join(message: Pending): Uint8Array {
  const body = new Uint8Array(message.bytes);
  let at = 0;
  for (const part of message.parts) {
    body.set(part!, at);
    at += part!.length;
  }
  return body;
}
