/** Listening in on one terminal's bytes, for `linecrew tail`. Costs a comparison a read while nobody listens. */
export interface Piece {
  direction: 'in' | 'out';
  /** Connection that it is of: a terminal may have two for a moment. */
  connection: string;
  bytes: Uint8Array;
  /** What the bytes are: of a stream of JT/T 808 frames, or one message of terminal.proto. */
  form: 'jt808' | 'protobuf';
}

/** Somebody who looks for a fault looks at a few terminals. */
export const MAX_TAPS = 16;

export class Taps {
  readonly #listeners = new Map<string, Set<(piece: Piece) => void>>();
  #count = 0;

  /** How many listen. */
  get size(): number {
    return this.#count;
  }

  /** Whether anybody listens at all. */
  get any(): boolean {
    return this.#count > 0;
  }

  /** @throws {Error} when too many listen already. @returns how to stop; safe to call twice */
  listen(phone: string, on: (piece: Piece) => void): () => void {
    if (this.#count >= MAX_TAPS) throw new Error(`${MAX_TAPS} terminals are listened to already`);
    const listeners = this.#listeners.get(phone) ?? new Set();
    this.#listeners.set(phone, listeners);
    const listener = (piece: Piece): void => on(piece);
    listeners.add(listener);
    this.#count++;
    return () => {
      if (!listeners.delete(listener)) return;
      this.#count--;
      if (listeners.size === 0) this.#listeners.delete(phone);
    };
  }

  tell(phone: string | undefined, piece: Piece): void {
    if (phone === undefined) return;
    for (const on of this.#listeners.get(phone) ?? []) on(piece);
  }
}
