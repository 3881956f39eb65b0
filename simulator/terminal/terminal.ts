import { encodeUplink, type UplinkBody } from '../../protocol/index.js';
import type { Reading } from '../truck.js';
import { OrderApp } from './app.js';
import { DispatchScreen } from './dispatch-screen.js';
import { displayHooks } from './display.js';
import { Following } from './following.js';
import { Keys, type KeyNote } from './keys.js';
import { mqttPosition } from './mqtt-wire.js';
import type { Flash, TerminalOptions } from './options.js';
import { ReportQueue } from './report-queue.js';
import type { AppKey, DutyKey, Report, ScreenOrder, TerminalEvent } from './types.js';
import type { Outgoing, Wire, WireHooks } from './wire.js';

/** Events kept for late observers. */
const keptEvents = 2000;

/**
 * One in-truck terminal as a state machine without I/O: the same seed and inputs give the same bytes. Feed it what the
 * link does (`connected`, `received`, `closed`), time (`tick`, next due at `nextAt`) and what the crew does (`press`,
 * `report`); take from it what must be sent (`take`) and whether it hangs up (`takeClose`).
 */
export class Terminal {
  readonly flash: Flash;
  readonly wire: Wire;

  readonly #app: OrderApp;
  readonly #screen: DispatchScreen;
  readonly #reports: ReportQueue;
  #last: Report | undefined;
  #alarm = 0;
  #events: TerminalEvent[] = [];
  #restartAt: number | undefined;
  readonly #following: Following;
  readonly #keys: Keys;
  #rebooted = false;
  #now = 0;

