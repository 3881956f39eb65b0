/**
 * Every bound on what a peer can make the terminal gateway hold, do or wait for, with its reason. Bounds of the wire
 * format itself (frame size, garbage, sub-packages) are in `protocol/limits.ts`. Times are ms of gateway time.
 */
export interface GatewayLimits {
  /** From connect to a verified 0x0102. Cellular terminals need up to 20 s to register and authenticate; a client that sends a byte a minute is cut here. */
  readonly authenticateMs: number;
  /** Without a whole frame an authenticated connection is dead: more than three heartbeats of 60 s, and above the 180 s that many terminals use as longest report interval. */
  readonly idleMs: number;
  /** Wrong codes on one connection. Firmware retries the same code once or twice before it registers again. */
  readonly authenticationFailures: number;
  /** 0x0100 on one connection: a terminal needs one, a second after a lost answer. */
  readonly registrations: number;
  /** Frames answered with result 1 before authentication; a terminal that goes straight on sends a few, a flood is cut. */
  readonly unauthenticatedFrames: number;
  /** Frames with another terminal's number on one connection; a single one is firmware, a stream of them a relay or an attack. */
  readonly foreignFrames: number;
  /** Refused pieces before a connection's first sound frame: a terminal may begin in the middle of one, and lose a few bytes; most attacks end here, before they cost more than the connect. */
  readonly strangerCandidates: number;
  /** Bytes of such pieces: two of the largest frames with every byte escaped. */
  readonly strangerGarbageBytes: number;
  /** Frames that are refused for their body or id, of one connection, that are logged with their bytes; the rest is only counted. */
  readonly loggedFrames: number;
  /** Frames of one connection between arrival and commit. Terminals keep 1 to 20 in flight; past it the socket is not read. */
  readonly inFlightFrames: number;
  /** Bytes of frames kept while the directory is asked who the terminal is: one read of a socket (64 KiB) and a rest. */
  readonly heldBytes: number;
  /** Items of one connection that wait for the terminal's answer: one order-class item and a few commands. */
  readonly outstandingDeliveries: number;
  /** Frame bytes kept for retransmission of those items (a text or list is under 2 KiB, an upgrade part under 64 KiB). */
  readonly outstandingBytes: number;
  /** Body bytes of a message of many parts that are handed to a socket at once: orders that come meanwhile wait for no more. */
  readonly longWindowBytes: number;
  /** How often the next window is written where the terminal does not ask for it by confirming, ms. */
  readonly longPaceMs: number;
  /** How long such a message may stay unconfirmed after its last part: what waits in kernels and radio takes that long at 2 kB/s. */
  readonly longQuietMs: number;
  /** Terminals whose progress in such a message is remembered over a break of the connection (up to 8 KiB each). */
  readonly longTerminals: number;
  /** Bytes that a socket has not taken yet. A terminal that reads slower than 256 KiB behind does not come back in time. */
  readonly sendBytes: number;
  /** Sub-packaged messages of one connection whose missing parts are watched (the same number as the reassembler keeps). */
  readonly watchedMessages: number;
  /** Terminals whose unfinished messages are remembered over a break of the connection (a few 100 bytes each). */
  readonly watchedTerminals: number;
  /** How long an unfinished message may be resumed after its last part: a tunnel, a dead spot behind a building. */
  readonly resumeMs: number;
  /** Requests (0x8003, 0x8800) for missing parts of one message. */
  readonly missingRequests: number;
  /** How long an older connection of a taken-over terminal may still deliver what was on its way. */
  readonly supersededMs: number;
  /** How long a connection that we close may take to end by itself before it is destroyed. */
  readonly closingMs: number;

  /** Entry bytes waiting for one append, above which sockets are not read until it is done: 80,000 locations, about a second at full rate. */
  readonly groupSoftBytes: number;
  /** Entry bytes above which frames are dropped unanswered (terminals send again): every paused socket may still hand over one read. */
  readonly groupHardBytes: number;
  /** The same while the store fails: enough to notice that it works again, without pausing sockets, so heartbeats are answered. */
  readonly groupFailingBytes: number;
  /** Pause after the first failed append, doubled up to `appendRetryMaxMs`. */
  readonly appendRetryMs: number;
  readonly appendRetryMaxMs: number;

