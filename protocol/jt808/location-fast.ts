import { DecodeError } from '../errors.js';
import { TimeReader } from './time.js';

/** Bytes of the base block of a location (reference 3.1). */
export const locationBaseBytes = 28;

/** A location as numbers. One object is filled again and again by `readLocation`. */
export class Location {
  /** Alarm flags (reference 3.2). */
  alarm = 0;
  /** Status bits (reference 3.3). */
  status = 0;
  /** 1e-6 degree; south is negative. Not checked: terminals without a fix and made-up frames hold anything. */
  latE6 = 0;
  /** 1e-6 degree; west is negative. */
  lonE6 = 0;
  /** Metres; the word taken as signed (reference 10.1, row 12). */
  altitudeM = 0;
  /** Metres; the word taken as unsigned, as the standard prints it. */
  altitudeRawM = 0;
  /** 0.1 km/h. */
  speedDeciKmh = 0;
  /** 0..359 by the standard, not checked. */
  headingDeg = 0;
  /** Milliseconds UTC of the terminal's clock; NaN when the field holds no time. */
  deviceAt = NaN;
  /** Additional item 0x01 in 0.1 km; -1 when there is none. */
  mileageDeciKm = -1;
  /** Where the value of additional item 0x12 (area or route crossed, 6 bytes) lies; -1 when there is none. */
  crossingStart = -1;
  /** First byte of the additional items. */
  extrasStart = 0;
  /** One past the last whole additional item; what follows up to the end of the body is a broken tail. */
  extrasEnd = 0;

  readonly times = new TimeReader();
}

/**
 * Reads a location (the body of 0x0200) from `bytes[start..end)` into `out` without allocating: the proven copy of the
 * declared message `location` for the one message that matters for speed.
 * @returns false when there are fewer than 28 bytes; `out` is then as it was
 */
export function readLocation(bytes: Uint8Array, start: number, end: number, out: Location): boolean {
  if (end - start < locationBaseBytes) return false;
  const status = (bytes[start + 4]! << 24) | (bytes[start + 5]! << 16) | (bytes[start + 6]! << 8) | bytes[start + 7]!;
  const lat = dword(bytes, start + 8);
  const lon = dword(bytes, start + 12);
  const altitude = (bytes[start + 16]! << 8) | bytes[start + 17]!;
  out.alarm = dword(bytes, start);
  out.status = status >>> 0;
  out.latE6 = (status & 4) !== 0 ? 0 - lat : lat;
  out.lonE6 = (status & 8) !== 0 ? 0 - lon : lon;
  out.altitudeRawM = altitude;
  out.altitudeM = altitude >= 0x8000 ? altitude - 0x10000 : altitude;
  out.speedDeciKmh = (bytes[start + 18]! << 8) | bytes[start + 19]!;
  out.headingDeg = (bytes[start + 20]! << 8) | bytes[start + 21]!;
  out.deviceAt = out.times.read(bytes, start + 22);

  let at = start + locationBaseBytes;
  let mileage = -1;
  let crossing = -1;
  out.extrasStart = at;
  while (at + 2 <= end) {
    const next = at + 2 + bytes[at + 1]!;
    if (next > end) break;
    if (bytes[at] === 0x01 && next === at + 6) mileage = dword(bytes, at + 2);
    else if (bytes[at] === 0x12 && next === at + 8) crossing = at + 2;
    at = next;
  }
  out.mileageDeciKm = mileage;
  out.crossingStart = crossing;
  out.extrasEnd = at;
  return true;
}

function dword(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

/** One additional item: its id and where its value lies. */
export interface Extra {
  readonly id: number;
  readonly start: number;
  readonly end: number;
}

/** The whole additional items in `bytes[start..end)` (`extrasStart` and `extrasEnd` of a location), in order. */
export function* extrasOf(bytes: Uint8Array, start: number, end: number): Generator<Extra, void, undefined> {
  for (let at = start; at + 2 <= end;) {
    const next = at + 2 + bytes[at + 1]!;
    if (next > end) return;
    yield { id: bytes[at]!, start: at + 2, end: next };
    at = next;
  }
}

/**
 * Where the location lies in the body of a message that holds one, or -1: 0x0200 at the start, 0x0201 and 0x0500
 * behind the reply serial (0x0201 of 2011 has none, reference 3.10).
 */
export function locationStart(messageId: number, bytes: Uint8Array, bodyStart: number, bodyEnd: number): number {
  if (messageId === 0x0200) return bodyStart;
  if (messageId === 0x0500) return bodyStart + 2;
  if (messageId === 0x0201) return hasReplySerial(bytes, bodyStart, bodyEnd) ? bodyStart + 2 : bodyStart;
  return -1;
}

/**
 * True when a 0x0201 body starts with a reply serial (2013, 2019), false when the location stands at its start (2011).
 * Decided by where a date and whole additional items are found (reference 3.10); `fallback` when both fit alike.
 */
export function hasReplySerial(bytes: Uint8Array, start: number, end: number, fallback = true): boolean {
  const withSerial = soundness(bytes, start + 2, end);
  const without = soundness(bytes, start, end);
  return withSerial === without ? fallback : withSerial > without;
}

/** 0 when `bytes[start..end)` holds no dated location, 1 when it does, 2 when its additional items end exactly too. */
function soundness(bytes: Uint8Array, start: number, end: number): number {
  const location = new Location();
  if (!readLocation(bytes, start, end, location) || Number.isNaN(location.deviceAt)) return 0;
  return location.extrasEnd === end ? 2 : 1;
}

/**
 * Walks the locations of a 0x0704 (reference 3.9) in `bytes[start..end)`: `each` gets the one `out`, refilled. A wrong
 * count or a truncated last item costs nothing that is whole; an item too short for a location is stepped over.
 * @returns the number of locations
 */
export function readBatch(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Location,
  each: (location: Location, index: number) => void,
): number {
  let count = 0;
  for (let at = start + 3; at + 2 + locationBaseBytes <= end;) {
    const next = at + 2 + ((bytes[at]! << 8) | bytes[at + 1]!);
    if (next > end) break;
    if (readLocation(bytes, at + 2, next, out)) each(out, count++);
    at = next;
  }
  return count;
}

/**
 * What a 0x0704 in `bytes[start..end)` with `found` whole locations (see {@link readBatch}) lacks of its count; its offset
 * is that of the first item that is cut or too short for a location, 0 where there is none. More items than the count, and
 * bytes behind the last, are nothing lost.
 */
export function faultOfBatch(bytes: Uint8Array, start: number, end: number, found: number): DecodeError | undefined {
  const declared = end - start < 2 ? 0 : (bytes[start]! << 8) | bytes[start + 1]!;
  if (found === 0) return new DecodeError('value', 0, 'a batch without one whole location');
  if (found >= declared) return undefined;
  return new DecodeError(
    'value',
    damageInBatch(bytes, start, end),
    `${found} of the ${declared} locations of a batch are whole`,
  );
}

function damageInBatch(bytes: Uint8Array, start: number, end: number): number {
  let at = start + 3;
  while (at < end) {
    const next = at + 2 + (at + 2 <= end ? (bytes[at]! << 8) | bytes[at + 1]! : 0);
    if (next > end || next - at < 2 + locationBaseBytes) return at - start;
    at = next;
  }
  return 0;
}
