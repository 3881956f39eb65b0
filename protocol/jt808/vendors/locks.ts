import type { VendorItem } from './dialect.js';
import { asciiAt, byteAt, inParts, lengthOf, wordAt } from './values.js';

/** Electronic locks and seals (reference 3.8: 0x0B, 0x33, 0x60, 0x63). */
export const lockItems: Readonly<Record<number, VendorItem>> = {
  /** Command, then a card number (length 5, 6) or a password (7, 8); an even length ends with the result. */
  0x0b(input, attributes) {
    const length = lengthOf(input);
    if (length >= 2 && length <= 8 && length % 2 === 0) attributes.unlockResult = byteAt(input, length - 1);
  },
  /** State as text; characters 11 to 13 are the battery in 0.01 V. */
  0x33(input, attributes) {
    const text = asciiAt(input);
    const battery = text?.startsWith('*M00') === true ? text.slice(10, 13) : '';
    if (/^\d{3}$/.test(battery)) attributes.batteryV = inParts(Number(battery), 100);
  },
  0x60(input, attributes) {
    if (lengthOf(input) >= 2) attributes.event = wordAt(input, 0);
  },
  /** 11 bytes a lock: id, battery in mV, seal, state, signal. */
  0x63(input, attributes) {
    const length = lengthOf(input);
    if (length % 11 !== 0) return;
    for (let i = 0; i < length / 11; i++) {
      attributes[`lock${i + 1}BatteryV`] = inParts(wordAt(input, i * 11 + 6), 1000);
    }
  },
};
