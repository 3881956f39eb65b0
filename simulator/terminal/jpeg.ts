/**
 * A small real JPEG (ITU-T T.81, baseline, 4:4:4): every 8x8 block has one colour, so only DC coefficients are coded and
 * a table of twelve codes is enough. A picture of 40 x 30 blocks takes about 4 KB.
 */

/** Colour of one block: red, green, blue from 0 to 255. */
export type Colour = readonly [r: number, g: number, b: number];

const BLOCK = 8;
/** Each quantizer is 8, so that a DC coefficient is the mean of its block. */
const QUANTIZER = 8;
/** Size classes of DC differences: each has a code of four bits, its own number. */
const DC_CLASSES = 12;
const DC_CODE_BITS = 4;

const segment = (marker: number, bytes: readonly number[]): number[] => [
  0xff,
  marker,
  (bytes.length + 2) >> 8,
  (bytes.length + 2) & 0xff,
  ...bytes,
];

/** Codes by length 1 to 16: `counts[length - 1]` symbols. */
const huffman = (id: number, lengthBits: number, symbols: readonly number[]): number[] => {
  const counts = Array.from({ length: 16 }, (_, i) => (i + 1 === lengthBits ? symbols.length : 0));
  return segment(0xc4, [id, ...counts, ...symbols]);
};

/** Bits into bytes; a byte 0xFF of the scan is followed by 0x00. */
class Bits {
  readonly bytes: number[] = [];
  #held = 0;
  #count = 0;

  put(value: number, bits: number): void {
    for (let i = bits - 1; i >= 0; i--) {
      this.#held = (this.#held << 1) | ((value >> i) & 1);
      if (++this.#count < 8) continue;
      this.bytes.push(this.#held);
      if (this.#held === 0xff) this.bytes.push(0);
      this.#held = this.#count = 0;
    }
  }

  end(): number[] {
    while (this.#count > 0) this.put(1, 1);
    return this.bytes;
  }
}

function toYCbCr([r, g, b]: Colour): [number, number, number] {
  const y = 0.299 * r + 0.587 * g + 0.114 * b;
  return [y - 128, (b - y) * 0.564, (r - y) * 0.713].map(Math.round) as [number, number, number];
}

/**
 * @param columns blocks across; the picture is eight times as wide, in pixels
 * @param rows blocks down
 * @param colourAt colour of a block, from the upper left
 */
export function jpeg(columns: number, rows: number, colourAt: (column: number, row: number) => Colour): Uint8Array {
  const scan = new Bits();
  const before = [0, 0, 0];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      for (const [component, value] of toYCbCr(colourAt(column, row)).entries()) {
        putDifference(scan, value - before[component]!);
        before[component] = value;
      }
    }
  }
  const [width, height] = [columns * BLOCK, rows * BLOCK];
  const size = [height >> 8, height & 0xff, width >> 8, width & 0xff];
  const components = [1, 2, 3].flatMap((id) => [id, 0x11, 0]);
  return Uint8Array.from([
    ...[0xff, 0xd8],
    ...segment(0xe0, [0x4a, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0]),
    ...segment(0xdb, [0, ...new Array<number>(64).fill(QUANTIZER)]),
    ...segment(0xc0, [8, ...size, 3, ...components]),
    ...huffman(
      0x00,
      DC_CODE_BITS,
      Array.from({ length: DC_CLASSES }, (_, i) => i),
    ),
    ...huffman(0x10, 1, [0]),
    ...segment(0xda, [3, 1, 0, 2, 0, 3, 0, 0, 63, 0]),
    ...scan.end(),
    ...[0xff, 0xd9],
  ]);
}

/** A DC difference (T.81, F.1.2.1) and the end of the block. */
function putDifference(scan: Bits, difference: number): void {
  const size = difference === 0 ? 0 : 32 - Math.clz32(Math.abs(difference));
  scan.put(size, DC_CODE_BITS);
  scan.put(difference < 0 ? difference + (1 << size) - 1 : difference, size);
  scan.put(0, 1);
}
