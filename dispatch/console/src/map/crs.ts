/**
 * The one pair of functions between WGS-84, which everything else uses, and the system of the base map on show.
 * GCJ-02 is shifted in the display only; gcoord shifts inside its box of China and leaves the rest alone.
 */
import gcoord from 'gcoord';
import type { LonLat } from './engine.js';

export type Crs = 'wgs84' | 'gcj02';
export interface Projection {
  /** Whether the two systems differ. */
  shifts: boolean;
  toMap(point: LonLat): LonLat;
  fromMap(point: LonLat): LonLat;
}
const same = (point: LonLat): LonLat => point;

export function projectionOf(crs: Crs | undefined): Projection {
  if (crs !== 'gcj02') return { shifts: false, toMap: same, fromMap: same };
  return {
    shifts: true,
    toMap: (point) => gcoord.transform<LonLat>(point, gcoord.WGS84, gcoord.GCJ02),
    fromMap: (point) => gcoord.transform<LonLat>(point, gcoord.GCJ02, gcoord.WGS84),
  };
}

/** The same shapes in the base map's system. */
export function shifted(
  collection: GeoJSON.FeatureCollection,
  { shifts, toMap }: Projection,
): GeoJSON.FeatureCollection {
  if (!shifts) return collection;
  const deep = (at: unknown): unknown =>
    Array.isArray(at) ? (typeof at[0] === 'number' ? toMap([at[0], at[1] as number]) : at.map(deep)) : at;
  const features = collection.features.map((feature) => ({
    ...feature,
    geometry: { ...feature.geometry, coordinates: deep((feature.geometry as GeoJSON.Point).coordinates) },
  }));
  return { ...collection, features: features as GeoJSON.Feature[] };
}
