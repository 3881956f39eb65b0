/** The ground under the marks: the built-in plain map, or the operator's raster, vector style or PMTiles file. */
import type { LayerSpecification, StyleSpecification } from 'maplibre-gl';
import type { BaseMap } from './engine.js';
import { paletteOf, type Palette } from './palette.js';

export const EMPTY: GeoJSON.FeatureCollection = { type: 'FeatureCollection', features: [] };

const kindIs = (...kinds: string[]): unknown => ['in', ['get', 'kind'], ['literal', kinds]];
const WIDE = ['main', 'motorway', 'major', 'primary'];

/** Land, water, grid and streets. No borders, no names of countries. */
function plainLayers(p: Palette): LayerSpecification[] {
  const roadWidth = (major: number, minor: number): unknown => [
    'interpolate', ['exponential', 1.6], ['zoom'],
    9, ['case', kindIs(...WIDE), major * 0.35, minor * 0.15],
    12, ['case', kindIs(...WIDE), major, minor * 0.7],
    16, ['case', kindIs(...WIDE), major * 5, minor * 4.5],
  ]; // prettier-ignore
  const line = (id: string, filter: unknown, paint: Record<string, unknown>): LayerSpecification =>
    ({
      id, type: 'line', source: 'streets', filter: ['all', ['==', ['geometry-type'], 'LineString'], filter],
      layout: { 'line-cap': 'round', 'line-join': 'round' }, paint,
    }) as LayerSpecification; // prettier-ignore
  const area = (id: string, filter: unknown, colour: string): LayerSpecification =>
    ({ id, type: 'fill', source: 'streets', filter: ['all', ['==', ['geometry-type'], 'Polygon'], filter], paint: { 'fill-color': colour } }) as LayerSpecification; // prettier-ignore
  const road = ['!', kindIs('water', 'river', 'park', 'block', 'land')];
  return [
    { id: 'land', type: 'background', paint: { 'background-color': p.land } },
    { id: 'grid', type: 'line', source: 'grid', paint: { 'line-color': p.grid, 'line-width': 1 } },
    area('blocks', kindIs('block'), p.block),
    area('parks', kindIs('park'), p.park),
    area('water', kindIs('water', 'river'), p.water),
    line('river', kindIs('water', 'river'), { 'line-color': p.water, 'line-width': ['interpolate', ['exponential', 1.6], ['zoom'], 9, 2, 12, 9, 16, 60] }),
    line('road-casing', road, { 'line-color': p.roadCasing, 'line-width': ['interpolate', ['exponential', 1.6], ['zoom'], 9, ['case', kindIs(...WIDE), 2.2, 0.4], 12, ['case', kindIs(...WIDE), 5, 2.6], 16, ['case', kindIs(...WIDE), 19, 13]] }),
    line('road', road, { 'line-color': ['case', kindIs(...WIDE), p.roadMajor, p.road], 'line-width': roadWidth(3.4, 2) }),
    {
      id: 'street-names', type: 'symbol', source: 'streets', minzoom: 12.5,
      filter: ['all', ['has', 'name'], ['==', ['geometry-type'], 'LineString']],
      layout: {
        'text-field': ['get', 'name'], 'text-size': 11.5,
        'symbol-placement': 'line',
        'symbol-spacing': 420,
      },
      paint: { 'text-color': p.text, 'text-halo-color': p.halo, 'text-halo-width': 1.4, 'text-opacity': 0.75 },
    } as unknown as LayerSpecification,
  ]; // prettier-ignore
}

/** Layers over a vector PMTiles file in the common base-map schema; boundaries and country names are left out. */
function vectorLayers(p: Palette): LayerSpecification[] {
  const layer = (
    id: string,
    type: 'fill' | 'line',
    from: string,
    paint: Record<string, unknown>,
    // The plain map has layers of the same names under it.
  ): LayerSpecification => ({ id: `tiles-${id}`, type, source: 'tiles', 'source-layer': from, paint });
  return [
    layer('earth', 'fill', 'earth', { 'fill-color': p.land }),
    layer('landuse', 'fill', 'landuse', { 'fill-color': p.park, 'fill-opacity': 0.6 }),
    layer('water', 'fill', 'water', { 'fill-color': p.water }),
    layer('buildings', 'fill', 'buildings', { 'fill-color': p.block }),
    layer('roads', 'line', 'roads', { 'line-color': p.road, 'line-width': ['interpolate', ['linear'], ['zoom'], 8, 0.5, 16, 6] }),
  ]; // prettier-ignore
}

export const isStyleUrl = (base: BaseMap): boolean => base.kind === 'style';

/**
 * The ground as a style. The plain map lies under tiles too: where one is missing, something is there.
 * @param vector what a PMTiles file holds: vectors, or pictures
 */
export function baseStyle(
  base: BaseMap,
  { dark: isDark, streets }: { dark: boolean; streets: GeoJSON.FeatureCollection | undefined },
  vector: boolean,
): StyleSpecification {
  const p = paletteOf(isDark);
  const sources: StyleSpecification['sources'] = {
    grid: { type: 'geojson', data: EMPTY },
    streets: { type: 'geojson', data: streets ?? EMPTY },
  };
  const attribution = base.attribution ?? '';
  const layers = plainLayers(p);
  if (base.kind === 'raster') {
    sources.tiles = { type: 'raster', tiles: [base.url!], tileSize: 256, attribution };
  } else if (base.kind === 'pmtiles') {
    const url = `pmtiles://${new URL(base.url!, window.location.href).href}`;
    sources.tiles = vector ? { type: 'vector', url, attribution } : { type: 'raster', url, tileSize: 256, attribution };
  }
  if (sources.tiles?.type === 'vector') layers.push(...vectorLayers(p));
  if (sources.tiles?.type === 'raster') {
    layers.push({
      id: 'tiles', type: 'raster', source: 'tiles',
      paint: isDark ? { 'raster-brightness-max': 0.55, 'raster-saturation': -0.5 } : {},
    }); // prettier-ignore
  }
  return { version: 8, sources, layers };
}
