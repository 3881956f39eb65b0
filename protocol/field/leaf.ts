import { copyBytes } from '../bytes/copy.js';
import { decodeText, encodeText } from '../bytes/gb18030.js';
import { fromHex, toHex } from '../bytes/hex.js';
import { DecodeError } from '../errors.js';
import { EncodeError, type BitNames, type Field, type Reader, type Shape, type Writer } from './field.js';

/** A field without parts: reports itself to the trace. */
export function leaf<T>(shape: Shape, read: (r: Reader) => T, write: (w: Writer, value: T) => void): Field<T> {
  return {
    shape,
    write,
    read(r) {
      const start = r.at;
      const value = read(r);
      r.trace?.leaf(start, r.at, value, shape);
      return value;
    },
  };
}

function uint(bytes: 1 | 2 | 4): Field<number> {
  const largest = 2 ** (8 * bytes) - 1;
  return leaf<number>(
    { kind: 'uint', bytes },
    (r) => {
      let at = r.take(bytes);
      let value = 0;
      for (const end = at + bytes; at < end; at++) value = value * 256 + r.bytes[at]!;
      return value;
    },
    (w, value) => {
      if (!Number.isInteger(value) || value < 0 || value > largest) {
        throw new EncodeError('', `expected a whole number from 0 to ${largest}, found ${String(value)}`);
      }
      for (let shift = 8 * (bytes - 1); shift >= 0; shift -= 8) w.byte(Math.floor(value / 2 ** shift) & 255);
    },
  );
}

/** BYTE. */
export const u8 = uint(1);
/** WORD, high byte first. */
export const u16 = uint(2);
/** DWORD, high byte first. */
export const u32 = uint(4);

function withMeaning(field: Field<number>, meaning: Partial<Extract<Shape, { kind: 'uint' }>>): Field<number> {
  if (field.shape.kind !== 'uint') throw new TypeError('only numbers have units, words and bits');
  const { bytes } = field.shape;
  const plain = bytes === 1 ? u8 : bytes === 2 ? u16 : u32;
  const shape: Shape = { ...field.shape, ...meaning };
  return {
    shape,
    write: plain.write,
    read(r) {
      const { trace } = r;
      if (trace === undefined) return plain.read(r);
      const start = r.at;
      const mark = trace.mark();
      const value = plain.read(r);
      trace.rollback(mark);
      trace.leaf(start, r.at, value, shape);
      return value;
    },
  };
}

/** A number with its unit, e.g. `0.1 km/h`; the value stays the raw number. */
export const unit = (field: Field<number>, name: string): Field<number> => withMeaning(field, { unit: name });
/** A number of which some values have a name; others are allowed (the standard grows, terminals are older). */
export const named = (field: Field<number>, words: Readonly<Record<number, string>>): Field<number> =>
  withMeaning(field, { words });
/** A number whose bits have names. */
export const bits = (field: Field<number>, names: BitNames): Field<number> => withMeaning(field, { bits: names });

/**
 * A number in tenths, hundredths … on the wire, in whole units as a value, e.g. `scaled(u32, 10, 'km')`.
 */
export function scaled(field: Field<number>, divisor: number, name: string): Field<number> {
  const raw = withMeaning(field, { unit: name, divisor });
  return {
    shape: raw.shape,
    read: (r) => raw.read(r) / divisor,
    write: (w, value) => raw.write(w, Math.round(value * divisor)),
  };
}

/**
 * `digits / 2` bytes of packed decimal as a text of digits. Nibbles above 9, which occur in the field, stay visible as
 * the letters a..f: nothing is lost, and the same bytes come out.
 */
export function bcd(digits: number, time = false): Field<string> {
  const bytes = digits / 2;
  return leaf<string>(
    time ? { kind: 'bcd', digits, time } : { kind: 'bcd', digits },
    (r) => {
      const start = r.take(bytes);
      return toHex(r.bytes, start, start + bytes);
    },
    (w, value) => {
      if (typeof value !== 'string' || value.length !== digits || !/^[0-9a-f]*$/i.test(value)) {
        throw new EncodeError('', `expected ${digits} digits, found ${JSON.stringify(value)}`);
      }
      w.put(fromHex(value));
    },
  );
}

