/** Result of a frame that gets no answer. */
export const noAnswer = 15;

/**
 * Frames of one session between arrival and commit, first in, first out: what to answer when their group is durable.
 * One number per frame (result and header form, message id, serial), so that a frame costs no object.
 */
export class PendingAnswers {
  #items: number[] = [];
  #head = 0;
  #tail = 0;

  get size(): number {
    return this.#tail - this.#head;
  }

  /**
   * @param result 0 to 4 of 0x8001, or {@link noAnswer}
   * @param form 0 to 15: which header form the answer repeats
   */
  push(messageId: number, serial: number, result: number, form: number): void {
    this.#items[this.#tail++] = ((form << 4) | result) * 0x1_0000_0000 + messageId * 0x1_0000 + serial;
  }

  /** Takes the oldest; read it through the functions below. Must not be called when empty. */
  shift(): number {
    const item = this.#items[this.#head++]!;
    if (this.#head === this.#tail) {
      this.#head = this.#tail = 0;
      // A burst must not be paid for in memory for the rest of the connection's life.
      if (this.#items.length > 64) this.#items = [];
    }
    return item;
  }

  static result(item: number): number {
    return Math.floor(item / 0x1_0000_0000) & 15;
  }

  static form(item: number): number {
    return Math.floor(item / 0x1_0000_0000) >> 4;
  }

  static messageId(item: number): number {
    return Math.floor(item / 0x1_0000) & 0xffff;
  }

  static serial(item: number): number {
    return item % 0x1_0000;
  }
}
