import type { Range } from './habits.js';
import type { Random } from './random.js';

/** What a mobile network does to a terminal. Times are gateway time; chances are 0 to 1. */
export interface RadioConditions {
  /** One way, ms. */
  delayMs: Range;
  /** A piece is lost and repeated by TCP: it and everything behind it comes this much later. */
  lossChance: number;
  lossDelayMs: Range;
  /** The modem sends a frame twice. */
  duplicateChance: number;
  /** A frame leaves the modem behind the next ones. */
  disorderChance: number;
  /** The connection breaks in the middle of a frame. */
  cutChance: number;
  /** The connection dies without a word: both ends believe that it lives. */
  halfOpenChance: number;
  /** A connection without traffic for so long is forgotten by the network, as if half-open. 0: never. */
  natTimeoutMs: number;
  /** No network under the ground. */
  deadInTunnels: boolean;
  /** Holes in the network. */
  outagesPerHour: number;
  outageS: Range;
}

const perfect: RadioConditions = {
  delayMs: [0, 0],
  lossChance: 0,
  lossDelayMs: [0, 0],
  duplicateChance: 0,
  disorderChance: 0,
  cutChance: 0,
  halfOpenChance: 0,
  natTimeoutMs: 0,
  deadInTunnels: false,
  outagesPerHour: 0,
  outageS: [0, 0],
};

export const radioByName = {
  perfect,
  /** An ordinary day in town. */
  city: {
    ...perfect,
    delayMs: [30, 180],
    lossChance: 0.01,
    lossDelayMs: [200, 1500],
    natTimeoutMs: 600_000,
    deadInTunnels: true,
    outagesPerHour: 0.5,
    outageS: [5, 60],
  },
  /** Valleys, basements, a crowded cell. */
  bad: {
    ...perfect,
    delayMs: [80, 900],
    lossChance: 0.06,
    lossDelayMs: [300, 6000],
    duplicateChance: 0.02,
    disorderChance: 0.02,
    cutChance: 0.004,
    halfOpenChance: 0.001,
    natTimeoutMs: 240_000,
    deadInTunnels: true,
    outagesPerHour: 6,
    outageS: [10, 240],
  },
  /** Everything goes wrong all the time; what `chaos` uses. */
  awful: {
    ...perfect,
    delayMs: [100, 2500],
    lossChance: 0.15,
    lossDelayMs: [300, 9000],
    duplicateChance: 0.06,
    disorderChance: 0.06,
    cutChance: 0.02,
    halfOpenChance: 0.005,
    natTimeoutMs: 120_000,
    deadInTunnels: true,
    outagesPerHour: 20,
    outageS: [5, 180],
  },
} satisfies Record<string, RadioConditions>;
export type RadioName = keyof typeof radioByName;

/** One piece on its way. */
export interface Transmission {
  /** When it reaches the other end. */
  at: number;
  bytes: Uint8Array;
  /** What happens to the connection behind it. */
  then?: 'cut' | 'halfOpen';
}

/**
 * Decides what becomes of every frame of one terminal. Pure: time and frames in, transmissions out. One direction of a
 * TCP stream keeps its order except where the modem itself mixes frames up.
 */
export class Radio {
  #off: 'no' | 'silent' | 'closed' = 'no';
  #lastUpAt = 0;
  #lastDownAt = 0;
  #lastTrafficAt = 0;
  #outageUntil = 0;
  #underground = false;
  #nextOutageAt: number;

  constructor(
    public conditions: RadioConditions,
    private readonly random: Random,
    now: number,
  ) {
    this.#nextOutageAt = this.#drawOutage(now);
  }

  /** False in a hole of the network, in a tunnel, and while it is switched off. */
  available(now: number): boolean {
    return this.#off === 'no' && !this.#underground && now >= this.#outageUntil;
  }

  /** The truck is in a tunnel, or is not. True when the link is lost by it without a word. */
  tunnel(isIn: boolean): boolean {
    const was = this.#underground;
    this.#underground = isIn && this.conditions.deadInTunnels;
    return this.#underground && !was;
  }