  /** Sockets of all terminals: at rest about 5 KiB each in the process and 4 KiB in the kernel, 900 MiB in all. */
  readonly connections: number;
  /** Sockets from one address. A carrier's gateway may stand for a whole fleet; a tenth of the total leaves room for others. */
  readonly connectionsPerAddress: number;
  /** Sockets from one address that have not authenticated: a fleet that comes back at once is let in in waves. */
  readonly unauthenticatedPerAddress: number;
  /** New sockets from one address in a second (burst of ten times that): accepting costs 40 µs of CPU each. */
  readonly connectsPerSecond: number;
  /** Addresses remembered for these counts. */
  readonly addresses: number;
  /** Terminals kept in the directory's cache (about 1 KiB each). */
  readonly cachedTerminals: number;
  /** Numbers known to be unknown, against lookups per frame of strangers. */
  readonly cachedStrangers: number;
  /** How long an unknown number stays unknown without a look. */
  readonly strangerMs: number;
  /** Lease of a terminal's session in the store, renewed at a third of it. */
  readonly leaseMs: number;
  /** Lease of a node on its own ingest log, renewed at a third of it: so long after its death others look after what it left. */
  readonly nodeLeaseMs: number;
  /** Two addresses within this time on one terminal are an alert (domain.md). */
  readonly takeOverAlertMs: number;
  /** Link commands (up, down, authenticated) that run at the same time against the store. */
  readonly linkCommands: number;
  /** Link commands that wait; a fleet of 50,000 that reconnects makes two each, newer ones replace older ones of the same vehicle. */
  readonly linkCommandsWaiting: number;

  /** Bytes of log groups that the reader takes at once: about 40,000 locations, some 100 ms of work. */
  readonly readBytes: number;
  /** Groups that the reader asks the store for at once (the store gives 1,000 at most). */
  readonly readGroups: number;
  /** How much longer the reader rests than its last batch took, so that under load batches grow until they are cheap. */
  readonly readRest: number;
  /** Longest rest of the reader; positions are that much late at full load, and a few ms otherwise. */
  readonly readRestMaxMs: number;
  /** Body bytes of unfinished sub-packaged messages of all terminals together in the reader. */
  readonly reassemblyBytes: number;
}

export const defaultLimits: GatewayLimits = {
  authenticateMs: 30_000,
  idleMs: 300_000,
  authenticationFailures: 3,
  registrations: 5,
  unauthenticatedFrames: 50,
  foreignFrames: 10,
  strangerCandidates: 5,
  strangerGarbageBytes: 8 * 1024,
  loggedFrames: 20,
  inFlightFrames: 512,
  heldBytes: 96 * 1024,
  outstandingDeliveries: 8,
  outstandingBytes: 256 * 1024,
  longWindowBytes: 32 * 1024,
  longPaceMs: 1_000,
  longQuietMs: 120_000,
  longTerminals: 1_000,
  sendBytes: 256 * 1024,
  watchedMessages: 4,
  watchedTerminals: 10_000,
  resumeMs: 600_000,
  missingRequests: 3,
  supersededMs: 5_000,
  closingMs: 3_000,
  groupSoftBytes: 8 * 1024 * 1024,
  groupHardBytes: 32 * 1024 * 1024,
  groupFailingBytes: 256 * 1024,
  appendRetryMs: 100,
  appendRetryMaxMs: 5_000,
  connections: 100_000,
  connectionsPerAddress: 10_000,
  unauthenticatedPerAddress: 5_000,
  connectsPerSecond: 500,
  addresses: 100_000,
  cachedTerminals: 100_000,
  cachedStrangers: 10_000,
  strangerMs: 10_000,
  leaseMs: 60_000,
  nodeLeaseMs: 10_000,
  takeOverAlertMs: 30_000,
  linkCommands: 16,
  linkCommandsWaiting: 100_000,
  readBytes: 4 * 1024 * 1024,
  readGroups: 1_000,
  readRest: 4,
  readRestMaxMs: 1_000,
  reassemblyBytes: 128 * 1024 * 1024,
};
