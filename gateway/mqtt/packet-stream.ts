/**
 * The bytes of one MQTT connection before the broker parses them. It refuses packets that are too long (the broker would
 * collect them whole) and too many of them, and lifts out what nearly all packets of a terminal are: publishes with QoS 1
 * on its own `up` topic. These go to the gate where they lie, without a packet object, a copy and a write for each. All
 * else reaches the broker as it came. Reads fixed headers (MQTT 3.1.1, 2.2) and the head of a PUBLISH (3.3).
 */
import type { MqttLimits } from './limits.js';

export type PacketRefusal = 'packetTooLong' | 'badLength' | 'tooManyPackets';

/** Where lifted publishes go. */
export interface UplinkTaker {
  /** The topic that it takes, UTF-8. */
  readonly topic: Uint8Array;
  /** The payload is `bytes[start..end)`; `packetId` is what the PUBACK must name. */
  take(bytes: Uint8Array, start: number, end: number, packetId: number): void;
}

/** Type 3 and QoS 1 in a first byte, whatever DUP and RETAIN say. */
const FLAGS = 0xf6;
const PUBLISH_QOS_1 = 0x32;
const NOTHING: Buffer = Buffer.alloc(0);

export class PacketStream {
  /** What is left for the broker, or why the connection must end: results of the last `take`. */
  refusal: PacketRefusal | undefined;
  /** Bytes still to come of a packet that goes to the broker. */
  #left = 0;
  /** Begin of a packet that cannot be judged yet; at most one packet. */
  #held: Buffer = NOTHING;
  #headerBytes = 0;
  #bodyBytes = 0;
  #payloadStart = 0;
  #packetId = 0;
  #tokens: number;
  #countedAt: number;
  #passedAt: number;

  constructor(
    private readonly limits: Pick<MqttLimits, 'packetBytes' | 'packetsPerSecond' | 'packetBurst'>,
    nowMs: number,
  ) {
    this.#tokens = limits.packetBurst;
    this.#countedAt = nowMs;
    this.#passedAt = nowMs;
  }

  /**
   * Looks at the next bytes.
   * @param uplinks undefined: nothing is lifted out
   * @param passEveryMs at least so often something goes to the broker where there is something, for it watches whether
   * the client is alive (MQTT 3.1.1, 3.1.2.10)
   * @returns what the broker gets, null where that is nothing; with `refusal` set the connection must end
   */
  take(next: Buffer, nowMs: number, uplinks: UplinkTaker | undefined, passEveryMs: number): Buffer | null {
    const bytes = this.#held.length > 0 ? Buffer.concat([this.#held, next]) : next;
    this.#held = NOTHING;
    this.#refill(nowMs);
    const taker = nowMs - this.#passedAt < passEveryMs ? uplinks : undefined;
    const passed: Buffer[] = [];
    let from = 0;
    let at = Math.min(this.#left, bytes.length);
    this.#left -= at;
    while (at < bytes.length) {
      const whole = this.#header(bytes, at);
      if (this.refusal) return null;
      const end = at + this.#headerBytes + this.#bodyBytes;
      const candidate = taker !== undefined && (bytes[at]! & FLAGS) === PUBLISH_QOS_1;
      if (!whole || (candidate && end > bytes.length)) {
        this.#held = bytes.subarray(at);
        break;
      }
      if (--this.#tokens < 0) {
        this.refusal = 'tooManyPackets';
        return null;
      }
      if (candidate && this.#isUplink(bytes, at + this.#headerBytes, end, taker.topic)) {
        if (at > from) passed.push(bytes.subarray(from, at));
        from = end;
        taker.take(bytes, this.#payloadStart, end, this.#packetId);
      }
      this.#left = Math.max(0, end - bytes.length);
      at = Math.min(end, bytes.length);
    }
    const to = bytes.length - this.#held.length;
    if (to > from) passed.push(bytes.subarray(from, to));
    if (passed.length === 0) return null;
    this.#passedAt = nowMs;
    return passed.length === 1 ? passed[0]! : Buffer.concat(passed);
  }

  /** First byte and length (one to four bytes). @returns false when more must come before it can be read */
  #header(bytes: Uint8Array, at: number): boolean {
    let length = 0;
    for (let digit = 0; digit < 4; digit++) {
      const byte = bytes[at + 1 + digit];
      if (byte === undefined) return false;
      length += (byte & 0x7f) * 128 ** digit;
      if (byte & 0x80) continue;
      this.#headerBytes = 2 + digit;
      this.#bodyBytes = length;
      if (length > this.limits.packetBytes) this.refusal = 'packetTooLong';
      return true;
    }
    this.refusal = 'badLength';
    return false;
  }

  /** Topic with its length, packet id, payload. Packet id 0 is the broker's to refuse. */
  #isUplink(bytes: Uint8Array, start: number, end: number, topic: Uint8Array): boolean {
    const idAt = start + 2 + topic.length;
    if (idAt + 2 > end || ((bytes[start]! << 8) | bytes[start + 1]!) !== topic.length) return false;
    // From the end: topics differ in the number and the last word.
    for (let i = topic.length - 1; i >= 0; i--) if (bytes[start + 2 + i] !== topic[i]) return false;
    this.#packetId = (bytes[idAt]! << 8) | bytes[idAt + 1]!;
    this.#payloadStart = idAt + 2;
    return this.#packetId !== 0;
  }

  #refill(nowMs: number): void {
    const { packetsPerSecond, packetBurst } = this.limits;
    const passedS = Math.max(0, nowMs - this.#countedAt) / 1000;
    this.#countedAt = nowMs;
    this.#tokens = Math.min(packetBurst, this.#tokens + passedS * packetsPerSecond);
  }
}
