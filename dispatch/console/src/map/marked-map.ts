/** A map of whichever library with the canvas of marks over its ground: what both libraries' maps have in common. */
import type { AreaMark, Bounds, FleetMark, LineMark, LonLat, MapEngine, MapOptions, OrderMark } from './engine.js';
import { Marks } from './marks.js';
import type { MarksView } from './marks-canvas.js';

export abstract class MarkedMap implements MapEngine {
  protected readonly marks: Marks;

  constructor(protected readonly options: MapOptions) {
    this.marks = new Marks(
      options,
      () => this.view(),
      (bounds) => this.show(bounds, true),
    );
  }

  /** Where the map is now, undefined while it has no size. */
  protected abstract view(): MarksView | undefined;
  /** Moves to bounds in the base map's system. */
  protected abstract show(bounds: Bounds, animate: boolean): void;
  /** The ground in the present theme. */
  protected abstract repaint(): void;
  abstract panTo(point: LonLat, zoom?: number): void;
  abstract zoomBy(steps: number): void;

  setFleet(marks: readonly FleetMark[]): void {
    this.marks.setFleet(marks);
  }
  setOrders(marks: readonly OrderMark[]): void {
    this.marks.setOrders(marks);
  }
  setLines(lines: readonly LineMark[]): void {
    this.marks.setLines(lines);
  }
  setAreas(areas: readonly AreaMark[]): void {
    this.marks.setAreas(areas);
  }
  setSelected(kind: 'order' | 'vehicle' | undefined, id: string | undefined): void {
    this.marks.setSelected(kind, id);
  }
  setDark(isDark: boolean): void {
    if (isDark === this.options.dark) return;
    this.options.dark = isDark;
    this.marks.setDark(isDark);
    this.repaint();
  }
  fit(bounds: Bounds, animate: boolean): void {
    this.show(this.onMap(bounds), animate);
  }
  /** The same bounds in the base map's system. */
  protected onMap({ west, south, east, north }: Bounds): Bounds {
    const { projection } = this.marks;
    const [[mapWest, mapSouth], [mapEast, mapNorth]] = [
      projection.toMap([west, south]),
      projection.toMap([east, north]),
    ];
    return { west: mapWest, south: mapSouth, east: mapEast, north: mapNorth };
  }
  resize(): void {
    this.marks.draw();
  }
  destroy(): void {
    this.marks.destroy();
  }
}
