/**
 * The field language: a message body is declared once as a tree of fields; decoding, encoding, the TypeScript type,
 * the explanation of every byte and the documentation all follow from that one declaration.
 */
import { DecodeError } from '../errors.js';
import type { Edition } from '../jt808/edition.js';

/** Gets every leaf that is read, in order, for explaining bytes. */
export interface Trace {
  enter(name: string): void;
  leave(): void;
  leaf(start: number, end: number, value: unknown, shape: Shape): void;
  /** Position to which `rollback` returns when an attempt to read is given up. */
  mark(): number;
  rollback(mark: number): void;
}

/** A cursor over the bytes of one body. */
export class Reader {
  /** The struct that is being read, for fields that depend on earlier ones. */
  scope: Record<string, unknown> = {};

  constructor(
    readonly bytes: Uint8Array,
    public at: number,
    public end: number,
    readonly edition: Edition,
    readonly trace?: Trace,
  ) {}

  /** Bytes that the current field may still take. */
  get left(): number {
    return this.end - this.at;
  }

  /** Moves over `count` bytes. @returns where they start @throws DecodeError `truncated` */
  take(count: number): number {
    const start = this.at;
    if (count > this.end - start) {
      throw new DecodeError('truncated', start, `expected ${count} bytes, found ${this.end - start}`);
    }
    this.at = start + count;
    return start;
  }

  /** Ends what follows after `count` bytes. @returns the former end, to be restored @throws DecodeError `truncated` */
  narrow(count: number): number {
    const outer = this.end;
    if (count > outer - this.at) {
      throw new DecodeError('truncated', this.at, `a length says ${count} bytes, ${outer - this.at} are left`);
    }
    this.end = this.at + count;
    return outer;
  }
}

/** A value that its field cannot carry: the caller's mistake, named with the path of the field. */
export class EncodeError extends Error {
  override readonly name = 'EncodeError';

  constructor(
    readonly path: string,
    readonly detail: string,
  ) {
    super(path === '' ? detail : `${path}: ${detail}`);
  }

  /** The same one struct or list further out. */
  within(name: string): EncodeError {
    const separator = this.path === '' || this.path.startsWith('[') ? '' : '.';
    return new EncodeError(`${name}${separator}${this.path}`, this.detail);
  }
}

/** Collects the bytes of one body. */
export class Writer {
  /** The struct that is being written. */
  scope: Record<string, unknown> = {};
  private bytes = new Uint8Array(64);
  private length = 0;

  constructor(readonly edition: Edition) {}

  get at(): number {
    return this.length;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  put(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** The bytes so far; a view on the writer's buffer, which is not written again after this. */
  done(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.length + more, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }
}

/** What a number means, in words. */
export interface NumberMeaning {
  readonly unit?: string;
  /** The raw number divided by this is in `unit`. Default 1. */
  readonly divisor?: number;
  /** Words by value. */
  readonly words?: Readonly<Record<number, string>>;
  /** Words by bit number. */
  readonly bits?: BitNames;
}

/** Names of bits, the same for all editions or by edition. */
export type BitNames = Readonly<Record<number, string>> | ((edition: Edition) => Readonly<Record<number, string>>);

/** A declaration as data: what explanations, documentation and generated tests walk over. */
export type Shape =
  | ({ readonly kind: 'uint'; readonly bytes: 1 | 2 | 4 } & NumberMeaning)
  | { readonly kind: 'bcd'; readonly digits: number; readonly time?: boolean }
  | { readonly kind: 'text'; readonly bytes?: number }
  | { readonly kind: 'bytes'; readonly bytes?: number }
  | { readonly kind: 'joined'; readonly separator: string }
  | { readonly kind: 'struct'; readonly fields: Readonly<Record<string, Field<unknown>>> }
  | { readonly kind: 'list'; readonly count: Field<number>; readonly item: Field<unknown> }
  | { readonly kind: 'twice'; readonly whole: Field<number>; readonly inPacket: Field<number> }
  | { readonly kind: 'countOf'; readonly list: string; readonly count: Field<number> }
  | { readonly kind: 'items'; readonly item: Field<unknown> }
  | { readonly kind: 'sized'; readonly length: Field<number>; readonly item: Field<unknown> }
  | { readonly kind: 'byEdition'; readonly pick: (edition: Edition) => Field<unknown> }
  | { readonly kind: 'since' | 'until'; readonly edition: Edition; readonly item: Field<unknown> }
  | { readonly kind: 'when'; readonly test: Condition; readonly item: Field<unknown> }
  | { readonly kind: 'optional'; readonly item: Field<unknown> }
  | { readonly kind: 'either'; readonly first: Field<unknown>; readonly second: Field<unknown> };

/** Decides on a field from the struct so far. */
export type Condition = (scope: Readonly<Record<string, unknown>>, edition: Edition) => boolean;

/** One declared field: a pair of small functions and its declaration as data. */
export interface Field<T> {
  readonly shape: Shape;
  /** @throws DecodeError when the bytes are not this field */
  read(r: Reader): T;
  /** @throws EncodeError when the value cannot be carried */
  write(w: Writer, value: T): void;
}

/** The type of the values of a field. */
export type Infer<F> = F extends Field<infer T> ? T : never;
