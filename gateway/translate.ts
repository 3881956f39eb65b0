/**
 * The one file that knows wire words and dispatch words: makes reports and positions of what terminals send. Pure; every
 * body that reaches it was durable first. What makes no sense becomes `report.unusable`, never an exception.
 */
import {
  DecodeError,
  Location,
  commonDialect,
  decodeBody,
  decodeUplink,
  detectEdition,
  inflateUpload,
  isPassthrough,
  locationStart,
  readBatch,
  readLocation,
  toHex,
  unwrapPassthrough,
  locationBaseBytes,
  type Body,
  type DescribedLocation,
  type Uplink,
  type UplinkBody,
} from '../protocol/index.js';
import type { TerminalReport } from '../dispatch/domain/commands.js';
import type { IngestRef } from '../dispatch/domain/events.js';
import type { PositionBatch } from '../dispatch/store/position-batch.js';
import type { AttributeSamples } from './ingest/attribute-samples.js';
import type { AlarmWatch } from './ingest/alarm-watch.js';
import type { Edition } from './session/link.js';
import { handlingOf } from './session/uplinks.js';
import {
  appDescriptionReply,
  appPositionReply,
  locationReply,
  replyOf,
  type ReplyFields,
} from './terminal-functions/replies.js';
import { sayingOf, type Saying } from './terminal-functions/sayings.js';

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
const fixBit = 2;
const compressedId = 0x0901;
/** Of a quarantined body, as hex: enough for a person, bounded for the store. */
const shownBytes = 1024;

const scratch = new Location();

