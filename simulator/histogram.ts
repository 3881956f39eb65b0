/**
 * A histogram of delays in ms with a bounded relative error: 64 buckets for each doubling (below 1.1 %), from 1 µs to
 * days, in 16 kB whatever is recorded. Values are exact at the ends: `min` and `max` are kept.
 */
export class Histogram {
  count = 0;
  min = Infinity;
  max = 0;
  #sum = 0;
  readonly #buckets = new Uint32Array(bucketsPerDoubling * doublings);

  record(ms: number): void {
    const value = Math.max(0, ms);
    this.count += 1;
    this.#sum += value;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    this.#buckets[bucketOf(value)]! += 1;
  }

  add(other: Histogram): void {
    for (let i = 0; i < this.#buckets.length; i++) this.#buckets[i]! += other.#buckets[i]!;
    this.count += other.count;
    this.#sum += other.#sum;
    this.min = Math.min(this.min, other.min);
    this.max = Math.max(this.max, other.max);
  }

  get mean(): number {
    return this.count === 0 ? 0 : this.#sum / this.count;
  }

  /** The value that this part (0 to 1) of the records does not exceed; 0 when nothing was recorded. */
  quantile(part: number): number {
    if (this.count === 0) return 0;
    const wanted = Math.max(1, Math.ceil(part * this.count));
    let seen = 0;
    for (let i = 0; i < this.#buckets.length; i++) {
      seen += this.#buckets[i]!;
      if (seen >= wanted) return Math.min(this.max, Math.max(this.min, upperEnd(i)));
    }
    return this.max;
  }

  /** The buckets that hold something: for another process. */
  toJSON(): { min: number; max: number; sum: number; buckets: [index: number, count: number][] } {
    const buckets: [number, number][] = [];
    this.#buckets.forEach((count, index) => {
      if (count > 0) buckets.push([index, count]);
    });
    return { min: this.count === 0 ? 0 : this.min, max: this.max, sum: this.#sum, buckets };
  }

  static fromJSON(from: ReturnType<Histogram['toJSON']>): Histogram {
    const histogram = new Histogram();
    for (const [index, count] of from.buckets) {
      histogram.#buckets[index] = count;
      histogram.count += count;
    }
    histogram.min = histogram.count === 0 ? Infinity : from.min;
    histogram.max = from.max;
    histogram.#sum = from.sum;
    return histogram;
  }

  summary(): { count: number; mean: number; p50: number; p90: number; p99: number; p999: number; max: number } {
    const round = (value: number): number => Math.round(value * 1000) / 1000;
    return {
      count: this.count,
      mean: round(this.mean),
      p50: round(this.quantile(0.5)),
      p90: round(this.quantile(0.9)),
      p99: round(this.quantile(0.99)),
      p999: round(this.quantile(0.999)),
      max: round(this.max),
    };
  }
}

const bucketsPerDoubling = 64;
const doublings = 48;
/** Everything below is one bucket. */
const smallestMs = 0.001;

function bucketOf(ms: number): number {
  if (ms <= smallestMs) return 0;
  const index = 1 + Math.floor(Math.log2(ms / smallestMs) * bucketsPerDoubling);
  return Math.min(index, bucketsPerDoubling * doublings - 1);
}

function upperEnd(bucket: number): number {
  return smallestMs * 2 ** (bucket / bucketsPerDoubling);
}
