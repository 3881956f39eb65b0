/** The canvas of marks in its map: when it is drawn, when it only follows, and what a click on it means. */
import { projectionOf, type Projection } from './crs.js';
import { drawn } from './drawn.js';
import type { AreaMark, Bounds, FleetMark, LineMark, LonLat, MapOptions, OrderMark } from './engine.js';
import { latOf, lonOf } from './fleet-geometry.js';
import { MarksCanvas, type MarksView } from './marks-canvas.js';

/** A dear picture is renewed this often while the map is moved; between, the last one follows. */
const MOVING_MS = 150;

export class Marks {
  readonly canvas: MarksCanvas;
  readonly projection: Projection;
  #waiting = false;
  #drawnAt = 0;
  #gone = false;

  /** @param viewOf where the map is now, undefined while it has no size */
  constructor(
    private readonly options: MapOptions,
    private readonly viewOf: () => MarksView | undefined,
    /** Shows these bounds, which are in the base map's system. */
    private readonly zoomTo: (bounds: Bounds) => void,
  ) {
    this.projection = projectionOf(options.base.crs);
    this.canvas = new MarksCanvas(this.projection, options.dark);
  }

  setFleet(marks: readonly FleetMark[]): void {
    this.canvas.geometry.place(marks);
    this.draw();
  }
  setOrders(marks: readonly OrderMark[]): void {
    this.canvas.orders = marks;
    this.draw();
  }
  setLines(lines: readonly LineMark[]): void {
    this.canvas.lines = lines;
    this.draw();
  }
  setAreas(areas: readonly AreaMark[]): void {
    this.canvas.areas = areas;
    this.draw();
  }
  setSelected(kind: 'order' | 'vehicle' | undefined, id: string | undefined): void {
    this.canvas.selected = kind && id ? { kind, id } : undefined;
    this.draw();
  }
  setDark(dark: boolean): void {
    this.canvas.dark = dark;
    this.draw();
  }

  /** With the next frame, however much has changed until then. */
  draw(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    requestAnimationFrame(() => {
      this.#waiting = false;
      this.#drawNow();
    });
  }

  /** Together with the ground's frame while the map is moved. */
  moved(): void {
    const isDear = !this.canvas.isCheap && performance.now() - this.#drawnAt < MOVING_MS;
    const view = isDear ? this.viewOf() : undefined;
    if (view) this.canvas.follow(view);
    else this.#drawNow();
  }

  #drawNow(): void {
    const view = this.#gone ? undefined : this.viewOf();
    if (!view) return;
    this.options.callbacks.onView?.(this.#boundsOf(view));
    const mode = this.canvas.draw(view);
    this.#drawnAt = performance.now();
    const lines = this.canvas.lines.map(({ kind }) => kind).join(' ');
    const areas = this.canvas.areas.map(({ shape }) => shape).join(' ');
    drawn(this.options.container, { mode, vehicles: this.canvas.geometry.marks.length, lines, areas, view });
  }

  #boundsOf({ left, top, world, width, height }: MarksView): Bounds {
    const [west, north] = this.projection.fromMap([lonOf(left), latOf(top)]);
    const [east, south] = this.projection.fromMap([lonOf(left + width / world), latOf(top + height / world)]);
    return { west, south, east, north };
  }

  /** @param point pixels of the map; `place` in the base map's system */
  clicked(point: { x: number; y: number }, place: LonLat): void {
    const hit = this.canvas.at(point.x, point.y);
    if (!hit) this.options.callbacks.onPoint?.(...this.projection.fromMap(place));
    else if (hit.kind === 'cluster') this.zoomTo(hit.bounds);
    else this.options.callbacks.onPick(hit.kind, hit.id);
  }

  hovered(point: { x: number; y: number }): void {
    this.options.container.classList.toggle('over-mark', this.canvas.at(point.x, point.y) !== undefined);
  }

  destroy(): void {
    this.#gone = true;
    this.canvas.element.remove();
  }
}
