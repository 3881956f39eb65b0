import type { City } from '../city.js';
import type { Place } from '../geo.js';
import { habitsByName, type Habits } from '../habits.js';
import { Radio, radioByName } from '../radio.js';
import type { Random } from '../random.js';
import type { RosterEntry } from '../roster.js';
import { Jt808Wire } from '../terminal/jt808-wire.js';
import { MqttWire } from '../terminal/mqtt-wire.js';
import { Terminal } from '../terminal/terminal.js';
import type { TerminalOptions } from '../terminal/options.js';
import type { ScreenStep } from '../terminal/types.js';
import { Vehicle } from '../vehicle.js';
import type { FleetClock } from './clock.js';
import type { FleetOptions } from './fleet-options.js';
import { FleetTerminal } from './fleet-terminal.js';
import type { Link, LinkEvents } from './link.js';
import { MqttLink } from './mqtt-link.js';
import type { OsrmWays } from './osrm.js';
import { TcpLink } from './tcp-link.js';

/** What all terminals of a fleet share. */
export interface FleetSurroundings {
  options: FleetOptions;
  city: City;
  clock: FleetClock;
  osrm: OsrmWays | undefined;
  /** A terminal wants to be woken at this gateway time. */
  wakeAt: (index: number, at: number) => void;
  /** A crew without keys says something over the radio. */
  says: (step: ScreenStep, number: string) => void;
}

/** One vehicle of a fleet: terminal, truck, crew, radio and link. `index` is its place in the fleet. */
export function makeTerminal(
  around: FleetSurroundings,
  entry: RosterEntry,
  index: number,
  random: Random,
): FleetTerminal {
  const { options, city, clock, osrm } = around;
  const now = clock.now();
  const habits = habitsOf(options.crews);
  const vehicle = new Vehicle({
    city,
    random,
    terminal: deviceOf(options, city, entry, random),
    habits,
    says: around.says,
    reports: options.reports ?? true,
    patrols: options.patrols ?? (habits !== undefined || options.routes !== undefined),
    ...beatOf(options, index),
    ...(osrm === undefined ? {} : { ways: osrm.between }),
    now,
    ...(entry.start === undefined ? {} : { start: entry.start }),
    ...(options.gpsErrorM === undefined ? {} : { gpsErrorM: options.gpsErrorM }),
  });
  const conditions = typeof options.radio === 'object' ? options.radio : radioByName[options.radio ?? 'perfect'];
  const radio = new Radio(conditions, random.stream('radio'), now);
  const [first, longest] = options.reconnectS ?? [1, 60];
  const jitter = random.stream('jitter');
  return new FleetTerminal({
    entry,
    vehicle,
    radio,
    clock,
    link: (events) => linkOf(options, entry, radio, clock, events),
    reconnectMs: [first * 1000, longest * 1000],
    wakeAt: (at) => around.wakeAt(index, at),
    onEvent: (one, event) => options.onEvent?.(one, event),
    jitter: () => jitter.next(),
  });
}

function deviceOf(options: FleetOptions, city: City, entry: RosterEntry, random: Random): Terminal {
  const offset = (options.clockOffsetS ?? 0) * 1000;
  const { maxLegs, blindMemory, keepsScreen } = options;
  const memory: Partial<TerminalOptions> = {
    ...(maxLegs === undefined ? {} : { maxLegs }),
    ...(blindMemory === undefined ? {} : { blindMemory }),
    ...(keepsScreen === undefined ? {} : { keepsScreen }),
  };
  return new Terminal({
    profile: entry.profile,
    phone: entry.phone,
    wire: (hooks, flash) =>
      entry.profile === 'mqtt'
        ? new MqttWire(hooks, flash)
        : new Jt808Wire({ ...entry, retryMs: (options.retryS ?? 10) * 1000 }, hooks, flash),
    locate: (address) => city.locate(address),
    clockOffsetMs: offset === 0 ? 0 : Math.round(random.between(-offset, offset) / 1000) * 1000,
    reportMs: (options.reportS ?? 10) * 1000,
    heartbeatMs: (options.heartbeatS ?? 60) * 1000,
    ...memory,
  });
}

function linkOf(options: FleetOptions, entry: RosterEntry, radio: Radio, clock: FleetClock, events: LinkEvents): Link {
  const { host, port, tls, mqttUrl, mqttVersion } = options;
  if (entry.profile !== 'mqtt') {
    return new TcpLink({ host, port, ...(tls === undefined ? {} : { tls }) }, radio, clock, events);
  }
  const target = {
    url: mqttUrl ?? `mqtt://${host}:1883`,
    terminalId: entry.phone,
    secret: entry.secret,
    ...(mqttVersion === undefined ? {} : { protocolVersion: mqttVersion }),
  };
  return new MqttLink(target, radio, clock, events);
}

/** Trucks on one line begin spread over it. */
function beatOf({ routes, vehicles }: FleetOptions, index: number): { beat?: readonly Place[]; beatStart?: number } {
  if (routes === undefined || routes.length === 0) return {};
  const onThis = Math.ceil(vehicles / routes.length);
  return { beat: routes[index % routes.length]!, beatStart: Math.floor(index / routes.length) / onThis };
}

function habitsOf(crews: FleetOptions['crews']): Habits | undefined {
  if (crews === 'none') return undefined;
  if (typeof crews === 'object') return crews;
  return habitsByName[crews ?? 'diligent'];
}