  constructor(readonly options: TerminalOptions) {
    this.flash = {
      sequence: 0,
      heartbeatMs: options.heartbeatMs ?? 60_000,
      reportMs: options.reportMs ?? 10_000,
      clockOffsetMs: options.clockOffsetMs ?? 0,
    };
    this.#following = new Following(this.flash);
    const tell = (event: TerminalEvent): void => this.#tell(event);
    this.#app = new OrderApp(
      {
        maxLegs: options.maxLegs ?? 20,
        software: 'linecrew-simulator 1',
        device: 'simulated',
        language: options.language ?? 'zh-CN',
      },
      (body, what) => this.#say(body, what, this.#now),
      tell,
      {
        position: () => (this.#last?.kind === 'position' ? mqttPosition(this.#last, this.flash) : undefined),
        follow: (intervalMs, forMs, now) => this.#following.start(intervalMs, forMs, now),
        restart: (now) => {
          this.#restartAt = now + 1000;
        },
      },
    );
    this.#screen = new DispatchScreen(options.profile === 'menu', (text) => options.locate?.(text), tell);
    this.wire = options.wire(this.#hooks(), this.flash);
    this.#reports = new ReportQueue(this.wire, options.blindMemory ?? 5000);
    this.#keys = new Keys({
      app: this.hasApp ? this.#app : undefined,
      screen: this.#screen,
      reports: this.#reports,
      flash: this.flash,
      say: (body, what, now) => this.#say(body, what, now),
      tell,
    });
  }

  // ---- look

  get online(): boolean {
    return this.wire.online;
  }

  get hasApp(): boolean {
    return this.options.profile === 'smart' || this.options.profile === 'mqtt';
  }

  /** The driver can answer on it; on others he speaks over the radio. */
  get hasKeys(): boolean {
    return this.hasApp || this.options.profile === 'menu';
  }

  /** The orders on the screen, in its order. */
  orders(): ScreenOrder[] {
    return this.hasApp ? this.#app.orders() : this.#screen.orders();
  }

  /** Revision of the shown list; 0 where the profile has none. */
  get revision(): number {
    return this.#app.revision;
  }

  /** The event list, on a `menu` terminal. */
  menu(): { id: number; text: string }[] {
    return this.#screen.events();
  }

  /** Texts of orders that the screen keeps. */
  texts(): string[] {
    return this.#screen.texts();
  }

  /** Reports that the platform has not confirmed: on the way, waiting, in the blind-zone memory. */
  get unconfirmed(): number {
    return this.wire.waitingPositions + this.wire.waitingBusiness + this.#reports.waiting;
  }

  /** Positions among them; a batch counts each of its own. */
  get unconfirmedPositions(): number {
    return this.wire.waitingPositions + this.#reports.waitingPositions;
  }

  /** Positions dropped because the blind-zone memory was full. */
  get droppedPositions(): number {
    return this.#reports.dropped;
  }

  /** What happened since the last call. */
  takeEvents(): TerminalEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  // ---- the link

  connected(now: number): void {
    this.#now = now;
    this.wire.connected(now);
  }

  closed(now: number, reason: string): void {
    this.#now = now;
    const wasOnline = this.wire.online;
    this.#reports.closed(this.wire.closed(now));
    if (wasOnline) this.#tell({ at: now, type: 'offline', reason });
  }

  received(bytes: Uint8Array, now: number): void {
    this.#now = now;
    this.wire.received(bytes, now);
    this.#reports.pump(now);
  }

  tick(now: number): void {
    this.#now = now;
    this.wire.tick(now);
    this.#reports.pump(now);
    this.#following.tick(now);
    if (this.#restartAt !== undefined && now >= this.#restartAt) {
      this.#restartAt = undefined;
      this.reboot(now);
    }
  }

  nextAt(): number {
    return Math.min(this.wire.nextAt(), this.#restartAt ?? Infinity, this.#following.until);
  }

  take(): Outgoing[] {
    return this.wire.take();
  }

  takeClose(): string | undefined {
    return this.wire.takeClose();
  }

  // ---- what the crew and the truck do

  /** A position is due: sent now, or kept until there is a link. */
  report(reading: Reading, now: number): void {
    this.#now = now;
    const id = this.#reports.nextId();
    const report = { kind: 'position' as const, id, madeAt: now, reading, alarm: this.#alarm };
    this.#last = report;
    this.#reports.position(report, now);
  }

  /**
   * Presses a key for an order on the screen.
   * @param number order number as shown
   * @returns false when the screen has no such order or offers no such key now
   */
  press(step: AppKey, number: string, now: number, note?: KeyNote): boolean {
    this.#now = now;
    return this.#keys.press(step, number, now, note);
  }

  /** Presses a line of the event list by its id, also one that is not on the list any more. */
  pressEvent(eventId: number, now: number): void {
    this.#now = now;
    this.#keys.pressEvent(eventId, now);
  }

  /** The crew's availability. False when the terminal has no key for it. */
  duty(key: DutyKey, now: number, reason = ''): boolean {
    this.#now = now;
    return this.#keys.duty(key, now, reason);
  }

  /** Answers a question: `deliveryId` as in the event `question`, `choice` from 1. */
  answer(deliveryId: string, choice: number, now: number, text = ''): void {
    this.#now = now;
    this.#keys.answer(deliveryId, choice, now, text);
  }

  /** The SOS switch (alarm bit 0). */
  sos(active: boolean): void {
    this.#alarm = active ? this.#alarm | 1 : this.#alarm & ~1;
  }

  /**
   * Power off and on: serials start at 0, screen and list are lost (unless `keepsScreen`), what waits in flash is not.
   * The caller closes the link and connects again.
   */
  reboot(now: number): void {
    this.closed(now, 'reboot');
    this.wire.restart();
    this.#rebooted = true;
    const lostScreen = this.options.keepsScreen !== true;
    this.#tell({ at: now, type: 'rebooted', lostScreen });
    if (lostScreen) this.#forgetScreen();
  }

  /** Another device in the same truck: flash and screen are empty, the identity in the registration is new. */
  swap(now: number): void {
    this.reboot(now);
    delete this.flash.authCode;
    this.flash.sequence = 0;
    this.#reports.forget();
    this.#forgetScreen();
    this.wire.swapped?.();
  }

  #forgetScreen(): void {
    this.#app.forget();
    this.#screen.forget();
  }

  /** True once after a reboot: the link must be closed by whoever holds it. */
  takeRebooted(): boolean {
    const was = this.#rebooted;
    this.#rebooted = false;
    return was;
  }

  /** The broker confirmed a publication (MQTT). */
  acknowledged(reportId: number, now: number): void {
    this.#now = now;
    this.wire.acknowledged?.(reportId, now);
    this.#reports.pump(now);
  }

  // ---- inside

  #hooks(): WireHooks {
    return {
      online: (now) => {
        this.#tell({ at: now, type: 'online' });
        if (this.hasApp) this.#app.connected();
      },
      confirmed: (report, result, now) => this.#confirmed(report, result, now),
      event: (event) => this.#tell(event),
      app: (downlink, now) => {
        this.#now = now;
        this.#app.received(downlink, now);
      },
      ...displayHooks(this.options.profile, this.#screen, (event) => this.#tell(event)),
      lastReport: () => this.#last,
      setReportInterval: (ms) => {
        this.flash.reportMs = ms;
      },
      restart: (now) => {
        this.#restartAt = now + 1000;
      },
    };
  }

  #say(body: UplinkBody, what: string, now: number): void {
    this.flash.sequence += 1;
    const sentAtMs = now + this.flash.clockOffsetMs;
    const bytes = encodeUplink({ sequence: this.flash.sequence, sentAtMs, body });
    const report: Report = { kind: 'app', id: this.#reports.nextId(), madeAt: now, bytes, what };
    // Greetings describe the moment: an old one that still waits is replaced.
    if (what === 'hello' || what === 'holdings') this.#reports.drop(what);
    if (what === 'hello') this.#reports.addFirst(report, now);
    else this.#reports.add(report, now);
  }

  #confirmed(report: Report, result: number, now: number): void {
    this.#reports.confirmed(report);
    this.#tell({ at: now, type: 'confirmed', report, delayMs: now - report.madeAt, result });
    this.#reports.pump(now);
  }

  #tell(event: TerminalEvent): void {
    this.#events.push(event);
    if (this.#events.length > keptEvents) this.#events.splice(0, this.#events.length - keptEvents);
  }
}
