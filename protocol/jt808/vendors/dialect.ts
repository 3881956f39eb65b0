import type { DescribedLocation } from '../describe-location.js';
import type { Edition } from '../edition.js';
import type { Frame } from '../frame.js';

/** Vendor values by name (docs/decode-format.md, "Vendor values"); names with a number are added as they are found. */
export interface VendorAttributes {
  /** Satellites in use. */
  satellites?: number;
  /** Supply voltage. */
  powerV?: number;
  batteryV?: number;
  batteryPercent?: number;
  motion?: boolean;
  charging?: boolean;
  door?: boolean;
  alarms?: string[];
  iccid?: string;
  imei?: string;
  event?: number;
  dtcs?: string[];
  videoAlarm?: number;
  timezone?: string;
  unlockResult?: number;
  /** `temperature1C`, `fuel1`, `lock1BatteryV` and other numbered values. */
  [name: string]: string | number | boolean | string[] | undefined;
}

/** What a vendor item or message may look at. */
export interface VendorInput {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly edition: Edition;
}

/** Reads one vendor item into `attributes`; leaves them as they are when the bytes are not what it knows. */
export type VendorItem = (input: VendorInput, attributes: VendorAttributes) => void;

/** What a dialect adds to the description of a message. */
export interface VendorParts {
  attributes?: VendorAttributes;
  vendorLocations?: DescribedLocation[];
  locations?: DescribedLocation[];
}

/** How the vendor items and messages of some makers are read: which registry of items, which of messages. */
export interface Dialect {
  readonly name: string;
  /** Vendor values of one location in `bytes[start..end)` (base block and items). */
  readLocation(bytes: Uint8Array, start: number, end: number, edition: Edition): VendorAttributes;
  /** Everything of a message that this dialect knows. `locations` are the ranges of its standard locations. */
  describe(
    frame: Pick<Frame, 'messageId'>,
    body: Uint8Array,
    locations: readonly (readonly [number, number])[],
    edition: Edition,
  ): VendorParts;
}