  /** Switches the radio off until `on`: links close, or stay half-open (`silent`) and swallow everything. */
  off(how: 'closed' | 'silent' = 'closed'): void {
    this.#off = how;
  }

  on(): void {
    this.#off = 'no';
    this.#outageUntil = 0;
  }

  /** From now on nothing goes wrong any more. */
  heal(): void {
    this.on();
    this.conditions = radioByName.perfect;
    this.#nextOutageAt = Infinity;
  }

  /** What is swallowed without a word. */
  get silent(): boolean {
    return this.#off === 'silent';
  }

  /** A new connection starts its own time-outs. */
  connected(now: number): void {
    this.#lastUpAt = now;
    this.#lastDownAt = now;
    this.#lastTrafficAt = now;
  }

  /** When to ask {@link tick} again. */
  nextAt(): number {
    return Math.min(this.#nextOutageAt, this.#outageUntil > 0 ? this.#outageUntil : Infinity);
  }

  /** True when a hole begins now: the link is lost without a word. */
  tick(now: number): boolean {
    if (this.#outageUntil > 0 && now >= this.#outageUntil) this.#outageUntil = 0;
    if (now < this.#nextOutageAt) return false;
    const [from, to] = this.conditions.outageS;
    this.#outageUntil = now + this.random.between(from, to) * 1000;
    this.#nextOutageAt = this.#drawOutage(this.#outageUntil);
    return true;
  }

  /** The modem says once more what it has just said. */
  doubles(): boolean {
    const { duplicateChance } = this.conditions;
    return duplicateChance > 0 && this.random.chance(duplicateChance);
  }

  /**
   * A frame of the terminal. `dead`: the network has swallowed it and the connection with it.
   * @param isStream it is a piece of a stream that a library writes: never repeated, never behind the next one
   */
  up(bytes: Uint8Array, now: number, isStream = false): Transmission[] | 'dead' {
    const { natTimeoutMs, disorderChance, cutChance, halfOpenChance } = this.conditions;
    if (natTimeoutMs > 0 && now - this.#lastTrafficAt > natTimeoutMs) return 'dead';
    this.#lastTrafficAt = now;
    const at = this.#arrival(now, this.#lastUpAt);
    if (cutChance > 0 && this.random.chance(cutChance)) {
      const cut = this.random.int(0, bytes.length - 1);
      return [{ at, bytes: bytes.subarray(0, cut), then: 'cut' }];
    }
    if (halfOpenChance > 0 && this.random.chance(halfOpenChance)) return [{ at, bytes, then: 'halfOpen' }];
    if (!isStream && disorderChance > 0 && this.random.chance(disorderChance)) {
      return [{ at: at + this.random.between(200, 3000), bytes }];
    }
    this.#lastUpAt = at;
    if (!isStream && this.doubles()) {
      return [
        { at, bytes },
        { at: at + this.random.between(0, 2000), bytes },
      ];
    }
    return [{ at, bytes }];
  }

  /** Bytes from the platform, as the socket gives them. */
  down(bytes: Uint8Array, now: number): Transmission {
    this.#lastTrafficAt = now;
    const at = this.#arrival(now, this.#lastDownAt);
    this.#lastDownAt = at;
    return { at, bytes };
  }

  #arrival(now: number, notBefore: number): number {
    const { delayMs, lossChance, lossDelayMs } = this.conditions;
    let at = now;
    if (delayMs[1] > 0) at += this.random.between(...delayMs);
    if (lossChance > 0 && this.random.chance(lossChance)) at += this.random.between(...lossDelayMs);
    return Math.max(at, notBefore);
  }

  #drawOutage(now: number): number {
    const { outagesPerHour } = this.conditions;
    return outagesPerHour > 0 ? now + this.random.exponential(3_600_000 / outagesPerHour) : Infinity;
  }
}
