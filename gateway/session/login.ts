/**
 * How a connection comes to belong to a terminal (reference 2.1 to 2.4): the first frame's number says who it claims to
 * be, 0x0100 gets a code from the directory, 0x0102 proves it. Until then every other frame is answered with result 1,
 * on which firmware registers again.
 */
import { DecodeError, decodeBody, detectEdition, type Frame } from '../../protocol/index.js';
import type { GatewayCounters } from '../counters.js';
import type { GatewayLimits } from '../limits.js';
import { matchCode } from './credentials.js';
import type { Edition } from './link.js';
import type { CloseReason, Finding, RegistrationAnswer, SessionSink, TerminalFacts } from './sink.js';

/** What the login does through its session. */
export interface LoginHost {
  readonly sink: SessionSink;
  readonly limits: GatewayLimits;
  readonly counters: GatewayCounters;
  /** 0x8001 for this frame, at once. */
  acknowledge(messageId: number, serial: number, result: number): void;
  reply(messageId: number, body: Uint8Array): void;
  find(what: Finding['what'], detail: string, frame: Frame): void;
  close(reason: CloseReason): void;
  /** The connection owns its terminal now. */
  admitted(facts: TerminalFacts, edition: Edition, fence: number): void;
}

/**
 * - `new`: no number yet; `asking`: the directory is asked who it is; `stranger`: nobody on file;
 * - `known`: on file, not proved; `claiming`: proved, ownership is being taken; `owner`: the session may work.
 */
type Phase = 'new' | 'asking' | 'stranger' | 'known' | 'claiming' | 'owner';

export class Login {
  #phase: Phase = 'new';
  phone = '';
  facts: TerminalFacts | undefined;
  /** Of short headers, which do not say it themselves; the registration or the file tells. */
  #edition: Edition | undefined;
  /** Serial of the 0x0100 that is being answered, or -1. */
  #registering = -1;
  #authenticating = -1;
  #code = '';
  #registrations = 0;
  #failures = 0;
  #unauthenticated = 0;
  #foreign = 0;

  constructor(private readonly host: LoginHost) {}

  /** While true, frames wait: what they mean depends on an answer that is on its way. */
  get holding(): boolean {
    return this.#phase === 'asking' || this.#phase === 'claiming';
  }

  get owner(): boolean {
    return this.#phase === 'owner';
  }

