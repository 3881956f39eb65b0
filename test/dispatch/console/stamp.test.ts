import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { putStamp, stampOf, type Pixels } from '../../../dispatch/console/src/map/stamp.js';

const rgba = (red: number, green: number, blue: number, alpha: number): number =>
  ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
const parts = (pixel: number): number[] => [0, 8, 16, 24].map((shift) => (pixel >>> shift) & 255);
const empty = (width: number, height: number): Pixels => ({ width, height, rgba: new Uint32Array(width * height) });

describe('a stamp', () => {
  it('hides what is below it, lets it through where it is thin, and leaves the rest', () => {
    const image: Pixels = { width: 3, height: 1, rgba: new Uint32Array(3).fill(rgba(0, 0, 200, 255)) };
    const stamp = stampOf(3, Uint32Array.from([rgba(100, 0, 0, 255), rgba(100, 0, 0, 51), 0, 0, 0, 0, 0, 0, 0]));
    putStamp(image, stamp, 1.5, 1.5);
    expect([...image.rgba].map(parts)).toEqual([[100, 0, 0, 255], [20, 0, 160, 255], [0, 0, 200, 255]]); // prettier-ignore
  });

  it('is cut at the edges and never written beside its place, wherever it is put', () => {
    fc.assert(
      fc.property(fc.integer({ min: -12, max: 24 }), fc.integer({ min: -12, max: 24 }), fc.integer({ min: 1, max: 6 }), (x, y, side) => {
        const image = empty(11, 9);
        putStamp(image, stampOf(side, new Uint32Array(side * side).fill(rgba(1, 2, 3, 255))), x, y);
        const [left, top] = [Math.round(x - side / 2), Math.round(y - side / 2)];
        image.rgba.forEach((pixel, i) => {
          const [u, v] = [i % 11, Math.floor(i / 11)];
          const covered = u >= left && u < left + side && v >= top && v < top + side;
          expect(pixel !== 0).toBe(covered);
        });
      }),
    ); // prettier-ignore
  });

  it('is right on images of different widths, one after the other', () => {
    const stamp = stampOf(2, new Uint32Array(4).fill(rgba(9, 9, 9, 255)));
    for (const width of [5, 8, 5]) {
      const image = empty(width, 4);
      putStamp(image, stamp, 2, 2);
      const filled = [...image.rgba.keys()].filter((i) => image.rgba[i] !== 0);
      expect(filled).toEqual([1, 2].flatMap((v) => [v * width + 1, v * width + 2]));
    }
  });
});
