/**
 * Measures how far terminals' clocks are off. A live location arrives a little after its own time, never before, so the
 * greatest difference (device time minus received time) of some locations is the offset, give or take the radio. Stored
 * locations that come late make the difference smaller; a backlog that drains makes it drift. So an offset counts only
 * when two windows in a row agree.
 */
import type { Frame } from '../../protocol/index.js';

interface Measured {
  samples: number;
  since: number;
  greatestMs: number;
  /** Of the window before; NaN at first. */
  beforeMs: number;
  toldMs: number;
}

const windowSamples = 5;
const windowMs = 30_000;
/** Two windows agree, and a change is worth telling, within and from this on. */
const toleranceMs = 5_000;
/** At a clock rate above 1 the machine's own delays are as many times longer, ms of the machine. */
const machineMs = 250;
/** Terminals watched; a restart of the window costs nothing but a minute. */
export const clockOffsetsMax = 100_000;

export class ClockOffsets {
  readonly #terminals = new Map<string, Measured>();

  readonly #toleranceMs: number;

  /**
   * @param tell gets a new or changed offset: device clock minus gateway clock, ms
   * @param clockRate of gateway time
   */
  constructor(
    private readonly tell: (phone: string, ms: number) => void,
    clockRate = 1,
  ) {
    this.#toleranceMs = toleranceMs + machineMs * Math.max(0, clockRate - 1);
  }

  /** Terminals watched now. */
  get size(): number {
    return this.#terminals.size;
  }

  /** One live location. `deviceAt` is NaN where the terminal gave no time. */
  sample(vehicleId: string, frame: Frame, deviceAt: number, receivedAt: number): void {
    const differenceMs = deviceAt - receivedAt;
    if (Number.isNaN(differenceMs)) return;
    let one = this.#terminals.get(vehicleId);
    if (one === undefined) {
      if (this.#terminals.size >= clockOffsetsMax) this.#terminals.clear();
      one = { samples: 0, since: receivedAt, greatestMs: -Infinity, beforeMs: NaN, toldMs: 0 };
      this.#terminals.set(vehicleId, one);
    }
    if (differenceMs > one.greatestMs) one.greatestMs = differenceMs;
    if (++one.samples < windowSamples || receivedAt - one.since < windowMs) return;
    this.#endWindow(one, frame, receivedAt);
  }

  #endWindow(one: Measured, frame: Frame, receivedAt: number): void {
    const { greatestMs, beforeMs, toldMs } = one;
    one.samples = 0;
    one.since = receivedAt;
    one.greatestMs = -Infinity;
    one.beforeMs = greatestMs;
    if (Number.isNaN(beforeMs) || Math.abs(greatestMs - beforeMs) >= this.#toleranceMs) return;
    if (Math.abs(greatestMs - toldMs) < this.#toleranceMs) return;
    one.toldMs = greatestMs;
    this.tell(frame.phone, Math.round(greatestMs));
  }
}
