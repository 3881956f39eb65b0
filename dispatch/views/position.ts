import type { Position } from '../store/position-batch.js';
import { iso } from './json.js';

/** One position as contract.md shows it: degrees, km/h, metres, kilometres. */
export function positionView(p: Position): Record<string, unknown> {
  return {
    deviceAt: iso(p.deviceAt),
    receivedAt: iso(p.receivedAt),
    lat: p.latE6 / 1e6,
    lon: p.lonE6 / 1e6,
    altitudeM: p.altitudeM,
    speedKmh: p.speedDeciKmh / 10,
    headingDeg: p.headingDeg,
    alarm: p.alarm,
    status: p.status,
    ...(p.mileageDeciKm >= 0 ? { mileageKm: p.mileageDeciKm / 10 } : {}),
  };
}
