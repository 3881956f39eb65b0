/**
 * Watches the bytes of one MQTT connection before the broker parses them: packets that are too long (the broker would
 * collect them whole) and too many of them. Reads fixed headers only (MQTT 3.1.1, 2.2).
 */
import type { MqttLimits } from './limits.js';

export type GuardRefusal = 'packetTooLong' | 'badLength' | 'tooManyPackets';

export class PacketGuard {
  /** Bytes of the current packet still to come; 0 = a fixed header comes next. */
  #left = 0;
  #headerBytes = 0;
  #length = 0;
  #tokens: number;
  #countedAt: number;

  constructor(
    private readonly limits: Pick<MqttLimits, 'packetBytes' | 'packetsPerSecond' | 'packetBurst'>,
    nowMs: number,
  ) {
    this.#tokens = limits.packetBurst;
    this.#countedAt = nowMs;
  }

  /** Looks at the next bytes; a reason means that the connection must end. */
  check(bytes: Uint8Array, nowMs: number): GuardRefusal | undefined {
    for (let at = 0; at < bytes.length;) {
      if (this.#left > 0) {
        const step = Math.min(this.#left, bytes.length - at);
        this.#left -= step;
        at += step;
        continue;
      }
      const refusal = this.#header(bytes[at++]!, nowMs);
      if (refusal) return refusal;
    }
    return undefined;
  }

  /** One byte of a fixed header: type and flags, then a length of one to four bytes. */
  #header(byte: number, nowMs: number): GuardRefusal | undefined {
    if (this.#headerBytes++ === 0) {
      this.#length = 0;
      return undefined;
    }
    const digit = this.#headerBytes - 2;
    this.#length += (byte & 0x7f) * 128 ** digit;
    if (byte & 0x80) return digit === 3 ? 'badLength' : undefined;
    this.#headerBytes = 0;
    this.#left = this.#length;
    if (this.#length > this.limits.packetBytes) return 'packetTooLong';
    return this.#count(nowMs) ? undefined : 'tooManyPackets';
  }

  #count(nowMs: number): boolean {
    const { packetsPerSecond, packetBurst } = this.limits;
    const passed = Math.max(0, nowMs - this.#countedAt) / 1000;
    this.#countedAt = nowMs;
    this.#tokens = Math.min(packetBurst, this.#tokens + passed * packetsPerSecond) - 1;
    return this.#tokens >= 0;
  }
}
