/** What JT/T 808 messages say, whole or joined of their parts. */
import {
  DecodeError,
  Location,
  commonDialect,
  decodeBody,
  decodeUplink,
  detectEdition,
  faultOfBatch,
  inflateUpload,
  isPassthrough,
  locationStart,
  readBatch,
  readLocation,
  unwrapPassthrough,
  locationBaseBytes,
  type Body,
  type DescribedLocation,
} from '../../protocol/index.js';
import { handlingOf } from '../session/uplinks.js';
import { locationReply, replyOf, type ReplyFields } from '../terminal-functions/replies.js';
import { sayingOf, type Saying } from '../terminal-functions/sayings.js';
import {
  addCrossing,
  addPosition,
  dedupKey,
  fixBit,
  ifGiven,
  isOnEarth,
  isPlausible,
  offEarth,
  offEarthInBody,
  sampleAlarms,
  unusable,
  type AttributeSample,
  type MediaUpload,
  type Origin,
  type Translation,
  type WireMessage,
} from './translation.js';
import { translateUplink } from './uplink.js';

const compressedId = 0x0901;
const scratch = new Location();

function addSample(sample: Omit<AttributeSample, 'origin'> | undefined, origin: Origin, into: Translation): void {
  if (sample !== undefined) into.samples?.push({ ...sample, origin });
}

/** Any message but 0x0200, for which the reader has a shorter way. */
export function translateMessage(message: WireMessage, origin: Origin, into: Translation): void {
  const { messageId, bytes, bodyStart, bodyEnd } = message;
  const at = locationStart(messageId, bytes, bodyStart, bodyEnd);
  if (at >= 0) {
    if (readLocation(bytes, at, bodyEnd, scratch)) {
      addLocation(bytes, origin, into);
      sampleAlarms(origin, message.edition, scratch, into);
      addCrossing(bytes, scratch, origin, into);
      addSample(into.attributes?.sample({ ...origin, edition: message.edition }, bytes, scratch), origin, into);
      addReply(locationReply(messageId, bytes, bodyStart, bodyEnd), message, origin, into);
    } else
      into.reports.push(unusable(origin, 'truncated', 'a location has at least 28 bytes', bytes, bodyStart, bodyEnd));
    return;
  }
  if (messageId === 0x0704) {
    const { vehicleId, receivedAt } = origin;
    // Type 1 comes out of a radio hole: history, which raises nothing (reference 3.9).
    const live = bytes[bodyStart + 2] !== 1;
    const entry = { vehicleId, receivedAt, edition: message.edition };
    const found = readBatch(bytes, bodyStart, bodyEnd, scratch, (one) => {
      addLocation(bytes, origin, into);
      if (live) sampleAlarms(origin, message.edition, one, into);
      addCrossing(bytes, one, origin, into);
      into.attributes?.inBatch(entry, bytes, one);
    });
    addSample(into.attributes?.ofBatch(entry, bytes), origin, into);
    const fault = faultOfBatch(bytes, bodyStart, bodyEnd, found);
    if (fault) into.reports.push(unusable(origin, fault.code, fault.message, bytes, bodyStart + fault.offset, bodyEnd));
    return;
  }
  try {
    translateBody(message, origin, into);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    into.reports.push(unusable(origin, error.code, error.message, bytes, bodyStart, bodyEnd));
  }
}

/** The location that was just read into `scratch`. */
function addLocation(bytes: Uint8Array, origin: Origin, into: Translation): void {
  const { vehicleId, receivedAt } = origin;
  if (addPosition(into.positions, vehicleId, receivedAt, scratch)) return;
  into.reports.push(offEarthInBody(origin, bytes, scratch));
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
    case 'canData':
      // As often as every second: last values are kept now and then, as those of locations are; all is in the log.
      if (into.attributes?.isDueOf(messageId, origin) === true)
        addSaying(sayingOf(decoded, origin.receivedAt), origin, into);
      return;
    default:
      // Positions are done. What is neither a reply to a command nor says anything of its own is kept in the log.
      addSaying(sayingOf(decoded, origin.receivedAt), origin, into);
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
    if (!addPosition(into.positions, origin.vehicleId, origin.receivedAt, scratch)) {
      into.reports.push(offEarth(origin, scratch, body, 0, body.length));
    }
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
  const valid = isPlausible(deviceAt, receivedAt);
  const place = (status & fixBit) !== 0 && isOnEarth(scratch) ? { place: { lat: latE6 / 1e6, lon: lonE6 / 1e6 } } : {};
  return valid ? { takenAt: deviceAt, ...place } : place;
}

function addSaying(saying: Saying | undefined, origin: Origin, into: Translation): void {
  if (saying === undefined) return;
  const { values, at = origin.receivedAt } = saying;
  const when = isPlausible(at, origin.receivedAt) ? at : origin.receivedAt;
  into.reports.push({ ...origin, dedupKey: '', type: 'report.attributes', values, at: when });
}

function addReply(reply: ReplyFields | undefined, message: WireMessage, origin: Origin, into: Translation): void {
  if (reply === undefined) return;
  const { answers: deliveryId } = message;
  // No window: an item has one answer.
  into.reports.push({ ...origin, dedupKey: '', type: 'report.reply', ...ifGiven('deliveryId', deliveryId), ...reply });
}
