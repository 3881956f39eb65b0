import { e7Framing, standardFraming, type Framing } from './framing.js';
import type { Identity } from './frame.js';

/** One frame to be sent. Everything but the body comes from the frame that is answered, or from the session. */
export interface FrameSpec extends Identity {
  readonly messageId: number;
  readonly serial: number;
  /** At most 1023 bytes; longer bodies go through `encodeMessage`, which splits them. */
  readonly body: Uint8Array;
  /** Parts and number of this part, from 1; absent or 0 when not sub-packaged. */
  readonly total?: number;
  readonly index?: number;
  /** Bits 10..12 of the attribute word. Default 0. */
  readonly encryption?: number;
  /** Vendor header with a serial of one byte (0x4401, 0x5501, 0x5502). */
  readonly shortSerial?: boolean;
  /** Bit 15 of the attribute word, by which those terminals ask for an answer. */
  readonly replyWanted?: boolean;
}

/** The largest body that the ten length bits can say. */
export const largestBodyBytes = 1023;
/** Escaped answer of any edition: flags, header 17, body 5, checksum, every byte escaped. */
const largestAckBytes = 2 + 2 * (17 + 5 + 1);

const noBody = new Uint8Array(0);

/**
 * Builds frames one behind the other in one growing buffer: header, escapes, checksum. `take` hands over all of them as
 * one piece, so that a socket gets one write however many answers were due.
 */
export class FrameWriter {
  private bytes: Uint8Array = noBody;
  private length = 0;
  private xor = 0;

  constructor(private readonly framing: Framing = standardFraming) {}

  /** Bytes waiting to be taken. */
  get size(): number {
    return this.length;
  }

  /**
   * Appends one frame.
   * @throws RangeError when the body is longer than `largestBodyBytes`: a mistake of the caller, not of the peer
   */
  append(frame: FrameSpec): void {
    const { body } = frame;
    if (body.length > largestBodyBytes) {
      throw new RangeError(`a frame holds at most ${largestBodyBytes} body bytes, not ${body.length}`);
    }
    this.reserve(2 + 2 * (26 + body.length));
    this.open();
    this.header(frame, frame.messageId, body.length, frame.serial, frame.total ?? 0, frame);
    for (let i = 0; i < body.length; i++) this.put(body[i]!);
    this.close();
  }

  /**
   * Appends a 0x8001 (reference 2.6); allocates nothing unless the buffer must grow.
   * @param identity of the terminal, as it wrote it
   * @param serial our serial
   * @param replyId message id that is answered
   * @param replySerial serial of the frame that is answered
   * @param result 0 success, 1 failure, 2 malformed, 3 not supported, 4 alarm handled
   */
  appendAck(identity: Identity, serial: number, replyId: number, replySerial: number, result: number): void {
    this.reserve(largestAckBytes);
    this.open();
    this.header(identity, 0x8001, 5, serial, 0, undefined);
    this.put(replySerial >> 8);
    this.put(replySerial & 255);
    this.put(replyId >> 8);
    this.put(replyId & 255);
    this.put(result);
    this.close();
  }

  /** All frames so far as a copy of exact size; the writer starts empty again and keeps its buffer. */
  take(): Uint8Array {
    // From Node's pool, and a Buffer: a socket would otherwise wrap every answer in one.
    const taken = Buffer.allocUnsafe(this.length);
    taken.set(this.bytes.subarray(0, this.length));
    this.length = 0;
    return taken;
  }

  private header(
    identity: Identity,
    messageId: number,
    bodyBytes: number,
    serial: number,
    total: number,
    spec: FrameSpec | undefined,
  ): void {
    const { phoneRaw } = identity;
    const shortSerial = spec?.shortSerial === true;
    const attributes =
      bodyBytes |
      ((spec?.encryption ?? 0) << 10) |
      (total > 0 ? 0x2000 : 0) |
      (identity.versionFlag ? 0x4000 : 0) |
      (spec?.replyWanted === true ? 0x8000 : 0);
    this.put(messageId >> 8);
    this.put(messageId & 255);
    this.put(attributes >> 8);
    this.put(attributes & 255);
    // The width of the identity, not bit 14, says which header the terminal reads: some set the bit wrongly.
    if (phoneRaw.length === 10) this.put(identity.protocolVersion);
    for (let i = 0; i < phoneRaw.length; i++) this.put(phoneRaw[i]!);
    if (!shortSerial) this.put((serial >> 8) & 255);
    this.put(serial & 255);
    if (total > 0) {
      const index = spec?.index ?? 1;
      this.put(total >> 8);
      this.put(total & 255);
      this.put(index >> 8);
      this.put(index & 255);
    }
  }

  private open(): void {
    this.bytes[this.length++] = this.framing.flag;
    this.xor = 0;
  }

  private close(): void {
    this.put(this.xor);
    this.bytes[this.length++] = this.framing.flag;
  }

  private put(value: number): void {
    this.xor ^= value;
    if (this.framing === standardFraming) {
      if (value === 0x7d || value === 0x7e) {
        this.bytes[this.length++] = 0x7d;
        this.bytes[this.length++] = value - 0x7c;
      } else this.bytes[this.length++] = value;
      return;
    }
    const escape = this.framing.escapeOf(value);
    if (escape === undefined) this.bytes[this.length++] = value;
    else {
      this.bytes[this.length++] = escape.first;
      this.bytes[this.length++] = escape.second;
    }
  }

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.length + more, this.bytes.length * 2, 256));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }
}

/**
 * Collects the 0x8001 answers of one socket between two commits: many answers, one buffer, nothing allocated for one.
 */
export class AckWriter {
  private readonly writer: FrameWriter;

  constructor(framing: 'standard' | 'e7' = 'standard') {
    this.writer = new FrameWriter(framing === 'e7' ? e7Framing : standardFraming);
  }

  get size(): number {
    return this.writer.size;
  }

  /** See `FrameWriter.appendAck`. */
  append(identity: Identity, serial: number, replyId: number, replySerial: number, result: number): void {
    this.writer.appendAck(identity, serial, replyId, replySerial, result);
  }

  /** All answers so far in one buffer of exact size; starts empty again. */
  take(): Uint8Array {
    return this.writer.take();
  }
}

/**
 * One frame as it goes on the wire, flags and escapes included.
 * @param framing by default what the identity says: only the vendor framing has one of 7 bytes
 */
export function encodeFrame(
  frame: FrameSpec,
  framing: 'standard' | 'e7' = frame.phoneRaw.length === e7Framing.shortPhoneBytes ? 'e7' : 'standard',
): Uint8Array {
  const writer = new FrameWriter(framing === 'e7' ? e7Framing : standardFraming);
  writer.append(frame);
  return writer.take();
}

/** The body in pieces of at most `maxBodyBytes` (views, no copies); one empty piece for an empty body. */
export function splitBody(body: Uint8Array, maxBodyBytes: number): Uint8Array[] {
  const largest = Math.max(1, Math.min(maxBodyBytes, largestBodyBytes));
  const parts: Uint8Array[] = [];
  for (let at = 0; at < body.length || at === 0; at += largest) parts.push(body.subarray(at, at + largest));
  return parts;
}
