import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { City } from '../../simulator/city.js';
import { distanceM, type Place } from '../../simulator/geo.js';
import { Random, startFleet } from '../../simulator/index.js';
import { OsrmWays } from '../../simulator/net/osrm.js';
import { Beat, middleOf, parseRoutes, partsOfLine, RouteError } from '../../simulator/routes.js';
import { Truck } from '../../simulator/truck.js';
import { TestPlatform } from './support/platform.js';

const line: Place[] = [
  { lat: 36.6, lon: 101.3 },
  { lat: 36.601, lon: 101.3 },
  { lat: 36.601, lon: 101.302 },
];
const pairs = line.map(({ lat, lon }) => [lon, lat]);
const start = Date.UTC(2026, 2, 14, 8);

const gpx = (inside: string): string => `<?xml version="1.0"?><gpx version="1.1">${inside}</gpx>`;
const trackPoints = line.map(({ lat, lon }) => `<trkpt lat="${lat}" lon="${lon}"><ele>12</ele></trkpt>`).join('\n');
const routePoints = line.map(({ lat, lon }) => `<rtept lon='${lon}' lat='${lat}'/>`).join('');

describe('route files', () => {
  it.each([
    ['a GPX track', gpx(`<trk><name>x</name><trkseg>${trackPoints}</trkseg></trk>`), 1],
    ['a GPX route', gpx(`<rte>${routePoints}</rte>`), 1],
    ['GPX segments', gpx(`<trk><trkseg>${trackPoints}</trkseg><trkseg>${trackPoints}</trkseg></trk>`), 2],
    ['GPX with comments', gpx(`<!-- <trkpt lat="1" lon="1"/> --><trk><trkseg>${trackPoints}</trkseg></trk>`), 1],
    ['a LineString', JSON.stringify({ type: 'LineString', coordinates: pairs }), 1],
    ['a MultiLineString', JSON.stringify({ type: 'MultiLineString', coordinates: [pairs, pairs] }), 2],
    [
      'a FeatureCollection with other things in it',
      JSON.stringify({
        type: 'FeatureCollection',
        features: [
          { type: 'Feature', geometry: { type: 'Point', coordinates: [1, 2] } },
          { type: 'Feature', geometry: { type: 'LineString', coordinates: pairs } },
          { type: 'Feature', geometry: null },
        ],
      }),
      1,
    ],
  ])('gives the lines of %s', (_name, text, count) => {
    expect(parseRoutes(text, 'x')).toEqual(Array.from({ length: count }, () => line));
  });

  it.each([
    ['neither form', 'hello', /r\.gpx is neither GPX nor GeoJSON/],
    ['other XML', '<kml></kml>', /no element gpx/],
    [
      'a latitude out of range',
      gpx('<rte><rtept lat="95" lon="1"/></rte>'),
      /point 1: expected a latitude.*found latitude 95/,
    ],
    ['a missing attribute', gpx('<rte><rtept lat="5"/></rte>'), /point 1: .*longitude NaN/],
    ['a point outside of a line', gpx('<trkpt lat="5" lon="5"/>'), /point 1 stands outside/],
    ['one point', gpx('<rte><rtept lat="5" lon="5"/></rte>'), /no line of two points/],
    [
      'a wrong coordinate',
      JSON.stringify({
        type: 'LineString',
        coordinates: [
          [1, 2],
          ['a', 3],
        ],
      }),
      /coordinates\.1:/,
    ],
    ['coordinates that are no list', JSON.stringify({ type: 'LineString' }), /coordinates: expected a list/],
  ])('says what is wrong with %s', (_name, text, words) => {
    expect(() => parseRoutes(text, 'r.gpx')).toThrow(words);
    expect(() => parseRoutes(text, 'r.gpx')).toThrow(RouteError);
  });

  it('never fails in another way, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.string().map((text) => gpx(`<rte>${text}</rte>`)),
        ),
        (text) => {
          try {
            parseRoutes(text, 'x');
          } catch (error) {
            return error instanceof RouteError;
          }
          return true;
        },
      ),
    );
  });
});

describe('a beat', () => {
  const city = new City({ seed: 1, centre: middleOf([line]) });
  const points = line.map((place) => city.projection.toPoint(place));

  it('goes up and down the line, without a gap', () => {
    const beat = new Beat(points, 0);
    let at = beat.start;
    for (const end of [points[2]!, points[0]!, points[2]!]) {
      for (const part of beat.next(at)) {
        expect(distanceM(at, part.from)).toBeLessThan(0.01);
        at = part.to;
      }
      expect(distanceM(at, end)).toBeLessThan(0.5);
    }
  });

  it('comes back to the line from anywhere', () => {
    const parts = new Beat(points, 0).next({ x: points[1]!.x + 50, y: points[1]!.y + 5 });
    expect(parts.at(-1)!.to).toEqual(points[2]);
    expect(parts[0]!.from).toEqual({ x: points[1]!.x + 50, y: points[1]!.y + 5 });
  });

  it('leaves out points that lie on each other', () => {
    expect(partsOfLine([points[0]!, points[0]!, points[1]!], 50)).toHaveLength(1);
  });
});

