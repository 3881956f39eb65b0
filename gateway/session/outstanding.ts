/**
 * Items written to a terminal that wait for its answer: their serials, to match what it quotes, and their frames, to
 * repeat them byte by byte and to serve its requests for missing parts.
 */
import { encodeFrame, limits as wireLimits, splitBody, type Identity } from '../../protocol/index.js';
import type { GatewayLimits } from '../limits.js';
import type { OutgoingMessage, TransportResult } from './link.js';
import type { LongSend } from './long-send.js';

interface WrittenMessage {
  readonly messageId: number;
  readonly answeredBy: number;
  readonly firstSerial: number;
  readonly parts: number;
  readonly frames: readonly Uint8Array[];
  /** Instead of the frames, where they are made when they are written. */
  readonly long?: LongSend;
  answered: boolean;
}

interface Item {
  readonly deliveryId: string;
  readonly messages: readonly WrittenMessage[];
  readonly bytes: number;
}

/** What an answer means for an item: a part of it is answered, all of it is, or it is refused. */
export interface MatchedAnswer {
  readonly deliveryId: string;
  readonly ends: boolean;
  readonly result: TransportResult;
}

const results: readonly TransportResult[] = ['ok', 'refused', 'malformed', 'unsupported'];

export class Outstanding {
  readonly #items = new Map<string, Item>();
  #bytes = 0;

  constructor(private readonly limits: GatewayLimits) {}

  get size(): number {
    return this.#items.size;
  }

  /** Frames of an item that was written before, for a retransmission. */
  written(deliveryId: string): { frames: Uint8Array[]; serials: [number, number] } | undefined {
    const item = this.#items.get(deliveryId);
    if (item === undefined) return undefined;
    const last = item.messages.at(-1)!;
    return {
      frames: item.messages.flatMap((message) => message.frames),
      serials: [item.messages[0]!.firstSerial, (last.firstSerial + last.parts - 1) & 0xffff],
    };
  }

  /**
   * Frames of a new item, with serials from `nextSerial`.
   * @returns undefined when too many items or bytes wait already
   */
  add(
    deliveryId: string,
    messages: readonly OutgoingMessage[],
    identity: Identity,
    nextSerial: () => number,
  ): Uint8Array[] | undefined {
    const bytes = messages.reduce((sum, { body }) => sum + body.length, 0);
    if (this.isFull || (this.#bytes > 0 && this.#bytes + bytes > this.limits.outstandingBytes)) return undefined;
    const written = messages.map((message) => frame(message, identity, nextSerial));
    this.#items.set(deliveryId, { deliveryId, messages: written, bytes });
    this.#bytes += bytes;
    return written.flatMap((message) => message.frames);
  }

  /** Adds an item of one message that is written in windows. */
  addLong(deliveryId: string, { messageId, answeredBy = 0x0001 }: OutgoingMessage, long: LongSend): void {
    const { parts, serials } = long;
    const message = { messageId, answeredBy, firstSerial: serials[0], parts, frames: [], long, answered: false };
    // Its bytes are those of the file, which all terminals share.
    this.#items.set(deliveryId, { deliveryId, messages: [message], bytes: 0 });
  }

  get isFull(): boolean {
    return this.#items.size >= this.limits.outstandingDeliveries;
  }

  longOf(deliveryId: string): LongSend | undefined {
    return this.#items.get(deliveryId)?.messages[0]?.long;
  }

  /** The one that has parts to be written. */
  get unwritten(): LongSend | undefined {
    for (const { messages } of this.#items.values()) {
      const long = messages[0]?.long;
      if (long !== undefined && !long.written) return long;
    }
    return undefined;
  }

  drop(deliveryId: string): void {
    const item = this.#items.get(deliveryId);
    if (item === undefined) return;
    this.#items.delete(deliveryId);
    this.#bytes -= item.bytes;
  }

  clear(): void {
    this.#items.clear();
    this.#bytes = 0;
  }

  /**
   * 0x0001: matches (reply id, reply serial), any serial of a sub-packaged message (reference 2.9); where no message has
   * that id, the serial alone (reference 2.6). Marks the message as answered.
   */
  matchGeneral(replyId: number, replySerial: number, result: number, nowMs: number): MatchedAnswer | undefined {
    const found =
      this.#find((m) => m.messageId === replyId && within(m, replySerial)) ??
      this.#find((m) => m.long === undefined && within(m, replySerial));
    if (found === undefined) return undefined;
    const transport = results[result] ?? 'refused';
    if (transport === 'ok' && found.message.long?.confirmed(replySerial, nowMs) === 'part') {
      return { deliveryId: found.item.deliveryId, ends: false, result: transport };
    }
    // With a dedicated reply to come, "received" is not the answer yet.
    if (transport === 'ok' && found.message.answeredBy !== 0x0001) {
      return { deliveryId: found.item.deliveryId, ends: false, result: transport };
    }
    return this.#answer(found, transport);
  }

  /** A dedicated reply; `replySerial` is undefined where the message carries none and its id alone must do. */
  matchDedicated(messageId: number, replySerial: number | undefined): MatchedAnswer | undefined {
    const found =
      this.#find((m) => m.answeredBy === messageId && (replySerial === undefined || within(m, replySerial))) ??
      this.#find((m) => m.answeredBy === messageId);
    return found && this.#answer(found, 'ok');
  }

  /** Frames that a 0x0005 asks for again; numbers count from 1, empty asks for all. */
  parts(firstSerial: number, numbers: readonly number[], nowMs: number): Uint8Array[] {
    const found = this.#find((m) => m.firstSerial === firstSerial);
    if (found === undefined) return [];
    const { frames, long } = found.message;
    // Written by its windows.
    if (long !== undefined) long.requested(numbers, nowMs);
    if (numbers.length === 0) return [...frames];
    return numbers.flatMap((number) => frames[number - 1] ?? []);
  }

  #answer({ item, message }: { item: Item; message: WrittenMessage }, result: TransportResult): MatchedAnswer {
    message.answered = true;
    const ends = result !== 'ok' || item.messages.every((one) => one.answered);
    return { deliveryId: item.deliveryId, ends, result };
  }

  #find(wanted: (message: WrittenMessage) => boolean): { item: Item; message: WrittenMessage } | undefined {
    for (const item of this.#items.values()) {
      for (const message of item.messages) if (wanted(message)) return { item, message };
    }
    return undefined;
  }
}

function within(message: WrittenMessage, serial: number): boolean {
  return ((serial - message.firstSerial) & 0xffff) < message.parts;
}

function frame(message: OutgoingMessage, identity: Identity, nextSerial: () => number): WrittenMessage {
  const { messageId } = message;
  const pieces = splitBody(message.body, wireLimits.downlinkBodyBytes);
  const serials = pieces.map(() => nextSerial());
  const frames = pieces.map((body, i) =>
    encodeFrame({
      messageId,
      ...identity,
      serial: serials[i]!,
      body,
      ...(pieces.length > 1 ? { total: pieces.length, index: i + 1 } : {}),
    }),
  );
  return {
    messageId,
    answeredBy: message.answeredBy ?? 0x0001,
    firstSerial: serials[0]!,
    parts: pieces.length,
    frames,
    answered: false,
  };
}
