import type { Downlink } from '../../protocol/index.js';
import type { ListEvent } from './dispatch-screen.js';
import type { Report, TerminalEvent } from './types.js';

/** What a wire tells its terminal. */
export interface WireHooks {
  /** Logged in: reports may be submitted. */
  online(now: number): void;
  /** The platform has it. `result` is that of 0x8001, 0 for a PUBACK. */
  confirmed(report: Report, result: number, now: number): void;
  event(event: TerminalEvent): void;
  /** A message for the dispatch application. */
  app(downlink: Downlink, now: number): void;
  /** 0x8300; false when this terminal has no display. */
  text(text: string, urgent: boolean, now: number): boolean;
  /** 0x8301; false when this terminal has no event list. */
  list(setting: number, items: ListEvent[], now: number): boolean;
  /** 0x8302; false when it cannot be asked. */
  question(serial: number, text: string, answers: { id: number; text: string }[], now: number): boolean;
  /** The newest position, for 0x8201. */
  lastReport(): Report | undefined;
  /** 0x8103 set the period of position reports. */
  setReportInterval(ms: number): void;
  /** 0x8105 with the command to restart. */
  restart(now: number): void;
}

/** One thing to be sent; `reportId` where an answer will be looked for. */
export interface Outgoing {
  bytes: Uint8Array;
  reportId?: number;
}

/**
 * One way to talk to a platform: JT/T 808 over a byte stream, or protobuf over MQTT. Bytes and time in, bytes out; no
 * socket, no timer.
 */
export interface Wire {
  readonly online: boolean;
  /** Positions that were sent and are not confirmed, those in batches included. */
  readonly waitingPositions: number;
  /** Other reports that were sent and are not confirmed. */
  readonly waitingBusiness: number;
  /** The largest number of positions that one batch may hold; 0 where there are no batches. */
  readonly batchSize: number;
  connected(now: number): void;
  /** The link is gone. Gives back what was not confirmed, oldest first. */
  closed(now: number): Report[];
  received(bytes: Uint8Array, now: number): void;
  /** Only while `online`. */
  submit(report: Report, now: number): void;
  tick(now: number): void;
  nextAt(): number;
  take(): Outgoing[];
  /** Why the wire wants the link closed, once. */
  takeClose(): string | undefined;
  /** Power was off: serials start again. */
  restart(): void;
  /** Another device takes its place (JT/T 808: another terminal id). */
  swapped?(): void;
  /** A publication was confirmed by the broker (MQTT). */
  acknowledged?(reportId: number, now: number): void;
}

/** Positions in a report; 0 for business. */
export function positionsIn(report: Report): number {
  if (report.kind === 'position') return 1;
  return report.kind === 'batch' ? report.items.length : 0;
}
