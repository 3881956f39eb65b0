/**
 * A terminal's session on one connection: bytes, answers of the world and time in; calls of its {@link SessionSink} out.
 * It opens no socket, sets no timer, reads no clock and never waits, so the same code runs under sockets and under a
 * simulated network.
 *
 * Four kinds of methods: look (`phone`, `link`), tell (`received`, `committed`, `identified`, …, `tick`), command
 * (`supersede`, `close`, `write` through the link), ask (`nextDeadlineMs`). One chunk costs at most one `send`, and so
 * does one commit. Who the terminal is, is decided in login.ts; what its frames mean, in inbox.ts; what waits for the
 * store, in gate.ts.
 */
import {
  AckWriter,
  answerSentence,
  encodeBody,
  encodeFrame,
  type Frame,
  FrameSplitter,
  limits as wireLimits,
  parseFrame,
  vendorRules,
  type FrameRefusal,
  type FrameSink,
  type HeaderRules,
  type Identity,
} from '../../protocol/index.js';
import { count, type GatewayCounters } from '../counters.js';
import { vehiclePrefix, type EntryKind } from '../ingest/entry.js';
import type { GatewayLimits } from '../limits.js';
import { Gate, type AfterCommit } from './gate.js';
import { HeaderForms } from './header-forms.js';
import { Inbox, type InboxHost } from './inbox.js';
import type { Edition, TerminalLink } from './link.js';
import type { LongSends } from './long-send.js';
import { Login, type LoginHost } from './login.js';
import type { PartWatch } from './part-watch.js';
import type { PartWatches } from './part-watches.js';
import { SessionLink, type LinkHost } from './session-link.js';
import type { CloseReason, Finding, RegistrationAnswer, SessionSink, TerminalFacts } from './sink.js';

export interface SessionOptions {
  readonly sink: SessionSink;
  readonly limits: GatewayLimits;
  readonly counters: GatewayCounters;
  /** Joins the answers of one turn. One may serve all sessions of a thread: it is empty whenever a session returns. */
  readonly acks: AckWriter;
  readonly transport: 'tcp' | 'tls';
  /** Unfinished messages over breaks of connections; one for all sessions of a node. */
  readonly partWatches: PartWatches;
  /** Progress of long messages over breaks of connections; one for all sessions of a node. */
  readonly longSends: LongSends;
  /** Take the vendor framing variants too: the first byte of a connection tells (reference 1.11). */
  readonly vendorFraming?: boolean | undefined;
  readonly nowMs: number;
}

/** Why reading is paused, as bits. */
const holding = 1;
const tooMuchInFlight = 2;

export class Session implements FrameSink, LoginHost, InboxHost, LinkHost {
  readonly sink: SessionSink;
  readonly limits: GatewayLimits;
  readonly counters: GatewayCounters;
  readonly longSends: LongSends;
  /** Time of the newest call, ms. */
  nowMs: number;
  edition: Edition = 2013;

  #acks: AckWriter;
  readonly #transport: 'tcp' | 'tls';
  readonly #partWatches: PartWatches;
  #splitter: FrameSplitter;
  readonly #vendorFraming: boolean;
  /** How the headers of this connection are read again: 7 bytes of identity in the vendor framing. */
  #rules: HeaderRules | undefined;
  readonly #forms = new HeaderForms();
  readonly #login: Login = new Login(this);
  readonly #inbox: Inbox = new Inbox(this);
  readonly #gate = new Gate();
  #link: SessionLink | undefined;
  #state: 'open' | 'finishing' | 'closed' = 'open';
  #nextSerial = 0;
  #vehicle: Uint8Array = noVehicle;
  #held: Uint8Array[] = noFrames;
  #heldBytes = 0;
  #paused = 0;
  #findings = 0;
  #heardMs: number;
  /** Authentication, silence, or the end of a superseded connection: whichever the state waits for. */
  #deadlineMs: number;

