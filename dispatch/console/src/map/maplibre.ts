/** The map drawn by MapLibre GL: one `setData` a second for the whole fleet, no fades, north up. */
import {
  AttributionControl, LngLatBounds, Map as MapLibre, ScaleControl, addProtocol, setWorkerUrl, type GeoJSONSource,
} from 'maplibre-gl'; // prettier-ignore
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url';
import 'maplibre-gl/dist/maplibre-gl.css';
import { PMTiles, Protocol, TileType } from 'pmtiles';
import { baseStyle, EMPTY, isStyleUrl } from './base-style.js';
import { projectionOf, type Projection } from './crs.js';
import type { BaseMap, Bounds, FleetMark, LineMark, LonLat, MapEngine, MapOptions, OrderMark } from './engine.js';
import { gridOver } from './grid.js';
import { addMarkLayers, CLUSTER, CLUSTERS_ABOVE, ICONS_BELOW, showIcons } from './mark-layers.js';
import { paletteOf } from './palette.js';
import { drawSprite, RING_STEPS } from './sprites.js';

setWorkerUrl(workerUrl);
const pmtiles = new Protocol();
addProtocol('pmtiles', pmtiles.tile);

const PICKED_LAYERS = ['orders', 'vehicles', 'dots', 'clusters'];

async function holdsVectors(base: BaseMap): Promise<boolean> {
  if (!/\.pmtiles($|\?)/.test(base.url ?? '')) return false;
  const archive = new PMTiles(new URL(base.url!, window.location.href).href);
  pmtiles.add(archive);
  return (await archive.getHeader()).tileType === TileType.Mvt;
}

const point = (coordinates: LonLat, properties: Record<string, unknown>): GeoJSON.Feature => ({
  type: 'Feature',
  properties,
  geometry: { type: 'Point', coordinates },
});

/** Room around what is fitted: marks and labels need some, small maps have little. */
const paddingOf = (container: HTMLElement): number =>
  Math.max(18, Math.min(70, container.clientWidth / 12, container.clientHeight / 10));

class MapLibreEngine implements MapEngine {
  readonly map: MapLibre;
  #projection: Projection;
  #fleet: readonly FleetMark[] = [];
  #orders: readonly OrderMark[] = [];
  #lines: readonly LineMark[] = [];
  #selected: { kind: 'order' | 'vehicle'; id: string } | undefined;
  #clustered = false;
  #ready = false;
  #measuring = false;
  #ordersShown = '';
  #selectedShown = '';
  #options: MapOptions;
  #vector: boolean;