  editionOf(frame: Frame): Edition {
    return detectEdition(frame, this.#edition ?? this.facts?.edition);
  }

  /** No number yet, or nobody could be asked about it: the next frame asks. */
  get isNew(): boolean {
    return this.#phase === 'new';
  }

  /** The number of the first frame says who the connection claims to be. */
  ask(phone: string): void {
    this.#phase = 'asking';
    this.phone = phone;
    this.host.sink.identify(phone);
  }

  /** Another terminal's number: refused, a connection speaks for one terminal (reference 8.1, trap 14). */
  foreign(frame: Frame): void {
    const { counters, limits } = this.host;
    counters.framesForeign++;
    this.host.find('foreignNumber', `number ${frame.phone} on the connection of ${this.phone}`, frame);
    if (frame.messageId !== 0x0001) this.host.acknowledge(frame.messageId, frame.serial, 1);
    if (++this.#foreign >= limits.foreignFrames) this.host.close('foreignTraffic');
  }

  /** A frame of a connection that is not an owner yet (and is not holding). */
  take(frame: Frame): void {
    if (frame.messageId === 0x0100) return this.register(frame);
    if (frame.messageId === 0x0102 && this.facts !== undefined) return this.authenticate(frame);
    const { counters, limits } = this.host;
    counters.framesUnauthenticated++;
    if (frame.messageId === 0x0102) counters.authenticationsRefused++;
    this.host.find(
      'notAuthenticated',
      this.facts === undefined ? 'a number that is not on file' : 'not authenticated',
      frame,
    );
    // 0x0001 is itself an answer and never answered.
    if (frame.messageId !== 0x0001) this.host.acknowledge(frame.messageId, frame.serial, 1);
    if (++this.#unauthenticated >= limits.unauthenticatedFrames) this.host.close('unauthenticatedTraffic');
  }

  /** 0x0100: at any time, also on a connection that is authenticated. */
  register(frame: Frame): void {
    const { limits, sink } = this.host;
    // One question at a time: a terminal that repeats it meanwhile gets the one answer.
    if (this.#registering >= 0) return;
    if (++this.#registrations > limits.registrations) return this.host.close('tooManyRegistrations');
    const edition = detectEdition(frame);
    const body = registrationOf(frame, edition);
    if (body instanceof DecodeError) {
      this.host.find('malformed', body.message, frame);
      this.host.acknowledge(frame.messageId, frame.serial, 2);
      return;
    }
    this.#edition = edition;
    this.#registering = frame.serial;
    const { maker, model, terminalId, plate } = body;
    sink.register({ phone: this.phone, identity: { maker, model, terminalId }, edition, plate });
  }

  registered(answer: RegistrationAnswer): void {
    const serial = this.#registering;
    this.#registering = -1;
    if (serial < 0 || answer === 'failed') return;
    const { counters } = this.host;
    const code = answer.result === 0 ? Buffer.from(answer.code, 'latin1') : Buffer.alloc(0);
    if (answer.result === 0) {
      counters.registrationsAccepted++;
      this.fileIs(answer.facts);
      if (this.#phase === 'stranger') this.#phase = 'known';
    } else counters.registrationsRefused++;
    this.host.reply(0x8100, Buffer.concat([Buffer.of(serial >> 8, serial & 255, answer.result), code]));
  }

  /** 0x0102. On a connection that is authenticated already it changes nothing, but is answered truly. */
  authenticate(frame: Frame): void {
    const { counters, limits, sink } = this.host;
    const facts = this.facts!;
    const edition = this.editionOf(frame);
    const matched = facts.blocked ? undefined : matchCode(tokenOf(frame, edition), facts.codes);
    if (matched === undefined) {
      counters.authenticationsRefused++;
      this.host.find('wrongCode', facts.blocked ? 'the terminal is blocked' : 'the code is not valid', frame);
      this.host.acknowledge(frame.messageId, frame.serial, 1);
      if (++this.#failures >= limits.authenticationFailures) this.host.close('authenticationRefused');
      return;
    }
    if (this.#phase === 'owner') {
      this.host.acknowledge(frame.messageId, frame.serial, 0);
      if (matched !== this.#code) sink.codeUsed(facts, matched, edition);
      this.#code = matched;
      return;
    }
    this.#edition = edition;
    this.#code = matched;
    this.#authenticating = frame.serial;
    this.#phase = 'claiming';
    sink.claim(facts, matched, edition);
  }

  /** The directory knows the number, does not, or could not be asked (then the next frame asks again). */
  identified(facts: TerminalFacts | undefined | 'failed'): void {
    if (this.#phase !== 'asking') return;
    if (facts === 'failed') this.#phase = 'new';
    else {
      this.#phase = facts === undefined ? 'stranger' : 'known';
      if (facts !== undefined) this.fileIs(facts);
    }
  }

  /** The terminal's file, new or changed. One copy of each text is enough: those of the file, which others share. */
  fileIs(facts: TerminalFacts): void {
    this.facts = facts;
    this.phone = facts.phone;
    this.#code = facts.codes.find((code) => code === this.#code) ?? this.#code;
  }

  /** @param fence of the ownership; `failed`: it could not be taken, the terminal gets no answer and tries again */
  claimed(fence: number | 'failed'): void {
    if (this.#phase !== 'claiming') return;
    if (fence === 'failed') {
      this.#phase = 'known';
      return;
    }
    this.#phase = 'owner';
    this.#failures = 0;
    this.#unauthenticated = 0;
    this.host.counters.authenticationsAccepted++;
    this.host.acknowledge(0x0102, this.#authenticating, 0);
    this.host.admitted(this.facts!, this.#edition!, fence);
  }

  /** 0x0003: what comes next must be authenticated again. */
  loggedOut(): void {
    this.#phase = 'known';
  }
}

function registrationOf(frame: Frame, edition: Edition) {
  try {
    const message = decodeBody(0x0100, edition, frame.body);
    if (message?.name !== 'register') throw new Error('0x0100 is not declared as a registration');
    return message.body;
  } catch (error) {
    if (error instanceof DecodeError) return error;
    throw error;
  }
}

/** The code of a 0x0102, empty where the body is broken: no code is empty. */
function tokenOf(frame: Frame, edition: Edition): string {
  try {
    const message = decodeBody(0x0102, edition, frame.body);
    return message?.name === 'authenticate' ? message.body.token : '';
  } catch (error) {
    if (error instanceof DecodeError) return '';
    throw error;
  }
}
