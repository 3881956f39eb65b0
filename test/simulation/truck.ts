import { Jt808Wire, MqttWire, Terminal, type Profile, type Random, type TerminalEvent } from '../../simulator/index.js';
import type { Edition } from '../../protocol/index.js';
import type { Radio } from '../../simulator/radio.js';
import { SimMqttLink } from './mqtt-link.js';
import { SimLink, type Door, type Link } from './network.js';
import type { Trace } from './process.js';
import type { SimTime } from './time.js';

export interface TruckSpec {
  phone: string;
  vehicleId: string;
  profile: Profile;
  edition: Edition;
  /** Password of an `mqtt` terminal. */
  secret: string;
}

/** What a terminal was told is safe. */
export interface ConfirmedPosition {
  at: number;
  latE6: number;
  lonE6: number;
}
export interface PressedKey {
  step: string;
  orderId: string;
  leg: number;
  at: number;
  confirmed: boolean;
}

const reportMs = 10_000;
const lookMs = 4_000;
const home = { lat: 36.6, lon: 101.3 };

/** A simulated terminal in the simulated world, with a crew that presses what the screen offers, more or less in turn. */
export class SimTruck {
  readonly terminal: Terminal;
  readonly link: Link;
  readonly positions: ConfirmedPosition[] = [];
  readonly keys: PressedKey[] = [];
  /** Broken promises of the screen, for the checkers. */
  readonly faults: string[] = [];
  working = true;

  #connectAt = Infinity;
  #place = { ...home };
  #goal: { lat: number; lon: number } | undefined;
  #lastReportAt = 0;
  readonly #next = new Map<string, number>();

