/**
 * What a session does to the world, and what the world answers. A session calls its sink synchronously and never
 * waits; answers come back through the session's own methods. The TCP shell is one sink, the simulated network of the
 * tests another.
 */
import type { ProfileName, TerminalIdentity, TerminalOptions } from '../../dispatch/domain/model.js';
import type { AppendOutcome } from '../ingest/committer.js';
import type { EntryKind } from '../ingest/entry.js';
import type { Edition, TerminalLink, TransportResult } from './link.js';

/** What a session knows of a terminal. */
export interface TerminalFacts {
  /** Number without leading zeros. */
  readonly phone: string;
  readonly vehicleId: string;
  readonly profile: ProfileName;
  readonly options: TerminalOptions;
  /** As its registration said, if there was one. */
  readonly edition?: Edition;
  /** SHA-256 (hex) of the authentication codes that are valid now. */
  readonly codes: readonly string[];
  /** The only valid code, where it has been used: using it again changes nothing on file. */
  readonly settledCode?: string;
  readonly blocked: boolean;
  /** When its codes and secret were last taken back: who came with one from before must come again. */
  readonly rotatedAt?: number;
  /** Two connections fight for it: neither replaces the other, and no orders go to it. */
  readonly contested: boolean;
}

/** 0x0100, as the directory needs it. */
export interface RegistrationRequest {
  readonly phone: string;
  readonly identity: TerminalIdentity;
  readonly edition: Edition;
  readonly plate: string;
}

/** Answer to {@link RegistrationRequest}; `failed`: nobody could be asked, the terminal gets no answer. */
export type RegistrationAnswer =
  | { readonly result: 0; readonly code: string; readonly facts: TerminalFacts }
  /** The reason is for the log, in words: 0x8100 has no room for one. */
  | { readonly result: 1 | 2 | 3 | 4; readonly reason: string }
  | 'failed';

/** Why a connection is closed. */
export type CloseReason =
  | 'notAuthenticated'
  | 'idle'
  | 'authenticationRefused'
  | 'tooManyRegistrations'
  | 'unauthenticatedTraffic'
  | 'foreignTraffic'
  | 'garbage'
  | 'heldTooMuch'
  | 'slowReader'
  | 'blocked'
  | 'takenOver'
  | 'vehicleChanged'
  | 'vehicleDeleted'
  | 'codeRevoked'
  | 'shutdown'
  | 'tooManyConnections'
  | 'byTerminal'
  | 'error';

/** Something about the bytes of a terminal that a person may want to see. */
export interface Finding {
  readonly what:
    | 'refusedFrame'
    | 'malformed'
    | 'unknownMessage'
    | 'encrypted'
    | 'foreignNumber'
    | 'notAuthenticated'
    | 'wrongCode'
    | 'unmatchedAnswer';
  readonly detail: string;
  readonly messageId?: number;
  /** The bytes, at most 256; valid only during the call. */
  readonly bytes?: Uint8Array;
}

export interface SessionSink {
  /** Bytes for the terminal, in order; the array belongs to the sink from now on. */
  send(bytes: Uint8Array): void;
  /** True while the peer takes what is sent; deliveries wait otherwise. */
  canSend(): boolean;
  /** Asks who this number is: answered by `identified`. */
  identify(phone: string): void;
  /** Asks for a registration: answered by `registered`. */
  register(request: RegistrationRequest): void;
  /** The terminal proved who it is with this code; makes this connection its owner: answered by `claimed`. */
  claim(facts: TerminalFacts, codeSha256: string, edition: Edition): void;
  /** The owner of the terminal used another of its codes: the older ones die. No answer. */
  codeUsed(facts: TerminalFacts, codeSha256: string, edition: Edition): void;
  /** Puts a frame through the gate: answered by `committed`, once per group. */
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
  ): AppendOutcome;
  /** Stop or go on reading from the peer. */
  pauseReading(): void;
  resumeReading(): void;
  /** The session can be written to, or not any more. */
  up(link: TerminalLink): void;
  down(link: TerminalLink, reason: CloseReason | 'loggedOut'): void;
  /** An answer to an item is durable. */
  receipt(link: TerminalLink, deliveryId: string, result: TransportResult): void;
  /** Profile, options or contest changed while the link is up. */
  changed(link: TerminalLink, contested: boolean): void;
  /** Ends the connection after what was sent. The session takes nothing any more. */
  close(reason: CloseReason): void;
  /** Sends what is left and lets the peer end; the session still takes what arrives. */
  finish(): void;
  found(finding: Finding): void;
}