  constructor(options: MapOptions, vector: boolean) {
    this.#options = options;
    this.#vector = vector;
    this.#projection = projectionOf(options.base.crs);
    this.map = new MapLibre({
      container: options.container,
      style: isStyleUrl(options.base)
        ? options.base.url!
        : baseStyle(options.base, options.dark, options.streets, vector),
      ...(options.start
        ? {
            bounds: this.#bounds(options.start),
            fitBoundsOptions: { padding: paddingOf(options.container), maxZoom: 14 },
          }
        : {}),
      fadeDuration: 0,
      maxPitch: 0,
      dragRotate: false,
      pitchWithRotate: false,
      attributionControl: false,
      maxZoom: 18,
      locale: {},
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.addControl(new ScaleControl({ maxWidth: 110 }), 'bottom-right');
    if (options.base.url) this.map.addControl(new AttributionControl({ compact: true }), 'bottom-right');
    this.map.setMissingStyleImageResolver((id) => {
      const sprite = drawSprite(id);
      if (sprite && !this.map.hasImage(id)) this.map.addImage(id, sprite.image, { pixelRatio: sprite.pixelRatio });
      return Promise.resolve();
    });
    this.map.on('style.load', () => this.#styleLoaded());
    this.map.on('moveend', () => this.#moved());
    this.map.on('dragstart', () => options.callbacks.onDragged());
    this.map.on('click', (event) => this.#clicked(event.point, [event.lngLat.lng, event.lngLat.lat]));
    this.map.on('mousemove', (event) => {
      const layers = PICKED_LAYERS.filter((id) => this.map.getLayer(id));
      const over = this.#ready && this.map.queryRenderedFeatures(event.point, { layers }).length > 0;
      this.map.getCanvas().classList.toggle('over-mark', over);
    });
  }

  #bounds(bounds: Bounds): LngLatBounds {
    return new LngLatBounds(
      this.#projection.toMap([bounds.west, bounds.south]),
      this.#projection.toMap([bounds.east, bounds.north]),
    );
  }

  #source(id: string): GeoJSONSource | undefined {
    return this.map.getSource<GeoJSONSource>(id);
  }

  #styleLoaded(): void {
    addMarkLayers(this.map, paletteOf(this.#options.dark));
    this.#ready = true;
    this.#ordersShown = this.#selectedShown = '';
    this.#clustered = false;
    this.#moved();
    this.setLines(this.#lines);
    this.setOrders(this.#orders);
    this.setFleet(this.#fleet);
  }

  #moved(): void {
    if (!this.#ready) return;
    const b = this.map.getBounds();
    const view = { west: b.getWest(), south: b.getSouth(), east: b.getEast(), north: b.getNorth() };
    void this.#source('grid')?.setData(gridOver(view));
    this.#chooseMarks();
  }

  #chooseMarks(): void {
    if (this.#fleet.length < ICONS_BELOW) return showIcons(this.map, true);
    const b = this.map.getBounds();
    const [west, south, east, north] = [b.getWest(), b.getSouth(), b.getEast(), b.getNorth()];
    let inView = 0;
    for (const { lon, lat } of this.#fleet) {
      if (lon >= west && lon <= east && lat >= south && lat <= north) inView += 1;
    }
    showIcons(this.map, inView < ICONS_BELOW && this.map.getZoom() > 9);
  }

  setFleet(marks: readonly FleetMark[]): void {
    this.#fleet = marks;
    const source = this.#ready ? this.#source('fleet') : undefined;
    if (!source) return;
    const clustered = marks.length > CLUSTERS_ABOVE;
    if (clustered !== this.#clustered) {
      this.#clustered = clustered;
      void source.setClusterOptions({ cluster: clustered, ...CLUSTER });
    }
    const features = marks.map((mark) =>
      point(this.#projection.toMap([mark.lon, mark.lat]), {
        id: mark.id,
        duty: mark.duty,
        link: mark.link,
        queue: mark.queue,
        heading: mark.headingDeg,
        moving: mark.moving,
        undelivered: mark.undelivered,
        label: mark.label,
      }),
    );
    this.#measure();
    void source.setData({ type: 'FeatureCollection', features });
    this.#chooseMarks();
    this.#drawSelected();
  }

  /** Tells whoever measures how long the map took from an update of the fleet to its picture (`linecrew:drawn`, ms). */
  #measure(): void {
    if (this.#measuring) return;
    this.#measuring = true;
    const from = performance.now();
    this.map.once('idle', () => {
      this.#measuring = false;
      window.dispatchEvent(new CustomEvent('linecrew:drawn', { detail: performance.now() - from }));
    });
  }

  setOrders(marks: readonly OrderMark[]): void {
    this.#orders = marks;
    if (!this.#ready) return;
    const features = marks.map((mark) => {
      const step = Math.round(mark.left * RING_STEPS);
      const sprite = `o/${mark.tone}/${step}/${mark.minutes}/${mark.urgent ? 1 : 0}`;
      const rank = mark.tone === 'bad' ? 3 : mark.tone === 'warn' ? 2 : 1;
      return point(this.#projection.toMap([mark.lon, mark.lat]), { id: mark.id, sprite, rank, label: mark.label });
    });
    // The ring changes once a minute, the mark is asked for every second: only a change is worth a drawing.
    const shown = JSON.stringify(features);
    if (shown === this.#ordersShown) return;
    this.#ordersShown = shown;
    void this.#source('orders')?.setData({ type: 'FeatureCollection', features });
    this.#drawSelected();
  }

  setLines(lines: readonly LineMark[]): void {
    this.#lines = lines;
    if (!this.#ready) return;
    const features: GeoJSON.Feature[] = lines.map((line) => ({
      type: 'Feature',
      properties: { kind: line.kind },
      geometry: { type: 'LineString', coordinates: line.points.map((p) => this.#projection.toMap(p)) },
    }));
    void this.#source('lines')?.setData({ type: 'FeatureCollection', features });
  }

  setSelected(kind: 'order' | 'vehicle' | undefined, id: string | undefined): void {
    this.#selected = kind && id ? { kind, id } : undefined;
    this.#drawSelected();
  }

  #drawSelected(): void {
    if (!this.#ready) return;
    const chosen = this.#selected;
    const marks: readonly (FleetMark | OrderMark)[] = chosen?.kind === 'order' ? this.#orders : this.#fleet;
    const mark = chosen && marks.find((one) => one.id === chosen.id);
    const data = mark
      ? { type: 'FeatureCollection' as const, features: [point(this.#projection.toMap([mark.lon, mark.lat]), {})] }
      : EMPTY;
    const shown = mark ? `${mark.lon},${mark.lat}` : '';
    if (shown === this.#selectedShown) return;
    this.#selectedShown = shown;
    void this.#source('select')?.setData(data);
  }

  #clicked(at: { x: number; y: number }, lngLat: LonLat): void {
    const layers = PICKED_LAYERS.filter((id) => this.map.getLayer(id));
    const near: [[number, number], [number, number]] = [[at.x - 6, at.y - 6], [at.x + 6, at.y + 6]]; // prettier-ignore
    const hit = this.map.queryRenderedFeatures(near, { layers })[0];
    if (!hit) {
      const [lon, lat] = this.#projection.fromMap(lngLat);
      this.#options.callbacks.onPoint?.(lon, lat);
      return;
    }
    if (hit.layer.id === 'clusters') {
      const centre = (hit.geometry as GeoJSON.Point).coordinates as LonLat;
      const source = this.#source('fleet');
      void source
        ?.getClusterExpansionZoom(hit.properties.cluster_id as number)
        .then((zoom) => this.map.easeTo({ center: centre, zoom }));
      return;
    }
    this.#options.callbacks.onPick(hit.layer.id === 'orders' ? 'order' : 'vehicle', String(hit.properties.id));
  }

  setDark(isDark: boolean): void {
    if (isDark === this.#options.dark) return;
    this.#options.dark = isDark;
    if (isStyleUrl(this.#options.base)) return;
    this.#ready = false;
    this.map.setStyle(baseStyle(this.#options.base, isDark, this.#options.streets, this.#vector), { diff: false });
  }

  fit(bounds: Bounds, animate: boolean): void {
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.map.fitBounds(this.#bounds(bounds), {
      padding: paddingOf(this.#options.container),
      maxZoom: 14.5,
      duration: animate && !calm ? 500 : 0,
    });
  }
  panTo(at: LonLat, zoom?: number): void {
    const center = this.#projection.toMap(at);
    this.map.easeTo({
      center,
      ...(zoom === undefined ? {} : { zoom: Math.max(zoom, this.map.getZoom()) }),
      duration: 400,
    });
  }
  zoomBy(steps: number): void {
    this.map.easeTo({ zoom: this.map.getZoom() + steps, duration: 200 });
  }
  resize(): void {
    this.map.resize();
  }
  destroy(): void {
    this.map.remove();
  }
}

/** Throws where WebGL2 is missing. */
export async function createMapLibre(options: MapOptions): Promise<MapEngine> {
  return new MapLibreEngine(options, await holdsVectors(options.base));
}