  constructor(
    readonly spec: TruckSpec,
    private readonly time: SimTime,
    private readonly random: Random,
    radio: Radio,
    door: () => Door | undefined,
    private readonly trace: Trace,
    private readonly siteOf: (number: string) => { lat: number; lon: number } | undefined,
  ) {
    const { phone, profile, edition } = spec;
    const identity = {
      maker: 'LCSIM',
      model: 'SIM',
      terminalId: `S${phone.slice(-6)}`,
      imei: '860000000000001',
      plate: '',
    };
    this.terminal = new Terminal({
      profile,
      phone,
      wire: (hooks, flash) =>
        profile === 'mqtt' ? new MqttWire(hooks, flash) : new Jt808Wire({ edition, phone, ...identity }, hooks, flash),
      heartbeatMs: 30_000,
      // Texts go out again only to another device: a dispatch screen that forgets them has lost them for good.
      keepsScreen: profile === 'menu' || profile === 'text',
    });
    const address = `10.0.0.${phone.slice(-2)}`;
    const events = {
      connected: () => this.#do(() => this.terminal.connected(time.now())),
      received: (bytes: Uint8Array) => this.#do(() => this.terminal.received(bytes, time.now())),
      acknowledged: (reportId: number) => this.#do(() => this.terminal.acknowledged(reportId, time.now())),
      closed: (reason: string) => this.#do(() => this.#closed(reason)),
    };
    const stream = random.stream('link');
    this.link =
      profile === 'mqtt'
        ? new SimMqttLink(time, radio, stream, door, { phone, secret: spec.secret, address }, events)
        : new SimLink(time, radio, stream, door, address, events);
    time.after(random.between(0, 3_000), () => this.#connect());
    time.every(1_000, () => this.#tick());
    time.every(lookMs, () => this.#look());
  }

  reboot(): void {
    this.#do(() => this.terminal.reboot(this.time.now()));
  }

  heal(): void {
    this.link.heal();
    this.#connectAt = this.time.now();
  }

  #tick(): void {
    const now = this.time.now();
    this.#do(() => this.terminal.tick(now));
    if (this.link.radio.tick(now)) this.link.lose();
    if (now >= this.#connectAt) this.#connect();
    this.#move();
    if (this.working && now - this.#lastReportAt >= reportMs) {
      this.#lastReportAt = now;
      const at = Math.floor(now / 1000) * 1000;
      const { lat, lon } = this.#place;
      const moving = this.#goal !== undefined;
      const reading = { at, fix: true, lat, lon, altitudeM: 10, speedKmh: moving ? 40 : 0, headingDeg: 0, ignition: moving, odometerKm: 1, fuelL: 1, satellites: 9 }; // prettier-ignore
      this.#do(() => this.terminal.report(reading, now));
    }
  }

  #connect(): void {
    if (this.link.active) return;
    if (!this.link.radio.available(this.time.now())) {
      this.#connectAt = this.time.now() + 3_000;
      return;
    }
    this.#connectAt = Infinity;
    this.link.connect();
  }

  #closed(reason: string): void {
    this.terminal.closed(this.time.now(), reason);
    this.#connectAt = this.time.now() + this.random.between(1_000, 12_000);
  }

  /** 60 km/h as the crow flies: 17 m a second. */
  #move(): void {
    const goal = this.#goal;
    if (goal === undefined) return;
    const step = 17 / 111_195;
    const [dy, dx] = [goal.lat - this.#place.lat, goal.lon - this.#place.lon];
    const rest = Math.hypot(dx, dy);
    if (rest <= step) {
      this.#place = goal;
      this.#goal = undefined;
      return;
    }
    const round = (value: number): number => Math.round(value * 1e6) / 1e6;
    this.#place = {
      lat: round(this.#place.lat + (dy / rest) * step),
      lon: round(this.#place.lon + (dx / rest) * step),
    };
  }

  /** The crew: a key for one of the orders on the screen, usually the next in turn. */
  #look(): void {
    if (!this.working || !this.terminal.hasKeys || !this.random.chance(0.35)) return;
    const orders = this.terminal.orders();
    if (orders.length === 0) return;
    const order = this.random.chance(0.8) ? orders[0]! : this.random.pick(orders);
    const turn = ['accept', 'depart', 'arrive', 'done'] as const;
    const at = this.#next.get(order.key) ?? 0;
    const step = this.random.chance(0.03) ? 'refuse' : turn[Math.min(at, 3)]!;
    // A key is pressed again now and then, and now and then one is left out.
    if (!this.random.chance(0.1)) this.#next.set(order.key, at + (this.random.chance(0.07) ? 2 : 1));
    // After the last key there is nothing more to press, however long the order stays on the screen.
    if (at > turn.length) return;
    const now = this.time.now();
    this.#do(() => {
      if (!this.terminal.press(step, this.terminal.hasApp ? order.key : order.number, now)) return;
      const { orderId = '', leg = 0 } = order;
      this.keys.push({ step, orderId, leg, at: now, confirmed: false });
      this.trace(this.spec.vehicleId, `presses ${step} for ${order.number}`);
    });
    if (step === 'depart') this.#goal = this.siteOf(order.number);
  }

  /** Runs something and carries out what the terminal then wants. */
  #do(act: () => void): void {
    act();
    if (this.terminal.takeRebooted()) this.link.close('reboot');
    for (const out of this.terminal.take()) this.link.send(out);
    const close = this.terminal.takeClose();
    if (close !== undefined) this.link.close(close);
    for (const event of this.terminal.takeEvents()) this.#note(event);
  }

  #note(event: TerminalEvent): void {
    const { vehicleId } = this.spec;
    switch (event.type) {
      case 'confirmed':
        this.#confirmed(event);
        return;
      case 'order':
      case 'removed':
      case 'list': {
        const keys = this.terminal.orders().map((order) => order.key);
        if (new Set(keys).size !== keys.length) this.faults.push(`the screen shows an order twice: ${keys.join(' ')}`);
        const what = event.type === 'list' ? `list ${event.revision}` : event.type;
        this.trace(
          vehicleId,
          `${what}: shows ${
            this.terminal
              .orders()
              .map((order) => order.number)
              .join(' ') || 'nothing'
          }`,
        );
        return;
      }
      case 'refusedFrame':
        this.faults.push(`the gateway sent a frame that cannot be read: ${event.code}`);
        return;
      case 'online':
      case 'offline':
      case 'rebooted':
        this.trace(vehicleId, event.type === 'offline' ? `offline (${event.reason})` : event.type);
        return;
      default:
        return;
    }
  }

  #confirmed({ report, result }: Extract<TerminalEvent, { type: 'confirmed' }>): void {
    if (result !== 0) {
      // Before it is logged in a terminal sends nothing else, and nothing that it says is malformed.
      this.faults.push(`a ${report.kind} was answered with result ${result}`);
      return;
    }
    const readings = report.kind === 'position' ? [report] : report.kind === 'batch' ? report.items : [];
    for (const { reading } of readings) {
      this.positions.push({
        at: reading.at,
        latE6: Math.round(reading.lat * 1e6),
        lonE6: Math.round(reading.lon * 1e6),
      });
    }
    if (report.kind === 'app') {
      const key = this.keys.find((one) => !one.confirmed && one.step === report.what && one.at === report.madeAt);
      if (key !== undefined) key.confirmed = true;
    }
  }
}
