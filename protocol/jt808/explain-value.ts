import type { Shape } from '../field/index.js';
import { namesOf } from './bits.js';
import type { Edition } from './edition.js';
import { toHex } from '../bytes/hex.js';

/** A value in words: units, names of values and bits, times as dates. */
export function wordsOf(value: unknown, shape: Shape, edition: Edition): string {
  if (shape.kind === 'uint' && typeof value === 'number') {
    const number = shape.divisor === undefined ? String(value) : String(value / shape.divisor);
    const word = shape.words?.[value];
    if (word !== undefined) return `${number} = ${word}`;
    if (shape.bits !== undefined) {
      const names = namesOf(value, typeof shape.bits === 'function' ? shape.bits(edition) : shape.bits);
      const digits = value.toString(16).padStart(shape.bytes * 2, '0');
      return `0x${digits}${names.length === 0 ? ', no bit set' : `: ${names.join(', ')}`}`;
    }
    return shape.unit === undefined ? number : `${number}${unitWords(value, shape.unit)}`;
  }
  if (shape.kind === 'bcd') return shape.time === true ? timeWords(String(value)) : String(value);
  if (shape.kind === 'bytes') return value instanceof Uint8Array ? `${value.length} bytes ${short(toHex(value))}` : '';
  if (Array.isArray(value)) return value.map((one) => JSON.stringify(one)).join(', ');
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

/** Long hex is cut: the row shows its bytes anyway. */
function short(hex: string): string {
  return hex.length <= 48 ? hex : `${hex.slice(0, 48)}…`;
}

function timeWords(digits: string): string {
  if (!/^\d{12}$/.test(digits)) return `${digits} (no time)`;
  const [year, month, day, hour, minute, second] = digits.match(/../g)!;
  return `20${year}-${month}-${day} ${hour}:${minute}:${second}`;
}

/** `replySerial` as "reply serial". */
export function spelledOut(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).replace(/\.\[/g, ' [');
}

/** ` m`, or where the unit has a factor ` × 1e-6 degree = 31.974974 degree`. */
function unitWords(value: number, unit: string): string {
  const [, factor, name] = /^(\d\S*) (.*)$/.exec(unit) ?? [];
  if (factor === undefined) return ` ${unit}`;
  const digits = Math.max(0, Math.round(-Math.log10(Number(factor))));
  return ` × ${unit} = ${(value * Number(factor)).toFixed(digits)} ${name}`;
}

/** Why the bytes behind the last whole additional item are none (reference 3.4). */
export function noItemWords(bytes: Uint8Array): string {
  const id = `item 0x${toHex(bytes.subarray(0, 1))}`;
  if (bytes.length < 2) return `${id} ends before its length`;
  return `${id} says ${bytes[1]} bytes, ${bytes.length - 2} are left: ${short(toHex(bytes))}`;
}
