import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AREAS_KEPT, areasAfter } from '../../../dispatch/domain/areas.js';
import type { TerminalArea } from '../../../dispatch/domain/model.js';

const centre = { lat: 31.2, lon: 121.4 };
const circle = (id: number, radiusM = 100) => ({ name: 'circle-set', arguments: { id, centre, radiusM } });

describe('areas of a terminal', () => {
  it('are what was set, by shape and id, the newest setting of each', () => {
    const polygon = { name: 'polygon-set', arguments: { id: 1, name: 'yard', points: [centre, { lat: 31.3, lon: 121.4 }, { lat: 31.3, lon: 121.5 }] } }; // prettier-ignore
    let held: readonly TerminalArea[] = [];
    for (const [at, command] of [circle(1), polygon, circle(1, 250)].entries()) held = areasAfter(held, command, at);
    expect(held).toEqual([
      { shape: 'polygon', id: 1, name: 'yard', points: polygon.arguments.points, setAt: 1 },
      { shape: 'circle', id: 1, points: [centre], radiusM: 250, setAt: 2 },
    ]);
  });

  it('have the four corners of a rectangle, and the widest segment of a route', () => {
    const rectangle = { name: 'rectangle-set', arguments: { id: 2, upperLeft: { lat: 2, lon: 1 }, lowerRight: { lat: 1, lon: 3 } } }; // prettier-ignore
    const route = { name: 'route-set', arguments: { id: 3, points: [{ lat: 1, lon: 1, widthM: 20 }, { lat: 2, lon: 2, widthM: 50 }] } }; // prettier-ignore
    const held = areasAfter(areasAfter([], rectangle, 0), route, 0);
    expect(held[0]!.points).toEqual([{ lat: 2, lon: 1 }, { lat: 2, lon: 3 }, { lat: 1, lon: 3 }, { lat: 1, lon: 1 }]); // prettier-ignore
    expect(held[1]).toMatchObject({
      widthM: 50,
      points: [
        { lat: 1, lon: 1 },
        { lat: 2, lon: 2 },
      ],
    });
  });

  it('are gone when they are removed, all of one shape or all of them', () => {
    const held = [circle(1), circle(2), circle(3)].reduce<readonly TerminalArea[]>((all, one) => areasAfter(all, one, 0), []); // prettier-ignore
    const ids = (areas: readonly TerminalArea[]): number[] => areas.map(({ id }) => id);
    expect(ids(areasAfter(held, { name: 'circle-remove', arguments: { ids: [1, 3] } }, 0))).toEqual([2]);
    expect(ids(areasAfter(held, { name: 'route-remove', arguments: { all: true } }, 0))).toEqual([1, 2, 3]);
    expect(areasAfter(held, { name: 'factory-reset', arguments: { confirm: true } }, 0)).toEqual([]);
  });

  it('are bounded, and no two have the same shape and id', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 300 }), (ids) => {
        const held = ids.reduce<readonly TerminalArea[]>((all, id, at) => areasAfter(all, circle(id), at), []);
        expect(held.length).toBe(Math.min(AREAS_KEPT, new Set(ids).size));
        expect(new Set(held.map(({ id }) => id)).size).toBe(held.length);
        if (ids.length > 0) expect(held.at(-1)!.id).toBe(ids.at(-1));
      }),
    );
  });
});
