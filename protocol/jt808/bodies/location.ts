import {
  bcd,
  bits,
  bytes,
  countOf,
  look,
  named,
  optional,
  rest,
  sized,
  struct,
  time,
  u16,
  u32,
  u8,
  unit,
  whileSound,
  type Field,
  type Infer,
} from '../../field/index.js';
import { alarmBits, confirmableAlarmBits, statusBits } from '../bits.js';
import { hasReplySerial } from '../location-fast.js';

/** Bodies around the location report (reference 3). */

const base = {
  alarm: bits(u32, alarmBits),
  status: bits(u32, statusBits),
  latitudeE6: unit(u32, '1e-6 degree'),
  longitudeE6: unit(u32, '1e-6 degree'),
  altitudeM: unit(u16, 'm'),
  speedDeciKmh: unit(u16, '0.1 km/h'),
  headingDeg: unit(u16, 'degree'),
  time,
};

/** The base block alone, as in 0x0801 and 0x0802. */
export const locationBase = struct(base);

const extra = struct({ id: u8, value: sized(u8, rest) });

export const location = struct({ ...base, extras: whileSound(extra), trailing: rest });

type LocationBody = Infer<typeof location>;
interface LocationAnswer {
  replySerial?: number;
  location: LocationBody;
}

/** 2011 has no reply serial; which form it is can be seen from where the date stands (reference 3.10). */
export const locationAnswer: Field<LocationAnswer> = look<LocationAnswer>(
  (r) => !hasReplySerial(r.bytes, r.at, r.end, r.edition !== 2011),
  (edition) => (edition === 2011 ? 'first' : 'second'),
  struct({ location }),
  struct({ replySerial: u16, location }),
);

export const controlAnswer = struct({ replySerial: u16, location });

export const locationBatch = struct({
  count: countOf('locations', u16),
  type: named(u8, { 0: 'normal batch', 1: 'blind-area backfill' }),
  locations: whileSound(sized(u16, location)),
  trailing: rest,
});

export const track = struct({
  intervalS: unit(u16, 's'),
  // 0 as interval stops the tracking, and nothing follows (reference 3.10); some senders add it anyway.
  validityS: optional(unit(u32, 's')),
});

export const confirmAlarm = struct({ alarmSerial: u16, types: bits(u32, confirmableAlarmBits) });

/** `receivedAt` is hh mm ss and milliseconds as four digits, without a date (reference 5.9). */
export const canData = struct({
  count: countOf('items', u16),
  receivedAt: bcd(10),
  items: whileSound(struct({ canId: u32, data: bytes(8) })),
  trailing: rest,
});
