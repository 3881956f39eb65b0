/** A session without a network: everything that it does is recorded, everything that it asks is answered by the test. */
import { AckWriter, parseFrame } from '../../../protocol/index.js';
import { GatewayCounters } from '../../../gateway/counters.js';
import type { AppendOutcome } from '../../../gateway/ingest/committer.js';
import type { EntryKind } from '../../../gateway/ingest/entry.js';
import { defaultLimits, type GatewayLimits } from '../../../gateway/limits.js';
import { hashCode } from '../../../gateway/session/credentials.js';
import type { Edition, TerminalLink, TransportResult } from '../../../gateway/session/link.js';
import { LongSends } from '../../../gateway/session/long-send.js';
import { PartWatches } from '../../../gateway/session/part-watches.js';
import { Session } from '../../../gateway/session/session.js';
import type { Finding, RegistrationRequest, SessionSink, TerminalFacts } from '../../../gateway/session/sink.js';
import { Answers, authentication, type TerminalForm } from './frames.js';

export const options = { maxEvents: 32, maxTextBytes: 500, listUpdate: 'replace', maxLegs: 20 } as const;

export function factsFor(phone: string, codes: string[], more: Partial<TerminalFacts> = {}): TerminalFacts {
  const common = { vehicleId: `v-${phone}`, profile: 'smart', options, blocked: false, contested: false } as const;
  return { phone, codes: codes.map(hashCode), ...common, ...more };
}

export interface Appended {
  kind: EntryKind;
  edition: Edition;
  context: string | undefined;
  messageId: number;
  serial: number;
  body: Buffer;
}

export class SessionWorld implements SessionSink {
  nowMs = Date.UTC(2026, 2, 14, 1, 0, 0);
  readonly answers = new Answers();
  readonly appended: Appended[] = [];
  /** Entries of the current group, not told about yet. */
  waiting = 0;
  readonly asked: string[] = [];
  readonly registrations: RegistrationRequest[] = [];
  readonly claims: { facts: TerminalFacts; codeSha256: string; edition: Edition }[] = [];
  readonly codesUsed: string[] = [];
  readonly closed: string[] = [];
  readonly findings: string[] = [];
  readonly receipts: [string, TransportResult][] = [];
  readonly downs: string[] = [];
  /** Number of `send` calls. */
  sends = 0;
  reading = true;
  finished = false;
  taking: AppendOutcome = 'taken';
  sendable = true;
  link: TerminalLink | undefined;
  readonly counters = new GatewayCounters();
  readonly session: Session;

  constructor(limits: Partial<GatewayLimits> = {}) {
    const all = { ...defaultLimits, ...limits };
    const context = {
      limits: all,
      partWatches: new PartWatches(all),
      longSends: new LongSends(all.longTerminals),
      counters: this.counters,
      acks: new AckWriter(),
    };
    this.session = new Session(context, this, 'tcp', this.nowMs);
  }

  receive(...chunks: Uint8Array[]): void {
    for (const chunk of chunks) this.session.received(chunk, this.nowMs);
  }

  /** The open group becomes durable, or does not. */
  commit(durable = true): void {
    const entries = this.waiting;
    this.waiting = 0;
    if (entries > 0) this.session.committed(entries, durable, this.nowMs);
  }

  pass(ms: number): void {
    this.nowMs += ms;
    this.session.tick(this.nowMs);
  }

  /** Authenticates with `code`; every question on the way is answered. */
  login(form: TerminalForm, code = 'secret-code', serial = 1, more: Partial<TerminalFacts> = {}): void {
    this.receive(authentication(form, serial, code));
    this.session.identified(factsFor(form.phone, [code], more), this.nowMs);
    this.session.claimed(7, this.nowMs);
  }

  send(bytes: Uint8Array): void {
    this.sends++;
    this.answers.push(bytes);
  }
  canSend(): boolean {
    return this.sendable;
  }
  identify(phone: string): void {
    this.asked.push(phone);
  }
  register(request: RegistrationRequest): void {
    this.registrations.push(request);
  }
  claim(facts: TerminalFacts, codeSha256: string, edition: Edition): void {
    this.claims.push({ facts, codeSha256, edition });
  }
  codeUsed(_facts: TerminalFacts, codeSha256: string): void {
    this.codesUsed.push(codeSha256);
  }
  append(
    kind: EntryKind,
    edition: Edition,
    _vehicle: Uint8Array,
    context: string | undefined,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): AppendOutcome {
    if (this.taking === 'shed') return 'shed';
    const { messageId, serial, body } = parseFrame(bytes.slice(start, end));
    this.appended.push({ kind, edition, context, messageId, serial, body: Buffer.from(body) });
    this.waiting++;
    return this.taking;
  }
  pauseReading(): void {
    this.reading = false;
  }
  resumeReading(): void {
    this.reading = true;
  }
  up(link: TerminalLink): void {
    this.link = link;
  }
  down(_link: TerminalLink, reason: string): void {
    this.link = undefined;
    this.downs.push(reason);
  }
  receipt(_link: TerminalLink, deliveryId: string, result: TransportResult): void {
    this.receipts.push([deliveryId, result]);
  }
  changed(): void {}
  close(reason: string): void {
    this.closed.push(reason);
  }
  finish(): void {
    this.finished = true;
  }
  found({ what }: Finding): void {
    this.findings.push(what);
  }
}
