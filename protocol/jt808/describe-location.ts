import { toHex } from '../bytes/hex.js';
import type { Edition } from './edition.js';
import { readExtra } from './extras.js';
import { extrasOf, hasReplySerial, Location, locationBaseBytes, readLocation } from './location-fast.js';

/** A position in the words of docs/decode-format.md. */
export interface DescribedLocation {
  lat: number;
  lon: number;
  /** The raw word. */
  altitudeM: number;
  /** The word taken as signed, where that differs. */
  altitudeSignedM?: number;
  speedKmh: number;
  courseDeg: number;
  time: string;
  timeUtc: string | null;
  alarm: number;
  status: number;
  mileageKm?: number;
  /** Hex by hex id; a list where an id repeats. */
  extras: Record<string, string | string[]>;
  /** The declared additional items by name, in whole units. */
  readings?: Record<string, unknown>;
  trailing?: string;
}

/** The location in `bytes[start..end)`, or undefined when there are fewer than 28 bytes. */
export function describeLocation(
  bytes: Uint8Array,
  start: number,
  end: number,
  edition: Edition,
): DescribedLocation | undefined {
  const location = new Location();
  if (!readLocation(bytes, start, end, location)) return undefined;
  const extras: Record<string, string | string[]> = {};
  const readings: Record<string, unknown> = {};
  for (const extra of extrasOf(bytes, location.extrasStart, location.extrasEnd)) {
    addExtra(extras, toHex(bytes, extra.start - 2, extra.start - 1), toHex(bytes, extra.start, extra.end));
    const reading = readExtra(extra.id, bytes, extra.start, extra.end, edition);
    if (reading !== undefined) readings[reading.name] = reading.value;
  }
  return {
    lat: location.latE6 / 1e6,
    lon: location.lonE6 / 1e6,
    altitudeM: location.altitudeRawM,
    ...(location.altitudeM === location.altitudeRawM ? {} : { altitudeSignedM: location.altitudeM }),
    speedKmh: location.speedDeciKmh / 10,
    courseDeg: location.headingDeg,
    time: toHex(bytes, start + 22, start + 28),
    timeUtc: isoSeconds(location.deviceAt),
    alarm: location.alarm,
    status: location.status,
    ...(location.mileageDeciKm < 0 ? {} : { mileageKm: location.mileageDeciKm / 10 }),
    extras,
    ...(Object.keys(readings).length === 0 ? {} : { readings }),
    ...(location.extrasEnd < end ? { trailing: toHex(bytes, location.extrasEnd, end) } : {}),
  };
}

function addExtra(extras: Record<string, string | string[]>, id: string, value: string): void {
  const before = extras[id];
  if (before === undefined) extras[id] = value;
  else if (typeof before === 'string') extras[id] = [before, value];
  else before.push(value);
}

/** ISO 8601 UTC in whole seconds, null when there is no time. */
export function isoSeconds(ms: number): string | null {
  return Number.isNaN(ms) ? null : new Date(ms).toISOString().replace('.000Z', 'Z');
}

/** Where the locations of a standard message lie, as [start, end) pairs. */
export function locationRanges(
  messageId: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  edition: Edition,
): [number, number][] {
  switch (messageId) {
    case 0x0200:
      return [[start, end]];
    case 0x0201:
      return [[hasReplySerial(bytes, start, end, edition !== 2011) ? start + 2 : start, end]];
    case 0x0500:
      return [[start + 2, end]];
    case 0x0704:
      return sizedRanges(bytes, start + 3, end, 2);
    default:
      return [];
  }
}

/** Ranges behind lengths of `width` bytes, as many as are whole and can be a location. */
export function sizedRanges(bytes: Uint8Array, start: number, end: number, width: 1 | 2): [number, number][] {
  const ranges: [number, number][] = [];
  for (let at = start; at + width + locationBaseBytes <= end;) {
    const from = at + width;
    const next = from + (width === 1 ? bytes[at]! : (bytes[at]! << 8) | bytes[at + 1]!);
    if (next > end) break;
    if (next - from >= locationBaseBytes) ranges.push([from, next]);
    at = next;
  }
  return ranges;
}
