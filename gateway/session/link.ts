/**
 * The seam between terminal sessions (TCP, MQTT) and the delivery loop. A session that has proved who it is attaches a
 * {@link TerminalLink}; the loop writes items through it and is told what the terminal answered.
 */
import type { ProfileName, TerminalOptions } from '../../dispatch/domain/model.js';

export type Edition = 2011 | 2013 | 2019;

/** One message of an item. A JT/T 808 link frames it (and splits it); an MQTT link publishes `body` and ignores the rest. */
export interface OutgoingMessage {
  /** JT/T 808 message id, e.g. 0x8300; 0 for MQTT. */
  readonly messageId: number;
  /** Encoded body in the edition of the link; may be longer than one frame. */
  readonly body: Uint8Array;
  /**
   * Id of the dedicated reply that answers it (0x0104 for 0x8104, …); default 0x0001. With a dedicated reply, a 0x0001
   * with result 0 says only "received" and does not end the item; another result does.
   */
  readonly answeredBy?: number;
  /** Written a window at a time and resumed after a break of the connection; the only message of its item. */
  readonly inWindows?: true;
}

/** 0x0001 result 0, 1, 2, 3 (JT/T 808 2.6 of the reference). */
export type TransportResult = 'ok' | 'refused' | 'malformed' | 'unsupported';

/** An authenticated terminal that can be written to. One object for one connection; its facts may change meanwhile. */
export interface TerminalLink {
  readonly vehicleId: string;
  /** Terminal number without leading zeros. */
  readonly phone: string;
  readonly profile: ProfileName;
  readonly edition: Edition;
  readonly options: TerminalOptions;
  readonly transport: 'tcp' | 'tls' | 'mqtt';
  /** Increases with every authentication of the terminal on any node: a higher one is a later owner. */
  readonly fence: number;
  /**
   * Writes an item. The first call gives the messages serials of this connection; a further call with the same
   * `deliveryId` repeats the very same bytes (a retransmission keeps its serial) and ignores `messages`.
   * @returns first and last serial, or undefined when nothing was written: the link is closing, its socket is not
   * drained, or `limits.outstandingDeliveries` items wait for answers. Try again later.
   */
  write(
    deliveryId: string,
    messages: readonly OutgoingMessage[],
  ): { serials: [first: number, last: number] } | undefined;
  /** True while a long item is still being written, or its terminal confirms parts of it: no answer is missed yet. */
  isBusyWith?(deliveryId: string): boolean;
  /** How far a long item is, in parts; undefined: it is none, or not written on this link. */
  progressOf?(deliveryId: string): { done: number; of: number } | undefined;
  /** The item needs no answer any more (cancelled, superseded, set aside): its frames and serials are dropped. */
  forget(deliveryId: string): void;
}

/** Implemented by `gateway/deliveries`; all calls are synchronous notices and must not throw. */
export interface DeliveryLoop {
  /** After authentication. A terminal has at most one attached link on a node; a newer one detaches the older first. */
  attach(link: TerminalLink): void;
  /** The link ended or lost its ownership; nothing can be written to it any more. */
  detach(link: TerminalLink): void;
  /**
   * Every message of the item was answered, or one was refused, and that answer is durable in the ingest log: stop
   * retransmitting. What it means for the order arrives through the reader (`report.receipt` with `deliveryId`).
   */
  receipt(link: TerminalLink, deliveryId: string, result: TransportResult): void;
  /** The facts of an attached terminal changed: read `profile` and `options` of the link again. */
  changed(link: TerminalLink): void;
}
