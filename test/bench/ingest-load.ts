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

/** A 55-byte location frame (before escapes): 28 bytes of base block and three additional items. */
export function locationFrame(index: number, serial: number, atMs: number): Buffer {
  const body = Buffer.alloc(40);
  body.writeUInt32BE(0x0003, 4);
  body.writeUInt32BE(39_900_000 + (index % 1000) * 10 + (serial % 97), 8);
  body.writeUInt32BE(116_400_000 + (serial % 89) * 10, 12);
  body.writeUInt16BE(50, 16);
  body.writeUInt16BE(350, 18);
  body.writeUInt16BE(serial % 360, 20);
  Buffer.from(msToTime(atMs), 'hex').copy(body, 22);
  Buffer.from('010400001234' + '300115' + '31010c', 'hex').copy(body, 28);
  const form = { versionFlag: false, protocolVersion: 0, phoneRaw: phoneToRaw(phoneOf(index), 6) };
  return Buffer.from(encodeFrame({ messageId: 0x0200, serial, body, ...form }));
}

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
