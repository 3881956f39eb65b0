/**
 * What a session exchanges with its terminal and with the gate, whoever the terminal is: entries for the ingest log and the
 * answers that follow them, downlinks with their serials, pauses of reading, findings. {@link Session} decides who may do
 * what, and when the connection ends.
 */
import {
  type AckWriter,
  encodeBody,
  encodeFrame,
  type Frame,
  type Identity,
  limits as wireLimits,
  vendorRules,
  type HeaderRules,
} from '../../protocol/index.js';
import type { GatewayCounters } from '../counters.js';
import type { EntryKind } from '../ingest/entry.js';
import type { GatewayLimits } from '../limits.js';
import type { AfterCommit, Answering } from './gate.js';
import { packForm, unpackForm } from './header-forms.js';
import type { InboxHost } from './inbox.js';
import type { Edition } from './link.js';
import type { LongSends } from './long-send.js';
import type { PartWatches } from './part-watches.js';
import type { Finding, SessionSink } from './sink.js';
import { Working } from './working.js';

/** What all sessions of a node share. */
export interface SessionContext {
  readonly limits: GatewayLimits;
  readonly counters: GatewayCounters;
  /** Joins the answers of one turn. One serves all sessions of a thread: it is empty whenever a session returns. */
  readonly acks: AckWriter;
  /** Unfinished messages over breaks of connections. */
  readonly partWatches: PartWatches;
  /** Progress of long messages over breaks of connections. */
  readonly longSends: LongSends;
  /** Take the vendor framing variants too: the first byte of a connection tells (reference 1.11). */
  readonly vendorFraming?: boolean | undefined;
}

/** Why reading is paused, as bits. */
export const holding = 1;
export const tooMuchInFlight = 2;

export abstract class Exchange implements Answering {
  /** Time of the newest call, ms. */
  nowMs: number;
  edition: Edition = 2013;

  protected state: 'open' | 'finishing' | 'closed' = 'open';
  /** Present while the terminal is talking. */
  protected working: Working | undefined = undefined;
  /** Of a connection in the vendor framing: answers in the same. */
  protected vendorAcks: AckWriter | undefined = undefined;
  /** Header form of the newest frame (see `packForm`); empty before the first sound one. */
  protected form = '';
  #nextSerial = 0;
  #paused = 0;
  #findings = 0;

  constructor(
    protected readonly context: SessionContext,
    readonly sink: SessionSink,
    readonly transport: 'tcp' | 'tls',
    nowMs: number,
  ) {
    this.nowMs = nowMs;
  }

  /** Vehicle of the terminal that owns the connection. */
  protected abstract readonly vehicleId: string;
  protected abstract readonly inboxHost: InboxHost;

  get limits(): GatewayLimits {
    return this.context.limits;
  }

  get counters(): GatewayCounters {
    return this.context.counters;
  }

  get longSends(): LongSends {
    return this.context.longSends;
  }

  /** Frames between arrival and commit. */
  get inFlight(): number {
    return this.working?.gate.inFlight ?? 0;
  }

  /** Header form of the newest frame: the form that the terminal reads now. */
  get identity(): Identity {
    return this.working?.forms.current ?? unpackForm(this.form);
  }

  /** What is needed from here on, made when it is not there. */
  protected work(): Working {
    return (this.working ??= new Working(this.inboxHost, this.form));
  }

  /** How the headers of this connection are read again: 7 bytes of identity in the vendor framing. */
  protected get rules(): HeaderRules | undefined {
    return this.vendorAcks === undefined ? undefined : vendorRules;
  }

  /** A frame with another header form than the one before it. */
  protected takeForm(frame: Frame): void {
    const { forms } = this.work();
    forms.take(frame);
    this.form = packForm(forms.current!);
  }

  // ---- up: into the log, and what follows

  /** Through the gate. @returns false when it was not taken: it stays unanswered, and the terminal sends it again */
  append(kind: EntryKind, edition: Edition, context: string | undefined, frame: Frame, result: number): boolean {
    const { bytes, start, end } = frame;
    const { gate, forms } = this.work();
    const vehicle = this.working!.vehicle(this.vehicleId);
    const vendor = this.vendorAcks !== undefined;
    const outcome = this.sink.append(kind, edition, vehicle, context, bytes, start, end, this.nowMs, vendor);
    if (outcome === 'shed') return false;
    gate.appended(frame.messageId, frame.serial, result, forms.index);
    if (outcome === 'takenFull' || gate.inFlight >= this.limits.inFlightFrames) this.pause(tooMuchInFlight);
    return true;
  }

  after(action: AfterCommit): void {
    this.work().gate.after(action);
  }

  /** Something of the gate is durable: the answer to its frame. */
  answer(form: number, messageId: number, serial: number, result: number): void {
    if (this.state !== 'open') return;
    this.#acks.append(this.working!.forms.at(form), this.nextSerial(), messageId, serial, result);
  }

  protected follow(action: Exclude<AfterCommit, { do: 'receipt' }>): void {
    if (action.do === 'send') return this.send(action.bytes);
    const { mediaId, packetSerial: replySerial } = action;
    const inPackets = replySerial !== undefined;
    const body = inPackets ? { replySerial, mediaId, missing: [] } : { mediaId };
    this.reply(0x8800, encodeBody('mediaAnswer', inPackets ? 2011 : 2013, body));
  }

  // ---- down

  /** 0x8001 at once. */
  acknowledge(messageId: number, serial: number, result: number): void {
    if (this.state === 'open') this.#acks.append(this.identity, this.nextSerial(), messageId, serial, result);
  }

  reply(messageId: number, body: Uint8Array): void {
    if (this.state !== 'open') return;
    this.flush();
    this.sink.send(encodeFrame({ messageId, ...this.identity, serial: this.nextSerial(), body }));
  }

  send(bytes: Uint8Array): void {
    if (this.state === 'open') this.sink.send(bytes);
  }

  canSend(): boolean {
    return this.state === 'open' && this.sink.canSend();
  }

  nextSerial(): number {
    const serial = this.#nextSerial;
    this.#nextSerial = (serial + 1) & 0xffff;
    return serial;
  }

  /** Hands over the answers of this turn. */
  protected flush(): void {
    const acks = this.#acks;
    if (acks.size === 0) return;
    const bytes = acks.take();
    if (this.state === 'open') this.sink.send(bytes);
  }

  get #acks(): AckWriter {
    return this.vendorAcks ?? this.context.acks;
  }

  // ---- reading, findings

  protected pause(why: number): void {
    if (this.#paused === 0) {
      this.counters.pauses++;
      this.sink.pauseReading();
    }
    this.#paused |= why;
  }

  protected resume(why: number): void {
    if ((this.#paused & why) === 0) return;
    this.#paused &= ~why;
    if (this.#paused === 0 && this.state !== 'closed') this.sink.resumeReading();
  }

  /** Something about a frame that a person may want to see; bounded for each connection. */
  find(what: Finding['what'], detail: string, frame: Frame): void {
    if (this.#findings >= this.limits.loggedFrames) return;
    const end = Math.min(frame.end, frame.start + wireLimits.refusedBytes);
    this.found({ what, detail, messageId: frame.messageId, bytes: frame.bytes.subarray(frame.start, end) });
  }

  protected found(finding: Finding): void {
    if (this.#findings++ < this.limits.loggedFrames) this.sink.found(finding);
  }
}
