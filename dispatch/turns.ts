/**
 * Turns by name: who waits for the same name goes one after another, in the order of asking. Decisions that met others
 * on a document take turns on it, so that of many that want the same one each is decided once more, not fifty times.
 */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /** Resolves when it is the caller's turn; the turn ends when the function that it gives is called. */
  async take(name: string): Promise<() => void> {
    const before = this.#last.get(name);
    let end: () => void = () => undefined;
    const mine = new Promise<void>((resolve) => (end = resolve));
    this.#last.set(name, mine);
    await before;
    return () => {
      if (this.#last.get(name) === mine) this.#last.delete(name);
      end();
    };
  }
}
