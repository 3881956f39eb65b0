/**
 * What a session does with the frames of a terminal that has proved who it is: one handler per family of messages
 * (reference 6.1). Global rules (number, encryption) come before it, in the session.
 */
import {
  answerShortSerial,
  encodeBody,
  locationBaseBytes,
  msToTime,
  readMediaPacket,
  type Frame,
  type MediaPacket,
} from '../../protocol/index.js';
import type { GatewayCounters } from '../counters.js';
import type { EntryKind } from '../ingest/entry.js';
import type { GatewayLimits } from '../limits.js';
import type { AfterCommit } from './gate.js';
import type { Edition } from './link.js';
import type { MatchedAnswer, Outstanding } from './outstanding.js';
import type { MissingRequest, PartWatch } from './part-watch.js';
import { noAnswer } from './pending-answers.js';
import type { Finding } from './sink.js';
import { faultOf, handlingOf, repliesWithSerial } from './uplinks.js';

/** What handlers do through their session. */
export interface InboxHost {
  readonly limits: GatewayLimits;
  readonly counters: GatewayCounters;
  readonly nowMs: number;
  /** Edition of the connection. */
  readonly edition: Edition;
  /** Edition of one frame, which its body may tell better. */
  editionOf(frame: Frame): Edition;
  readonly outstanding: Outstanding | undefined;
  /** Watches parts of this terminal's messages, over breaks of its connection. */
  partWatch(): PartWatch;
  /** Through the gate. @returns false when it was not taken: it stays unanswered, and the terminal sends it again */
  append(kind: EntryKind, edition: Edition, context: string | undefined, frame: Frame, result: number): boolean;
  after(action: AfterCommit): void;
  /** 0x8001 at once. */
  acknowledge(messageId: number, serial: number, result: number): void;
  reply(messageId: number, body: Uint8Array): void;
  send(bytes: Uint8Array): void;
  /** Goes on with a long message that waits for its terminal. */
  writeOn(): void;
  find(what: Finding['what'], detail: string, frame: Frame): void;
  register(frame: Frame): void;
  authenticate(frame: Frame): void;
  logOut(): void;
}

export class Inbox {
  #parts: PartWatch | undefined;

  constructor(private readonly host: InboxHost) {}

  take(frame: Frame): void {
    if (frame.encryption !== 0) return this.#unsupported(frame, 'encrypted', 'the body is encrypted');
    if (frame.total > 0 && this.#part(frame)) return;
    if (frame.shortSerial) this.#shortSerial(frame);
    else if (frame.messageId === 0x0200) this.#location(frame);
    else this.#dispatch(frame);
  }

  /** Parts that were taken are not durable: the terminal sends them again, and all counting starts anew. */
  notDurable(): void {
    this.#parts?.forget();
  }

  /** When parts will be asked for, ms, or Infinity. */
  nextMs(): number {
    return this.#parts?.nextMs() ?? Infinity;
  }

  /** Takes up what an earlier connection of the terminal left unfinished. */
  resume(parts: PartWatch | undefined): void {
    this.#parts ??= parts;
  }

  /** Asks for missing parts where that is due. */
  askForParts(nowMs: number): void {
    for (const request of this.#parts?.due(nowMs) ?? []) this.#askFor(request);
  }

  /**
   * Media are asked for with 0x8800 (reference 2.9, 5.7), which needs the media id of part 1; all else with 0x8003, which
   * 2011 does not have: its terminals repeat by themselves.
   */
  #askFor({ messageId, firstSerial, head, numbers, packetSerial }: MissingRequest): void {
    const { edition } = this.host;
    if (packetSerial !== undefined && head !== undefined) {
      const body = { replySerial: packetSerial, mediaId: head, missing: [...numbers] };
      return this.host.reply(0x8800, encodeBody('mediaAnswer', 2011, body));
    }
    if (messageId === 0x0801 && head !== undefined) {
      const body = { mediaId: head, missing: [...numbers] };
      return this.host.reply(0x8800, encodeBody('mediaAnswer', edition === 2011 ? 2013 : edition, body));
    }
    if (edition === 2011) return;
    this.host.reply(0x8003, encodeBody('resendUplink', edition, { firstSerial, parts: [...numbers] }));
  }

  #dispatch(frame: Frame): void {
    const { host } = this;
    const { messageId, serial } = frame;
    switch (handlingOf(messageId)) {
      case 'heartbeat':
        return host.acknowledge(messageId, serial, 0);
      case 'data':
        return this.#data(frame);
      case 'solicited':
        return this.#solicited(frame);
      case 'answer':
        return this.#generalAnswer(frame);
      case 'time':
        return host.reply(0x8004, Buffer.from(msToTime(host.nowMs, 0), 'hex'));
      case 'resend':
        return this.#resend(frame);
      case 'register':
        return host.register(frame);
      case 'authenticate':
        return host.authenticate(frame);
      case 'logout':
        host.acknowledge(messageId, serial, 0);
        return host.logOut();
      case undefined:
        return this.#unsupported(frame, 'unknownMessage', 'an id that is not known');
    }
  }

