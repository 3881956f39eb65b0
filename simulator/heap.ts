/** Binary heap of (key, number) pairs, smallest key first. */
export class Heap {
  readonly #keys: number[] = [];
  readonly #values: number[] = [];

  get size(): number {
    return this.#keys.length;
  }

  /** The smallest key; Infinity when empty. */
  get firstKey(): number {
    return this.#keys[0] ?? Infinity;
  }

  push(key: number, value: number): void {
    let at = this.#keys.length;
    this.#keys.push(key);
    this.#values.push(value);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#keys[parent]! <= key) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  pop(): number | undefined {
    if (this.#keys.length === 0) return undefined;
    const value = this.#values[0]!;
    const key = this.#keys.pop()!;
    const last = this.#values.pop()!;
    if (this.#keys.length > 0) {
      this.#keys[0] = key;
      this.#values[0] = last;
      this.#sink();
    }
    return value;
  }

  #sink(): void {
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= this.#keys.length) return;
      const right = left + 1;
      const child = right < this.#keys.length && this.#keys[right]! < this.#keys[left]! ? right : left;
      if (this.#keys[at]! <= this.#keys[child]!) return;
      this.#swap(at, child);
      at = child;
    }
  }

  #swap(a: number, b: number): void {
    [this.#keys[a], this.#keys[b]] = [this.#keys[b]!, this.#keys[a]!];
    [this.#values[a], this.#values[b]] = [this.#values[b]!, this.#values[a]!];
  }
}
