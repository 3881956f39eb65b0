/** Distinct byte strings in bytewise order, in memory. */
export class SortedKeys {
  /** One character per byte: comparing such strings compares the bytes. */
  readonly #keys: string[] = [];

  add(key: Buffer): void {
    const text = key.toString('latin1');
    const at = this.#find(text);
    if (this.#keys[at] !== text) this.#keys.splice(at, 0, text);
  }

  remove(key: Buffer): void {
    const text = key.toString('latin1');
    const at = this.#find(text);
    if (this.#keys[at] === text) this.#keys.splice(at, 1);
  }

  /** Up to `limit` keys with `lower <= key < upper`, from the lower end, or from the upper where `reverse`. */
  range(lower: Buffer | undefined, upper: Buffer | undefined, limit: number, reverse: boolean): Buffer[] {
    const from = lower ? this.#find(lower.toString('latin1')) : 0;
    const to = upper ? this.#find(upper.toString('latin1')) : this.#keys.length;
    if (from >= to) return [];
    const found = reverse
      ? this.#keys.slice(Math.max(from, to - limit), to).reverse()
      : this.#keys.slice(from, Math.min(to, from + limit));
    return found.map((key) => Buffer.from(key, 'latin1'));
  }

  /** Number of keys below `text`. */
  #find(text: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#keys[middle]! < text) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
