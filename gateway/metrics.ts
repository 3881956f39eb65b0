/** `/metrics`: the gateway's counters as Prometheus reads them, taken at each scrape. */
import { collectDefaultMetrics, Counter, Gauge, type Registry } from 'prom-client';
import type { DispatchPort } from '../dispatch/ports.js';
import type { GatewayCounters } from './counters.js';
import type { TerminalGateway } from './terminal-gateway.js';

/** Counters that go up and down. */
const GAUGES: Partial<Record<keyof GatewayCounters, string>> = {
  connectionsOpen: 'open sockets of terminals',
  terminalsOnline: 'authenticated sessions that own their terminal',
  bytesWaiting: 'entry bytes that wait for an append or are in one',
  partsBytes: 'bytes of sub-packaged messages that lack parts',
  linkReportsWaiting: 'links that went up or down and that dispatch has not been told of',
  sequenceAppended: 'last group of the ingest log that is durable',
  sequenceApplied: 'last group of the ingest log that the reader applied',
};

const COUNTERS: Partial<Record<keyof GatewayCounters, string>> = {
  connectionsAccepted: 'connections accepted',
  connectionsRefused: 'connections refused at accept',
  bytesReceived: 'bytes from terminals',
  framesReceived: 'sound frames',
  framesMalformed: 'frames with a wrong body, answered with result 2',
  framesUnsupported: 'frames with an unknown id or encrypted, answered with result 3',
  framesUnauthenticated: 'frames before authentication',
  framesForeign: 'frames with another terminal’s number',
  framesShed: 'frames dropped unanswered because the store was too slow',
  registrationsAccepted: 'registrations accepted',
  registrationsRefused: 'registrations refused',
  authenticationsAccepted: 'authentications accepted',
  authenticationsRefused: 'authentications refused',
  takeOvers: 'terminals taken over by a newer connection',
  entriesAppended: 'uplinks handed to the ingest log',
  entriesDurable: 'uplinks made durable and confirmed',
  entriesNotDurable: 'uplinks not made durable and not confirmed',
  groupsDurable: 'group commits',
  groupsFailed: 'group commits that failed',
  groupBytes: 'bytes of group commits',
  appendMs: 'time that group commits took, ms',
  pauses: 'times that reading was paused for back-pressure',
  positionsApplied: 'positions applied to the state',
  reportsApplied: 'business reports applied to the state',
  entriesPoisoned: 'uplinks that the reader could make nothing of',
  messagesIncomplete: 'sub-packaged messages given up with parts missing',
  groupsMissing: 'groups of the ingest log that were damaged on the disk and are lost',
  applyFailures: 'failed tries to apply a batch',
  linkReportsDropped: 'reports of links dropped because too many waited',
  logLinesLeftOut: 'lines about findings and registrations left out of the log',
};

const LABELLED: Partial<Record<keyof GatewayCounters, [label: string, help: string]>> = {
  closed: ['reason', 'connections closed'],
  framesRefused: ['code', 'pieces between flags that are no frame'],
  framesTolerated: ['warning', 'frames read although something is wrong with them'],
};

/** `linecrew_gateway_frames_received_total` for `framesReceived`. */
const nameOf = (key: string, suffix = ''): string =>
  `linecrew_gateway_${key.replace(/[A-Z]/g, (c) => '_' + c.toLowerCase())}${suffix}`;

export function registerMetrics(
  registry: Registry,
  { dispatch, terminals }: { dispatch: DispatchPort; terminals: TerminalGateway },
): void {
  collectDefaultMetrics({ register: registry, prefix: 'linecrew_' });
  const { counters } = terminals;
  const registers = [registry];
  for (const [key, help] of entriesOf(GAUGES)) {
    new Gauge({ name: nameOf(key), help, registers, collect() { this.set(counters[key] as number); } }); // prettier-ignore
  }
  for (const [key, help] of entriesOf(COUNTERS)) {
    // A counter is set at the scrape from a number that only grows.
    new Counter({ name: nameOf(key, '_total'), help, registers, collect() { this.reset(); this.inc(counters[key] as number); } }); // prettier-ignore
  }
  for (const [key, [label, help]] of entriesOf(LABELLED)) {
    new Counter({
      name: nameOf(key, '_total'), help, registers, labelNames: [label],
      collect() {
        this.reset();
        for (const [value, count] of Object.entries(counters[key] as Record<string, number>)) this.inc({ [label]: value }, count);
      },
    }); // prettier-ignore
  }
  for (const [which, help] of [
    ['now', 'entries of tables that peers can grow, by their limit'],
    ['most', 'most entries of these tables'],
  ] as const) {
    new Gauge({
      name: `linecrew_gateway_held${which === 'now' ? '' : '_max'}`, help, registers, labelNames: ['limit'],
      collect() {
        for (const [limit, table] of Object.entries(terminals.held())) {
          const value = table[which];
          if (value !== undefined) this.set({ limit }, value);
        }
      },
    }); // prettier-ignore
  }
  new Gauge({
    name: 'linecrew_event_log_position', help: 'last position of the event log', registers,
    async collect() { this.set(await dispatch.store.lastPosition()); },
  }); // prettier-ignore
  new Gauge({ name: 'linecrew_clock_rate', help: 'gateway seconds in a second', registers }).set(dispatch.clock.rate);
}

function entriesOf<V>(table: Partial<Record<keyof GatewayCounters, V>>): [keyof GatewayCounters, V][] {
  return Object.entries(table) as [keyof GatewayCounters, V][];
}
