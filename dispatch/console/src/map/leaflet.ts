/** The map where WebGL2 is missing: the ground by Leaflet without a graphics card, the same marks above it. */
import * as L from 'leaflet';
import 'leaflet/dist/leaflet.css';
import type { Bounds, FleetMark, LineMark, LonLat, MapEngine, MapOptions, OrderMark } from './engine.js';
import { mercatorX, mercatorY, WORLD_PX } from './fleet-geometry.js';
import { addTiles, drawPlainGround } from './leaflet-ground.js';
import { Marks } from './marks.js';
import type { MarksView } from './marks-canvas.js';

/** Leaflet counts zoom by tiles of 256 pixels, everything else here by 512. */
const ZOOM_MORE = 1;

class LeafletEngine implements MapEngine {
  readonly #map: L.Map;
  readonly #ground = L.layerGroup();
  readonly #marks: Marks;

  constructor(private readonly options: MapOptions) {
    const { container, callbacks } = options;
    this.#marks = new Marks(
      options,
      () => this.#view(),
      ({ west, south, east, north }) => this.#show([[south, west], [north, east]], true),
    ); // prettier-ignore
    this.#map = L.map(container, { preferCanvas: true, zoomControl: false, zoomSnap: 0.5, maxZoom: 19 });
    this.#map.attributionControl.setPrefix(false);
    this.#map.setView([30, 110], 5);
    if (options.start) this.fit(options.start, false);
    container.classList.add('leaflet-ground');
    // Below the tiles (200).
    this.#map.createPane('ground').style.zIndex = '150';
    this.#ground.addTo(this.#map);
    this.#map.getPane('mapPane')!.after(this.#marks.canvas.element);
    L.control.scale({ imperial: false, position: 'bottomright' }).addTo(this.#map);
    const { element } = this.#marks.canvas;
    this.#map.on('zoomstart', () => (element.hidden = true));
    this.#map.on('zoomend', () => (element.hidden = false));
    this.#map.on('move', () => this.#marks.moved());
    this.#map.on('moveend', () => {
      drawPlainGround(this.#map, this.#ground, options);
      this.#marks.draw();
    });
    this.#map.on('dragstart', () => callbacks.onDragged());
    this.#map.on('click', ({ containerPoint, latlng }) =>
      this.#marks.clicked(containerPoint, [latlng.lng, latlng.lat]),
    );
    this.#map.on('mousemove', ({ containerPoint }) => this.#marks.hovered(containerPoint));
    drawPlainGround(this.#map, this.#ground, options);
    void addTiles(this.#map, options);
  }

  #view(): MarksView | undefined {
    const { x: width, y: height } = this.#map.getSize();
    if (width === 0 || height === 0) return undefined;
    const { lat, lng } = this.#map.containerPointToLatLng([0, 0]);
    const zoom = this.#map.getZoom() - ZOOM_MORE;
    return { left: mercatorX(lng), top: mercatorY(lat), world: WORLD_PX * 2 ** zoom, width, height, zoom };
  }

  #toMap(point: LonLat): L.LatLngTuple {
    const [lon, lat] = this.#marks.projection.toMap(point);
    return [lat, lon];
  }

  setFleet(marks: readonly FleetMark[]): void {
    this.#marks.setFleet(marks);
  }
  setOrders(marks: readonly OrderMark[]): void {
    this.#marks.setOrders(marks);
  }
  setLines(lines: readonly LineMark[]): void {
    this.#marks.setLines(lines);
  }
  setSelected(kind: 'order' | 'vehicle' | undefined, id: string | undefined): void {
    this.#marks.setSelected(kind, id);
  }
  setDark(isDark: boolean): void {
    this.options.dark = isDark;
    this.#marks.setDark(isDark);
    drawPlainGround(this.#map, this.#ground, this.options);
  }
  #show(corners: [L.LatLngTuple, L.LatLngTuple], animate: boolean): void {
    this.#map.fitBounds(corners, { padding: [50, 50], maxZoom: 15, animate });
  }
  fit(bounds: Bounds, animate: boolean): void {
    this.#show([this.#toMap([bounds.west, bounds.south]), this.#toMap([bounds.east, bounds.north])], animate);
  }
  panTo(at: LonLat, zoom?: number): void {
    const least = zoom === undefined ? 0 : zoom + ZOOM_MORE;
    this.#map.setView(this.#toMap(at), Math.max(least, this.#map.getZoom()));
  }
  zoomBy(steps: number): void {
    this.#map.setZoom(this.#map.getZoom() + steps);
  }
  resize(): void {
    this.#map.invalidateSize();
    this.#marks.draw();
  }
  destroy(): void {
    this.#marks.destroy();
    this.#map.remove();
  }
}

export async function createLeaflet(options: MapOptions): Promise<MapEngine> {
  return new LeafletEngine(options);
}
