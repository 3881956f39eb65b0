/** Lines and areas under the marks: tracks, roads, and what a terminal watches. */
import type { AreaMark, LineMark, LonLat } from './engine.js';
import { paletteOf } from './palette.js';

type Place = (point: LonLat) => { x: number; y: number };
const EARTH_M = 40_075_016.7;
const radians = (degrees: number): number => (degrees * Math.PI) / 180;

function path(g: CanvasRenderingContext2D, points: readonly LonLat[], place: Place): void {
  g.beginPath();
  points.forEach((point, n) => {
    const { x, y } = place(point);
    if (n === 0) g.moveTo(x, y);
    else g.lineTo(x, y);
  });
}

export function drawLines(
  g: CanvasRenderingContext2D,
  lines: readonly LineMark[],
  { place, dark }: { place: Place; dark: boolean },
): void {
  const p = paletteOf(dark);
  const looks = {
    track: { colour: p.track, width: 3.5, alpha: 0.75, dash: [] },
    plan: { colour: p.plan, width: 4, alpha: 0.8, dash: [] },
    guess: { colour: p.plan, width: 2.5, alpha: 1, dash: [4, 5] },
    ghost: { colour: p.track, width: 2, alpha: 0.35, dash: [] },
  };
  g.lineJoin = g.lineCap = 'round';
  for (const { kind, points } of lines) {
    const look = looks[kind];
    path(g, points, place);
    g.strokeStyle = look.colour;
    g.lineWidth = look.width;
    g.globalAlpha = look.alpha;
    g.setLineDash(look.dash);
    g.stroke();
  }
  g.globalAlpha = 1;
  g.setLineDash([]);
}

/**
 * @param world pixels of the whole world's width
 * @returns where the name of each area may stand
 */
export function drawAreas(
  g: CanvasRenderingContext2D,
  areas: readonly AreaMark[],
  { place, dark, world }: { place: Place; dark: boolean; world: number },
): { x: number; y: number; label: string }[] {
  const { area, areaLine } = paletteOf(dark);
  g.lineJoin = g.lineCap = 'round';
  const names = areas.map(({ shape, points, radiusM = 0, widthM = 0, label }) => {
    const [first = [0, 0]] = points;
    const pxPerM = world / (EARTH_M * Math.cos(radians(first[1])));
    const placed = points.map(place);
    path(g, points, place);
    g.fillStyle = area;
    g.strokeStyle = areaLine;
    g.lineWidth = 1.5;
    g.setLineDash([7, 4]);
    let top = Math.min(...placed.map(({ y }) => y));
    if (shape === 'route') {
      // As wide as it is, under the line of its middle.
      g.setLineDash([]);
      g.strokeStyle = area;
      g.lineWidth = Math.max(8, widthM * pxPerM);
      g.stroke();
      g.strokeStyle = areaLine;
      g.lineWidth = 1.5;
      g.setLineDash([7, 4]);
    } else {
      if (shape === 'circle') {
        const { x, y } = placed[0]!;
        const radius = Math.max(3, radiusM * pxPerM);
        g.beginPath();
        g.arc(x, y, radius, 0, Math.PI * 2);
        top = y - radius;
      } else g.closePath();
      g.fill();
    }
    g.stroke();
    const x = placed.reduce((sum, one) => sum + one.x, 0) / placed.length;
    return { x, y: top - 9, label };
  });
  g.setLineDash([]);
  return names;
}
