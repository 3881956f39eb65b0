/** One TCP or TLS connection of a terminal: performs what its session decides, and tells it what happens. */
import type { Socket } from 'node:net';
import { count } from './counters.js';
import type { Directory } from './directory.js';
import { Refusal } from '../dispatch/domain/tx.js';
import type { Clock } from '../dispatch/ports.js';
import type { FindingsLog } from './findings-log.js';
import type { Appender, AppendOutcome, Committer } from './ingest/committer.js';
import type { EntryKind } from './ingest/entry.js';
import type { Logger } from './log.js';
import type { SessionContext } from './session/exchange.js';
import type { Edition, TerminalLink, TransportResult } from './session/link.js';
import { Session } from './session/session.js';
import type { CloseReason, Finding, RegistrationRequest, SessionSink, TerminalFacts } from './session/sink.js';
import type { OwnedConnection, SessionRegistry } from './sessions.js';
import type { Taps } from './taps.js';

/** What all connections of a listener share. */
export interface ConnectionContext extends SessionContext {
  readonly clock: Clock;
  readonly committer: Committer;
  readonly directory: Directory;
  readonly registry: SessionRegistry;
  readonly findings: FindingsLog;
  readonly taps: Taps;
  readonly log: Logger;
}

/** Who opened the connections. */
export interface ConnectionHome {
  /** Begin of connection ids; unique among nodes and starts. */
  readonly idPrefix: string;
  /** The connection has proved who it is; called once. */
  authenticated(connection: TerminalConnection): void;
  /** Its socket is gone: `ended` is to be called, unless nobody is there any more to be told. */
  gone(connection: TerminalConnection): void;
}

/** Where a socket carries its connection: one function serves an event of all sockets, and none of them has closures. */
const ofSocket = Symbol('connection');
type TerminalSocket = Socket & { [ofSocket]: TerminalConnection };

function onData(this: Socket, chunk: Buffer): void {
  (this as TerminalSocket)[ofSocket].received(chunk);
}

function onError(this: Socket, error: Error): void {
  (this as TerminalSocket)[ofSocket].failed(error);
}

function onClose(this: Socket): void {
  (this as TerminalSocket)[ofSocket].gone();
}

const nothing = new Uint8Array();

export class TerminalConnection implements SessionSink, Appender, OwnedConnection {
  group = 0;
  slot = 0;
  readonly session: Session;
  /** Set once, when it has proved who it is. */
  isAuthenticated = false;
  /** Set by {@link close}: when the socket is destroyed if it has not ended by then, ms. */
  #destroyAt: number | undefined = undefined;
  #closeReason: CloseReason | undefined = undefined;
  /** While somebody listens in: what came before the first number. */
  #early: Uint8Array | undefined = undefined;

  constructor(
    private readonly context: ConnectionContext,
    private readonly home: ConnectionHome,
    private readonly socket: Socket,
    private readonly number: number,
    readonly address: string,
    transport: 'tcp' | 'tls',
  ) {
    this.session = new Session(context, this, transport, context.clock.now());
    (socket as TerminalSocket)[ofSocket] = this;
    socket.on('data', onData);
    socket.on('error', onError);
    socket.on('close', onClose);
  }

  get id(): string {
    return `${this.home.idPrefix}${this.number}`;
  }

  get transport(): 'tcp' | 'tls' {
    return this.session.transport;
  }

  get heardMs(): number {
    return this.session.heardMs;
  }

  get closed(): boolean {
    return this.session.closed;
  }

  // ---- what the socket says

  received(chunk: Uint8Array): void {
    const { taps, clock } = this.context;
    if (taps.any) {
      if (this.session.phone === '') this.#keepEarly(chunk);
      else this.#tap('in', chunk);
    }
    this.session.received(chunk, clock.now());
  }

  failed(error: Error): void {
    const { id: connection, address } = this;
    this.context.log.debug({ connection, address, terminal: this.session.phone, err: error, msg: 'socket error' });
  }

  gone(): void {
    this.home.gone(this);
  }

