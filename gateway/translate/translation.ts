/**
 * What wire words become: reports and positions in the words of dispatch. This folder alone knows both. Pure; every body
 * that reaches it was durable first. What makes no sense becomes `report.unusable`, never an exception.
 */
import { locationBaseBytes, toHex, type Location } from '../../protocol/index.js';
import type { TerminalReport } from '../../dispatch/domain/commands.js';
import type { IngestRef } from '../../dispatch/domain/events.js';
import type { PositionBatch } from '../../dispatch/store/position-batch.js';
import type { AlarmWatch } from '../ingest/alarm-watch.js';
import type { AttributeSamples } from '../ingest/attribute-samples.js';
import type { Edition } from '../session/link.js';

/** Where an uplink came from. */
export interface Origin {
  readonly vehicleId: string;
  readonly phone: string;
  readonly receivedAt: number;
  readonly frame: IngestRef;
}

/** What an uplink says. */
export interface Translation {
  readonly reports: TerminalReport[];
  readonly positions: PositionBatch;
  /** Gets every position of now. */
  readonly alarms?: AlarmWatch;
  /** Picks what vendor values are to be read of, into `samples`. */
  readonly attributes?: AttributeSamples;
  readonly samples?: AttributeSample[];
  /** Uploads whose bytes go into the store before the reports are applied. */
  readonly media?: MediaUpload[];
}

/** What vendor values are to be read of in the terminal's dialect. */
export interface AttributeSample {
  readonly origin: Origin;
  readonly edition: Edition;
  /** By the terminal's clock where that says it, ms UTC. */
  readonly at: number;
  /** 0x0200 for a location, whichever message held it. */
  readonly messageId: number;
  readonly body: Uint8Array;
}

/** A whole upload of a photo, of sound or video (0x0801). */
export interface MediaUpload {
  readonly origin: Origin;
  readonly mediaId: number;
  /** 0 image, 1 audio, 2 video; 0 JPEG, 1 TIF, 2 MP3, 3 WAV, 4 WMV (reference 5.7). */
  readonly type: number;
  readonly format: number;
  readonly channel: number;
  readonly event: string;
  readonly location?: { takenAt?: number; place?: { lat: number; lon: number } };
  readonly data: Uint8Array;
}

/** A JT/T 808 message, whole (joined if it came in parts). */
export interface WireMessage {
  readonly messageId: number;
  /** Serial of the frame, of the first part where there were several. */
  readonly serial: number;
  readonly edition: Edition;
  /** The body is `bytes[bodyStart..bodyEnd)`. */
  readonly bytes: Uint8Array;
  readonly bodyStart: number;
  readonly bodyEnd: number;
  /** The delivery that it is the dedicated reply to, where the session could tell. */
  readonly answers?: string;
}

/** Dates before this were never real for a terminal of ours: receivers without a fix start in 1980 or 2000. */
const earliestAt = Date.UTC(2015, 0, 1);
/** A terminal's clock that is ahead by more than this is not a time: it would stay the newest position for ever. */
const aheadMs = 86_400_000;
/** Bit 1 of the status word: the coordinates are a fix (reference 3.3). */
export const fixBit = 2;
/** Of a quarantined body, as hex: enough for a person, bounded for the store. */
const shownBytes = 1024;

/** True where a terminal's clock says a time that can be. */
export function isPlausible(atMs: number, receivedAt: number): boolean {
  return atMs >= earliestAt && atMs <= receivedAt + aheadMs;
}

/** Latitude and longitude that can be, 1e-6 degree. */
export function isOnEarth({ latE6, lonE6 }: Pick<Location, 'latE6' | 'lonE6'>): boolean {
  return latE6 >= -90e6 && latE6 <= 90e6 && lonE6 >= -180e6 && lonE6 <= 180e6;
}

/**
 * Adds one position, by whichever road it came; what is not on Earth counts as no fix.
 * @returns false where the terminal calls that a fix: its bytes are for a person (see {@link offEarth})
 */
