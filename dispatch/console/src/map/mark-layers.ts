/** Layers of trucks, orders and lines over whichever ground. */
import type { LayerSpecification, Map as MapLibre } from 'maplibre-gl';
import { EMPTY } from './base-style.js';
import { DUTY_COLOURS, type Palette } from './palette.js';

/** Vehicles in view below which each gets its turned icon; above, circles. */
export const ICONS_BELOW = 2_000;
/** Fleets above this are drawn as clusters when far out. */
export const CLUSTERS_ABOVE = 300;
export const CLUSTER = { clusterRadius: 44, clusterMaxZoom: 10, clusterMinPoints: 4 };

const single = ['!', ['has', 'point_count']];
const dutyColour = ['match', ['get', 'duty'], ...Object.entries(DUTY_COLOURS).flat(), '#475569'];

function lineLayers(p: Palette): unknown[] {
  const of = (kind: string): unknown => ['==', ['get', 'kind'], kind];
  const layout = { 'line-cap': 'round', 'line-join': 'round' };
  return [
    { id: 'line-track', type: 'line', source: 'lines', filter: of('track'), layout, paint: { 'line-color': p.track, 'line-width': 3.5, 'line-opacity': 0.75 } },
    { id: 'line-ghost', type: 'line', source: 'lines', filter: of('ghost'), layout, paint: { 'line-color': p.track, 'line-width': 2, 'line-opacity': 0.35 } },
    { id: 'line-plan', type: 'line', source: 'lines', filter: of('plan'), layout, paint: { 'line-color': p.plan, 'line-width': 2.5, 'line-dasharray': [1.5, 1.8] } },
  ]; // prettier-ignore
}

function fleetLayers(p: Palette): unknown[] {
  return [
    { id: 'clusters', type: 'circle', source: 'fleet', filter: ['has', 'point_count'],
      paint: { 'circle-color': '#24405f', 'circle-opacity': 0.9, 'circle-stroke-color': '#ffffff', 'circle-stroke-width': 1.5,
        'circle-radius': ['interpolate', ['linear'], ['sqrt', ['get', 'point_count']], 2, 12, 20, 22, 100, 36] } },
    { id: 'cluster-counts', type: 'symbol', source: 'fleet', filter: ['has', 'point_count'],
      layout: { 'text-field': ['get', 'point_count_abbreviated'], 'text-size': 12, 'text-allow-overlap': true },
      paint: { 'text-color': '#ffffff' } },
    { id: 'dots', type: 'circle', source: 'fleet', filter: single, layout: { visibility: 'none' },
      paint: { 'circle-color': dutyColour, 'circle-radius': ['interpolate', ['linear'], ['zoom'], 6, 2.5, 14, 6],
        'circle-stroke-color': '#ffffff', 'circle-stroke-width': ['case', ['==', ['get', 'link'], 'up'], 0.8, 0],
        'circle-opacity': ['case', ['==', ['get', 'link'], 'up'], 1, 0.45] } },
    { id: 'vehicle-headings', type: 'symbol', source: 'fleet', filter: ['all', single, ['get', 'moving']],
      layout: { 'icon-image': ['concat', 'h/', ['get', 'duty']], 'icon-rotate': ['get', 'heading'], 'icon-rotation-alignment': 'map',
        'icon-allow-overlap': true, 'icon-ignore-placement': true } },
    { id: 'vehicles', type: 'symbol', source: 'fleet', filter: single,
      layout: { 'icon-image': ['concat', 'v/', ['get', 'duty'], '/', ['get', 'link']], 'icon-allow-overlap': true, 'icon-ignore-placement': true } },
    { id: 'vehicle-queues', type: 'symbol', source: 'fleet', filter: ['all', single, ['>', ['get', 'queue'], 0]],
      layout: { 'icon-image': ['concat', 'q/', ['case', ['>', ['get', 'queue'], 9], '9+', ['to-string', ['get', 'queue']]]], 'icon-offset': [11, -11],
        'icon-allow-overlap': true, 'icon-ignore-placement': true } },
    { id: 'vehicle-undelivered', type: 'symbol', source: 'fleet', filter: ['all', single, ['get', 'undelivered']],
      layout: { 'icon-image': 'q/!', 'icon-offset': [-11, -11], 'icon-allow-overlap': true, 'icon-ignore-placement': true } },
    { id: 'vehicle-labels', type: 'symbol', source: 'fleet', filter: single, minzoom: 11.5,
      layout: { 'text-field': ['get', 'label'], 'text-size': 11.5, 'text-offset': [0, 1.35], 'text-anchor': 'top', 'text-optional': true },
      paint: { 'text-color': p.text, 'text-halo-color': p.halo, 'text-halo-width': 1.6 } },
  ]; // prettier-ignore
}

function orderLayers(p: Palette): unknown[] {
  return [
    { id: 'orders', type: 'symbol', source: 'orders',
      layout: { 'icon-image': ['get', 'sprite'], 'icon-allow-overlap': true, 'icon-ignore-placement': true, 'symbol-sort-key': ['get', 'rank'],
        'icon-size': ['interpolate', ['linear'], ['zoom'], 9, 0.6, 12, 1] } },
    { id: 'order-labels', type: 'symbol', source: 'orders', minzoom: 12.5,
      layout: { 'text-field': ['get', 'label'], 'text-size': 11.5, 'text-offset': [0, 1.8], 'text-anchor': 'top', 'text-optional': true },
      paint: { 'text-color': p.text, 'text-halo-color': p.halo, 'text-halo-width': 1.6 } },
  ]; // prettier-ignore
}

/** Adds sources and layers to a style that was just loaded. */
export function addMarkLayers(map: MapLibre, p: Palette): void {
  map.addSource('lines', { type: 'geojson', data: EMPTY });
  map.addSource('select', { type: 'geojson', data: EMPTY });
  map.addSource('fleet', { type: 'geojson', data: EMPTY, cluster: false, ...CLUSTER });
  map.addSource('orders', { type: 'geojson', data: EMPTY });
  const layers = [
    ...lineLayers(p),
    { id: 'selected', type: 'circle', source: 'select',
      paint: { 'circle-radius': 23, 'circle-color': p.select, 'circle-opacity': 0.18, 'circle-stroke-color': p.select, 'circle-stroke-width': 2.5 } },
    ...orderLayers(p),
    ...fleetLayers(p),
  ]; // prettier-ignore
  for (const layer of layers) map.addLayer(layer as LayerSpecification);
}

/** Circles or icons, by how many are in view. */
export function showIcons(map: MapLibre, icons: boolean): void {
  const set = (id: string, shown: boolean): void => {
    const value = shown ? 'visible' : 'none';
    if (map.getLayer(id) && map.getLayoutProperty(id, 'visibility') !== value)
      map.setLayoutProperty(id, 'visibility', value);
  };
  set('dots', !icons);
  for (const id of ['vehicle-headings', 'vehicles', 'vehicle-queues', 'vehicle-undelivered', 'vehicle-labels'])
    set(id, icons);
}
