/** A grid of whole steps over what is in view: scale and orientation where no base map is. */
import type { Projection } from './crs.js';
import type { Bounds, LonLat } from './engine.js';

const STEPS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20];
const MAX_LINES = 14;

/** @param bounds WGS-84, as the steps are; the lines are in the base map's system. */
export function gridOver(bounds: Bounds, { toMap }: Pick<Projection, 'toMap'>): GeoJSON.FeatureCollection {
  const span = Math.max(bounds.east - bounds.west, bounds.north - bounds.south);
  const step = STEPS.find((one) => span / one <= MAX_LINES) ?? 30;
  const features: GeoJSON.Feature[] = [];
  const add = (points: LonLat[]): void => {
    features.push({
      type: 'Feature',
      properties: {},
      geometry: { type: 'LineString', coordinates: points.map(toMap) },
    });
  };
  const margin = step * 4;
  const [west, east] = [bounds.west - margin, bounds.east + margin];
  const [south, north] = [Math.max(-85, bounds.south - margin), Math.min(85, bounds.north + margin)];
  for (let lon = Math.ceil(west / step) * step; lon <= east; lon += step) add([[lon, south], [lon, north]]); // prettier-ignore
  for (let lat = Math.ceil(south / step) * step; lat <= north; lat += step) add([[west, lat], [east, lat]]); // prettier-ignore
  return { type: 'FeatureCollection', features };
}
