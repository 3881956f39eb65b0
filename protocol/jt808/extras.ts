import { DecodeError } from '../errors.js';
import {
  bits,
  bytes,
  leaf,
  list,
  named,
  optional,
  Reader,
  scaled,
  struct,
  time,
  u16,
  u32,
  u8,
  unit,
  when,
  Writer,
  type Field,
  type Trace,
} from '../field/index.js';
import { abnormalDrivingBits, ioBits, signalBits, videoAlarmBits } from './bits.js';
import type { Edition } from './edition.js';

/** A declared additional item of a location (reference 3.5, 3.7). */
export interface ExtraDeclaration {
  readonly name: string;
  readonly title: string;
  readonly since: Edition;
  readonly field: Field<unknown>;
}

/** Sign and magnitude in 0x8001..0xBFFF, two's complement above, as both occur (reference 3.5, item 0x06). */
const temperature = leaf<number>(
  { kind: 'uint', bytes: 2, unit: '°C' },
  (r) => {
    const at = r.take(2);
    const word = (r.bytes[at]! << 8) | r.bytes[at + 1]!;
    if (word < 0x8000) return word;
    return word < 0xc000 ? 0 - (word & 0x7fff) : word - 0x10000;
  },
  (w, value) => u16.write(w, value < 0 ? value + 0x10000 : value),
);

const positionType = named(u8, { 0: 'none', 1: 'circle', 2: 'rectangle', 3: 'polygon', 4: 'route segment' });

const satellites = list(u8, struct({ number: u8, elevationDeg: u8, azimuthDeg: u16 }));

/** Head of the active-safety items 0x64 and 0x65 (reference 3.7). */
function safetyAlarm(types: Record<number, string>): Field<unknown> {
  return struct({
    alarmId: u32,
    flag: named(u8, { 0: 'not applicable', 1: 'start', 2: 'end' }),
    type: named(u8, types),
    level: u8,
    specific: bytes(5),
    speedKmh: unit(u8, 'km/h'),
    altitudeM: unit(u16, 'm'),
    latitudeE6: unit(u32, '1e-6 degree'),
    longitudeE6: unit(u32, '1e-6 degree'),
    time,
    vehicleState: u16,
    label: bytes(16),
  });
}

function item(name: string, title: string, since: Edition, field: Field<never> | Field<unknown>): ExtraDeclaration {
  return { name, title, since, field: field };
}

/** The items of the standard and its companions by id. A value that does not fit its declaration stays bytes. */
export const extraItems: Readonly<Record<number, ExtraDeclaration>> = {
  0x01: item('mileageKm', 'odometer', 2011, scaled(u32, 10, 'km')),
  0x02: item('fuelL', 'fuel level', 2011, scaled(u16, 10, 'L')),
  0x03: item('recorderSpeedKmh', 'speed from the tachograph', 2011, scaled(u16, 10, 'km/h')),
  0x04: item('alarmEventId', 'id of an alarm event to be confirmed', 2013, u16),
  0x05: item('tyrePressures', 'tyre pressures, wheel by wheel', 2019, bytes(30)),
  0x06: item('cargoTemperatureC', 'cargo temperature', 2019, temperature),
  0x07: item(
    'satelliteStatus',
    'satellites by system',
    2019,
    struct({ beidou: satellites, gps: satellites, glonass: satellites, galileo: satellites }),
  ),
  0x11: item(
    'overspeed',
    'place of an overspeed alarm',
    2011,
    struct({ type: positionType, id: when((scope) => scope.type !== 0, u32) }),
  ),
  0x12: item(
    'crossing',
    'area or route entered or left',
    2011,
    struct({ type: positionType, id: u32, direction: named(u8, { 0: 'in', 1: 'out' }) }),
  ),
  0x13: item(
    'segmentTime',
    'driving time of a route segment',
    2011,
    struct({ segmentId: u32, timeS: unit(u16, 's'), result: named(u8, { 0: 'too short', 1: 'too long' }) }),
  ),
  0x14: item('videoAlarms', 'video alarms (JT/T 1078)', 2013, bits(u32, videoAlarmBits)),
  0x15: item('videoSignalLoss', 'channels without signal (JT/T 1078)', 2013, u32),
  0x16: item('videoCovered', 'channels with covered lens (JT/T 1078)', 2013, u32),
  0x17: item('storageFaults', 'storage faults (JT/T 1078)', 2013, u16),
  0x18: item(
    'abnormalDriving',
    'abnormal driving (JT/T 1078)',
    2013,
    struct({ types: bits(u16, abnormalDrivingBits), fatigue: optional(u8) }),
  ),
  0x25: item('signals', 'extended vehicle signals', 2013, bits(u32, signalBits)),
  0x2a: item('ioStatus', 'I/O status', 2013, bits(u16, ioBits)),
  // The double word holds AD0 in its low half: the first word on the wire is AD1.
  0x2b: item('analogue', 'analogue inputs', 2013, struct({ ad1: u16, ad0: u16 })),
  0x30: item('signalStrength', 'radio signal strength', 2013, u8),
  0x31: item('satellites', 'satellites in use', 2013, u8),
  0x64: item(
    'driverAssistance',
    'driver assistance alarm (active safety)',
    2013,
    safetyAlarm({
      1: 'forward collision',
      2: 'lane departure',
      3: 'too close',
      4: 'pedestrian',
      5: 'frequent lane change',
      6: 'sign limit exceeded',
      7: 'obstacle',
      0x10: 'sign recognised',
      0x11: 'snapshot',
    }),
  ),
  0x65: item(
    'driverMonitoring',
    'driver monitoring alarm (active safety)',
    2013,
    safetyAlarm({
      1: 'fatigue',
      2: 'phone',
      3: 'smoking',
      4: 'distraction',
      5: 'driver abnormal',
      0x10: 'snapshot',
      0x11: 'driver change',
    }),
  ),
};

/** An additional item in words: its name and its value in the unit that the name says. */
export interface ExtraReading {
  readonly name: string;
  readonly title: string;
  readonly value: unknown;
}

/**
 * Reads one additional item by its declaration.
 * @returns undefined when the id is not declared, or the value is not what the declaration says
 */
export function readExtra(
  id: number,
  source: Uint8Array,
  start: number,
  end: number,
  edition: Edition,
  trace?: Trace,
): ExtraReading | undefined {
  const declared = extraItems[id];
  if (declared === undefined) return undefined;
  const reader = new Reader(source, start, end, edition, trace);
  try {
    const value = declared.field.read(reader);
    return reader.left === 0 ? { name: declared.name, title: declared.title, value } : undefined;
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/**
 * An additional item as it goes into the `extras` of a location.
 * @throws EncodeError when the value does not fit, RangeError when the id is not declared
 */
export function encodeExtra(id: number, value: unknown, edition: Edition = 2013): { id: number; value: Uint8Array } {
  const declared = extraItems[id];
  if (declared === undefined) throw new RangeError(`additional item ${id} is not declared`);
  const writer = new Writer(edition);
  declared.field.write(writer, value);
  return { id, value: writer.done().slice() };
}
