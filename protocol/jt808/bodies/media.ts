import {
  byEdition,
  countOf,
  either,
  equals,
  list,
  look,
  named,
  optional,
  rest,
  struct,
  time,
  u16,
  u32,
  u8,
  unit,
  when,
  whileSound,
  type Field,
  type Infer,
  type Reader,
} from '../../field/index.js';
import { limits } from '../../limits.js';
import { TimeReader } from '../time.js';
import { locationBase } from './location.js';

/** Bodies for pictures, sound and video (reference 5.7). */

const mediaType = named(u8, { 0: 'image', 1: 'audio', 2: 'video' });
const mediaEventCode = named(u8, {
  0: 'platform command',
  1: 'timed',
  2: 'robbery alarm',
  3: 'collision or rollover',
  4: 'door opened',
  5: 'door closed',
  6: 'doors closed, speed passed 20 km/h',
  7: 'distance',
});

const mediaHead = {
  mediaId: u32,
  type: mediaType,
  format: named(u8, { 0: 'JPEG', 1: 'TIF', 2: 'MP3', 3: 'WAV', 4: 'WMV' }),
  event: mediaEventCode,
  channel: u8,
};

export const mediaEvent = struct(mediaHead);

interface MediaData {
  mediaId: number;
  type: number;
  format: number;
  event: number;
  channel: number;
  /** Absent in 2011 and from some terminals with a 2013 header. */
  location?: Infer<typeof locationBase>;
  /** 2011 only: parts of the file, and number of this one from 1. */
  totalPackets?: number;
  packetId?: number;
  data: Uint8Array;
}

const withLocation: Field<MediaData> = struct({ ...mediaHead, location: locationBase, data: rest });
const withPackets: Field<MediaData> = struct({ ...mediaHead, totalPackets: u32, packetId: u32, data: rest });
const headOnly: Field<MediaData> = struct({ ...mediaHead, data: rest });

/** A location stands behind the 8 head bytes when there is a time where its time would be (reference 5.7). */
function hasLocation(r: Reader): boolean {
  if (r.left < 36 || startsPicture(r, 8)) return false;
  if (!isPacketOf2011(r)) return isTime(r, 30) || isUnset(r, 30);
  // Zeros are common in pictures and sound; a date there is not.
  return isTime(r, 30) && !startsPicture(r, 16);
}

/** Offsets count from the start of the body. */
const startsPicture = (r: Reader, at: number): boolean =>
  r.bytes[r.at + at] === 0xff && r.bytes[r.at + at + 1] === 0xd8;

function isPacketOf2011(r: Reader): boolean {
  if (r.edition !== 2011) return false;
  const view = new DataView(r.bytes.buffer, r.bytes.byteOffset + r.at, 16);
  const total = view.getUint32(8);
  const number = view.getUint32(12);
  return number >= 1 && number <= total && total <= limits.reassemblyParts;
}

const isTime = (r: Reader, at: number): boolean => !Number.isNaN(new TimeReader().read(r.bytes, r.at + at));

function isUnset(r: Reader, at: number): boolean {
  for (let i = r.at + at; i < r.at + at + 6; i++) if (r.bytes[i] !== 0) return false;
  return true;
}

export const mediaData: Field<MediaData> = look<MediaData>(
  hasLocation,
  (edition) => (edition === 2011 ? 'second' : 'first'),
  withLocation,
  byEdition({ 2011: withPackets, 2013: headOnly }),
);

interface MediaAnswer {
  /** 2011 only. */
  replySerial?: number;
  mediaId: number;
  /** Numbers of the missing parts; absent when all came. A zero count confuses terminals (reference 8.3, 43). */
  missing?: number[];
}

const mediaAnswerOf2013: Field<MediaAnswer> = struct({ mediaId: u32, missing: optional(list(u8, u16)) });

export const mediaAnswer: Field<MediaAnswer> = byEdition<MediaAnswer>({
  2011: either<MediaAnswer>(struct({ replySerial: u16, mediaId: u32, missing: list(u8, u16) }), mediaAnswerOf2013),
  2013: mediaAnswerOf2013,
});

export const shoot = struct({
  channel: u8,
  command: named(u16, { 0: 'stop', 0xffff: 'video' }),
  intervalS: unit(u16, 's'),
  save: named(u8, { 0: 'upload', 1: 'store' }),
  resolution: named(u8, {
    0: 'lowest',
    1: '320x240',
    2: '640x480',
    3: '800x600',
    4: '1024x768',
    5: '176x144',
    6: '352x288',
    7: '704x288',
    8: '704x576',
    0xff: 'highest',
  }),
  quality: u8,
  brightness: u8,
  contrast: u8,
  saturation: u8,
  chroma: u8,
});

export const shootAnswer = struct({
  replySerial: u16,
  result: named(u8, { 0: 'ok', 1: 'failed', 2: 'channel not supported' }),
  mediaIds: when(equals('result', 0), list(u16, u32)),
});

const period = { type: mediaType, channel: u8, event: mediaEventCode, startTime: time, endTime: time };

export const searchMedia = struct(period);

const found = { type: mediaType, channel: u8, event: mediaEventCode, location: locationBase };

interface MediaSearchAnswer {
  replySerial: number;
  total: number;
  count?: number;
  items: { mediaId?: number; type: number; channel: number; event: number; location: Infer<typeof locationBase> }[];
  trailing: Uint8Array;
}

/** `total` counts all that was found, also what other packets hold. */
export const mediaSearchAnswer: Field<MediaSearchAnswer> = byEdition<MediaSearchAnswer>({
  2011: struct({
    replySerial: u16,
    total: u16,
    count: countOf('items', u16),
    items: whileSound(struct(found)),
    trailing: rest,
  }),
  2013: struct({
    replySerial: u16,
    total: u16,
    items: whileSound(struct({ mediaId: u32, ...found })),
    trailing: rest,
  }),
});

const afterUpload = named(u8, { 0: 'keep', 1: 'delete' });

export const uploadMedia = struct({ ...period, remove: afterUpload });

export const recordAudio = struct({
  command: named(u8, { 0: 'stop', 1: 'start' }),
  durationS: unit(u16, 's'),
  save: named(u8, { 0: 'upload', 1: 'store' }),
  rate: named(u8, { 0: '8 kHz', 1: '11 kHz', 2: '23 kHz', 3: '32 kHz' }),
});

export const uploadOne = struct({ mediaId: u32, remove: afterUpload });
