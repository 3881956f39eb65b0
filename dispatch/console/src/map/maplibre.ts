/** The map drawn by MapLibre GL: the ground by its layers, the marks by our canvas above it; no fades, north up. */
import {
  AttributionControl, Map as MapLibre, ScaleControl, addProtocol, setWorkerUrl, type GeoJSONSource,
} from 'maplibre-gl'; // prettier-ignore
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url';
import 'maplibre-gl/dist/maplibre-gl.css';
import { PMTiles, Protocol, TileType } from 'pmtiles';
import { baseStyle, isStyleUrl } from './base-style.js';
import type { BaseMap, Bounds, LonLat, MapEngine, MapOptions } from './engine.js';
import { mercatorX, mercatorY, WORLD_PX } from './fleet-geometry.js';
import { gridOver } from './grid.js';
import { MarkedMap } from './marked-map.js';
import type { MarksView } from './marks-canvas.js';

setWorkerUrl(workerUrl);
const pmtiles = new Protocol();
addProtocol('pmtiles', pmtiles.tile);

async function holdsVectors(base: BaseMap): Promise<boolean> {
  if (base.kind !== 'pmtiles') return false;
  const archive = new PMTiles(new URL(base.url!, window.location.href).href);
  pmtiles.add(archive);
  return (await archive.getHeader()).tileType === TileType.Mvt;
}

/** Room around what is fitted: marks and labels need some, small maps have little. */
const paddingOf = (container: HTMLElement): number =>
  Math.max(18, Math.min(70, container.clientWidth / 12, container.clientHeight / 10));

const boxOf = ({ west, south, east, north }: Bounds): [number, number, number, number] => [west, south, east, north];

class MapLibreEngine extends MarkedMap {
  readonly #map: MapLibre;
  #styled = false;

  constructor(
    options: MapOptions,
    private readonly vector: boolean,
  ) {
    super(options);
    const { container, callbacks, start } = options;
    this.#map = new MapLibre({
      container,
      style: isStyleUrl(options.base) ? options.base.url! : baseStyle(options.base, options, vector),
      ...(start
        ? { bounds: boxOf(this.onMap(start)), fitBoundsOptions: { padding: paddingOf(container), maxZoom: 14 } }
        : {}),
      fadeDuration: 0,
      maxPitch: 0,
      dragRotate: false,
      pitchWithRotate: false,
      attributionControl: false,
      maxZoom: 18,
      locale: {},
    });
    this.#map.touchZoomRotate.disableRotation();
    this.#map.addControl(new ScaleControl({ maxWidth: 110 }), 'bottom-right');
    if (options.base.url) this.#map.addControl(new AttributionControl({ compact: true }), 'bottom-right');
    this.#map.getCanvas().after(this.marks.canvas.element);
    this.#map.on('style.load', () => {
      this.#styled = true;
      this.#drawGrid();
    });
    this.#map.on('error', (event) => this.#failed(event));
    this.#map.on('webglcontextlost', () => callbacks.onLost?.());
    this.#map.on('move', () => this.marks.moved());
    this.#map.on('moveend', () => {
      this.#drawGrid();
      this.marks.draw();
    });
    this.#map.on('dragstart', () => callbacks.onDragged());
    this.#map.on('click', ({ point, lngLat }) => this.marks.clicked(point, [lngLat.lng, lngLat.lat]));
    this.#map.on('mousemove', ({ point }) => this.marks.hovered(point));
  }

  protected override view(): MarksView | undefined {
    const { clientWidth: width, clientHeight: height } = this.options.container;
    if (width === 0 || height === 0) return undefined;
    const { lng, lat } = this.#map.getCenter();
    const zoom = this.#map.getZoom();
    const world = WORLD_PX * 2 ** zoom;
    const [left, top] = [mercatorX(lng) - width / world / 2, mercatorY(lat) - height / world / 2];
    return { left, top, world, width, height, zoom };
  }

  /** A ground that does not come leaves the plain one; it never takes the marks with it. */
  #failed({ error, sourceId }: { error: { message: string }; sourceId?: string }): void {
    const { options } = this;
    if (sourceId === undefined && !this.#styled && isStyleUrl(options.base)) {
      options.callbacks.onGroundProblem?.('style', error.message);
      options.base = { crs: options.base.crs };
      this.#map.setStyle(baseStyle(options.base, options, false), { diff: false });
    } else options.callbacks.onGroundProblem?.('tiles', error.message);
  }

  #drawGrid(): void {
    const source = this.#styled ? this.#map.getSource<GeoJSONSource>('grid') : undefined;
    if (!source) return;
    const { projection } = this.marks;
    const b = this.#map.getBounds();
    const [west, south] = projection.fromMap([b.getWest(), b.getSouth()]);
    const [east, north] = projection.fromMap([b.getEast(), b.getNorth()]);
    void source.setData(gridOver({ west, south, east, north }, projection));
  }

  protected override repaint(): void {
    if (isStyleUrl(this.options.base)) return;
    this.#styled = false;
    this.#map.setStyle(baseStyle(this.options.base, this.options, this.vector), { diff: false });
  }
  protected override show(bounds: Bounds, animate: boolean): void {
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const padding = paddingOf(this.options.container);
    this.#map.fitBounds(boxOf(bounds), { padding, maxZoom: 14.5, duration: animate && !calm ? 500 : 0 });
  }
  override panTo(at: LonLat, zoom?: number): void {
    this.#map.easeTo({
      center: this.marks.projection.toMap(at),
      ...(zoom === undefined ? {} : { zoom: Math.max(zoom, this.#map.getZoom()) }),
      duration: 400,
    });
  }
  override zoomBy(steps: number): void {
    this.#map.easeTo({ zoom: this.#map.getZoom() + steps, duration: 200 });
  }
  override resize(): void {
    this.#map.resize();
    super.resize();
  }
  override destroy(): void {
    super.destroy();
    this.#map.remove();
  }
}

/** Throws where WebGL2 is missing. A PMTiles file that cannot be read leaves the plain map. */
export async function createMapLibre(options: MapOptions): Promise<MapEngine> {
  const vector = await holdsVectors(options.base).catch((error: Error) => {
    options.callbacks.onGroundProblem?.('tiles', error.message);
    options.base = { crs: options.base.crs };
    return false;
  });
  return new MapLibreEngine(options, vector);
}
