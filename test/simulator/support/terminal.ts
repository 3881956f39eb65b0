import type { Edition } from '../../../protocol/index.js';
import {
  Jt808Wire,
  Terminal,
  type Profile,
  type TerminalEvent,
  type TerminalOptions,
} from '../../../simulator/index.js';
import { PlatformSide } from './platform.js';

/** 2026-03-14 08:00:00 UTC. */
export const start = Date.UTC(2026, 2, 14, 8);

/** A terminal and a scripted platform joined without a network, under a clock that the test moves. */
export class Bench {
  now = start;
  readonly terminal: Terminal;
  readonly platform: PlatformSide;
  readonly events: TerminalEvent[] = [];
  /** Everything that the terminal sent, in order. */
  readonly wire: Uint8Array[] = [];
  /** False: what either side sends is lost. */
  linked = true;

  constructor(profile: Profile, edition: Edition, options: Partial<TerminalOptions> = {}) {
    this.terminal = new Terminal({
      profile,
      phone: '13012345678',
      wire: (hooks, flash) =>
        new Jt808Wire(
          {
            edition,
            phone: '13012345678',
            plate: '京A12345',
            maker: 'LCSIM',
            model: 'SIM-1',
            terminalId: 'S000001',
            imei: '860000000000001',
          },
          hooks,
          flash,
        ),
      ...options,
    });
    this.platform = new PlatformSide((bytes) => {
      if (this.linked) this.terminal.received(bytes, this.now);
    });
  }

  /** Moves what the terminal has to say to the platform until both are silent. */
  flush(): void {
    for (let out = this.terminal.take(); out.length > 0; out = this.terminal.take()) {
      for (const { bytes } of out) {
        this.wire.push(bytes);
        if (this.linked) this.platform.push(bytes);
      }
    }
    this.events.push(...this.terminal.takeEvents());
  }

  connect(): this {
    this.platform.reset();
    this.terminal.connected(this.now);
    this.flush();
    return this;
  }

  /** Lets time pass, ticking whenever the terminal wants it. */
  pass(ms: number): void {
    const until = this.now + ms;
    for (;;) {
      const next = Math.max(this.now, this.terminal.nextAt());
      if (next > until) break;
      this.now = next;
      this.terminal.tick(this.now);
      this.flush();
      if (this.terminal.nextAt() <= this.now) break;
    }
    this.now = Math.max(this.now, until);
  }

  of<T extends TerminalEvent['type']>(type: T): Extract<TerminalEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<TerminalEvent, { type: T }> => event.type === type);
  }
}

export function reading(at: number, lat = 36.62, lon = 101.35): Parameters<Terminal['report']>[0] {
  return {
    at,
    fix: true,
    lat,
    lon,
    altitudeM: 1500,
    speedKmh: 36.5,
    headingDeg: 90,
    ignition: true,
    odometerKm: 1234.5,
    fuelL: 40,
    satellites: 9,
  };
}
