import type { PositionBatch } from './position-batch.js';
import type { StoreListener } from './store.js';

/** The listeners of one store. */
export class Watchers {
  readonly #listeners = new Set<StoreListener>();

  get size(): number {
    return this.#listeners.size;
  }

  /** Somebody listens to positions. */
  get wantsPositions(): boolean {
    return [...this.#listeners].some(({ positions }) => positions !== undefined);
  }

  add(listener: StoreListener): () => void {
    // A wrapper of its own, so that one listener may watch twice and each unsubscribes for itself.
    const entry: StoreListener = {
      committed: (position) => listener.committed?.(position),
      ...(listener.positions && { positions: (batch) => listener.positions?.(batch) }),
    };
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  committed(lastPosition: number): void {
    for (const listener of [...this.#listeners]) listener.committed?.(lastPosition);
  }

  positions(batch: PositionBatch): void {
    for (const listener of [...this.#listeners]) listener.positions?.(batch);
  }
}
