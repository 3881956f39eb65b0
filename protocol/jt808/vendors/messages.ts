import { toHex } from '../../bytes/hex.js';
import { describeLocation, isoSeconds, sizedRanges, type DescribedLocation } from '../describe-location.js';
import { timeToMs } from '../time.js';
import type { VendorInput, VendorParts } from './dialect.js';
import { lockItems } from './locks.js';
import { asciiAt, byteAt, lengthOf, setPercent, wordAt } from './values.js';

/** Reads a vendor message; what it does not know it leaves out. */
export type VendorMessage = (input: VendorInput) => VendorParts;

/** 0x0210: locations behind 1-byte lengths; or, 7 bytes long, battery percent and a time. */
const vendorBatch: VendorMessage = (input) => {
  const { bytes, start, end, edition } = input;
  if (lengthOf(input) === 7) {
    const attributes = {};
    setPercent(attributes, byteAt(input, 0));
    return { attributes };
  }
  const vendorLocations = sizedRanges(bytes, start, end, 1)
    .map(([from, to]) => describeLocation(bytes, from, to, edition))
    .filter((one) => one !== undefined);
  return vendorLocations.length === 0 ? {} : { vendorLocations };
};

/** 0x0900 type 0xF0, second kind: trouble codes by system. Other kinds are left alone. */
const troubleCodes: VendorMessage = (input) => {
  const kindAt = 9;
  if (lengthOf(input) < kindAt + 3 || byteAt(input, 0) !== 0xf0 || byteAt(input, kindAt) !== 2) return {};
  const dtcs: string[] = [];
  let at = kindAt + 3;
  for (let systems = wordAt(input, kindAt + 1); systems > 0; systems--) {
    if (at + 6 > lengthOf(input)) break;
    let codes = wordAt(input, at + 4);
    at += 6;
    for (; codes > 0 && at + 10 <= lengthOf(input); codes--) {
      const length = wordAt(input, at + 8);
      at += 10;
      if (at + length > lengthOf(input)) return { attributes: { dtcs } };
      const code = asciiAt(input, at, length);
      if (code !== undefined) dtcs.push(code);
      at += length;
    }
  }
  return dtcs.length === 0 ? {} : { attributes: { dtcs } };
};

/** Where the items of 0x5501 and 0x5502 start. */
const shortSerialItems = 38;

/** 0x5501, 0x5502: DDMMYYhhmmss in UTC, latitude and longitude as BCD degrees and minutes, flags; then items. */
const shortSerialLocation: VendorMessage = (input) => {
  if (lengthOf(input) < 15) return {};
  const digits = toHex(input.bytes, input.start, input.start + 15);
  const attributes = {};
  for (let at = shortSerialItems; at + 2 <= lengthOf(input);) {
    const next = at + 2 + byteAt(input, at + 1);
    if (next > lengthOf(input)) break;
    if (byteAt(input, at) === 0x0b) {
      lockItems[0x0b]!({ ...input, start: input.start + at + 2, end: input.start + next }, attributes);
    }
    at = next;
  }
  const location = shortSerialPosition(digits);
  return {
    ...(location === undefined ? {} : { locations: [location] }),
    ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
  };
};

/** `digits`: time 12, latitude 8 (DDMMmmmm), longitude 9 (DDDMMmmmm), one flag nibble (1 valid, 2 north, 4 east). */
function shortSerialPosition(digits: string): DescribedLocation | undefined {
  if (!/^\d{29}/.test(digits)) return undefined;
  const flags = parseInt(digits[29]!, 16);
  const time = digits.slice(4, 6) + digits.slice(2, 4) + digits.slice(0, 2) + digits.slice(6, 12);
  const lat = degrees(digits.slice(12, 14), digits.slice(14, 20));
  const lon = degrees(digits.slice(20, 23), digits.slice(23, 29));
  const position: Partial<DescribedLocation> & { valid: boolean } = {
    lat: (flags & 2) === 0 ? 0 - lat : lat,
    lon: (flags & 4) === 0 ? 0 - lon : lon,
    timeUtc: isoSeconds(timeToMs(time, 0)),
    valid: (flags & 1) === 1,
  };
  return position as DescribedLocation;
}

function degrees(whole: string, tenThousandths: string): number {
  return Math.round((Number(whole) + Number(tenThousandths) / 600_000) * 1e6) / 1e6;
}

export const vendorMessages: Readonly<Record<number, VendorMessage>> = {
  0x0210: vendorBatch,
  0x0900: troubleCodes,
  0x5501: shortSerialLocation,
  0x5502: shortSerialLocation,
};