describe('ways from a routing server', () => {
  let server: Server | undefined;
  afterEach(async () => {
    server?.closeAllConnections();
    await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
    server = undefined;
  });

  /** Answers as OSRM's service `route` does: by a detour over one corner, 10 m/s. */
  async function osrm(answer?: { status: number; body: unknown }): Promise<{ url: string; asked: string[] }> {
    const asked: string[] = [];
    server = createServer((request, response) => {
      asked.push(request.url!);
      const [from, to] = /driving\/([^?]+)/
        .exec(request.url!)![1]!
        .split(';')
        .map((one) => one.split(',').map(Number));
      const coordinates = [from, [from![0], to![1]], to];
      const routes = [{ distance: 1000, duration: 100, geometry: { type: 'LineString', coordinates } }];
      response.statusCode = answer?.status ?? 200;
      response.end(JSON.stringify(answer?.body ?? { code: 'Ok', routes, waypoints: [] }));
    });
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
  }

  it('are driven as they are, at their mean speed', async () => {
    const { url, asked } = await osrm();
    const ways = new OsrmWays(url);
    const way = await ways.between(line[0]!, line[2]!);
    expect(way!.limitKmh).toBeCloseTo(36);
    expect(way!.line).toEqual([line[0], { lat: line[2]!.lat, lon: line[0]!.lon }, line[2]]);
    expect(asked).toEqual([
      '/route/v1/driving/101.300000,36.600000;101.302000,36.601000?overview=full&geometries=geojson',
    ]);
  });

  it.each([
    ['knows no way', { status: 400, body: { code: 'NoRoute', message: 'Impossible route' } }, /NoRoute Impossible/],
    ['is something else', { status: 200, body: 'hello' }, /gave no way/],
  ])('are none where the server %s', async (_name, answer, words) => {
    const { url } = await osrm(answer);
    const ways = new OsrmWays(url);
    expect(await ways.between(line[0]!, line[2]!)).toBeUndefined();
    expect(ways.counts).toEqual({ asked: 1, failed: 1 });
    expect(ways.lastError).toMatch(words);
  });

  it('answers all of many at once', async () => {
    const { url, asked } = await osrm();
    const ways = new OsrmWays(url);
    const found = await Promise.all(Array.from({ length: 100 }, () => ways.between(line[0]!, line[2]!)));
    expect(found.every((way) => way?.line.length === 3)).toBe(true);
    expect(asked).toHaveLength(100);
  });

  it('take a truck to its place; the last wish counts; without a way it takes the streets', async () => {
    const city = new City({ seed: 2 });
    const answers: ((line: Place[] | undefined) => void)[] = [];
    const ways = (): Promise<{ line: Place[]; limitKmh: number } | undefined> =>
      new Promise((resolve) => answers.push((found) => resolve(found && { line: found, limitKmh: 40 })));
    const truck = new Truck({ city, random: new Random(1), now: start, start: { x: 0, y: 0 }, ways });
    const [first, second] = [
      { x: 500, y: 0 },
      { x: 0, y: 700 },
    ].map((point) => city.projection.toPlace(point));
    truck.goTo(first!);
    truck.goTo(second!);
    expect(truck.driving).toBe(true);
    truck.advance(start + 5_000);
    expect(truck.position).toEqual({ x: 0, y: 0 });
    answers[0]!([first!]);
    answers[1]!(undefined);
    await new Promise((resolve) => setImmediate(resolve));
    truck.advance(start + 600_000);
    expect(truck.driving).toBe(false);
    expect(distanceM(truck.position, { x: 0, y: 700 })).toBeLessThan(1);
  });

  it('and lines: a fleet drives them and says what was not found', async () => {
    const { url, asked } = await osrm({ status: 400, body: { code: 'NoRoute' } });
    const platform = new TestPlatform();
    const port = await platform.listen();
    const fleet = await startFleet({
      host: '127.0.0.1',
      port,
      vehicles: 4,
      crews: 'none',
      routes: [line],
      osrmUrl: url,
      reportS: 1,
    });
    const starts = fleet.terminals.map((one) => one.vehicle.place());
    fleet.terminals[0]!.goTo(line[2]!);
    await Promise.all(fleet.terminals.map((one) => one.waitFor('confirmed')));
    await expect.poll(() => asked.length).toBe(1);
    const report = await fleet.stop();
    await platform.close();
    expect(new Set(starts.map(({ lat, lon }) => `${lat.toFixed(5)} ${lon.toFixed(5)}`)).size).toBe(3);
    expect(report.notes).toEqual([expect.stringContaining('1 of 1 ways not found')]);
    expect(report.positions.confirmed).toBe(report.positions.sent);
  });
});
