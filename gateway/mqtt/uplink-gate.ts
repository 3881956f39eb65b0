/** The way of one connection's uplinks to the ingest log, and of their PUBACKs back. */
import type { Duplex } from 'node:stream';
import type { Clock } from '../../dispatch/ports.js';
import type { MqttLimits } from './limits.js';
import type { UplinkTaker } from './packet-stream.js';
import type { MqttTerminal } from './terminal.js';
import { terminalTopic } from './topics.js';

/** What a short uplink costs beside its bytes: otherwise empty ones would be free. */
const OVERHEAD_BYTES = 64;
const PUBACK = 0x40;
const PUBACK_BYTES = 4;

export interface UplinkGateOptions {
  readonly terminal: MqttTerminal;
  readonly conn: Duplex;
  readonly clock: Clock;
  readonly limits: Pick<MqttLimits, 'uplinkBytes' | 'sendBytes' | 'appendRetryMs'>;
}

export class UplinkGate implements UplinkTaker {
  readonly topic: Uint8Array;
  /** Packet ids that became durable since the last write. */
  #durable: number[] = [];
  #waitingBytes = 0;
  #stalled = false;

  constructor(private readonly options: UplinkGateOptions) {
    this.topic = Buffer.from(terminalTopic(options.terminal.phone, 'up'));
    options.conn.on('drain', () => this.#resume());
  }

  /**
   * True while the connection must not be read: too much of it waits for the store, or it does not take its PUBACKs.
   * Its stream says `readable` again when that is over.
   */
  stalls(): boolean {
    this.#stalled = this.#isFull();
    return this.#stalled;
  }

  take(bytes: Uint8Array, start: number, end: number, packetId: number): void {
    const cost = end - start + OVERHEAD_BYTES;
    this.#waitingBytes += cost;
    this.append(bytes, start, end, () => {
      this.#waitingBytes -= cost;
      // What became durable with one commit is acknowledged with one write.
      if (this.#durable.push(packetId) === 1) process.nextTick(() => this.flush());
    });
  }

  /**
   * Calls `done` when the payload `bytes[start..end)` is durable. While the store fails it is tried again, and nothing is
   * acknowledged; a connection that ends meanwhile is told nothing: its terminal sends it again.
   */
  append(bytes: Uint8Array, start: number, end: number, done: () => void): void {
    const { terminal, clock, limits, conn } = this.options;
    terminal.receive(bytes, start, end, (durable) => {
      if (durable) return done();
      clock.after(limits.appendRetryMs, () => {
        if (!conn.destroyed) this.append(bytes, start, end, done);
      });
    });
  }

  /** Writes the PUBACKs that are due (MQTT 3.1.1, 3.4), in the order of the publishes. */
  flush(): void {
    const ids = this.#durable;
    const { conn } = this.options;
    if (ids.length === 0) return;
    this.#durable = [];
    if (!conn.writable) return;
    const bytes = Buffer.allocUnsafe(ids.length * PUBACK_BYTES);
    ids.forEach((id, i) => {
      bytes.writeUInt16BE((PUBACK << 8) | 2, i * PUBACK_BYTES);
      bytes.writeUInt16BE(id, i * PUBACK_BYTES + 2);
    });
    conn.write(bytes);
    this.#resume();
  }

  #isFull(): boolean {
    const { conn, limits } = this.options;
    return this.#waitingBytes >= limits.uplinkBytes || conn.writableLength >= limits.sendBytes;
  }

  #resume(): void {
    if (!this.#stalled || this.#isFull()) return;
    this.#stalled = false;
    this.options.conn.emit('readable');
  }
}
