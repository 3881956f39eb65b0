import type { Edition } from '../../protocol/index.js';
import type { Place } from '../geo.js';
import { Ledger } from '../ledger.js';
import type { Radio } from '../radio.js';
import type { RosterEntry } from '../roster.js';
import type { AppKey, DutyKey, EventType, Profile, ScreenOrder, TerminalEvent } from '../terminal/types.js';
import type { Vehicle } from '../vehicle.js';
import type { FleetClock } from './clock.js';
import type { Link, LinkEvents } from './link.js';

export interface FleetTerminalParts {
  entry: RosterEntry;
  vehicle: Vehicle;
  radio: Radio;
  clock: FleetClock;
  link: (events: LinkEvents) => Link;
  /** First and longest pause before the next attempt to connect, ms of gateway time. */
  reconnectMs: readonly [number, number];
  /** Tells the fleet when the terminal wants to be woken (gateway time). */
  wakeAt: (at: number) => void;
  onEvent: (terminal: FleetTerminal, event: TerminalEvent) => void;
  /** Random part of the pause before connecting again, 0 to 1. */
  jitter: () => number;
}

type EventOf<T extends EventType> = Extract<TerminalEvent, { type: T }>;

/** Events that a terminal keeps for `waitFor`. */
const keptEvents = 2000;
const defaultTimeoutMs = 15_000;

/**
 * One simulated terminal with its truck and crew on a real connection: what its screen shows, its keys, its radio
 * switch, its power switch.
 */
export class FleetTerminal {
  readonly ledger: Ledger;
  /** What has happened, oldest first; the last 2000. */
  readonly events: TerminalEvent[] = [];
  readonly radio: { off(how?: { silent?: boolean }): void; on(): void };

  readonly #parts: FleetTerminalParts;
  readonly #link: Link;
  #connectAt = Infinity;
  #pauseMs: number;
  #stopped = false;
  #watchers = new Set<() => void>();

