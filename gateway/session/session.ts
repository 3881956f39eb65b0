/**
 * A terminal's session on one connection: bytes, answers of the world and time in; calls of its {@link SessionSink} out.
 * It opens no socket, sets no timer, reads no clock and never waits, so the same code runs under sockets and under a
 * simulated network.
 *
 * Four kinds of methods: look (`phone`, `link`), tell (`received`, `committed`, `identified`, …, `tick`), command
 * (`write` through the link, `supersede`), ask (`nextDeadlineMs`). One chunk costs at most one `send`, and so does one
 * commit.
 */
import {
  AckWriter,
  encodeFrame,
  Frame,
  FrameSplitter,
  limits as wireLimits,
  locationBaseBytes,
  msToTime,
  parseFrame,
  type FrameRefusal,
  type FrameSink,
  type Identity,
} from '../../protocol/index.js';
import { count, type GatewayCounters } from '../counters.js';
import { vehiclePrefix, type EntryKind } from '../ingest/entry.js';
import type { GatewayLimits } from '../limits.js';
import type { Edition, OutgoingMessage, TerminalLink, TransportResult } from './link.js';
import { Login, type LoginHost } from './login.js';
import { Outstanding } from './outstanding.js';
import { PartWatch } from './part-watch.js';
import { noAnswer, PendingAnswers } from './pending-answers.js';
import type { CloseReason, Finding, RegistrationAnswer, SessionSink, TerminalFacts } from './sink.js';
import { faultOf, handlingOf, repliesWithSerial } from './uplinks.js';

export interface SessionOptions {
  readonly sink: SessionSink;
  readonly limits: GatewayLimits;
  readonly counters: GatewayCounters;
  /** Joins the answers of one turn. One may serve all sessions of a thread: it is empty whenever a session returns. */
  readonly acks: AckWriter;
  readonly transport: 'tcp' | 'tls';
  readonly nowMs: number;
}

/** Why reading is paused. */
const pausedHolding = 1;
const pausedInFlight = 2;
const pausedFull = 4;

/** What follows the commit of one frame, beside its 0x8001. */
type AfterCommit =
  | { readonly ticket: number; readonly deliveryId: string; readonly result: TransportResult }
  | { readonly ticket: number; readonly mediaId: number };

export class Session implements FrameSink, LoginHost {
  readonly sink: SessionSink;
  readonly limits: GatewayLimits;
  readonly counters: GatewayCounters;

  readonly #acks: AckWriter;
  readonly #transport: 'tcp' | 'tls';
  readonly #splitter = new FrameSplitter();
  readonly #login: Login = new Login(this);
  readonly #pending = new PendingAnswers();
  #nowMs: number;
  #nextSerial = 0;
  #state: 'open' | 'finishing' | 'closed' = 'open';
  #finishReason: CloseReason = 'takenOver';

  /** Header form of the newest frame, and all forms of this connection: an answer repeats the form of its frame. */
  #identity: Identity | undefined;
  #form = 0;
  #forms: Identity[] = [];
  #edition: Edition = 2013;
  #vehicle: Uint8Array = noVehicle;

  #link: SessionLink | undefined;
  #outstanding: Outstanding | undefined;
  #parts: PartWatch | undefined;
  #afterCommit: AfterCommit[] = noActions;
  #appended = 0;
  #settled = 0;

  #held: Uint8Array[] = noFrames;
  #heldBytes = 0;
  #paused = 0;
  #findings = 0;

  #deadlineMs: number;
  #heardMs: number;

  constructor(options: SessionOptions) {
    this.sink = options.sink;
    this.limits = options.limits;
    this.counters = options.counters;
    this.#acks = options.acks;
    this.#transport = options.transport;
    this.#nowMs = options.nowMs;
    this.#heardMs = options.nowMs;
    this.#deadlineMs = options.nowMs + options.limits.authenticateMs;
  }

  // ---- look

  /** Terminal number of the first frame, without leading zeros; empty before it. */
  get phone(): string {
    return this.#login.phone;
  }

  /** Present while the session owns its terminal. */
  get link(): TerminalLink | undefined {
    return this.#link;
  }

  get closed(): boolean {
    return this.#state === 'closed';
  }

  /** When the last whole frame came, ms. */
  get heardMs(): number {
    return this.#heardMs;
  }

