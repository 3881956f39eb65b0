import { copyBytes } from '../bytes/copy.js';
import { DecodeError, type DecodeErrorCode } from '../errors.js';
import { limits } from '../limits.js';
import { e7Framing, standardFraming, unescape, type Framing } from './framing.js';
import { Frame, loggedRules, readHeader, standardRules, vendorRules, type HeaderRules } from './frame.js';

/** A piece of the stream that is no frame. `offset` counts from the first byte of the connection. */
export class FrameRefusal extends DecodeError {
  constructor(
    code: DecodeErrorCode,
    offset: number,
    /** The piece as it came, without flags; cut to `limits.refusedBytes`. A copy. */
    readonly bytes: Uint8Array,
    /** Length of the whole piece. */
    readonly length: number,
  ) {
    super(code, offset, `${length} bytes between flags are no frame`);
  }
}

/** Gets what is found in a stream, in stream order, synchronously. */
export interface FrameSink {
  /** `frame` is reused for the next one; see `Frame`. */
  frame(frame: Frame): void;
  refused(error: FrameRefusal): void;
  /** A text sentence `( … )`; only with the option `sentences`. */
  sentence?(text: string): void;
}

export interface SplitterOptions {
  /** `e7` for the vendor framing (reference 1.11). Default `standard`. */
  readonly framing?: 'standard' | 'e7';
  /** Accept the 1-byte serial of 0x5501 and 0x5502. Default false. */
  readonly shortSerial?: boolean;
  /** Hand over bracketed ASCII sentences between frames. Default false. */
  readonly sentences?: boolean;
  /** Bytes of the connection before the first that is pushed. Default 0. */
  readonly offset?: number;
}

/** Bytes of the smallest frame without flags: the vendor header with a serial of one byte, and the checksum. */
const smallestCandidate = 12;

/** Buffers for unescaping, lent for one callback: no connection keeps one, and callbacks may nest. */
const lendable: Uint8Array[] = [];
/** Frames to fill, lent for one chunk in the same way. */
const lendableFrames: Frame[] = [];
const noBytes = new Uint8Array(0);
const vendorShortSerialRules: HeaderRules = { ...vendorRules, shortSerial: true };

/**
 * Finds frames in a byte stream (reference 1.10): every flag is a boundary, every non-empty piece that is followed by
 * a flag is a candidate, and nothing depends on which flag opened what. A frame that lies whole and unescaped in the
 * chunk is handed over in place.
 */
export class FrameSplitter {
  /** Candidates refused since the last good frame. Close at `limits.badCandidates`. */
  badCandidates = 0;
  /** Bytes refused or discarded since the last good frame. Close at `limits.garbageBytes`. */
  garbageBytes = 0;

  /** Present while a chunk is looked at. */
  private frame: Frame | undefined = undefined;
  private readonly framing: Framing;
  private readonly rules: HeaderRules;
  private readonly sentences: boolean;
  /** The unfinished piece, copied out of the chunk that it came in. */
  private pending: Uint8Array | undefined = undefined;
  private pendingLength = 0;
  /** True after a piece grew past the limit, until the next flag. */
  private skipping = false;
  /** Stream offset of the first byte of the current chunk. */
  private streamOffset: number;
  private stopped = false;

  constructor(options: SplitterOptions = {}) {
    const { framing, shortSerial = false } = options;
    this.framing = framing === 'e7' ? e7Framing : standardFraming;
    if (framing === 'e7') this.rules = shortSerial ? vendorShortSerialRules : vendorRules;
    else this.rules = shortSerial ? loggedRules : standardRules;
    this.sentences = options.sentences ?? false;
    this.streamOffset = options.offset ?? 0;
  }

  /** True when it knows nothing that a new one for the following bytes would not: no unfinished piece, no refusals. */
  get isIdle(): boolean {
    return this.pendingLength === 0 && !this.skipping && !this.stopped && this.badCandidates + this.garbageBytes === 0;
  }

  /** Bytes since the last flag that wait for more. */
  get pendingBytes(): number {
    return this.pendingLength;
  }

  /** Bytes of the connection so far. */
  get totalBytes(): number {
    return this.streamOffset;
  }

  /** A copy of the bytes that wait for more. */
  pendingCopy(): Uint8Array {
    return this.pending === undefined ? new Uint8Array(0) : copyBytes(this.pending, 0, this.pendingLength);
  }

