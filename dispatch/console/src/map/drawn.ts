/**
 * Tells whoever measures or tests what the map shows: attributes of its element, and an event `linecrew:drawn` when a
 * picture is on the screen.
 */
import { newestPositionAt } from '../state/positions.js';
import type { MarksView } from './marks-canvas.js';

export interface Drawn {
  mode: string;
  vehicles: number;
  /** Kinds of the lines. */
  lines: string;
  /** Shapes of the areas. */
  areas: string;
  view: MarksView;
}
const waiting = new WeakSet<HTMLElement>();

export function drawn(element: HTMLElement, { mode, vehicles, lines, areas, view }: Drawn): void {
  element.dataset.mode = mode;
  element.dataset.lines = lines;
  element.dataset.areas = areas;
  element.dataset.vehicles = String(vehicles);
  // Mercator of the upper left corner and pixels of the world: where on the screen a place is.
  element.dataset.view = `${view.left},${view.top},${view.world}`;
  if (waiting.has(element)) return;
  waiting.add(element);
  const newestAt = newestPositionAt();
  // The second frame from now begins when the first one is on the screen.
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      waiting.delete(element);
      window.dispatchEvent(new CustomEvent('linecrew:drawn', { detail: { mode, vehicles, newestAt } }));
    }),
  );
}
