/** Marks of vehicles and orders, drawn on a canvas when they are first needed: shape and glyph say what colour says. */
import type { FleetMark, OrderMark } from './engine.js';
import { DUTY_COLOURS, TONE_COLOURS } from './palette.js';

export interface Sprite {
  image: ImageData;
  pixelRatio: number;
}
const RATIO = 2;

function canvas(size: number, draw: (g: CanvasRenderingContext2D) => void): Sprite {
  const element = document.createElement('canvas');
  element.width = element.height = size * RATIO;
  const g = element.getContext('2d', { willReadFrequently: true })!;
  g.scale(RATIO, RATIO);
  draw(g);
  return { image: g.getImageData(0, 0, size * RATIO, size * RATIO), pixelRatio: RATIO };
}

/** A white glyph for each duty, in a 10-unit box around the middle. */
const GLYPHS: Record<string, (g: CanvasRenderingContext2D) => void> = {
  standby: (g) => line(g, [[-4, 0], [-1, 3], [4, -3]]),
  tasked: (g) => [-2.5, 0, 2.5].forEach((y) => line(g, [[-3.5, y], [3.5, y]])),
  enRoute: (g) => line(g, [[-2, -4], [2.5, 0], [-2, 4]]),
  onSite: (g) => {
    g.beginPath();
    g.moveTo(1, -5);
    g.lineTo(-3, 1);
    g.lineTo(0, 1);
    g.lineTo(-1, 5);
    g.lineTo(3, -1);
    g.lineTo(0, -1);
    g.fill();
  },
  onBreak: (g) => [-2, 2].forEach((x) => line(g, [[x, -3.5], [x, 3.5]])),
  offDuty: (g) => line(g, [[-3.5, 0], [3.5, 0]]),
  unreachable: (g) => {
    line(g, [[-3, -3], [3, 3]]);
    line(g, [[-3, 3], [3, -3]]);
  },
}; // prettier-ignore

function line(g: CanvasRenderingContext2D, points: number[][]): void {
  g.beginPath();
  points.forEach(([x, y], index) => (index === 0 ? g.moveTo(x!, y!) : g.lineTo(x!, y!)));
  g.stroke();
}

/** `v/{duty}/{link}`: round; a dashed rim when the link is down, a thin one when it is quiet. */
function vehicleSprite(duty: string, link: string): Sprite {
  return canvas(30, (g) => {
    g.translate(15, 15);
    g.fillStyle = link === 'down' || link === 'never' ? '#6b7684' : (DUTY_COLOURS[duty] ?? '#475569');
    g.beginPath();
    g.arc(0, 0, 11, 0, Math.PI * 2);
    g.fill();
    g.lineWidth = link === 'up' ? 2.2 : 1.6;
    if (link !== 'up') g.setLineDash(link === 'quiet' ? [5, 2] : [2.5, 2.5]);
    g.strokeStyle = '#ffffff';
    g.stroke();
    g.setLineDash([]);
    g.strokeStyle = g.fillStyle = '#ffffff';
    g.lineWidth = 2;
    g.lineCap = g.lineJoin = 'round';
    (GLYPHS[duty] ?? GLYPHS.offDuty)!(g);
    if (link === 'down') {
      g.lineWidth = 2.4;
      g.strokeStyle = '#b91c1c';
      line(g, [[-9, 9], [9, -9]]); // prettier-ignore
    }
  });
}

/** `h/{duty}`: the pointer of the heading, turned by the map. */
function headingSprite(duty: string): Sprite {
  return canvas(52, (g) => {
    g.translate(26, 26);
    g.fillStyle = DUTY_COLOURS[duty] ?? '#475569';
    g.strokeStyle = '#ffffff';
    g.lineWidth = 1.4;
    g.beginPath();
    g.moveTo(0, -23.5);
    g.lineTo(8, -10.5);
    g.lineTo(-8, -10.5);
    g.closePath();
    g.fill();
    g.stroke();
  });
}

/** `q/{n}`: length of the queue; `!` for something undelivered. */
function badgeSprite(text: string): Sprite {
  return canvas(16, (g) => {
    g.translate(8, 8);
    g.fillStyle = text === '!' ? '#b45309' : '#0f1b2d';
    g.strokeStyle = '#ffffff';
    g.lineWidth = 1.2;
    g.beginPath();
    if (text === '!') {
      g.moveTo(0, -7);
      g.lineTo(7, 6);
      g.lineTo(-7, 6);
      g.closePath();
    } else g.arc(0, 0, 7, 0, Math.PI * 2);
    g.fill();
    g.stroke();
    g.fillStyle = '#ffffff';
    g.font = '700 9.5px system-ui, sans-serif';
    g.textAlign = 'center';
    g.textBaseline = 'middle';
    g.fillText(text, 0, text === '!' ? 1.5 : 0.5);
  });
}

