/** One TCP or TLS connection of a terminal: performs what its session decides, and tells it what happens. */
import type { Socket } from 'node:net';
import type { AckWriter } from '../protocol/index.js';
import { count, type GatewayCounters } from './counters.js';
import type { Directory } from './directory.js';
import { Refusal } from '../dispatch/domain/tx.js';
import type { Clock } from '../dispatch/ports.js';
import type { FindingsLog } from './findings-log.js';
import type { Appender, AppendOutcome, Committer } from './ingest/committer.js';
import type { EntryKind } from './ingest/entry.js';
import type { GatewayLimits } from './limits.js';
import type { Logger } from './log.js';
import type { Edition, TerminalLink, TransportResult } from './session/link.js';
import type { LongSends } from './session/long-send.js';
import type { PartWatches } from './session/part-watches.js';
import { Session } from './session/session.js';
import type { CloseReason, Finding, RegistrationRequest, SessionSink, TerminalFacts } from './session/sink.js';
import type { OwnedConnection, SessionRegistry } from './sessions.js';
import type { Taps } from './taps.js';

/** What all connections of a listener share. */
export interface ConnectionContext {
  readonly clock: Clock;
  readonly limits: GatewayLimits;
  readonly counters: GatewayCounters;
  readonly committer: Committer;
  readonly directory: Directory;
  readonly registry: SessionRegistry;
  readonly acks: AckWriter;
  readonly partWatches: PartWatches;
  readonly longSends: LongSends;
  /** See `SessionOptions`. */
  readonly vendorFraming?: boolean;
  readonly findings: FindingsLog;
  readonly taps: Taps;
  readonly log: Logger;
}

export class TerminalConnection implements SessionSink, Appender, OwnedConnection {
  group = 0;
  slot = 0;
  readonly session: Session;
  /** Set by {@link close}: when the socket is destroyed if it has not ended by then, ms. */
  destroyAt = Infinity;
  #closeReason: CloseReason | undefined;

  constructor(
    private readonly context: ConnectionContext,
    private readonly socket: Socket,
    readonly id: string,
    readonly address: string,
    readonly transport: 'tcp' | 'tls',
    /** Called once, when the connection has proved who it is. */
    private readonly authenticated: () => void,
  ) {
    const { limits, counters, acks, partWatches, longSends, vendorFraming, clock } = context;
    this.session = new Session({
      sink: this,
      limits,
      counters,
      acks,
      transport,
      partWatches,
      longSends,
      vendorFraming,
      nowMs: clock.now(),
    });
    socket.on('data', (chunk: Buffer) => {
      if (context.taps.any) this.#tap('in', chunk);
      this.session.received(chunk, clock.now());
    });
    socket.on('error', (error) => {
      context.log.debug({ connection: id, address, terminal: this.session.phone, err: error, msg: 'socket error' });
    });
  }

  get heardMs(): number {
    return this.session.heardMs;
  }

  get closed(): boolean {
    return this.session.closed;
  }

  /** The socket is gone. */
  ended(): void {
    this.session.ended();
    this.context.registry.gone(this, this.session.phone);
    count(this.context.counters.closed, this.#closeReason ?? 'byTerminal');
  }

  tick(nowMs: number): void {
    if (nowMs >= this.destroyAt) this.socket.destroy();
    else this.session.tick(nowMs);
  }

  destroy(): void {
    this.socket.destroy();
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

  #tap(direction: 'in' | 'out', bytes: Uint8Array): void {
    this.context.taps.tell(this.session.phone, { direction, connection: this.id, bytes, form: 'jt808' });
  }

  canSend(): boolean {
    return this.socket.writable && !this.socket.writableNeedDrain;
  }

  identify(phone: string): void {
    const { directory, clock, log } = this.context;
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
        const result = answer === 'failed' ? answer : answer.result;
        findings.line('info', {
          terminal: request.phone,
          address: this.address,
          edition: request.edition,
          result,
          msg: 'registration',
        });
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
    this.authenticated();
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
      this.destroyAt = clock.now() + limits.closingMs;
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
