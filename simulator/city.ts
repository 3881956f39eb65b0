import { distanceM, Projection, type Place, type Point } from './geo.js';
import { Heap } from './heap.js';
import { Random } from './random.js';

/** Middle of the made-up city unless another is given: open land, so that nobody takes it for a real one. */
export const defaultCentre: Place = { lat: 36.62, lon: 101.35 };

export interface CityOptions {
  seed: string | number;
  centre?: Place;
  /** Streets in each direction, 4 to 60. Default 19. */
  streets?: number;
  /** Mean distance between parallel streets, metres. Default 420. */
  blockM?: number;
}

export interface Street {
  name: string;
  nameEn: string;
  /** Runs north–south (an avenue) or east–west. */
  direction: 'ns' | 'ew';
  /** Every fourth street is wide. */
  kind: 'main' | 'side';
  limitKmh: number;
}

/** A way between two junctions. Under `tunnel` a truck has no fix. */
export interface Way {
  from: number;
  to: number;
  street: Street;
  lengthM: number;
  tunnel: boolean;
}

/** One straight piece of a route. */
export interface RoutePart {
  from: Point;
  to: Point;
  lengthM: number;
  limitKmh: number;
  tunnel: boolean;
  /** A junction with another street lies at its end. */
  junction: boolean;
}

export interface Address {
  text: string;
  point: Point;
  place: Place;
}

const firstParts = ['东风', '建设', '和平', '解放', '新华', '光明', '中山', '青年', '胜利', '幸福', '文化', '工业', '园林', '朝阳', '长江', '黄河', '泰山', '昆仑', '春晖', '秋实', '松林', '柳岸', '金桥', '银杏', '红旗', '兴业', '学府', '体育', '滨河', '望山', '丰收', '安宁', '永定', '开元', '锦绣', '云溪', '石桥', '梧桐', '海棠', '桂花']; // prettier-ignore
const firstPartsEn = ['Dongfeng', 'Jianshe', 'Heping', 'Jiefang', 'Xinhua', 'Guangming', 'Zhongshan', 'Qingnian', 'Shengli', 'Xingfu', 'Wenhua', 'Gongye', 'Yuanlin', 'Chaoyang', 'Changjiang', 'Huanghe', 'Taishan', 'Kunlun', 'Chunhui', 'Qiushi', 'Songlin', 'Liuan', 'Jinqiao', 'Yinxing', 'Hongqi', 'Xingye', 'Xuefu', 'Tiyu', 'Binhe', 'Wangshan', 'Fengshou', 'Anning', 'Yongding', 'Kaiyuan', 'Jinxiu', 'Yunxi', 'Shiqiao', 'Wutong', 'Haitang', 'Guihua']; // prettier-ignore

/**
 * A made-up city: a grid of named straight streets with uneven spacing, some blocks without a through way, some short
 * tunnels. The same seed and options give the same city.
 */
export class City {
  readonly projection: Projection;
  readonly streets: Street[] = [];
  readonly ways: Way[] = [];
  readonly junctions: Point[] = [];
  /** Half the width of the city, metres. */
  readonly radiusM: number;

  readonly #waysAt: number[][] = [];
  readonly #xs: number[];
  readonly #ys: number[];
  readonly #count: number;

