/**
 * A session's side of the one gate: what it has handed to the ingest log and not been told about yet, in order, and what
 * follows when that is durable.
 */
import type { TransportResult } from './link.js';
import { noAnswer, PendingAnswers } from './pending-answers.js';

/** What follows the commit of one frame, beside its 0x8001. */
export type AfterCommit =
  | { readonly do: 'receipt'; readonly deliveryId: string; readonly result: TransportResult }
  /** `packetSerial` where the upload came in packets of the 2011 draft: quoted in the answer of that edition. */
  | { readonly do: 'mediaComplete'; readonly mediaId: number; readonly packetSerial?: number }
  /** An answer of a private message, as it goes on the wire. */
  | { readonly do: 'send'; readonly bytes: Uint8Array };

interface Waiting {
  /** Number of the frame, counted from the first of the session. */
  readonly frame: number;
  readonly action: AfterCommit;
}

const nothing: Waiting[] = [];
const noActions: readonly AfterCommit[] = [];

/** Gets what is durable. */
export interface Answering {
  /** @param form number of the header form that the answer repeats */
  answer(form: number, messageId: number, serial: number, result: number): void;
}

export class Gate {
  readonly #pending = new PendingAnswers();
  #waiting: Waiting[] = nothing;
  #appended = 0;
  #settled = 0;

  /** Frames between arrival and commit. */
  get inFlight(): number {
    return this.#pending.size;
  }

  /** Nothing waits for a commit. */
  get isEmpty(): boolean {
    return this.#pending.size === 0 && this.#waiting.length === 0;
  }

  /** A frame was taken by the log. */
  appended(messageId: number, serial: number, result: number, form: number): void {
    this.#appended++;
    this.#pending.push(messageId, serial, result, form);
  }

  /** Lets something follow the commit of the frame that was appended last. */
  after(action: AfterCommit): void {
    if (this.#waiting === nothing) this.#waiting = [];
    this.#waiting.push({ frame: this.#appended, action });
  }

  /**
   * The oldest `entries` frames are durable, or not.
   * @param to gets each durable frame that wants an answer
   * @returns what follows, when they are durable
   */
  settle(entries: number, durable: boolean, to: Answering): readonly AfterCommit[] {
    for (let i = 0; i < entries; i++) {
      const item = this.#pending.shift();
      const result = PendingAnswers.result(item);
      if (!durable || result === noAnswer) continue;
      to.answer(PendingAnswers.form(item), PendingAnswers.messageId(item), PendingAnswers.serial(item), result);
    }
    this.#settled += entries;
    if (this.#waiting.length === 0) return noActions;
    const due = this.#waiting.filter(({ frame }) => frame <= this.#settled);
    this.#waiting = this.#waiting.filter(({ frame }) => frame > this.#settled);
    return durable ? due.map(({ action }) => action) : [];
  }
}
