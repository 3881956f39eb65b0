/** Driving times from a routing server (OSRM's HTTP API, `/route/v1/driving`), with a time limit and a bounded memory. */
import type { Place } from './domain/geo.js';

interface Log {
  warn(fields: Record<string, unknown>, message: string): void;
}

export interface Road {
  /** Seconds of driving; undefined when the server is absent, slow, down, or knows no way. Never rejects. */
  seconds(from: Place, to: Place): Promise<number | undefined>;
  /** The way itself as `[lon, lat]` pairs, for the map; undefined likewise. */
  way(from: Place, to: Place): Promise<[number, number][] | undefined>;
}

/** A forecast that waits longer than this is worth less than the estimate. */
const TIMEOUT_MS = 1_500;
/** After a failure the server is left alone for this long. */
const REST_MS = 30_000;
/** About 200 bytes each; places are rounded to 100 m, so vehicles on one road share answers. */
const REMEMBERED = 5_000;
const REMEMBER_MS = 5 * 60_000;

export const noRoad: Road = { seconds: async () => undefined, way: async () => undefined };

/** @param base URL of the server, for example `http://127.0.0.1:5000` */
export function osrmRoad(base: string, log: Log, now: () => number = Date.now): Road {
  const memory = new Map<string, { at: number; seconds: number | undefined }>();
  let restUntil = 0;

  const ask = async (from: Place, to: Place, query: string): Promise<OsrmRoute | undefined> => {
    if (now() < restUntil) return undefined;
    const path = `/route/v1/driving/${from.lon},${from.lat};${to.lon},${to.lat}?${query}`;
    try {
      const answer = await fetch(new URL(path, base), { signal: AbortSignal.timeout(TIMEOUT_MS) });
      const body = (await answer.json()) as { code?: string; routes?: OsrmRoute[] };
      if (body.code === 'NoRoute' || body.code === 'NoSegment') return undefined;
      const route = body.routes?.[0];
      if (!answer.ok || typeof route?.duration !== 'number')
        throw new Error(`answer ${answer.status} ${body.code ?? ''}`);
      return route;
    } catch (error) {
      restUntil = now() + REST_MS;
      log.warn({ err: error, server: base }, 'the routing server failed; arrival is estimated for now');
      return undefined;
    }
  };

  return {
    async seconds(from, to) {
      const key = [from.lat, from.lon, to.lat, to.lon].map((degrees) => degrees.toFixed(3)).join(',');
      const known = memory.get(key);
      if (known && now() - known.at < REMEMBER_MS) return known.seconds;
      const seconds = (await ask(from, to, 'overview=false'))?.duration;
      memory.delete(key);
      memory.set(key, { at: now(), seconds });
      if (memory.size > REMEMBERED) memory.delete(memory.keys().next().value!);
      return seconds;
    },
    way: async (from, to) => (await ask(from, to, 'overview=full&geometries=geojson'))?.geometry?.coordinates,
  };
}

interface OsrmRoute {
  /** Seconds. */
  duration: number;
  geometry?: { coordinates: [number, number][] };
}