  constructor(readonly options: CityOptions) {
    const random = new Random(options.seed).stream('city');
    this.projection = new Projection(options.centre ?? defaultCentre);
    this.#count = Math.min(60, Math.max(4, options.streets ?? 19));
    const blockM = options.blockM ?? 420;
    this.#xs = offsets(this.#count, blockM, random.stream('x'));
    this.#ys = offsets(this.#count, blockM, random.stream('y'));
    this.radiusM = Math.max(this.#xs.at(-1)!, this.#ys.at(-1)!);
    this.#nameStreets(random.stream('names'));
    this.#build(random.stream('ways'));
  }

  /** Junction number of column `i` (from west) and row `j` (from south). */
  junction(i: number, j: number): number {
    return j * this.#count + i;
  }

  nearestJunction(point: Point): number {
    return this.junction(nearestIndex(this.#xs, point.x), nearestIndex(this.#ys, point.y));
  }

  randomJunction(random: Random): number {
    return random.int(0, this.junctions.length - 1);
  }

  /** A house at a street, some metres from the kerb line. */
  randomAddress(random: Random): Address {
    const way = random.pick(this.ways);
    const part = random.between(0.15, 0.85);
    const a = this.junctions[way.from]!;
    const b = this.junctions[way.to]!;
    const point = { x: a.x + (b.x - a.x) * part, y: a.y + (b.y - a.y) * part };
    const along = way.street.direction === 'ns' ? point.y : point.x;
    // House numbers rise from the south-west end, one for every ten metres, so an address can be found again.
    const house = Math.max(1, Math.round((along + this.radiusM + 1000) / 10));
    return { text: `${way.street.name}${house}号`, point, place: this.projection.toPlace(point) };
  }

  /** The place of an address of this city, or undefined when the text names no street of it. */
  locate(text: string): Place | undefined {
    const found = /([\p{Script=Han}]+?(?:大街|路))(\d+)号/u.exec(text);
    if (found === null) return undefined;
    const index = this.streets.findIndex((street) => found[1]!.endsWith(street.name));
    if (index < 0) return undefined;
    const along = Number(found[2]) * 10 - this.radiusM - 1000;
    const street = this.streets[index]!;
    const line = index % this.#count;
    const point = street.direction === 'ns' ? { x: this.#xs[line]!, y: along } : { x: along, y: this.#ys[line]! };
    return this.projection.toPlace(point);
  }

  /**
   * The fastest way along the streets from a point to a point; both are first joined to their nearest street. Starts
   * at `from` and ends at `to` exactly.
   */
  route(from: Point, to: Point): RoutePart[] {
    const start = this.#onStreet(from);
    const end = this.#onStreet(to);
    if (distanceM(from, to) < 1) return [];
    if (start.way === end.way) return join([from, start.point, end.point, to], this.ways[start.way]!);
    const path = this.#shortest(start, end);
    const parts: RoutePart[] = [];
    const first = this.ways[start.way]!;
    push(parts, from, start.point, first, false);
    push(parts, start.point, this.junctions[path[0]!]!, first, true);
    for (let i = 1; i < path.length; i++) {
      const way = this.#between(path[i - 1]!, path[i]!);
      push(parts, this.junctions[path[i - 1]!]!, this.junctions[path[i]!]!, way, true);
    }
    const last = this.ways[end.way]!;
    push(parts, this.junctions[path.at(-1)!]!, end.point, last, false);
    push(parts, end.point, to, last, false);
    return parts;
  }

  #nameStreets(random: Random): void {
    const order = firstParts.map((_, i) => i);
    for (let i = order.length - 1; i > 0; i--) {
      const j = random.int(0, i);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    for (const direction of ['ns', 'ew'] as const) {
      for (let i = 0; i < this.#count; i++) {
        const at = direction === 'ns' ? i : this.#count + i;
        const word = order[at % order.length]!;
        // More streets than words: the ring number keeps names apart.
        const round = Math.floor(at / order.length);
        const kind = i % 4 === 2 ? 'main' : 'side';
        const suffix = direction === 'ns' ? '路' : '大街';
        this.streets.push({
          name: `${firstParts[word]!}${['', '东', '西', '南'][round] ?? ''}${suffix}`,
          nameEn: `${firstPartsEn[word]!} ${round === 0 ? '' : `${round + 1} `}${direction === 'ns' ? 'Road' : 'Street'}`,
          direction,
          kind,
          limitKmh: kind === 'main' ? 60 : 40,
        });
      }
    }
  }

  #build(random: Random): void {
    const n = this.#count;
    for (let j = 0; j < n; j++) for (let i = 0; i < n; i++) this.junctions.push({ x: this.#xs[i]!, y: this.#ys[j]! });
    for (let i = 0; i < n * n; i++) this.#waysAt.push([]);
    const add = (from: number, to: number, street: Street): void => {
      const removable = street.kind === 'side' && this.#waysAt[from]!.length > 0;
      const missing = random.chance(0.06);
      const tunnel = random.chance(street.kind === 'main' ? 0.03 : 0.01);
      if (missing && removable) return;
      const lengthM = distanceM(this.junctions[from]!, this.junctions[to]!);
      const index = this.ways.push({ from, to, street, lengthM, tunnel }) - 1;
      this.#waysAt[from]!.push(index);
      this.#waysAt[to]!.push(index);
    };
    // Only ways inside the outer ring of streets are ever left out, and only of side streets whose junction keeps
    // another way; a grid with 6 % of its inner edges missing that way stays in one piece along the main streets.
    for (let j = 0; j < n; j++) {
      for (let i = 0; i < n; i++) {
        if (i + 1 < n) add(this.junction(i, j), this.junction(i + 1, j), this.streets[n + j]!);
        if (j + 1 < n) add(this.junction(i, j), this.junction(i, j + 1), this.streets[i]!);
      }
    }
    this.#joinAll();
  }

  /** Puts back what would leave a junction alone: joins every unreached junction to a reached neighbour. */
  #joinAll(): void {
    const n = this.#count;
    const reached = new Set<number>([0]);
    const queue = [0];
    const spread = (): void => {
      for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
        for (const index of this.#waysAt[at]!) {
          const way = this.ways[index]!;
          const other = way.from === at ? way.to : way.from;
          if (!reached.has(other)) {
            reached.add(other);
            queue.push(other);
          }
        }
      }
    };
    spread();
    for (let at = 0; at < n * n; at++) {
      if (reached.has(at)) continue;
      const west = at % n > 0;
      const other = west ? at - 1 : at - n;
      const street = west ? this.streets[n + Math.floor(at / n)]! : this.streets[at % n]!;
      const lengthM = distanceM(this.junctions[at]!, this.junctions[other]!);
      const index = this.ways.push({ from: other, to: at, street, lengthM, tunnel: false }) - 1;
      this.#waysAt[at]!.push(index);
      this.#waysAt[other]!.push(index);
      reached.add(at);
      queue.push(at);
      spread();
    }
  }

  /** The nearest point on a way near `point`. */
  #onStreet(point: Point): { way: number; point: Point } {
    const near = new Set<number>();
    const i = nearestIndex(this.#xs, point.x);
    const j = nearestIndex(this.#ys, point.y);
    for (let dj = -1; dj <= 1; dj++) {
      for (let di = -1; di <= 1; di++) {
        const ci = i + di;
        const cj = j + dj;
        if (ci < 0 || cj < 0 || ci >= this.#count || cj >= this.#count) continue;
        for (const way of this.#waysAt[this.junction(ci, cj)]!) near.add(way);
      }
    }
    let best = { way: -1, point, distance: Infinity };
    for (const index of near) {
      const way = this.ways[index]!;
      const foot = nearestOn(this.junctions[way.from]!, this.junctions[way.to]!, point);
      const distance = distanceM(foot, point);
      if (distance < best.distance) best = { way: index, point: foot, distance };
    }
    return best;
  }

  /** Dijkstra by travel time from the ends of one way to the ends of the other; gives the junctions passed. */
  #shortest(start: { way: number; point: Point }, end: { way: number; point: Point }): number[] {
    const seconds = new Float64Array(this.junctions.length).fill(Infinity);
    const before = new Int32Array(this.junctions.length).fill(-1);
    const heap = new Heap();
    const offer = (at: number, time: number, via: number): void => {
      if (time >= seconds[at]!) return;
      seconds[at] = time;
      before[at] = via;
      heap.push(time, at);
    };
    const first = this.ways[start.way]!;
    for (const at of [first.from, first.to]) offer(at, travelS(distanceM(start.point, this.junctions[at]!), first), -1);
    const last = this.ways[end.way]!;
    const rest = (at: number): number => travelS(distanceM(end.point, this.junctions[at]!), last);
    for (let at = heap.pop(); at !== undefined; at = heap.pop()) {
      if (seconds[last.from]! < Infinity && seconds[last.to]! < Infinity) {
        const bound = Math.max(seconds[last.from]!, seconds[last.to]!);
        if (seconds[at]! > bound) break;
      }
      for (const index of this.#waysAt[at]!) {
        const way = this.ways[index]!;
        offer(way.from === at ? way.to : way.from, seconds[at]! + travelS(way.lengthM, way), at);
      }
    }
    const goal = seconds[last.from]! + rest(last.from) <= seconds[last.to]! + rest(last.to) ? last.from : last.to;
    const path = [goal];
    for (let at = before[goal]!; at >= 0; at = before[at]!) path.unshift(at);
    return path;
  }

  #between(a: number, b: number): Way {
    const index = this.#waysAt[a]!.find((one) => this.ways[one]!.from === b || this.ways[one]!.to === b);
    return this.ways[index!]!;
  }
}

export interface GeoJsonStreets {
  type: 'FeatureCollection';
  features: {
    type: 'Feature';
    properties: { name: string; nameEn: string; kind: 'main' | 'side'; tunnel: boolean };
    geometry: { type: 'LineString'; coordinates: [number, number][] };
  }[];
}

/** The streets of the city of this seed as GeoJSON (WGS-84): what a console draws under the trucks. */
export function cityGeoJson(seed: string | number, centre: Place = defaultCentre): GeoJsonStreets {
  const city = new City({ seed, centre });
  const coordinate = (at: number): [number, number] => {
    const { lat, lon } = city.projection.toPlace(city.junctions[at]!);
    return [Number(lon.toFixed(6)), Number(lat.toFixed(6))];
  };
  return {
    type: 'FeatureCollection',
    features: city.ways.map(({ from, to, street, tunnel }) => ({
      type: 'Feature',
      properties: { name: street.name, nameEn: street.nameEn, kind: street.kind, tunnel },
      geometry: { type: 'LineString', coordinates: [coordinate(from), coordinate(to)] },
    })),
  };
}

function offsets(count: number, blockM: number, random: Random): number[] {
  const list: number[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    list.push(at);
    at += blockM * random.between(0.7, 1.3);
  }
  const half = list.at(-1)! / 2;
  return list.map((value) => value - half);
}

function nearestIndex(sorted: readonly number[], value: number): number {
  let best = 0;
  for (let i = 1; i < sorted.length; i++) if (Math.abs(sorted[i]! - value) < Math.abs(sorted[best]! - value)) best = i;
  return best;
}

function nearestOn(a: Point, b: Point, point: Point): Point {
  const length2 = (b.x - a.x) ** 2 + (b.y - a.y) ** 2;
  const t = Math.min(1, Math.max(0, ((point.x - a.x) * (b.x - a.x) + (point.y - a.y) * (b.y - a.y)) / length2));
  return { x: a.x + (b.x - a.x) * t, y: a.y + (b.y - a.y) * t };
}

function travelS(lengthM: number, way: Way): number {
  return lengthM / (way.street.limitKmh / 3.6) + 4;
}

function push(parts: RoutePart[], from: Point, to: Point, way: Way, junction: boolean): void {
  const lengthM = distanceM(from, to);
  if (lengthM < 0.5) return;
  parts.push({ from, to, lengthM, limitKmh: way.street.limitKmh, tunnel: way.tunnel, junction });
}

function join(points: Point[], way: Way): RoutePart[] {
  const parts: RoutePart[] = [];
  for (let i = 1; i < points.length; i++) push(parts, points[i - 1]!, points[i]!, way, false);
  return parts;
}
