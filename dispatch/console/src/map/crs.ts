/**
 * The one pair of functions between WGS-84, which everything else uses, and the system of the base map on show.
 * GCJ-02 is shifted in the display only; gcoord shifts inside its box of China and leaves the rest alone.
 */
import gcoord from 'gcoord';
import type { LonLat } from './engine.js';

export type Crs = 'wgs84' | 'gcj02';
export interface Projection {
  toMap(point: LonLat): LonLat;
  fromMap(point: LonLat): LonLat;
}
const same = (point: LonLat): LonLat => point;

export function projectionOf(crs: Crs | undefined): Projection {
  if (crs !== 'gcj02') return { toMap: same, fromMap: same };
  return {
    toMap: (point) => gcoord.transform<LonLat>(point, gcoord.WGS84, gcoord.GCJ02),
    fromMap: (point) => gcoord.transform<LonLat>(point, gcoord.GCJ02, gcoord.WGS84),
  };
}
