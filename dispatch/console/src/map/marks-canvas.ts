/**
 * Everything that moves, on a canvas of its own over the ground: lines, orders, clusters, vehicles, names. The ground is
 * drawn by a map library and only when it is moved, for a picture of it costs a tenth of a second where the graphics
 * card is made of software; what changes each second is drawn here in some milliseconds.
 */
import type { Projection } from './crs.js';
import type { AreaMark, Bounds, FleetMark, LineMark, LonLat, OrderMark } from './engine.js';
import {
  FleetGeometry, grown, mercatorX, mercatorY, type Cluster, type FleetMode, type MercatorBox,
} from './fleet-geometry.js'; // prettier-ignore
import { Images } from './images.js';
import { paletteOf } from './palette.js';
import { drawAreas, drawLines } from './shapes.js';
import { dotOf, iconOf, ringOf } from './sprites.js';
import { putStamp, type Pixels, type Stamp } from './stamp.js';

/** Names are drawn from these zooms on, and only as many as can be read. */
const VEHICLE_NAMES_ZOOM = 11.5;
const ORDER_NAMES_ZOOM = 12.5;
const NAMES_AT_MOST = 400;
/** Pixels around the middle of a mark that still mean the mark. */
const PICK_PX = 15;

/** The part of the flat map that is on the screen. */
export interface MarksView {
  /** Mercator 0–1 of the upper left corner. */
  left: number;
  top: number;
  /** Pixels of the whole world's width. */
  world: number;
  /** CSS pixels. */
  width: number;
  height: number;
  /** As MapLibre counts it: tiles of 512 pixels. */
  zoom: number;
}
const boxOfView = ({ left, top, world, width, height }: MarksView): MercatorBox => ({
  left,
  top,
  right: left + width / world,
  bottom: top + height / world,
});

export type Hit = { kind: 'vehicle' | 'order'; id: string } | { kind: 'cluster'; bounds: Bounds };

interface Placed {
  x: number;
  y: number;
}

export class MarksCanvas {
  readonly element = document.createElement('canvas');
  readonly geometry: FleetGeometry;
  orders: readonly OrderMark[] = [];
  lines: readonly LineMark[] = [];
  areas: readonly AreaMark[] = [];
  selected: { kind: 'order' | 'vehicle'; id: string } | undefined;
  #images: Images;
  #dark: boolean;
  #view: MarksView | undefined;
  /** Indices of the vehicles that are drawn one by one. */
  #drawn: readonly number[] = [];
  #clusters: (Placed & { cluster: Cluster; radius: number })[] = [];
  #orderPlaces: (Placed & { mark: OrderMark })[] = [];
  #names: { x: number; y: number; width: number }[] = [];

  constructor(
    private readonly projection: Projection,
    dark: boolean,
  ) {
    this.geometry = new FleetGeometry(projection);
    this.#dark = dark;
    this.#images = new Images(paletteOf(dark));
    this.element.className = 'marks-canvas';
    this.element.setAttribute('aria-hidden', 'true');
  }

  set dark(dark: boolean) {
    this.#dark = dark;
    this.#images.palette = paletteOf(dark);
  }

  /** Moves and stretches the last picture to where it belongs now, until the next one is drawn. */
  follow(view: MarksView): void {
    const last = this.#view;
    if (!last) return;
    const scale = view.world / last.world;
    const [x, y] = [(last.left - view.left) * view.world, (last.top - view.top) * view.world];
    this.element.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
  }

  /** True where a picture costs so little that it can be drawn with each step of a movement. */
  get isCheap(): boolean {
    return this.#drawn.length + this.orders.length < 600;
  }

  draw(view: MarksView): FleetMode {
    this.#view = view;
    const { element } = this;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(view.width * ratio), Math.round(view.height * ratio)];
    if (element.width !== width || element.height !== height) {
      [element.width, element.height] = [width, height];
      [element.style.width, element.style.height] = [`${view.width}px`, `${view.height}px`];
    }
    element.style.transform = '';
    const g = element.getContext('2d', { willReadFrequently: true })!;
    g.setTransform(1, 0, 0, 1, 0, 0);
    this.#names = [];

