import { RecordingError, type Piece } from './recording.js';
import { TcpConnection, type Segment } from './tcp-streams.js';

/**
 * A small reader for pcap files (libpcap format 2.4, micro- and nanoseconds, both byte orders): TCP over IPv4 or IPv6
 * over Ethernet (with VLAN tags), raw IP, BSD loopback or Linux "cooked" capture. Segments are put in order by their
 * sequence numbers; what was sent twice is taken once.
 */

const headerBytes = 24;
const recordBytes = 16;
/** The largest snapshot length that capture programs write. */
const mostPacketBytes = 262_144;

interface Reader {
  u16(at: number): number;
  u32(at: number): number;
}

/**
 * The terminal side and the platform side of every TCP connection to a port of the platform.
 * @param platformPort port of the platform; undefined: the side that got the first packet of each connection
 * @throws RecordingError when this is no pcap file, or a broken one: names the packet and what was expected
 */
export function readPcap(file: Uint8Array, platformPort?: number): Piece[] {
  const { reader, nanoseconds, linkType } = readHeader(file);
  const connections = new Map<string, TcpConnection>();
  const pieces: Piece[] = [];
  let startMs: number | undefined;
  let count = 0;
  for (const { number, start, end, seconds, fraction } of packetsOf(file, reader)) {
    const ms = seconds * 1000 + fraction / (nanoseconds ? 1e6 : 1e3);
    const segment = readPacket(file.subarray(start, end), linkType, number, ms);
    if (segment === undefined || !isWanted(segment, platformPort)) continue;
    startMs ??= ms;
    const both = [segment.from, segment.to].sort().join(' ');
    let connection = connections.get(both);
    if (connection === undefined || (segment.syn && connection.closed)) {
      connection?.finish();
      const platform = platformPort === undefined || segment.toPort === platformPort ? segment.to : segment.from;
      connection = new TcpConnection(++count, platform, startMs, pieces);
      connections.set(both, connection);
    }
    connection.take(segment);
  }
  for (const connection of connections.values()) connection.finish();
  return pieces;
}

function isWanted({ fromPort, toPort }: Segment, platformPort: number | undefined): boolean {
  return platformPort === undefined || fromPort === platformPort || toPort === platformPort;
}

interface Packet {
  /** From 1, as Wireshark counts. */
  number: number;
  /** Where its bytes are in the file. */
  start: number;
  end: number;
  seconds: number;
  /** Micro- or nanoseconds, as the file says. */
  fraction: number;
}

function* packetsOf(file: Uint8Array, reader: Reader): Generator<Packet> {
  for (let at = headerBytes, number = 1; at < file.length; number++) {
    const start = at + recordBytes;
    const where = `packet ${number} at byte ${at}`;
    if (start > file.length) {
      throw new RecordingError(
        `${where}: expected a header of ${recordBytes} bytes, the file ends after ${file.length - at}`,
      );
    }
    const captured = reader.u32(at + 8);
    if (captured > mostPacketBytes) {
      throw new RecordingError(`${where}: expected a packet of at most ${mostPacketBytes} bytes, found ${captured}`);
    }
    const end = start + captured;
    if (end > file.length) {
      throw new RecordingError(`${where}: expected ${captured} bytes, the file ends after ${file.length - start}`);
    }
    yield { number, start, end, seconds: reader.u32(at), fraction: reader.u32(at + 4) };
    at = end;
  }
}

function readHeader(file: Uint8Array): { reader: Reader; nanoseconds: boolean; linkType: number } {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const magic = file.length >= headerBytes ? view.getUint32(0) : 0;
  const forms: Record<number, { little: boolean; nanoseconds: boolean }> = {
    0xa1b2c3d4: { little: false, nanoseconds: false },
    0xa1b23c4d: { little: false, nanoseconds: true },
    0xd4c3b2a1: { little: true, nanoseconds: false },
    0x4d3cb2a1: { little: true, nanoseconds: true },
  };
  const form = forms[magic];
  if (form === undefined) {
    const hint = magic === 0x0a0d0d0a ? '; this is pcapng, convert it with "editcap -F pcap"' : '';
    throw new RecordingError(`no pcap file: it starts with 0x${magic.toString(16).padStart(8, '0')}${hint}`);
  }
  const reader: Reader = {
    u16: (at) => view.getUint16(at, form.little),
    u32: (at) => view.getUint32(at, form.little),
  };
  return { reader, nanoseconds: form.nanoseconds, linkType: reader.u32(20) & 0xffff };
}

/** Where the IP packet starts, by link type; undefined for anything else than IP. */
function ipStart(packet: Uint8Array, linkType: number): number | undefined {
  const word = (at: number): number => ((packet[at] ?? 0) << 8) | (packet[at + 1] ?? 0);
  const isIp = (type: number): boolean => type === 0x0800 || type === 0x86dd;
  switch (linkType) {
    case 1: {
      let at = 12;
      while (word(at) === 0x8100 || word(at) === 0x88a8) at += 4;
      return isIp(word(at)) ? at + 2 : undefined;
    }
    case 0:
    case 108:
      return 4;
    case 12:
    case 14:
    case 101:
      return 0;
    case 113:
      return isIp(word(14)) ? 16 : undefined;
    case 276:
      return isIp(word(0)) ? 20 : undefined;
    default:
      throw new RecordingError(
        `pcap link type ${linkType} is not supported; expected Ethernet, raw IP or Linux cooked`,
      );
  }
}

function readPacket(packet: Uint8Array, linkType: number, number: number, ms: number): Segment | undefined {
  const start = ipStart(packet, linkType);
  if (start === undefined || start + 20 > packet.length) return undefined;
  const version = packet[start]! >> 4;
  const word = (at: number): number => ((packet[at] ?? 0) << 8) | (packet[at + 1] ?? 0);
  let tcp: number;
  let end: number;
  let from: string;
  let to: string;
  if (version === 4) {
    // A fragment behind the first has no TCP header.
    if (packet[start + 9] !== 6 || (word(start + 6) & 0x1fff) !== 0) return undefined;
    tcp = start + (packet[start]! & 15) * 4;
    end = start + word(start + 2);
    from = address(packet, start + 12, 4);
    to = address(packet, start + 16, 4);
  } else if (version === 6) {
    if (packet[start + 6] !== 6) return undefined;
    tcp = start + 40;
    end = tcp + word(start + 4);
    from = address(packet, start + 8, 16);
    to = address(packet, start + 24, 16);
  } else return undefined;
  if (tcp + 20 > packet.length) return undefined;
  const flags = packet[tcp + 13]!;
  const payload = packet.subarray(tcp + (packet[tcp + 12]! >> 4) * 4, Math.min(Math.max(end, tcp), packet.length));
  return {
    packet: number,
    ms,
    from: `${from}:${word(tcp)}`,
    to: `${to}:${word(tcp + 2)}`,
    fromPort: word(tcp),
    toPort: word(tcp + 2),
    sequence: ((word(tcp + 4) << 16) | word(tcp + 6)) >>> 0,
    syn: (flags & 2) !== 0,
    end: (flags & 5) !== 0,
    payload,
  };
}

function address(packet: Uint8Array, at: number, length: number): string {
  const bytes = Buffer.from(packet.subarray(at, at + length));
  return length === 4 ? bytes.join('.') : `[${bytes.toString('hex').replace(/(?<=.)(?=(.{4})+$)/g, ':')}]`;
}
