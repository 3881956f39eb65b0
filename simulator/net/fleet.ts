import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionOptions } from 'node:tls';
import type { Edition } from '../../protocol/index.js';
import type { CallPattern } from '../calls.js';
import { City } from '../city.js';
import type { Place } from '../geo.js';
import { habitsByName, type Habits } from '../habits.js';
import { Heap } from '../heap.js';
import { Histogram } from '../histogram.js';
import { Radio, radioByName, type RadioConditions, type RadioName } from '../radio.js';
import { Random } from '../random.js';
import type { Report } from '../report.js';
import { makeRoster, type RosterEntry } from '../roster.js';
import { middleOf } from '../routes.js';
import { Jt808Wire } from '../terminal/jt808-wire.js';
import { MqttWire } from '../terminal/mqtt-wire.js';
import { Terminal } from '../terminal/terminal.js';
import type { Profile, TerminalEvent } from '../terminal/types.js';
import { Vehicle } from '../vehicle.js';
import { Api } from './api.js';
import { auditPositions, type Confirmed } from './audit.js';
import { CallCentre } from './call-centre.js';
import { FleetClock } from './clock.js';
import { FleetTerminal } from './fleet-terminal.js';
import { MqttLink } from './mqtt-link.js';
import { enrol } from './enrol.js';
import { OsrmWays } from './osrm.js';
import { closeAbandoned, TcpLink } from './tcp-link.js';

export interface FleetOptions {
  /** Where JT/T 808 is spoken. */
  host: string;
  port: number;
  tls?: ConnectionOptions;
  /** Base URL of the gateway's HTTP API, for its clock, for enrolment and for the final check. */
  http?: string;
  /** API token: vehicles are created through the API. Without one the gateway must enrol openly. */
  token?: string;
  /** Broker of `mqtt` terminals. Default `mqtt://host:1883`. */
  mqttUrl?: string;
  mqttVersion?: 4 | 5;
  /** Number of vehicles. */
  vehicles: number;
  profile?: Profile | 'mixed';
  /** Default: 2019 for `text`, else 2013. */
  edition?: Edition | 'mixed';
  /** Vehicles that are on file already, instead of generated ones. */
  roster?: readonly RosterEntry[];
  seed?: string | number;
  /** Gateway seconds in a second of the machine. Default: what the gateway's `/healthz` says, else 1. */
  rate?: number;
  centre?: Place;
  /** Lines that trucks drive up and down while nothing is to do, one after the other shared out among them. */
  routes?: readonly (readonly Place[])[];
  /** Routing server (OSRM's HTTP API) that is asked for the ways of trucks instead of the made-up streets. */
  osrmUrl?: string;
  /** A crew's habits; `none`: nobody presses keys but the program. Default `diligent`. */
  crews?: 'none' | keyof typeof habitsByName | Habits;
  /** Default `perfect`. */
  radio?: RadioName | RadioConditions;
  /** Sends positions by itself. Default true. */
  reports?: boolean;
  /** Drives around when nothing is to do. Default: when there are crews or routes. */
  patrols?: boolean;
  /** Gateway seconds between positions. Default 10. */
  reportS?: number;
  heartbeatS?: number;
  /** First wait of a terminal for an answer, gateway seconds. Default 10. */
  retryS?: number;
  /** First and longest pause before connecting again, gateway seconds. Default 1 and 60. */
  reconnectS?: readonly [number, number];
  /** Device clock minus gateway clock is drawn from ± this, seconds. Default 0. */
  clockOffsetS?: number;
  /** Orders that a `smart` or `mqtt` terminal holds. Default 20. */
  maxLegs?: number;
  /** Keeps the screen over a reboot. Default false. */
  keepsScreen?: boolean;
  gpsErrorM?: number;
  repairCentreId?: string;
  trades?: readonly string[];
  /** Connects at once (spread over a moment). Default true. */
  connect?: boolean;
  /** Customers; needs `http` and `token`. */
  calls?: {
    patterns: readonly CallPattern[];
    issues?: boolean;
    /** Gateway seconds after which an unassigned order goes to the first recommended vehicle; undefined: never. */
    assignAfterS?: number;
    callsBack?: boolean;
  };
  onEvent?: (terminal: FleetTerminal, event: TerminalEvent) => void;
  /** Name in the report. Default `drive`. */
  scenario?: string;
}

