import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FleetMark } from '../../../dispatch/console/src/map/engine.js';
import { FleetGeometry, grown, mercatorX, mercatorY } from '../../../dispatch/console/src/map/fleet-geometry.js';

type LonLat = [lon: number, lat: number];
const same = { shifts: false, toMap: (at: LonLat) => at, fromMap: (at: LonLat) => at };
const mark = (id: string, lon: number, lat: number): FleetMark => ({
  id, lon, lat, headingDeg: 0, moving: false, duty: 'standby', link: 'up', queue: 0, undelivered: false, label: id,
}); // prettier-ignore
const WORLD = { left: 0, top: 0, right: 1, bottom: 1 };
const marksIn = fc
  .array(fc.tuple(fc.double({ min: 100, max: 102, noNaN: true }), fc.double({ min: 35, max: 37, noNaN: true })), {
    maxLength: 400,
  })
  .map((places) => places.map(([lon, lat], i) => mark(`v${i}`, lon, lat)));

describe('the fleet on the flat map', () => {
  it('lies where EPSG 3857 puts it', () => {
    expect([mercatorX(-180), mercatorX(0), mercatorX(180)]).toEqual([0, 0.5, 1]);
    expect(mercatorY(0)).toBeCloseTo(0.5, 12);
    // The map's square ends where its height is its width: 85.051128779806604°.
    expect(mercatorY(85.051128779806604)).toBeCloseTo(0, 9);
    expect(mercatorY(-85.051128779806604)).toBeCloseTo(1, 9);
  });

  it('loses and doubles nobody in clusters, whatever the zoom', () => {
    fc.assert(
      fc.property(marksIn, fc.double({ min: 0, max: 9, noNaN: true }), (marks, zoom) => {
        const geometry = new FleetGeometry(same);
        geometry.place(marks);
        const { clusters, singles } = geometry.clusters(zoom, WORLD);
        expect(clusters.reduce((sum, { count }) => sum + count, singles.length)).toBe(marks.length);
        expect(new Set(singles).size).toBe(singles.length);
        for (const { lon, lat, bounds } of clusters) {
          expect(lon).toBeGreaterThanOrEqual(bounds.west - 1e-9);
          expect(lon).toBeLessThanOrEqual(bounds.east + 1e-9);
          expect(lat).toBeGreaterThanOrEqual(bounds.south - 1e-9);
          expect(lat).toBeLessThanOrEqual(bounds.north + 1e-9);
        }
      }),
    );
  });

  it('picks the nearest within reach, and nobody beyond it', () => {
    const geometry = new FleetGeometry(same);
    geometry.place([mark('a', 100, 36), mark('b', 100.01, 36)]);
    const [x, y] = [mercatorX(100.004), mercatorY(36)];
    const pick = (reachDeg: number): string | undefined => geometry.nearest(x, y, reachDeg / 360, [0, 1])?.id;
    expect([pick(0.005), pick(0.1), pick(0.003)]).toEqual(['a', 'a', undefined]);
    expect(geometry.nearest(x, y, 0.1, [1])?.id).toBe('b');
  });

  it('is drawn as clusters far out, circles where many are in view, icons otherwise', () => {
    const geometry = new FleetGeometry(same);
    geometry.place(Array.from({ length: 2_500 }, (_, i) => mark(`v${i}`, 100 + i / 10_000, 36)));
    expect(geometry.modeAt(8, WORLD)).toBe('clusters');
    expect(geometry.modeAt(11, WORLD)).toBe('dots');
    const part = {
      left: mercatorX(99.99995),
      right: mercatorX(100.09995),
      top: mercatorY(36.1),
      bottom: mercatorY(35.9),
    };
    expect(geometry.countIn(part)).toBe(1_000);
    expect(geometry.modeAt(13, part)).toBe('icons');
    expect(geometry.within(grown(part, 1))).toHaveLength(2_000);
    geometry.place([mark('alone', 100, 36)]);
    expect(geometry.modeAt(3, WORLD)).toBe('icons');
  });

  it('is shifted anew when a vehicle has driven, and its shift is never further off than a pixel', () => {
    let asked = 0;
    // A shift that changes as fast as that of GCJ-02 at its steepest: some metres a kilometre.
    const toMap = ([lon, lat]: LonLat): LonLat => {
      asked += 1;
      return [lon + 0.005 + 0.003 * Math.sin(lon * 3), lat + 0.002];
    };
    const geometry = new FleetGeometry({ shifts: true, toMap, fromMap: toMap });
    for (let step = 0; step < 200; step++) {
      const lon = 100 + step * 0.0002;
      geometry.place([mark('a', lon, 36)]);
      const metres = Math.abs(geometry.x[0]! - mercatorX(toMap([lon, 36])[0])) * 40_075_000 * Math.cos(0.63);
      asked -= 1;
      expect(metres).toBeLessThan(2);
    }
    expect(asked).toBeGreaterThan(10);
    expect(asked).toBeLessThan(40);
  });
});
