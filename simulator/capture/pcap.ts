import { RecordingError, type Piece } from './recording.js';

/**
 * A small reader for pcap files (libpcap format 2.4, micro- and nanoseconds, both byte orders): TCP over IPv4 or IPv6
 * over Ethernet (with VLAN tags), raw IP, BSD loopback or Linux "cooked" capture. Segments are put in order by their
 * sequence numbers; what was sent twice is taken once.
 */

/** Out-of-order segments kept per direction; a capture that lost more has a gap that nothing can fill. */
const keptSegments = 4096;

interface Reader {
  u16(at: number): number;
  u32(at: number): number;
}

interface Segment {
  ms: number;
  from: string;
  to: string;
  toPort: number;
  sequence: number;
  syn: boolean;
  end: boolean;
  payload: Uint8Array;
}

/**
 * The terminal side and the platform side of every TCP connection to a port of the platform.
 * @param platformPort port of the platform; undefined: the side that got the first packet of each connection
 * @throws RecordingError when this is no pcap file
 */
export function readPcap(file: Uint8Array, platformPort?: number): Piece[] {
  const { reader, nanoseconds, linkType } = readHeader(file);
  const connections = new Map<string, Connection>();
  const pieces: Piece[] = [];
  let startMs: number | undefined;
  for (let at = 24; at + 16 <= file.length;) {
    const captured = reader.u32(at + 8);
    const ms = reader.u32(at) * 1000 + reader.u32(at + 4) / (nanoseconds ? 1e6 : 1e3);
    const start = at + 16;
    at = start + captured;
    if (at > file.length) break;
    const segment = readPacket(file.subarray(start, at), linkType, ms);
    if (segment === undefined) continue;
    startMs ??= ms;
    const both = [segment.from, segment.to].sort().join(' ');
    let connection = connections.get(both);
    if (connection === undefined || (segment.syn && connection.closed)) {
      const platform = platformPort === undefined || segment.toPort === platformPort ? segment.to : segment.from;
      connection = new Connection(connections.size + 1, platform, startMs, pieces);
      connections.set(both, connection);
    }
    connection.take(segment);
  }
  return pieces;
}

class Connection {
  closed = false;
  #opened = false;
  readonly #up = new Ordered();
  readonly #down = new Ordered();

  constructor(
    readonly number: number,
    readonly platform: string,
    private readonly startMs: number,
    private readonly pieces: Piece[],
  ) {}

  take(segment: Segment): void {
    const kind = segment.to === this.platform ? 'up' : 'down';
    const ms = segment.ms - this.startMs;
    if (!this.#opened) {
      this.#opened = true;
      this.pieces.push({ ms, connection: this.number, kind: 'open', bytes: new Uint8Array(0) });
    }
    const stream = kind === 'up' ? this.#up : this.#down;
    for (const bytes of stream.take(segment)) this.pieces.push({ ms, connection: this.number, kind, bytes });
    if (segment.end && !this.closed) {
      this.closed = true;
      this.pieces.push({ ms, connection: this.number, kind: 'close', bytes: new Uint8Array(0) });
    }
  }
}

/** One direction of a TCP connection, put in order. */
class Ordered {
  #next: number | undefined;
  readonly #waiting = new Map<number, Uint8Array>();

  take(segment: Segment): Uint8Array[] {
    // SYN takes one sequence number of its own.
    if (segment.syn) this.#next = (segment.sequence + 1) >>> 0;
    if (segment.payload.length === 0) return [];
    this.#next ??= segment.sequence;
    if (this.#waiting.size < keptSegments) this.#waiting.set(segment.sequence, segment.payload);
    const ready: Uint8Array[] = [];
    for (let progress = true; progress;) {
      progress = false;
      for (const [sequence, payload] of this.#waiting) {
        const behind = (this.#next - sequence) | 0;
        if (behind < 0) continue;
        this.#waiting.delete(sequence);
        progress = true;
        if (behind >= payload.length) continue;
        ready.push(payload.slice(behind));
        this.#next = (sequence + payload.length) >>> 0;
      }
    }
    return ready;
  }
}

function readHeader(file: Uint8Array): { reader: Reader; nanoseconds: boolean; linkType: number } {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const magic = file.length >= 24 ? view.getUint32(0) : 0;
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

function readPacket(packet: Uint8Array, linkType: number, ms: number): Segment | undefined {
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
    ms,
    from: `${from}:${word(tcp)}`,
    to: `${to}:${word(tcp + 2)}`,
    toPort: word(tcp + 2),
    sequence: ((word(tcp + 4) << 16) | word(tcp + 6)) >>> 0,
    syn: (flags & 2) !== 0,
    end: (flags & 5) !== 0,
    payload,
  };
}

function address(packet: Uint8Array, at: number, length: number): string {
  return Buffer.from(packet.subarray(at, at + length)).toString('hex');
}
