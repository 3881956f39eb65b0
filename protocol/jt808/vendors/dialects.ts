import type { Edition } from '../edition.js';
import { extrasOf, Location, readLocation } from '../location-fast.js';
import type { Dialect, VendorAttributes, VendorItem } from './dialect.js';
import { lockItems } from './locks.js';
import { vendorMessages, type VendorMessage } from './messages.js';
import { nestedItems } from './nested.js';
import { powerItems } from './power.js';
import { sensorItems } from './sensors.js';
import { addAlarm, byteAt, doubleWordAt, lengthOf } from './values.js';

/** Items of the standard and of JT/T 1078 that also show as vendor values. */
const standardItems: Readonly<Record<number, VendorItem>> = {
  0x14(input, attributes) {
    if (lengthOf(input) === 4) attributes.videoAlarm = doubleWordAt(input, 0);
  },
  0x31(input, attributes) {
    if (lengthOf(input) === 1) attributes.satellites = byteAt(input, 0);
  },
};

function dialect(
  name: string,
  items: Readonly<Record<number, VendorItem>>,
  known: Readonly<Record<number, VendorMessage>>,
): Dialect {
  const location = new Location();
  const addLocation = (bytes: Uint8Array, start: number, end: number, edition: Edition, to: VendorAttributes): void => {
    if (!readLocation(bytes, start, end, location)) return;
    if (edition !== 2019) addReservedAlarms(location.alarm, to);
    for (const extra of extrasOf(bytes, location.extrasStart, location.extrasEnd)) {
      items[extra.id]?.({ bytes, start: extra.start, end: extra.end, edition }, to);
    }
  };
  return {
    name,
    readLocation(bytes, start, end, edition) {
      const attributes: VendorAttributes = {};
      addLocation(bytes, start, end, edition, attributes);
      return attributes;
    },
    describe(frame, body, locations, edition) {
      const parts = known[frame.messageId]?.({ bytes: body, start: 0, end: body.length, edition }) ?? {};
      const attributes: VendorAttributes = { ...parts.attributes };
      for (const [start, end] of locations) addLocation(body, start, end, edition, attributes);
      return Object.keys(attributes).length === 0 ? parts : { ...parts, attributes };
    },
  };
}

/** Reserved alarm bits as small trackers with a short header use them (reference 3.2). */
function addReservedAlarms(alarm: number, attributes: VendorAttributes): void {
  if (alarm & 0x8000) addAlarm(attributes, 'vibration');
  if (alarm & 0x30000) addAlarm(attributes, 'tampering');
}

/**
 * Everything that can be told apart by id and length: for tools, and for terminals of which nothing is known. Where
 * two makers use one id alike in length, a dialect of its own must be chosen.
 */
export const commonDialect = dialect(
  'common',
  { ...standardItems, ...powerItems, ...lockItems, ...sensorItems, ...nestedItems },
  vendorMessages,
);

/** Terminals that follow the standard, also those with active safety, whose items 0x64..0x67 locks use otherwise. */
export const standardDialect = dialect('standard', standardItems, {});

/** Small trackers: battery, supply, card, records of 0xEB. */
export const trackerDialect = dialect('tracker', { ...standardItems, ...powerItems, ...nestedItems }, vendorMessages);

/** Electronic locks. */
export const lockDialect = dialect('lock', { ...standardItems, ...powerItems, ...lockItems }, vendorMessages);

/** Boxes on the diagnosis socket. */
export const obdDialect = dialect('obd', { ...standardItems, ...powerItems, ...sensorItems }, vendorMessages);

/** All dialects by name: what can be set on a vehicle. */
export const dialects = {
  common: commonDialect,
  standard: standardDialect,
  tracker: trackerDialect,
  lock: lockDialect,
  obd: obdDialect,
} as const satisfies Readonly<Record<string, Dialect>>;

/** The dialect of a name that a person gave, or undefined where none has it. */
export function dialectOf(name: string): Dialect | undefined {
  return Object.hasOwn(dialects, name) ? dialects[name as keyof typeof dialects] : undefined;
}

/** Terminals whose registration tells their dialect. The first row that fits counts. */
export interface DialectRule {
  /** Maker id of 0x0100; any when absent. */
  readonly maker?: string;
  /** Start of the model of 0x0100; any when absent. */
  readonly modelStart?: string;
  readonly dialect: keyof typeof dialects;
}

/** Only what real registrations have shown; operators add their own rows. */
export const knownTerminals: readonly DialectRule[] = [
  { maker: '70107', modelStart: 'HB-R03', dialect: 'standard' },
  { modelStart: 'MD300', dialect: 'tracker' },
];

/** The dialect of a registered terminal: by the rules in order, `common` when none fits. */
export function dialectFor(
  registration: { readonly maker: string; readonly model: string },
  rules: readonly DialectRule[] = knownTerminals,
): Dialect {
  const rule = rules.find(
    ({ maker, modelStart }) =>
      (maker === undefined || maker === registration.maker) &&
      (modelStart === undefined || registration.model.startsWith(modelStart)),
  );
  return rule === undefined ? commonDialect : dialects[rule.dialect];
}
