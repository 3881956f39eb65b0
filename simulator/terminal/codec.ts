import {
  decodeBody,
  DecodeError,
  messages,
  msToTime,
  type Body,
  type Edition,
  type MessageName,
} from '../../protocol/index.js';
import type { Reading } from '../truck.js';

/**
 * The body of a message that is expected to be this one.
 * @throws DecodeError when the bytes are not its body
 */
export function readBody<K extends MessageName>(name: K, body: Uint8Array, edition: Edition): Body<K> {
  const decoded = decodeBody(messages[name].id, edition, body);
  if (decoded?.name !== name) throw new DecodeError('value', 0, `expected the body of ${name}`);
  return decoded.body as Body<K>;
}

const noBytes = new Uint8Array(0);

/**
 * A location report (reference 3.1) of what the receiver and the truck say.
 * @param alarm alarm flags (reference 3.2)
 * @param clockOffsetMs device clock minus gateway clock
 */
export function locationBody(
  reading: Reading,
  alarm: number,
  clockOffsetMs: number,
  edition: Edition,
): Body<'location'> {
  const moving = reading.speedKmh > 0;
  let status = (reading.ignition ? 1 : 0) | (reading.fix ? 2 : 0);
  if (reading.lat < 0) status |= 4;
  if (reading.lon < 0) status |= 8;
  if (reading.fix && edition !== 2011) status |= (1 << 18) | (1 << 19);
  if (moving && edition === 2019) status |= 1 << 22;
  const extras = [
    { id: 0x01, value: word(4, reading.odometerKm * 10) },
    { id: 0x02, value: word(2, reading.fuelL * 10) },
  ];
  if (edition !== 2011) extras.push({ id: 0x30, value: word(1, 23) }, { id: 0x31, value: word(1, reading.satellites) });
  return {
    alarm: alarm >>> 0,
    status: status >>> 0,
    latitudeE6: Math.round(Math.abs(reading.lat) * 1e6),
    longitudeE6: Math.round(Math.abs(reading.lon) * 1e6),
    altitudeM: reading.altitudeM & 0xffff,
    speedDeciKmh: Math.round(reading.speedKmh * 10),
    headingDeg: reading.headingDeg,
    time: msToTime(reading.at + clockOffsetMs),
    extras,
    trailing: noBytes,
  };
}

function word(bytes: 1 | 2 | 4, value: number): Uint8Array {
  const out = new Uint8Array(bytes);
  let rest = Math.max(0, Math.round(value));
  for (let i = bytes - 1; i >= 0; i--) {
    out[i] = rest & 255;
    rest = Math.floor(rest / 256);
  }
  return out;
}
