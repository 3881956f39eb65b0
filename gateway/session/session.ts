/**
 * A terminal's session on one connection: bytes, answers of the world and time in; calls of its {@link SessionSink} out.
 * It opens no socket, sets no timer, reads no clock and never waits, so the same code runs under sockets and under a
 * simulated network.
 *
 * Four kinds of methods: look (`phone`, `link`), tell (`received`, `committed`, `identified`, …, `tick`), command
 * (`supersede`, `close`, `write` through the link), ask (`nextDeadlineMs`). One chunk costs at most one `send`, and so
 * does one commit. Who the terminal is, is decided in login.ts; what its frames mean, in inbox.ts; what waits for the
 * store, in gate.ts; how bytes become frames, in reception.ts; how answers are written, in exchange.ts.
 */
import type { Frame } from '../../protocol/index.js';
import { tooMuchInFlight, type SessionContext } from './exchange.js';
import type { InboxHost } from './inbox.js';
import type { Edition, TerminalLink } from './link.js';
import { Login, type LoginHost } from './login.js';
import type { PartWatch } from './part-watch.js';
import { Reception } from './reception.js';
import { SessionLink, type LinkHost } from './session-link.js';
import type { CloseReason, RegistrationAnswer, SessionSink, TerminalFacts } from './sink.js';
import { restAfterMs } from './working.js';

export class Session extends Reception implements LoginHost, InboxHost, LinkHost {
  readonly #login: Login = new Login(this);
  #link: SessionLink | undefined = undefined;
  #heardMs: number;
  /** Authentication, silence, or the end of a superseded connection: whichever the state waits for. */
  #deadlineMs: number;

  constructor(context: SessionContext, sink: SessionSink, transport: 'tcp' | 'tls', nowMs: number) {
    super(context, sink, transport, nowMs);
    this.#heardMs = nowMs;
    this.#deadlineMs = nowMs + context.limits.authenticateMs;
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
    return this.state === 'closed';
  }

  /** When the last whole frame came, ms. */
  get heardMs(): number {
    return this.#heardMs;
  }

  // ---- tell

  /** Bytes from the peer, in any portions. Keeps no reference to `chunk`. */
  received(chunk: Uint8Array, nowMs: number): void {
    if (this.state === 'closed') return;
    this.nowMs = nowMs;
    this.readFrames(chunk);
    this.flush();
  }

