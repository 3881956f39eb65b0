/** Bytes that grow, with the two number forms of a track block. Reused from block to block. */
export class ByteWriter {
  bytes = new Uint8Array(65_536);
  at = 0;

  /** Makes room for `more` bytes. */
  reserve(more: number): void {
    if (this.at + more <= this.bytes.length) return;
    const bytes = new Uint8Array(Math.max(this.bytes.length * 2, this.at + more));
    bytes.set(this.bytes);
    this.bytes = bytes;
  }

  /** Whole number from 0 to 2^53 − 1, seven bits a byte, lowest first. Needs 8 reserved bytes. */
  unsigned(value: number): void {
    while (value > 0x0fffffff) {
      this.bytes[this.at++] = (value % 128) | 128;
      value = Math.floor(value / 128);
    }
    while (value > 127) {
      this.bytes[this.at++] = (value & 127) | 128;
      value >>>= 7;
    }
    this.bytes[this.at++] = value;
  }

  /** Whole number of either sign, |value| < 2^52: zigzag, then as {@link unsigned}. */
  signed(value: number): void {
    this.unsigned(value < 0 ? -2 * value - 1 : 2 * value);
  }

  append(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  /** What was written, valid until more is. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.at);
  }
}

/** Reads what {@link ByteWriter} wrote. Reading past the end throws a RangeError. */
export class ByteReader {
  at = 0;

  constructor(readonly bytes: Uint8Array) {}

  unsigned(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.bytes[this.at++];
      if (byte === undefined || scale > 2 ** 53)
        throw new RangeError(`a number ends outside of its block at ${this.at}`);
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
  }

  signed(): number {
    const value = this.unsigned();
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
  }
}
