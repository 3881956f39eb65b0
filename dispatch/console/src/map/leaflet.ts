/** The map where WebGL2 is missing: Leaflet on a plain canvas. Fewer marks, the same picks. */
import * as L from 'leaflet';
import 'leaflet/dist/leaflet.css';
import { projectionOf } from './crs.js';
import type { Bounds, FleetMark, LineMark, LonLat, MapEngine, MapOptions, OrderMark } from './engine.js';
import { gridOver } from './grid.js';
import { DUTY_COLOURS, paletteOf, TONE_COLOURS } from './palette.js';

class LeafletEngine implements MapEngine {
  #map: L.Map;
  #canvas = L.canvas({ padding: 0.3 });
  #ground = L.layerGroup();
  #lines = L.layerGroup();
  #vehicles = new Map<string, L.CircleMarker>();
  #orders = new Map<string, L.CircleMarker>();
  #selected: string | undefined;
  #toMap: (point: LonLat) => L.LatLngTuple;

  constructor(private readonly options: MapOptions) {
    const projection = projectionOf(options.base.crs);
    this.#toMap = (p) => {
      const [lon, lat] = projection.toMap(p);
      return [lat, lon];
    };
    this.#map = L.map(options.container, {
      preferCanvas: true,
      renderer: this.#canvas,
      zoomControl: false,
      zoomSnap: 0.5,
    });
    this.#map.attributionControl.setPrefix(false);
    this.#map.setView([30, 110], 5);
    if (options.start) this.fit(options.start, false);
    this.#ground.addTo(this.#map);
    this.#lines.addTo(this.#map);
    L.control.scale({ imperial: false, position: 'bottomright' }).addTo(this.#map);
    this.#map.on('moveend', () => this.#drawGround());
    this.#map.on('dragstart', () => options.callbacks.onDragged());
    this.#map.on('click', (event) => {
      const [lon, lat] = projection.fromMap([event.latlng.lng, event.latlng.lat]);
      options.callbacks.onPoint?.(lon, lat);
    });
    if (/\{z\}/.test(options.base.url ?? '')) {
      L.tileLayer(options.base.url!, { attribution: options.base.attribution ?? '' }).addTo(this.#map);
    }
    this.#drawGround();
  }

  #drawGround(): void {
    const p = paletteOf(this.options.dark);
    this.options.container.classList.add('leaflet-ground');
    this.#ground.clearLayers();
    const b = this.#map.getBounds();
    const view = { west: b.getWest(), south: b.getSouth(), east: b.getEast(), north: b.getNorth() };
    L.geoJSON(gridOver(view), { style: { color: p.grid, weight: 1 }, interactive: false }).addTo(this.#ground);
    if (!this.options.streets) return;
    const style = (feature?: GeoJSON.Feature): L.PathOptions => {
      const kind = String(feature?.properties?.kind ?? '');
      if (kind === 'water' || kind === 'river')
        return { color: p.water, fillColor: p.water, fillOpacity: 1, weight: 4 };
      if (kind === 'park') return { stroke: false, fillColor: p.park, fillOpacity: 1 };
      return {
        color: /main|motorway|major|primary/.test(kind) ? p.roadMajor : p.road,
        weight: /main|motorway|major|primary/.test(kind) ? 4 : 2,
      };
    };
    L.geoJSON(this.options.streets, { style, interactive: false, filter: (f) => f.geometry.type !== 'Point' }).addTo(
      this.#ground,
    );
  }

  #sync(
    marks: readonly { id: string; lon: number; lat: number }[],
    kept: Map<string, L.CircleMarker>,
    kind: 'order' | 'vehicle',
    style: (index: number) => L.CircleMarkerOptions,
  ): void {
    const present = new Set<string>();
    marks.forEach((mark, index) => {
      present.add(mark.id);
      const at = this.#toMap([mark.lon, mark.lat]);
      const known = kept.get(mark.id);
      if (known) {
        known.setLatLng(at);
        known.setStyle(style(index));
        return;
      }
      const circle = L.circleMarker(at, { ...style(index), renderer: this.#canvas, bubblingMouseEvents: false });
      circle.on('click', () => this.options.callbacks.onPick(kind, mark.id));
      circle.addTo(this.#map);
      kept.set(mark.id, circle);
    });
    for (const [id, circle] of kept) {
      if (present.has(id)) continue;
      circle.remove();
      kept.delete(id);
    }
  }

  setFleet(marks: readonly FleetMark[]): void {
    const small = marks.length > 2_000;
    this.#sync(marks, this.#vehicles, 'vehicle', (index) => {
      const mark = marks[index]!;
      const colour = mark.link === 'up' ? (DUTY_COLOURS[mark.duty] ?? '#475569') : '#6b7684';
      const chosen = this.#selected === mark.id;
      return {
        radius: small ? 3 : 8,
        color: chosen ? '#0b63ce' : '#ffffff',
        weight: chosen ? 4 : small ? 0.5 : 2,
        fillColor: colour,
        fillOpacity: 1,
      };
    });
    if (marks.length > 500) return;
    for (const mark of marks) this.#label(this.#vehicles.get(mark.id), mark.label);
  }

  #label(circle: L.CircleMarker | undefined, text: string): void {
    if (circle && !circle.getTooltip()) circle.bindTooltip(text, { direction: 'bottom', offset: [0, 6] });
  }

  setOrders(marks: readonly OrderMark[]): void {
    this.#sync(marks, this.#orders, 'order', (index) => {
      const mark = marks[index]!;
      const chosen = this.#selected === mark.id;
      return {
        radius: 11,
        color: chosen ? '#0b63ce' : (TONE_COLOURS[mark.tone] ?? '#64748b'),
        weight: mark.tone === 'bad' ? 6 : 4,
        fillColor: '#ffffff',
        fillOpacity: 1,
      };
    });
    for (const mark of marks) {
      const circle = this.#orders.get(mark.id);
      this.#label(circle, '');
      circle?.setTooltipContent(`${mark.label} · ${mark.minutes}`);
    }
  }

  setLines(lines: readonly LineMark[]): void {
    const p = paletteOf(this.options.dark);
    this.#lines.clearLayers();
    for (const line of lines) {
      const style = line.kind === 'plan' ? { color: p.plan, dashArray: '4 6' } : { color: p.track };
      L.polyline(line.points.map(this.#toMap), {
        ...style,
        weight: line.kind === 'ghost' ? 1.5 : 3,
        interactive: false,
      }).addTo(this.#lines);
    }
  }

  setSelected(_kind: 'order' | 'vehicle' | undefined, id: string | undefined): void {
    this.#selected = id;
  }
  setDark(isDark: boolean): void {
    this.options.dark = isDark;
    this.#drawGround();
  }
  fit(bounds: Bounds, animate: boolean): void {
    const corners: L.LatLngBoundsExpression = [
      this.#toMap([bounds.west, bounds.south]),
      this.#toMap([bounds.east, bounds.north]),
    ];
    this.#map.fitBounds(corners, { padding: [50, 50], maxZoom: 15, animate });
  }
  panTo(at: LonLat, zoom?: number): void {
    this.#map.setView(this.#toMap(at), Math.max(zoom ?? 0, this.#map.getZoom()));
  }
  zoomBy(steps: number): void {
    this.#map.setZoom(this.#map.getZoom() + steps);
  }
  resize(): void {
    this.#map.invalidateSize();
  }
  destroy(): void {
    this.#map.remove();
  }
}

export async function createLeaflet(options: MapOptions): Promise<MapEngine> {
  return new LeafletEngine(options);
}