  /** Frames between arrival and commit. */
  get inFlight(): number {
    return this.#pending.size;
  }

  // ---- tell

  /** Bytes from the peer, in any portions. Keeps no reference to `chunk`. */
  received(chunk: Uint8Array, nowMs: number): void {
    if (this.#state === 'closed') return;
    this.#nowMs = nowMs;
    this.counters.bytesReceived += chunk.length;
    this.#splitter.push(chunk, this);
    const { badCandidates, garbageBytes } = this.#splitter;
    if (badCandidates >= wireLimits.badCandidates || garbageBytes >= wireLimits.garbageBytes) this.close('garbage');
    this.#flush();
  }

  /** One group of this session's frames is durable, or is not; `entries` of them, the oldest. */
  committed(entries: number, durable: boolean, nowMs: number): void {
    this.#nowMs = nowMs;
    const pending = this.#pending;
    const answering = durable && this.#state === 'open';
    for (let i = 0; i < entries; i++) {
      const item = pending.shift();
      const result = PendingAnswers.result(item);
      if (!answering || result === noAnswer) continue;
      const form = this.#forms[PendingAnswers.form(item)]!;
      this.#acks.append(form, this.#serial(), PendingAnswers.messageId(item), PendingAnswers.serial(item), result);
    }
    this.#settled += entries;
    if (this.#afterCommit.length > 0) this.#finishCommitted(durable);
    // A part that is not safe comes again; what was counted as arrived may not have.
    if (!durable) this.#parts?.forget();
    this.#flush();
    if ((this.#paused & ~pausedHolding) !== 0 && pending.size < this.limits.inFlightFrames / 2) {
      this.#resume(pausedInFlight | pausedFull);
    }
  }

  /** Answer to `sink.identify`. */
  identified(facts: TerminalFacts | undefined | 'failed', nowMs: number): void {
    this.#nowMs = nowMs;
    this.#login.identified(facts);
    if (facts === 'failed') this.#dropHeld();
    this.#release();
  }

  /** Answer to `sink.register`. */
  registered(answer: RegistrationAnswer, nowMs: number): void {
    if (this.#state !== 'open') return;
    this.#nowMs = nowMs;
    this.#login.registered(answer);
    if (this.#link !== undefined) this.#link.facts = this.#login.facts!;
    this.#flush();
  }

  /** Answer to `sink.claim`: the fence of the ownership. */
  claimed(fence: number | 'failed', nowMs: number): void {
    if (this.#state !== 'open') return;
    this.#nowMs = nowMs;
    this.#login.claimed(fence);
    this.#release();
  }

  /** The terminal's file changed; undefined: it is gone. */
  factsChanged(facts: TerminalFacts | undefined, nowMs: number): void {
    if (this.#state !== 'open' || this.#login.facts === undefined) return;
    this.#nowMs = nowMs;
    const before = this.#login.facts;
    if (facts === undefined) return this.close('vehicleDeleted');
    if (facts.blocked) return this.close('blocked');
    if (facts.vehicleId !== before.vehicleId) return this.close('vehicleChanged');
    this.#login.facts = facts;
    const link = this.#link;
    if (link === undefined) return;
    link.facts = facts;
    const sameOptions = JSON.stringify(facts.options) === JSON.stringify(before.options);
    if (!sameOptions || facts.profile !== before.profile || facts.contested !== before.contested) {
      this.sink.changed(link, facts.contested);
    }
  }

  /** Time passed. Cheap when nothing is due. */
  tick(nowMs: number): void {
    this.#nowMs = nowMs;
    if (this.#state === 'closed') return;
    if (this.#parts !== undefined && nowMs >= this.#parts.nextMs()) this.#askForParts();
    if (nowMs < this.#deadlineMs) return;
    // The idle deadline is moved here and not by every frame.
    if (this.#link !== undefined && this.#state === 'open') {
      this.#deadlineMs = this.#heardMs + this.limits.idleMs;
      if (nowMs >= this.#deadlineMs) this.close('idle');
    } else this.close(this.#state === 'finishing' ? this.#finishReason : 'notAuthenticated');
  }

  /** The peer or the network ended the connection. */
  ended(): void {
    if (this.#state === 'closed') return;
    this.#end('byTerminal');
  }

  // ---- ask

  /** Before this time `tick` has nothing to do. */
  nextDeadlineMs(): number {
    return this.#state === 'closed' ? Infinity : Math.min(this.#deadlineMs, this.#parts?.nextMs() ?? Infinity);
  }

  // ---- command

  /** A newer connection has the terminal: this one writes nothing more, and its late frames are still taken. */
  supersede(nowMs: number): void {
    if (this.#state !== 'open') return;
    this.#state = 'finishing';
    this.#finishReason = 'takenOver';
    this.#deadlineMs = nowMs + this.limits.supersededMs;
    this.#detach('takenOver');
    this.sink.finish();
  }

  /** Ends the session and its connection. */
  close(reason: CloseReason): void {
    if (this.#state === 'closed') return;
    this.#flush();
    this.#end(reason);
    this.sink.close(reason);
  }

  // ---- frames

  frame(frame: Frame): void {
    if (this.#state === 'closed') return;
    this.counters.framesReceived++;
    if (frame.warning !== undefined) count(this.counters.framesTolerated, frame.warning);
    if (this.#login.holding) this.#hold(frame);
    else this.#take(frame);
  }

  refused(error: FrameRefusal): void {
    count(this.counters.framesRefused, error.code);
    if (this.#findings++ >= this.limits.loggedFrames) return;
    this.sink.found({ what: 'refusedFrame', detail: error.message, bytes: error.bytes });
  }

  #take(frame: Frame): void {
    const identity = frame.identity(this.#identity);
    if (identity !== this.#identity && !this.#newForm(frame, identity)) return;
    if (!this.#login.owner) return this.#beforeLogin(frame);
    this.#heardMs = this.#nowMs;
    if (frame.encryption !== 0) return this.#unsupported(frame, 'encrypted', 'the body is encrypted');
    if (frame.total > 0 && this.#part(frame)) return;
    if (frame.messageId === 0x0200) {
      if (frame.bodyEnd - frame.bodyStart < locationBaseBytes) {
        this.#malformed(frame, 0x0200, 'truncated', 'a location has at least 28 bytes', 2);
      } else this.#append('frame', this.#edition, undefined, frame, 0);
    } else this.#dispatch(frame);
  }

  #beforeLogin(frame: Frame): void {
    if (this.#login.isNew) this.#login.ask(frame.phone);
    // The answer may have come at once.
    if (this.#login.holding) this.#hold(frame);
    else this.#login.take(frame);
  }

  /** A frame with another header form than the one before it, or the first: is it this terminal's, and how to answer it. */
  #newForm(frame: Frame, identity: Identity): boolean {
    if (this.#identity !== undefined && frame.phone !== this.phone) {
      // Answered in its own form, and then as if it had not come.
      const own = this.#identity;
      this.#identity = identity;
      this.#login.foreign(frame);
      this.#identity = own;
      return false;
    }
    this.#identity = identity;
    this.#edition = this.#login.editionOf(frame);
    this.#form = this.#forms.findIndex((form) => sameForm(form, identity));
    if (this.#form < 0) this.#form = this.#forms.length < 15 ? this.#forms.push(identity) - 1 : 14;
    this.#forms[this.#form] = identity;
    return true;
  }

  #dispatch(frame: Frame): void {
    const { messageId, serial } = frame;
    switch (handlingOf(messageId)) {
      case 'heartbeat':
        return this.acknowledge(messageId, serial, 0);
      case 'data':
        return this.#data(frame);
      case 'solicited':
        return this.#solicited(frame);
      case 'answer':
        return this.#generalAnswer(frame);
      case 'time':
        return this.reply(0x8004, Buffer.from(msToTime(this.#nowMs, 0), 'hex'));
      case 'resend':
        return this.#resend(frame);
      case 'register':
        return this.#login.register(frame);
      case 'authenticate':
        return this.#login.authenticate(frame);
      case 'logout':
        this.acknowledge(messageId, serial, 0);
        this.#login.loggedOut();
        this.#deadlineMs = this.#nowMs + this.limits.authenticateMs;
        return this.#detach('loggedOut');
      case undefined:
        return this.#unsupported(frame, 'unknownMessage', 'an id that is not known');
    }
  }

  #data(frame: Frame): void {
    const edition = this.#login.editionOf(frame);
    const fault = faultOf(frame.messageId, edition, frame.body);
    if (fault !== undefined) return this.#malformed(frame, frame.messageId, fault.code, fault.message, 2);
    if (!this.#append('frame', edition, undefined, frame, 0)) return;
    if (frame.messageId === 0x0801) this.#after({ ticket: this.#appended, mediaId: dword(frame) });
  }

  /** A dedicated reply: tied to the item that asked for it where one did. */
  #solicited(frame: Frame): void {
    const { messageId } = frame;
    const edition = this.#login.editionOf(frame);
    const fault = faultOf(messageId, edition, frame.body);
    if (fault !== undefined) return this.#malformed(frame, messageId, fault.code, fault.message, noAnswer);
    const hasSerial = repliesWithSerial.has(messageId) && frame.bodyEnd - frame.bodyStart >= 2;
    const matched = this.#outstanding?.matchDedicated(messageId, hasSerial ? word(frame, 0) : undefined);
    this.#answered(frame, edition, matched);
  }

  /** 0x0001 (reference 2.6). Never answered. */
  #generalAnswer(frame: Frame): void {
    if (frame.bodyEnd - frame.bodyStart < 5) {
      return this.#malformed(frame, 0x0001, 'truncated', 'a general reply has 5 bytes', noAnswer);
    }
    const result = frame.bytes[frame.bodyStart + 4]!;
    const matched = this.#outstanding?.matchGeneral(word(frame, 2), word(frame, 0), result);
    if (matched === undefined) this.find('unmatchedAnswer', 'an answer to nothing that is outstanding', frame);
    this.#answered(frame, this.#edition, matched);
  }

  #answered(frame: Frame, edition: Edition, matched: ReturnType<Outstanding['matchGeneral']>): void {
    if (matched === undefined) this.#append('frame', edition, undefined, frame, noAnswer);
    else if (!matched.ends) this.#append('partReceipt', edition, undefined, frame, noAnswer);
    else {
      const { deliveryId, result } = matched;
      const taken = this.#append('receipt', edition, `${deliveryId}\n${result}`, frame, noAnswer);
      if (taken) this.#after({ ticket: this.#appended, deliveryId, result });
    }
  }

  /**
   * One part of a sub-packaged message: safe and confirmed on its own; the reader joins them (reference 2.9).
   * @returns false when this kind of message is never split: the frame stands for itself
   */
  #part(frame: Frame): boolean {
    const { messageId, serial, total, index } = frame;
    const handling = handlingOf(messageId);
    if (handling !== 'data' && handling !== 'solicited') return false;
    this.#parts ??= new PartWatch(this.limits);
    const state = this.#parts.arrived(messageId, total, index, serial, this.#nowMs, dword(frame));
    if (state === 'refused') {
      this.counters.framesMalformed++;
      this.find('malformed', `part ${index} of ${total}`, frame);
      this.acknowledge(messageId, serial, 2);
      return true;
    }
    const edition = this.#login.editionOf(frame);
    if (!this.#append('part', edition, undefined, frame, 0)) this.#parts.forget();
    else if (state === 'complete' && messageId === 0x0801) {
      this.#after({ ticket: this.#appended, mediaId: this.#parts.completedHead });
    } else if (state === 'complete' && handling === 'solicited') {
      const matched = this.#outstanding?.matchDedicated(messageId, undefined);
      // Beside the part itself: the entry that says which item the whole message answers.
      if (matched !== undefined) this.#answered(frame, edition, matched);
    }
    return true;
  }

  /** 0x0005: the parts again, as they were. */
  #resend(frame: Frame): void {
    const fault = faultOf(frame.messageId, 2019, frame.body);
    if (fault !== undefined) {
      this.counters.framesMalformed++;
      this.find('malformed', fault.message, frame);
      return this.acknowledge(frame.messageId, frame.serial, 2);
    }
    const numbers: number[] = [];
    const wide = (frame.bodyEnd - frame.bodyStart) % 2 === 0;
    for (let at = wide ? 4 : 3; frame.bodyStart + at + 2 <= frame.bodyEnd; at += 2) numbers.push(word(frame, at));
    const frames = this.#outstanding?.parts(word(frame, 0), numbers) ?? [];
    if (frames.length > 0) this.sink.send(Buffer.concat(frames));
  }

  #malformed(frame: Frame, messageId: number, code: string, message: string, result: number): void {
    this.counters.framesMalformed++;
    this.find('malformed', message, frame);
    this.#append('unusable', this.#edition, `${code}\n0x${messageId.toString(16).padStart(4, '0')}: ${message}`, frame, result);
  }

  #unsupported(frame: Frame, what: 'encrypted' | 'unknownMessage', detail: string): void {
    this.counters.framesUnsupported++;
    this.find(what, detail, frame);
    this.acknowledge(frame.messageId, frame.serial, 3);
  }

  // ---- the gate

  /** @returns false when it was not taken: the frame stays unanswered, the terminal sends it again */
  #append(kind: EntryKind, edition: Edition, context: string | undefined, frame: Frame, result: number): boolean {
    const { bytes, start, end } = frame;
    const outcome = this.sink.append(kind, edition, this.#vehicle, context, bytes, start, end, this.#nowMs);
    if (outcome === 'shed') return false;
    this.#appended++;
    this.#pending.push(frame.messageId, frame.serial, result, this.#form);
    if (outcome === 'takenFull') this.#pause(pausedFull);
    if (this.#pending.size >= this.limits.inFlightFrames) this.#pause(pausedInFlight);
    return true;
  }

  #after(action: AfterCommit): void {
    if (this.#afterCommit === noActions) this.#afterCommit = [];
    this.#afterCommit.push(action);
  }

  #finishCommitted(durable: boolean): void {
    const due = this.#afterCommit.filter((action) => action.ticket <= this.#settled);
    this.#afterCommit = this.#afterCommit.filter((action) => action.ticket > this.#settled);
    if (!durable) return;
    for (const action of due) {
      if ('mediaId' in action) {
        const { mediaId: id } = action;
        if (this.#state === 'open') this.reply(0x8800, Buffer.of(id >>> 24, (id >> 16) & 255, (id >> 8) & 255, id & 255));
      } else {
        this.#outstanding?.drop(action.deliveryId);
        if (this.#link !== undefined) this.sink.receipt(this.#link, action.deliveryId, action.result);
      }
    }
  }

  // ---- answers

  acknowledge(messageId: number, serial: number, result: number): void {
    if (this.#state === 'open') this.#acks.append(this.#identity!, this.#serial(), messageId, serial, result);
  }

  reply(messageId: number, body: Uint8Array): void {
    if (this.#state !== 'open') return;
    this.#flush();
    this.sink.send(encodeFrame({ messageId, ...this.#identity!, serial: this.#serial(), body }));
  }

  find(what: Finding['what'], detail: string, frame: Frame): void {
    if (this.#findings++ >= this.limits.loggedFrames) return;
    const end = Math.min(frame.end, frame.start + wireLimits.refusedBytes);
    this.sink.found({ what, detail, messageId: frame.messageId, bytes: frame.bytes.subarray(frame.start, end) });
  }

  admitted(facts: TerminalFacts, edition: Edition, fence: number): void {
    this.#edition = edition;
    this.#vehicle = vehiclePrefix(facts.vehicleId);
    this.#heardMs = this.#nowMs;
    this.#deadlineMs = this.#nowMs + this.limits.idleMs;
    this.#outstanding ??= new Outstanding(this.limits);
    this.#link = new SessionLink(facts, edition, this.#transport, fence, this);
    // The answer to 0x0102 goes out before anything that the link makes others send.
    this.#flush();
    this.sink.up(this.#link);
  }

  /** See {@link TerminalLink.write}. */
  write(deliveryId: string, messages: readonly OutgoingMessage[]): { serials: [number, number] } | undefined {
    const outstanding = this.#outstanding;
    if (this.#link === undefined || outstanding === undefined || !this.sink.canSend()) return undefined;
    const again = outstanding.written(deliveryId);
    if (again !== undefined) {
      this.sink.send(Buffer.concat(again.frames));
      return { serials: again.serials };
    }
    const frames = outstanding.add(deliveryId, messages, this.#identity!, () => this.#serial());
    if (frames === undefined) return undefined;
    this.sink.send(Buffer.concat(frames));
    return { serials: outstanding.written(deliveryId)!.serials };
  }

  /** See {@link TerminalLink.forget}. */
  forget(deliveryId: string): void {
    this.#outstanding?.drop(deliveryId);
  }

  #askForParts(): void {
    for (const { firstSerial, numbers } of this.#parts!.due(this.#nowMs)) {
      // 2011 has no such request; its terminals send again by themselves.
      if (this.#edition === 2011 || this.#state !== 'open') continue;
      const wide = this.#edition === 2019;
      const body = Buffer.alloc((wide ? 4 : 3) + 2 * numbers.length);
      body.writeUInt16BE(firstSerial, 0);
      if (wide) body.writeUInt16BE(numbers.length, 2);
      else body.writeUInt8(numbers.length, 2);
      numbers.forEach((number, i) => body.writeUInt16BE(number, (wide ? 4 : 3) + 2 * i));
      this.reply(0x8003, body);
    }
  }

  #serial(): number {
    const serial = this.#nextSerial;
    this.#nextSerial = (serial + 1) & 0xffff;
    return serial;
  }

  #flush(): void {
    if (this.#acks.size === 0) return;
    const bytes = this.#acks.take();
    if (this.#state === 'open') this.sink.send(bytes);
  }

  // ---- holding and reading

  #hold(frame: Frame): void {
    this.#heldBytes += frame.end - frame.start;
    if (this.#heldBytes > this.limits.heldBytes) return this.close('heldTooMuch');
    if (this.#held === noFrames) this.#held = [];
    this.#held.push(frame.copyContent());
    this.#pause(pausedHolding);
  }

  #dropHeld(): void {
    this.#held = noFrames;
    this.#heldBytes = 0;
  }

  /** Frames that waited for an answer go on, until one of them has to ask again. */
  #release(): void {
    if (this.#held.length > 0 && !this.#login.holding) {
      const held = this.#held;
      this.#dropHeld();
      const frame = new Frame();
      for (const content of held) {
        if (this.#state === 'closed') break;
        parseFrame(content, 0, content.length, frame);
        if (this.#login.holding) this.#hold(frame);
        else this.#take(frame);
      }
    }
    this.#flush();
    if (!this.#login.holding) this.#resume(pausedHolding);
  }

  #pause(why: number): void {
    if (this.#paused === 0) {
      this.counters.pauses++;
      this.sink.pauseReading();
    }
    this.#paused |= why;
  }

  #resume(why: number): void {
    if (this.#paused === 0) return;
    this.#paused &= ~why;
    if (this.#paused === 0 && this.#state !== 'closed') this.sink.resumeReading();
  }

  #detach(reason: CloseReason | 'loggedOut'): void {
    const link = this.#link;
    if (link === undefined) return;
    this.#link = undefined;
    this.#outstanding?.clear();
    this.sink.down(link, reason);
  }

  #end(reason: CloseReason): void {
    this.#state = 'closed';
    this.#dropHeld();
    this.#detach(reason);
  }
}

const noVehicle = new Uint8Array(1);
const noFrames: Uint8Array[] = [];
const noActions: AfterCommit[] = [];

class SessionLink implements TerminalLink {
  constructor(
    public facts: TerminalFacts,
    readonly edition: Edition,
    readonly transport: 'tcp' | 'tls',
    readonly fence: number,
    private readonly session: Session,
  ) {}

  get vehicleId() {
    return this.facts.vehicleId;
  }

  get phone() {
    return this.facts.phone;
  }

  get profile() {
    return this.facts.profile;
  }

  get options() {
    return this.facts.options;
  }

  write(deliveryId: string, messages: readonly OutgoingMessage[]) {
    return this.session.link === this ? this.session.write(deliveryId, messages) : undefined;
  }

  forget(deliveryId: string) {
    if (this.session.link === this) this.session.forget(deliveryId);
  }
}

function sameForm(a: Identity, b: Identity): boolean {
  return (
    a.versionFlag === b.versionFlag &&
    a.protocolVersion === b.protocolVersion &&
    Buffer.compare(a.phoneRaw, b.phoneRaw) === 0
  );
}

function word(frame: Frame, at: number): number {
  return (frame.bytes[frame.bodyStart + at]! << 8) | frame.bytes[frame.bodyStart + at + 1]!;
}

/** First four body bytes as a number (the media id of 0x0801), 0 where there are fewer. */
function dword(frame: Frame): number {
  return frame.bodyEnd - frame.bodyStart < 4 ? 0 : ((word(frame, 0) << 16) | word(frame, 2)) >>> 0;
}
