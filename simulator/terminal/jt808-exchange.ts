import {
  encodeBody,
  encodeFrame,
  messages,
  phoneToRaw,
  splitBody,
  type Body,
  type MessageName,
} from '../../protocol/index.js';
import { dropOldest } from './app.js';
import type { Jt808Options } from './options.js';
import type { Report } from './types.js';
import { positionsIn, type Outgoing } from './wire.js';

/** Waits between transmissions in units of T: send, T, again, 2T, again, 6T, then the link counts as broken (2.8). */
const waits = [1, 2, 6];
/** Body bytes of one part of a long message. */
const bytesPerPart = 900;
/** Long messages whose parts can be sent again. */
const keptLong = 4;

/** A report on its way, in one frame or in several. */
interface Submitted {
  report: Report;
  /** Frames of it that are not answered. */
  waiting: number;
  /** The worst answer to a frame so far. */
  result: number;
}

interface Pending {
  bytes: Uint8Array;
  messageId: number;
  submitted?: Submitted;
  tries: number;
  nextAt: number;
}

/** What a terminal says on one link: frames with their serial numbers, repeated until they are answered. */
export class Jt808Exchange {
  readonly phoneRaw: Uint8Array;
  #serial = 0;
  readonly #pending = new Map<number, Pending>();
  /** Frames of the newest long messages, by the serial number of the first. */
  readonly #long = new Map<number, Uint8Array[]>();
  #out: Outgoing[] = [];
  #lastSentAt = 0;

  constructor(private readonly options: Jt808Options) {
    this.phoneRaw = phoneToRaw(options.phone, options.edition === 2019 ? 10 : 6);
  }

  get lastSentAt(): number {
    return this.#lastSentAt;
  }

  get waitingPositions(): number {
    let count = 0;
    for (const report of this.#waitingReports()) count += positionsIn(report);
    return count;
  }

  get waitingBusiness(): number {
    let count = 0;
    for (const report of this.#waitingReports()) if (positionsIn(report) === 0) count += 1;
    return count;
  }

  /** A new link. Serial numbers go on. */
  opened(now: number): void {
    this.#out = [];
    this.#lastSentAt = now;
  }

  /** The link is gone. Gives back the reports that were not answered, oldest first. */
  closed(): Report[] {
    const back = [...this.#waitingReports()];
    this.#pending.clear();
    this.#long.clear();
    this.#out = [];
    return back.sort((a, b) => a.id - b.id);
  }

  /** Power was off. */
  restart(): void {
    this.#serial = 0;
  }

  /** Sends something that wants an answer, and keeps it until that comes. */
  send<K extends MessageName>(name: K, body: Body<K>, now: number, report?: Report): void {
    const pieces = splitBody(encodeBody(name, this.options.edition, body), bytesPerPart);
    const submitted = report && { report, waiting: pieces.length, result: 0 };
    const frames = pieces.map((piece, i) => {
      const serial = this.#nextSerial();
      const bytes = this.#frameOf(name, serial, piece, pieces.length, i + 1);
      // Each part is confirmed on its own; the report is there when all of them are, in whatever order.
      this.#pending.set(serial, {
        bytes,
        messageId: messages[name].id,
        tries: 1,
        nextAt: now + waits[0]! * this.#retryMs,
        ...(submitted && { submitted }),
      });
      this.put(bytes, now);
      return { serial, bytes };
    });
    if (frames.length === 1) return;
    this.#long.set(
      frames[0]!.serial,
      frames.map(({ bytes }) => bytes),
    );
    dropOldest(this.#long, keptLong);
  }

  /** Sends parts of a long message again (0x8003); what is not known any more is repeated in its time, or not at all. */
  resend(firstSerial: number, parts: readonly number[], now: number): void {
    const frames = this.#long.get(firstSerial);
    for (const part of parts) {
      const bytes = frames?.[part - 1];
      if (bytes !== undefined) this.put(bytes, now);
    }
  }

  /** Sends an answer to a downlink; nobody answers that. */
  answer<K extends MessageName>(name: K, body: Body<K>, now: number): Uint8Array {
    const bytes = this.#encode(name, this.#nextSerial(), body);
    this.put(bytes, now);
    return bytes;
  }

  acknowledge(messageId: number, serial: number, result: number, now: number): Uint8Array {
    return this.answer('terminalAck', { replySerial: serial, replyId: messageId, result }, now);
  }

  /**
   * An answer came: what it belongs to waits no longer. Undefined when nothing waits for it.
   * @returns with the report when this was the last answer that it waited for, and the worst result of its frames
   */
  answered(
    replySerial: number,
    replyId: number,
    result = 0,
  ): { messageId: number; report?: Report; result: number } | undefined {
    const pending = this.#pending.get(replySerial);
    if (pending?.messageId !== replyId) return undefined;
    this.#pending.delete(replySerial);
    const { messageId, submitted } = pending;
    if (submitted === undefined) return { messageId, result };
    submitted.waiting -= 1;
    submitted.result = Math.max(submitted.result, result);
    if (submitted.waiting > 0) return { messageId, result };
    return { messageId, report: submitted.report, result: submitted.result };
  }

  /** Nothing of this kind waits any more. */
  forget(messageId: number): void {
    for (const [serial, pending] of this.#pending) if (pending.messageId === messageId) this.#pending.delete(serial);
  }

  /** Repeats what is due. False when something was repeated often enough: the link counts as broken. */
  repeat(now: number): boolean {
    for (const one of this.#pending.values()) {
      if (now < one.nextAt) continue;
      if (one.tries >= waits.length) return false;
      one.nextAt = now + waits[one.tries]! * this.#retryMs;
      one.tries += 1;
      this.put(one.bytes, now);
    }
    return true;
  }

  /** When the next repetition is due. */
  nextAt(): number {
    let at = Infinity;
    for (const one of this.#pending.values()) at = Math.min(at, one.nextAt);
    return at;
  }

  /** Bytes as they are: an answer that was given before. */
  put(bytes: Uint8Array, now: number): void {
    this.#lastSentAt = now;
    this.#out.push({ bytes });
  }

  take(): Outgoing[] {
    const out = this.#out;
    if (out.length > 0) this.#out = [];
    return out;
  }

  /** Reports of which a frame waits for its answer, each once. */
  #waitingReports(): Set<Report> {
    return new Set([...this.#pending.values()].flatMap(({ submitted }) => submitted?.report ?? []));
  }

  get #retryMs(): number {
    return this.options.retryMs ?? 10_000;
  }

  #encode<K extends MessageName>(name: K, serial: number, body: Body<K>): Uint8Array {
    return this.#frameOf(name, serial, encodeBody(name, this.options.edition, body), 1, 1);
  }

  #frameOf(name: MessageName, serial: number, body: Uint8Array, total: number, index: number): Uint8Array {
    const { edition } = this.options;
    const identity = {
      versionFlag: edition === 2019,
      protocolVersion: edition === 2019 ? 1 : 0,
      phoneRaw: this.phoneRaw,
    };
    const parts = total > 1 ? { total, index } : {};
    return encodeFrame({ ...identity, messageId: messages[name].id, serial, body, ...parts });
  }

  #nextSerial(): number {
    const serial = this.#serial;
    this.#serial = (this.#serial + 1) & 0xffff;
    return serial;
  }
}
