import {
  bitOf,
  bits,
  byEdition,
  countByte,
  either,
  joined,
  list,
  look,
  named,
  rest,
  since,
  sized,
  struct,
  countedText,
  time,
  twice,
  u16,
  u32,
  u8,
  unit,
  when,
  whileSound,
  type Field,
} from '../../field/index.js';
import { areaBits, segmentBits } from '../bits.js';

/** Bodies for parameters, control of terminal and vehicle, and geofences (reference 5.1, 5.3, 5.6, 3.11). */

const parameter = struct({ id: u32, value: sized(u8, rest) });

export interface ParameterItem {
  id: number;
  value: Uint8Array;
}

/** The count can be wrong: items are read to the end of the body (reference 5.1). */
function parameterList(count: Field<number>): Field<ParameterItem[]> {
  const items = whileSound(parameter);
  return {
    shape: { kind: 'list', count, item: parameter },
    read(r) {
      r.trace?.enter('count');
      count.read(r);
      r.trace?.leave();
      return items.read(r);
    },
    write: (w, value) => list(count, parameter).write(w, value),
  };
}

export const setParameters = struct({ parameters: parameterList(countByte) });

export const querySome = struct({ ids: list(u8, u32) });

interface ParameterAnswer {
  replySerial: number;
  parameters: ParameterItem[];
  trailing: Uint8Array;
}

function parameterAnswer(count: Field<number>): Field<ParameterAnswer> {
  return struct({ replySerial: u16, parameters: parameterList(count), trailing: rest });
}

/**
 * True for the 2011 form of 0x0104, which has a second count byte: both counts agree and so many parameters follow. In
 * the 2013 form the second byte is the highest of a parameter id, which is 0.
 */
function hasSecondCount(bytes: Uint8Array, start: number, end: number): boolean {
  if (start + 4 > end) return false;
  const count = bytes[start + 2]!;
  if (count !== bytes[start + 3]) return false;
  let found = 0;
  for (let at = start + 4; at + 5 <= end && at + 5 + bytes[at + 4]! <= end; at += 5 + bytes[at + 4]!) found += 1;
  return found >= count;
}

export const parameterAnswerOf: Field<ParameterAnswer> = byEdition({
  2011: look(
    (r) => hasSecondCount(r.bytes, r.at, r.end),
    () => 'first',
    parameterAnswer(countByte),
    parameterAnswer(u8),
  ),
  2013: parameterAnswer(u8),
});

export const control = struct({
  command: named(u8, {
    1: 'wireless upgrade',
    2: 'connect to a given server',
    3: 'power off',
    4: 'reset',
    5: 'factory reset',
    6: 'stop data communication',
    7: 'stop all radio',
    0x64: 'vendor: cut fuel and electricity',
    0x65: 'vendor: restore fuel and electricity',
    0xf0: 'vendor: cut fuel and electricity',
    0xf1: 'vendor: restore fuel and electricity',
  }),
  parameters: joined(';'),
});

interface VehicleControl {
  /** 2011, 2013: bit 0 is 1 to lock, 0 to unlock. */
  flags?: number;
  /** 2019: id 1 is the doors, with 0 to lock and 1 to open. */
  controls?: { id: number; parameter: number }[];
}

export const vehicleControl: Field<VehicleControl> = byEdition<VehicleControl>({
  2011: struct({ flags: bits(u8, { 0: 'lock' }) }),
  2019: struct({ controls: list(u16, struct({ id: named(u16, { 1: 'doors' }), parameter: u8 })) }),
});

const setting = named(u8, { 0: 'update', 1: 'append', 2: 'modify' });

/** What stands at the end of every area: limits by attribute bits, and from 2019 night speed and name. */
const limits = {
  startTime: when(bitOf('attributes', 0), time),
  endTime: when(bitOf('attributes', 0), time),
  topSpeedKmh: when(bitOf('attributes', 1), unit(u16, 'km/h')),
  overspeedS: when(bitOf('attributes', 1), unit(u8, 's')),
};
const since2019 = {
  nightTopSpeedKmh: when(
    (scope, edition) => edition === 2019 && bitOf('attributes', 1)(scope, edition),
    unit(u16, 'km/h'),
  ),
  name: since(2019, sized(u16, countedText)),
};
const degreesE6 = unit(u32, '1e-6 degree');

const circle = struct({
  id: u32,
  attributes: bits(u16, areaBits),
  latitudeE6: degreesE6,
  longitudeE6: degreesE6,
  radiusM: unit(u32, 'm'),
  ...limits,
  ...since2019,
});
export const setCircles = struct({ setting, areas: list(countByte, circle) });