  /** The socket is gone. */
  ended(): void {
    this.session.ended();
    this.context.registry.gone(this, this.session.phone);
    count(this.context.counters.closed, this.#closeReason ?? 'byTerminal');
  }

  tick(nowMs: number): void {
    if (this.#destroyAt !== undefined && nowMs >= this.#destroyAt) this.socket.destroy();
    else this.session.tick(nowMs);
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Lets the kernel look after a silent peer. */
  keepAlive(initialDelayMs: number): void {
    this.socket.setKeepAlive(true, initialDelayMs);
  }

  // ---- what the registry and the committer say

  committed(entries: number, durable: boolean, nowMs: number): void {
    this.session.committed(entries, durable, nowMs);
  }

  supersede(nowMs: number): void {
    this.#closeReason = 'takenOver';
    this.session.supersede(nowMs);
  }

  factsChanged(facts: TerminalFacts | undefined, nowMs: number): void {
    this.session.factsChanged(facts, nowMs);
  }

  // ---- what the session does

  send(bytes: Uint8Array): void {
    const { socket } = this;
    if (!socket.writable) return;
    if (this.context.taps.any) this.#tap('out', bytes);
    socket.write(bytes);
    if (socket.writableLength > this.context.limits.sendBytes) this.session.close('slowReader');
  }

  /** Who it is stands in the first frame: until that is whole, its bytes wait, so that a login is seen from its begin. */
  #keepEarly(chunk: Uint8Array): void {
    this.#early = Buffer.concat([this.#early ?? nothing, chunk]).subarray(-this.context.limits.strangerGarbageBytes);
  }

  #tap(direction: 'in' | 'out', bytes: Uint8Array): void {
    this.context.taps.tell(this.session.phone, { direction, connection: this.id, bytes, form: 'jt808' });
  }

  canSend(): boolean {
    return this.socket.writable && !this.socket.writableNeedDrain;
  }

  identify(phone: string): void {
    const { directory, clock, log } = this.context;
    if (this.#early !== undefined) this.#tap('in', this.#early);
    this.#early = undefined;
    const fail = (error: unknown): void => {
      log.warn({ connection: this.id, terminal: phone, err: error, msg: 'the directory could not be asked' });
      this.session.identified('failed', clock.now());
    };
    const found = directory.lookup(phone);
    if (found instanceof Promise) found.then((facts) => this.session.identified(facts, clock.now()), fail);
    else this.session.identified(found, clock.now());
  }

  register(request: RegistrationRequest): void {
    const { directory, clock, log, findings } = this.context;
    directory.register(request, this.address).then(
      (answer) => {
        const { phone: terminal, edition } = request;
        const answered = answer === 'failed' || answer.result === 0 ? {} : { reason: answer.reason };
        const result = answer === 'failed' ? answer : answer.result;
        findings.registration({ terminal, address: this.address, edition, result, ...answered });
        this.session.registered(answer, clock.now());
      },
      (error: unknown) => {
        log.warn({ terminal: request.phone, err: error, msg: 'a registration could not be decided' });
        this.session.registered('failed', clock.now());
      },
    );
  }

  claim(facts: TerminalFacts, codeSha256: string, edition: Edition): void {
    const { registry, clock, log } = this.context;
    registry.claim(this, facts, codeSha256, edition).then(
      (fence) => {
        this.session.claimed(fence ?? 'failed', clock.now());
        // It may have ended while the claim was on its way.
        if (this.session.link === undefined) registry.gone(this, facts.phone);
      },
      (error: unknown) => {
        if (!(error instanceof Refusal))
          log.warn({ terminal: facts.phone, err: error, msg: 'a terminal could not be claimed' });
        this.session.claimed('failed', clock.now());
      },
    );
  }

  codeUsed(facts: TerminalFacts, codeSha256: string, edition: Edition): void {
    const { directory, log } = this.context;
    directory.codeUsed(facts, codeSha256, edition).catch((error: unknown) => {
      // The older codes stay valid a while longer; the next authentication says it again.
      log.warn({ terminal: facts.phone, err: error, msg: 'the use of a code could not be recorded' });
    });
  }

  append(
    kind: EntryKind,
    edition: Edition,
    vehicle: Uint8Array,
    context: string | undefined,
    bytes: Uint8Array,
    start: number,
    end: number,
    nowMs: number,
    vendorHeader: boolean,
  ): AppendOutcome {
    const { committer } = this.context;
    return committer.append(this, kind, edition, vehicle, context, bytes, start, end, nowMs, vendorHeader);
  }

  pauseReading(): void {
    this.socket.pause();
  }

  resumeReading(): void {
    this.socket.resume();
  }

  up(link: TerminalLink): void {
    if (!this.isAuthenticated) {
      this.isAuthenticated = true;
      this.home.authenticated(this);
    }
    this.context.registry.up(this, link);
  }

  down(link: TerminalLink, reason: CloseReason | 'loggedOut'): void {
    this.context.registry.down(this, link, reason);
  }

  receipt(link: TerminalLink, deliveryId: string, result: TransportResult): void {
    this.context.registry.receipt(this, link, deliveryId, result);
  }

  changed(link: TerminalLink, contested: boolean): void {
    this.context.registry.changed(this, link, contested);
  }

  close(reason: CloseReason): void {
    const { log, limits, clock } = this.context;
    this.#closeReason = reason;
    const { id: connection, address } = this;
    log.debug({ connection, address, terminal: this.session.phone, reason, msg: 'connection closed' });
    // What it has not read by now it does not read; a peer that misbehaves gets no further courtesy.
    if (reason === 'slowReader' || reason === 'garbage') this.socket.destroy();
    else {
      this.#destroyAt = clock.now() + limits.closingMs;
      this.socket.end();
      // Reading goes on, or the peer's end would never be seen; the session takes nothing any more.
      this.socket.resume();
    }
  }

  finish(): void {
    this.socket.end();
  }

  found(finding: Finding): void {
    const { id: connection, address, session } = this;
    this.context.findings.write(finding, { connection, address, terminal: session.phone });
  }
}