/** Adds one position that was read by `readLocation`. */
export function addPosition(into: PositionBatch, vehicleId: string, receivedAt: number, location: Location): void {
  const { latE6, lonE6, status, deviceAt } = location;
  const valid = deviceAt >= earliestAt && deviceAt <= receivedAt + aheadMs;
  const onEarth = latE6 >= -90e6 && latE6 <= 90e6 && lonE6 >= -180e6 && lonE6 <= 180e6;
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

function sampleAlarms(origin: Origin, edition: Edition, location: Location, into: Translation): void {
  if (into.alarms?.differs(origin.vehicleId, location.alarm)) into.alarms.sample(origin, edition, location, into);
}

function addSample(sample: Omit<AttributeSample, 'origin'> | undefined, origin: Origin, into: Translation): void {
  if (sample !== undefined) into.samples?.push({ ...sample, origin });
}

/** Any message but 0x0200, for which the reader has a shorter way. */
export function translateMessage(message: WireMessage, origin: Origin, into: Translation): void {
  const { messageId, bytes, bodyStart, bodyEnd } = message;
  const at = locationStart(messageId, bytes, bodyStart, bodyEnd);
  if (at >= 0) {
    if (readLocation(bytes, at, bodyEnd, scratch)) {
      addPosition(into.positions, origin.vehicleId, origin.receivedAt, scratch);
      sampleAlarms(origin, message.edition, scratch, into);
      addCrossing(bytes, scratch, origin, into);
      addSample(into.attributes?.sample({ ...origin, edition: message.edition }, bytes, scratch), origin, into);
      addReply(locationReply(messageId, bytes, bodyStart, bodyEnd), message, origin, into);
    } else
      into.reports.push(unusable(origin, 'truncated', 'a location has at least 28 bytes', bytes, bodyStart, bodyEnd));
    return;
  }
  if (messageId === 0x0704) {
    const { positions } = into;
    const { vehicleId, receivedAt } = origin;
    // Type 1 comes out of a radio hole: history, which raises nothing (reference 3.9).
    const live = bytes[bodyStart + 2] !== 1;
    const entry = { vehicleId, receivedAt, edition: message.edition };
    const found = readBatch(bytes, bodyStart, bodyEnd, scratch, (one) => {
      addPosition(positions, vehicleId, receivedAt, one);
      if (live) sampleAlarms(origin, message.edition, one, into);
      addCrossing(bytes, one, origin, into);
      into.attributes?.inBatch(entry, bytes, one);
    });
    addSample(into.attributes?.ofBatch(entry, bytes), origin, into);
    if (found === 0)
      into.reports.push(unusable(origin, 'value', 'a batch without a location', bytes, bodyStart, bodyEnd));
    return;
  }
  try {
    translateBody(message, origin, into);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    into.reports.push(unusable(origin, error.code, error.message, bytes, bodyStart, bodyEnd));
  }
}

function translateBody(message: WireMessage, origin: Origin, into: Translation): void {
  const { messageId, serial, edition } = message;
  const body = message.bytes.subarray(message.bodyStart, message.bodyEnd);
  const decoded = decodeBody(messageId, edition, body);
  if (decoded === undefined) {
    addSample(into.attributes?.ofMessage({ ...origin, edition }, messageId, body), origin, into);
    return addVendorPositions(message, body, origin, into);
  }
  const base = { ...origin, dedupKey: dedupKey(messageId, serial, body) };
  switch (decoded.name) {
    case 'eventReport':
      into.reports.push({ ...base, type: 'report.menuEvent', eventId: decoded.body.id });
      return;
    case 'questionAnswer': {
      const { replySerial: quotedSerial, answerId } = decoded.body;
      into.reports.push({ ...base, type: 'report.answer', quotedSerial, answerId });
      return;
    }
    case 'mediaData':
      addMedia(decoded.body, origin, into, body);
      return;
    case 'compressed':
      addCompressed(decoded.body.data, message, origin, into);
      return;
    case 'passthroughUp': {
      const { type, content } = decoded.body;
      if (!isPassthrough(type, content))
        return addSample(into.attributes?.ofMessage({ ...origin, edition }, messageId, body), origin, into);
      const payload = unwrapPassthrough(content);
      const uplink = decodeUplink(payload);
      translateUplink(uplink, payload, `${messageId.toString(16)}.${serial}`, origin, into);
      return;
    }
    default:
      // Positions are done. What is neither a reply to a command nor says anything of its own is kept in the log.
      addSaying(sayingOf(decoded), origin, into);
      addReply(replyOf(decoded), message, origin, into);
      return;
  }
}

/**
 * A compressed upload (reference 4.10): what it holds counts as if it had come by itself, where it is a whole message of
 * this terminal; an opaque block stays in the log.
 * @throws DecodeError when it does not inflate
 */
function addCompressed(data: Uint8Array, { edition }: WireMessage, origin: Origin, into: Translation): void {
  const { frame } = inflateUpload(data);
  if (frame === undefined || frame.total > 0 || frame.encryption !== 0) return;
  const { messageId, serial, phone, bytes, bodyStart, bodyEnd } = frame;
  if (phone !== origin.phone) throw new DecodeError('value', 0, `it holds a message of terminal ${phone}`);
  // One level is enough for a terminal; more would let a few bytes become many.
  if (messageId === compressedId || handlingOf(messageId) !== 'data') return;
  const inner = { messageId, serial, edition: detectEdition(frame, edition), bytes, bodyStart, bodyEnd };
  translateMessage(inner, origin, into);
}

/** Positions of private messages (0x0210, 0x5501, 0x5502), as far as they are known. */
function addVendorPositions({ messageId, edition }: WireMessage, body: Uint8Array, origin: Origin, into: Translation): void {
  const { locations = [], vendorLocations = [] } = commonDialect.describe({ messageId }, body, [], edition);
  for (const one of [...vendorLocations, ...locations] as (Partial<DescribedLocation> & { valid?: boolean })[]) {
    scratch.deviceAt = one.timeUtc ? Date.parse(one.timeUtc) : NaN;
    scratch.latE6 = Math.round((one.lat ?? 0) * 1e6);
    scratch.lonE6 = Math.round((one.lon ?? 0) * 1e6);
    scratch.altitudeM = one.altitudeSignedM ?? one.altitudeM ?? 0;
    scratch.speedDeciKmh = Math.round((one.speedKmh ?? 0) * 10);
    scratch.headingDeg = one.courseDeg ?? 0;
    scratch.alarm = one.alarm ?? 0;
    scratch.status = one.status ?? (one.valid ? fixBit : 0);
    scratch.mileageDeciKm = one.mileageKm === undefined ? -1 : Math.round(one.mileageKm * 10);
    addPosition(into.positions, origin.vehicleId, origin.receivedAt, scratch);
  }
} // prettier-ignore

const mediaEvents = ['command', 'timed', 'robbery', 'collision', 'doorOpened', 'doorClosed', 'doorsClosed', 'distance'];

function addMedia(media: Body<'mediaData'>, origin: Origin, into: Translation, body: Uint8Array): void {
  const { mediaId, type, format, event, channel } = media;
  // A copy: what the reader got from the log is gone when the bytes are stored.
  const data = Uint8Array.from(media.data);
  const at = body.length - data.length - locationBaseBytes;
  const location = media.location && readLocation(body, at, at + locationBaseBytes, scratch) ? placeOf(origin) : {};
  const reason = mediaEvents[event] ?? String(event);
  into.media?.push({ origin, mediaId, type, format, channel, event: reason, location, data });
}

/** Of the location that was just read into `scratch`. */
function placeOf({ receivedAt }: Origin): NonNullable<MediaUpload['location']> {
  const { deviceAt, latE6, lonE6, status } = scratch;
  const valid = deviceAt >= earliestAt && deviceAt <= receivedAt + aheadMs;
  const place = (status & fixBit) !== 0 ? { place: { lat: latE6 / 1e6, lon: lonE6 / 1e6 } } : {};
  return valid ? { takenAt: deviceAt, ...place } : place;
}

function addSaying(saying: Saying | undefined, origin: Origin, into: Translation): void {
  if (saying === undefined) return;
  const { values, at = origin.receivedAt } = saying;
  const plausible = at >= earliestAt && at <= origin.receivedAt + aheadMs;
  const when = plausible ? at : origin.receivedAt;
  into.reports.push({ ...origin, dedupKey: '', type: 'report.attributes', values, at: when });
}

function addReply(reply: ReplyFields | undefined, message: WireMessage, origin: Origin, into: Translation): void {
  if (reply === undefined) return;
  const { answers: deliveryId } = message;
  // No window: an item has one answer.
  into.reports.push({ ...origin, dedupKey: '', type: 'report.reply', ...ifGiven('deliveryId', deliveryId), ...reply });
}

/**
 * A protobuf uplink, from MQTT or a passthrough.
 * @param fallbackId what names the transmission where the terminal does not count its uplinks
 */
export function translateUplink(
  uplink: Uplink,
  payload: Uint8Array,
  fallbackId: string,
  origin: Origin,
  into: Translation,
): void {
  const { body, sequence } = uplink;
  if (body.kind === 'positions') {
    for (const position of body.positions) addMqttPosition(into, origin, position);
    const { deliveryId } = body;
    // Hardly any position is an answer: nothing is made for the others.
    if (deliveryId !== undefined)
      addAppAnswer(deliveryId, appPositionReply(uplink, body.positions.at(-1)), origin, into);
    return;
  }
  if (body.kind === 'hello') {
    if (body.deliveryId !== undefined) addAppAnswer(body.deliveryId, appDescriptionReply(body), origin, into);
    return;
  }
  const id = sequence > 0 ? `lc.${sequence}` : fallbackId;
  const base = { ...origin, dedupKey: `${id}.${fnv(payload).toString(16)}` };
  const report = reportOf(body, base, into);
  if (typeof report !== 'string') into.reports.push(report);
  else if (report !== '') into.reports.push(unusable(base, 'unknown', report, payload, 0, payload.length));
}

/** An answer of the app to a function is its receipt too. */
function addAppAnswer(deliveryId: string, reply: ReplyFields | undefined, origin: Origin, into: Translation): void {
  if (reply === undefined) return;
  // No window: an item has one answer and one end. The answer first: who waits for the end finds it there.
  const base = { ...origin, dedupKey: '', deliveryId } as const;
  into.reports.push({ ...base, type: 'report.reply', ...reply });
  into.reports.push({ ...base, type: 'report.receipt', result: 'ok', ofApplication: true });
}

type Base = Origin & { dedupKey: string };

/** The report of a body; a text says why there is none, an empty one that there is nothing to say. */
function reportOf(
  body: Exclude<UplinkBody, { kind: 'positions' | 'hello' }>,
  base: Base,
  into: Translation,
): TerminalReport | string {
  switch (body.kind) {
    case 'receipt': {
      const { deliveryId, orderId, leg, contentVersion, revision } = body;
      const result = body.result === 'unspecified' ? 'unsupported' : body.result;
      const named = { ...ifGiven('orderId', orderId), ...ifGiven('leg', leg), ...ifGiven('revision', revision) };
      const held = ifGiven('contentVersion', contentVersion);
      const delivery = deliveryId === '' ? {} : { deliveryId };
      return { ...base, type: 'report.receipt', ...delivery, ...named, ...held, result, ofApplication: true };
    }
    case 'holdings': {
      const { revision, entries, deliveryId } = body;
      return { ...base, type: 'report.holdings', revision, entries, ...ifGiven('deliveryId', deliveryId) };
    }
    case 'orderAction': {
      const { orderId, leg, lat, lon } = body;
      const action = body.action === 'working' ? 'work' : body.action;
      if (action === 'unspecified' || action === 'resume')
        return `action ${body.action} on ${orderId} is not supported`;
      const at = lat !== undefined && lon !== undefined ? { at: { lat, lon } } : {};
      const reason = ifGiven('reason', body.reason ?? body.note);
      return { ...base, type: 'report.action', orderId, leg, action, ...at, ...reason, ...time(body.atMs, base) };
    }
    case 'duty': {
      if (body.to === 'unspecified') return 'a duty state that is not known';
      const reason = ifGiven('reason', body.reason);
      return { ...base, type: 'report.duty', to: body.to, ...reason, ...time(body.atMs, base) };
    }
    case 'answer': {
      const { deliveryId, choice: answerId } = body;
      const text = ifGiven('text', body.text);
      return { ...base, type: 'report.answer', deliveryId, answerId, ...text, ...time(body.atMs, base) };
    }
    case 'alarm': {
      const { lat, lon, alarm, active, atMs } = body;
      if (alarm !== 'sos') return `alarm ${alarm}: ${body.text ?? 'no text'}`;
      // Bit 0 of the alarm word is SOS: from here on it is the alarm of a position like any other, with a fix or without.
      const status = lat === undefined || lon === undefined ? 1 : fixBit | 1;
      addMqttPosition(into, base, {
        atMs, lat: lat ?? 0, lon: lon ?? 0, altitudeM: 0, speedKmh: 0, headingDeg: 0, alarm: active ? 1 : 0, status,
      }); // prettier-ignore
      return '';
    }
    case 'unknown':
      return 'a body of a newer version, or none';
  }
}

function addMqttPosition(
  into: Translation,
  origin: Origin,
  p: { atMs: number; lat: number; lon: number; altitudeM: number; speedKmh: number; headingDeg: number; alarm: number; status: number; mileageKm?: number }, // prettier-ignore
): void {
  scratch.deviceAt = p.atMs;
  scratch.latE6 = Math.round(p.lat * 1e6);
  scratch.lonE6 = Math.round(p.lon * 1e6);
  scratch.altitudeM = clamp(p.altitudeM, -32_768, 32_767);
  scratch.speedDeciKmh = clamp(p.speedKmh * 10, 0, 65_535);
  scratch.headingDeg = clamp(p.headingDeg, 0, 65_535);
  scratch.alarm = p.alarm;
  scratch.status = p.status;
  scratch.mileageDeciKm = p.mileageKm === undefined ? -1 : clamp(p.mileageKm * 10, 0, 4_294_967_295);
  addPosition(into.positions, origin.vehicleId, origin.receivedAt, scratch);
  // The flags are those of 2019 (terminal.proto).
  sampleAlarms(origin, 2019, scratch, into);
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
function fnv(bytes: Uint8Array): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) value = Math.imul(value ^ bytes[i]!, 0x01000193);
  return value >>> 0;
}

/** A terminal without a clock says 0. */
function time(atMs: number, { receivedAt }: Origin): { deviceAt?: number } {
  return atMs >= earliestAt && atMs <= receivedAt + aheadMs ? { deviceAt: atMs } : {};
}

function ifGiven<K extends string, V>(name: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [name]: value } as { [P in K]?: V });
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, Math.round(value)));
}