  /** Private locations with a serial of one byte: answered with 0x4401 where they ask for it (reference 1.11). */
  #shortSerial(frame: Frame): void {
    const bytes = answerShortSerial(frame, 0);
    const taken = this.host.append('frame', this.host.edition, undefined, frame, noAnswer);
    if (taken && bytes !== undefined) this.host.after({ do: 'send', bytes });
  }

  #location(frame: Frame): void {
    if (frame.bodyEnd - frame.bodyStart >= locationBaseBytes) {
      this.host.append('frame', this.host.edition, undefined, frame, 0);
    } else this.#malformed(frame, 'truncated', `a location has at least ${locationBaseBytes} bytes`, 2);
  }

  #data(frame: Frame): void {
    const edition = this.host.editionOf(frame);
    const fault = faultOf(frame.messageId, edition, frame.body);
    if (fault !== undefined) return this.#malformed(frame, fault.code, fault.message, 2);
    // Sent when a card is put in as well as on request: confirmed either way.
    const matched = frame.messageId === 0x0702 ? this.host.outstanding?.matchDedicated(0x0702, undefined) : undefined;
    if (matched !== undefined) return this.#answered(frame, edition, matched, 0);
    const packet = frame.messageId === 0x0801 && edition === 2011 ? readMediaPacket(frame.body) : undefined;
    if (packet !== undefined) return this.#packet(frame, packet);
    const taken = this.host.append('frame', edition, undefined, frame, 0);
    if (taken && frame.messageId === 0x0801) this.host.after({ do: 'mediaComplete', mediaId: dword(frame) });
  }

  /** A dedicated reply: tied to the item that asked for it where one did. */
  #solicited(frame: Frame): void {
    const { messageId } = frame;
    const edition = this.host.editionOf(frame);
    const fault = faultOf(messageId, edition, frame.body);
    if (fault !== undefined) return this.#malformed(frame, fault.code, fault.message, noAnswer);
    const hasSerial = repliesWithSerial.has(messageId) && frame.bodyEnd - frame.bodyStart >= 2;
    this.#answered(
      frame,
      edition,
      this.host.outstanding?.matchDedicated(messageId, hasSerial ? word(frame, 0) : undefined),
    );
  }

  /** 0x0001 (reference 2.6). Never answered. */
  #generalAnswer(frame: Frame): void {
    if (frame.bodyEnd - frame.bodyStart < 5) {
      return this.#malformed(frame, 'truncated', 'a general reply has 5 bytes', noAnswer);
    }
    const result = frame.bytes[frame.bodyStart + 4]!;
    const matched = this.host.outstanding?.matchGeneral(word(frame, 2), word(frame, 0), result, this.host.nowMs);
    if (matched === undefined) this.host.find('unmatchedAnswer', 'an answer to nothing that is outstanding', frame);
    this.#answered(frame, this.host.edition, matched);
    if (matched?.ends === false) this.host.writeOn();
  }

  /** @param own result of the 0x8001 that it is confirmed with itself */
  #answered(frame: Frame, edition: Edition, matched: MatchedAnswer | undefined, own: number = noAnswer): void {
    const { host } = this;
    if (matched === undefined) host.append('frame', edition, undefined, frame, own);
    else if (!matched.ends) host.append('partReceipt', edition, undefined, frame, own);
    else {
      const { deliveryId, result } = matched;
      const taken = host.append('receipt', edition, `${deliveryId}\n${result}`, frame, own);
      if (taken) host.after({ do: 'receipt', deliveryId, result });
    }
  }

  /** One packet of an upload of the 2011 draft: like a part, and answered in the form of that edition. */
  #packet(frame: Frame, packet: MediaPacket): void {
    const { host } = this;
    this.#parts ??= host.partWatch();
    const state = this.#parts.packet(packet, frame.serial, host.nowMs);
    if (state === 'refused') {
      return this.#malformed(frame, 'value', `packet ${packet.index} of ${packet.total}`, 2);
    }
    if (!host.append('part', 2011, undefined, frame, 0)) this.#parts.forget();
    else if (state === 'complete') {
      host.after({ do: 'mediaComplete', mediaId: packet.mediaId, packetSerial: frame.serial });
    }
  }

  /**
   * One part of a sub-packaged message: safe and confirmed on its own; the reader joins them (reference 2.9).
   * @returns false when this kind of message is never split: the frame stands for itself
   */
  #part(frame: Frame): boolean {
    const { host } = this;
    const { messageId, serial, total, index } = frame;
    const handling = handlingOf(messageId);
    if (handling !== 'data' && handling !== 'solicited') return false;
    this.#parts ??= host.partWatch();
    const state = this.#parts.arrived(messageId, total, index, serial, host.nowMs, dword(frame));
    if (state === 'refused') {
      host.counters.framesMalformed++;
      host.find('malformed', `part ${index} of ${total}`, frame);
      host.acknowledge(messageId, serial, 2);
      return true;
    }
    const edition = host.editionOf(frame);
    if (!host.append('part', edition, undefined, frame, 0)) this.#parts.forget();
    else if (state === 'complete' && messageId === 0x0801) {
      host.after({ do: 'mediaComplete', mediaId: this.#parts.completedHead });
    } else if (state === 'complete' && handling === 'solicited') {
      const matched = host.outstanding?.matchDedicated(messageId, undefined);
      // Beside the part itself: the entry that says which item the whole message answers.
      if (matched !== undefined) this.#answered(frame, edition, matched);
    }
    return true;
  }

  /** 0x0005: the parts again, as they were. The count is a word; some terminals write the byte of 2013. */
  #resend(frame: Frame): void {
    const { host } = this;
    const fault = faultOf(frame.messageId, 2019, frame.body);
    if (fault !== undefined) {
      host.counters.framesMalformed++;
      host.find('malformed', fault.message, frame);
      return host.acknowledge(frame.messageId, frame.serial, 2);
    }
    const numbers: number[] = [];
    const wide = (frame.bodyEnd - frame.bodyStart) % 2 === 0;
    for (let at = wide ? 4 : 3; frame.bodyStart + at + 2 <= frame.bodyEnd; at += 2) numbers.push(word(frame, at));
    const frames = host.outstanding?.parts(word(frame, 0), numbers, host.nowMs) ?? [];
    if (frames.length > 0) host.send(Buffer.concat(frames));
    host.writeOn();
  }

  /** A known message with a wrong body: its bytes go to quarantine, and it is answered when they are safe there. */
  #malformed(frame: Frame, code: string, message: string, result: number): void {
    const { host } = this;
    const id = `0x${frame.messageId.toString(16).padStart(4, '0')}`;
    host.counters.framesMalformed++;
    host.find('malformed', message, frame);
    host.append('unusable', host.edition, `${code}\n${id}: ${message}`, frame, result);
  }

  #unsupported(frame: Frame, what: 'encrypted' | 'unknownMessage', detail: string): void {
    this.host.counters.framesUnsupported++;
    this.host.find(what, detail, frame);
    if (frame.messageId !== 0x0001) this.host.acknowledge(frame.messageId, frame.serial, 3);
  }
}

function word(frame: Frame, at: number): number {
  return (frame.bytes[frame.bodyStart + at]! << 8) | frame.bytes[frame.bodyStart + at + 1]!;
}

/** First four body bytes as a number (the media id of 0x0801), 0 where there are fewer. */
function dword(frame: Frame): number {
  return frame.bodyEnd - frame.bodyStart < 4 ? 0 : ((word(frame, 0) << 16) | word(frame, 2)) >>> 0;
}