/** Wakes closer together than this are done in one go; ms of the machine. */
const shortestSleepMs = 2;
/** Connections opened a second at the start. */
const connectsPerSecond = 400;
/** How long `stop` waits for what terminals still have to deliver; ms of the machine. */
const drainMs = 20_000;

/** Simulated vehicles on real connections. Made by {@link startFleet}. */
export class Fleet {
  readonly terminals: FleetTerminal[] = [];
  readonly startedAt: number;
  readonly #heap = new Heap();
  readonly #wakeAt: Float64Array;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;
  #stopped: Promise<Report> | undefined;

  constructor(
    readonly options: FleetOptions,
    readonly city: City,
    readonly clock: FleetClock,
    readonly api: Api | undefined,
    roster: readonly RosterEntry[],
    readonly callCentre: CallCentre | undefined,
    readonly osrm: OsrmWays | undefined,
  ) {
    this.startedAt = clock.now();
    this.#wakeAt = new Float64Array(roster.length).fill(Infinity);
    const random = new Random(options.seed ?? 1);
    roster.forEach((entry, index) => this.terminals.push(this.#make(entry, index, random.stream(`vehicle-${index}`))));
    if (options.connect !== false) this.terminals.forEach((_, i) => this.#connectLater(i));
    callCentre?.start();
  }

  /** A dispatcher phones the crew about an order (its terminal has no screen), or that it is off. */
  tellByPhone(
    vehicleId: string,
    order: { id: string; number: string; address: string; place: Place },
    off = false,
  ): void {
    const terminal = this.terminals.find((one) => one.vehicleId === vehicleId);
    if (terminal?.profile !== 'tracker') return;
    const { id, number, address, place } = order;
    if (off) terminal.vehicle.untell(id);
    else terminal.vehicle.tell({ key: id, number, address, place, orderId: id, steps: [] });
  }

  /** Ends the shift, lets the terminals deliver what they hold, closes and gives the account. Safe to call twice. */
  stop(): Promise<Report> {
    this.#stopped ??= this.#end();
    return this.#stopped;
  }

  /** Connections made so far. */
  get connected(): number {
    return sum(this.terminals, (terminal) => terminal.ledger.connected);
  }

  /** Numbers at this moment, for a live display. */
  totals(): {
    online: number;
    sent: number;
    confirmed: number;
    pending: number;
    shown: number;
    done: number;
    onScreens: number;
  } {
    const totals = { online: 0, sent: 0, confirmed: 0, pending: 0, shown: 0, done: 0, onScreens: 0 };
    for (const terminal of this.terminals) {
      const { ledger } = terminal;
      if (terminal.online) totals.online += 1;
      totals.sent += ledger.sentPositions;
      totals.confirmed += ledger.confirmedPositions;
      totals.pending += terminal.unconfirmed;
      totals.shown += ledger.shownOrders;
      totals.done += ledger.doneOrders;
      totals.onScreens += terminal.orders.length;
    }
    return totals;
  }

  confirmation(): Histogram {
    const all = new Histogram();
    for (const terminal of this.terminals) all.add(terminal.ledger.confirmation);
    return all;
  }

  #make(entry: RosterEntry, index: number, random: Random): FleetTerminal {
    const { options, city, clock } = this;
    const now = clock.now();
    const offset = (options.clockOffsetS ?? 0) * 1000;
    const terminal = new Terminal({
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
      ...(options.maxLegs === undefined ? {} : { maxLegs: options.maxLegs }),
      ...(options.keepsScreen === undefined ? {} : { keepsScreen: options.keepsScreen }),
    });
    const habits = habitsOf(options.crews);
    const vehicle = new Vehicle({
      city,
      random,
      terminal,
      habits,
      says: (step, number) => this.callCentre?.heard(number, step),
      reports: options.reports ?? true,
      patrols: options.patrols ?? (habits !== undefined || options.routes !== undefined),
      ...this.#beatOf(index),
      ...(this.osrm === undefined ? {} : { ways: this.osrm.between }),
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
      link: (events) =>
        entry.profile === 'mqtt'
          ? new MqttLink(this.#mqttTarget(entry), radio, clock, events)
          : new TcpLink(
              { host: options.host, port: options.port, ...(options.tls === undefined ? {} : { tls: options.tls }) },
              radio,
              clock,
              events,
            ),
      reconnectMs: [first * 1000, longest * 1000],
      wakeAt: (at) => this.#wake(index, at),
      onEvent: (one, event) => options.onEvent?.(one, event),
      jitter: () => jitter.next(),
    });
  }

  /** Trucks on one line begin spread over it. */
  #beatOf(index: number): { beat?: readonly Place[]; beatStart?: number } {
    const { routes } = this.options;
    if (routes === undefined || routes.length === 0) return {};
    const onThis = Math.ceil(this.options.vehicles / routes.length);
    return { beat: routes[index % routes.length]!, beatStart: Math.floor(index / routes.length) / onThis };
  }

  #mqttTarget(entry: RosterEntry): ConstructorParameters<typeof MqttLink>[0] {
    const { mqttUrl, host, mqttVersion } = this.options;
    return {
      url: mqttUrl ?? `mqtt://${host}:1883`,
      terminalId: entry.phone,
      secret: entry.secret,
      ...(mqttVersion === undefined ? {} : { protocolVersion: mqttVersion }),
    };
  }

  #connectLater(index: number): void {
    setTimeout(
      () => {
        if (this.#stopped === undefined) this.terminals[index]!.connect();
      },
      (index * 1000) / connectsPerSecond,
    );
  }

  /** A terminal is to be woken at `at`; an earlier wake replaces a later one. */
  #wake(index: number, at: number): void {
    if (at === this.#wakeAt[index]) return;
    this.#wakeAt[index] = at;
    if (at === Infinity) return;
    this.#heap.push(at, index);
    if (at < this.#timerAt) this.#arm(at);
  }

  #arm(at: number): void {
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(() => this.#run(), Math.max(shortestSleepMs, this.clock.realMsUntil(at)));
  }

  #run(): void {
    const now = this.clock.now();
    this.#timerAt = Infinity;
    while (this.#heap.size > 0 && this.#heap.firstKey <= now) {
      const at = this.#heap.firstKey;
      const index = this.#heap.pop()!;
      // Entries of wakes that were moved since are stale.
      if (this.#wakeAt[index] !== at) continue;
      this.#wakeAt[index] = Infinity;
      this.terminals[index]!.wake();
    }
    if (this.#heap.size > 0) this.#arm(this.#heap.firstKey);
  }

  async #end(): Promise<Report> {
    await this.callCentre?.stop();
    const endedAt = this.clock.now();
    for (const terminal of this.terminals) terminal.endShift();
    // Who never reached the platform delivers nothing to it now.
    const until = performance.now() + (this.connected > 0 ? drainMs : 0);
    while (performance.now() < until && this.terminals.some((terminal) => terminal.unconfirmed > 0)) await sleep(20);
    const pendingPositions = sum(this.terminals, (terminal) => terminal.vehicle.terminal.unconfirmedPositions);
    const pendingKeys = sum(this.terminals, (terminal) => terminal.unconfirmed) - pendingPositions;
    for (const terminal of this.terminals) terminal.stop();
    clearTimeout(this.#timer);
    const checked =
      this.api?.authorised === true ? await auditPositions(this.api, this.terminals.map(confirmedBy)) : undefined;
    closeAbandoned();
    const notes = checked?.notes ?? [];
    if (this.callCentre?.lastError !== undefined) notes.push(`call centre: ${this.callCentre.lastError}`);
    if (this.osrm?.lastError !== undefined) {
      const { failed, asked } = this.osrm.counts;
      notes.push(`routing server: ${failed} of ${asked} ways not found, made-up streets taken: ${this.osrm.lastError}`);
    }
    const counts = this.callCentre?.counts ?? { made: 0, issued: 0, assigned: 0, failed: 0 };
    const total = (of: (terminal: FleetTerminal) => number): number => sum(this.terminals, of);
    return {
      scenario: this.options.scenario ?? 'drive',
      seed: this.options.seed ?? 1,
      vehicles: this.terminals.length,
      durationS: (endedAt - this.startedAt) / 1000,
      clockRate: this.clock.rate,
      positions: {
        sent: total((one) => one.ledger.sentPositions),
        confirmed: total((one) => one.ledger.confirmedPositions),
        ...(checked === undefined ? {} : { received: checked.received }),
        lost: checked?.lost ?? 0,
        doubled: checked?.doubled ?? 0,
        pending: pendingPositions,
        dropped: total((one) => one.vehicle.terminal.droppedPositions),
      },
      keys: {
        pressed: total((one) => one.ledger.pressedKeys),
        confirmed: total((one) => one.ledger.confirmedKeys),
        pending: pendingKeys,
      },
      orders: {
        shown: total((one) => one.ledger.shownOrders),
        doubled: total((one) => one.ledger.doubledOrders),
        removed: total((one) => one.ledger.removedOrders),
        done: total((one) => one.ledger.doneOrders),
      },
      calls: { made: counts.made, issued: counts.issued, assigned: counts.assigned, failed: counts.failed },
      links: {
        connected: total((one) => one.ledger.connected),
        lost: total((one) => one.ledger.lost),
        refused: total((one) => one.ledger.refused),
      },
      confirmationMs: this.confirmation().summary(),
      missing: checked?.missing ?? [],
      unchecked: checked?.unchecked ?? 0,
      notes,
    };
  }
}

/**
 * Starts a fleet against a platform's public ports: asks the gateway for its clock, puts the vehicles on file when a
 * token is given, connects.
 * @throws Error when the gateway cannot be reached over HTTP, or its clock runs at another rate than `options.rate`
 */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const api = options.http === undefined ? undefined : new Api(options.http, options.token);
  const health = await api?.health();
  if (health !== undefined && options.rate !== undefined && health.rate !== options.rate) {
    throw new ClockRateMismatch(options.rate, health.rate);
  }
  const clock = new FleetClock(health?.rate ?? options.rate ?? 1, health?.now ?? Date.now());
  const seed = options.seed ?? 1;
  const centre = options.centre ?? (options.routes === undefined ? undefined : middleOf(options.routes));
  const city = new City({ seed, ...(centre === undefined ? {} : { centre }) });
  const roster =
    options.roster?.map((entry) => ({ ...entry })) ??
    makeRoster({
      seed,
      count: options.vehicles,
      profile: options.profile ?? 'smart',
      edition: options.edition,
      trades: options.trades ?? ['lowVoltage'],
      mqtt: options.mqttUrl !== undefined,
      city,
    });
  const repairCentreId = options.repairCentreId ?? 'centre-1';
  if (api?.authorised === true) await enrol(api, roster, repairCentreId);
  let callCentre: CallCentre | undefined;
  const made: { fleet?: Fleet } = {};
  if (options.calls !== undefined) {
    if (api?.authorised !== true) throw new Error('calls need the HTTP address of the gateway and an API token');
    const { patterns, issues, assignAfterS, callsBack } = options.calls;
    callCentre = new CallCentre({
      api,
      clock,
      city,
      random: new Random(seed).stream('calls'),
      patterns,
      repairCentreId,
      issues: issues ?? true,
      callsBack: callsBack ?? true,
      phone: (vehicleId, order, off) => made.fleet?.tellByPhone(vehicleId, order, off),
      ...(assignAfterS === undefined ? {} : { assignsAfterMs: assignAfterS * 1000 }),
    });
  }
  const osrm = options.osrmUrl === undefined ? undefined : new OsrmWays(options.osrmUrl);
  made.fleet = new Fleet(options, city, clock, api, roster, callCentre, osrm);
  return made.fleet;
}

/** `--speed` says one rate, the gateway another. */
export class ClockRateMismatch extends Error {
  constructor(
    readonly wanted: number,
    readonly actual: number,
  ) {
    super(
      `the gateway's clock runs at rate ${actual}, not ${wanted}; start it with LINECREW_CLOCK_RATE=${wanted} or leave out --speed`,
    );
  }
}

function habitsOf(crews: FleetOptions['crews']): Habits | undefined {
  if (crews === 'none') return undefined;
  if (typeof crews === 'object') return crews;
  return habitsByName[crews ?? 'diligent'];
}

function sum(terminals: readonly FleetTerminal[], of: (terminal: FleetTerminal) => number): number {
  return terminals.reduce((total, terminal) => total + of(terminal), 0);
}

function confirmedBy({ phone, vehicleId, ledger }: FleetTerminal): Confirmed {
  return { phone, vehicleId, positions: [...ledger.confirmed.values()] };
}