  /** Nothing more is looked at, from the callback on in which this is called: the connection is given up. */
  stop(): void {
    this.stopped = true;
    this.pending = undefined;
    this.pendingLength = 0;
  }

  /** Takes the next bytes of the stream, in any portions, and hands what they complete to `sink`. Keeps no reference. */
  push(chunk: Uint8Array, sink: FrameSink): void {
    if (this.stopped) return;
    const frame = lendableFrames.pop() ?? new Frame();
    this.frame = frame;
    this.look(chunk, sink);
    this.frame = undefined;
    // The chunk is the caller's again, and may be large.
    frame.bytes = noBytes;
    lendableFrames.push(frame);
  }

  private look(chunk: Uint8Array, sink: FrameSink): void {
    const { flag, escapeA, escapeB } = this.framing;
    const length = chunk.length;
    let start = 0;
    if (this.pendingLength > 0 || this.skipping) {
      const close = chunk.indexOf(flag);
      if (close < 0) {
        this.keep(chunk, 0, sink);
        this.streamOffset += length;
        return;
      }
      this.finishPending(chunk, close, sink);
      if (this.stopped) return;
      start = close + 1;
    }
    let xor = 0;
    let escaped = false;
    for (let i = start; i < length; i++) {
      const value = chunk[i]!;
      if (value === flag) {
        if (i > start) this.candidate(chunk, start, i, xor, escaped, this.streamOffset + start, sink);
        if (this.stopped) return;
        start = i + 1;
        xor = 0;
        escaped = false;
      } else {
        if (value === escapeA || value === escapeB) escaped = true;
        xor ^= value;
      }
    }
    if (start < length) this.keep(chunk, start, sink);
    this.streamOffset += length;
  }

  /** Joins what waits with the start of a chunk up to its first flag, and treats it as a candidate. */
  private finishPending(chunk: Uint8Array, close: number, sink: FrameSink): void {
    if (this.skipping) {
      this.garbageBytes += close;
      this.skipping = false;
      return;
    }
    if (close > 0) this.keep(chunk.subarray(0, close), 0, sink);
    if (this.skipping || this.pendingLength === 0) {
      this.skipping = false;
      return;
    }
    const offset = this.streamOffset + close - this.pendingLength;
    const piece = this.pending!;
    const length = this.pendingLength;
    this.pending = undefined;
    this.pendingLength = 0;
    const { escapeA, escapeB } = this.framing;
    let escaped = false;
    for (let i = 0; i < length && !escaped; i++) escaped = piece[i] === escapeA || piece[i] === escapeB;
    this.candidate(piece, 0, length, escaped ? 0 : xorOf(piece, 0, length), escaped, offset, sink);
  }

  /** Copies the unfinished end of a chunk; past the limit everything up to the next flag is discarded. */
  private keep(chunk: Uint8Array, start: number, sink: FrameSink): void {
    const added = chunk.length - start;
    if (this.skipping) {
      this.garbageBytes += added;
      return;
    }
    const length = this.pendingLength + added;
    if (length > limits.candidateBytes) {
      const kept = Math.min(this.pendingLength, limits.refusedBytes);
      const shown = new Uint8Array(Math.min(length, limits.refusedBytes));
      if (this.pending !== undefined) shown.set(this.pending.subarray(0, kept));
      shown.set(chunk.subarray(start, start + shown.length - kept), kept);
      const offset = this.streamOffset + start - this.pendingLength;
      this.pending = undefined;
      this.pendingLength = 0;
      this.skipping = true;
      this.refuse(new FrameRefusal('too_long', offset, shown, length), sink);
      return;
    }
    if (this.pending === undefined || this.pending.length < length) {
      const grown = new Uint8Array(this.pending === undefined ? length : Math.min(limits.candidateBytes, length * 2));
      if (this.pending !== undefined) grown.set(this.pending.subarray(0, this.pendingLength));
      this.pending = grown;
    }
    this.pending.set(start === 0 ? chunk : chunk.subarray(start), this.pendingLength);
    this.pendingLength = length;
    if (this.sentences) this.takePendingSentences(sink);
  }