    const box = boxOfView(view);
    const around = grown(box, 0.06);
    const mode = this.geometry.modeAt(view.zoom, box);
    let clusters: Cluster[] = [];
    if (mode === 'clusters') ({ clusters, singles: this.#drawn } = this.geometry.clusters(view.zoom, around));
    else this.#drawn = this.geometry.within(around);

    g.clearRect(0, 0, width, height);
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    const shapes = { place: ([lon, lat]: LonLat) => this.#place(view, lon, lat), dark: this.#dark, world: view.world };
    const areaNames = drawAreas(g, this.areas, shapes);
    drawLines(g, this.lines, shapes);
    this.#drawSelected(g, view);
    const image = g.getImageData(0, 0, width, height);
    const pixels = { width, height, rgba: new Uint32Array(image.data.buffer) };
    this.#stampOrders(pixels, view, ratio);
    this.#stampVehicles(pixels, view, ratio, mode);
    g.putImageData(image, 0, 0);
    this.#drawClusters(g, view, clusters);
    for (const { label, x, y } of areaNames) this.#name(g, label, x, y);
    this.#drawNames(g, view, mode);
    return mode;
  }

  #place(view: MarksView, lon: number, lat: number): Placed {
    const [mapLon, mapLat] = this.projection.toMap([lon, lat]);
    return { x: (mercatorX(mapLon) - view.left) * view.world, y: (mercatorY(mapLat) - view.top) * view.world };
  }
  #placeOf(view: MarksView, i: number): Placed {
    const { x, y } = this.geometry;
    return { x: (x[i]! - view.left) * view.world, y: (y[i]! - view.top) * view.world };
  }