const rectangle = struct({
  id: u32,
  attributes: bits(u16, areaBits),
  upperLatitudeE6: degreesE6,
  leftLongitudeE6: degreesE6,
  lowerLatitudeE6: degreesE6,
  rightLongitudeE6: degreesE6,
  ...limits,
  ...since2019,
});
export const setRectangles = struct({ setting, areas: list(countByte, rectangle) });

/** A count word, which 2011 follows with the count in this packet as a byte. */
const pointCount: Field<number> = byEdition({ 2011: twice(u16, u8), 2013: u16 });

export const setPolygon = struct({
  id: u32,
  attributes: bits(u16, areaBits),
  ...limits,
  points: list(pointCount, struct({ latitudeE6: degreesE6, longitudeE6: degreesE6 })),
  ...since2019,
});

interface RoutePoint {
  pointId?: number;
  segmentId: number;
  latitudeE6: number;
  longitudeE6: number;
  widthM: number;
  attributes: number;
  /** 2011. */
  drivingTimeS?: number;
  tooLongS?: number;
  tooShortS?: number;
  topSpeedKmh?: number;
  overspeedS?: number;
  nightTopSpeedKmh?: number;
}

const routePoint: Field<RoutePoint> = struct({
  pointId: since(2013, u32),
  segmentId: u32,
  latitudeE6: degreesE6,
  longitudeE6: degreesE6,
  widthM: unit(u8, 'm'),
  attributes: bits(u8, segmentBits),
  drivingTimeS: when((scope, edition) => edition === 2011 && bitOf('attributes', 0)(scope, edition), unit(u16, 's')),
  tooLongS: when((scope, edition) => edition !== 2011 && bitOf('attributes', 0)(scope, edition), unit(u16, 's')),
  tooShortS: when((scope, edition) => edition !== 2011 && bitOf('attributes', 0)(scope, edition), unit(u16, 's')),
  topSpeedKmh: when(bitOf('attributes', 1), unit(u16, 'km/h')),
  overspeedS: when(bitOf('attributes', 1), unit(u8, 's')),
  nightTopSpeedKmh: since2019.nightTopSpeedKmh,
});

export const setRoute = struct({
  id: u32,
  attributes: bits(u16, areaBits),
  startTime: limits.startTime,
  endTime: limits.endTime,
  points: list(pointCount, routePoint),
  name: since2019.name,
});

/** No ids: all of that kind (reference 5.6). */
export const deleteAreas = struct({ ids: list(u8, u32) });

const areaKinds = { 1: 'circle', 2: 'rectangle', 3: 'polygon', 4: 'route' };

export const queryAreas = struct({ kind: named(u8, areaKinds), ids: list(u32, u32) });

/** The bodies of the areas stay as bytes: whether each repeats setting and count is unclear (reference 10.3). */
export const areasAnswer = struct({ kind: named(u8, areaKinds), count: u32, areas: rest });

interface RecorderData {
  /** Not in 2011. */
  replySerial?: number;
  command: number;
  data: Uint8Array;
}

const recorderCommand = named(u8, {
  0x00: 'standard version',
  0x01: 'current driver',
  0x02: 'clock',
  0x03: 'mileage',
  0x04: 'pulse factor',
  0x05: 'vehicle',
  0x06: 'signal configuration',
  0x07: 'unique number',
  0x08: 'speed records',
  0x09: 'position records',
  0x10: 'accident records',
  0x11: 'overtime driving',
  0x12: 'driver log-in records',
  0x13: 'power records',
  0x14: 'parameter changes',
  0x15: 'speed-state log',
  0x82: 'set vehicle',
  0x83: 'set installation date',
  0x84: 'set signal configuration',
  0xc2: 'set clock',
  0xc3: 'set pulse factor',
  0xc4: 'set initial mileage',
});

const recorderDataOf2013: Field<RecorderData> = struct({ replySerial: u16, command: recorderCommand, data: rest });

/** GB/T 19056 blocks stay as bytes (reference 5.8). */
export const recorderData: Field<RecorderData> = byEdition<RecorderData>({
  2011: either<RecorderData>(
    struct({ command: recorderCommand, data: sized(twice(u16, u16), rest) }),
    recorderDataOf2013,
  ),
  2013: recorderDataOf2013,
});

export const recorderQuery = struct({ command: recorderCommand, data: rest });
