import type { VendorAttributes, VendorInput, VendorItem } from './dialect.js';
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

/** Records inside item 0xEB by their id word (reference 3.8, second table). */
const records: Readonly<Record<number, VendorItem>> = {
  0x0001(input, attributes) {
    if (lengthOf(input) >= 2) attributes.fuel1 = inParts(wordAt(input, 0), 10);
  },
  0x0023(input, attributes) {
    const fuel = Number(asciiAt(input) ?? NaN);
    if (!Number.isNaN(fuel)) attributes.fuel2 = fuel;
  },
  0x002d(input, attributes) {
    if (lengthOf(input) === 2) attributes.batteryV = inParts(wordAt(input, 0), 1000);
    else if (lengthOf(input) === 4) attributes.powerV = inParts(doubleWordAt(input, 0), 1000);
  },
  /** A bit of 0 is an alarm. */
  0x0089(input, attributes) {
    if (lengthOf(input) !== 4) return;
    const status = doubleWordAt(input, 0);
    if ((status & 0x0001) === 0) addAlarm(attributes, 'powerOff');
    if ((status & 0x1000) === 0) addAlarm(attributes, 'removed');
  },
  0x00a8: percent,
  0x00b2(input, attributes) {
    if (lengthOf(input) === 10) setIccid(attributes, hexAt(input, 0, 10));
  },
  0x00c5(input, attributes) {
    if (lengthOf(input) !== 4) return;
    const status = doubleWordAt(input, 0);
    if ((status & 0x40) === 0) addAlarm(attributes, 'vibration');
    const movement = Math.floor(status / 0x800000) & 3;
    if (movement <= 1) attributes.motion = movement === 0;
  },
  0x00ce(input, attributes) {
    if (lengthOf(input) === 2) attributes.powerV = inParts(wordAt(input, 0), 100);
  },
  0x00d5(input, attributes) {
    setImei(attributes, asciiAt(input));
  },
  0x00e1: percent,
};

function percent(input: VendorInput, attributes: VendorAttributes): void {
  if (lengthOf(input) === 1) setPercent(attributes, byteAt(input, 0));
}

/**
 * Item 0xEB in its three forms: cells of a mobile network (left alone), a time zone as text, or records of length word
 * (which counts the id), id word and value. A record that runs past the end ends the list.
 */
export const nestedItems: Readonly<Record<number, VendorItem>> = {
  0xeb(input, attributes) {
    const length = lengthOf(input);
    const text = asciiAt(input);
    if (text !== undefined && /^[A-Z+]/.test(text)) {
      attributes.timezone = text;
      return;
    }
    if (length >= 8 && wordAt(input, 0) > 200 && (length - 3) % 5 === 0) return;
    for (let at = 0; at + 4 <= length;) {
      const next = at + 2 + wordAt(input, at);
      if (next > length || next < at + 4) return;
      const record = records[wordAt(input, at + 2)];
      record?.({ ...input, start: input.start + at + 4, end: input.start + next }, attributes);
      at = next;
    }
  },
};
