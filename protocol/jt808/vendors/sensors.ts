import type { VendorItem } from './dialect.js';
import { addAlarm, asciiAt, byteAt, inParts, lengthOf, wordAt } from './values.js';

/** Temperatures, driving events and the OBD extension (reference 3.8: 0x51, 0x57, 0x70, 0x80..0xA0, 0xE6). */
export const sensorItems: Readonly<Record<number, VendorItem>> = {
  /** Sign and magnitude in 0.1 degree, 0xffff is none. */
  0x51(input, attributes) {
    const length = lengthOf(input);
    if (length % 2 !== 0) return;
    for (let i = 0; i < length / 2; i++) {
      const word = wordAt(input, i * 2);
      if (word === 0xffff) continue;
      const tenths = word & 0x8000 ? 0 - (word & 0x7fff) : word;
      attributes[`temperature${i + 1}C`] = inParts(tenths, 10);
    }
  },
  0x57(input, attributes) {
    if (lengthOf(input) !== 8) return;
    const word = wordAt(input, 0);
    if (word & 0x0100) addAlarm(attributes, 'hardAcceleration');
    if (word & 0x0200) addAlarm(attributes, 'hardBraking');
    if (word & 0x0400) addAlarm(attributes, 'hardCornering');
  },
  0x70(input, attributes) {
    if (lengthOf(input) < 6) return;
    const word = { 1: 'hardAcceleration', 2: 'hardBraking', 3: 'hardCornering', 0x16: 'accident' }[byteAt(input, 5)];
    if (word !== undefined) addAlarm(attributes, word);
  },
  /** Trouble codes, divided by commas. */
  0xa0(input, attributes) {
    const text = asciiAt(input);
    if (text !== undefined) attributes.dtcs = text.split(',').filter((code) => code !== '');
  },
  /** 11 bytes a sensor: number, address, temperature as signed whole and 255ths, humidity likewise. */
  0xe6(input, attributes) {
    const length = lengthOf(input);
    if (length === 0 || length % 11 !== 0) return;
    for (let at = 0; at < length; at += 11) {
      const whole = byteAt(input, at + 7);
      const fraction = byteAt(input, at + 8) / 255;
      // Both bytes 0xff, or a whole of 0xff with a fraction near 1, mean that the sensor gives nothing.
      if (whole === 0xff || whole === 0xfe) continue;
      const celsius = whole >= 0x80 ? whole - 0x100 - fraction : whole + fraction;
      attributes[`temperature${byteAt(input, at)}C`] = Math.round(celsius * 10) / 10;
    }
  },
};
