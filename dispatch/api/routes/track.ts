/** Where a vehicle was: GeoJSON, or one position a line; and the road that it has before it. */
import { Readable } from 'node:stream';
import { z } from 'zod';
import { isFix } from '../../fixes.js';
import type { Position } from '../../store/position-batch.js';
import { iso } from '../../views/json.js';
import { positionView } from '../../views/position.js';
import { Problem } from '../http/problem.js';
import { Answer, route, type Route } from '../http/route.js';
import { byId, id, latitude, longitude, timeIn } from '../schemas/common.js';
import type { RouteDeps } from './deps.js';

const GEOJSON = 'application/geo+json';
const NDJSON = 'application/x-ndjson';
const DAY_MS = 86_400_000;
/** GeoJSON is one document: as many points as an hour a second for a day; NDJSON has no limit. */
const MAX_POINTS = 100_000;
/** Written together: a line each would be a write each. */
const CHUNK_BYTES = 64 * 1024;

export function trackRoutes({ dispatch, road }: RouteDeps): Route[] {
  return [
    route({
      method: 'GET',
      path: '/vehicles/{id}/track',
      tag: 'Vehicles',
      right: 'vehicle.track',
      params: byId,
      audit: true,
      summary: 'The track of a vehicle, each position once, in device order',
      description:
        '`from` ≤ device time < `to`; the last 24 hours by default. `Accept: application/x-ndjson` gives one position a line, without limit, those without a fix too (bit 1 of `status` is 0); ' +
        `\`application/geo+json\` (or JSON) a feature collection of at most ${MAX_POINTS} positions: those with a fix, a line and a point each, \`truncated\` where there are more.`,
      query: z.strictObject({ from: timeIn.optional(), to: timeIn.optional() }),
      produces: [GEOJSON, NDJSON, 'application/json'],
      responses: { 200: { description: 'The track', mediaTypes: [GEOJSON, NDJSON] } },
      async handler({ guard, params, query, mediaType }) {
        await guard.read('vehicle.track', 'vehicle', params.id);
        const to = query.to ?? dispatch.clock.now() + 1;
        const from = query.from ?? to - DAY_MS;
        if (from > to) {
          throw new Problem('invalidParameter', `from (${iso(from)}) is after to (${iso(to)})`, {
            errors: [{ parameter: 'from', detail: 'is after to', expected: `a time before ${iso(to)}` }],
          });
        }
        const track = dispatch.store.track(params.id, from, to);
        if (mediaType === NDJSON) return new Answer(200, Readable.from(lines(track)), { 'content-type': NDJSON });
        const body = JSON.stringify(await geoJson(params.id, track));
        return new Answer(200, body, { 'content-type': `${mediaType}; charset=utf-8` });
      },
    }),
    route({
      method: 'GET',
      path: '/vehicles/{id}/road',
      tag: 'Vehicles',
      right: 'vehicle.track',
      params: byId,
      summary: 'The road from the vehicle’s last position to an order’s site',
      description:
        'From the routing server (LINECREW_OSRM_URL). `coordinates` is null where there is none, it is down or knows no way, or the vehicle has no position.',
      query: z.strictObject({ order: id }),
      responses: {
        200: {
          description: 'The road, as `[lon, lat]` pairs in driving order',
          schema: z.object({ coordinates: z.array(z.tuple([longitude, latitude])).nullable() }),
        },
      },
      async handler({ guard, params, query }) {
        await guard.read('vehicle.track', 'vehicle', params.id);
        const { value: order } = await guard.read('order.read', 'order', query.order);
        const last = (await dispatch.lastPositions([params.id])).get(params.id);
        if (!last) return { coordinates: null };
        const here = { lat: last.latE6 / 1e6, lon: last.lonE6 / 1e6 };
        return { coordinates: (await road.way([here, order.site])) ?? null };
      },
    }),
  ];
}

async function* lines(track: AsyncIterable<Position>): AsyncGenerator<string> {
  let chunk = '';
  for await (const position of track) {
    chunk += JSON.stringify(positionView(position)) + '\n';
    if (chunk.length < CHUNK_BYTES) continue;
    yield chunk;
    chunk = '';
  }
  if (chunk !== '') yield chunk;
}

/** RFC 7946: longitude before latitude; altitude third. A position that is no fix has no place on a map. */
async function geoJson(vehicleId: string, track: AsyncIterable<Position>): Promise<unknown> {
  const points: unknown[] = [];
  const coordinates: number[][] = [];
  let truncated = false;
  for await (const position of track) {
    if (!isFix(position.status)) continue;
    if (points.length >= MAX_POINTS) {
      truncated = true;
      break;
    }
    const { lat, lon, ...properties } = positionView(position) as { lat: number; lon: number; altitudeM: number };
    const place = [lon, lat, properties.altitudeM];
    coordinates.push(place);
    points.push({ type: 'Feature', geometry: { type: 'Point', coordinates: place }, properties });
  }
  const line = { type: 'Feature', geometry: { type: 'LineString', coordinates }, properties: { vehicleId } };
  const features = coordinates.length > 1 ? [line, ...points] : points;
  return { type: 'FeatureCollection', features, properties: { vehicleId, positions: points.length, truncated } };
}
