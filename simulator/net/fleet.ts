import { setTimeout as sleep } from 'node:timers/promises';
import type { City } from '../city.js';
import type { Place } from '../geo.js';
import type { Histogram } from '../histogram.js';
import { Random } from '../random.js';
import type { Report } from '../report.js';
import type { RosterEntry } from '../roster.js';
import { accountOf, confirmationOf, confirmedBy, sumOf } from './account.js';
import type { Api } from './api.js';
import { auditPositions } from './audit.js';
import type { CallCentre } from './call-centre.js';
import type { FleetClock } from './clock.js';
import type { FleetOptions } from './fleet-options.js';
import type { FleetTerminal } from './fleet-terminal.js';
import { makeTerminal, type FleetSurroundings } from './make-terminal.js';
import type { OsrmWays } from './osrm.js';
import { closeAbandoned } from './tcp-link.js';
import { WakeSchedule } from './wake-schedule.js';

/** Connections opened a second at the start. */
const connectsPerSecond = 400;
/** How long `stop` waits for what terminals still have to deliver; ms of the machine. */
const drainMs = 20_000;

/** Simulated vehicles on real connections. Made by `startFleet`. */
export class Fleet {
  readonly terminals: readonly FleetTerminal[];
  readonly startedAt: number;
  readonly #schedule: WakeSchedule;
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
    this.#schedule = new WakeSchedule(clock, roster.length, (index) => this.terminals[index]!.wake());
    const around: FleetSurroundings = {
      options,
      city,
      clock,
      osrm,
      wakeAt: (index, at) => this.#schedule.wakeAt(index, at),
      says: (step, number) => callCentre?.heard(number, step),
    };
    const random = new Random(options.seed ?? 1);
    this.terminals = roster.map((entry, i) => makeTerminal(around, entry, i, random.stream(`vehicle-${i}`)));
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
    return sumOf(this.terminals, (terminal) => terminal.ledger.connected);
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
    return confirmationOf(this.terminals);
  }

  #connectLater(index: number): void {
    setTimeout(
      () => {
        if (this.#stopped === undefined) this.terminals[index]!.connect();
      },
      (index * 1000) / connectsPerSecond,
    );
  }

  async #end(): Promise<Report> {
    const { api, callCentre, clock, options, osrm, terminals } = this;
    await callCentre?.stop();
    const endedAt = clock.now();
    for (const terminal of terminals) terminal.endShift();
    // Who never reached the platform delivers nothing to it now.
    const until = performance.now() + (this.connected > 0 ? drainMs : 0);
    while (performance.now() < until && terminals.some((terminal) => terminal.unconfirmed > 0)) await sleep(20);
    const positions = sumOf(terminals, (terminal) => terminal.vehicle.terminal.unconfirmedPositions);
    const keys = sumOf(terminals, (terminal) => terminal.unconfirmed) - positions;
    for (const terminal of terminals) terminal.stop();
    this.#schedule.stop();
    const checked = api?.authorised === true ? await auditPositions(api, terminals.map(confirmedBy)) : undefined;
    closeAbandoned();
    return accountOf({
      scenario: options.scenario ?? 'drive',
      seed: options.seed ?? 1,
      durationS: (endedAt - this.startedAt) / 1000,
      clockRate: clock.rate,
      terminals,
      pending: { positions, keys },
      checked,
      callCentre,
      osrm,
    });
  }
}