  /** One group of this session's frames is durable, or is not; `entries` of them, the oldest. */
  committed(entries: number, durable: boolean, nowMs: number): void {
    this.nowMs = nowMs;
    const { gate, inbox } = this.work();
    const following = gate.settle(entries, durable, this);
    if (!durable) inbox.notDurable();
    for (const action of following) {
      if (action.do !== 'receipt') this.follow(action);
      else if (this.#link !== undefined) {
        this.#link.done(action.deliveryId);
        this.sink.receipt(this.#link, action.deliveryId, action.result);
      }
    }
    this.flush();
    if (gate.inFlight < this.limits.inFlightFrames / 2) this.resume(tooMuchInFlight);
  }

  /** Answer to `sink.identify`; `failed`: nobody could be asked, what waited for it stays unanswered. */
  identified(facts: TerminalFacts | undefined | 'failed', nowMs: number): void {
    this.nowMs = nowMs;
    this.#login.identified(facts);
    if (facts === 'failed') this.dropHeld();
    this.release();
  }

  /** Answer to `sink.register`. */
  registered(answer: RegistrationAnswer, nowMs: number): void {
    if (this.state !== 'open') return;
    this.nowMs = nowMs;
    this.#login.registered(answer);
    if (this.#link !== undefined) this.#link.facts = this.#login.facts!;
    this.flush();
  }

  /** Answer to `sink.claim`: the fence of the ownership. */
  claimed(fence: number | 'failed', nowMs: number): void {
    if (this.state !== 'open') return;
    this.nowMs = nowMs;
    this.#login.claimed(fence);
    this.release();
  }

  /** The terminal's file changed; undefined: it is gone. */
  factsChanged(facts: TerminalFacts | undefined, nowMs: number): void {
    const before = this.#login.facts;
    if (this.state !== 'open' || before === undefined) return;
    this.nowMs = nowMs;
    if (facts === undefined) return this.close('vehicleDeleted');
    if (facts.blocked) return this.close('blocked');
    if (facts.vehicleId !== before.vehicleId) return this.close('vehicleChanged');
    if (facts.rotatedAt !== before.rotatedAt) return this.close('codeRevoked');
    this.#login.fileIs(facts);
    if (this.#link === undefined) return;
    this.#link.facts = facts;
    const sameOptions = JSON.stringify(facts.options) === JSON.stringify(before.options);
    if (!sameOptions || facts.profile !== before.profile || facts.contested !== before.contested) {
      this.sink.changed(this.#link, facts.contested);
    }
  }

  /** Time passed. Cheap when nothing is due. */
  tick(nowMs: number): void {
    if (this.state === 'closed') return;
    this.nowMs = nowMs;
    if (this.working !== undefined) this.#look(nowMs);
    if (this.#link !== undefined && nowMs >= this.#link.nextMs()) this.#link.pump();
    if (nowMs < this.#deadlineMs) return;
    if (this.state === 'finishing') this.close('takenOver');
    else if (this.#link === undefined) this.close('notAuthenticated');
    else {
      // Moved here and not by every frame.
      this.#deadlineMs = this.#heardMs + this.limits.idleMs;
      if (nowMs >= this.#deadlineMs) this.close('idle');
    }
  }

  /** Asks for what is missing; gives back what a silent terminal does not need. */
  #look(nowMs: number): void {
    const working = this.working!;
    if (nowMs >= working.inbox.nextMs()) working.inbox.askForParts(nowMs);
    if (nowMs - this.#heardMs < restAfterMs || !working.isDone) return;
    this.working = undefined;
    this.restReading();
  }

  /** The peer or the network ended the connection. */
  ended(): void {
    if (this.state !== 'closed') this.#end('byTerminal');
  }

  // ---- ask

  /** Before this time `tick` has nothing to do that anybody waits for. */
  nextDeadlineMs(): number {
    if (this.state === 'closed') return Infinity;
    return Math.min(this.#deadlineMs, this.working?.inbox.nextMs() ?? Infinity, this.#link?.nextMs() ?? Infinity);
  }

  // ---- command

  /** A newer connection has the terminal: this one writes nothing more, and its late frames are still taken. */
  supersede(nowMs: number): void {
    if (this.state !== 'open') return;
    this.state = 'finishing';
    this.#deadlineMs = nowMs + this.limits.supersededMs;
    this.#detach('takenOver');
    this.sink.finish();
  }

  /** Ends the session and its connection. */
  close(reason: CloseReason): void {
    if (this.state === 'closed') return;
    this.flush();
    this.#end(reason);
    this.sink.close(reason);
  }

  // ---- frames, from the reception

  protected take(frame: Frame): void {
    const { forms, inbox } = this.work();
    if (!forms.isCurrent(frame) && !this.#newForm(frame)) return;
    if (this.#login.owner) {
      this.#heardMs = this.nowMs;
      inbox.take(frame);
      return;
    }
    if (this.#login.isNew) this.#login.ask(frame.phone);
    // The answer may have come at once.
    if (this.#login.holding) this.hold(frame);
    else this.#login.take(frame);
  }

  /** A frame with another header form than the one before it, or the first. @returns false when it is another terminal's */
  #newForm(frame: Frame): boolean {
    const { forms } = this.work();
    const own = forms.current;
    const foreign = own !== undefined && frame.phone !== this.phone;
    if (foreign) {
      // Answered in its own form, and then as if it had not come.
      forms.current = frame.identity();
      this.#login.foreign(frame);
      forms.current = own;
      return false;
    }
    this.takeForm(frame);
    this.edition = this.#login.editionOf(frame);
    return true;
  }

  // ---- what login, inbox and link do through the session

  admitted(facts: TerminalFacts, edition: Edition, fence: number): void {
    this.edition = edition;
    this.#heardMs = this.nowMs;
    this.#deadlineMs = this.nowMs + this.limits.idleMs;
    this.work().inbox.resume(this.context.partWatches.left(facts.phone));
    this.#link = new SessionLink(this, facts, edition, fence);
    // The answer to 0x0102 goes out before anything that the link makes others send.
    this.flush();
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
    return this.context.partWatches.of(this.phone);
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

  protected get vehicleId(): string {
    return this.#login.facts!.vehicleId;
  }

  protected get holding(): boolean {
    return this.#login.holding;
  }

  protected get inboxHost(): InboxHost {
    return this;
  }

  #detach(reason: CloseReason | 'loggedOut'): void {
    const link = this.#link;
    if (link === undefined) return;
    this.#link = undefined;
    link.ended = true;
    this.sink.down(link, reason);
  }

  #end(reason: CloseReason): void {
    this.state = 'closed';
    this.stopReading();
    this.#detach(reason);
  }
}
