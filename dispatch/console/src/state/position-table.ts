/**
 * The newest position of every vehicle as numbers in a table: 20,000 rows change each second, so there is no object for
 * each. Runs in the live worker; the page gets copies of the numbers (`PositionSnapshot`).
 */

/** `[vehicleId, lat, lon, headingDeg, speedKmh, deviceAt, receivedAt]`: a row of the stream (`form=rows`), times ms UTC. */
export type PositionRow = readonly [string, number, number, number, number, number, number];

/** Numbers of a row: latitude, longitude, heading (degrees), speed (km/h), device and receipt time (ms UTC). */
export const COLUMNS = 6;
const RECEIVED_AT = 5;
/** As many as the console holds vehicles; a fleet beyond that is shown in part. */
export const MAX_ROWS = 50_000;

export interface PositionSnapshot {
  /** Of which sign-in the rows are. */
  epoch: number;
  /** Vehicles that came since the last snapshot, in the order of their rows. */
  added: string[];
  values: Float64Array<ArrayBuffer>;
}

export class PositionTable {
  #rows = new Map<string, number>();
  #values = new Float64Array(1_024 * COLUMNS);
  #added: string[] = [];

  /** Takes rows; an older position than the known one changes nothing. True if anything changed. */
  take(rows: readonly PositionRow[]): boolean {
    let changed = false;
    for (const [id, lat, lon, headingDeg, speedKmh, deviceAt, receivedAt] of rows) {
      let row = this.#rows.get(id);
      if (row === undefined) {
        row = this.#add(id);
        if (row === undefined) continue;
      } else if (this.#values[row * COLUMNS + RECEIVED_AT]! > receivedAt) continue;
      this.#values.set([lat, lon, headingDeg, speedKmh, deviceAt, receivedAt], row * COLUMNS);
      changed = true;
    }
    return changed;
  }

  #add(id: string): number | undefined {
    const row = this.#rows.size;
    if (row >= MAX_ROWS) return undefined;
    if ((row + 1) * COLUMNS > this.#values.length) {
      const larger = new Float64Array(this.#values.length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#rows.set(id, row);
    this.#added.push(id);
    return row;
  }

  /** What the page needs to follow: its own copy, so that it can be handed over and not copied again. */
  snapshot(epoch: number): PositionSnapshot {
    const added = this.#added;
    this.#added = [];
    return { epoch, added, values: this.#values.slice(0, this.#rows.size * COLUMNS) };
  }

  clear(): void {
    this.#rows.clear();
    this.#added = [];
  }
}
