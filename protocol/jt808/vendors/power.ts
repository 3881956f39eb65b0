import type { VendorItem } from './dialect.js';
import {
  addAlarm,
  asciiAt,
  byteAt,
  doubleWordAt,
  hexAt,
  inParts,
  lengthOf,
  setIccid,
  setImei,
  setPercent,
  wordAt,
} from './values.js';

/** Battery, supply and the device itself: items of many small trackers (reference 3.8). */

/** A word in parts of a volt. */
const volts =
  (name: 'powerV' | 'batteryV', parts: number): VendorItem =>
  (input, attributes) => {
    if (lengthOf(input) === 2) attributes[name] = inParts(wordAt(input, 0), parts);
  };

const percentOrCharging: VendorItem = (input, attributes) => {
  if (lengthOf(input) !== 1) return;
  if (byteAt(input, 0) === 0xff) attributes.charging = true;
  else setPercent(attributes, byteAt(input, 0));
};

export const powerItems: Readonly<Record<number, VendorItem>> = {
  0x06(input, attributes) {
    if (lengthOf(input) === 1) setPercent(attributes, byteAt(input, 0));
  },
  0x56(input, attributes) {
    if (lengthOf(input) <= 2 && byteAt(input, 0) <= 10) attributes.batteryPercent = byteAt(input, 0) * 10;
  },
  0x61: volts('powerV', 100),
  0x68(input, attributes) {
    if (lengthOf(input) === 2) setPercent(attributes, inParts(wordAt(input, 0), 100));
  },
  0x69: volts('batteryV', 100),
  0x71(input, attributes) {
    setIccid(attributes, asciiAt(input));
  },
  0x82: volts('powerV', 10),
  0xcc(input, attributes) {
    setIccid(attributes, asciiAt(input));
  },
  0xd3: volts('powerV', 10),
  0xd4: percentOrCharging,
  0xd5: volts('batteryV', 100),
  0xe1(input, attributes) {
    if (lengthOf(input) === 1) setPercent(attributes, byteAt(input, 0));
    else volts('powerV', 10)(input, attributes);
  },
  0xe3(input, attributes) {
    if (lengthOf(input) !== 4 && lengthOf(input) !== 6) return;
    setPercent(attributes, byteAt(input, 1));
    attributes.batteryV = inParts(wordAt(input, 2), 100);
  },
  0xe4(input, attributes) {
    if (lengthOf(input) !== 2) return;
    attributes.charging = byteAt(input, 0) === 0;
    setPercent(attributes, byteAt(input, 1));
  },
  0xe5(input, attributes) {
    if (lengthOf(input) === 1) attributes.motion = byteAt(input, 0) === 1;
  },
  0xe7(input, attributes) {
    if (lengthOf(input) !== 8) return;
    const word = wordAt(input, 0);
    if (word & 0x0001) addAlarm(attributes, 'vibration');
    if (word & 0x000e) addAlarm(attributes, 'sos');
  },
  0xe9: percentOrCharging,
  0xee(input, attributes) {
    if (lengthOf(input) !== 6) return;
    attributes.powerV = inParts(wordAt(input, 1), 1000);
    attributes.batteryV = inParts(wordAt(input, 3), 1000);
    attributes.satellites = byteAt(input, 5);
  },
  0xf1(input, attributes) {
    if (lengthOf(input) === 4) attributes.powerV = inParts(doubleWordAt(input, 0), 1000);
    else setIccid(attributes, asciiAt(input));
  },
  0xf6(input, attributes) {
    // The sixteen half bytes of an IMEI start with a filling zero.
    if (lengthOf(input) === 8 && byteAt(input, 0) < 0x10) setImei(attributes, hexAt(input, 0, 8).slice(1));
  },
  0xf7(input, attributes) {
    const length = lengthOf(input);
    if (length < 4) return;
    attributes.batteryV = inParts(doubleWordAt(input, 0), 1000);
    if (length > 4) attributes.charging = byteAt(input, 4) === 2 || byteAt(input, 4) === 3;
    if (length > 5) setPercent(attributes, byteAt(input, 5));
  },
  0xf8(input, attributes) {
    if (lengthOf(input) < 19) return;
    setImei(attributes, hexAt(input, 1, 8).slice(1));
    setIccid(attributes, hexAt(input, 9, 10));
  },
  0xfe(input, attributes) {
    if (lengthOf(input) === 1) setPercent(attributes, byteAt(input, 0));
  },
};
