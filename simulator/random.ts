/**
 * Seeded randomness. Everything that the simulator decides comes from one seed: each part draws from a stream of its
 * own, named after what it is for, so that one more draw in one place changes nothing in another.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;
  #spareNormal: number | undefined;

  /**
   * @param seed any text or number; equal seeds give equal streams
   */
  constructor(readonly seed: string | number) {
    const text = String(seed);
    // Four independent 32-bit hashes of the seed (FNV-1a with different offsets) start the generator.
    this.#a = hash(text, 0x811c9dc5);
    this.#b = hash(text, 0x01234567);
    this.#c = hash(text, 0x9e3779b9);
    this.#d = 1;
    for (let i = 0; i < 12; i++) this.#next32();
  }

  /** A stream that depends on this one's seed and the name only, not on what was drawn. */
  stream(name: string | number): Random {
    return new Random(`${this.seed}/${name}`);
  }

  /** Uniform in [0, 1). */
  next(): number {
    return this.#next32() / 0x1_0000_0000;
  }

  /** Uniform in [from, to). */
  between(from: number, to: number): number {
    return from + (to - from) * this.next();
  }

  /** Whole number, both ends included. */
  int(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  /** True with this probability (0 to 1). */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** @throws RangeError on an empty list */
  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new RangeError('cannot pick from an empty list');
    return list[this.int(0, list.length - 1)]!;
  }

  /** Normal distribution (Box–Muller; the second value is kept for the next call). */
  normal(mean = 0, deviation = 1): number {
    if (this.#spareNormal !== undefined) {
      const spare = this.#spareNormal;
      this.#spareNormal = undefined;
      return mean + deviation * spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()));
    const angle = 2 * Math.PI * this.next();
    this.#spareNormal = radius * Math.sin(angle);
    return mean + deviation * radius * Math.cos(angle);
  }

  /** Waiting time of a Poisson process: exponential with this mean. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.next());
  }

  /** `length` random lower-case hex digits. */
  hex(length: number): string {
    let text = '';
    while (text.length < length) text += this.#next32().toString(16).padStart(8, '0');
    return text.slice(0, length);
  }

  /** sfc32: small, fast, passes the usual test batteries. */
  #next32(): number {
    const t = (((this.#a + this.#b) | 0) + this.#d) | 0;
    this.#d = (this.#d + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + t;
    return t >>> 0;
  }
}

function hash(text: string, offset: number): number {
  let value = offset;
  for (let i = 0; i < text.length; i++) {
    value ^= text.charCodeAt(i);
    value = Math.imul(value, 0x01000193);
    value ^= value >>> 15;
  }
  return value >>> 0;
}
