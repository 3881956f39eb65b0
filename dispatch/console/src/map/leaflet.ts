/** The map where WebGL2 is missing: the ground by Leaflet without a graphics card, the same marks above it. */
import * as L from 'leaflet';
import 'leaflet/dist/leaflet.css';
import type { Bounds, LonLat, MapEngine, MapOptions } from './engine.js';
import { mercatorX, mercatorY, WORLD_PX } from './fleet-geometry.js';
import { addTiles, drawPlainGround } from './leaflet-ground.js';
import { MarkedMap } from './marked-map.js';
import type { MarksView } from './marks-canvas.js';

/** Leaflet counts zoom by tiles of 256 pixels, everything else here by 512. */
const ZOOM_MORE = 1;

class LeafletEngine extends MarkedMap {
  readonly #map: L.Map;
  readonly #ground = L.layerGroup();

  constructor(options: MapOptions) {
    super(options);
    const { container, callbacks } = options;
    this.#map = L.map(container, { preferCanvas: true, zoomControl: false, zoomSnap: 0.5, maxZoom: 19 });
    this.#map.attributionControl.setPrefix(false);
    this.#map.setView([30, 110], 5);
    if (options.start) this.fit(options.start, false);
    container.classList.add('leaflet-ground');
    // Below the tiles (200).
    this.#map.createPane('ground').style.zIndex = '150';
    this.#ground.addTo(this.#map);
    this.#map.getPane('mapPane')!.after(this.marks.canvas.element);
    L.control.scale({ imperial: false, position: 'bottomright' }).addTo(this.#map);
    const { element } = this.marks.canvas;
    this.#map.on('zoomstart', () => (element.hidden = true));
    this.#map.on('zoomend', () => (element.hidden = false));
    this.#map.on('move', () => this.marks.moved());
    this.#map.on('moveend', () => {
      drawPlainGround(this.#map, this.#ground, options);
      this.marks.draw();
    });
    this.#map.on('dragstart', () => callbacks.onDragged());
    this.#map.on('click', ({ containerPoint, latlng }) => this.marks.clicked(containerPoint, [latlng.lng, latlng.lat]));
    this.#map.on('mousemove', ({ containerPoint }) => this.marks.hovered(containerPoint));
    drawPlainGround(this.#map, this.#ground, options);
    void addTiles(this.#map, options);
  }

  protected override view(): MarksView | undefined {
    const { x: width, y: height } = this.#map.getSize();
    if (width === 0 || height === 0) return undefined;
    const { lat, lng } = this.#map.containerPointToLatLng([0, 0]);
    const zoom = this.#map.getZoom() - ZOOM_MORE;
    return { left: mercatorX(lng), top: mercatorY(lat), world: WORLD_PX * 2 ** zoom, width, height, zoom };
  }

  #onMap(point: LonLat): L.LatLngTuple {
    const [lon, lat] = this.marks.projection.toMap(point);
    return [lat, lon];
  }

  protected override repaint(): void {
    drawPlainGround(this.#map, this.#ground, this.options);
  }
  protected override show({ west, south, east, north }: Bounds, animate: boolean): void {
    const corners: [L.LatLngTuple, L.LatLngTuple] = [[south, west], [north, east]]; // prettier-ignore
    this.#map.fitBounds(corners, { padding: [50, 50], maxZoom: 15, animate });
  }
  override panTo(at: LonLat, zoom?: number): void {
    const least = zoom === undefined ? 0 : zoom + ZOOM_MORE;
    this.#map.setView(this.#onMap(at), Math.max(least, this.#map.getZoom()));
  }
  override zoomBy(steps: number): void {
    this.#map.setZoom(this.#map.getZoom() + steps);
  }
  override resize(): void {
    this.#map.invalidateSize();
    super.resize();
  }
  override destroy(): void {
    super.destroy();
    this.#map.remove();
  }
}

export async function createLeaflet(options: MapOptions): Promise<MapEngine> {
  return new LeafletEngine(options);
}