/** BCD[6] `YYMMDDhhmmss` (GMT+8 unless the field says otherwise). */
export const time = bcd(12, true);

/** A text of GBK bytes to the end of the field. Trailing NUL bytes are not part of it; 2011 writes one (reference 1.1). */
export const text = leaf<string>(
  { kind: 'text' },
  (r) => {
    const start = r.take(r.left);
    let end = r.end;
    while (end > start && r.bytes[end - 1] === 0) end--;
    return decodeText(r.bytes.subarray(start, end));
  },
  (w, value) => {
    w.put(textBytes(value));
    if (w.edition === 2011) w.byte(0);
  },
);

/** A text of GBK bytes to the end of the field whose length is counted: no NUL at the end in any edition. */
export const countedText = leaf<string>({ kind: 'text' }, text.read, (w, value) => w.put(textBytes(value)));

/**
 * A text in exactly `bytes` bytes: NUL and space are cut off on both sides when reading, and fill up when writing.
 * @param fill where and with what: NUL behind (default), NUL in front, or space behind
 */
export function fixedText(bytes: number, fill: 'nul' | 'nulInFront' | 'space' = 'nul'): Field<string> {
  return leaf<string>(
    { kind: 'text', bytes },
    (r) => {
      let start = r.take(bytes);
      let end = start + bytes;
      while (start < end && isFill(r.bytes[start]!)) start++;
      while (end > start && isFill(r.bytes[end - 1]!)) end--;
      return decodeText(r.bytes.subarray(start, end));
    },
    (w, value) => {
      const content = textBytes(value);
      if (content.length > bytes) {
        throw new EncodeError('', `expected at most ${bytes} bytes of GBK text, found ${content.length}`);
      }
      const padding = new Uint8Array(bytes - content.length).fill(fill === 'space' ? 0x20 : 0);
      if (fill === 'nulInFront') w.put(padding);
      w.put(content);
      if (fill !== 'nulInFront') w.put(padding);
    },
  );
}

function isFill(value: number): boolean {
  return value === 0 || value === 0x20;
}

function textBytes(value: unknown): Uint8Array {
  if (typeof value !== 'string') throw new EncodeError('', `expected a text, found ${JSON.stringify(value)}`);
  return encodeText(value);
}

/** Parts of a text divided by a separator (reference 5.3); no parts is the empty text. */
export function joined(separator: string): Field<string[]> {
  return leaf<string[]>(
    { kind: 'joined', separator },
    (r) => {
      const start = r.take(r.left);
      const all = decodeText(r.bytes.subarray(start, r.end));
      return all === '' ? [] : all.split(separator);
    },
    (w, parts) => {
      if (!Array.isArray(parts)) throw new EncodeError('', 'expected a list of texts');
      w.put(textBytes(parts.join(separator)));
    },
  );
}

/** Exactly `count` bytes. Writing also accepts a hex text, as JSON has no bytes. */
export function bytes(count: number): Field<Uint8Array> {
  return leaf<Uint8Array>(
    { kind: 'bytes', bytes: count },
    (r) => {
      const start = r.take(count);
      return copyBytes(r.bytes, start, start + count);
    },
    (w, value) => {
      const content = plainBytes(value);
      if (content.length !== count) throw new EncodeError('', `expected ${count} bytes, found ${content.length}`);
      w.put(content);
    },
  );
}

/** All bytes to the end of the field. Writing also accepts a hex text. */
export const rest: Field<Uint8Array> = leaf<Uint8Array>(
  { kind: 'bytes' },
  (r) => {
    const start = r.take(r.left);
    return copyBytes(r.bytes, start, r.end);
  },
  (w, value) => w.put(plainBytes(value)),
);

function plainBytes(value: Uint8Array | string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value !== 'string') throw new EncodeError('', `expected bytes as hex, found ${JSON.stringify(value)}`);
  try {
    return fromHex(value);
  } catch (error) {
    if (error instanceof DecodeError) throw new EncodeError('', error.message);
    throw error;
  }
}