  #stampVehicles(pixels: Pixels, view: MarksView, ratio: number, mode: FleetMode): void {
    if (mode === 'dots') return this.#stampDots(pixels, view, ratio);
    const { marks } = this.geometry;
    for (const i of this.#drawn) {
      const { x, y } = this.#placeOf(view, i);
      for (const { name, dx, dy, turnDeg } of iconOf(marks[i]!)) {
        const stamp = this.#images.stamp(name, ratio, turnDeg);
        if (stamp) putStamp(pixels, stamp, (x + dx) * ratio, (y + dy) * ratio);
      }
    }
  }

  /** There are thousands of them in a dozen looks: a stamp is looked for by what it depends on, no name is put together. */
  #stampDots(pixels: Pixels, view: MarksView, ratio: number): void {
    const { marks, x, y } = this.geometry;
    const [up, others] = [new Map<string, Stamp | undefined>(), new Map<string, Stamp | undefined>()];
    const scale = view.world * ratio;
    for (const i of this.#drawn) {
      const mark = marks[i]!;
      const stamps = mark.link === 'up' ? up : others;
      let stamp = stamps.get(mark.duty);
      if (!stamp) stamps.set(mark.duty, (stamp = this.#images.stamp(dotOf(mark, view.zoom), ratio)));
      if (stamp) putStamp(pixels, stamp, (x[i]! - view.left) * scale, (y[i]! - view.top) * scale);
    }
  }

  #drawSelected(g: CanvasRenderingContext2D, view: MarksView): void {
    const chosen = this.selected;
    if (!chosen) return;
    const marks: readonly (FleetMark | OrderMark)[] = chosen.kind === 'order' ? this.orders : this.geometry.marks;
    const mark = marks.find((one) => one.id === chosen.id);
    if (!mark) return;
    const { x, y } = this.#place(view, mark.lon, mark.lat);
    g.beginPath();
    g.arc(x, y, 23, 0, Math.PI * 2);
    g.fillStyle = g.strokeStyle = paletteOf(this.#dark).select;
    g.globalAlpha = 0.18;
    g.fill();
    g.globalAlpha = 1;
    g.lineWidth = 2.5;
    g.stroke();
  }

  #stampOrders(pixels: Pixels, view: MarksView, ratio: number): void {
    // In steps, so that each size is one stamp.
    const scale = Math.round(Math.max(12, Math.min(20, 12 + ((view.zoom - 9) / 3) * 8))) / 20;
    const rank = ({ tone }: OrderMark): number => (tone === 'bad' ? 3 : tone === 'warn' ? 2 : 1);
    this.#orderPlaces = [];
    for (const mark of this.orders) {
      const at = this.#place(view, mark.lon, mark.lat);
      if (at.x < -30 || at.y < -30 || at.x > view.width + 30 || at.y > view.height + 30) continue;
      this.#orderPlaces.push({ ...at, mark });
    }
    // The pressing ones on top.
    this.#orderPlaces.sort((a, b) => rank(a.mark) - rank(b.mark));
    for (const { x, y, mark } of this.#orderPlaces) {
      const stamp = this.#images.stamp(ringOf(mark), ratio * scale);
      if (stamp) putStamp(pixels, stamp, x * ratio, y * ratio);
    }
  }

  #drawClusters(g: CanvasRenderingContext2D, view: MarksView, clusters: readonly Cluster[]): void {
    this.#clusters = [];
    g.font = '600 12px system-ui, sans-serif';
    g.textAlign = 'center';
    g.textBaseline = 'middle';
    g.lineWidth = 1.5;
    for (const cluster of clusters) {
      const x = (mercatorX(cluster.lon) - view.left) * view.world;
      const y = (mercatorY(cluster.lat) - view.top) * view.world;
      const radius = Math.min(34, 12 + Math.sqrt(cluster.count) * 0.7);
      this.#clusters.push({ cluster, x, y, radius });
      g.beginPath();
      g.arc(x, y, radius, 0, Math.PI * 2);
      g.fillStyle = '#24405f';
      g.fill();
      g.strokeStyle = g.fillStyle = '#ffffff';
      g.stroke();
      g.fillText(String(cluster.count), x, y + 0.5);
    }
  }

  #drawNames(g: CanvasRenderingContext2D, view: MarksView, mode: FleetMode): void {
    const { marks } = this.geometry;
    if (view.zoom >= ORDER_NAMES_ZOOM && this.#orderPlaces.length <= NAMES_AT_MOST)
      for (const { x, y, mark } of this.#orderPlaces.toReversed()) this.#name(g, mark.label, x, y + 27);
    if (mode === 'dots' || view.zoom < VEHICLE_NAMES_ZOOM || this.#drawn.length > NAMES_AT_MOST) return;
    for (const i of this.#drawn) {
      const { x, y } = this.#placeOf(view, i);
      this.#name(g, marks[i]!.label, x, y + 21);
    }
  }

  /** A name where it hides no other; the first one stays. */
  #name(g: CanvasRenderingContext2D, text: string, x: number, y: number): void {
    const { canvas, width, height } = this.#images.label(text);
    const hides = this.#names.some(
      (one) => Math.abs(one.y - y) < height - 3 && Math.abs(one.x - x) < (one.width + width) / 2,
    );
    if (hides) return;
    this.#names.push({ x, y, width });
    g.drawImage(canvas, x - width / 2, y - height / 2, width, height);
  }

  /** What is drawn at a place of the picture, CSS pixels. */
  at(x: number, y: number): Hit | undefined {
    const view = this.#view;
    if (!view) return undefined;
    const reach = PICK_PX / view.world;
    const vehicle = this.geometry.nearest(view.left + x / view.world, view.top + y / view.world, reach, this.#drawn);
    if (vehicle) return { kind: 'vehicle', id: vehicle.id };
    const order = this.#orderPlaces.findLast((one) => Math.hypot(one.x - x, one.y - y) <= PICK_PX + 3);
    if (order) return { kind: 'order', id: order.mark.id };
    const found = this.#clusters.find((one) => Math.hypot(one.x - x, one.y - y) <= one.radius);
    return found && { kind: 'cluster', bounds: found.cluster.bounds };
  }
}