  constructor(parts: FleetTerminalParts) {
    this.#parts = parts;
    this.#pauseMs = parts.reconnectMs[0];
    this.ledger = new Ledger(() => parts.vehicle.terminal.flash.clockOffsetMs);
    const { terminal } = parts.vehicle;
    this.#link = parts.link({
      connected: (now) => {
        terminal.connected(now);
        this.#flush();
      },
      received: (bytes, now) => {
        terminal.received(bytes, now);
        this.#flush();
      },
      acknowledged: (reportId, now) => {
        terminal.acknowledged(reportId, now);
        this.#flush();
      },
      closed: (reason, now) => {
        terminal.closed(now, reason);
        this.#reconnectLater(now);
        this.#flush();
      },
    });
    this.radio = {
      off: (how) => {
        this.#link.radioOff(how?.silent === true);
        this.#flush();
      },
      on: () => {
        this.#link.radioOn();
        this.connect();
      },
    };
  }

  // ---- look

  get phone(): string {
    return this.#parts.entry.phone;
  }
  get plate(): string {
    return this.#parts.entry.plate;
  }
  get profile(): Profile {
    return this.#parts.entry.profile;
  }
  get edition(): Edition {
    return this.#parts.entry.edition;
  }
  get entry(): RosterEntry {
    return this.#parts.entry;
  }
  /** Id at the gateway's API; undefined when the fleet was started without a token. */
  get vehicleId(): string | undefined {
    return this.#parts.entry.vehicleId;
  }
  get vehicle(): Vehicle {
    return this.#parts.vehicle;
  }
  /** Logged in: the platform has accepted the terminal. */
  get online(): boolean {
    return this.#parts.vehicle.terminal.online;
  }
  /** The screen: orders in its order, each as often as it is really shown. */
  get orders(): ScreenOrder[] {
    return this.#parts.vehicle.terminal.orders();
  }
  /** Numbers of the orders on the screen, in its order. */
  get numbers(): string[] {
    return this.orders.map((order) => order.number);
  }
  /** Revision of the shown list (`smart`, `mqtt`). */
  get revision(): number {
    return this.#parts.vehicle.terminal.revision;
  }
  /** The event list (`menu`). */
  get menu(): { id: number; text: string }[] {
    return this.#parts.vehicle.terminal.menu();
  }
  get place(): Place {
    return this.#parts.vehicle.place();
  }
  get bytes(): { up: number; down: number } {
    return this.#link.bytes;
  }
  /** Reports that the platform has not confirmed yet. */
  get unconfirmed(): number {
    return this.#parts.vehicle.terminal.unconfirmed;
  }

  /**
   * The first event of this type (that `match` accepts) that has happened since `after` or happens within the time.
   * @param options.timeoutMs machine time. Default 15 s
   * @param options.after index into `events`. Default 0: also what has already happened
   * @throws Error when none comes in time
   */
  waitFor<T extends EventType>(
    type: T,
    match: (event: EventOf<T>) => boolean = () => true,
    options: { timeoutMs?: number; after?: number } = {},
  ): Promise<EventOf<T>> {
    let found: EventOf<T> | undefined;
    const look = (): boolean => {
      found = this.events.slice(options.after ?? 0).find((event): event is EventOf<T> => {
        return event.type === type && match(event as EventOf<T>);
      });
      return found !== undefined;
    };
    return this.until(look, `event ${type}`, options.timeoutMs).then(() => found!);
  }

  /**
   * Resolves as soon as the condition holds; it is tried again after every event.
   * @throws Error naming `what` when it does not hold in time (machine time, default 15 s)
   */
  until(condition: (terminal: this) => boolean, what = 'the condition', timeoutMs = defaultTimeoutMs): Promise<void> {
    if (condition(this)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (!condition(this)) return;
        clearTimeout(timer);
        this.#watchers.delete(look);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#watchers.delete(look);
        const last = this.events.slice(-5).map((event) => event.type);
        reject(
          new Error(`${this.phone}: ${what} did not come within ${timeoutMs} ms; last events: ${last.join(', ')}`),
        );
      }, timeoutMs);
      this.#watchers.add(look);
    });
  }

  // ---- command

  /** Tries to connect now, unless it is connected. */
  connect(): void {
    if (this.#stopped || this.#link.active) return;
    this.#connectAt = this.#now;
    this.#parts.wakeAt(this.#connectAt);
  }

  /** Hangs up and connects again after the usual pause. */
  disconnect(reason = 'hung up'): void {
    this.#link.close(reason);
  }

  /**
   * Presses a key for an order. Without a number: for the first order of the screen.
   * @throws Error when the screen does not show the order or does not offer the key
   */
  press(step: AppKey, number?: string, note?: { reason?: string; note?: string; at?: Place }): void {
    const wanted = number ?? this.orders[0]?.number;
    const pressed = wanted !== undefined && this.#parts.vehicle.terminal.press(step, wanted, this.#now, note);
    this.#flush();
    if (!pressed) throw new Error(`${this.phone}: the screen offers no "${step}" for ${wanted ?? 'any order'}`);
  }

  /** Presses a line of the event list by its id, whether it is still on the list or not (`menu`). */
  pressEvent(eventId: number): void {
    this.#parts.vehicle.terminal.pressEvent(eventId, this.#now);
    this.#flush();
  }

  /** @throws Error when the terminal has no key for it */
  duty(key: DutyKey, reason?: string): void {
    const pressed = this.#parts.vehicle.terminal.duty(key, this.#now, reason);
    this.#flush();
    if (!pressed) throw new Error(`${this.phone}: no key for ${key}`);
  }

  answer(deliveryId: string, choice: number, text?: string): void {
    this.#parts.vehicle.terminal.answer(deliveryId, choice, this.#now, text);
    this.#flush();
  }

  sos(active: boolean): void {
    this.#parts.vehicle.terminal.sos(active);
    this.report();
  }

  /** Sends a position now. */
  report(): void {
    this.ledger.made();
    this.#parts.vehicle.report(this.#now);
    this.#flush();
  }

  /** Drives there (along the streets, at the speed of traffic). */
  goTo(place: Place): void {
    this.#parts.vehicle.truck.goTo(place);
  }

  /** Puts the truck somewhere at once, for tests that cannot wait for traffic. */
  standAt(place: Place): void {
    this.#parts.vehicle.standAt(place);
  }

  /** Power off and on: loses screen and serials, keeps its code and what waits in flash; connects again. */
  reboot(): void {
    this.#parts.vehicle.terminal.reboot(this.#now);
    this.#flush();
  }

  /** Another device with the same SIM: other terminal id, empty flash. */
  swap(): void {
    this.#parts.vehicle.terminal.swap(this.#now);
    this.#flush();
  }

  // ---- the fleet

  /** Does what is due. */
  wake(): void {
    const now = this.#now;
    const { radio, vehicle } = this.#parts;
    if (radio.tick(now)) this.#link.lose();
    const before = vehicle.reportsMade;
    vehicle.tick(now);
    if (radio.tunnel(vehicle.truck.inTunnel)) this.#link.lose();
    for (let i = before; i < vehicle.reportsMade; i++) this.ledger.made();
    if (!this.#stopped && now >= this.#connectAt) {
      this.#connectAt = Infinity;
      if (radio.available(now)) this.#link.connect();
      else this.#reconnectLater(now);
    }
    this.#flush();
  }

  endShift(): void {
    this.#parts.vehicle.endShift();
    this.#link.dropDead();
    this.#parts.radio.heal();
    this.connect();
    this.#flush();
  }

  stop(): void {
    this.#stopped = true;
    this.#connectAt = Infinity;
    this.#link.close('end');
    this.#flush();
  }

  get #now(): number {
    return this.#parts.clock.now();
  }

  #reconnectLater(now: number): void {
    if (this.#stopped) return;
    const longest = this.#parts.reconnectMs[1];
    this.#connectAt = now + this.#pauseMs * (0.75 + this.#parts.jitter() / 2);
    this.#pauseMs = Math.min(longest, this.#pauseMs * 2);
    this.#parts.wakeAt(this.#connectAt);
  }

  /** After every input: sends, hangs up, tells, and says when to be woken. */
  #flush(): void {
    const { terminal } = this.#parts.vehicle;
    if (terminal.takeRebooted()) this.#link.close('reboot');
    this.#link.send(terminal.take());
    const close = terminal.takeClose();
    if (close !== undefined) this.#link.close(close);
    const events = terminal.takeEvents();
    for (const event of events) {
      if (event.type === 'online') this.#pauseMs = this.#parts.reconnectMs[0];
      this.ledger.note(event);
      this.events.push(event);
      this.#parts.onEvent(this, event);
    }
    if (this.events.length > keptEvents) this.events.splice(0, this.events.length - keptEvents);
    if (events.length > 0) for (const watcher of [...this.#watchers]) watcher();
    this.#parts.wakeAt(Math.min(this.#parts.vehicle.nextAt(), this.#connectAt, this.#parts.radio.nextAt()));
  }
}
