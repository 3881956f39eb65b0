/**
 * The part of the world of which the stream brings every move. Around the map's view, and wider than it, so that a step
 * of the map seldom needs another stream; what lies outside comes at a slower pace.
 */
import { signal } from '@preact/signals';
import type { Bounds } from '../map/engine.js';

/** The box reaches further than the view by this part of its size, on every side. */
const MARGIN = 0.5;
/** A box that is wider than this many views brings too much: the map has come nearer. */
const WIDEST = 6;
const DEGREE_DIGITS = 4;

/** Undefined while no live map is on the screen. */
export const watched = signal<Bounds | undefined>(undefined);

/** The live map shows this, or is gone. */
export function watch(view: Bounds | undefined): void {
  watched.value = view && boxFor(view, watched.peek());
}

/** The present box where it still serves the view, else a new one around it. */
export function boxFor(view: Bounds, present: Bounds | undefined): Bounds {
  return present && serves(present, view) ? present : around(view);
}

function serves(box: Bounds, view: Bounds): boolean {
  const { west, south, east, north } = clamped(view);
  const holds = box.west <= west && box.south <= south && box.east >= east && box.north >= north;
  return holds && box.east - box.west <= WIDEST * (east - west) && box.north - box.south <= WIDEST * (north - south);
}

function around({ west, south, east, north }: Bounds): Bounds {
  const [x, y] = [(east - west) * MARGIN, (north - south) * MARGIN];
  return clamped({ west: west - x, south: south - y, east: east + x, north: north + y });
}

function clamped({ west, south, east, north }: Bounds): Bounds {
  return {
    west: Math.max(-180, west),
    south: Math.max(-90, south),
    east: Math.min(180, east),
    north: Math.min(90, north),
  };
}

/** `minLon,minLat,maxLon,maxLat` of the API. */
export const boxText = ({ west, south, east, north }: Bounds): string =>
  [west, south, east, north].map((degrees) => degrees.toFixed(DEGREE_DIGITS)).join(',');