  constructor(options: SessionOptions) {
    const { sink, limits, counters, acks, transport, partWatches, longSends, vendorFraming, nowMs } = options;
    this.sink = sink;
    this.limits = limits;
    this.counters = counters;
    this.#acks = acks;
    this.#transport = transport;
    this.#partWatches = partWatches;
    this.longSends = longSends;
    this.#vendorFraming = vendorFraming ?? false;
    this.#splitter = new FrameSplitter(vendorFraming ? { sentences: true, shortSerial: true } : {});
    this.nowMs = nowMs;
    this.#heardMs = nowMs;
    this.#deadlineMs = nowMs + limits.authenticateMs;
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
    return this.#gate.inFlight;
  }

  // ---- tell

  /** Bytes from the peer, in any portions. Keeps no reference to `chunk`. */
  received(chunk: Uint8Array, nowMs: number): void {
    if (this.#state === 'closed') return;
    this.nowMs = nowMs;
    this.counters.bytesReceived += chunk.length;
    if (this.#vendorFraming && this.#splitter.totalBytes === 0 && chunk[0] === vendorFlag) this.#speakVendor();
    this.#splitter.push(chunk, this);
    this.#endGarbage();
    this.#flush();
  }

  /** One group of this session's frames is durable, or is not; `entries` of them, the oldest. */
  committed(entries: number, durable: boolean, nowMs: number): void {
    this.nowMs = nowMs;
    const following = this.#gate.settle(entries, durable, this.#answer);
    if (!durable) this.#inbox.notDurable();
    for (const action of following) this.#follow(action);
    this.#flush();
    if ((this.#paused & tooMuchInFlight) !== 0 && this.#gate.inFlight < this.limits.inFlightFrames / 2) {
      this.#resume(tooMuchInFlight);
    }
  }

  /** Answer to `sink.identify`; `failed`: nobody could be asked, what waited for it stays unanswered. */
  identified(facts: TerminalFacts | undefined | 'failed', nowMs: number): void {
    this.nowMs = nowMs;
    this.#login.identified(facts);
    if (facts === 'failed') this.#dropHeld();
    this.#release();
  }

  /** Answer to `sink.register`. */
  registered(answer: RegistrationAnswer, nowMs: number): void {
    if (this.#state !== 'open') return;
    this.nowMs = nowMs;
    this.#login.registered(answer);
    if (this.#link !== undefined) this.#link.facts = this.#login.facts!;
    this.#flush();
  }

  /** Answer to `sink.claim`: the fence of the ownership. */
  claimed(fence: number | 'failed', nowMs: number): void {
    if (this.#state !== 'open') return;
    this.nowMs = nowMs;
    this.#login.claimed(fence);
    this.#release();
  }

  /** The terminal's file changed; undefined: it is gone. */
  factsChanged(facts: TerminalFacts | undefined, nowMs: number): void {
    const before = this.#login.facts;
    if (this.#state !== 'open' || before === undefined) return;
    this.nowMs = nowMs;
    if (facts === undefined) return this.close('vehicleDeleted');
    if (facts.blocked) return this.close('blocked');
    if (facts.vehicleId !== before.vehicleId) return this.close('vehicleChanged');
    if (facts.rotatedAt !== before.rotatedAt) return this.close('codeRevoked');
    this.#login.facts = facts;
    if (this.#link === undefined) return;
    this.#link.facts = facts;
    const sameOptions = JSON.stringify(facts.options) === JSON.stringify(before.options);
    if (!sameOptions || facts.profile !== before.profile || facts.contested !== before.contested) {
      this.sink.changed(this.#link, facts.contested);
    }
  }

  /** Time passed. Cheap when nothing is due. */
  tick(nowMs: number): void {
    if (this.#state === 'closed') return;
    this.nowMs = nowMs;
    if (nowMs >= this.#inbox.nextMs()) this.#inbox.askForParts(nowMs);
    if (this.#link !== undefined && nowMs >= this.#link.nextMs()) this.#link.pump();
    if (nowMs < this.#deadlineMs) return;
    if (this.#state === 'finishing') this.close('takenOver');
    else if (this.#link === undefined) this.close('notAuthenticated');
    else {
      // Moved here and not by every frame.
      this.#deadlineMs = this.#heardMs + this.limits.idleMs;
      if (nowMs >= this.#deadlineMs) this.close('idle');
    }
  }

  /** The peer or the network ended the connection. */
  ended(): void {
    if (this.#state !== 'closed') this.#end('byTerminal');
  }

  // ---- ask

  /** Before this time `tick` has nothing to do. */
  nextDeadlineMs(): number {
    if (this.#state === 'closed') return Infinity;
    return Math.min(this.#deadlineMs, this.#inbox.nextMs(), this.#link?.nextMs() ?? Infinity);
  }

  // ---- command

  /** A newer connection has the terminal: this one writes nothing more, and its late frames are still taken. */
  supersede(nowMs: number): void {
    if (this.#state !== 'open') return;
    this.#state = 'finishing';
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

  // ---- frames, from the splitter

  frame(frame: Frame): void {
    if (this.#state === 'closed') return;
    this.counters.framesReceived++;
    if (frame.warning !== undefined) count(this.counters.framesTolerated, frame.warning);
    if (this.#login.holding) this.#hold(frame);
    else this.#take(frame);
  }

  /** A text sentence of an electronic lock: some ask for the time. */
  sentence(text: string): void {
    const answer = answerSentence(text, this.nowMs);
    if (answer !== undefined) this.send(Buffer.from(answer, 'latin1'));
  }

  #speakVendor(): void {
    this.#splitter = new FrameSplitter({ framing: 'e7' });
    this.#acks = new AckWriter('e7');
    this.#rules = vendorRules;
  }

  refused(error: FrameRefusal): void {
    count(this.counters.framesRefused, error.code);
    if (this.#findings++ < this.limits.loggedFrames) {
      this.sink.found({ what: 'refusedFrame', detail: error.message, bytes: error.bytes });
    }
    this.#endGarbage();
  }

  /** A peer that has shown no sound frame yet is given up sooner, and in the middle of a chunk. */
  #endGarbage(): void {
    const { badCandidates, garbageBytes } = this.#splitter;
    const stranger = this.#forms.current === undefined;
    const candidatesMax = stranger ? this.limits.strangerCandidates : wireLimits.badCandidates;
    const bytesMax = stranger ? this.limits.strangerGarbageBytes : wireLimits.garbageBytes;
    if (badCandidates >= candidatesMax || garbageBytes >= bytesMax) this.close('garbage');
  }

  #take(frame: Frame): void {
    if (!this.#forms.isCurrent(frame) && !this.#newForm(frame)) return;
    if (this.#login.owner) {
      this.#heardMs = this.nowMs;
      this.#inbox.take(frame);
      return;
    }
    if (this.#login.isNew) this.#login.ask(frame.phone);
    // The answer may have come at once.
    if (this.#login.holding) this.#hold(frame);
    else this.#login.take(frame);
  }

  /** A frame with another header form than the one before it, or the first. @returns false when it is another terminal's */
  #newForm(frame: Frame): boolean {
    const own = this.#forms.current;
    const foreign = own !== undefined && frame.phone !== this.phone;
    if (foreign) {
      // Answered in its own form, and then as if it had not come.
      this.#forms.current = frame.identity();
      this.#login.foreign(frame);
      this.#forms.current = own;
      return false;
    }
    this.#forms.take(frame);
    this.edition = this.#login.editionOf(frame);
    return true;
  }

  // ---- what login, inbox and link do through the session

  append(kind: EntryKind, edition: Edition, context: string | undefined, frame: Frame, result: number): boolean {
    const { bytes, start, end } = frame;
    const outcome = this.sink.append(
      kind,
      edition,
      this.#vehicle,
      context,
      bytes,
      start,
      end,
      this.nowMs,
      this.#rules !== undefined,
    );
    if (outcome === 'shed') return false;
    this.#gate.appended(frame.messageId, frame.serial, result, this.#forms.index);
    if (outcome === 'takenFull' || this.#gate.inFlight >= this.limits.inFlightFrames) this.#pause(tooMuchInFlight);
    return true;
  }

  after(action: AfterCommit): void {
    this.#gate.after(action);
  }

  acknowledge(messageId: number, serial: number, result: number): void {
    if (this.#state === 'open') this.#acks.append(this.identity, this.nextSerial(), messageId, serial, result);
  }

  reply(messageId: number, body: Uint8Array): void {
    if (this.#state !== 'open') return;
    this.#flush();
    this.sink.send(encodeFrame({ messageId, ...this.identity, serial: this.nextSerial(), body }));
  }

  send(bytes: Uint8Array): void {
    if (this.#state === 'open') this.sink.send(bytes);
  }

  canSend(): boolean {
    return this.#state === 'open' && this.sink.canSend();
  }

  find(what: Finding['what'], detail: string, frame: Frame): void {
    if (this.#findings++ >= this.limits.loggedFrames) return;
    const end = Math.min(frame.end, frame.start + wireLimits.refusedBytes);
    this.sink.found({ what, detail, messageId: frame.messageId, bytes: frame.bytes.subarray(frame.start, end) });
  }

  admitted(facts: TerminalFacts, edition: Edition, fence: number): void {
    this.edition = edition;
    this.#vehicle = vehiclePrefix(facts.vehicleId);
    this.#heardMs = this.nowMs;
    this.#deadlineMs = this.nowMs + this.limits.idleMs;
    this.#inbox.resume(this.#partWatches.left(facts.phone));
    this.#link = new SessionLink(this, facts, edition, this.#transport, fence);
    // The answer to 0x0102 goes out before anything that the link makes others send.
    this.#flush();
    this.sink.up(this.#link);
  }

  register(frame: Frame): void {
    this.#login.register(frame);
  }

  authenticate(frame: Frame): void {
    this.#login.authenticate(frame);
  }

  logOut(): void {
    this.#login.loggedOut();
    this.#deadlineMs = this.nowMs + this.limits.authenticateMs;
    this.#detach('loggedOut');
  }

  partWatch(): PartWatch {
    return this.#partWatches.of(this.phone);
  }

  editionOf(frame: Frame): Edition {
    return this.#login.editionOf(frame);
  }

  writeOn(): void {
    this.#link?.pump(true);
  }

  get outstanding() {
    return this.#link?.outstanding;
  }

  get identity(): Identity {
    return this.#forms.current!;
  }

  nextSerial(): number {
    const serial = this.#nextSerial;
    this.#nextSerial = (serial + 1) & 0xffff;
    return serial;
  }

  readonly #answer = (form: number, messageId: number, serial: number, result: number): void => {
    if (this.#state !== 'open') return;
    this.#acks.append(this.#forms.at(form), this.nextSerial(), messageId, serial, result);
  };

  #follow(action: AfterCommit): void {
    if (action.do === 'mediaComplete') {
      const { mediaId, packetSerial: replySerial } = action;
      const inPackets = replySerial !== undefined;
      const body = inPackets ? { replySerial, mediaId, missing: [] } : { mediaId };
      this.reply(0x8800, encodeBody('mediaAnswer', inPackets ? 2011 : 2013, body));
      return;
    }
    if (action.do === 'send') return this.send(action.bytes);
    const link = this.#link;
    if (link === undefined) return;
    link.done(action.deliveryId);
    this.sink.receipt(link, action.deliveryId, action.result);
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
    this.#pause(holding);
  }

  #dropHeld(): void {
    this.#held = noFrames;
    this.#heldBytes = 0;
  }

  /** Frames that waited for an answer go on, until one of them has to ask again. */
  #release(): void {
    if (!this.#login.holding) {
      const held = this.#held;
      this.#dropHeld();
      for (const content of held) {
        if (this.#state === 'closed') break;
        const frame = parseFrame(content, 0, content.length, undefined, this.#rules);
        if (this.#login.holding) this.#hold(frame);
        else this.#take(frame);
      }
    }
    this.#flush();
    if (!this.#login.holding) this.#resume(holding);
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
    link.ended = true;
    this.sink.down(link, reason);
  }

  #end(reason: CloseReason): void {
    this.#state = 'closed';
    this.#splitter.stop();
    this.#dropHeld();
    this.#detach(reason);
  }
}

/** First byte of a connection in the vendor framing. */
const vendorFlag = 0xe7;
const noVehicle = new Uint8Array(1);
const noFrames: Uint8Array[] = [];
