/** Plane geometry for one city: metres east (`x`) and north (`y`) of its centre. */
export interface Point {
  x: number;
  y: number;
}

/** WGS-84 degrees. */
export interface Place {
  lat: number;
  lon: number;
}

/** One degree of latitude on the sphere that WGS-84 distances are compared with, metres. */
const metresPerDegree = 111_194.926;

/** Turns city metres into degrees and back; exact enough (below 1 m) within 30 km of the centre. */
export class Projection {
  readonly #lonMetres: number;

  constructor(readonly centre: Place) {
    this.#lonMetres = metresPerDegree * Math.cos((centre.lat * Math.PI) / 180);
  }

  toPlace(point: Point): Place {
    return { lat: this.centre.lat + point.y / metresPerDegree, lon: this.centre.lon + point.x / this.#lonMetres };
  }

  toPoint(place: Place): Point {
    return {
      x: (place.lon - this.centre.lon) * this.#lonMetres,
      y: (place.lat - this.centre.lat) * metresPerDegree,
    };
  }
}

export function distanceM(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

/** Compass heading from `a` to `b`: 0 to 359, north 0, clockwise. */
export function headingDeg(a: Point, b: Point): number {
  const degrees = (Math.atan2(b.x - a.x, b.y - a.y) * 180) / Math.PI;
  return Math.round(degrees + 360) % 360;
}