const RING_STEPS = 24;

/** `o/{tone}/{step}/{minutes}/{urgent}`: the ring of what is left of the promise, the minutes inside. */
function orderSprite(tone: string, step: number, text: string, urgent: boolean): Sprite {
  return canvas(40, (g) => {
    g.translate(20, 20);
    const colour = TONE_COLOURS[tone] ?? TONE_COLOURS.idle!;
    g.fillStyle = '#ffffff';
    g.beginPath();
    if (tone === 'bad') g.roundRect(-15, -15, 30, 30, 7);
    else g.arc(0, 0, 15.5, 0, Math.PI * 2);
    g.fill();
    g.lineWidth = 4;
    g.strokeStyle = '#d5dbe3';
    g.beginPath();
    if (tone === 'bad') g.roundRect(-13, -13, 26, 26, 5);
    else g.arc(0, 0, 13, 0, Math.PI * 2);
    g.stroke();
    g.strokeStyle = colour;
    g.beginPath();
    if (tone === 'bad') g.roundRect(-13, -13, 26, 26, 5);
    else g.arc(0, 0, 13, -Math.PI / 2, -Math.PI / 2 + (Math.PI * 2 * step) / RING_STEPS);
    g.stroke();
    g.fillStyle = tone === 'bad' ? '#a31515' : '#1b2735';
    g.font = `700 ${text.length > 3 ? 9 : 11.5}px system-ui, sans-serif`;
    g.textAlign = 'center';
    g.textBaseline = 'middle';
    g.fillText(text, 0, 0.8);
    if (!urgent) return;
    g.fillStyle = '#c01f1f';
    g.beginPath();
    g.moveTo(13, -19);
    g.lineTo(6, -9);
    g.lineTo(11, -9);
    g.lineTo(9, -2);
    g.lineTo(19, -12);
    g.lineTo(14, -12);
    g.lineTo(17, -19);
    g.closePath();
    g.fill();
    g.strokeStyle = '#fff';
    g.lineWidth = 1;
    g.stroke();
  });
}

/** `d/{duty}/{link}/{radius}`: a circle, pale and without a rim where the link is not up. */
function dotSprite(duty: string, link: string, radius: number): Sprite {
  return canvas(2 * radius + 3, (g) => {
    g.translate(radius + 1.5, radius + 1.5);
    g.globalAlpha = link === 'up' ? 1 : 0.45;
    g.fillStyle = DUTY_COLOURS[duty] ?? '#475569';
    g.beginPath();
    g.arc(0, 0, radius, 0, Math.PI * 2);
    g.fill();
    if (link !== 'up') return;
    g.lineWidth = 0.9;
    g.strokeStyle = '#ffffff';
    g.stroke();
  });
}

/** A sprite of a vehicle in its place: pixels beside the vehicle, and degrees clockwise. */
export interface PlacedSprite {
  name: string;
  dx: number;
  dy: number;
  turnDeg: number;
}

/** Zoom from which circles are larger. */
const LARGE_DOTS_ZOOM = 12;
/** The circle of a vehicle far away. */
export const dotOf = ({ duty, link }: FleetMark, zoom: number): string =>
  `d/${duty}/${link === 'up' ? 'up' : 'not'}/${zoom < LARGE_DOTS_ZOOM ? 3 : 5}`;

/** What a vehicle near by consists of, the lowest first. */
export function iconOf(mark: FleetMark): PlacedSprite[] {
  const sprites: PlacedSprite[] = [];
  if (mark.moving) sprites.push({ name: `h/${mark.duty}`, dx: 0, dy: 0, turnDeg: mark.headingDeg });
  sprites.push({ name: `v/${mark.duty}/${mark.link}`, dx: 0, dy: 0, turnDeg: 0 });
  if (mark.queue > 0) sprites.push({ name: `q/${mark.queue > 9 ? '9+' : mark.queue}`, dx: 11, dy: -11, turnDeg: 0 });
  if (mark.undelivered) sprites.push({ name: 'q/!', dx: -11, dy: -11, turnDeg: 0 });
  return sprites;
}

/** The ring of an order. */
export const ringOf = ({ tone, left, minutes, urgent }: OrderMark): string =>
  `o/${tone}/${Math.round(left * RING_STEPS)}/${minutes}/${urgent ? 1 : 0}`;

/** The sprite for a name, drawn now. */
export function drawSprite(name: string): Sprite | undefined {
  const [kind, a = '', b = '', c = '', d = ''] = name.split('/');
  if (kind === 'v') return vehicleSprite(a, b);
  if (kind === 'h') return headingSprite(a);
  if (kind === 'q') return badgeSprite(a);
  if (kind === 'd') return dotSprite(a, b, Number(c));
  if (kind === 'o') return orderSprite(a, Number(b), c, d === '1');
  return undefined;
}
