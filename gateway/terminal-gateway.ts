/**
 * Everything between terminals' sockets and dispatch, put together: the gate, the reader, the directory, the registry
 * and the listeners. MQTT and the delivery loop use the same parts.
 */
import { AckWriter } from '../protocol/index.js';
import type { DispatchPort } from '../dispatch/ports.js';
import type { ConnectionContext } from './connection.js';
import { GatewayCounters } from './counters.js';
import { Directory } from './directory.js';
import { FindingsLog } from './findings-log.js';
import { AlarmWatch } from './ingest/alarm-watch.js';
import { ClockOffsets, clockOffsetsMax } from './ingest/clock-offsets.js';
import { Committer } from './ingest/committer.js';
import { LogOwnership } from './ingest/log-ownership.js';
import { defaultLimits, type GatewayLimits } from './limits.js';
import { LinkReports } from './link-reports.js';
import { wordLog, type Logger } from './log.js';
import type { DeliveryLoop } from './session/link.js';
import { LongSends } from './session/long-send.js';
import { PartWatches } from './session/part-watches.js';
import { endStaleLinks, SessionRegistry } from './sessions.js';
import { MAX_TAPS, Taps } from './taps.js';
import { TerminalListeners, type TcpListenerOptions } from './tcp.js';

export interface TerminalGatewayOptions {
  dispatch: DispatchPort;
  /** Name of this node among those on one store. */
  node: string;
  enrolment: 'known' | 'open';
  deliveries: DeliveryLoop;
  /** Cryptographic randomness. */
  random: (bytes: number) => Uint8Array;
  log: Logger;
  limits?: Partial<GatewayLimits>;
  counters?: GatewayCounters;
  /** Take the vendor framing variants of JT/T 808 too (reference 1.11). */
  vendorFraming?: boolean;
  /** Runs a call after what is being read now; `setImmediate` unless simulated. */
  soon?: (call: () => void) => void;
}

export interface TerminalGateway {
  readonly counters: GatewayCounters;
  readonly limits: GatewayLimits;
  readonly committer: Committer;
  readonly directory: Directory;
  readonly registry: SessionRegistry;
  /** What connections are made with, for those that come by another way than a listener. */
  readonly context: ConnectionContext;
  /** Who listens in on terminals (`linecrew tail`). */
  readonly taps: Taps;
  /** What the tables that peers can grow hold now, and may hold (absent: the vehicles on file), by the name of the limit. */
  held(): Record<HeldTable, { now: number; most?: number }>;
  /** Opens a port for terminals; gives the port taken. */
  listen(options: TcpListenerOptions): Promise<number>;
  /** Resolves when what this node had logged at the call is applied: reads see it then. */
  caughtUp(): Promise<void>;
  /** Ends connections, lets what is logged be applied, tells dispatch that the links are down. */
  stop(): Promise<void>;
}

/** Limits that bound a table which is no queue of its own counter. */
export type HeldTable =
  | 'connections'
  | 'addresses'
  | 'cachedTerminals'
  | 'cachedStrangers'
  | 'watchedTerminals'
  | 'longTerminals'
  | 'tails'
  | 'clockOffsets'
  | 'alarmedVehicles';

/** Puts the gateway together and starts its reader; listeners open with `listen`. */
export async function startTerminalGateway(options: TerminalGatewayOptions): Promise<TerminalGateway> {
  const { dispatch, node, enrolment, deliveries, random, log } = options;
  const { clock, store } = dispatch;
  const limits: GatewayLimits = { ...defaultLimits, ...options.limits };
  const counters = options.counters ?? new GatewayCounters();
  const quiet = wordLog(log);

  const directory = new Directory({ dispatch, limits, enrolment, random, log: quiet });
  const reports = new LinkReports(dispatch, limits, quiet, counters);
  const registry = new SessionRegistry({
    dispatch,
    directory,
    reports,
    deliveries,
    node,
    limits,
    counters,
    log: quiet,
  });
  const offsets = new ClockOffsets(
    (phone, ms) => reports.report(`clock:${phone}`, { type: 'link.clockOffset', phone, ms }),
    dispatch.clock.rate,
  );
  const alarms = new AlarmWatch();
  const start = Buffer.from(random(4)).toString('hex');
  const ownership = new LogOwnership({
    dispatch,
    node,
    instance: `${node}.${start}`,
    limits,
    counters,
    offsets,
    alarms,
    log: quiet,
    gone: async (other) => {
      const vehicles = await endStaleLinks(dispatch, other, 'nodeGone');
      if (vehicles > 0) log.info({ node: other, vehicles, msg: 'links of a node that is gone ended' });
    },
    thoughtGone: () => registry.sayAllUp(),
  });
  const committer = new Committer({
    log: store,
    node,
    limits,
    counters,
    now: () => clock.now(),
    ...(options.soon === undefined ? {} : { soon: options.soon }),
    after: (ms, call) => void clock.after(ms, call),
    appended: (sequence, urgent) => ownership.own.appended(sequence, urgent),
    failed: (error) => log.error({ err: error, msg: 'nothing is confirmed: the ingest log cannot be written' }),
  });
  const context: ConnectionContext = {
    clock,
    limits,
    counters,
    committer,
    directory,
    registry,
    acks: new AckWriter(),
    partWatches: new PartWatches(limits),
    longSends: new LongSends(limits.longTerminals),
    vendorFraming: options.vendorFraming ?? false,
    findings: new FindingsLog(log, () => clock.now(), counters),
    taps: new Taps(),
    log,
  };
  const listeners = new TerminalListeners(context, `${node}.${start}.`);

  const stale = await endStaleLinks(dispatch, node);
  if (stale > 0) log.info({ vehicles: stale, msg: 'links of an earlier run ended' });
  await directory.start((phone) => registry.fileChanged(phone));
  await alarms.start(dispatch);
  await ownership.start();

  return {
    counters,
    limits,
    committer,
    directory,
    registry,
    context,
    taps: context.taps,
    held() {
      const { terminals, strangers } = directory.cached;
      return {
        connections: { now: listeners.open, most: limits.connections },
        addresses: { now: listeners.addresses, most: limits.addresses },
        cachedTerminals: { now: terminals, most: limits.cachedTerminals },
        cachedStrangers: { now: strangers, most: limits.cachedStrangers },
        watchedTerminals: { now: context.partWatches.size, most: limits.watchedTerminals },
        tails: { now: context.taps.size, most: MAX_TAPS },
        clockOffsets: { now: offsets.size, most: clockOffsetsMax },
        alarmedVehicles: { now: alarms.size },
        longTerminals: { now: context.longSends.size, most: limits.longTerminals },
      };
    },
    listen: (listener) => listeners.listen(listener),
    caughtUp: () => ownership.own.caughtUp(),
    async stop() {
      await committer.drained();
      await listeners.close();
      await committer.drained();
      reports.stop();
      await Promise.all([ownership.stop(), reports.drained()]);
      alarms.stop();
      directory.stop();
    },
  };
}
