/** Frames of a connection that wait until somebody has said who its terminal is. */
import type { Frame } from '../../protocol/index.js';

export class HeldFrames {
  /** As `Frame.copyContent` gives them. */
  readonly contents: Uint8Array[] = [];
  #bytes = 0;

  /** @returns false when more than `maxBytes` wait now: the connection must be given up */
  add(frame: Frame, maxBytes: number): boolean {
    this.#bytes += frame.end - frame.start;
    if (this.#bytes > maxBytes) return false;
    this.contents.push(frame.copyContent());
    return true;
  }
}