export function addPosition(into: PositionBatch, vehicleId: string, receivedAt: number, location: Location): boolean {
  const { latE6, lonE6, status, deviceAt } = location;
  const valid = isPlausible(deviceAt, receivedAt);
  const onEarth = isOnEarth(location);
  into.add(
    vehicleId,
    valid ? deviceAt : receivedAt,
    receivedAt,
    onEarth ? latE6 : 0,
    onEarth ? lonE6 : 0,
    location.altitudeM,
    location.speedDeciKmh,
    location.headingDeg,
    location.alarm,
    onEarth ? status : (status & ~fixBit) >>> 0,
    location.mileageDeciKm,
  );
  return onEarth || (status & fixBit) === 0;
}

/** A location with a fix that cannot be, in `bytes[start..end)`: all else of it is taken. */
export function offEarth(
  origin: Origin,
  { latE6, lonE6 }: Pick<Location, 'latE6' | 'lonE6'>,
  bytes: Uint8Array,
  start: number,
  end: number,
): TerminalReport {
  const words = `a fix at latitude ${latE6 / 1e6}, longitude ${lonE6 / 1e6}`;
  return unusable(origin, 'value', words, bytes, start, end);
}

/** The same for a location that `readLocation` has read. */
export function offEarthInBody(origin: Origin, bytes: Uint8Array, location: Location): TerminalReport {
  return offEarth(origin, location, bytes, location.extrasStart - locationBaseBytes, location.extrasEnd);
}

const circle = 1;

/** The terminal crossed one of its circles: also what comes out of a radio hole, for that is what circles are for. */
export function addCrossing(bytes: Uint8Array, location: Location, origin: Origin, into: Translation): void {
  const { crossingStart: at, deviceAt } = location;
  if (at < 0 || bytes[at] !== circle) return;
  const areaId = ((bytes[at + 1]! << 24) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 8) | bytes[at + 4]!) >>> 0;
  const direction = bytes[at + 5] === 0 ? 'in' : 'out';
  const own = Number.isNaN(deviceAt) ? {} : time(deviceAt, origin);
  // The terminal says it until it is answered, each time with the time of that report: the earliest stands.
  const dedupKey = `fence.${areaId}.${direction}.${Number.isNaN(deviceAt) ? origin.receivedAt : deviceAt}`;
  into.reports.push({ ...origin, dedupKey, type: 'report.crossing', areaId, direction, ...own });
}

export function sampleAlarms(origin: Origin, edition: Edition, location: Location, into: Translation): void {
  if (into.alarms?.differs(origin.vehicleId, location.alarm)) into.alarms.sample(origin, edition, location, into);
}

/** A report that keeps the bytes for a person. */
export function unusable(
  origin: Origin,
  code: string,
  message: string,
  bytes: Uint8Array,
  start: number,
  end: number,
): TerminalReport {
  const { vehicleId, phone, receivedAt, frame } = origin;
  const shown = bytes.subarray(start, Math.min(end, start + shownBytes));
  const key = `bad.${fnv(bytes.subarray(start, end)).toString(16)}.${end - start}`;
  return {
    vehicleId,
    phone,
    receivedAt,
    frame,
    dedupKey: key,
    type: 'report.unusable',
    code,
    message,
    bytesHex: toHex(shown),
  };
}

/** (message id, serial, body hash): what the terminal's window compares. */
export function dedupKey(messageId: number, serial: number, body: Uint8Array): string {
  return `${messageId.toString(16)}.${serial}.${fnv(body).toString(16)}`;
}

/** FNV-1a, 32 bits: beside id and serial it only has to tell neighbours apart. */
export function fnv(bytes: Uint8Array): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) value = Math.imul(value ^ bytes[i]!, 0x01000193);
  return value >>> 0;
}

/** A terminal without a clock says 0. */
export function time(atMs: number, { receivedAt }: Origin): { deviceAt?: number } {
  return isPlausible(atMs, receivedAt) ? { deviceAt: atMs } : {};
}

export function ifGiven<K extends string, V>(name: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [name]: value } as { [P in K]?: V });
}
