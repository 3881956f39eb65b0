/**
 * From bytes to frames: what is garbage and how much of it is borne, which framing a connection speaks, and which frames
 * wait until somebody has said who the terminal is.
 */
import {
  AckWriter,
  answerSentence,
  type Frame,
  type FrameRefusal,
  type FrameSink,
  FrameSplitter,
  limits as wireLimits,
  parseFrame,
} from '../../protocol/index.js';
import { count } from '../counters.js';
import { Exchange, holding } from './exchange.js';
import { HeldFrames } from './held-frames.js';
import type { CloseReason } from './sink.js';

/** First byte of a connection in the vendor framing. */
const vendorFlag = 0xe7;

export abstract class Reception extends Exchange implements FrameSink {
  /** Present while there are bytes to think of. */
  #splitter: FrameSplitter | undefined = undefined;
  /** Bytes that were read before the splitter was made. */
  #bytesRead = 0;
  /** Present while frames wait. */
  #held: HeldFrames | undefined = undefined;

  /** While true, frames wait. */
  protected abstract readonly holding: boolean;
  /** A frame that need not wait. */
  protected abstract take(frame: Frame): void;
  abstract close(reason: CloseReason): void;

  protected readFrames(chunk: Uint8Array): void {
    this.counters.bytesReceived += chunk.length;
    this.#splitter ??= this.#newSplitter(chunk);
    this.#splitter.push(chunk, this);
    this.#endGarbage();
  }

  /** Keeps no splitter that a new one can stand in for. */
  protected restReading(): void {
    if (this.#splitter?.isIdle !== true) return;
    this.#bytesRead = this.#splitter.totalBytes;
    this.#splitter = undefined;
  }

  #newSplitter(chunk: Uint8Array): FrameSplitter {
    const offset = this.#bytesRead;
    const vendor = this.context.vendorFraming === true;
    if (vendor && offset === 0 && chunk[0] === vendorFlag) this.vendorAcks = new AckWriter('e7');
    if (this.vendorAcks !== undefined) return new FrameSplitter({ framing: 'e7', offset });
    return new FrameSplitter({ sentences: vendor, shortSerial: vendor, offset });
  }

  frame(frame: Frame): void {
    if (this.state === 'closed') return;
    this.counters.framesReceived++;
    if (frame.warning !== undefined) count(this.counters.framesTolerated, frame.warning);
    if (this.holding) this.hold(frame);
    else this.take(frame);
  }

  /** A text sentence of an electronic lock: some ask for the time. */
  sentence(text: string): void {
    const answer = answerSentence(text, this.nowMs);
    if (answer !== undefined) this.send(Buffer.from(answer, 'latin1'));
  }

  refused(error: FrameRefusal): void {
    count(this.counters.framesRefused, error.code);
    this.found({ what: 'refusedFrame', detail: error.message, bytes: error.bytes });
    this.#endGarbage();
  }

  /** A peer that has shown no sound frame yet is given up sooner, and in the middle of a chunk. */
  #endGarbage(): void {
    const { badCandidates, garbageBytes } = this.#splitter!;
    const stranger = this.form === '';
    const candidatesMax = stranger ? this.limits.strangerCandidates : wireLimits.badCandidates;
    const bytesMax = stranger ? this.limits.strangerGarbageBytes : wireLimits.garbageBytes;
    if (badCandidates >= candidatesMax || garbageBytes >= bytesMax) this.close('garbage');
  }

  protected hold(frame: Frame): void {
    this.#held ??= new HeldFrames();
    if (this.#held.add(frame, this.limits.heldBytes)) this.pause(holding);
    else this.close('heldTooMuch');
  }

  /** Frames that waited for an answer go on, until one of them has to ask again. */
  protected release(): void {
    if (!this.holding) {
      const held = this.#held?.contents ?? [];
      this.#held = undefined;
      for (const content of held) {
        if (this.state === 'closed') break;
        const frame = parseFrame(content, 0, content.length, undefined, this.rules);
        if (this.holding) this.hold(frame);
        else this.take(frame);
      }
    }
    this.flush();
    if (!this.holding) this.resume(holding);
  }

  protected dropHeld(): void {
    this.#held = undefined;
  }

  /** Nothing more is looked at, from the frame on in which this is called. */
  protected stopReading(): void {
    this.#splitter?.stop();
    this.#held = undefined;
  }
}
