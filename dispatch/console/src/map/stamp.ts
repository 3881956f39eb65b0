/** Writes small pictures into an image pixel by pixel: 20,000 circles take some milliseconds, `drawImage` fifty. */

/** Pixels of a small picture that are not empty: where they are from its upper left corner, and RGBA as one number. */
export interface Stamp {
  side: number;
  dx: Uint8Array;
  dy: Uint8Array;
  rgba: Uint32Array;
  /** The first pixels, so many, hide what is below them; the others let it through. */
  solid: number;
  /** Where the pixels are in the numbers of an image, from the upper left corner, and for which width that holds. */
  offsets: Uint32Array;
  offsetsWidth: number;
}

/** RGBA, not premultiplied, as one little-endian number each, as canvases of every browser have it. */
export interface Pixels {
  width: number;
  height: number;
  rgba: Uint32Array;
}

export function stampOf(side: number, rgba: Uint32Array): Stamp {
  const filled = [...rgba.keys()].filter((i) => rgba[i]! >>> 24 > 0);
  const solid = filled.filter((i) => rgba[i]! >>> 24 === 255);
  const all = [...solid, ...filled.filter((i) => rgba[i]! >>> 24 < 255)];
  return {
    side,
    dx: Uint8Array.from(all, (i) => i % side),
    dy: Uint8Array.from(all, (i) => Math.floor(i / side)),
    rgba: Uint32Array.from(all, (i) => rgba[i]!),
    solid: solid.length,
    offsets: new Uint32Array(all.length),
    offsetsWidth: -1,
  };
}

function offsetsFor(stamp: Stamp, width: number): Uint32Array {
  const { offsets, dx, dy } = stamp;
  if (stamp.offsetsWidth !== width) {
    for (let i = 0; i < offsets.length; i++) offsets[i] = dy[i]! * width + dx[i]!;
    stamp.offsetsWidth = width;
  }
  return offsets;
}

/** Puts a stamp with its middle at a pixel of the image; what lies outside is left out. */
export function putStamp(image: Pixels, stamp: Stamp, x: number, y: number): void {
  const { side, dx, dy, rgba, solid } = stamp;
  const { width, height, rgba: into } = image;
  const left = Math.round(x - side / 2);
  const top = Math.round(y - side / 2);
  if (left <= -side || top <= -side || left >= width || top >= height) return;
  const offsets = offsetsFor(stamp, width);
  const from = top * width + left;
  if (left >= 0 && top >= 0 && left + side <= width && top + side <= height) {
    for (let i = 0; i < solid; i++) into[from + offsets[i]!] = rgba[i]!;
    for (let i = solid; i < rgba.length; i++) into[from + offsets[i]!] = over(rgba[i]!, into[from + offsets[i]!]!);
    return;
  }
  for (let i = 0; i < rgba.length; i++) {
    const u = left + dx[i]!;
    const v = top + dy[i]!;
    if (u < 0 || v < 0 || u >= width || v >= height) continue;
    into[v * width + u] = i < solid ? rgba[i]! : over(rgba[i]!, into[v * width + u]!);
  }
}

/** One pixel over another (Porter-Duff). */
function over(above: number, below: number): number {
  const under = below >>> 24;
  if (under === 0) return above;
  const alpha = above >>> 24;
  const rest = (under * (255 - alpha)) / 255;
  const sum = alpha + rest;
  const blue = (((above >>> 16) & 255) * alpha + ((below >>> 16) & 255) * rest) / sum + 0.5;
  const green = (((above >>> 8) & 255) * alpha + ((below >>> 8) & 255) * rest) / sum + 0.5;
  const red = ((above & 255) * alpha + (below & 255) * rest) / sum + 0.5;
  return ((((sum + 0.5) & 255) << 24) | ((blue & 255) << 16) | ((green & 255) << 8) | (red & 255)) >>> 0;
}
