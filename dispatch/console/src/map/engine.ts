/** What a map can do for the console, whichever library draws it. All coordinates are WGS-84 degrees. */
import type { Tone } from '../ui/order-time.js';

export interface FleetMark {
  id: string;
  lon: number;
  lat: number;
  headingDeg: number;
  moving: boolean;
  duty: string;
  link: string;
  queue: number;
  undelivered: boolean;
  label: string;
}
export interface OrderMark {
  id: string;
  lon: number;
  lat: number;
  tone: Tone;
  /** Part of the promise that is left, 0–1. */
  left: number;
  /** Minutes left, as text. */
  minutes: string;
  urgent: boolean;
  label: string;
}
export type LonLat = [lon: number, lat: number];
/** Where it was; the road to its order by a routing server, or as the crow flies; where another one was. */
export interface LineMark {
  kind: 'track' | 'plan' | 'guess' | 'ghost';
  points: LonLat[];
}
/** What a terminal watches: an area, or a way. */
export interface AreaMark {
  shape: 'circle' | 'rectangle' | 'polygon' | 'route';
  /** Centre, corners, or the way. */
  points: LonLat[];
  radiusM?: number | undefined;
  widthM?: number | undefined;
  label: string;
}
export interface Bounds {
  west: number;
  south: number;
  east: number;
  north: number;
}

export interface MapEngine {
  setFleet(marks: readonly FleetMark[]): void;
  setOrders(marks: readonly OrderMark[]): void;
  setLines(lines: readonly LineMark[]): void;
  setAreas(areas: readonly AreaMark[]): void;
  setSelected(kind: 'order' | 'vehicle' | undefined, id: string | undefined): void;
  setDark(dark: boolean): void;
  fit(bounds: Bounds, animate: boolean): void;
  panTo(point: LonLat, zoom?: number): void;
  zoomBy(steps: number): void;
  resize(): void;
  destroy(): void;
}

export interface MapCallbacks {
  onPick(kind: 'order' | 'vehicle', id: string): void;
  /** The person moved the map themselves. */
  onDragged(): void;
  /** A click on the bare map. */
  onPoint?(lon: number, lat: number): void;
  /** The ground could not be loaded in whole or in part; the plain map shows through. */
  onGroundProblem?(what: 'tiles' | 'style', reason: string): void;
  /** This is on the screen, WGS-84. */
  onView?(view: Bounds): void;
  /** The graphics card took its memory back: this map is lost. */
  onLost?(): void;
}

export interface BaseMap {
  url?: string;
  kind?: 'raster' | 'style' | 'pmtiles';
  crs?: 'wgs84' | 'gcj02';
  attribution?: string;
}

export interface MapOptions {
  container: HTMLElement;
  base: BaseMap;
  /** Made-up streets of the demo, or the operator's own lines; GeoJSON. */
  streets: GeoJSON.FeatureCollection | undefined;
  dark: boolean;
  start: Bounds | undefined;
  callbacks: MapCallbacks;
}

export function boundsOf(points: Iterable<{ lon: number; lat: number }>): Bounds | undefined {
  let bounds: Bounds | undefined;
  for (const { lon, lat } of points) {
    if (!bounds) bounds = { west: lon, east: lon, south: lat, north: lat };
    else {
      bounds.west = Math.min(bounds.west, lon);
      bounds.east = Math.max(bounds.east, lon);
      bounds.south = Math.min(bounds.south, lat);
      bounds.north = Math.max(bounds.north, lat);
    }
  }
  return bounds;
}
