/** The loads of the ingest benchmark and the frame that they send. */
import { encodeFrame, msToTime, phoneToRaw } from '../../protocol/index.js';

export interface Load {
  readonly name: string;
  readonly connections: number;
  /** Frames of one connection that wait for their answers at most. */
  readonly inFlight: number;
  /** Frames in one write. */
  readonly perWrite: number;
}

export const loads: readonly Load[] = [
  { name: 'A', connections: 1_000, inFlight: 1, perWrite: 1 },
  { name: 'B', connections: 1_000, inFlight: 8, perWrite: 1 },
  { name: 'C', connections: 100, inFlight: 200, perWrite: 20 },
];

export const phoneOf = (index: number): string => String(13_900_000_000 + index);

/** Bytes of {@link locationFrame} with both flags. */
export const frameBytes = 55;

/** A location frame without escapes: 28 bytes of base block and three additional items. */
export function locationFrame(index: number, serial: number, atMs: number): Buffer {
  const body = Buffer.alloc(40);
  body.writeUInt32BE(0x0003, 4);
  body.writeUInt32BE(39_900_000 + (index % 1000) * 10 + (serial % 97), 8);
  body.writeUInt32BE(116_400_000 + (serial % 89) * 10, 12);
  body.writeUInt16BE(50, 16);
  body.writeUInt16BE(350, 18);
  body.writeUInt16BE(serial % 360, 20);
  Buffer.from(msToTime(atMs), 'hex').copy(body, 22);
  Buffer.from('010400001004' + '300115' + '31010c', 'hex').copy(body, 28);
  const form = { versionFlag: false, protocolVersion: 0, phoneRaw: phoneToRaw(phoneOf(index), 6) };
  return Buffer.from(encodeFrame({ messageId: 0x0200, serial, body, ...form }));
}

const minuteMs = 60_000;
const dayMs = 86_400_000;

/**
 * One connection's frames: as a real terminal's, each of them has its own time, a second after the one before it. They
 * are made beforehand; a write whose turn comes again is only moved to its next minute, so the client costs next to
 * nothing.
 */
export class Frames {
  readonly #writes: { bytes: Buffer; minute: number }[] = [];
  readonly #roundMinutes: number;
  readonly #firstDay: number;
  #write = 0;

  /** @param perWrite frames in a write: a divisor of 60, so that a write lies within one minute */
  constructor(index: number, perWrite: number, nowMs: number) {
    // Ten days ago, so that no load reaches the future; midnight of the time zone of the wire, GMT+8.
    this.#firstDay = (Math.floor(nowMs / dayMs) - 10) * dayMs - 8 * 3_600_000;
    // Whole minutes, and more writes than may be on their way at once.
    const seconds = perWrite === 1 ? 60 : 300;
    this.#roundMinutes = seconds / 60;
    let serial = 0;
    const at = (second: number): Buffer => {
      for (;;) {
        const frame = locationFrame(index, serial++, this.#firstDay + second * 1000);
        if (frame.length === frameBytes) return frame;
      }
    };
    for (let second = 0; second < seconds; second += perWrite) {
      const frames = Array.from({ length: perWrite }, (_, i) => at(second + i));
      this.#writes.push({ bytes: Buffer.concat(frames), minute: Math.floor(second / 60) });
    }
  }

  next(): Buffer {
    const write = this.#writes[this.#write]!;
    this.#write = (this.#write + 1) % this.#writes.length;
    write.minute += this.#roundMinutes;
    const { bytes } = write;
    // Year to minute; seconds stay.
    const time = Buffer.from(msToTime(this.#firstDay + write.minute * minuteMs), 'hex').subarray(0, 5);
    let change = 0;
    for (let i = 0; i < time.length; i++) change ^= bytes[timeAt + i]! ^ time[i]!;
    for (let at = 0; at < bytes.length; at += frameBytes) {
      for (let i = 0; i < time.length; i++) bytes[at + timeAt + i] = time[i]!;
      // The checksum stays as it is: the odometer takes up the change, in nibbles that never make an escape.
      bytes[at + odometerAt]! ^= change & 0x0f;
      bytes[at + odometerAt + 1]! ^= change & 0xf0;
    }
    return bytes;
  }
}

/** Offsets in a frame with its first flag: the BCD time, and the two low bytes of the odometer. */
const timeAt = 35;
const odometerAt = 45;

/** What server and client processes tell the bench. */
export interface Mark {
  /** Frames since the start: taken in (server), confirmed or sent (client). */
  frames: number;
  cpuMs: number;
  atMs: number;
  /** Positions applied behind the gate. */
  applied?: number;
  /** Groups made durable. */
  groups?: number;
}

export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
