/**
 * Where the fleet is on the flat map: Web Mercator, 0–1 from the upper left corner of the world, shifted to the base
 * map's system. Plain numbers, so that 20,000 vehicles cost a few milliseconds a second.
 */
import type { Projection } from './crs.js';
import type { Bounds, FleetMark, LonLat } from './engine.js';

/** Vehicles in view below which each gets its turned icon; above, circles. */
export const ICONS_BELOW = 2_000;
/** Fleets above this are drawn as clusters when far out. */
const CLUSTERS_ABOVE = 300;
/** From this zoom on every vehicle is drawn. */
const CLUSTERS_BELOW_ZOOM = 9.5;
/** Side of the squares that are counted together, in pixels. */
const CLUSTER_PX = 76;
/** Fewer than this in a square are drawn one by one. */
const CLUSTER_MIN = 4;
/** Pixels of the world at zoom 0. */
export const WORLD_PX = 512;
/**
 * The shift of GCJ-02 changes by less than a metre over this many degrees, so it is computed again only after a vehicle
 * has driven so far: it costs twenty times as much as all the rest.
 */
const SHIFT_KEPT_DEG = 0.002;

export type FleetMode = 'clusters' | 'dots' | 'icons';

export interface Cluster {
  lon: number;
  lat: number;
  count: number;
  /** Of its members, in the base map's system. */
  bounds: Bounds;
}
/** Part of the world, in Mercator 0–1: `top` < `bottom`. */
export interface MercatorBox {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export const mercatorX = (lon: number): number => lon / 360 + 0.5;
export const mercatorY = (lat: number): number => {
  const sine = Math.sin((lat * Math.PI) / 180);
  return 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI);
};
export const lonOf = (x: number): number => (x - 0.5) * 360;
export const latOf = (y: number): number => (Math.atan(Math.sinh((0.5 - y) * 2 * Math.PI)) * 180) / Math.PI;

/** A box that reaches further on every side by a part of its own size. */
export function grown({ left, top, right, bottom }: MercatorBox, by: number): MercatorBox {
  const [x, y] = [(right - left) * by, (bottom - top) * by];
  return { left: left - x, right: right + x, top: top - y, bottom: bottom + y };
}

export class FleetGeometry {
  marks: readonly FleetMark[] = [];
  x = new Float64Array(0);
  y = new Float64Array(0);
  /** For each mark the place at which its shift was computed, and the shift: longitude, latitude, both twice. */
  #shifts = new Float64Array(0);

  constructor(private readonly projection: Projection) {}

  place(marks: readonly FleetMark[]): void {
    this.marks = marks;
    if (this.x.length < marks.length) {
      const room = Math.ceil(marks.length * 1.2) + 64;
      this.x = new Float64Array(room);
      this.y = new Float64Array(room);
      this.#shifts = new Float64Array(room * 4).fill(Number.NaN);
    }
    for (let i = 0; i < marks.length; i++) {
      let { lon, lat } = marks[i]!;
      if (this.projection.shifts) [lon, lat] = this.#shifted(i, lon, lat);
      this.x[i] = mercatorX(lon);
      this.y[i] = mercatorY(lat);
    }
  }

  #shifted(i: number, lon: number, lat: number): LonLat {
    const shifts = this.#shifts;
    const at = i * 4;
    const near = Math.abs(lon - shifts[at]!) < SHIFT_KEPT_DEG && Math.abs(lat - shifts[at + 1]!) < SHIFT_KEPT_DEG;
    if (!near) {
      const [mapLon, mapLat] = this.projection.toMap([lon, lat]);
      shifts.set([lon, lat, mapLon - lon, mapLat - lat], at);
    }
    return [lon + shifts[at + 2]!, lat + shifts[at + 3]!];
  }

  countIn(box: MercatorBox): number {
    let count = 0;
    for (let i = 0; i < this.marks.length; i++) if (this.#isIn(i, box)) count += 1;
    return count;
  }
  #isIn(i: number, { left, top, right, bottom }: MercatorBox): boolean {
    const [x, y] = [this.x[i]!, this.y[i]!];
    return x >= left && x <= right && y >= top && y <= bottom;
  }
  /** Indices of the marks in the box. */
  within(box: MercatorBox): number[] {
    const found: number[] = [];
    for (let i = 0; i < this.marks.length; i++) if (this.#isIn(i, box)) found.push(i);
    return found;
  }

  modeAt(zoom: number, box: MercatorBox): FleetMode {
    if (zoom < CLUSTERS_BELOW_ZOOM && this.marks.length > CLUSTERS_ABOVE) return 'clusters';
    return this.marks.length < ICONS_BELOW || this.countIn(box) < ICONS_BELOW ? 'icons' : 'dots';
  }

  /** Counts the marks in the box by squares that stay in place while the map is moved; `singles` are left over. */
  clusters(zoom: number, box: MercatorBox): { clusters: Cluster[]; singles: number[] } {
    const scale = (WORLD_PX * 2 ** Math.round(zoom)) / CLUSTER_PX;
    const squares = new Map<number, number[]>();
    for (const i of this.within(box)) {
      const key = Math.floor(this.x[i]! * scale) * 65_536 + Math.floor(this.y[i]! * scale);
      const square = squares.get(key);
      if (square) square.push(i);
      else squares.set(key, [i]);
    }
    const clusters: Cluster[] = [];
    const singles: number[] = [];
    for (const members of this.#apart([...squares.values()], 0.8 / scale)) {
      if (members.length < CLUSTER_MIN) singles.push(...members);
      else clusters.push(this.#cluster(members));
    }
    return { clusters, singles };
  }

  /** Puts groups together whose middles are so near (Mercator) that their circles would hide each other. */
  #apart(groups: number[][], near: number): number[][] {
    const kept: { x: number; y: number; members: number[] }[] = [];
    for (const members of groups.sort((a, b) => b.length - a.length)) {
      const mean = (of: Float64Array): number => members.reduce((sum, i) => sum + of[i]!, 0) / members.length;
      const [x, y] = [mean(this.x), mean(this.y)];
      const neighbour = kept.find((one) => Math.hypot(one.x - x, one.y - y) < near);
      if (neighbour) neighbour.members = neighbour.members.concat(members);
      else kept.push({ x, y, members });
    }
    return kept.map(({ members }) => members);
  }

  #cluster(members: readonly number[]): Cluster {
    let [x, y, left, top, right, bottom] = [0, 0, 1, 1, 0, 0];
    for (const i of members) {
      const [mx, my] = [this.x[i]!, this.y[i]!];
      x += mx / members.length;
      y += my / members.length;
      left = Math.min(left, mx);
      right = Math.max(right, mx);
      top = Math.min(top, my);
      bottom = Math.max(bottom, my);
    }
    const bounds = { west: lonOf(left), east: lonOf(right), north: latOf(top), south: latOf(bottom) };
    return { lon: lonOf(x), lat: latOf(y), count: members.length, bounds };
  }

  /** The mark nearest to a place, among those given, at most `reach` (Mercator) away. */
  nearest(x: number, y: number, reach: number, among: Iterable<number>): FleetMark | undefined {
    let best = reach * reach;
    let found: FleetMark | undefined;
    for (const i of among) {
      const [dx, dy] = [this.x[i]! - x, this.y[i]! - y];
      const distance = dx * dx + dy * dy;
      if (distance > best) continue;
      best = distance;
      found = this.marks[i];
    }
    return found;
  }
}
