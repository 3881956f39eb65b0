import { DecodeError } from '../errors.js';
import type { Edition } from '../jt808/edition.js';
import { EncodeError, Writer, type Condition, type Field, type Infer, type Reader } from './field.js';
import { u8 } from './leaf.js';

type Fields = Record<string, Field<never> | Field<unknown>>;
type Flat<T> = { [K in keyof T]: T[K] };

/** Fields that may be absent become optional properties. */
export type StructOf<S> = Flat<
  { [K in keyof S as undefined extends Infer<S[K]> ? never : K]: Infer<S[K]> } & {
    [K in keyof S as undefined extends Infer<S[K]> ? K : never]?: Infer<S[K]>;
  }
>;

/** Fields one behind the other, by name. */
export function struct<S extends Fields>(fields: S): Field<StructOf<S>> {
  const parts = Object.entries(fields) as [string, Field<unknown>][];
  return {
    shape: { kind: 'struct', fields: fields },
    read(r) {
      const outer = r.scope;
      const value: Record<string, unknown> = {};
      for (const [name, field] of parts) {
        r.scope = value;
        r.trace?.enter(name);
        const one = field.read(r);
        r.trace?.leave();
        if (one !== undefined) value[name] = one;
      }
      r.scope = outer;
      return value as StructOf<S>;
    },
    write(w, value) {
      if (typeof value !== 'object' || value === null) {
        throw new EncodeError('', `expected an object with ${parts.map(([name]) => name).join(', ')}`);
      }
      const outer = w.scope;
      const scope = value as Record<string, unknown>;
      for (const [name, field] of parts) {
        w.scope = scope;
        within(name, () => field.write(w, scope[name]));
      }
      w.scope = outer;
    },
  };
}

function within(name: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    throw error instanceof EncodeError ? error.within(name) : error;
  }
}

function readItem<T>(item: Field<T>, r: Reader, index: number): T {
  r.trace?.enter(`[${index}]`);
  const value = item.read(r);
  r.trace?.leave();
  return value;
}

function writeItems<T>(item: Field<T>, w: Writer, values: readonly T[]): void {
  values.forEach((one, index) => within(`[${index}]`, () => item.write(w, one)));
}

function asList<T>(value: readonly T[]): readonly T[] {
  const isList: boolean = Array.isArray(value);
  if (!isList) throw new EncodeError('', `expected a list, found ${JSON.stringify(value)}`);
  return value;
}

/** A count, then that many items. */
export function list<T>(count: Field<number>, item: Field<T>): Field<T[]> {
  return {
    shape: { kind: 'list', count, item: item },
    read(r) {
      r.trace?.enter('count');
      const length = count.read(r);
      r.trace?.leave();
      const values: T[] = [];
      // An item has at least one byte: a count that cannot be true is refused before it costs memory.
      if (length > r.left)
        throw new DecodeError('truncated', r.at, `a count says ${length} items, too few bytes are left`);
      for (let i = 0; i < length; i++) values.push(readItem(item, r, i));
      return values;
    },
    write(w, value) {
      const values = asList(value);
      within('count', () => count.write(w, values.length));
      writeItems(item, w, values);
    },
  };
}

/**
 * Items until one makes no sense; what is left stays for the next field. A report must survive a broken tail
 * (reference 3.4), and counts of terminals are often wrong (reference 3.9, 5.1).
 */
export function whileSound<T>(item: Field<T>): Field<T[]> {
  return {
    shape: { kind: 'items', item: item },
    read(r) {
      const values: T[] = [];
      const { end } = r;
      while (r.left > 0) {
        const { at, scope } = r;
        const mark = r.trace?.mark() ?? 0;
        try {
          values.push(readItem(item, r, values.length));
          if (r.at === at) break;
        } catch (error) {
          if (!(error instanceof DecodeError)) throw error;
          r.at = at;
          r.end = end;
          r.scope = scope;
          r.trace?.rollback(mark);
          break;
        }
      }
      return values;
    },
    write(w, value) {
      writeItems(item, w, asList(value));
    },
  };
}

/** The number of items of a list that stands further behind; reading keeps what the terminal wrote. */
export function countOf(listName: string, count: Field<number>): Field<number | undefined> {
  return {
    shape: { kind: 'countOf', list: listName, count },
    read: (r) => count.read(r),
    write(w) {
      const items = w.scope[listName];
      if (!Array.isArray(items)) throw new EncodeError('', `expected a list in ${listName}`);
      count.write(w, items.length);
    },
  };
}

