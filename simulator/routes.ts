import type { RoutePart } from './city.js';
import { distanceM, type Place, type Point } from './geo.js';

/** A route file that cannot be used: what, where, and what was expected. */
export class RouteError extends Error {}

/** Speed on a line of which nothing but the points is known, km/h. */
export const lineKmh = 50;
/** Points of all lines of a file together: a day at one point a second, some times over. */
const mostPoints = 500_000;

type Line = readonly Place[];

/**
 * The lines of a GPX file (tracks by segment, routes) or of GeoJSON (LineString and MultiLineString, alone or in features
 * and collections).
 * @param source name for errors
 * @throws RouteError
 */
export function parseRoutes(text: string, source: string): Line[] {
  const start = text.replace(/^\uFEFF/, '').trimStart();
  const lines = start.startsWith('<') ? readGpx(start, source) : readGeoJson(start, source);
  const points = lines.reduce((sum, line) => sum + line.length, 0);
  if (points > mostPoints) throw new RouteError(`${source} has ${points} points; expected at most ${mostPoints}`);
  const routes = lines.filter((line) => line.length >= 2);
  if (routes.length === 0) throw new RouteError(`${source} has no line of two points or more`);
  return routes;
}

/** GPX 1.0 and 1.1: the attributes `lat` and `lon` of `trkpt` and `rtept`, a line for each `trkseg` and `rte`. */
function readGpx(text: string, source: string): Line[] {
  if (!/<gpx[\s>]/.test(text)) throw new RouteError(`${source} is XML, but has no element gpx`);
  const bare = text.replace(/<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>/g, '');
  const lines: Place[][] = [];
  let points = 0;
  for (const [, tag, attributes] of bare.matchAll(/<(trkseg|rte|trkpt|rtept)(\s[^>]*)?>/g)) {
    if (tag === 'trkseg' || tag === 'rte') {
      lines.push([]);
      continue;
    }
    points += 1;
    const where = `${source}: point ${points}`;
    const line = lines.at(-1);
    if (line === undefined) throw new RouteError(`${where} stands outside of trkseg and rte`);
    const read = (name: string): unknown =>
      new RegExp(`\\s${name}\\s*=\\s*["']\\s*([-+.\\deE]+)\\s*["']`).exec(attributes ?? '')?.[1];
    line.push(placeOf(number(read('lat')), number(read('lon')), where));
  }
  return lines;
}

function readGeoJson(text: string, source: string): Line[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new RouteError(`${source} is neither GPX nor GeoJSON: ${(error as Error).message}`);
  }
  const lines: Line[] = [];
  collect(value, source, lines);
  return lines;
}

interface GeoJson {
  type?: unknown;
  coordinates?: unknown;
  geometry?: unknown;
  geometries?: unknown;
  features?: unknown;
}

/** Geometries that are no lines are passed over: such files hold stops and areas beside the route. */
function collect(value: unknown, where: string, lines: Line[]): void {
  if (value === null || typeof value !== 'object') return;
  const { type, coordinates, geometry, geometries, features } = value as GeoJson;
  switch (type) {
    case 'LineString':
      lines.push(lineOf(coordinates, `${where}: coordinates`));
      return;
    case 'MultiLineString':
      list(coordinates, `${where}: coordinates`).forEach((one, i) =>
        lines.push(lineOf(one, `${where}: coordinates.${i}`)),
      );
      return;
    case 'Feature':
      collect(geometry, `${where}: geometry`, lines);
      return;
    case 'FeatureCollection':
      list(features, `${where}: features`).forEach((one, i) => collect(one, `${where}: features.${i}`, lines));
      return;
    case 'GeometryCollection':
      list(geometries, `${where}: geometries`).forEach((one, i) => collect(one, `${where}: geometries.${i}`, lines));
      return;
    default:
      return;
  }
}

function lineOf(value: unknown, where: string): Line {
  return list(value, where).map((pair, i) => {
    const [lon, lat] = list(pair, `${where}.${i}`);
    return placeOf(number(lat), number(lon), `${where}.${i}`);
  });
}

function list(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value as unknown[];
  throw new RouteError(`${where}: expected a list`);
}

function number(value: unknown): number {
  return typeof value === 'number' || typeof value === 'string' ? Number(value) : NaN;
}

function placeOf(lat: number, lon: number, where: string): Place {
  if (Math.abs(lat) <= 85 && Math.abs(lon) <= 180) return { lat, lon };
  const found = `latitude ${lat}, longitude ${lon}`;
  throw new RouteError(`${where}: expected a latitude from -85 to 85 and a longitude from -180 to 180, found ${found}`);
}

/** Middle of the smallest box around all points. */
export function middleOf(routes: readonly Line[]): Place {
  const [low, high] = [
    { lat: Infinity, lon: Infinity },
    { lat: -Infinity, lon: -Infinity },
  ];
  for (const { lat, lon } of routes.flat()) {
    low.lat = Math.min(low.lat, lat);
    low.lon = Math.min(low.lon, lon);
    high.lat = Math.max(high.lat, lat);
    high.lon = Math.max(high.lon, lon);
  }
  return { lat: (low.lat + high.lat) / 2, lon: (low.lon + high.lon) / 2 };
}

/** A line as a truck drives it. Points that lie on each other are one. */
export function partsOfLine(points: readonly Point[], limitKmh: number): RoutePart[] {
  const parts: RoutePart[] = [];
  let from = points[0];
  for (const to of points.slice(1)) {
    const lengthM = distanceM(from!, to);
    if (lengthM < 0.5) continue;
    parts.push({ from: from!, to, lengthM, limitKmh, tunnel: false, junction: false });
    from = to;
  }
  return parts;
}

/** A beat along a line, to its end and back again, for ever. */
export class Beat {
  #forward: boolean;

  /** @param points at least two */
  constructor(
    private readonly points: readonly Point[],
    /** Part of the way where it begins, 0 to 1. */
    startPart: number,
  ) {
    this.start = points[Math.min(points.length - 1, Math.floor(startPart * points.length))]!;
    this.#forward = this.start !== points.at(-1);
  }

  readonly start: Point;

  /** From where a truck is: back to the nearest point of the line and on to its end; at the end the other way. */
  next(from: Point): RoutePart[] {
    let at = 0;
    this.points.forEach((point, i) => {
      if (distanceM(point, from) < distanceM(this.points[at]!, from)) at = i;
    });
    if (at === (this.#forward ? this.points.length - 1 : 0)) this.#forward = !this.#forward;
    const rest = this.#forward ? this.points.slice(at) : this.points.slice(0, at + 1).reverse();
    return partsOfLine([from, ...rest], lineKmh);
  }
}
