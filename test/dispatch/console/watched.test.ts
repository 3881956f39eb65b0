import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Bounds } from '../../../dispatch/console/src/map/engine.js';
import { boxFor, boxText } from '../../../dispatch/console/src/state/watched.js';

const view = fc
  .record({
    lon: fc.double({ min: -179, max: 179, noNaN: true }),
    lat: fc.double({ min: -84, max: 84, noNaN: true }),
    width: fc.double({ min: 0.002, max: 400, noNaN: true }),
    height: fc.double({ min: 0.001, max: 180, noNaN: true }),
  })
  .map(({ lon, lat, width, height }): Bounds => ({
    west: lon - width / 2,
    east: lon + width / 2,
    south: lat - height / 2,
    north: lat + height / 2,
  }));

const inWorld = ({ west, south, east, north }: Bounds): Bounds => ({
  west: Math.max(-180, west),
  south: Math.max(-90, south),
  east: Math.min(180, east),
  north: Math.min(90, north),
});
const moved = ({ west, south, east, north }: Bounds, part: number): Bounds => {
  const [x, y] = [(east - west) * part, (north - south) * part];
  return { west: west + x, south: south + y, east: east + x, north: north + y };
};

describe('the box that the live map asks for', () => {
  it('holds what of the world the map shows, whatever it showed before', () => {
    fc.assert(
      fc.property(fc.array(view, { minLength: 1, maxLength: 6 }), (views) => {
        let box: Bounds | undefined;
        for (const one of views) {
          box = boxFor(one, box);
          const shown = inWorld(one);
          expect(box.west).toBeLessThanOrEqual(shown.west);
          expect(box.south).toBeLessThanOrEqual(shown.south);
          expect(box.east).toBeGreaterThanOrEqual(shown.east);
          expect(box.north).toBeGreaterThanOrEqual(shown.north);
          const [west, south, east, north] = boxText(box).split(',').map(Number);
          expect([west! >= -180, south! >= -90, east! <= 180, north! <= 90]).toEqual([true, true, true, true]);
          expect(west! <= east! && south! <= north!).toBe(true);
        }
      }),
    );
  });

  it('stays the same for small steps, so that the stream does, and follows a map that comes nearer or goes away', () => {
    const first: Bounds = { west: 121, south: 31, east: 121.4, north: 31.2 };
    const box = boxFor(first, undefined);
    expect(boxFor(first, box)).toBe(box);
    expect(boxFor(moved(first, 0.4), box)).toBe(box);
    expect(boxFor(moved(first, 0.6), box)).not.toEqual(box);
    const near: Bounds = { west: 121.2, south: 31.1, east: 121.21, north: 31.105 };
    const nearBox = boxFor(near, box);
    expect(nearBox.east - nearBox.west).toBeLessThan((box.east - box.west) / 6);
  });
});