  /** `xor` and `escaped` are those of `bytes[start..end)`, which lies between two flags. */
  private candidate(
    bytes: Uint8Array,
    start: number,
    end: number,
    xor: number,
    escaped: boolean,
    offset: number,
    sink: FrameSink,
  ): void {
    if (this.sentences && bytes[start] === 0x28) {
      const next = this.takeSentence(bytes, start, end, sink);
      if (next === end) return;
      if (next > start) {
        for (let i = start; i < next; i++) xor ^= bytes[i]!;
        offset += next - start;
        start = next;
      }
    }
    if (end - start > limits.candidateBytes) this.refusePiece('too_long', bytes, start, end, offset, sink);
    else if (!escaped) this.plainCandidate(bytes, start, end, xor, bytes, start, end, offset, sink);
    else {
      const lent = lendable.pop() ?? new Uint8Array(limits.candidateBytes);
      const length = unescape(this.framing, bytes, start, end, lent);
      this.plainCandidate(lent, 0, length, xorOf(lent, 0, length), bytes, start, end, offset, sink);
      lendable.push(lent);
    }
  }

  /** `bytes[start..end)` is unescaped; `wire[wireStart..wireEnd)` is how it came. */
  private plainCandidate(
    bytes: Uint8Array,
    start: number,
    end: number,
    xor: number,
    wire: Uint8Array,
    wireStart: number,
    wireEnd: number,
    offset: number,
    sink: FrameSink,
  ): void {
    const frame = this.frame!;
    let reason: DecodeErrorCode | undefined;
    if (end - start < smallestCandidate) reason = 'too_short';
    else if (xor === 0) reason = readHeader(frame, bytes, start, end - 1, this.rules);
    else if (xor === this.framing.flag && readHeader(frame, bytes, start, end, this.rules) === undefined) {
      // The piece has no checksum of its own: its checksum is the flag that closed it. Only when the length agrees.
      reason = frame.warning === undefined ? undefined : 'checksum';
      frame.warning = 'checksum_was_flag';
    } else reason = 'checksum';
    if (reason === undefined && frame.warning === 'longer_than_declared') {
      const glued = start + frame.declaredEnd();
      if (end - glued >= smallestCandidate && xorOf(bytes, start, glued) === 0) {
        // The flag between two frames was never sent: each of them has a sound checksum of its own.
        this.plainCandidate(bytes, start, glued, 0, bytes, start, glued, offset, sink);
        this.plainCandidate(bytes, glued, end, 0, bytes, glued, end, offset + glued - start, sink);
        return;
      }
    }
    if (reason !== undefined) {
      this.refusePiece(reason, wire, wireStart, wireEnd, offset, sink);
      return;
    }
    this.badCandidates = 0;
    this.garbageBytes = 0;
    sink.frame(frame);
  }

  private refusePiece(
    code: DecodeErrorCode,
    bytes: Uint8Array,
    start: number,
    end: number,
    offset: number,
    sink: FrameSink,
  ): void {
    const shown = copyBytes(bytes, start, Math.min(end, start + limits.refusedBytes));
    this.refuse(new FrameRefusal(code, offset, shown, end - start), sink);
  }

  private refuse(refusal: FrameRefusal, sink: FrameSink): void {
    this.badCandidates += 1;
    this.garbageBytes += refusal.length;
    sink.refused(refusal);
  }

  /** Hands over the sentences at the start of `bytes[start..end)`; gives back where they end. */
  private takeSentence(bytes: Uint8Array, start: number, end: number, sink: FrameSink): number {
    let at = start;
    while (at < end && bytes[at] === 0x28) {
      const close = bytes.indexOf(0x29, at);
      if (close < 0 || close >= end || close - at > limits.sentenceBytes) break;
      let text = '';
      for (let i = at; i <= close; i++) {
        const value = bytes[i]!;
        if (value < 0x20 || value > 0x7e) return at;
        text += String.fromCharCode(value);
      }
      this.badCandidates = 0;
      this.garbageBytes = 0;
      sink.sentence?.(text);
      at = close + 1;
    }
    return at;
  }

  /** Sentences end with a bracket, not with a flag: they are taken out of what waits. */
  private takePendingSentences(sink: FrameSink): void {
    const next = this.takeSentence(this.pending!, 0, this.pendingLength, sink);
    if (next === 0) return;
    this.pending = next === this.pendingLength ? undefined : copyBytes(this.pending!, next, this.pendingLength);
    this.pendingLength -= next;
  }
}

/** XOR over `bytes[start..end)`; zero over header, body and checksum of a sound frame. */
function xorOf(bytes: Uint8Array, start: number, end: number): number {
  let xor = 0;
  for (let i = start; i < end; i++) xor ^= bytes[i]!;
  return xor;
}
