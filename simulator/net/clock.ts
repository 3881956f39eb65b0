/** Gateway time in this process: the machine's steady clock at the gateway's rate, from the gateway's own now. */
export class FleetClock {
  #gatewayAt: number;
  #steadyAt: number;

  /**
   * @param rate gateway seconds in a second of the machine
   * @param gatewayNow gateway time at this moment, ms UTC
   */
  constructor(
    readonly rate: number,
    gatewayNow: number,
  ) {
    this.#gatewayAt = gatewayNow;
    this.#steadyAt = performance.now();
  }

  now(): number {
    return Math.floor(this.#gatewayAt + (performance.now() - this.#steadyAt) * this.rate);
  }

  /** Milliseconds of the machine until a gateway time; at least 0. */
  realMsUntil(at: number): number {
    return Math.max(0, (at - this.now()) / this.rate);
  }
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
