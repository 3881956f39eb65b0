/** One position as read back. Units as on the wire where they are exact: degrees × 10⁶, km/h × 10, km × 10. */
export interface Position {
  vehicleId: string;
  /** Terminal's own time, ms UTC; equals `receivedAt` where the terminal gave no valid date. */
  deviceAt: number;
  receivedAt: number;
  /** WGS-84, degrees × 10⁶, south and west negative. */
  latE6: number;
  lonE6: number;
  altitudeM: number;
  speedDeciKmh: number;
  headingDeg: number;
  /** JT/T 808 alarm and status words (3.2, 3.3), unsigned. Status bit 1: the coordinates are a fix. */
  alarm: number;
  status: number;
  /** Odometer, km × 10; -1 where the terminal gave none. */
  mileageDeciKm: number;
}

/** Numbers per position in a {@link PositionBatch}. */
export const POSITION_WIDTH = 10;

/**
 * Many positions as one flat array of numbers, in order of arrival: what the reader hands to the store without making
 * an object per position. Row `i` belongs to `vehicles[vehicleOf[i]]`; its numbers start at `i * POSITION_WIDTH` in the
 * order of {@link Position} after `vehicleId`.
 */
export class PositionBatch {
  readonly vehicles: string[] = [];
  readonly #indexOf = new Map<string, number>();
  vehicleOf: Uint32Array;
  numbers: Float64Array;
  length = 0;

  constructor(capacity = 256) {
    this.vehicleOf = new Uint32Array(capacity);
    this.numbers = new Float64Array(capacity * POSITION_WIDTH);
  }

  add(
    vehicleId: string,
    deviceAt: number,
    receivedAt: number,
    latE6: number,
    lonE6: number,
    altitudeM: number,
    speedDeciKmh: number,
    headingDeg: number,
    alarm: number,
    status: number,
    mileageDeciKm: number,
  ): void {
    if (this.length === this.vehicleOf.length) this.#grow();
    let vehicle = this.#indexOf.get(vehicleId);
    if (vehicle === undefined) {
      vehicle = this.vehicles.push(vehicleId) - 1;
      this.#indexOf.set(vehicleId, vehicle);
    }
    const at = this.length * POSITION_WIDTH;
    const n = this.numbers;
    this.vehicleOf[this.length++] = vehicle;
    n[at] = deviceAt;
    n[at + 1] = receivedAt;
    n[at + 2] = latE6;
    n[at + 3] = lonE6;
    n[at + 4] = altitudeM;
    n[at + 5] = speedDeciKmh;
    n[at + 6] = headingDeg;
    n[at + 7] = alarm;
    n[at + 8] = status;
    n[at + 9] = mileageDeciKm;
  }

  /** Row `i` as an object, for reads that are not hot. */
  at(i: number): Position {
    const n = this.numbers;
    const at = i * POSITION_WIDTH;
    return {
      vehicleId: this.vehicles[this.vehicleOf[i]!]!,
      deviceAt: n[at]!,
      receivedAt: n[at + 1]!,
      latE6: n[at + 2]!,
      lonE6: n[at + 3]!,
      altitudeM: n[at + 4]!,
      speedDeciKmh: n[at + 5]!,
      headingDeg: n[at + 6]!,
      alarm: n[at + 7]!,
      status: n[at + 8]!,
      mileageDeciKm: n[at + 9]!,
    };
  }

  #grow(): void {
    const vehicleOf = new Uint32Array(this.vehicleOf.length * 2);
    vehicleOf.set(this.vehicleOf);
    this.vehicleOf = vehicleOf;
    const numbers = new Float64Array(this.numbers.length * 2);
    numbers.set(this.numbers);
    this.numbers = numbers;
  }
}
