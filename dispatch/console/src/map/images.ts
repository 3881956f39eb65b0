/** Sprites and names as small pictures, drawn once and then copied: text with a rim costs a hundred times a copy. */
import type { Palette } from './palette.js';
import { drawSprite } from './sprites.js';
import { stampOf, type Stamp } from './stamp.js';

/** A ring of an order changes each minute: pictures that nobody asks for any more go when there are so many. */
const KEPT = 1_500;
/** Headings are drawn in steps of this. */
const TURN_DEG = 5;
const LABEL_FONT = '11.5px system-ui, sans-serif';
const LABEL_HEIGHT = 17;

export interface Picture {
  canvas: HTMLCanvasElement;
  /** CSS pixels. */
  width: number;
  height: number;
}

export class Images {
  readonly #labels = new Map<string, Picture>();
  readonly #stamps = new Map<string, Stamp>();
  #palette: Palette;

  constructor(palette: Palette) {
    this.#palette = palette;
  }

  set palette(palette: Palette) {
    this.#palette = palette;
    this.#labels.clear();
  }

  label(text: string): Picture {
    return remembered(this.#labels, text, () => {
      const ratio = 2;
      const measure = sized(1, 1).getContext('2d')!;
      measure.font = LABEL_FONT;
      const width = Math.ceil(measure.measureText(text).width) + 6;
      const canvas = sized(width * ratio, LABEL_HEIGHT * ratio);
      const g = canvas.getContext('2d')!;
      g.scale(ratio, ratio);
      g.font = LABEL_FONT;
      g.textAlign = 'center';
      g.textBaseline = 'middle';
      g.lineJoin = 'round';
      g.lineWidth = 3.2;
      g.strokeStyle = this.#palette.halo;
      g.fillStyle = this.#palette.text;
      g.strokeText(text, width / 2, LABEL_HEIGHT / 2);
      g.fillText(text, width / 2, LABEL_HEIGHT / 2);
      return { canvas, width, height: LABEL_HEIGHT };
    });
  }

  /**
   * A sprite to be written into an image.
   * @param ratio pixels of the image for each of the sprite's, which are CSS pixels
   * @param turnDeg clockwise
   */
  stamp(name: string, ratio: number, turnDeg = 0): Stamp | undefined {
    const turn = Math.round(turnDeg / TURN_DEG) % (360 / TURN_DEG);
    return remembered(this.#stamps, `${name} ${ratio} ${turn}`, () => {
      const sprite = drawSprite(name);
      if (!sprite) return undefined;
      const { image, pixelRatio } = sprite;
      const picture = sized(image.width, image.height);
      picture.getContext('2d')!.putImageData(image, 0, 0);
      const side = Math.max(1, Math.round((image.width / pixelRatio) * ratio));
      const g = sized(side, side).getContext('2d', { willReadFrequently: true })!;
      g.translate(side / 2, side / 2);
      g.rotate((turn * TURN_DEG * Math.PI) / 180);
      g.drawImage(picture, -side / 2, -side / 2, side, side);
      return stampOf(side, new Uint32Array(g.getImageData(0, 0, side, side).data.buffer));
    });
  }
}

function remembered<T>(memory: Map<string, T>, name: string, make: () => T): T {
  const known = memory.get(name);
  if (known !== undefined) return known;
  if (memory.size >= KEPT) memory.clear();
  const made = make();
  if (made !== undefined) memory.set(name, made);
  return made;
}

function sized(width: number, height: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  return canvas;
}
