import type { Place } from '../geo.js';
import { lineKmh } from '../routes.js';
import type { Way, Ways } from '../truck.js';

/** A truck that waits longer than this for its way takes the made-up streets; ms of the machine. */
const timeoutMs = 3_000;
/** Requests at the same time: more would only wait in the server. */
const mostAtOnce = 16;
/** Requests that wait for their turn; past it a truck takes the made-up streets. */
const mostWaiting = 10_000;
/** Mean speeds outside of this are the router's penalties, not a truck's. */
const slowestKmh = 15;
const fastestKmh = 90;

interface RouteAnswer {
  code?: string;
  message?: string;
  routes?: { distance: number; duration: number; geometry: { coordinates: [number, number][] } }[];
}

/**
 * Ways from a routing server (OSRM's HTTP API, service `route`, profile `driving`).
 * @see https://project-osrm.org/docs/v5.24.0/api/#route-service
 */
export class OsrmWays {
  readonly counts = { asked: 0, failed: 0 };
  /** The last thing that went wrong, for the report. */
  lastError: string | undefined;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /** @param base URL of the server, for example `http://127.0.0.1:5000` */
  constructor(private readonly base: string) {}

  /** Never rejects: undefined where the server gives no way. */
  readonly between: Ways = async (from, to) => {
    if (this.#waiting.length >= mostWaiting) return undefined;
    if (this.#running >= mostAtOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running += 1;
    this.counts.asked += 1;
    try {
      return await this.#ask(from, to);
    } catch (error) {
      this.counts.failed += 1;
      this.lastError = (error as Error).message;
      return undefined;
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  };

  async #ask(from: Place, to: Place): Promise<Way> {
    const pairs = [from, to].map(({ lat, lon }) => `${lon.toFixed(6)},${lat.toFixed(6)}`).join(';');
    const path = `route/v1/driving/${pairs}?overview=full&geometries=geojson`;
    const url = new URL(path, this.base.endsWith('/') ? this.base : `${this.base}/`);
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    const answer = (await response.json().catch(() => ({}))) as RouteAnswer;
    const [best] = answer.routes ?? [];
    if (answer.code !== 'Ok' || best === undefined) {
      throw new Error(
        `${this.base} gave no way: ${response.status} ${answer.code ?? ''} ${answer.message ?? ''}`.trim(),
      );
    }
    const { distance, duration, geometry } = best;
    const kmh = duration > 0 ? (distance / duration) * 3.6 : lineKmh;
    return {
      line: geometry.coordinates.map(([lon, lat]) => ({ lat, lon })),
      limitKmh: Math.min(fastestKmh, Math.max(slowestKmh, kmh)),
    };
  }
}
