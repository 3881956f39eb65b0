/**
 * Driving times and ways from a routing server (OSRM's HTTP API, `/table/v1/driving` and `/route/v1/driving`), with a
 * time limit and a bounded memory.
 */
import type { RoadSeconds } from './domain/eta.js';
import type { Place } from './domain/geo.js';

interface Log {
  warn(fields: Record<string, unknown>, message: string): void;
}

/** From one place to the next. */
export type Stretch = readonly [from: Place, to: Place];

export interface Road {
  /**
   * Driving times of these stretches, the most wanted first, by one request at most. A stretch stays unknown when the
   * server is absent, slow or down, knows no way, or was asked for more than it takes. Never rejects.
   */
  between(stretches: readonly Stretch[]): Promise<RoadSeconds>;
  /** The way itself as `[lon, lat]` pairs, for the map; undefined likewise. Never rejects. */
  way(stretch: Stretch): Promise<[number, number][] | undefined>;
}

/** A forecast that waits longer than this is worth less than the estimate. */
const TIMEOUT_MS = 1_500;
/** After a failure the server is left alone for this long. */
const REST_MS = 30_000;
/** Places of one request: what OSRM takes unless its operator raises `--max-table-size`. */
const MAX_PLACES = 100;
/** About 200 bytes each; places are rounded to 100 m, so vehicles on one road share answers. */
const REMEMBERED = 5_000;
const REMEMBER_MS = 5 * 60_000;

export const noRoad: Road = { between: () => Promise.resolve(() => undefined), way: () => Promise.resolve(undefined) };

/** @param base URL of the server, for example `http://127.0.0.1:5000` */
export function osrmRoad(base: string, log: Log, now: () => number = Date.now): Road {
  const memory = new Map<string, { at: number; seconds: number | undefined }>();
  let restUntil = 0;

  const known = ([from, to]: Stretch): { seconds: number | undefined } | undefined => {
    const found = memory.get(keyOf(from, to));
    return found && now() - found.at < REMEMBER_MS ? found : undefined;
  };
  const remember = ([from, to]: Stretch, seconds: number | undefined): void => {
    const key = keyOf(from, to);
    memory.delete(key);
    memory.set(key, { at: now(), seconds });
    if (memory.size > REMEMBERED) memory.delete(memory.keys().next().value!);
  };

  /** What `read` makes of the server's answer; undefined where it did not answer, or not with that. */
  const ask = async <T>(
    service: 'table' | 'route',
    places: readonly Place[],
    query: string,
    read: (body: OsrmAnswer) => T | undefined,
  ): Promise<T | undefined> => {
    if (now() < restUntil) return undefined;
    const path = `/${service}/v1/driving/${places.map(({ lat, lon }) => `${lon},${lat}`).join(';')}?${query}`;
    try {
      const answer = await fetch(new URL(path, base), { signal: AbortSignal.timeout(TIMEOUT_MS) });
      const body = (await answer.json()) as OsrmAnswer;
      const found = read(body);
      if (found === undefined || (!answer.ok && !NO_WAY.has(body.code ?? '')))
        throw new Error(`answer ${answer.status} ${body.code ?? ''}`);
      return found;
    } catch (error) {
      restUntil = now() + REST_MS;
      log.warn({ err: error, server: base }, 'the routing server failed; arrival is estimated for now');
      return undefined;
    }
  };

  return {
    async between(stretches) {
      const { places, asked } = request(stretches.filter((stretch) => !known(stretch)));
      const table =
        asked.length > 0 ? await ask('table', [...places.values()], 'annotations=duration', tableOf) : undefined;
      const index = new Map([...places.keys()].map((key, i) => [key, i]));
      for (const stretch of table ? asked : []) {
        const [from, to] = stretch.map((place) => index.get(nameOf(place))!) as [number, number];
        const seconds = table![from]?.[to];
        remember(stretch, typeof seconds === 'number' ? seconds : undefined);
      }
      return (from, to) => known([from, to])?.seconds;
    },
    async way(stretch) {
      const way = await ask('route', stretch, 'overview=full&geometries=geojson', wayOf);
      return way && way.length > 1 ? way : undefined;
    },
  };
}

interface OsrmAnswer {
  code?: string;
  /** Seconds by place and place. */
  durations?: (number | null)[][];
  routes?: { geometry?: { coordinates?: [number, number][] } }[];
}
/** Answers that say that there is no way, and not that something is wrong. */
const NO_WAY: ReadonlySet<string> = new Set(['NoTable', 'NoRoute', 'NoSegment']);

const tableOf = ({ code, durations }: OsrmAnswer): (number | null)[][] | undefined =>
  NO_WAY.has(code ?? '') ? [] : Array.isArray(durations) ? durations : undefined;
const wayOf = ({ code, routes }: OsrmAnswer): [number, number][] | undefined =>
  NO_WAY.has(code ?? '') ? [] : routes?.[0]?.geometry?.coordinates;

/** The first stretches whose places fit one request, and these places, each once. */
function request(stretches: readonly Stretch[]): { places: Map<string, Place>; asked: Stretch[] } {
  const places = new Map<string, Place>();
  const asked: Stretch[] = [];
  for (const stretch of stretches) {
    const more = new Set(stretch.map(nameOf).filter((name) => !places.has(name))).size;
    if (places.size + more > MAX_PLACES) continue;
    for (const place of stretch) if (!places.has(nameOf(place))) places.set(nameOf(place), place);
    asked.push(stretch);
  }
  return { places, asked };
}

const nameOf = ({ lat, lon }: Place): string => `${lat.toFixed(3)},${lon.toFixed(3)}`;
const keyOf = (from: Place, to: Place): string => `${nameOf(from)};${nameOf(to)}`;
