/**
 * What the terminal gateway counts: plain numbers, read by `/metrics`. Counts only grow; those named in `gauges` below
 * go up and down.
 */
export class GatewayCounters {
  connectionsAccepted = 0;
  /** Refused at accept: too many in all, from one address, or too fast. */
  connectionsRefused = 0;
  /** Open sockets (gauge). */
  connectionsOpen = 0;
  /** Authenticated sessions that own their terminal (gauge). */
  terminalsOnline = 0;
  /** Closed connections by reason. */
  readonly closed: Record<string, number> = {};

  bytesReceived = 0;
  framesReceived = 0;
  /** Pieces between flags that are no frame, by error code. */
  readonly framesRefused: Record<string, number> = {};
  /** Frames that were read although something is wrong with them, by warning. */
  readonly framesTolerated: Record<string, number> = {};
  /** Valid frames of a known terminal with a body that is wrong (answered with result 2, quarantined). */
  framesMalformed = 0;
  /** Frames with an id that is not known, or encrypted (answered with result 3). */
  framesUnsupported = 0;
  /** Frames before authentication (answered with result 1). */
  framesUnauthenticated = 0;
  /** Frames with another terminal's number. */
  framesForeign = 0;
  /** Frames dropped without an answer because too much waits for the store. */
  framesShed = 0;

  registrationsAccepted = 0;
  registrationsRefused = 0;
  authenticationsAccepted = 0;
  authenticationsRefused = 0;
  takeOvers = 0;

  /** Entries handed to the ingest log. */
  entriesAppended = 0;
  /** Entries whose group is durable. */
  entriesDurable = 0;
  /** Entries of groups that could not be made durable: not confirmed. */
  entriesNotDurable = 0;
  groupsDurable = 0;
  groupsFailed = 0;
  groupBytes = 0;
  /** Time that appends took, ms. */
  appendMs = 0;
  /** Entry bytes waiting for an append or in one (gauge). */
  bytesWaiting = 0;
  /** Sockets that are not read for back-pressure; how often that began. */
  pauses = 0;

  /** Last sequence that this node appended, and that was applied (gauges). */
  sequenceAppended = 0;
  sequenceApplied = 0;
  positionsApplied = 0;
  reportsApplied = 0;
  /** Entries that the reader could make nothing of: quarantined and skipped. */
  entriesPoisoned = 0;
  /** Groups of the log that could not be read back: damaged on the disk. */
  groupsMissing = 0;
  /** Sub-packaged messages that were given up with parts missing. */
  messagesIncomplete = 0;
  /** Bytes of sub-packaged messages that lack parts (gauge). */
  partsBytes = 0;
  applyFailures = 0;

  /** Links that went up or down and that dispatch has not been told of (gauge); dropped because too many wait. */
  linkReportsWaiting = 0;
  linkReportsDropped = 0;

  /** Lines about findings and registrations that were left out of the log. */
  logLinesLeftOut = 0;
}

/** Adds one under `key`. Keys are codes from closed lists, so the record stays small. */
export function count(record: Record<string, number>, key: string): void {
  record[key] = (record[key] ?? 0) + 1;
}