/** A length, then exactly that many bytes. The inner field cannot see past its own end. */
export function sized<T>(length: Field<number>, item: Field<T>): Field<T> {
  return {
    shape: { kind: 'sized', length, item: item },
    read(r) {
      r.trace?.enter('length');
      const count = length.read(r);
      r.trace?.leave();
      const outerEnd = r.narrow(count);
      const value = item.read(r);
      if (r.left > 0) throw new DecodeError('trailing', r.at, `${r.left} bytes are left in a field of ${count}`);
      r.end = outerEnd;
      return value;
    },
    write(w, value) {
      const inner = new Writer(w.edition);
      inner.scope = w.scope;
      item.write(inner, value);
      within('length', () => length.write(w, inner.at));
      w.put(inner.done());
    },
  };
}

/** The same number twice: 2011 repeats counts and lengths for "in this packet" (reference 10.1, row 22). */
export function twice(whole: Field<number>, inPacket: Field<number>): Field<number> {
  return {
    shape: { kind: 'twice', whole, inPacket },
    read(r) {
      whole.read(r);
      return inPacket.read(r);
    },
    write(w, value) {
      whole.write(w, value);
      inPacket.write(w, value);
    },
  };
}

/** A count byte, which 2011 repeats. */
export const countByte: Field<number> = byEdition({ 2011: twice(u8, u8), 2013: u8 });

/** One field, several editions: the newest entry that is not newer than the edition in use. */
export function byEdition<T>(fields: { 2011: Field<T>; 2013?: Field<T>; 2019?: Field<T> }): Field<T> {
  const pick = (edition: Edition): Field<T> =>
    (edition >= 2019 ? fields[2019] : undefined) ?? (edition >= 2013 ? fields[2013] : undefined) ?? fields[2011];
  return {
    shape: { kind: 'byEdition', pick: (edition) => pick(edition) },
    read: (r) => pick(r.edition).read(r),
    write: (w, value) => pick(w.edition).write(w, value),
  };
}

/** Only from this edition on. */
export function since<T>(edition: 2013 | 2019, item: Field<T>): Field<T | undefined> {
  return {
    shape: { kind: 'since', edition, item: item },
    read: (r) => (r.edition >= edition ? item.read(r) : undefined),
    write(w, value) {
      if (w.edition >= edition) item.write(w, value as T);
    },
  };
}

/** Only up to and with this edition. */
export function until<T>(edition: 2011 | 2013, item: Field<T>): Field<T | undefined> {
  return {
    shape: { kind: 'until', edition, item: item },
    read: (r) => (r.edition <= edition ? item.read(r) : undefined),
    write(w, value) {
      if (w.edition <= edition) item.write(w, value as T);
    },
  };
}

/** Only when the struct so far says so. */
export function when<T>(test: Condition, item: Field<T>): Field<T | undefined> {
  return {
    shape: { kind: 'when', test, item: item },
    read: (r) => (test(r.scope, r.edition) ? item.read(r) : undefined),
    write(w, value) {
      if (test(w.scope, w.edition)) item.write(w, value as T);
    },
  };
}

/** Condition: a bit of an earlier number is set. */
export const bitOf =
  (name: string, bit: number): Condition =>
  (scope) =>
    ((Number(scope[name]) >>> bit) & 1) === 1;

/** Condition: an earlier number has this value. */
export const equals =
  (name: string, value: number): Condition =>
  (scope) =>
    scope[name] === value;

/** Only when at least `minimum` bytes are left. Writing leaves it out when the value is absent. */
export function optional<T>(item: Field<T>, minimum = 1): Field<T | undefined> {
  return {
    shape: { kind: 'optional', item: item },
    read: (r) => (r.left >= minimum ? item.read(r) : undefined),
    write(w, value) {
      if (value !== undefined) item.write(w, value);
    },
  };
}

/**
 * Two layouts that only the length arithmetic tells apart: the first when it takes exactly what is there, otherwise
 * the second. Writing uses the first.
 */
export function either<T>(first: Field<T>, second: Field<T>): Field<T> {
  return {
    shape: { kind: 'either', first: first, second: second },
    read(r) {
      const { at, end, scope } = r;
      const mark = r.trace?.mark() ?? 0;
      try {
        const value = first.read(r);
        if (r.left === 0) return value;
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
      }
      r.at = at;
      r.end = end;
      r.scope = scope;
      r.trace?.rollback(mark);
      return second.read(r);
    },
    write: (w, value) => first.write(w, value),
  };
}

/** The first layout when `test` finds it in the bytes, otherwise the second. Writing asks `write` for the edition. */
export function look<T>(
  test: (r: Reader) => boolean,
  write: (edition: Edition) => 'first' | 'second',
  first: Field<T>,
  second: Field<T>,
): Field<T> {
  return {
    shape: {
      kind: 'byEdition',
      pick: (edition) => (write(edition) === 'first' ? first : second),
    },
    read: (r) => (test(r) ? first : second).read(r),
    write: (w, value) => (write(w.edition) === 'first' ? first : second).write(w, value),
  };
}
