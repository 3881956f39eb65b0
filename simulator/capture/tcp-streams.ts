import { RecordingError, type Piece } from './recording.js';

/** Out-of-order segments kept per direction; a capture that lost more has a gap that nothing can fill. */
const keptSegments = 4096;

/** One TCP segment of a capture. */
export interface Segment {
  /** Its packet in the file, from 1. */
  packet: number;
  ms: number;
  from: string;
  to: string;
  fromPort: number;
  toPort: number;
  sequence: number;
  syn: boolean;
  end: boolean;
  payload: Uint8Array;
}

/** Both directions of one TCP connection, as pieces of a recording. */
export class TcpConnection {
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

  /** Nothing comes any more. @throws RecordingError when bytes of the terminal's side are missing in between */
  finish(): void {
    const gap = this.#up.gap;
    if (gap === undefined) return;
    throw new RecordingError(
      `packet ${gap.packet}: expected bytes from sequence number ${gap.expected} of ${gap.from} to ${gap.to}, ` +
        `found them from ${gap.sequence} on; the capture lacks ${(gap.sequence - gap.expected) >>> 0} bytes`,
    );
  }

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
  readonly #waiting = new Map<number, Segment>();

  /** The first segment that waits for bytes which never came, and the number that should have come. */
  get gap(): (Segment & { expected: number }) | undefined {
    const [first] = [...this.#waiting.values()].sort((a, b) => (a.sequence - b.sequence) | 0);
    return first && { ...first, expected: this.#next ?? first.sequence };
  }

  take(segment: Segment): Uint8Array[] {
    // SYN takes one sequence number of its own.
    if (segment.syn) this.#next = (segment.sequence + 1) >>> 0;
    if (segment.payload.length === 0) return [];
    this.#next ??= segment.sequence;
    this.#keep(segment);
    const ready: Uint8Array[] = [];
    for (let progress = true; progress;) {
      progress = false;
      for (const [sequence, { payload }] of this.#waiting) {
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

  /** Of two that begin at the same byte the longer says more. */
  #keep(segment: Segment): void {
    const known = this.#waiting.get(segment.sequence);
    const room = known !== undefined || this.#waiting.size < keptSegments;
    if (room && (known?.payload.length ?? 0) < segment.payload.length) this.#waiting.set(segment.sequence, segment);
  }
}
